"""Tables in ERDDAP's shapes: .csv .csvp .csv0 .tsv .tsvp .tsv0 .json .geoJson, and its errors. Pure.

Times are ISO 8601 texts with the unit UTC; a missing number is NaN in a text table and null in JSON.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from eventlog.tabledap.question import Variable, Wrong

TYPES = {"time": "String", "number": "double", "text": "String"}
MEDIA = {
    "csv": "text/csv", "csvp": "text/csv", "csv0": "text/csv",
    "tsv": "text/tab-separated-values", "tsvp": "text/tab-separated-values", "tsv0": "text/tab-separated-values",
    "json": "application/json", "geoJson": "application/geo+json",
}  # fmt: skip
Rows = Iterable[Sequence[Any]]


def write(form: str, columns: Sequence[Variable], rows: Rows) -> Iterator[str]:
    """The table piece by piece. Times come as seconds since 1970, missing values as None. Raises Wrong."""
    writer: Callable[[Sequence[Variable], Rows], Iterator[str]]
    if form == "json":
        writer = _json
    elif form == "geoJson":
        writer = _geojson
        missing = {"longitude", "latitude"} - {column.name for column in columns}
        if missing:
            raise Wrong(f"For .geoJson the query must ask for longitude and latitude; {' and '.join(missing)} is not.")
    else:
        return _separated(form, columns, rows)
    return writer(columns, rows)


def error(code: int, words: str, detail: str) -> str:
    """An error as ERDDAP's server tells it, in the notation of OPeNDAP."""
    told = json.dumps(f"{words}: {detail}", ensure_ascii=False)
    return f"Error {{\n    code={code};\n    message={told};\n}}\n"


def iso(seconds: float | None) -> str | None:
    """2023-04-29T10:43:00Z, with thousandths where there are any."""
    if seconds is None:
        return None
    at = dt.datetime.fromtimestamp(round(seconds * 1000) / 1000, dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{round(at.microsecond / 1000):03d}Z" if at.microsecond else "Z")


def _value(column: Variable, value: Any) -> Any:
    return iso(value) if column.kind == "time" else value


def _separated(form: str, columns: Sequence[Variable], rows: Rows) -> Iterator[str]:
    tabs, heading = form.startswith("tsv"), form.removeprefix("csv").removeprefix("tsv")
    line = _tabbed if tabs else _quoted
    units = [_units(column) for column in columns]
    if heading == "p":
        yield line([f"{c.name} ({u})" if u else c.name for c, u in zip(columns, units, strict=True)])
    elif heading == "":
        yield line([column.name for column in columns]) + line(units)
    for row in rows:
        yield line([_cell(column, value) for column, value in zip(columns, row, strict=True)])


def _units(column: Variable) -> str:
    return "UTC" if column.kind == "time" else column.units


def _cell(column: Variable, value: Any) -> str:
    if value is None:
        return "NaN" if column.kind == "number" else ""
    shown = _value(column, value)
    return repr(shown) if isinstance(shown, float) else str(shown)


def _quoted(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _tabbed(cells: list[str]) -> str:
    plain = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})
    return "\t".join(cell.translate(plain) for cell in cells) + "\n"


def _json(columns: Sequence[Variable], rows: Rows) -> Iterator[str]:
    head = {
        "columnNames": [column.name for column in columns],
        "columnTypes": [TYPES[column.kind] for column in columns],
        "columnUnits": [_units(column) or None for column in columns],
    }
    inside = ",\n    ".join(f'"{name}": {json.dumps(value)}' for name, value in head.items())
    yield f'{{\n  "table": {{\n    {inside},\n    "rows": [\n'
    before = ""
    for row in rows:
        values = [_value(column, value) for column, value in zip(columns, row, strict=True)]
        yield f"{before}      {json.dumps(values, ensure_ascii=False)}"
        before = ",\n"
    yield "\n    ]\n  }\n}\n"


def _geojson(columns: Sequence[Variable], rows: Rows) -> Iterator[str]:
    names = [column.name for column in columns]
    east, north = names.index("longitude"), names.index("latitude")
    others = [index for index in range(len(names)) if index not in (east, north)]
    box: list[float] = []
    if others:
        told = json.dumps([names[i] for i in others]), json.dumps([_units(columns[i]) or None for i in others])
        yield f'{{\n  "type": "FeatureCollection",\n  "propertyNames": {told[0]},\n  "propertyUnits": {told[1]},\n'
        yield '  "features": [\n'
    else:
        yield '{\n  "type": "MultiPoint",\n  "coordinates": [\n'
    before = ""
    for row in rows:
        place = [row[east], row[north]]
        if None in place:
            continue  # a point has both halves
        box = (
            [min(box[0], place[0]), min(box[1], place[1]), max(box[2], place[0]), max(box[3], place[1])]
            if box
            else place * 2
        )
        if others:
            properties = {names[i]: _value(columns[i], row[i]) for i in others}
            point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": place}, "properties": properties}
            yield f"{before}{json.dumps(point, ensure_ascii=False)}"
        else:
            yield before + json.dumps(place)
        before = ",\n"
    yield "\n  ]" + (f',\n  "bbox": {json.dumps(box)}' if box else "") + "\n}\n"
