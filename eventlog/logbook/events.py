"""The verbs about one event: record, revise, strike, restore, undo. Nothing is ever deleted."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Collection, Mapping
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from eventlog import chain, ledger, operations
from eventlog.logbook.fields import checked, merged, next_number, require_unchanged, standing
from eventlog.models import Event, Log
from eventlog.navigation import positions
from eventlog.replay import BY_THEMSELVES
from eventlog.states import LOG
from portal import access
from portal.access import Actor
from portal.models import Person
from portal.refusals import Fault, NotLikeThis, NotNow

# A second press of the same button within this time is the same event.
BOUNCE = dt.timedelta(seconds=2)


@transaction.atomic
def record(
    *,
    log: Log,
    by: Actor,
    fields: Mapping[str, Any],
    uuid: uuids.UUID | None = None,
    logged_at: dt.datetime | None = None,
    source: str = "web",
    device: str = "",
    clock_offset_s: float | None = None,
    press: bool = False,
    change: uuids.UUID | None = None,
    late: bool = False,
) -> tuple[Event, bool]:
    """Records an event; says whether it is new. The same `uuid` twice is one event, however often it is sent.

    `fields` are those of FIELDS; times are aware, degrees north and east, metres. `press`: a button and nothing more,
    so that a second one within two seconds is the same event. `change` is the id of this very change. `late`: it may
    have waited on a device without network, and is taken after closing if it happened and was logged before; its
    source is then "late". Raises NotYou, NotNow for a log that is not open, NotLikeThis with the faults by field.
    """
    log = ledger.locked(log)
    access.require(by, "eventlog.record", log)
    uuid = uuid or uuids.uuid4()
    near = _like(log, uuid, fields, press)
    if known := next((event for event in near if event.uuid == uuid), None):
        if known.log_id != log.pk:
            raise NotLikeThis("This event id is in use in another log.", [Fault("uuid", "make a new one")])
        return known, False
    now = timezone.now()
    if log.state != "open" and not (late and log.state == "closed"):
        raise NotNow(f"The {log} is {log.state}: {LOG.states[log.state]}. No new events can be recorded.")
    values = checked(fields, now)
    if log.state == "closed":
        _require_before_closing(log, by, values["observed_at"], logged_at or now)
        source = "late"
    if near:
        return near[0], False
    operation = operations.join(log=log, values=values, by=by, device=device)
    logged_at = logged_at or now
    event = Event(
        uuid=uuid,
        log=log,
        number=next_number(log, logged_at),
        logged_at=logged_at,
        author=by if isinstance(by, Person) else None,
        author_name=str(by),
        source=source,
        device=device,
        clock_offset_s=clock_offset_s,
        operation=operation,
        **{name: value for name, value in values.items() if name != "operation"},
    )
    _derive(event)
    event.save()
    changes = {name: [None, value] for name, value in whole(event).items() if value not in ("", None, {}, [])}
    ledger.append(log, [ledger.Entry("event", event, "record", changes, "", change)], by=by, device=device)
    operations.follow(log=log, operations=[operation], by=by, device=device)
    return event, True


@transaction.atomic
def revise(
    *,
    event: Event,
    by: Actor,
    fields: Mapping[str, Any],
    reason: str = "",
    seen: int | None = None,
    change: uuids.UUID | None = None,
    device: str = "",
    made_at: dt.datetime | None = None,
    own: Collection[uuids.UUID] = (),
    verb: str = "revise",
) -> Event:
    """Changes some fields of an event; what was stays in its revisions.

    `seen` is the revision that the person looked at: what others changed since is kept, and Conflict is raised where
    both changed the same field. `change` is the id of this change: sent twice it is made once. `made_at`: when it was
    made on a device; one that was made before the log was closed, and arrives after, is taken and labelled. `own`:
    ids of changes that the same device made after `seen`; they are in nobody's way.
    """
    event, reason = _for_change(event, by, reason, made_at=made_at)
    if ledger.known(change):
        return event
    if event.struck_at:
        raise NotNow(f"Event {event.number} is struck; restore it before changing it.")
    before = standing(event)
    values = checked(before | merged(event, fields, seen, own), timezone.now())
    if all(before[name] == values[name] for name in values):
        return event
    old, stood = event.operation, whole(event)
    event.operation = operations.rejoin(event=event, before=before, values=values, by=by, device=device)
    for name, value in values.items():
        if name != "operation":
            setattr(event, name, value)
    if before["observed_at"] != event.observed_at:
        _derive(event)
    _save(event, stood, by, verb, reason, change, device)
    operations.follow(log=event.log, operations=[old, event.operation], by=by, device=device)
    return event


class Said(TypedDict, total=False):
    """What may be said of striking and restoring; each as `revise` has it."""

    reason: str
    seen: int | None
    change: uuids.UUID | None
    device: str
    made_at: dt.datetime | None
    own: Collection[uuids.UUID]


def strike(*, event: Event, by: Actor, **said: Unpack[Said]) -> Event:
    """Strikes an event: it stays readable and leaves the exports. Nothing is ever deleted."""
    return _mark(event, by, "strike", **said)


def restore(*, event: Event, by: Actor, **said: Unpack[Said]) -> Event:
    """Takes back a strike."""
    return _mark(event, by, "restore", **said)


@transaction.atomic
def _mark(
    event: Event,
    by: Actor,
    verb: str,
    *,
    reason: str = "",
    seen: int | None = None,
    change: uuids.UUID | None = None,
    device: str = "",
    made_at: dt.datetime | None = None,
    own: Collection[uuids.UUID] = (),
) -> Event:
    event, reason = _for_change(event, by, reason, made_at=made_at)
    if ledger.known(change):
        return event
    if seen is not None and seen < event.revision:
        require_unchanged(event, seen, own)
    struck = verb == "strike"
    if struck == (event.struck_at is not None):
        return event
    stood = whole(event)
    event.struck_at = timezone.now() if struck else None
    _save(event, stood, by, verb, reason, change, device)
    operations.follow(log=event.log, operations=[event.operation], by=by, device=device)
    return event


@transaction.atomic
def undo(
    *,
    event: Event,
    by: Actor,
    reason: str = "",
    change: uuids.UUID | None = None,
    device: str = "",
    made_at: dt.datetime | None = None,
) -> Event:
    """Takes back the last thing that a person did to an event, as a new revision: a new event is struck."""
    event, reason = _for_change(event, by, reason, made_at=made_at)
    if ledger.known(change):
        return event
    last = event.revisions.exclude(verb__in=BY_THEMSELVES).order_by("-number").first()
    says = reason or "undone"
    if last is None or last.verb in ("record", "import", "adopt"):
        return strike(event=event, by=by, reason=says, change=change, device=device, made_at=made_at)
    if last.verb == "strike":
        return restore(event=event, by=by, reason=says, change=change, device=device, made_at=made_at)
    if event.struck_at is None and last.verb == "restore":
        return strike(event=event, by=by, reason=says, change=change, device=device, made_at=made_at)
    fields = {name: _read(name, before) for name, (before, _) in last.changes.items() if name in standing(event)}
    return revise(
        event=event, by=by, fields=fields, reason=says, change=change, device=device, made_at=made_at, verb="undo"
    )


def whole(event: Event) -> dict[str, Any]:
    """Everything about an event that its revisions tell, as JSON holds it."""
    values = standing(event)
    for name in ("number", "logged_at", "author_name", "device", "clock_offset_s", "source", "original", "revised_at"):
        values[name] = getattr(event, name)
    for name in positions.COLUMNS:
        values[name] = getattr(event, name)
    values["struck"] = event.struck_at is not None
    plain: dict[str, Any] = chain.plain(values)
    return plain


def _read(name: str, value: Any) -> Any:
    if name in ("observed_at", "ended_at") and isinstance(value, str):
        return dt.datetime.fromisoformat(value)
    return value


def _like(log: Log, uuid: uuids.UUID, fields: Mapping[str, Any], press: bool) -> list[Event]:
    """The event of this id, and of a press the standing ones that are the same, by time; in one question."""
    wanted, at = Q(uuid=uuid), fields.get("observed_at")
    if press and isinstance(at, dt.datetime) and at.tzinfo is not None:
        same = {name: str(fields.get(name) or "").strip() for name in ("instrument", "action")}
        around = (at - BOUNCE, at + BOUNCE)
        wanted |= Q(log=log, struck_at__isnull=True, observed_at__range=around, **same)
    return list(Event.objects.filter(wanted).select_related("operation").order_by("observed_at"))


def _derive(event: Event) -> None:
    for name, value in positions.at(event.log.cruise.vessel_id, event.observed_at).items():
        setattr(event, name, value)


def _for_change(event: Event, by: Actor, reason: str, *, made_at: dt.datetime | None = None) -> tuple[Event, str]:
    """The event, locked with its log, and the reason, which a change that arrives after closing always has."""
    log = ledger.locked(event.log)
    event = Event.objects.select_for_update(of=("self",)).select_related("operation").get(pk=event.pk)
    event.log = log
    if log.state == "closed" and log.closed_at and made_at and made_at <= log.closed_at:
        access.require(by, "eventlog.revise", log)
        reason = reason.strip() or "made before the log was closed, received after"
    elif log.state == "closed":
        access.require(by, "eventlog.correct", log)
        if not reason.strip():
            raise NotLikeThis("The log is closed.", [Fault("reason", "say why this late correction is made")])
    else:
        access.require(by, "eventlog.revise", log)
    return event, reason


def _require_before_closing(log: Log, by: Actor, observed_at: dt.datetime, logged_at: dt.datetime) -> None:
    """What happened before closing may arrive after; what was typed after closing is a correction."""
    closed_at = log.closed_at or timezone.now()
    if observed_at > closed_at:
        raise NotNow(
            f"The {log} was closed at {closed_at:%Y-%m-%d %H:%M:%S} UTC, and this happened after. Keep it, and ask the "
            "operator of the vessel."
        )
    if logged_at > closed_at:
        access.require(by, "eventlog.correct", log)


def _save(
    event: Event,
    stood: Mapping[str, Any],
    by: Actor,
    verb: str,
    reason: str,
    change: uuids.UUID | None,
    device: str,
) -> None:
    """Saves the event and writes down what is different from how it stood, as `whole` told it."""
    changes = {name: [stood[name], value] for name, value in whole(event).items() if stood[name] != value}
    event.revision += 1
    event.save()
    ledger.append(event.log, [ledger.Entry("event", event, verb, changes, reason, change)], by=by, device=device)
