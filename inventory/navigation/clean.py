"""Flags the fixes of a raw track by rules: time, sequence, position, receiver, altitude, acceleration.
Nothing is removed here; each fix gets the reasons against it, and what is without reasons is good."""

from dataclasses import dataclass, fields
from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory.navigation.fixes import Bools, Fixes, Floats
from inventory.navigation.geodesic import DEGREE, seconds, steps

DAY: Final = np.timedelta64(1, "D")
_CHUNK: Final = 65_536
_SEAM: Final = 60  # fixes that two buffers share, so that a leap at the seam is judged from both sides


class Flag(IntFlag):
    """Why a fix is not good; SPEED alone is information and leaves it good."""

    TIME = 1
    SEQUENCE = 2
    POSITION = 4
    JUNK = 8
    QUALITY = 16
    SATELLITES = 32
    HDOP = 64
    ALTITUDE = 128
    ACCELERATION = 256
    SPEED = 512


BAD: Final = ~int(Flag.SPEED) & 0x3FF


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits of the rules; the defaults are those of R2R (rvdata/NavManager and its description).

    `around_cruise_days` a fix may lie so long before or after the cruise; `leap_days` the longest jump
    forward in time; `quality_least`..`quality_most` the GGA indicators accepted; `satellites_least`..`_most`;
    `hdop_most` (0 is refused too); `altitude_m` the absolute altitude from which a fix is refused;
    `speed_ms` is only counted; `acceleration_ms2` flags; where positions are written so coarsely that the
    last digit is `coarse_m` or more, the limit is `coarse_factor` times that digit instead (3 m/s² a metre);
    `gap_s` counts as a gap; `buffer` fixes (240 at least) are looked at together, at most `rounds` times.
    """

    around_cruise_days: int = 30
    leap_days: int = 30
    quality_least: int = 1
    quality_most: int = 5
    satellites_least: int = 4
    satellites_most: int = 50
    hdop_most: float = 50.0
    altitude_m: float = 500.0
    speed_ms: float = 8.7
    acceleration_ms2: float = 1.0
    coarse_m: float = 1.11
    coarse_factor: float = 3.0
    gap_s: float = 300.0
    buffer: int = 3600
    rounds: int = 30


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The flags of each fix, shape (n,) uint16 of Flag bits; `good` where none but SPEED is set.

    `counts` fixes per rule (a fix may break several), and "speed", "acceleration over limit" (both before
    anything is dropped for acceleration), "flagged", "good", "gap". `longest_gap_s` between good fixes.
    `resolution_m` how finely positions are written; `acceleration_limit` m/s², as used.
    """

    flags: NDArray[np.uint16]
    good: Bools
    counts: dict[str, int]
    longest_gap_s: float
    resolution_m: float
    acceleration_limit: float


def clean(
    fixes: Fixes,
    thresholds: Thresholds | None = None,
    *,
    begins: np.datetime64 | None = None,
    ends: np.datetime64 | None = None,
) -> Cleaned:
    """Judge every fix; `begins` and `ends` of the cruise (UTC) bound the times where they are given.

    Rules in order: time; position; receiver (only what the sentence states is judged); altitude; sequence
    among the fixes with a possible time; acceleration among those still good. See `Thresholds` for the
    limits and their source, `_accelerating` for the last rule.
    """
    limits = thresholds or Thresholds()
    flags = _stateless(fixes, limits, begins, ends)
    flags[_out_of_sequence(fixes, flags, limits)] |= Flag.SEQUENCE.value
    resolution = resolution_m(fixes.longitude, fixes.latitude)
    limit = limits.acceleration_ms2
    if resolution >= limits.coarse_m:
        limit = limits.coarse_factor * resolution

    sound = np.flatnonzero(flags & BAD == 0)
    track = fixes.take(sound)
    over_speed, over_limit = _first_look(track, limits.speed_ms, limit)
    flags[sound[over_speed]] |= Flag.SPEED.value
    flags[sound[_accelerating(track, limit, limits)]] |= Flag.ACCELERATION.value

    good = flags & BAD == 0
    pauses = seconds(fixes.time[good])
    counts = {flag.name.lower(): int((flags & flag.value != 0).sum()) for flag in Flag if flag.name}
    counts |= {
        "acceleration over limit": over_limit,
        "flagged": int((~good).sum()),
        "good": int(good.sum()),
        "gap": int((pauses > limits.gap_s).sum()),
    }
    return Cleaned(flags, good, counts, float(pauses.max(initial=0.0)), resolution, limit)


def _stateless(
    fixes: Fixes, limits: Thresholds, begins: np.datetime64 | None, ends: np.datetime64 | None
) -> NDArray[np.uint16]:
    """The rules that look at one fix alone."""
    flags = np.zeros(len(fixes), np.uint16)
    around = limits.around_cruise_days * DAY
    late = fixes.time > ends + around if ends is not None else np.zeros(len(fixes), bool)
    early = fixes.time < begins - around if begins is not None else np.zeros(len(fixes), bool)
    flags[np.isnat(fixes.time) | early | late] |= Flag.TIME.value

    there = (np.abs(fixes.longitude) <= 180) & (np.abs(fixes.latitude) <= 90)  # false for NaN
    flags[~there] |= Flag.POSITION.value
    midnight = fixes.time == fixes.time.astype("datetime64[D]")
    flags[midnight & (fixes.longitude == 0) & (fixes.latitude == 0)] |= Flag.JUNK.value

    told = fixes.quality >= 0
    poor = (fixes.quality < limits.quality_least) | (fixes.quality > limits.quality_most)
    flags[told & poor] |= Flag.QUALITY.value
    told = fixes.nsv >= 0
    few = (fixes.nsv < limits.satellites_least) | (fixes.nsv > limits.satellites_most)
    flags[told & few] |= Flag.SATELLITES.value
    flags[(fixes.hdop <= 0) | (fixes.hdop > limits.hdop_most)] |= Flag.HDOP.value  # false for NaN
    flags[np.abs(fixes.altitude) >= limits.altitude_m] |= Flag.ALTITUDE.value
    return flags


def _out_of_sequence(fixes: Fixes, flags: NDArray[np.uint16], limits: Thresholds) -> NDArray[np.intp]:
    """Fixes not later than the last one in sequence, or more than `leap_days` later.

    The first fix with a possible time begins the sequence.
    """
    rows = np.flatnonzero(flags & Flag.TIME.value == 0)
    time = fixes.time[rows].astype("datetime64[ms]").astype(np.int64)
    leap = limits.leap_days * 86_400_000
    wrong = np.zeros(len(rows), bool)
    if not len(rows):
        return rows
    last, place = time[0], 1
    while place < len(time):
        piece = time[place : place + _CHUNK]
        before = np.maximum.accumulate(np.concatenate(([last], piece)))[:-1]
        leaps = np.flatnonzero(piece - before > leap)
        stop = int(leaps[0]) if len(leaps) else len(piece)
        wrong[place : place + stop] = piece[:stop] <= before[:stop]
        last = max(last, int(piece[:stop].max(initial=last)))
        place += stop
        if len(leaps):  # pass over all that is as far ahead, to the next fix that can follow
            rest = time[place:]
            near = np.flatnonzero(rest <= last + leap)
            skip = int(near[0]) if len(near) else len(rest)
            wrong[place : place + skip] = True
            place += skip
    return rows[wrong]


def resolution_m(longitude: Floats, latitude: Floats) -> float:
    """How finely the positions are written, in metres: the worth of the last decimal of degrees or minutes.

    Found from the numbers themselves: the coarsest step of which 99.9 % of them are multiples. 0 if they are
    finer than 1e-7 degrees or there are fewer than 10 (of so few, nothing can be said).
    """
    values = np.concatenate((latitude[np.isfinite(latitude)], longitude[np.isfinite(longitude)]))
    if len(values) < 20:
        return 0.0
    sample = values[:: max(1, len(values) // 20_000)]
    by_degrees = [10.0**-decimals for decimals in range(1, 8)]
    by_minutes = [10.0**-decimals / 60 for decimals in range(6)]
    for step in sorted(by_degrees + by_minutes, reverse=True):
        multiple = sample / step
        if np.mean(np.abs(multiple - np.rint(multiple)) < 1e-3) >= 0.999:
            return step * DEGREE
    return 0.0


def _first_look(track: Fixes, speed_ms: float, limit: float) -> tuple[Bools, int]:
    """Where the ship arrives faster than `speed_ms`, shape (n,), and how many changes exceed the limit."""
    east, north = steps(track.longitude, track.latitude)
    elapsed = seconds(track.time)
    speed = np.hypot(east, north) / elapsed
    arriving = np.zeros(len(track), bool)
    arriving[1:] = speed > speed_ms
    change = np.abs(np.diff(speed)) / ((elapsed[1:] + elapsed[:-1]) / 2)
    return arriving, int((change > limit).sum())


def _accelerating(track: Fixes, limit: float, limits: Thresholds) -> NDArray[np.intp]:
    """Indices of fixes that would make the ship change its speed by more than `limit` m/s².

    Speeds are those between neighbours. Where they change too fast the nearest fix is dropped and what is
    left judged again, in buffers of `limits.buffer` fixes that overlap a little. "Nearest" is of the three
    fixes around the one whose absence leaves the steadiest track: after a single leap the change of speed
    is largest at its innocent neighbours. The source stops after a fixed number of rounds; so does this,
    lest one bad stretch eat the rest.
    """
    dropped: list[NDArray[np.intp]] = []
    carried = np.zeros(0, np.intp)
    size = max(limits.buffer, 4 * _SEAM)
    for begin in range(0, len(track), size):
        rows = np.concatenate((carried, np.arange(begin, min(begin + size, len(track)))))
        for _ in range(limits.rounds):
            culprits = _culprits(track.take(rows), limit)
            if not len(culprits):
                break
            dropped.append(rows[culprits])
            rows = np.delete(rows, culprits)
        carried = rows[-_SEAM:]
    return np.sort(np.concatenate(dropped)) if dropped else np.zeros(0, np.intp)


def _culprits(track: Fixes, limit: float) -> NDArray[np.intp]:
    """Indices of the fixes to drop in one round."""
    size = len(track)
    if size < 3:
        return np.zeros(0, np.intp)
    east, north = steps(track.longitude, track.latitude)
    elapsed = seconds(track.time)
    between = (elapsed[1:] + elapsed[:-1]) / 2
    change = np.abs(np.diff(np.hypot(east, north) / elapsed)) / between  # at the fixes 1 … size - 2
    over = np.flatnonzero(change > limit) + 1
    if not len(over):
        return over
    suspects = np.unique(np.concatenate((over - 1, over, over + 1)))
    unsteady = np.full(size + 2, np.inf)  # one place before and behind, for the neighbours of the ends
    unsteady[suspects + 1] = _unsteady_without(suspects, np.stack((east, north)), elapsed)
    around = np.stack([unsteady[over + shift] for shift in (0, 1, 2)])
    return np.unique(over - 1 + around.argmin(0))


def _unsteady_without(suspects: NDArray[np.intp], leaps: Floats, elapsed: Floats) -> Floats:
    """How much the velocity (as a vector, m/s) still turns around each suspect once it is left out.

    `leaps` has shape (2, n - 1), metres east and north; `elapsed` (n - 1,), seconds.
    """
    place = np.concatenate((np.zeros((2, 1)), np.cumsum(leaps, axis=1)), axis=1)
    clock = np.concatenate(([0.0], np.cumsum(elapsed)))
    end = len(clock) - 1

    def turn(first: NDArray[np.intp], middle: NDArray[np.intp], third: NDArray[np.intp]) -> Floats:
        there = (first >= 0) & (third <= end)
        a, b, c = (np.clip(which, 0, end) for which in (first, middle, third))
        before = (place[:, b] - place[:, a]) / np.maximum(clock[b] - clock[a], 1e-3)
        after = (place[:, c] - place[:, b]) / np.maximum(clock[c] - clock[b], 1e-3)
        return np.where(there, np.hypot(*(after - before)), 0.0)

    inner = turn(suspects - 2, suspects - 1, suspects + 1) + turn(suspects - 1, suspects + 1, suspects + 2)
    at_first = turn(suspects + 1, suspects + 2, suspects + 3)
    at_last = turn(suspects - 3, suspects - 2, suspects - 1)
    return np.where(suspects == 0, at_first, np.where(suspects == end, at_last, inner))


def describe(thresholds: Thresholds) -> dict[str, float]:
    """The limits by name, for the certificate and the page of the product."""
    return {field.name: getattr(thresholds, field.name) for field in fields(thresholds)}
