"""The verbs of the logbook: open, record, revise, strike, restore, close."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid as uuids
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from eventlog.exchange import document, r2r
from eventlog.models import Event, FinalCopy, Log, Revision, Template
from eventlog.states import ACTIONS, LOG, OTHER_ACTIONS
from portal import access, journal, voyage
from portal.access import Actor
from portal.lifecycle import CRUISE
from portal.models import Cruise, Person
from portal.refusals import Fault, NotFound, NotLikeThis, NotNow

# What a person may set; the rest follows.
FIELDS = (
    "observed_at",
    "instrument",
    "action",
    "transect",
    "station",
    "cast",
    "latitude",
    "longitude",
    "seafloor_m",
    "comment",
)
LONGEST = {"instrument": 120, "action": 120, "transect": 80, "station": 80, "cast": 40, "comment": 20_000}
FUTURE = dt.timedelta(hours=24)


def log_of(cruise: Cruise) -> Log:
    """The log of a cruise; one that was never opened is made, in its first state."""
    log, _ = Log.objects.get_or_create(cruise=cruise, defaults={"since": timezone.now()})
    return log


@transaction.atomic
def open_log(*, cruise: Cruise, by: Actor, note: str = "") -> Log:
    """Opens the log at departure: buttons from the instruments of the orders, and the ship is at sea."""
    log = _locked(log_of(cruise))
    access.require(by, "eventlog.open", cruise)
    log.state = LOG.step(log.state, "eventlog.open")
    log.since = log.opened_at = timezone.now()
    log.save()
    _templates(log)
    journal.record(by, "eventlog.open", log, note=note)
    cruise = Cruise.objects.get(pk=cruise.pk)
    if CRUISE.allows(cruise.state, "cruise.depart"):
        voyage.depart(cruise=cruise, by=by, note="the event log was opened")
    return log


@transaction.atomic
def record(
    *,
    log: Log,
    by: Actor,
    fields: Mapping[str, Any],
    uuid: uuids.UUID | None = None,
    logged_at: dt.datetime | None = None,
    source: str = "web",
) -> tuple[Event, bool]:
    """Records an event; says whether it is new. The same `uuid` twice is one event, however often it is sent.

    `fields` are those of FIELDS; times are aware, degrees north and east, metres. Raises NotYou, NotNow for a log that
    is not open, NotLikeThis with the faults by field.
    """
    log = _locked(log)
    access.require(by, "eventlog.record", log)
    if uuid is not None and (known := Event.objects.filter(uuid=uuid).first()):
        if known.log_id != log.pk:
            raise NotLikeThis("This event id is in use in another log.", [Fault("uuid", "make a new one")])
        return known, False
    if log.state != "open":
        raise NotNow(f"The {log} is {log.state}: {LOG.states[log.state]}. No new events can be recorded.")
    now = timezone.now()
    values = _checked(fields, now)
    logged_at = logged_at or now
    event = Event.objects.create(
        uuid=uuid or uuids.uuid4(),
        log=log,
        number=_next_number(log, logged_at),
        logged_at=logged_at,
        author=by if isinstance(by, Person) else None,
        author_name=str(by),
        source=source,
        **values,
    )
    _write_down(
        event,
        by,
        "record",
        {name: [None, value] for name, value in values.items() if value not in ("", None)},
    )
    return event, True


@transaction.atomic
def revise(*, event: Event, by: Actor, fields: Mapping[str, Any], reason: str = "", seen: int | None = None) -> Event:
    """Changes some fields of an event; what was stays in its revisions.

    `seen` is the revision that the person looked at: NotNow when somebody else has changed the event since.
    """
    event = _for_change(event, by, reason, seen)
    if event.struck_at:
        raise NotNow(f"Event {event.number} is struck; restore it before changing it.")
    values = _checked({name: getattr(event, name) for name in FIELDS} | dict(fields), timezone.now())
    changes = {name: [getattr(event, name), value] for name, value in values.items() if getattr(event, name) != value}
    if changes:
        for name, value in values.items():
            setattr(event, name, value)
        _save(event, by, "revise", changes, reason)
    return event


@transaction.atomic
def strike(*, event: Event, by: Actor, reason: str = "", seen: int | None = None) -> Event:
    """Strikes an event: it stays readable and leaves the exports. Nothing is ever deleted."""
    event = _for_change(event, by, reason, seen)
    if event.struck_at is None:
        event.struck_at = timezone.now()
        _save(event, by, "strike", {"struck": [False, True]}, reason)
    return event


@transaction.atomic
def restore(*, event: Event, by: Actor, reason: str = "", seen: int | None = None) -> Event:
    """Takes back a strike."""
    event = _for_change(event, by, reason, seen)
    if event.struck_at is not None:
        event.struck_at = None
        _save(event, by, "restore", {"struck": [True, False]}, reason)
    return event


@transaction.atomic
def close_log(*, cruise: Cruise, by: Actor, note: str = "") -> Log:
    """Closes the log and makes its final copies with checksums; the ship is back. Raises NotYou, NotNow."""
    log = _locked(log_of(cruise))
    access.require(by, "eventlog.close", cruise)
    log.state = LOG.step(log.state, "eventlog.close")
    log.since = log.closed_at = timezone.now()
    log.save()
    copies = [
        _final_copy(log, name, form, data)
        for name, form, data in (
            (f"R2R_ELOG_{cruise.cruise_id}_FINAL_EVENTLOG.csv", "r2r-csv", export(log, "r2r-csv")),
            (f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json", "json", export(log, "json")),
        )
    ]
    journal.record(by, "eventlog.close", log, note=note, changes={c.name: [None, c.sha256] for c in copies})
    cruise = Cruise.objects.get(pk=cruise.pk)
    if CRUISE.allows(cruise.state, "cruise.end"):
        voyage.end(cruise=cruise, by=by, note="the event log was closed")
    return log


def export(log: Log, form: str, *, names: bool = True) -> str:
    """The standing events of a log as "r2r-csv" or "json", the same text at every call.

    Without `names` for those who are not told who wrote what. Raises NotFound for another format.
    """
    if form not in ("r2r-csv", "json"):
        raise NotFound(f"The log is not exported as {form!r}; write r2r-csv or json.")
    revisions = Prefetch("revisions", Revision.objects.filter(number__gt=1))
    events = log.events.standing().in_order().prefetch_related("measurements", revisions)
    logged = (event.logged(names=names) for event in events.iterator(chunk_size=2000))
    cruise = log.cruise
    if form == "r2r-csv":
        return r2r.write(logged, cruise.cruise_id)
    header = {
        "cruise_id": cruise.cruise_id,
        "vessel_id": cruise.vessel_id,
        "opened_at": _iso(log.opened_at),
        "closed_at": _iso(log.closed_at),
    }
    return document.write(header, logged)


def _iso(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).isoformat() if at else None


def _final_copy(log: Log, name: str, form: str, text: str) -> FinalCopy:
    data = text.encode()
    copy, _ = FinalCopy.objects.update_or_create(
        log=log,
        name=name,
        defaults={
            "format": form,
            "data": data,
            "size": len(data),
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "events": log.events.standing().count(),
            "made_at": timezone.now(),
        },
    )
    return copy


def _locked(log: Log) -> Log:
    """The log, locked: events of a log are numbered one after the other."""
    return Log.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=log.pk)


def _for_change(event: Event, by: Actor, reason: str, seen: int | None) -> Event:
    log = _locked(event.log)
    event = Event.objects.select_for_update(of=("self",)).select_related("log__cruise__vessel").get(pk=event.pk)
    if log.state == "closed":
        access.require(by, "eventlog.correct", log)
        if not reason.strip():
            raise NotLikeThis("The log is closed.", [Fault("reason", "say why this late correction is made")])
    else:
        access.require(by, "eventlog.revise", log)
    if seen is not None and seen != event.revision:
        last = event.revisions.order_by("-number").first()
        who = f" by {last.by_name} at {last.at:%Y-%m-%d %H:%M:%S} UTC" if last else ""
        raise NotNow(f"Event {event.number} was changed{who} after you opened it. Look at it again, then change it.")
    return event


def _save(event: Event, by: Actor, verb: str, changes: dict[str, Any], reason: str) -> None:
    event.revision += 1
    event.save()
    _write_down(event, by, verb, changes, reason)


def _write_down(event: Event, by: Actor, verb: str, changes: dict[str, Any], reason: str = "") -> None:
    """The revision, and its line in the journal."""
    plain = {name: [_plain(before), _plain(after)] for name, (before, after) in changes.items()}
    Revision.objects.create(
        event=event,
        number=event.revision,
        at=timezone.now(),
        by=by if isinstance(by, Person) else None,
        by_name=str(by),
        verb=verb,
        reason=reason,
        changes=plain,
        after_close=event.log.state == "closed",
    )
    journal.record(by, f"eventlog.{verb}", event, note=reason, changes=plain)


def _plain(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value


def _next_number(log: Log, logged_at: dt.datetime) -> str:
    """YYYYMMDD.HHMM.NNN of the minute in which it was logged, NNN from 001 in each minute."""
    minute = f"{logged_at.astimezone(dt.UTC):%Y%m%d.%H%M}."
    last = log.events.filter(number__startswith=minute).order_by("-number").values_list("number", flat=True).first()
    tail = last.removeprefix(minute) if last else "0"
    return f"{minute}{int(tail) + 1 if tail.isdigit() else log.events.count() + 1:03d}"


def _checked(fields: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """The fields, trimmed. Raises NotLikeThis with every fault."""
    faults = []
    values: dict[str, Any] = {}
    for name in FIELDS:
        value = fields.get(name)
        if name in LONGEST:
            value = str(value or "").strip()
            if len(value) > LONGEST[name]:
                faults.append(Fault(name, f"has {len(value):,} characters; at most {LONGEST[name]:,}"))
            if "\0" in value:
                faults.append(Fault(name, "holds a NUL character"))
        values[name] = value
    if not values["instrument"]:
        faults.append(Fault("instrument", "is needed"))
    if not values["action"]:
        faults.append(Fault("action", "is needed"))
    if not isinstance(values["observed_at"], dt.datetime) or values["observed_at"].tzinfo is None:
        faults.append(Fault("observed_at", "is needed, as a time in UTC"))
    elif values["observed_at"] > now + FUTURE:
        faults.append(Fault("observed_at", f"lies more than a day after now, {now:%Y-%m-%d %H:%M} UTC"))
    for name, most in (("latitude", 90), ("longitude", 180), ("seafloor_m", 12_000)):
        value = values[name]
        if value is not None and not (-most <= value <= most):
            faults.append(Fault(name, f"{value} is not between -{most} and {most}"))
    if (values["latitude"] is None) != (values["longitude"] is None):
        faults.append(Fault("longitude", "a position needs latitude and longitude"))
    if faults:
        raise NotLikeThis("The event is not accepted.", faults)
    return values


def _templates(log: Log) -> None:
    """Buttons for the ship and for every instrument of the orders."""
    wanted = [("Ship", action) for action in ACTIONS["ship"]]
    for instrument in log.cruise.instruments.all():
        actions = ACTIONS.get(instrument.device_class.lower(), OTHER_ACTIONS)
        wanted += [(instrument.name, action) for action in actions]
    Template.objects.bulk_create(
        [Template(log=log, instrument=i, action=a, order=n) for n, (i, a) in enumerate(wanted)],
        ignore_conflicts=True,
    )
