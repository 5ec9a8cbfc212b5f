"""Writes the rows of an import: events with first revisions and measurements, and revisions of those that differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventlog import chain, ledger, operations
from eventlog.exchange.record import LoggedEvent
from eventlog.logbook.events import whole
from eventlog.models import Event, Log, Measurement, Revision
from eventlog.navigation import positions
from portal import bulk
from portal.access import Actor

_EMPTY: tuple[Any, ...] = ("", None, {}, [], False)


def record(
    log: Log, rows: Sequence[LoggedEvent], source: str, by: Actor, reason: str, *, gather: bool = False
) -> list[Revision]:
    """New events of the rows, in bulk; their positions are derived from the stored navigation. Lock held by caller.

    With `gather` their operations are found or begun.
    """
    events = [_event(log, row, source) for row in rows]
    derive(log, events)
    touched = operations.gather(log=log, events=events, by=by) if gather else []
    bulk.create(Event, events)
    entries = [
        ledger.Entry("event", event, "import", _told(event, row), reason)
        for event, row in zip(events, rows, strict=True)
    ]
    made = ledger.append(log, entries, by=by)
    bulk.create(
        Measurement,
        [
            Measurement(event=event, source=m.source, name=m.name, value=m.value, unit=m.unit)
            for event, row in zip(events, rows, strict=True)
            for m in row.measurements
        ],
    )
    operations.follow(log=log, operations=touched, by=by)
    return made


def revise(
    log: Log, changed: Iterable[tuple[Event, Mapping[str, Any]]], by: Actor, reason: str, verb: str = "revise"
) -> list[Revision]:
    """Sets fields of events, each as a revision of its own; a new time, a new position. Lock held by caller."""
    events: list[Event] = []
    moved: list[Event] = []
    stood: list[dict[str, Any]] = []
    for event, fields in changed:
        events.append(event)
        stood.append(whole(event))
        at = event.observed_at
        for name, value in fields.items():
            setattr(event, name, value)
        if event.ended_at and event.ended_at < event.observed_at:
            event.ended_at = None
        if event.observed_at != at:
            moved.append(event)
        event.revision += 1
    derive(log, moved)
    entries = []
    for event, before in zip(events, stood, strict=True):
        event.save()
        stands = whole(event)
        changes = {name: [before[name], value] for name, value in stands.items() if before[name] != value}
        entries.append(ledger.Entry("event", event, verb, changes, reason))
    made = ledger.append(log, entries, by=by)
    touched = {event.operation_id: event.operation for event in events if event.operation_id}
    operations.follow(log=log, operations=list(touched.values()), by=by)
    return made


def derive(log: Log, events: Sequence[Event]) -> None:
    """Fills the columns of the events that follow from navigation."""
    vessel = log.cruise.vessel_id
    for event, found in zip(events, positions.many(vessel, [event.observed_at for event in events]), strict=True):
        for name, value in found.items():
            setattr(event, name, value)


def _told(event: Event, row: LoggedEvent) -> dict[str, Any]:
    told = {name: [None, value] for name, value in whole(event).items() if value not in _EMPTY}
    if row.measurements:
        told["measurements"] = [None, [[m.source, m.name, m.value, m.unit] for m in row.measurements]]
    return told


def _event(log: Log, row: LoggedEvent, source: str) -> Event:
    return Event(
        log=log,
        number=row.number,
        observed_at=row.observed_at,
        ended_at=row.ended_at,
        logged_at=row.logged_at,
        instrument=row.instrument,
        action=row.action,
        transect=row.transect,
        station=row.station,
        cast=row.cast,
        latitude=row.latitude,
        longitude=row.longitude,
        seafloor_m=row.seafloor_m,
        author_name=row.author,
        comment=row.comment,
        extra=dict(row.extra),
        source=source,
        original=dict(row.original),
        revised_at=[chain.plain(at) for at in row.revised_at],
    )
