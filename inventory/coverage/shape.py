"""What is kept of a reading: its period, and its places as lines of few points, cut at 180 degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inventory.coverage.reading import Reading
from inventory.navigation.control import Line, control_lines, pieces, unwrap
from inventory.navigation.fixes import Bools, Floats, Ints
from inventory.navigation.geodesic import steps
from inventory.navigation.sentences import NEVER

TOLERANCE: Final = 0.0005  # degrees: no place left out lies farther from the line; doubled until MOST points do
MOST: Final = 200  # points of the lines of one file
PLENTY: Final = 20_000  # places that are looked at
PAUSE: Final = 6 * 3600.0  # s without a place, and
STEPS: Final = 12  # times the usual step: the line is cut there, unless that makes more than
PIECES: Final = 50  # pieces
SPECK: Final = 1e-6  # degrees; a lone place between two pauses is drawn so long
FASTEST: Final = 50.0  # m/s; what moves faster is no ship
LEAP: Final = 2000.0  # m; a shorter leap is noise of the receiver
PASSES: Final = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """First and last moment in ms since 1970 UTC, or None; lines, or one point, or neither; places that were used.

    `tolerance`: degrees by which the lines may be off. `outside`: no moment lies in the window.
    """

    first: int | None = None
    last: int | None = None
    lines: tuple[Line, ...] = ()
    point: tuple[float, float] | None = None
    points: int = 0
    tolerance: float = 0.0
    outside: bool = False
    remarks: tuple[str, ...] = ()


def shape(reading: Reading, window: tuple[int, int]) -> Shape:
    """The shape of a reading. `window`: first and last possible moment, ms since 1970 UTC.

    Times outside the window are left out as faults of a clock, unless there is none inside. Places that are none, that
    a receiver writes for "unknown" (0, 0), or that a ship cannot have leapt to are left out.
    """
    remarks = list(reading.remarks)
    every = np.concatenate((reading.moments, reading.time))
    every = every[every != NEVER]
    inside = every[(every >= window[0]) & (every <= window[1])]
    outside = bool(len(every)) and not len(inside)
    if outside:
        remarks.append("all its times lie outside the days of the cruise: its clock was wrong, or it is of another")
        inside = every
    elif len(inside) < len(every):
        remarks.append(f"{len(every) - len(inside):,} times outside the days of the cruise were left out")
    keep = _places(reading)
    if not outside:
        keep &= (reading.time == NEVER) | ((reading.time >= window[0]) & (reading.time <= window[1]))
    lines, point, points, tolerance = _drawn(reading.time[keep], reading.longitude[keep], reading.latitude[keep])
    return Shape(
        int(inside.min()) if len(inside) else None,
        int(inside.max()) if len(inside) else None,
        tuple(lines),
        point,
        points,
        tolerance,
        outside,
        tuple(remarks),
    )


def _places(reading: Reading) -> Bools:
    x, y = reading.longitude, reading.latitude
    with np.errstate(invalid="ignore"):
        known: Bools = np.isfinite(x) & np.isfinite(y) & (np.abs(x) <= 360) & (np.abs(y) <= 90)
        known &= ~((x == 0) & (y == 0))
    return known


def _drawn(
    time: Ints, longitude: Floats, latitude: Floats
) -> tuple[list[Line], tuple[float, float] | None, int, float]:
    """Lines, or a point, of places that may be: how many were used, and the tolerance in degrees."""
    if not len(time):
        return [], None, 0, 0.0
    longitude = (longitude + 180) % 360 - 180
    timed = bool((time != NEVER).all())
    if timed:
        order = np.argsort(time, kind="stable")
        time, longitude, latitude = time[order], longitude[order], latitude[order]
    else:
        time = np.zeros(len(time), np.int64)
    if len(time) > PLENTY:
        some = np.unique(np.append(np.arange(0, len(time), -(-len(time) // PLENTY)), len(time) - 1))
        time, longitude, latitude = time[some], longitude[some], latitude[some]
    if timed:
        good = possible(time, longitude, latitude)
        time, longitude, latitude = time[good], longitude[good], latitude[good]
    moments = time.astype("datetime64[ms]")
    usual = float(np.median(np.diff(time))) / 1000 if len(time) > 1 else 0.0
    pause: float | None = max(PAUSE, STEPS * usual)
    stretches = pieces(moments, pause)
    if len(stretches) > PIECES:
        pause, stretches = None, []
    lone = [one.start for one in stretches if one.stop - one.start == 1] if len(stretches) > 1 else []
    specks = [_speck(float(longitude[n]), float(latitude[n])) for n in lone]
    tolerance = TOLERANCE
    while True:
        lines = control_lines(longitude, latitude, moments, tolerance, max_gap_s=pause) + specks
        if sum(map(len, lines)) <= MOST or tolerance > 90:
            break
        tolerance *= 2
    if lines:
        rounded = [[(round(x, 6), round(y, 6)) for x, y in line] for line in lines]
        return rounded, None, len(time), tolerance
    x = (float(np.median(unwrap(longitude))) + 180) % 360 - 180
    return [], (round(x, 6), round(float(np.median(latitude)), 6)), len(time), 0.0


def _speck(x: float, y: float) -> Line:
    return [(x, y), (x, y - SPECK if y > 0 else y + SPECK)]


def possible(time: Ints, longitude: Floats, latitude: Floats) -> Bools:
    """Which places, in the order of time, a ship can have been at: those that it need not leap to and fro for."""
    good = np.ones(len(time), bool)
    for _ in range(PASSES):
        at = np.flatnonzero(good)
        if len(at) < 3:
            break
        leaps = _leaps(time[at], longitude[at], latitude[at])
        over = _leaps_over(time[at], longitude[at], latitude[at])
        wrong = np.zeros(len(at), bool)
        wrong[1:-1] = leaps[:-1] & leaps[1:] & ~over
        wrong[0] = leaps[0] and not leaps[1]
        wrong[-1] = leaps[-1] and not leaps[-2]
        if not wrong.any():
            break
        good[at[wrong]] = False
    return good


def _leaps(time: Ints, longitude: Floats, latitude: Floats) -> Bools:
    """Whether the way from each place to the next is a leap; shape (n - 1,)."""
    distance = np.hypot(*steps(longitude, latitude))
    return (distance > LEAP) & (distance > FASTEST * np.maximum(np.diff(time) / 1000, 0.001))


def _leaps_over(time: Ints, longitude: Floats, latitude: Floats) -> Bools:
    """Whether the way from each place to the one after the next is a leap; shape (n - 2,)."""
    found = np.zeros(len(time) - 2, bool)
    for begin in (0, 1):
        found[begin::2] = _leaps(time[begin::2], longitude[begin::2], latitude[begin::2])
    return found
