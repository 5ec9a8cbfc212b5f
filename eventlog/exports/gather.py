"""Reads a log out of the database for the writers of exports: in few queries, row by row, in one state."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce

from eventlog.exchange.exports.shape import (
    Change,
    Facts,
    Measured,
    Operation,
    Person,
    Place,
    Plain,
    Row,
    Sealed,
    Source,
)
from eventlog.models import Event, Log, Measurement
from eventlog.models import Operation as OperationModel
from eventlog.models.event import EDITS

CHUNK = 5000
# Columns of an event in the order of Row, without its last.
COLUMNS = (
    *("pk", "uuid", "number", "observed_at", "ended_at", "logged_at", "instrument", "action", "transect", "station"),
    *("cast", "operation__uuid", "operation__kind", "operation__cast", "operation__state", "latitude", "longitude"),
    *("seafloor_m", "nav_latitude", "nav_longitude", "nav_depth_m", "nav_course_deg", "nav_speed_mps", "nav_method"),
    *("nav_feed", "nav_gap_s", "nav_uncertainty_m", "author_name", "device", "clock_offset_s", "comment", "extra"),
    *("source", "struck_at", "revision"),
)
_NUMBERS = tuple(Row._fields.index(name) for name, kind in Row.__annotations__.items() if "float" in str(kind))
_OPERATION = tuple(Row._fields.index(name) for name in Row._fields if name.startswith("operation"))
_UUID, _OPERATION_UUID = Row._fields.index("uuid"), Row._fields.index("operation")
_AUTHOR, _EXTRA = Row._fields.index("author"), Row._fields.index("extra")


@contextmanager
def one_state() -> Iterator[None]:
    """All that is read within is of one state of the log, though people write on.

    PostgreSQL keeps a snapshot and holds nobody up. SQLite knows but one writer, who waits for as long as this takes.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql" and len(connection.atomic_blocks) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def source(log: Log, events: QuerySet[Event] | None = None, *, names: bool = True, struck: bool = False) -> Source:
    """The log, or those of its events, for a writer. Without `names` nobody is named who logged or changed anything.

    Struck events are left out unless `struck`. To be used within `one_state`.
    """
    chosen = (
        log.events.all() if events is None else Event.objects.filter(pk__in=events.order_by().values("pk"), log=log)
    )
    chosen = chosen if struck else chosen.standing()
    edits = cache(lambda: edit_times(log))

    def measurements() -> Iterator[Measured]:
        found = Measurement.objects.filter(event__log=log)
        found = found if events is None else found.filter(event__in=chosen.order_by().values("pk"))
        found = found if struck else found.filter(event__struck_at__isnull=True)
        ordered = found.order_by("event__observed_at", "event__number", "pk")
        values = ordered.values_list("event_id", "source", "name", "value", "unit")
        return map(Measured._make, values.iterator(chunk_size=CHUNK))

    return Source(
        facts=facts(log, is_whole=events is None),
        count=chosen.count(),
        rows=lambda: rows(chosen, edits(), names=names),
        plain=lambda: plain_rows(chosen, edits(), names=names),
        operations=cache(lambda: operations(log, chosen, is_whole=events is None)),
        places=cache(lambda: places(log)),
        measurements=measurements,
        changes=cache(lambda: changes(log, names=names)),
        extras=cache(lambda: extras(log)),
    )


def rows(events: QuerySet[Event], edits: Mapping[int, Sequence[dt.datetime]], *, names: bool) -> Iterator[Row]:
    """The events by time and number. What is no finite number is None: no format has a word for it."""
    values = events.order_by("observed_at", "number").values_list(*COLUMNS)
    for found in values.iterator(chunk_size=CHUNK):
        row = list(found)
        row[_UUID] = str(row[_UUID])
        for at in _OPERATION:
            row[at] = "" if row[at] is None else str(row[at])
        for at in _NUMBERS:
            if row[at] is not None and not math.isfinite(row[at]):
                row[at] = None
        if not names:
            row[_AUTHOR] = ""
        row[_EXTRA] = _finite(row[_EXTRA]) if row[_EXTRA] else {}
        row.append(tuple(edits.get(row[0], ())))
        yield Row._make(row)


def plain_rows(events: QuerySet[Event], edits: Mapping[int, Sequence[dt.datetime]], *, names: bool) -> Iterator[Plain]:
    """The events by time and number, with the columns of R2R alone."""
    author = F("author_name") if names else Value("")
    best = {
        "best_latitude": Coalesce("latitude", "nav_latitude"),
        "best_longitude": Coalesce("longitude", "nav_longitude"),
        "best_depth": Coalesce("seafloor_m", "nav_depth_m"),
        "told_author": author,
    }
    columns = ("pk", "number", "observed_at", "logged_at", "instrument", "action", "transect", "station", "cast")
    found = events.annotate(**best).order_by("observed_at", "number").values_list(*columns, *best, "comment")
    finite, none = math.isfinite, ()
    for key, *words, latitude, longitude, depth, told, comment in found.iterator(chunk_size=CHUNK):
        if latitude is not None and longitude is not None and not finite(latitude + longitude):
            latitude = longitude = None
        if depth is not None and not finite(depth):
            depth = None
        revised = tuple(edits.get(key, none))
        yield Plain._make((*words, latitude, longitude, depth, told, comment, revised))


def _finite(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in extra.items()}


def edit_times(log: Log) -> dict[int, list[dt.datetime]]:
    """When people changed each event, by its key: before it was imported, then here."""
    found: dict[int, list[dt.datetime]] = {}
    before = log.events.exclude(revised_at=[]).values_list("pk", "revised_at")
    for key, texts in before.iterator(chunk_size=CHUNK):
        found[key] = [dt.datetime.fromisoformat(text) for text in texts]
    later = log.revisions.filter(event__isnull=False, number__gt=1, verb__in=EDITS).order_by("event_id", "number")
    for key, at in later.values_list("event_id", "at").iterator(chunk_size=CHUNK):
        found.setdefault(key, []).append(at)
    return found


def changes(log: Log, *, names: bool) -> dict[int, list[Change]]:
    """Later revisions of events that a person made, by the key of the event."""
    found: dict[int, list[Change]] = {}
    later = log.revisions.filter(event__isnull=False, number__gt=1, verb__in=EDITS).order_by("sequence")
    columns = ("event_id", "number", "at", "by_name", "verb", "reason", "changes", "after_close")
    for values in later.values_list(*columns).iterator(chunk_size=CHUNK):
        change = Change._make(values)
        if not names:
            kept = {name: pair for name, pair in change.changes.items() if "author" not in name}
            change = change._replace(by="", changes=kept)
        found.setdefault(change.key, []).append(change)
    return found


def operations(log: Log, events: QuerySet[Event], *, is_whole: bool) -> list[Operation]:
    """Operations with a standing event, by beginning; of a selection those that its events belong to."""
    found = OperationModel.objects.filter(log=log, pk__in=events.order_by().values("operation"))
    if is_whole:
        found = OperationModel.objects.filter(log=log).filter(
            pk__in=log.events.standing().order_by().values("operation")
        )
    columns = ("uuid", "kind", "instrument", "cast", "station", "state", "started_at", "ended_at", "is_open", "comment")
    ordered = found.order_by(F("started_at").asc(nulls_last=True), "uuid")
    return [Operation(str(uuid), *rest) for uuid, *rest in ordered.values_list(*columns)]


def places(log: Log) -> list[Place]:
    """Stations and transects, by kind and name; one that was merged is found among the aliases of the other."""
    columns = ("uuid", "kind", "name", "aliases", "latitude", "longitude", "end_latitude", "end_longitude", "depth_m")
    found = log.places.filter(merged_into__isnull=True).order_by("kind", "name")
    values = found.values_list(*columns, "is_planned", "comment")
    return [Place(str(u), kind, name, tuple(map(str, aliases)), *rest) for u, kind, name, aliases, *rest in values]


def extras(log: Log) -> list[str]:
    """Names of extra fields, of all events of the log: so a selection has the same columns as the whole."""
    used = log.events.exclude(extra={}).values_list("extra", flat=True)
    return sorted({name for extra in used.iterator(chunk_size=CHUNK) for name in extra})


def facts(log: Log, *, is_whole: bool) -> Facts:
    """What is said of the cruise and of the log."""
    cruise = log.cruise
    last = log.revisions.order_by("-sequence").values_list("sequence", "digest", "at").first()
    sequence, head, at = last or (0, "", log.since)
    return Facts(
        cruise_id=cruise.cruise_id,
        uuid=str(cruise.uuid),
        title=cruise.title,
        summary=cruise.summary,
        vessel_id=cruise.vessel_id,
        vessel=cruise.vessel.name,
        operator=cruise.vessel.operator.name,
        depart_date=cruise.depart_date,
        depart_port=cruise.depart_port.name,
        arrive_date=cruise.arrive_date,
        arrive_port=cruise.arrive_port.name,
        chiefs=tuple(Person(p.name, p.institution, p.orcid, p.role) for p in cruise.chief_scientists),
        state=log.state,
        opened_at=log.opened_at,
        closed_at=log.closed_at,
        sequence=sequence,
        head=head,
        as_of=max(at, log.since),
        seals=tuple(Sealed(seal.at, seal.sequence, seal.head) for seal in log.seals.order_by("sequence")),
        repository=settings.REPOSITORY_NAME,
        contact=settings.REPOSITORY_CONTACT,
        is_whole=is_whole,
    )
