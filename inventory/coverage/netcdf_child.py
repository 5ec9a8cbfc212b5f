"""Reads times and places of one netCDF file. A program of its own: the C libraries below may crash on a bad file.

`python -I netcdf_child.py FD MEMORY SECONDS` reads the open file FD within so many bytes and seconds, and prints one
JSON object: {"error": …}, or the fields of `Told`. Sources: CF conventions 1.11, sections 4 and 9; UDUNITS; UHDAS,
"short" form of the CODAS netCDF files; SAMOS netCDF; ICES SONAR-netCDF4.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Final, TypedDict

SLICE: Final = 2**18  # values of a variable in memory at one time
WHOLE: Final = 2**22  # values up to which a variable is read from its first to its last
MOST: Final = 12_000  # places that are told
GROUPS, VARIABLES, DEPTH = 300, 3_000, 6  # what is looked at in a file
_UNITS: Final = {
    "day": 86_400_000.0, "d": 86_400_000.0, "hour": 3_600_000.0, "hr": 3_600_000.0, "h": 3_600_000.0,
    "minute": 60_000.0, "min": 60_000.0, "second": 1000.0, "sec": 1000.0, "s": 1000.0, "millisecond": 1.0,
    "msec": 1.0, "ms": 1.0, "microsecond": 1e-3, "nanosecond": 1e-6,
}  # fmt: skip
_SINCE = re.compile(
    r"\s*(\w+?)s?\s+since\s+(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})-(\d{1,2})-(\d{4}))"
    r"(?:[T ]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:\.\d*)?)?)?\s*(?:Z|UTC|GMT|[+-]?0{1,2}(?::?0{1,2})?)?\s*",
    re.I,
)
_CALENDARS: Final = ("", "standard", "gregorian", "proleptic_gregorian", "none")
_TIMES: Final = ("time", "juld", "time_utc", "datetime", "ping_time", "time1")
_AXES: Final = {
    "latitude": ("degrees?_?n(orth)?", "y", ("lat", "latitude", "ship_latitude", "platform_latitude", "nav_lat")),
    "longitude": ("degrees?_?e(ast)?", "x", ("lon", "longitude", "ship_longitude", "platform_longitude", "nav_lon")),
}  # fmt: skip


class Wrong(Exception):
    """What is wrong with the file, in words for people."""


class Told(TypedDict):
    """What is found: a name of the kind of file, first and last moment in ms since 1970, rows of time, east, north."""

    kind: str
    moments: list[int]
    rows: list[tuple[int | None, float, float]]
    instrument: str
    remarks: list[str]


def text_of(thing: Any, name: str) -> str:
    """An attribute as text; nothing where there is none."""
    try:
        return str(thing.getncattr(name)).strip()[:300] if name in thing.ncattrs() else ""
    except (AttributeError, UnicodeError, RuntimeError):
        return ""


def clock(variable: Any) -> tuple[float, float]:
    """The ms of one unit of a time variable, and the ms since 1970 of its zero. Raises Wrong."""
    units, calendar = text_of(variable, "units"), text_of(variable, "calendar").lower()
    if calendar not in _CALENDARS:
        raise Wrong(f"its times are in the calendar {calendar[:40]}, which is not the one of the sea")
    found = _SINCE.fullmatch(units)
    if not found:
        raise Wrong(
            f"its times are in {units[:60]!r}; they should be days, hours, minutes or seconds since a day in UTC"
        )
    unit, y, m, d, one, two, year, *day_time = found.groups()
    step = _UNITS.get(unit.lower())
    if step is None:
        raise Wrong(f"its times are in {unit[:20]}s, which have no fixed length")
    if year:  # a day and a month in an order that is told only where one of them is above 12, or both are the same
        y, m, d = (year, two, one) if int(one) > 12 else (year, one, two)
        if int(one) <= 12 and int(two) <= 12 and one != two:
            raise Wrong(f"its times are in {units[:60]!r}; day and month cannot be told apart")
    try:
        hour, minute, second = (int(part or 0) for part in day_time)
        zero = dt.datetime(int(y), int(m), int(d), hour, minute, second, tzinfo=dt.UTC)
    except ValueError:
        raise Wrong(f"its times are in {units[:60]!r}, and there is no such day") from None
    return step, (zero - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(milliseconds=1)


def variables(data: Any) -> list[Any]:
    """The numeric variables of a file and its groups; those of the root first."""
    found: list[Any] = []
    groups, level = [data], 0
    while groups and level < DEPTH:
        below = []
        for group in groups[:GROUPS]:
            found += [one for one in group.variables.values() if getattr(one.dtype, "kind", "") in "iuf"]
            below += list(group.groups.values())
        groups, level = below, level + 1
    return found[:VARIABLES]


def likeness(variable: Any, kind: str) -> int:
    """How sure it is that a variable is of this kind: time, latitude or longitude. 0: it is not."""
    name, units = variable.name.lower(), text_of(variable, "units")
    standard, axis = text_of(variable, "standard_name").lower(), text_of(variable, "axis").lower()
    if kind == "time":
        since = " since " in units.lower()
        signs = (standard == "time", since and name in _TIMES, since and axis == "t", since)
    else:
        unit, letter, names = _AXES[kind]
        degrees = bool(re.fullmatch(unit, units, re.I))
        signs = (standard == kind, degrees and name in names, degrees and axis == letter, degrees or name in names)
        if standard and standard != kind:
            return 0
    return next((4 - n for n, sign in enumerate(signs) if sign), 0)


def best(found: list[Any], kind: str, like: Any = None) -> Any:
    """The surest variable of a kind, of the same dimensions as `like`; None where there is none."""
    some = [one for one in found if like is None or (one.dimensions == like.dimensions and one.shape == like.shape)]
    sure = max(some, key=lambda one: likeness(one, kind), default=None)
    return sure if sure is not None and likeness(sure, kind) else None


def spans(length: int, width: int) -> Iterator[tuple[int, int]]:
    """Where to read along the first dimension: all of it, or places all over it. `width`: values in one row."""
    step = max(SLICE // width, 1)
    if length * width <= WHOLE:
        places = list(range(0, length, step))
    else:
        count = max(WHOLE // (step * width), 2)
        places = sorted({(length - step) * n // (count - 1) for n in range(count)})
    for place in places:
        yield place, min(place + step, length)


def values(variable: Any, begin: int, end: int) -> Any:
    """The values of a part of a variable as float64, shape (n,); NaN where there is none."""
    import numpy as np

    part = variable[begin:end] if variable.shape else variable[...]
    return np.ma.filled(np.ma.asarray(part).astype(np.float64), np.nan).ravel()


def read(path: str) -> Told:
    """What a file tells of time and place. Raises Wrong, and whatever the library raises."""
    import netCDF4

    with netCDF4.Dataset(path) as data:
        found = variables(data)
        remarks: list[str] = []
        time, latitude, longitude = chosen(found, remarks)
        if time is None and latitude is None:
            raise Wrong("no variable of it is a time since a day, or a latitude and a longitude")
        moments, rows = gathered(time, latitude, longitude, remarks)
        kind = text_of(data, "featureType")[:30]
        instrument = next((t for name in ("instrument", "sonar", "sonar_model") if (t := text_of(data, name))), "")
        name = "netCDF-4" if data.data_model.startswith("NETCDF4") else "netCDF-3"
        return Told(kind=f"{name} {kind}".strip(), moments=moments, rows=rows, instrument=instrument, remarks=remarks)


def chosen(found: list[Any], remarks: list[str]) -> tuple[Any, Any, Any]:
    """The variables of time, latitude and longitude: those that share their dimensions before the others."""
    latitudes = sorted((one for one in found if likeness(one, "latitude")), key=lambda one: -likeness(one, "latitude"))
    pairs = [(one, other) for one in latitudes if (other := best(found, "longitude", one)) is not None]
    timed = [(best(found, "time", one), one, other) for one, other in pairs]
    together = next((three for three in timed if three[0] is not None), None)
    if together:
        return together
    time = best(found, "time")
    if pairs:
        return time, *pairs[0]
    if latitudes and best(found, "longitude") is not None:
        single = latitudes[0].size == 1 and best(found, "longitude").size == 1
        if single:
            return time, latitudes[0], best(found, "longitude")
        remarks.append("its positions are those of a grid, not of a way")
    return time, None, None


def gathered(time: Any, latitude: Any, longitude: Any, remarks: list[str]) -> tuple[list[int], list[Any]]:
    """First and last moment, and the places, thinned out evenly to MOST."""
    import numpy as np

    step = zero = 0.0
    if time is not None:
        try:
            step, zero = clock(time)
        except Wrong as error:
            if latitude is None:
                raise
            remarks.append(str(error))
            time = None
    lead = latitude if latitude is not None else time
    together = time is not None and latitude is not None and time.dimensions == latitude.dimensions
    ends: list[float] = []
    rows: list[Any] = []
    for variable in [lead] if together or time is None else {id(one): one for one in (lead, time)}.values():
        length, width = _size(variable)
        if length * width > WHOLE:
            remarks.append(f"it has {length * width:,} times or places; a part of them all over it was read")
        parts = list(spans(length, width))
        for begin, end in parts:
            ms = zero + step * values(time, begin, end) if time is not None and (together or variable is time) else None
            if ms is not None:
                # Between the years 1800 and 2200; the rest is a fill value that the file does not tell of.
                ms[~(np.abs(ms) < 7.3e12)] = np.nan
                ends += [np.nanmin(ms), np.nanmax(ms)] if np.isfinite(ms).any() else []
            if variable is latitude:
                x, y = values(longitude, begin, end), values(latitude, begin, end)
                known = np.isfinite(x) & np.isfinite(y) & (np.abs(y) <= 90) & (np.abs(x) <= 720)
                when = ms if ms is not None else np.full(len(x), np.nan)
                some = np.column_stack((when, x, y))[known]
                rows.append(some[:: -(-len(some) * len(parts) // MOST) or 1])
    places = np.concatenate(rows) if rows else np.zeros((0, 3))
    told = [(None if np.isnan(t) else round(t), round(x, 7), round(y, 7)) for t, x, y in places.tolist()]
    if not ends and not told:
        raise Wrong("its times and places hold nothing but fill values")
    return [round(min(ends)), round(max(ends))] if ends else [], told


def _size(variable: Any) -> tuple[int, int]:
    """The length of a variable's first dimension, and the values in a row of it. Raises Wrong for too wide rows."""
    if not variable.shape:
        return 1, 1
    length, width = variable.shape[0], 1
    for n in variable.shape[1:]:
        width *= n
    if width > WHOLE:
        raise Wrong(f"its variable {variable.name[:40]} is too wide to be read")
    return length, max(width, 1)


def main() -> None:
    file, memory, seconds = (int(word) for word in sys.argv[1:])
    warnings.simplefilter("ignore")
    try:
        import netCDF4  # noqa: F401 - before the limits: the libraries map much that they never use

        # The file is opened once more as 4, and nothing beside it: HDF5 would follow a link to any other.
        os.dup2(file, 3)
        os.closerange(4, max(file, 4) + 1)
        resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        told: Any = read("/dev/fd/3")
    except Wrong as error:
        told = {"error": str(error)}
    except MemoryError:
        told = {"error": "it needs more memory than a file is given"}
    except Exception as error:
        told = {"error": f"the netCDF library cannot read it: {str(error)[:200]}"}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
