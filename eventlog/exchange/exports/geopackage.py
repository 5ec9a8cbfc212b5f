"""The log as an OGC GeoPackage: events and stations as points, operations as the lines between their events.

OGC 12-128r18, GeoPackage Encoding Standard 1.3.1: tables of clause 1.1 and 2.1, geometry blobs of 2.1.3.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from .checking import Faults, Report
from .geojson import box
from .shape import Facts, Operation, Row, Source
from .wording import extras, sound

APPLICATION_ID = 0x47504B47  # "GPKG"
USER_VERSION = 10301
WGS84 = 4326
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
_SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE events (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT, uuid TEXT NOT NULL UNIQUE,
  number TEXT NOT NULL, observed_at DATETIME NOT NULL, ended_at DATETIME, logged_at DATETIME, instrument TEXT,
  action TEXT, transect TEXT, station TEXT, "cast" TEXT, operation TEXT, operation_kind TEXT, seafloor_depth_m DOUBLE,
  position_source TEXT, entered_latitude DOUBLE, entered_longitude DOUBLE, derived_latitude DOUBLE,
  derived_longitude DOUBLE, derived_method TEXT, derived_feed TEXT, derived_gap_s DOUBLE,
  derived_uncertainty_m DOUBLE, course_degree DOUBLE, speed_mps DOUBLE, author TEXT, device TEXT, comment TEXT,
  extra TEXT, source TEXT, revision INTEGER NOT NULL);
CREATE TABLE operations (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom GEOMETRY, uuid TEXT NOT NULL UNIQUE,
  kind TEXT, instrument TEXT, "cast" TEXT, station TEXT, state TEXT, started_at DATETIME, ended_at DATETIME,
  events INTEGER NOT NULL, comment TEXT);
CREATE TABLE stations (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom GEOMETRY, uuid TEXT NOT NULL UNIQUE,
  kind TEXT, name TEXT NOT NULL, aliases TEXT, depth_m DOUBLE, is_planned BOOLEAN NOT NULL, comment TEXT);
CREATE TABLE measurements (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, event TEXT NOT NULL, source TEXT,
  name TEXT, value TEXT, unit TEXT);
CREATE INDEX measurements_of_event ON measurements (event);
"""
_TABLES = ("gpkg_spatial_ref_sys", "gpkg_contents", "gpkg_geometry_columns")
LAYERS = {
    "events": ("features", "POINT", "Events of the log, where they happened"),
    "operations": ("features", "GEOMETRY", "Operations: lines from event to event, or a point"),
    "stations": ("features", "GEOMETRY", "Stations as points and transects as lines, as logged or planned"),
    "measurements": ("attributes", "", "What instruments measured at the time of an event"),
}
Place = tuple[float, float]


def point(place: Place | None) -> bytes | None:
    """A point as a GeoPackage blob; None stays None. (latitude, longitude) go in as x = longitude, y = latitude."""
    if place is None:
        return None
    return _header() + struct.pack("<BIdd", 1, 1, place[1], place[0])


def line(places: Sequence[Place]) -> bytes | None:
    """The way through these places: None for none, a point for one, a line, or two where it crosses 180 degrees."""
    distinct = [here for at, here in enumerate(places) if at == 0 or here != places[at - 1]]
    if len(distinct) < 2:
        return point(distinct[0] if distinct else None)
    parts = split(distinct)
    bodies = [
        struct.pack("<BII", 1, 2, len(part)) + b"".join(struct.pack("<dd", x, y) for y, x in part) for part in parts
    ]
    if len(bodies) == 1:
        return _header() + bodies[0]
    return _header() + struct.pack("<BII", 1, 5, len(bodies)) + b"".join(bodies)


def split(places: Sequence[Place]) -> list[list[Place]]:
    """The way, cut where it crosses 180 degrees (RFC 7946, 3.1.9): each part ends and begins on that meridian.

    The ship took the shorter way round: a step of more than 180 degrees of longitude crosses.
    """
    parts = [[places[0]]]
    for (south, west), (north, east) in pairwise(places):
        if abs(east - west) > 180:
            edge = 180.0 if west > 0 else -180.0
            turned = east + 2 * edge  # beyond the edge, on the same side
            share = (edge - west) / (turned - west) if turned != west else 0.0
            crossing = south + share * (north - south)
            parts[-1].append((crossing, edge))
            parts.append([(crossing, -edge)])
        parts[-1].append((north, east))
    kept = [[here for at, here in enumerate(part) if at == 0 or here != part[at - 1]] for part in parts]
    return [part for part in kept if len(part) > 1]


def _header() -> bytes:
    return struct.pack("<2sBBi", b"GP", 0, 1, WGS84)  # version 1, little-endian, no envelope, not empty


def _at(at: datetime | None) -> str | None:
    """A time as GeoPackage has it, to the millisecond."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at else None


def write(path: Path, source: Source) -> None:
    """The GeoPackage. Same log, same bytes: SQLite writes the same pages for the same statements."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA page_size = 4096")
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {USER_VERSION}")
        db.execute("BEGIN")
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                db.execute(statement)
        _references(db)
        ways = _events(db, source)
        _operations(db, source, ways)
        _stations(db, source)
        _measurements(db, source)
        _contents(db, source.facts, ways)
        db.execute("COMMIT")


def _references(db: sqlite3.Connection) -> None:
    rows = [
        ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
        ("WGS 84 geodetic", WGS84, "EPSG", WGS84, _WGS84, "longitude and latitude in degrees on WGS 84"),
    ]
    db.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)


def _insert(db: sqlite3.Connection, name: str, rows: Iterable[Sequence[object]], width: int) -> None:
    marks = ", ".join("?" * width)
    sane = ([sound(value) if isinstance(value, str) else value for value in row] for row in rows)
    db.executemany(f"INSERT INTO {name} VALUES (NULL, {marks})", sane)  # noqa: S608  # name and marks are ours


def _events(db: sqlite3.Connection, source: Source) -> dict[str, list[Place]]:
    """Writes the events; returns the way of every operation, and of the log under ""."""
    ways: dict[str, list[Place]] = {"": []}

    def rows() -> Iterable[Sequence[object]]:
        for row in source.rows():
            if row.operation:
                way = ways.setdefault(row.operation, [])
                if row.place:
                    way.append(row.place)
            if row.place:
                ways[""].append(row.place)
            yield _event(row)

    _insert(db, "events", rows(), 31)
    return ways


def _event(row: Row) -> Sequence[object]:
    return (
        *(point(row.place), row.uuid, row.number, _at(row.observed_at), _at(row.ended_at), _at(row.logged_at)),
        *(row.instrument, row.action, row.transect, row.station, row.cast, row.operation or None),
        *(row.operation_kind, row.seafloor_m, row.position_source, row.entered_latitude, row.entered_longitude),
        *(row.nav_latitude, row.nav_longitude, row.nav_method, row.nav_feed, row.nav_gap_s, row.nav_uncertainty_m),
        *(row.nav_course_deg, row.nav_speed_mps, row.author, row.device, row.comment, extras(row.extra), row.source),
        row.revision,
    )


def _operations(db: sqlite3.Connection, source: Source, ways: dict[str, list[Place]]) -> None:
    counts = dict(db.execute("SELECT operation, count(*) FROM events WHERE operation IS NOT NULL GROUP BY operation"))

    def row(one: Operation) -> Sequence[object]:
        return (
            *(line(ways.get(one.uuid, [])), one.uuid, one.kind, one.instrument, one.cast, one.station, one.state),
            *(_at(one.started_at), _at(one.ended_at), counts.get(one.uuid, 0), one.comment),
        )

    _insert(db, "operations", (row(one) for one in source.operations()), 11)


def _stations(db: sqlite3.Connection, source: Source) -> None:
    rows = []
    for one in source.places():
        ends = ((one.latitude, one.longitude), (one.end_latitude, one.end_longitude))
        way = [(y, x) for y, x in ends if y is not None and x is not None]
        aliases = ", ".join(one.aliases)
        rows.append((line(way), one.uuid, one.kind, one.name, aliases, one.depth_m, int(one.is_planned), one.comment))
    _insert(db, "stations", rows, 8)


def _measurements(db: sqlite3.Connection, source: Source) -> None:
    keys = {row.key: row.uuid for row in source.rows()}
    rows = ((keys[m.key], m.source, m.name, m.value, m.unit) for m in source.measurements() if m.key in keys)
    _insert(db, "measurements", rows, 5)


def _contents(db: sqlite3.Connection, facts: Facts, ways: dict[str, list[Place]]) -> None:
    extent = box(ways[""])
    # A GeoPackage has no box that crosses 180 degrees: min_x must not exceed max_x, so such a log spans the globe.
    bounds = (
        (None,) * 4 if extent is None else extent if extent[0] <= extent[2] else (-180.0, extent[1], 180.0, extent[3])
    )
    for name, (kind, geometry, words) in LAYERS.items():
        spatial = kind == "features"
        row = (
            *(name, kind, f"{facts.cruise_id} {name}", f"{words}. {facts.selection[:1].upper()}{facts.selection[1:]}."),
            *(_at(facts.as_of), *(bounds if name == "events" else (None,) * 4), WGS84 if spatial else None),
        )
        db.execute("INSERT INTO gpkg_contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        if spatial:
            columns = (name, "geom", geometry, WGS84, 0, 0)
            db.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", columns)


def check(path: Path, source: Source) -> Report:
    """Opens the file again and holds it against the standard and the log."""
    report = Report("gpkg")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        found = db.execute("PRAGMA application_id").fetchone()[0], db.execute("PRAGMA user_version").fetchone()[0]
        report.rule("it says that it is a GeoPackage 1.3.1", found == (APPLICATION_ID, USER_VERSION))
        report.rule("the database is sound", db.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
        report.rule("every reference is kept", not db.execute("PRAGMA foreign_key_check").fetchall())
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        report.rule("the tables of the standard and ours are there", {*_TABLES, *LAYERS} <= tables)
        references = {row[0] for row in db.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
        report.rule("the reference systems are there", {-1, 0, WGS84} <= references)
        report.count("events", db.execute("SELECT count(*) FROM events").fetchone()[0], source.count)
        made = db.execute("SELECT count(*) FROM operations").fetchone()[0]
        report.count("operations", made, len(source.operations()))
        faults = Faults()
        for layer in ("events", "operations", "stations"):
            for fid, blob in db.execute(f"SELECT fid, geom FROM {layer} WHERE geom IS NOT NULL"):  # noqa: S608
                if not _is_sound(blob):
                    faults.add(f"{layer} {fid}", "has a geometry that is not sound")
        report.faults("every geometry is WGS 84 and on the globe", faults)
        empty = db.execute("SELECT count(*) FROM events WHERE geom IS NULL").fetchone()[0]
        if empty:
            report.notes.append(f"{empty:,} of {source.count:,} events have no position; their geometry is null")
    return report


def _is_sound(blob: bytes) -> bool:
    if blob[:8] != _header() or len(blob) < 29:
        return False
    kind, at = struct.unpack_from("<I", blob, 9)[0], 13
    if kind == 1:
        doubles = [struct.unpack_from("<dd", blob, at)]
        end = at + 16
    else:
        lines = 1
        if kind == 5:
            lines, at = struct.unpack_from("<I", blob, at)[0], at + 4
        doubles, end = [], at if kind == 5 else at - 5
        for _ in range(lines):
            number = struct.unpack_from("<I", blob, end + 5)[0]
            doubles += [struct.unpack_from("<dd", blob, end + 9 + 16 * each) for each in range(number)]
            end += 9 + 16 * number
    return end == len(blob) and all(abs(x) <= 180 and abs(y) <= 90 for x, y in doubles)
