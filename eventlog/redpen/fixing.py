"""Makes the call that a fix of a finding is. Each is an ordinary verb, with its rights and its revision."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from eventlog import logbook, operations, places, vocabulary
from eventlog.models import Event, Log, Place
from portal.access import Actor
from portal.refusals import Fault, NotFound, NotLikeThis

_TIMES = ("observed_at", "ended_at")


@transaction.atomic
def fix(
    *,
    log: Log,
    call: Mapping[str, Any],
    by: Actor,
    said: Mapping[str, Any] | None = None,
    reason: str = "",
    device: str = "",
) -> str:
    """Makes the call of a fix; `said` holds what it asks for, as {"observed_at": an aware time}. Says what was done.

    Raises what the verb raises; NotLikeThis where what it asks for was not said.
    """
    said = said or {}
    if lacks := [name for name in call.get("asks", ()) if not said.get(name)]:
        raise NotLikeThis("The fix needs more.", [Fault(name, "say when it happened") for name in lacks])
    why = reason.strip() or "red pen"
    verb = call["verb"]
    if verb == "record":
        fields = _fields(call["fields"]) | dict(said)
        event, _ = logbook.record(log=log, by=by, fields=fields, device=device)
        return f"{event.instrument} {event.action} is recorded as {event.number}."
    if verb in ("revise", "strike"):
        event = _event(log, call["uuid"])
        if verb == "strike":
            logbook.strike(event=event, by=by, reason=why, device=device)
            return f"Event {event.number} is struck."
        logbook.revise(event=event, by=by, fields=_fields(call["fields"]), reason=why, seen=call["seen"], device=device)
        return f"Event {event.number} is changed."
    if verb == "recast":
        return _recast(log, call, by, why, device)
    if verb == "respell":
        count = vocabulary.respell(
            log=log, kind=call["kind"], words=call["words"], name=call["name"], by=by, reason=reason, device=device
        )
        return f"{count} events say {call['name']} now."
    if verb == "propose":
        vocabulary.propose(log=log, kind=call["kind"], name=call["name"], by=by, reason=why, device=device)
        return f"{call['name']} is proposed, and can be used."
    if verb == "merge":
        place, into = (_place(log, call[name]) for name in ("place", "into"))
        places.merge(place=place, into=into, by=by, reason=reason, device=device)
        return f"{place.name} is {into.name} now."
    raise NotFound("There is no such fix.")


def _recast(log: Log, call: Mapping[str, Any], by: Actor, reason: str, device: str) -> str:
    operation = log.operations.filter(uuid=call["operation"]).first()
    if operation is None:
        raise NotFound("There is no such operation in this log.")
    for event in operation.events.standing().exclude(cast=call["cast"]).in_order():
        logbook.revise(event=event, by=by, fields={"cast": call["cast"]}, reason=reason, device=device)
    operation.refresh_from_db()
    return f"It is {operations.shown(operation)['instrument']} {call['cast']} now."


def _fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: dt.datetime.fromisoformat(value) if name in _TIMES and isinstance(value, str) else value
        for name, value in fields.items()
    }


def _event(log: Log, uuid: str) -> Event:
    found = log.events.select_related("operation", "log__cruise__vessel").filter(uuid=uuids.UUID(uuid)).first()
    if found is None:
        raise NotFound("There is no such event in this log.")
    return found


def _place(log: Log, uuid: str) -> Place:
    found = log.places.select_related("log").filter(uuid=uuids.UUID(uuid)).first()
    if found is None:
        raise NotFound("There is no such place in this log.")
    return found
