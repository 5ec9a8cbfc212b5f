"""The log as a Darwin Core Archive with an Event core: cruise, operations and events, and what was measured.

Terms: TDWG Darwin Core, https://dwc.tdwg.org/terms/; archive: https://dwc.tdwg.org/text/; measurements: the
extended measurement or fact of OBIS. Rows are lines of tab-separated UTF-8 without quotes, which GBIF's readers ask
for; so a line break or tab within a comment becomes one blank here.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from lxml import etree

from . import eml
from .checking import Faults, Report, in_range, is_time, repeated
from .geopackage import split
from .shape import Facts, Operation, Row, Source
from .wording import exact, extras, moment, one_line, open_text, pack

DWC = "http://rs.tdwg.org/dwc/terms/"
DCTERMS = "http://purl.org/dc/terms/"
DC = "http://purl.org/dc/elements/1.1/"
OBIS = "http://rs.iobis.org/obis/terms/"
ARCHIVE = "http://rs.tdwg.org/dwc/text/"
DATUM = "EPSG:4326"
# Names under which templates ask how deep the instrument was: metres below the surface.
DEPTHS = ("depth_m", "depth", "max_depth_m", "wire_depth_m")
EVENT = (
    *(f"{DWC}{name}" for name in ("eventID", "parentEventID", "eventType", "fieldNumber", "eventDate")),
    *(f"{DC}type", f"{DCTERMS}modified", f"{DWC}institutionCode", f"{DWC}datasetName"),
    *(f"{DWC}{name}" for name in ("samplingProtocol", "locationID", "locality", "decimalLatitude", "decimalLongitude")),
    *(f"{DWC}{name}" for name in ("geodeticDatum", "coordinateUncertaintyInMeters", "georeferenceSources")),
    *(f"{DWC}{name}" for name in ("georeferenceRemarks", "footprintWKT", "footprintSRS")),
    *(f"{DWC}{name}" for name in ("minimumDepthInMeters", "maximumDepthInMeters", "eventRemarks", "dynamicProperties")),
)
FACT = (
    f"{DWC}eventID",
    f"{DWC}measurementID",
    f"{DWC}measurementType",
    f"{OBIS}measurementTypeID",
    f"{DWC}measurementValue",
    f"{DWC}measurementUnit",
    f"{OBIS}measurementUnitID",
    f"{DWC}measurementMethod",
)
FACT_ROW = f"{OBIS}ExtendedMeasurementOrFact"
# NERC vocabulary server: P01 sea-floor depth below the sea surface, P06 metres.
SEAFLOOR = "http://vocab.nerc.ac.uk/collection/P01/current/MBANZZZZ/"
METRES = "http://vocab.nerc.ac.uk/collection/P06/current/ULAA/"


def cruise_event(facts: Facts) -> str:
    """The id of the event that is the whole cruise."""
    return f"urn:uuid:{facts.uuid}"


def interval(start: datetime | None, end: datetime | None) -> str:
    """ISO 8601 for eventDate: a moment, or an interval from start to end."""
    return f"{moment(start)}/{moment(end)}" if start and end and end != start else moment(start or end)


def write(path: Path, source: Source) -> None:
    """The archive: meta.xml, eml.xml, event.txt, extendedmeasurementorfact.txt."""
    facts = source.facts
    ways: dict[str, list[tuple[float, float]]] = {}
    keys: dict[int, str] = {}
    with TemporaryDirectory() as folder:
        events, measured = Path(folder) / "event.txt", Path(folder) / "extendedmeasurementorfact.txt"
        with open_text(events) as file, open_text(measured) as facts_file:
            facts_file.write(_line(_local(term) for term in FACT))
            file.write(_line(_local(term) for term in EVENT))
            operations = {one.uuid: one for one in source.operations()}
            extent: dict[str, tuple[datetime, datetime]] = {}
            for row in source.rows():
                keys[row.key] = row.uuid
                _follow(row, ways, extent)
                file.write(_line(_event(facts, row, operations.get(row.operation))))
                if row.seafloor_m is not None:
                    said = ("sea-floor depth", SEAFLOOR, exact(row.seafloor_m), "m", METRES, row.position_source)
                    facts_file.write(_line((f"urn:uuid:{row.uuid}", f"urn:uuid:{row.uuid}#seafloor", *said)))
            for one in operations.values():
                file.write(_line(_operation(facts, one, ways.get(one.uuid, []), extent.get(one.uuid))))
            file.write(_line(_cruise(facts)))
            numbers: Counter[int] = Counter()
            for value in source.measurements():
                if value.key in keys:
                    numbers[value.key] += 1
                    uuid = f"urn:uuid:{keys[value.key]}"
                    said = (value.name or "measurement", "", value.value, value.unit, "", value.source)
                    facts_file.write(_line((uuid, f"{uuid}#{numbers[value.key]}", *said)))
        members = {"meta.xml": _meta(), "eml.xml": eml.document(facts, ways.get("", []))}
        pack(path, {**members, "event.txt": events, "extendedmeasurementorfact.txt": measured})


def _follow(row: Row, ways: dict[str, list[tuple[float, float]]], extent: dict[str, tuple[datetime, datetime]]) -> None:
    for key in {"", row.operation}:
        if row.place:
            ways.setdefault(key, []).append(row.place)
        first, last = extent.get(key, (row.observed_at, row.observed_at))
        extent[key] = first, max(last, row.ended_at or row.observed_at)


def _line(cells: Iterable[str]) -> str:
    return "\t".join(one_line(cell) for cell in cells) + "\n"


def _local(term: str) -> str:
    return term.replace("#", "/").rpartition("/")[2]


def _event(facts: Facts, row: Row, operation: Operation | None) -> Sequence[str]:
    place, depth = row.place, _depth(row)
    uncertainty = row.nav_uncertainty_m if row.position_source == "derived" else None
    said = {
        "eventID": f"urn:uuid:{row.uuid}",
        "parentEventID": f"urn:uuid:{operation.uuid}" if operation else cruise_event(facts),
        "eventType": row.action or "event",
        "fieldNumber": row.number,
        "eventDate": interval(row.observed_at, row.ended_at),
        "samplingProtocol": row.instrument,
        "locationID": row.station,
        "locality": " | ".join(
            part for part in (_named("station", row.station), _named("transect", row.transect)) if part
        ),
        "decimalLatitude": exact(place[0]) if place else "",
        "decimalLongitude": exact(place[1]) if place else "",
        "geodeticDatum": DATUM if place else "",
        # Zero is no uncertainty that the term allows.
        "coordinateUncertaintyInMeters": exact(uncertainty) if uncertainty else "",
        "georeferenceSources": row.nav_feed if row.position_source == "derived" else "",
        "georeferenceRemarks": _georeferenced(row),
        "minimumDepthInMeters": exact(depth),
        "maximumDepthInMeters": exact(depth),
        "eventRemarks": row.comment,
        "dynamicProperties": extras(row.extra),
    }
    return _cells(facts, said)


def _georeferenced(row: Row) -> str:
    if row.position_source == "derived":
        gap = f", {row.nav_gap_s:g} s between fixes" if row.nav_gap_s is not None else ""
        return f"derived from navigation: {row.nav_method}{gap}"
    return "as entered in the event log" if row.position_source else ""


def _named(kind: str, name: str) -> str:
    return f"{kind} {name}" if name else ""


def _depth(row: Row) -> float | None:
    for name in DEPTHS:
        value = row.extra.get(name)
        if isinstance(value, bool):
            continue
        with suppress(TypeError, ValueError):
            depth = float(value)  # type: ignore[arg-type]  # what is no number is left out
            if 0 <= depth < 12_000:
                return depth
    return None


def _operation(
    facts: Facts, one: Operation, way: list[tuple[float, float]], extent: tuple[datetime, datetime] | None
) -> Sequence[str]:
    start, end = (one.started_at or (extent[0] if extent else None)), one.ended_at
    footprint = _wkt(way)
    said = {
        "eventID": f"urn:uuid:{one.uuid}",
        "parentEventID": cruise_event(facts),
        "eventType": one.kind or "operation",
        "fieldNumber": f"{one.instrument} {one.cast}".strip(),
        "eventDate": interval(start, end),
        "samplingProtocol": one.instrument,
        "locationID": one.station,
        "locality": _named("station", one.station),
        "decimalLatitude": exact(way[0][0]) if way else "",
        "decimalLongitude": exact(way[0][1]) if way else "",
        "geodeticDatum": DATUM if way else "",
        "georeferenceRemarks": "where it began" if way else "",
        "footprintWKT": footprint,
        "footprintSRS": DATUM if footprint else "",
        "eventRemarks": one.comment,
    }
    return _cells(facts, said)


def _wkt(way: list[tuple[float, float]]) -> str:
    if len(set(way)) < 2:
        return ""
    parts = ["(" + ", ".join(f"{exact(x)} {exact(y)}" for y, x in part) + ")" for part in split(way)]
    return f"LINESTRING {parts[0]}" if len(parts) == 1 else f"MULTILINESTRING ({', '.join(parts)})"


def _cruise(facts: Facts) -> Sequence[str]:
    said = {
        "eventID": cruise_event(facts),
        "eventType": "Expedition",
        "fieldNumber": facts.cruise_id,
        "eventDate": f"{facts.depart_date.isoformat()}/{facts.arrive_date.isoformat()}",
        "eventRemarks": facts.title,
    }
    return _cells(facts, said)


def _cells(facts: Facts, said: dict[str, str]) -> Sequence[str]:
    every = {
        "type": "Event",
        "modified": moment(facts.as_of),
        "institutionCode": facts.operator,
        "datasetName": f"Event log of cruise {facts.cruise_id}",
    }
    values = every | said
    return [values.get(_local(term), "") for term in EVENT]


def _meta() -> bytes:
    root = etree.Element(f"{{{ARCHIVE}}}archive", {"metadata": "eml.xml"}, nsmap={None: ARCHIVE})  # type: ignore[dict-item]
    tables: tuple[tuple[str, str, str, str, Sequence[str]], ...] = (
        ("core", "id", "event.txt", f"{DWC}Event", EVENT),
        ("extension", "coreid", "extendedmeasurementorfact.txt", FACT_ROW, FACT),
    )
    for name, key, file, kind, terms in tables:
        said = {
            "encoding": "UTF-8",
            "fieldsTerminatedBy": "\\t",
            "linesTerminatedBy": "\\n",
            "fieldsEnclosedBy": "",
            "ignoreHeaderLines": "1",
            "rowType": kind,
        }
        node = etree.SubElement(root, f"{{{ARCHIVE}}}{name}", said)
        files = etree.SubElement(node, f"{{{ARCHIVE}}}files")
        etree.SubElement(files, f"{{{ARCHIVE}}}location").text = file
        etree.SubElement(node, f"{{{ARCHIVE}}}{key}", {"index": "0"})
        for index, term in enumerate(terms):
            etree.SubElement(node, f"{{{ARCHIVE}}}field", {"index": str(index), "term": term})
    return bytes(etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8"))


# --- check ----------------------------------------------------------------------------------------------------------


def check(path: Path, source: Source) -> Report:
    """Opens the archive again, reads it as its meta.xml says, and looks at every row."""
    report = Report("dwc")
    with zipfile.ZipFile(path) as archive:
        report.rule("every member of the archive is whole", archive.testzip() is None)
        meta = etree.fromstring(archive.read("meta.xml"))
        eml.check(report, archive.read(meta.get("metadata") or ""))
        core = _read(archive, meta, "core")
        faults, ids, kinds = Faults(), Counter[str](), Counter[str]()
        parents: set[str] = set()
        for line, row in core(faults):
            ids[row["eventID"]] += 1
            kinds["event"] += row["eventType"] != "Expedition"
            parents |= {row["parentEventID"]} - {""}
            if fault := _fault(row):
                faults.add(f"event.txt line {line}", fault)
        report.faults("every row has the terms of meta.xml, a date, and a position on the globe or none", faults)
        report.faults("every eventID comes once", repeated(ids))
        report.rule("every parentEventID is an event of the archive", parents <= ids.keys())
        report.count("events and operations", kinds["event"], source.count + len(source.operations()))
        faults, measured = Faults(), Counter[str]()
        for line, row in _read(archive, meta, "extension")(faults):
            measured[row["measurementID"]] += 1
            if row["eventID"] not in ids or not row["measurementType"]:
                faults.add(f"extendedmeasurementorfact.txt line {line}", "names no event or no type")
        report.faults("every measurement belongs to an event", faults)
        report.faults("every measurementID comes once", repeated(measured))
    placed = sum(row.place is not None for row in source.rows())
    if placed < source.count:
        report.notes.append(f"{source.count - placed:,} of {source.count:,} events have no position")
    report.notes.append("Line breaks and tabs in comments are blanks here; the strict CSV has them as typed")
    return report


def _read(
    archive: zipfile.ZipFile, meta: etree._Element, kind: str
) -> Callable[[Faults], Iterable[tuple[int, dict[str, str]]]]:
    node = meta.find(f"{{{ARCHIVE}}}{kind}")
    assert node is not None
    location = node.findtext(f"{{{ARCHIVE}}}files/{{{ARCHIVE}}}location") or ""
    names = [_local(one.get("term") or "") for one in node.iterfind(f"{{{ARCHIVE}}}field")]

    def rows(faults: Faults) -> Iterable[tuple[int, dict[str, str]]]:
        with archive.open(location) as file:
            for line, text in enumerate(file, start=1):
                cells = text.decode("utf-8").rstrip("\n").split("\t")
                if line == 1:
                    if cells != names:
                        faults.add(location, "its header is not that of meta.xml")
                elif len(cells) != len(names):
                    faults.add(f"{location} line {line}", f"{len(cells)} values for {len(names)} terms")
                else:
                    yield line, dict(zip(names, cells, strict=True))

    return rows


def _fault(row: dict[str, str]) -> str:
    dates = row["eventDate"].split("/")
    if row["eventType"] != "Expedition" and not all(is_time(date) for date in dates if date):
        return f"eventDate {row['eventDate'][:60]!r} is no moment and no interval"
    if not row["eventDate"] and row["parentEventID"] == "":
        return "has no eventDate"
    if (row["decimalLatitude"] == "") != (row["decimalLongitude"] == ""):
        return "has half a position"
    if row["decimalLatitude"]:
        if not in_range(row["decimalLatitude"], 90) or not in_range(row["decimalLongitude"], 180):
            return "lies off the globe"
        if row["geodeticDatum"] != DATUM:
            return "has a position without its datum"
    uncertainty = row["coordinateUncertaintyInMeters"]
    return "has an uncertainty that is not greater than 0" if uncertainty and not float(uncertainty) > 0 else ""
