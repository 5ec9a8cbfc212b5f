"""The station table: one row for each cast, tow or visit of a station, with begin, bottom and end.

A row is an operation of the log; where events were logged without one (an imported log), those of the same
instrument, station and cast make a row. Places where nothing happened are rows without times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from eventlog.machines import Step, read

from .checking import Report
from .columns import Column, latitude, longitude, real, text, time
from .shape import Operation, Place, Row, Source
from .strictcsv import check_table, table, write_rows
from .wording import open_text

BOTTOM = ("maxDepth", "onBottom")


@cache
def _step(instrument: str, action: str) -> Step | None:
    """The step of an operation that these words say, in any spelling that the state machines know."""
    return read(instrument, action).step


@dataclass(slots=True)
class Visit:
    """A row in the making; its events come in the order of time."""

    kind: str
    instrument: str
    cast: str
    station: str
    transect: str = ""
    operation: Operation | None = None
    place: Place | None = None
    comment: str = ""
    events: list[Row] = field(default_factory=list)

    @property
    def first(self) -> Row | None:
        """The event with which it began."""
        return self.events[0] if self.events else None

    @property
    def bottom(self) -> Row | None:
        """The first event at the deepest point, if one was logged."""
        return next(
            (row for row in self.events if (step := _step(row.instrument, row.action)) and step.action in BOTTOM), None
        )

    @property
    def last(self) -> Row | None:
        """The event with which it ended: of an operation that has ended, else where an action ends things."""
        if len(self.events) < 2 or (self.operation is not None and self.operation.is_open):
            return None
        last = self.events[-1]
        step = _step(last.instrument, last.action)
        return last if self.operation is not None or (step is not None and step.closes) else None

    @property
    def began_at(self) -> datetime | None:
        """As the operation says, else its first event."""
        if self.operation is not None and self.operation.started_at:
            return self.operation.started_at
        return self.first.observed_at if self.first else None

    @property
    def ended_at(self) -> datetime | None:
        """As the operation says, else its last event or the end of its only one."""
        if self.operation is not None and self.operation.ended_at:
            return self.operation.ended_at
        last = self.last or (self.first if self.first and self.first.ended_at else None)
        return (last.ended_at or last.observed_at) if last else None

    @property
    def minutes(self) -> float | None:
        """How long it took."""
        began, ended = self.began_at, self.ended_at
        return round((ended - began).total_seconds() / 60, 3) if began and ended and began <= ended else None

    @property
    def seafloor_m(self) -> float | None:
        """At the bottom, else at the first event that knows it."""
        rows = [self.bottom, *self.events]
        return next((row.seafloor_m for row in rows if row is not None and row.seafloor_m is not None), None)

    @property
    def state(self) -> str:
        """Of the operation; "planned" for a place where nothing happened, "logged" without an operation."""
        if self.operation is not None:
            return self.operation.state
        return "logged" if self.events else "planned" if self.place and self.place.is_planned else "named"


def _at(row: Row | None) -> tuple[float | None, float | None]:
    return (row.place or (None, None)) if row is not None else (None, None)


COLUMNS: tuple[Column, ...] = (
    text("station", "name of the station", lambda v: v.station),
    text("transect", "name of the transect", lambda v: v.transect),
    text("instrument", "instrument", lambda v: v.instrument),
    text("cast", "cast, tow or dive number", lambda v: v.cast),
    text("kind", "kind of operation; station for a place where nothing happened", lambda v: v.kind),
    text(
        "state",
        "of the operation; logged without one; planned or named without events",
        lambda v: v.state,
        required=True,
    ),
    text("operation", "identifier of the operation", lambda v: v.operation.uuid if v.operation else ""),
    time("began_at", "when it began", lambda v: v.began_at),
    latitude("begin_latitude", "where it began", lambda v: _at(v.first)[0]),
    longitude("begin_longitude", "where it began", lambda v: _at(v.first)[1]),
    time("bottom_at", "when it was at its deepest, if logged", lambda v: v.bottom.observed_at if v.bottom else None),
    latitude("bottom_latitude", "where the ship was then", lambda v: _at(v.bottom)[0]),
    longitude("bottom_longitude", "where the ship was then", lambda v: _at(v.bottom)[1]),
    time("ended_at", "when it ended; empty: not closed", lambda v: v.ended_at),
    latitude("end_latitude", "where it ended", lambda v: _at(v.last)[0]),
    longitude("end_longitude", "where it ended", lambda v: _at(v.last)[1]),
    real("duration", "min", "from begin to end", lambda v: v.minutes, 0),
    real("seafloor_depth", "m", "water depth, at the bottom of the cast where known", lambda v: v.seafloor_m),
    latitude(
        "station_latitude",
        "of the station itself, as planned or named",
        lambda v: v.place.latitude if v.place else None,
    ),
    longitude("station_longitude", "of the station itself", lambda v: v.place.longitude if v.place else None),
    real("station_depth", "m", "of the station itself", lambda v: v.place.depth_m if v.place else None),
    Column("events", "", "integer", "how many events it has", lambda v: str(len(v.events)), 0, required=True),
    text("comment", "of the operation or the place", lambda v: v.comment),
)


def visits(source: Source) -> list[Visit]:
    """All rows, by beginning; those without a time come last, by name."""
    places = {(one.kind, name): one for one in source.places() for name in (one.name, *one.aliases)}
    operations = {one.uuid: one for one in source.operations()}
    found: dict[tuple[str, ...], Visit] = {}
    for row in source.rows():
        operation = operations.get(row.operation)
        if operation is None and not row.station and not row.cast:
            continue
        key = (row.operation,) if operation else (row.instrument, row.station, row.cast)
        visit = found.get(key)
        if visit is None:
            visit = found[key] = _begun(row, operation)
        visit.events.append(row)
        visit.station = visit.station or row.station
        visit.transect = visit.transect or row.transect
    for uuid, operation in operations.items():
        if (uuid,) not in found:
            found[(uuid,)] = Visit(
                operation.kind,
                operation.instrument,
                operation.cast,
                operation.station,
                "",
                operation,
                None,
                operation.comment,
            )
    for visit in found.values():
        visit.place = places.get(("station", visit.station))
    used = {visit.place.uuid for visit in found.values() if visit.place}
    idle = [one for one in source.places() if one.kind == "station" and one.uuid not in used]
    rows = [*found.values(), *(Visit("station", "", "", one.name, place=one, comment=one.comment) for one in idle)]
    return sorted(rows, key=_order)


def _begun(row: Row, operation: Operation | None) -> Visit:
    if operation is None:
        return Visit("", row.instrument, row.cast, row.station)
    cast, station = operation.cast or row.cast, operation.station or row.station
    return Visit(operation.kind, operation.instrument, cast, station, "", operation, None, operation.comment)


def _order(visit: Visit) -> tuple[bool, str, str, str, str]:
    began = visit.began_at
    uuid = visit.operation.uuid if visit.operation else ""
    return began is None, began.isoformat() if began else "", visit.station, f"{visit.instrument} {visit.cast}", uuid


def write(path: Path, source: Source) -> None:
    """The table as strict CSV."""
    with open_text(path) as file:
        write_rows(file, COLUMNS, visits(source))


def check(path: Path, source: Source) -> Report:
    """Reads the table again and holds every cell against its column, and the rows against the log."""
    report = Report("stations")
    rows = visits(source)
    with path.open("rb") as file:
        check_table(report, file, table("stations.csv", COLUMNS, None), len(rows), "stations and casts")
    inside = sum(len(visit.events) for visit in rows)
    loose = source.count - inside
    ids = {visit.operation.uuid for visit in rows if visit.operation}
    report.rule(
        "every operation of these events has its row", ids == {one.uuid for one in source.operations()}, len(ids)
    )
    if loose:
        report.notes.append(f"{loose:,} events name neither operation, station nor cast and are in no row")
    if still := sum(visit.operation is not None and visit.operation.is_open for visit in rows):
        report.notes.append(f"{still:,} operations are still open")
    return report
