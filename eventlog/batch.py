"""Takes a batch of a tablet's outbox: each item in its own transaction, with a result of its own, in their order.

An item may come again after a lost answer: what was done is known by its id and not done twice.
"""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from eventlog import items, ledger, logbook, rows
from eventlog.items import Item
from eventlog.models import Event, Log, Measurement, Revision
from portal.access import Actor
from portal.refusals import Fault, NotFound, NotLikeThis, Refusal

logger = structlog.stdlib.get_logger("leadline.batch")
Problem = Callable[[Refusal], dict[str, Any]]


class Failed(Refusal):
    """The server failed on an item, through no fault of it: it is kept, and sent again later."""

    title = "The server failed"


@dataclass(slots=True)
class Sender:
    """Who sends: the person signed in, the tablet's name, how far its clock is ahead, and how passes are read.

    `who` gives the person of a pass; it raises a Refusal for one that does not hold. `problem` words a refusal.
    """

    by: Actor
    device: str
    clock_offset_s: float | None
    source: str
    who: Callable[[str, dt.datetime | None], Actor]
    problem: Problem


@dataclass(slots=True)
class _Course:
    """What the earlier items of a batch did: presses that were one with another event, and changes made."""

    same: dict[uuids.UUID, uuids.UUID] = field(default_factory=dict)
    made: dict[uuids.UUID, set[uuids.UUID]] = field(default_factory=dict)


def take(log: Log, values: list[Any], sender: Sender) -> list[dict[str, Any]]:
    """The result of each item, in their order: done, known, bounced, conflict, refused or failed.

    Raises only what concerns the database as a whole, as when it cannot be reached; then the batch is sent again.
    """
    course = _Course()
    return [_result(log, value, f"items[{index}]", sender, course) for index, value in enumerate(values)]


def _result(log: Log, value: Any, place: str, sender: Sender, course: _Course) -> dict[str, Any]:
    try:
        item = items.read(value, place, logbook.FIELDS)
    except NotLikeThis as refusal:
        given = value.get("id") if isinstance(value, dict) else None
        return _refused(given if isinstance(given, str) else None, refusal, sender)
    try:
        event, result = _twice(log, item, sender, course)
    except Refusal as refusal:
        return _refused(str(item.id), _placed(refusal, place), sender)
    if result != "bounced":
        course.made.setdefault(event.uuid, set()).add(item.id)
    return {
        "id": str(item.id),
        "result": result,
        "event": rows.event_row(event),
        "sequence": _sequence(event),
    }


def _twice(log: Log, item: Item, sender: Sender, course: _Course) -> tuple[Event, str]:
    """Does an item; once more where another sender took the same id in the same moment."""
    try:
        try:
            return _done(log, item, sender, course)
        except IntegrityError:
            if Revision.objects.filter(uuid=item.id).exclude(thing_uuid=item.uuid).exists():
                raise _taken() from None
            return _done(log, item, sender, course)
    except DataError as error:
        raise NotLikeThis("The item is not accepted.", [Fault("fields", "hold what cannot be stored")]) from error
    except (Refusal, OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("an item of a batch failed", item=str(item.id))
        raise Failed("The server could not take this item. It is not lost: keep it, and send it later.") from error


def _taken() -> NotLikeThis:
    return NotLikeThis("The item is not accepted.", [Fault("id", "is the id of another change; make a new one")])


def _done(log: Log, item: Item, sender: Sender, course: _Course) -> tuple[Event, str]:
    by = sender.who(item.token, item.made_at) if item.token else sender.by
    if item.verb == "record":
        event, new = logbook.record(
            log=log,
            by=by,
            fields=item.fields,
            uuid=item.uuid,
            logged_at=item.made_at,
            source=sender.source,
            device=sender.device,
            clock_offset_s=item.clock_offset_s if item.clock_offset_s is not None else sender.clock_offset_s,
            press=item.press,
            change=item.id,
            late=True,
        )
        if new:
            # It was made just now, without measurements; they need not be asked for.
            event._prefetched_objects_cache = {"measurements": Measurement.objects.none()}  # type: ignore[attr-defined]
            return event, "done"
        if event.uuid == item.uuid:
            return event, "known"
        course.same[item.uuid] = event.uuid
        return event, "bounced"
    uuid = course.same.get(item.uuid, item.uuid)
    event = _event(log, uuid)
    if (known := ledger.known(item.id)) is not None:
        if known.thing_uuid != uuid:
            raise _taken()
        return event, "known"
    words: dict[str, Any] = {"reason": item.reason, "change": item.id, "device": sender.device, "made_at": item.made_at}
    own = item.own | course.made.get(uuid, set())
    if item.verb == "revise":
        return logbook.revise(event=event, by=by, fields=item.fields, seen=item.seen, own=own, **words), "done"
    if item.verb == "strike":
        return logbook.strike(event=event, by=by, seen=item.seen, own=own, **words), "done"
    if item.verb == "restore":
        return logbook.restore(event=event, by=by, seen=item.seen, own=own, **words), "done"
    return logbook.undo(event=event, by=by, **words), "done"


def _event(log: Log, uuid: uuids.UUID) -> Event:
    event = Event.objects.filter(log=log, uuid=uuid).select_related("operation").first()
    if event is None:
        raise NotFound(f"There is no event {uuid} in the {log}. If it was made on this tablet, send it first.")
    event.log = log
    return event


def _sequence(event: Event) -> int:
    """The number of the last change of an event."""
    if event.sequence is not None:
        return event.sequence
    last = Revision.objects.filter(thing_uuid=event.uuid).order_by("-number").values_list("sequence", flat=True)
    return last.first() or 0


def _refused(change: str | None, refusal: Refusal, sender: Sender) -> dict[str, Any]:
    kinds: Mapping[type[Refusal], str] = {logbook.Conflict: "conflict", Failed: "failed"}
    result = next((word for kind, word in kinds.items() if isinstance(refusal, kind)), "refused")
    return {"id": change, "result": result, "problem": sender.problem(refusal)}


def _placed(refusal: Refusal, place: str) -> Refusal:
    """The refusal with the faults at their place in the batch."""
    if not isinstance(refusal, NotLikeThis):
        return refusal
    faults = [
        Fault(f"{place}.fields.{f.where}" if f.where in logbook.FIELDS else f"{place}.{f.where}", f.what, f.line)
        for f in refusal.faults
    ]
    return NotLikeThis(refusal.reason, faults)
