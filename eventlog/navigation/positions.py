"""An event's position, depth and course, derived from the stored fixes of the vessel.

Every feed gives its answer to every moment; feeds that three or more others outvote are set aside, and of the rest
the best ranked with a good answer is taken, else the answer with the least uncertainty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from eventlog.models import Feed, Sample
from eventlog.navigation import bridging, geodesy, nearby
from eventlog.navigation.bridging import Ends
from eventlog.navigation.geodesy import Floats

# The columns of an event that are derived.
COLUMNS = (
    "nav_latitude",
    "nav_longitude",
    "nav_depth_m",
    "nav_course_deg",
    "nav_speed_mps",
    "nav_method",
    "nav_feed",
    "nav_gap_s",
    "nav_uncertainty_m",
)
EXACT_S: Final = 2.0  # a fix as near as this makes the position exact; it is carried over the rest
GOOD_S: Final = 60.0  # a gap up to this is good enough not to ask a feed of a lower rank
BRIDGED_S: Final = 2 * 3600.0  # longer gaps are not bridged: a ship can be anywhere
CARRIED_S: Final = 30 * 60.0  # dead reckoning, as doubtful after this as the middle of the longest gap
DEPTH_S: Final = 60.0  # a sounding as near as this is the depth
MOST_FEEDS = 8
OUTVOTED_M: Final = 200.0  # antennas and datums of one ship lie closer together than this
SHORT_S: Final = 20.0  # below it the velocity that the fix itself tells is better than one from fixes around
EXACT, BRIDGED, CARRIED, NONE = "exact", "interpolated", "extrapolated", "none"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one feed says about n moments: arrays of shape (n,); `method` is -1 where it says nothing."""

    method: NDArray[np.int8]
    latitude: Floats
    longitude: Floats
    east: Floats
    north: Floats
    gap: Floats
    uncertainty: Floats


_METHODS = (EXACT, BRIDGED, CARRIED)


def at(vessel_id: str, moment: dt.datetime) -> dict[str, Any]:
    """The derived columns for a moment, which is aware."""
    return many(vessel_id, [moment])[0]


def many(vessel_id: str, moments: Sequence[dt.datetime]) -> list[dict[str, Any]]:
    """The derived columns for each of many aware moments, in their order.

    `nav_method` is empty for a vessel without feeds, else exact, interpolated, extrapolated or none. `nav_gap_s`:
    exact and extrapolated: seconds to the fix; interpolated: seconds between the fixes. Degrees, metres, m/s.
    """
    feeds = list(Feed.objects.filter(vessel=vessel_id, is_enabled=True).order_by("rank", "name")[:MOST_FEEDS])
    if not moments or not feeds:
        return [dict.fromkeys(COLUMNS) | {"nav_method": "", "nav_feed": ""} for _ in moments]
    times = np.array([microseconds(moment) for moment in moments], dtype=np.int64)
    answers = answered(feeds, times)
    chosen = _choose(feeds, answers, times)
    depths = _depths(feeds, times)
    return [_columns(feeds, answers, int(chosen[i]), i, depths[i]) for i in range(len(times))]


def microseconds(moment: dt.datetime) -> int:
    """Whole microseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def moment_of(at_us: int) -> dt.datetime:
    """The moment, in UTC, of microseconds since 1970."""
    return _EPOCH + dt.timedelta(microseconds=at_us)


def answered(feeds: Sequence[Feed], moments: NDArray[np.int64]) -> list[Answer]:
    """What each of these feeds says about moments, shape (n,), microseconds since 1970; with two or three queries."""
    keys = np.repeat(np.array([feed.pk for feed in feeds], dtype=np.int64), len(moments))
    whole = _answer(keys, np.tile(moments, len(feeds)))
    parts = [np.split(getattr(whole, field.name), len(feeds)) for field in fields(Answer)]
    return [Answer(*part) for part in zip(*parts, strict=True)]


def _answer(keys: NDArray[np.int64], times: NDArray[np.int64]) -> Answer:
    """What the feed of each pair says about the moment of the pair, shapes (n,)."""
    before, after = nearby.fixes(keys, times, reach_us=int(BRIDGED_S * _US))
    back, ahead = (times - before[:, 0]) / _US, (after[:, 0] - times) / _US
    gap = back + ahead
    nearest = np.fmin(back, ahead)
    bridged = gap <= BRIDGED_S
    carried = ~bridged & (nearest <= CARRIED_S)
    blank = np.full((5, len(times)), np.nan)
    found = Answer(np.full(len(times), -1, np.int8), blank[0], blank[1], blank[2], blank[3], gap.copy(), blank[4])
    backward = np.nan_to_num(back, nan=np.inf) <= np.nan_to_num(ahead, nan=np.inf)
    wanted = np.where(bridged, gap, nearest)
    ends = (
        _ends(keys, times, before, wanted, bridged | (carried & backward), -1),
        _ends(keys, times, after, wanted, bridged | (carried & ~backward), 1),
    )
    _put(found, bridged, bridging.bridge(*(_of(end, bridged) for end in ends)))
    for end, here in ((ends[0], carried & backward), (ends[1], carried & ~backward)):
        _put(found, here, bridging.carry(_of(end, here)))
    found.method[bridged] = 1
    found.method[carried] = 2
    found.gap[carried] = nearest[carried]
    exact = (found.method >= 0) & (nearest <= EXACT_S)
    found.method[exact] = 0
    found.gap[exact] = nearest[exact]
    # What the receiver itself says about speed and course is better than a difference of two fixes.
    east, north = _velocity(np.where(backward[:, None], before, after))
    says = exact & ~np.isnan(east)
    found.east[says], found.north[says] = east[says], north[says]
    return found


def _put(found: Answer, where: NDArray[np.bool_], derived: bridging.Derived) -> None:
    found.latitude[where], found.longitude[where] = derived.latitude, derived.longitude
    found.east[where], found.north[where] = derived.east, derived.north
    found.uncertainty[where] = derived.uncertainty


def _of(end: Ends, where: NDArray[np.bool_]) -> Ends:
    return Ends(*(getattr(end, field.name)[where] for field in fields(Ends)))


def _ends(
    keys: NDArray[np.int64],
    times: NDArray[np.int64],
    rows: Floats,
    gap: Floats,
    used: NDArray[np.bool_],
    side: int,
) -> Ends:
    """Fixes with their velocity: as told for short gaps, else made good over a tenth of the gap outside of it."""
    latitude, longitude = rows[:, 1] / 1e7, rows[:, 2] / 1e7
    east, north = _velocity(rows)
    spread = np.full(len(times), 0.3)
    # Over a long gap the swing of the antenna and of the helm in one second matters more than what was an hour ago.
    lean = used & ((gap > SHORT_S) | np.isnan(east))
    if lean.any():
        stretch = np.clip(gap[lean] / 10, 10, 120)
        away = (rows[lean, 0] + side * stretch * _US).astype(np.int64)
        both = nearby.fixes(keys[lean], away - (side > 0), reach_us=int(60 * _US))
        outer = both[1 if side > 0 else 0]
        seconds = (outer[:, 0] - rows[lean, 0]) / _US
        dx, dy = geodesy.offset(latitude[lean], longitude[lean], outer[:, 1] / 1e7, outer[:, 2] / 1e7)
        made_east, made_north = dx / seconds, dy / seconds
        fit = ~np.isnan(made_east) & (np.hypot(made_east, made_north) <= bridging.FASTEST)
        places = np.flatnonzero(lean)[fit]
        east[places], north[places], spread[places] = made_east[fit], made_north[fit], 0.1
    fix_m = bridging.fix_metres(rows[:, 3])
    return Ends((rows[:, 0] - times) / _US, latitude, longitude, east, north, spread, fix_m)


def _velocity(rows: Floats) -> tuple[Floats, Floats]:
    """East and north, m/s, as the receiver told with the fix; NaN where it did not."""
    speed, course = rows[:, 4] / 100, np.radians(rows[:, 5] / 100)
    return speed * np.sin(course), speed * np.cos(course)


def _choose(feeds: Sequence[Feed], answers: Sequence[Answer], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each moment the number of the feed to believe, -1: none. The less the cost, the better."""
    out = outvoted(answers)
    costs = np.empty((len(feeds), len(times)))
    for place, (feed, said) in enumerate(zip(feeds, answers, strict=True)):
        good = (said.method == 0) | ((said.method == 1) & (said.gap <= GOOD_S))
        cost = np.where(good, float(place), 1e3 + np.nan_to_num(said.uncertainty, nan=1e9))
        cost = cost + np.where(out[place], 1e7, 0.0) + np.where(times >= _bad_since(feed), 1e6, 0.0)
        costs[place] = np.where(said.method < 0, np.inf, cost)
    chosen = costs.argmin(axis=0)
    return np.where(np.isinf(costs.min(axis=0)), -1, chosen)


def outvoted(answers: Sequence[Answer]) -> NDArray[np.bool_]:
    """Where a feed lies further from the middle of three or more than its own uncertainty and theirs explain."""
    latitude = np.array([said.latitude for said in answers])
    out = np.zeros(latitude.shape, bool)
    uncertainty = np.array([said.uncertainty for said in answers])
    votes = ~np.isnan(latitude) & (uncertainty < 2000)
    column = np.flatnonzero(votes.sum(axis=0) >= 3)
    if not len(column):
        return out
    longitude = np.array([said.longitude for said in answers])[:, column]
    vector = geodesy.unit(latitude[:, column], longitude)
    vector[~votes[:, column]] = np.nan
    middle_latitude, middle_longitude = geodesy.place(np.nanmedian(vector, axis=0))
    typical = np.nanmedian(np.where(votes[:, column], uncertainty[:, column], np.nan), axis=0)
    for place in range(len(answers)):
        away = geodesy.distance(middle_latitude, middle_longitude, latitude[place, column], longitude[place])
        out[place, column] = away > OUTVOTED_M + 2 * (uncertainty[place, column] + typical)
    return out


def _bad_since(feed: Feed) -> float:
    """Microseconds since which the watch calls a feed bad; infinite where it does not."""
    since = feed.health.get("bad_since") if isinstance(feed.health, dict) else None
    return float(microseconds(dt.datetime.fromisoformat(since))) if since else np.inf


def _depths(feeds: Sequence[Feed], times: NDArray[np.int64]) -> list[float | None]:
    """The nearest sounding within DEPTH_S of each moment, by the best ranked feed that has one; metres."""
    keys = np.repeat(np.array([feed.pk for feed in feeds], dtype=np.int64), len(times))
    moments = np.tile(times, len(feeds))
    sides = nearby.samples(keys, Sample.DEPTH, moments, reach_us=int(DEPTH_S * _US))
    away = [np.nan_to_num(np.abs(side[:, 0] - moments), nan=np.inf) for side in sides]
    nearest = np.where(away[0] <= away[1], sides[0][:, 1], sides[1][:, 1])
    depths = np.full(len(times), np.nan)
    for of_feed in np.split(nearest, len(feeds)):
        depths = np.where(np.isnan(depths), of_feed, depths)
    return [None if np.isnan(depth) else round(float(depth), 2) for depth in depths]


def _columns(
    feeds: Sequence[Feed], answers: Sequence[Answer], place: int, moment: int, depth: float | None
) -> dict[str, Any]:
    if place < 0:
        return dict.fromkeys(COLUMNS) | {"nav_method": NONE, "nav_feed": "", "nav_depth_m": depth}
    said = answers[place]
    east, north = float(said.east[moment]), float(said.north[moment])
    speed = float(np.hypot(east, north))
    known = not np.isnan(speed)
    return {
        "nav_latitude": round(float(said.latitude[moment]), 7),
        "nav_longitude": round(float(said.longitude[moment]), 7),
        "nav_depth_m": depth,
        # Below a tenth of a metre a second the course is that of the noise.
        "nav_course_deg": round(float(np.degrees(np.arctan2(east, north))) % 360, 1) % 360
        if known and speed > 0.1
        else None,
        "nav_speed_mps": round(speed, 2) if known else None,
        "nav_method": _METHODS[int(said.method[moment])],
        "nav_feed": feeds[place].name,
        "nav_gap_s": round(float(said.gap[moment]), 1),
        "nav_uncertainty_m": round(float(said.uncertainty[moment]), 1),
    }
