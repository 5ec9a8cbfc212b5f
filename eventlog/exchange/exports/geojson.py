"""Events as GeoJSON (RFC 7946): a point each, null where the place is not known; the box may cross 180 degrees."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from .checking import Faults, Report, is_time, repeated
from .shape import Row, Source
from .wording import moment, open_text


def box(places: Iterable[tuple[float, float]]) -> tuple[float, float, float, float] | None:
    """(west, south, east, north) of (latitude, longitude) pairs; west > east where the box crosses 180 degrees.

    Of all boxes the narrowest (RFC 7946, 5.2): it begins east of the widest empty stretch. None without a place.
    """
    pairs = list(places)
    if not pairs:
        return None
    latitudes = [latitude for latitude, _ in pairs]
    longitudes = sorted({longitude for _, longitude in pairs})
    west, east = longitudes[0], longitudes[-1]
    widest = 360 - (east - west)
    for left, right in pairwise(longitudes):
        if right - left > widest:
            widest, west, east = right - left, right, left
    return west, min(latitudes), east, max(latitudes)


def write(path: Path, source: Source) -> None:
    """A feature collection, one feature a line."""
    facts = source.facts
    extent = box(place for row in source.rows() if (place := row.place))
    about = {
        "cruise_id": facts.cruise_id,
        "vessel": facts.vessel,
        "vessel_id": facts.vessel_id,
        "selection": facts.selection,
        "as_of": moment(facts.as_of),
    }
    with open_text(path) as file:
        file.write(
            f'{{"type":"FeatureCollection","name":{_json(f"Event log of {facts.cruise_id}")},"about":{_json(about)}'
        )
        if extent:
            file.write(f',"bbox":{_json(list(extent))}')
        file.write(',"features":[')
        parted = "\n"
        for row in source.rows():
            file.write(parted + _json(feature(row)))
            parted = ",\n"
        file.write("\n]}\n")


def feature(row: Row) -> dict[str, Any]:
    """The event as a feature; its id is the event's."""
    place = row.place
    return {
        "type": "Feature",
        "id": row.uuid,
        "geometry": {"type": "Point", "coordinates": [place[1], place[0]]} if place else None,
        "properties": {
            "number": row.number,
            "observed_at": moment(row.observed_at),
            "ended_at": moment(row.ended_at) or None,
            "instrument": row.instrument,
            "action": row.action,
            "transect": row.transect,
            "station": row.station,
            "cast": row.cast,
            "operation": row.operation or None,
            "operation_kind": row.operation_kind,
            "seafloor_depth_m": row.seafloor_m,
            "position_source": row.position_source,
            "position_method": row.nav_method,
            "position_feed": row.nav_feed,
            "position_gap_s": row.nav_gap_s,
            "position_uncertainty_m": None if row.is_entered else row.nav_uncertainty_m,
            "author": row.author,
            "comment": row.comment,
            "extra": dict(sorted(row.extra.items())),
            "revision": row.revision,
        },
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def check(path: Path, source: Source) -> Report:
    """Reads the collection again, line by line, and looks at every feature."""
    report = Report("geojson")
    faults, ids, count, empty = Faults(), Counter[str](), 0, 0
    with path.open(encoding="utf-8") as file:
        head = json.loads(next(file) + "]}")
        report.rule("it is a feature collection", head.get("type") == "FeatureCollection")
        tail = ""
        for line in file:
            if line == "]}\n":
                tail = line
                break
            count += 1
            one = json.loads(line.rstrip("\n").rstrip(","))
            ids[one["id"]] += 1
            empty += one["geometry"] is None
            if fault := _fault(one):
                faults.add(f"feature {count}", fault)
        report.rule("it is closed, and nothing follows", tail == "]}\n" and not file.read())
    report.faults("every feature is a point on the globe, or none, with a time", faults)
    report.faults("every id comes once", repeated(ids))
    report.count("events", count, source.count)
    extent = head.get("bbox")
    report.rule("there is a box where there is a place", (extent is None) == (empty == count), extent or "none")
    if empty:
        report.notes.append(f"{empty:,} of {count:,} events have no position; their geometry is null")
    if extent and extent[0] > extent[2]:
        report.notes.append("The box crosses 180 degrees: its west is greater than its east")
    return report


def _fault(feature: dict[str, Any]) -> str:
    if feature.get("type") != "Feature" or not {"id", "geometry", "properties"} <= feature.keys():
        return "is no feature"
    if not is_time(feature["properties"]["observed_at"]):
        return "has no time"
    geometry = feature["geometry"]
    if geometry is None:
        return ""
    longitude, latitude = geometry["coordinates"]
    return "" if abs(longitude) <= 180 and abs(latitude) <= 90 else f"lies at {longitude}, {latitude}"
