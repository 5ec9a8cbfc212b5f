"""Tables of text whose header names time, latitude and longitude: CSV, and GeoCSV 2.0 with its lines behind "#"."""

from __future__ import annotations

import csv
import re
from typing import Final

import numpy as np

from inventory.coverage import moments
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.navigation.sentences import NEVER

VERSION = 2
ROWS: Final = 200_000
_TIMES: Final = {
    "time",
    "datetime",
    "date_time",
    "timestamp",
    "iso_time",
    "utc",
    "time_utc",
    "datetime_utc",
    "datetimeutc",
}
_SURE: Final = "datetime8601"  # before all the others, as in R2R's event logs
_LATITUDES: Final = {"latitude", "lat", "ship_latitude", "latitude_deg", "lat_deg"}
_LONGITUDES: Final = {"longitude", "lon", "long", "lng", "ship_longitude", "longitude_deg", "lon_deg"}


def takes(source: Source) -> bool:
    """A text whose first line without "#" names a time, or a latitude and a longitude."""
    return source.is_text and _header(source) is not None


def _header(source: Source) -> tuple[str, dict[str, int]] | None:
    """The delimiter and the number of each column that is used, or None."""
    for line in source.head.decode("utf-8", "replace").lstrip("\ufeff").split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        delimiter = max(",;\t", key=line.count)
        names = [_name(cell) for cell in _cells(line.rstrip("\r"), delimiter)]
        columns = {}
        for kind, known in (("time", _TIMES), ("latitude", _LATITUDES), ("longitude", _LONGITUDES)):
            found = [number for number, name in enumerate(names) if name in known]
            if found:
                columns[kind] = found[0]
        if _SURE in names:
            columns["time"] = names.index(_SURE)
        return (delimiter, columns) if "time" in columns or len(columns) == 2 else None
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line; a delimiter between quotes is none."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _name(cell: str) -> str:
    """A column's name without quotes and without its unit in brackets, blanks as underscores."""
    return re.sub(r"\s*[\[(].*", "", cell.strip(" \"'\r")).strip().lower().replace(" ", "_")


def read_table(source: Source) -> Reading:
    """Times and places of the rows. Raises Unreadable where no row has either.

    A time is ISO 8601 in UTC; a row of another form is left out and counted.
    """
    header = _header(source)
    if header is None:
        raise Unreadable("its header names no time")
    delimiter, columns = header
    widest = max(columns.values())
    rows: list[tuple[int, float, float]] = []
    bad, begun = 0, False
    for block in source.blocks():
        for line in block.decode("utf-8", "replace").split("\n"):
            if not line.strip() or line.startswith("#"):
                continue
            if not begun:
                begun = True
                continue
            cells = _cells(line, delimiter)
            row = _row(cells, columns) if len(cells) > widest else None
            if row is None:
                bad += 1
            else:
                rows.append(row)
        if len(rows) >= ROWS:
            rows = rows[::2] + rows[-1:]
    if not rows:
        raise Unreadable("no row of it has a time or a place that can be read")
    time, latitude, longitude = (np.array(column) for column in zip(*rows, strict=True))
    geocsv = source.head.replace(b" ", b"").startswith(b"#dataset:GeoCSV")
    return Reading(
        "GeoCSV" if geocsv else "CSV",
        moments.known(time.tolist()),
        time.astype(np.int64),
        longitude,
        latitude,
        remarks=(f"{bad:,} rows could not be read",) if bad else (),
    )


def _row(cells: list[str], columns: dict[str, int]) -> tuple[int, float, float] | None:
    time = moments.from_text(cells[columns["time"]]) if "time" in columns else int(NEVER)
    place = [_float(cells[columns[name]]) if name in columns else np.nan for name in ("latitude", "longitude")]
    if time == NEVER and not np.isfinite(place).all():
        return None
    return time, place[0], place[1]


def _float(text: str) -> float:
    try:
        return float(text.strip(' "\r'))
    except ValueError:
        return np.nan
