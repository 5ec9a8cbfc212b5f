"""Strict CSV (RFC 4180, UTF-8, CRLF, units in the header) and its CSVW metadata, which the check reads.

CSVW: W3C Metadata Vocabulary for Tabular Data, https://www.w3.org/TR/tabular-metadata/. Cells are exact: one that
begins with = + - or @ stays so, although a spreadsheet may take it for a formula.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TextIO

from .checking import Faults, Report, in_range, is_time, repeated
from .columns import Column, of_events, of_measurements
from .shape import Facts, Row, Source
from .wording import moment, open_text, pack

LONGEST_CELL = 1_000_000  # of the csv module when reading: comments and extra fields are far below
_BASE = {"json": {"base": "json"}, "string": "string", "dateTimeStamp": "dateTimeStamp"}


def write_rows(file: TextIO, columns: Sequence[Column], rows: Iterable[Any]) -> int:
    """Header and rows; returns how many rows."""
    writer = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([column.title for column in columns])
    cells = [column.cell for column in columns]
    count = 0
    for row in rows:
        writer.writerow([cell(row) for cell in cells])
        count += 1
    return count


def write(path: Path, source: Source) -> None:
    """The events of the log as strict CSV."""
    with open_text(path) as file:
        write_rows(file, of_events(source.extras()), source.rows())


def table(name: str, columns: Sequence[Column], key: str | None, **more: Any) -> dict[str, Any]:
    """The description of one table in CSVW."""
    schema: dict[str, Any] = {"columns": [_described(column) for column in columns]}
    if key:
        schema |= {"primaryKey": key, "rowTitles": [key]}
    return {
        "url": name,
        "dialect": {
            "encoding": "utf-8",
            "delimiter": ",",
            "quoteChar": '"',
            "doubleQuote": True,
            "lineTerminators": "\r\n",
            "header": True,
            "headerRowCount": 1,
            "trim": False,
        },
        "tableSchema": schema | more,
    }


def _described(column: Column) -> dict[str, Any]:
    datatype: Any = _BASE.get(column.type, column.type)
    bounds = {"minimum": column.least, "maximum": column.most}
    if any(bound is not None for bound in bounds.values()):
        datatype = {"base": column.type} | {name: bound for name, bound in bounds.items() if bound is not None}
    said = {"name": _plain_name(column.name), "titles": column.title, "datatype": datatype}
    said |= {"required": True} if column.required else {}
    return said | {"dc:description": column.meaning} | ({"schema:unitText": column.unit} if column.unit else {})


def _plain_name(name: str) -> str:
    """A name as CSVW takes it: a URI template variable, other characters percent-encoded, never beginning with _."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c == "_") else "".join(f"%{b:02X}" for b in _bytes(c)) for c in name
    )


def _bytes(character: str) -> bytes:
    return character.encode("utf-8", "backslashreplace")


def metadata(facts: Facts, tables: Sequence[dict[str, Any]]) -> bytes:
    """The CSVW document of a table, or of a group of tables."""
    about = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": f"Event log of cruise {facts.cruise_id}: {facts.title}",
        "dc:description": f"{facts.selection}; vessel {facts.vessel} ({facts.vessel_id})",
        "dc:identifier": facts.cruise_id,
        "dc:publisher": facts.repository,
        "dc:modified": {"@value": moment(facts.as_of), "@type": "xsd:dateTime"},
    }
    body = about | (tables[0] if len(tables) == 1 else {"tables": list(tables)})
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def events_name(facts: Facts) -> str:
    """The file name of the table of events."""
    return f"{facts.cruise_id}_events.csv"


def write_metadata(path: Path, source: Source) -> None:
    """The CSVW metadata of the strict CSV, which lies beside it under the name of the CSV with -metadata.json."""
    described = table(events_name(source.facts), of_events(source.extras()), "uuid")
    path.write_bytes(metadata(source.facts, [described]))


def write_packed(path: Path, source: Source) -> None:
    """Events, measurements and their CSVW metadata in one ZIP."""
    uuids: dict[int, str] = {}

    def noted() -> Iterable[Row]:
        for row in source.rows():
            uuids[row.key] = row.uuid
            yield row

    facts, columns = source.facts, of_events(source.extras())
    beside = of_measurements(lambda key: uuids[key])
    measured = f"{facts.cruise_id}_measurements.csv"
    name = events_name(facts)
    with TemporaryDirectory() as folder:
        events, values = Path(folder) / "events", Path(folder) / "measurements"
        with open_text(events) as file:
            write_rows(file, columns, noted())
        with open_text(values) as file:
            write_rows(file, beside, (one for one in source.measurements() if one.key in uuids))
        refers = {"columnReference": "event", "reference": {"resource": name, "columnReference": "uuid"}}
        tables = [table(name, columns, "uuid"), table(measured, beside, None, foreignKeys=[refers])]
        described = metadata(facts, tables)
        pack(path, {name: events, measured: values, f"{facts.cruise_id}-metadata.json": described})


# --- checks ---------------------------------------------------------------------------------------------------------


def check(path: Path, source: Source) -> Report:
    """Reads the CSV again and holds it against its own CSVW metadata and the count of the log."""
    report = Report("csv")
    described = json.loads(
        metadata(source.facts, [table(events_name(source.facts), of_events(source.extras()), "uuid")])
    )
    with path.open("rb") as file:
        placed = check_table(report, file, described, source.count, "events")
    _tell_places(report, placed, source.count)
    return report


def check_metadata(path: Path, source: Source) -> Report:
    """Reads the metadata again and holds it against the vocabulary."""
    report = Report("csvw")
    document = json.loads(path.read_bytes())
    check_document(report, document)
    return report


def check_packed(path: Path, source: Source) -> Report:
    """Opens the archive, reads the metadata in it, and holds every table against that."""
    report = Report("csvw-zip")
    with zipfile.ZipFile(path) as archive:
        report.rule("every member of the archive is whole", archive.testzip() is None)
        name = f"{source.facts.cruise_id}-metadata.json"
        if not report.rule("the metadata is in the archive", name in archive.namelist()):
            return report
        document = json.loads(archive.read(name))
        check_document(report, document)
        counts = {events_name(source.facts): source.count}
        placed = 0
        for described in document["tables"]:
            url = described["url"]
            if not report.rule(f"{url} is in the archive", url in archive.namelist()):
                continue
            with archive.open(url) as file:
                placed += check_table(report, file, described, counts.get(url), url)
        _tell_places(report, placed, source.count)
    return report


def check_document(report: Report, document: dict[str, Any]) -> None:
    """The rules of the vocabulary that a reader depends on."""
    context = document.get("@context")
    report.rule(
        "the context is that of CSVW",
        isinstance(context, list) and context[:1] == ["http://www.w3.org/ns/csvw"],
    )
    tables = document.get("tables", [document])
    for described in tables:
        columns = described["tableSchema"]["columns"]
        names = [column["name"] for column in columns]
        report.rule(f"{described['url']}: names of columns differ", len(set(names)) == len(names), len(names))
        key = described["tableSchema"].get("primaryKey")
        report.rule(f"{described['url']}: the primary key is a column", key is None or key in names, key or "none")
        whole = all({"name", "titles", "datatype", "dc:description"} <= column.keys() for column in columns)
        report.rule(f"{described['url']}: each column has title, type and meaning", whole)


def check_table(report: Report, file: BinaryIO | Any, described: dict[str, Any], wanted: int | None, what: str) -> int:
    """Every cell of a table against its description; returns how many rows have a latitude."""
    columns = described["tableSchema"]["columns"]
    key = described["tableSchema"].get("primaryKey")
    names = [column["name"] for column in columns]
    tests = [_test(column) for column in columns]
    faults, keys, count, placed = Faults(), Counter[str](), 0, 0
    at = names.index("latitude") if "latitude" in names else None
    key_at = names.index(key) if key else None
    csv.field_size_limit(LONGEST_CELL)
    lines = _strict(file)
    try:
        reader = csv.reader(lines, strict=True)
        header = next(reader, [])
        report.rule(f"{what}: the header is that of the metadata", header == [c["titles"] for c in columns])
        for count, row in enumerate(reader, start=1):
            if len(row) != len(names):
                faults.add(f"row {count}", f"{len(row)} values under {len(names)} headers")
                continue
            for cell, test, name in zip(row, tests, names, strict=True):
                if test and (fault := test(cell)):
                    faults.add(f"row {count}, {name}", fault)
            if key_at is not None:
                keys[row[key_at]] += 1
            placed += at is not None and row[at] != ""
        report.rule(f"{what}: UTF-8, and every row is RFC 4180", True)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        report.rule(f"{what}: UTF-8, and every row is RFC 4180", False, error)
    report.faults(f"{what}: every cell is of its type and within its bounds", faults)
    if key:
        report.faults(f"{what}: {key} comes once", repeated(keys))
    if wanted is not None:
        report.count(what, count, wanted)
    return placed


def _strict(file: Any) -> Iterable[str]:
    """Lines as they are; raises ValueError for a row that does not end in CRLF."""
    last = ""
    with TextIOWrapper(file, encoding="utf-8", newline="") as text:
        for line in text:
            yield line
            last = line
    if not last.endswith("\r\n"):
        raise ValueError("the last row does not end in CRLF")


def _test(column: dict[str, Any]) -> Any:
    """What finds a fault in a cell of this column, or None where every text is right."""
    datatype, required = column["datatype"], column.get("required", False)
    base = datatype["base"] if isinstance(datatype, dict) else datatype
    least = datatype.get("minimum") if isinstance(datatype, dict) else None
    most = datatype.get("maximum") if isinstance(datatype, dict) else None

    def fault(cell: str) -> str:
        if not cell:
            return "is empty" if required else ""
        if base == "dateTimeStamp" and not is_time(cell):
            return f"{cell[:40]!r} is no time"
        if base == "json":
            return "" if _is_object(cell) else "is no JSON object"
        if base in ("double", "integer"):
            if not in_range(cell, 1e300) or (base == "integer" and not cell.isdigit()):
                return f"{cell[:40]!r} is no {base}"
            value = float(cell)
            if (least is not None and value < least) or (most is not None and value > most):
                return f"{cell[:40]} is out of bounds"
        return ""

    return None if base == "string" and not required else fault


def _is_object(cell: str) -> bool:
    try:
        return isinstance(json.loads(cell), dict)
    except ValueError:
        return False


def _tell_places(report: Report, placed: int, count: int) -> None:
    if count - placed:
        report.notes.append(f"{count - placed:,} of {count:,} events have no position")
