"""A filter said as a sentence: "CTD deploy deeper than 1000 m within 20 km of L6". Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from eventlog.answers.wanted import Wanted, seconds_of

UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def says(wanted: Wanted) -> str:
    """The filter in words, without a full stop: "CTD events deeper than 1000 m within 20 km of L6"."""
    struck = {"only": "struck ", "yes": ""}.get(wanted.struck, "")
    what = " ".join(part for part in (_either(wanted.instrument), _either(wanted.action)) if part)
    head = f"{struck}{what} events" if what else f"{struck}events"
    text = " ".join([head, *_conditions(wanted)])
    return text[:1].upper() + text[1:] if not what or struck else text


def _conditions(wanted: Wanted) -> Iterator[str]:
    if wanted.text:
        yield "with " + " and ".join(f"“{word}”" for word in wanted.words)
    for name, values in (("station", wanted.station), ("transect", wanted.transect), ("cast", wanted.cast)):
        if values:
            yield f"{'of' if name == 'cast' else 'at' if name == 'station' else 'on'} {name} {_either(values)}"
    if wanted.operation:
        yield "of one operation"
    if wanted.person:
        yield f"by {wanted.person}"
    yield from _depth(wanted.depth_min, wanted.depth_max)
    if wanted.near:
        yield f"within {wanted.radius_km:g} km of {wanted.near}"
    if wanted.box:
        yield "in " + _box(wanted.box)
    yield from _period(wanted)
    if wanted.position:
        yield {
            "any": "with a position",
            "none": "without a position",
            "typed": "with a typed position",
            "derived": "with a position from navigation",
        }.get(wanted.position, f"with a position from navigation, {wanted.position}")
    if wanted.struck == "yes":
        yield "and struck ones"


def _depth(low: float | None, high: float | None) -> Iterator[str]:
    if low is not None and high is not None:
        yield f"in {low:g} to {high:g} m of water"
    elif low is not None:
        yield f"deeper than {low:g} m"
    elif high is not None:
        yield f"shallower than {high:g} m"


def _period(wanted: Wanted) -> Iterator[str]:
    if wanted.last:
        yield f"in the last {_span(seconds_of(wanted.last))}"
    if wanted.after and wanted.before:
        yield f"from {_at(wanted.after)} to {_at(wanted.before)} UTC"
    elif wanted.after:
        yield f"since {_at(wanted.after)} UTC"
    elif wanted.before:
        yield f"before {_at(wanted.before)} UTC"


def _span(seconds: float) -> str:
    for name, size in UNITS:
        if seconds >= size and seconds % size == 0:
            count = seconds / size
            return name if count == 1 else f"{count:g} {name}s"
    return f"{seconds:g} seconds"


def _at(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.time() == dt.time() else f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _box(box: tuple[float, float, float, float]) -> str:
    west, south, east, north = box
    return f"{_side(south, 'N', 'S')} to {_side(north, 'N', 'S')}, {_side(west, 'E', 'W')} to {_side(east, 'E', 'W')}"


def _side(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}° {positive if value >= 0 else negative}"


def _either(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}" if values else ""
