"""Finds the operation to which an event belongs, and begins one where its action does."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Mapping, MutableMapping
from typing import Any

from django.db.models import F, Q

from eventlog import gazetteer, ledger, machines
from eventlog.machines import Course, Machine, Moment, Reading
from eventlog.models import Event, Log, Operation
from eventlog.operations.following import FOLLOWS, STRUCK, classes_of, moments_of
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis

# How many operations around a time are looked at: the last that had begun, and those without a beginning.
NEAREST = 3


def join(
    *, log: Log, values: MutableMapping[str, Any], by: Actor, device: str = "", without: int | None = None
) -> Operation | None:
    """The operation to which an event with these fields belongs, made if its action begins one.

    `values["operation"]` is the id that the tablet gave it, or None: then the instrument's machine decides. An empty
    cast is filled with that of the operation, or with the next one of its class; station and transect too, where the
    ship stays in place. Logging is never refused because another operation still runs: the red pen asks about it.
    `without` is the key of an event that is not looked at. The caller holds the lock of the log. Raises NotLikeThis for
    the id of an operation in another log.
    """
    gazetteer.note(log, values, by, device)
    classes = classes_of(log)
    at = values["observed_at"]
    reading = machines.read(values["instrument"], values["action"], classes.get(values["instrument"], ""))
    given = _given(log, values["operation"])
    if given is None:
        course = machines.choose(reading, at, candidates(log, reading, at, classes, without))
        given = course.thing if course else None
    if isinstance(given, Operation):
        _complete(values, given, reading.machine)
        return given
    if given is None and reading.step is None:
        return None
    return _begin(log, reading, given, values, by, device)


def rejoin(
    *, event: Event, before: Mapping[str, Any], values: MutableMapping[str, Any], by: Actor, device: str = ""
) -> Operation | None:
    """The operation of an event whose fields change from `before` to `values`; the caller holds the lock of the log.

    An operation that is named, or taken away, is just that. Where only the instrument or the action was corrected, the
    machine decides anew, and a cast that came from the old operation gives way to that of the new one.
    """
    log, old = event.log, event.operation
    if any(values[name] != before[name] for name in ("station", "transect")):
        gazetteer.note(log, values, by, device)
    if values["operation"] != before["operation"]:
        return join(log=log, values=values, by=by, device=device) if values["operation"] else None
    if all(values[name] == before[name] for name in ("instrument", "action")):
        return old
    if old is not None and values["cast"] == before["cast"] == old.cast:
        values["cast"] = ""
    values["operation"] = None
    return join(log=log, values=values, by=by, device=device, without=event.pk)


def suggest(log: Log, instrument: str, at: dt.datetime) -> dict[str, str]:
    """What a new event of an instrument would be filled with: {"cast", "station"}, each perhaps empty.

    The cast is the next one; the station is that of the ship's last arrival, or of the last event before `at`.
    """
    reading = machines.read(instrument, "deploy", classes_of(log).get(instrument, ""))
    cast = _next_cast(log, reading.kind, instrument) if reading.machine.counts else ""
    return {"cast": cast, "station": current_station(log, at)}


def current_station(log: Log, at: dt.datetime) -> str:
    """The station where the ship was last said to be at `at`; empty after it left, or in the first place."""
    visit = log.operations.filter(kind="station", started_at__lte=at).order_by("-started_at").first()
    since = log.events.standing().filter(observed_at__lte=at).exclude(station="").order_by("-observed_at")
    if visit is not None and visit.station:
        if visit.ended_at is None:
            return visit.station
        since = since.filter(observed_at__gt=visit.ended_at)
    return since.values_list("station", flat=True).first() or ""


def candidates(
    log: Log, reading: Reading, at: dt.datetime, classes: Mapping[str, str], without: int | None = None
) -> list[Course]:
    """The operations of this subject and kind around a time, with their courses."""
    mine = log.operations.filter(instrument=reading.subject, kind=reading.kind).exclude(state=STRUCK)
    begun_by_then = Q(started_at__lte=at) | Q(started_at__isnull=True)
    found = [*mine.filter(begun_by_then).order_by(F("started_at").desc(nulls_first=True), "-pk")[: 2 * NEAREST]]
    if not found:
        return []
    if len(found) == 2 * NEAREST and found[NEAREST].started_at is None:  # those without a beginning hide the others
        found = [*found[:NEAREST], *mine.filter(started_at__lte=at).order_by("-started_at", "-pk")[:NEAREST]]
    moments = moments_of((operation.pk for operation in found), without)
    device_class = classes.get(reading.subject, "")
    return [
        Course.of(reading.machine, moments[operation.pk], device_class, thing=operation)
        for operation in found
        if moments[operation.pk]
    ]


def _given(log: Log, uuid: str | None) -> Operation | uuids.UUID | None:
    """The operation of this id, the id where there is none yet, or None where none was given."""
    if not uuid:
        return None
    try:
        key = uuids.UUID(str(uuid))
    except ValueError:
        raise NotLikeThis("The event is not accepted.", [Fault("operation", "is not the id of one")]) from None
    known = Operation.objects.filter(uuid=key).first()
    if known is None:
        return key
    if known.log_id != log.pk:
        raise NotLikeThis("The event is not accepted.", [Fault("operation", "is in use in another log")])
    return known


def _complete(values: MutableMapping[str, Any], operation: Operation, machine: Machine) -> None:
    values["cast"] = values["cast"] or operation.cast
    if machine.on_station and machine.kind == operation.kind:
        values["station"] = values["station"] or operation.station


def _begin(
    log: Log,
    reading: Reading,
    given: uuids.UUID | None,
    values: MutableMapping[str, Any],
    by: Actor,
    device: str,
) -> Operation:
    if not values["cast"] and reading.machine.counts:
        values["cast"] = _next_cast(log, reading.kind, reading.subject)
    moment = Moment(
        values["observed_at"],
        values["instrument"],
        values["action"],
        values.get("ended_at"),
        values["cast"],
        values["station"],
    )
    course = Course(reading.machine)
    course.take(moment, reading)
    operation = Operation.objects.create(
        uuid=given or uuids.uuid4(),
        log=log,
        kind=reading.kind,
        instrument=reading.subject,
        cast=course.cast,
        station=course.station,
        state=course.state or "begun",
        started_at=course.started_at,
        ended_at=course.ended_at,
        is_open=course.is_open,
    )
    ledger.append(log, [begun(operation)], by=by, device=device)
    return operation


def begun(operation: Operation) -> ledger.Entry:
    """The first revision of an operation."""
    told = {name: [None, getattr(operation, name)] for name in FOLLOWS}
    return ledger.Entry("operation", operation, "begin", {n: c for n, c in told.items() if c[1] not in ("", None)})


def _next_cast(log: Log, kind: str, subject: str) -> str:
    own = log.operations.filter(kind=kind, instrument=subject).exclude(cast="").order_by("-started_at", "-pk")
    others = log.operations.filter(kind=kind).exclude(state=STRUCK).values_list("cast", flat=True)
    return machines.next_cast(own.values_list("cast", flat=True).first() or "", others)
