"""Brings operations in line with their standing events, and writes down what that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from eventlog import ledger, machines
from eventlog.machines import Course, Moment
from eventlog.models import Event, Log, Operation
from portal import access
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis

# The state of an operation none of whose events stands.
STRUCK = "struck"
LONGEST_COMMENT = 5000
FOLLOWS = ("kind", "instrument", "cast", "station", "state", "started_at", "ended_at", "is_open")
_COLUMNS = ("operation_id", "observed_at", "instrument", "action", "ended_at", "cast", "station")


def follow(*, log: Log, operations: Iterable[Operation | None], by: Actor, device: str = "") -> None:
    """Brings the state, times and cast of these operations in line with their standing events.

    The caller holds the lock of the log. What changed becomes a revision of the operation.
    """
    wanted = {operation.pk: operation for operation in operations if operation is not None}
    if not wanted:
        return
    classes = classes_of(log)
    moments = moments_of(wanted)
    entries = []
    for pk, operation in wanted.items():
        values = follows(operation, moments[pk], classes)
        changes = {n: [getattr(operation, n), value] for n, value in values.items() if getattr(operation, n) != value}
        if not changes:
            continue
        for name, value in values.items():
            setattr(operation, name, value)
        operation.revision += 1
        operation.save()
        entries.append(ledger.Entry("operation", operation, "follow", changes))
    ledger.append(log, entries, by=by, device=device)


@transaction.atomic
def remark(*, operation: Operation, by: Actor, comment: str, reason: str = "", device: str = "") -> Operation:
    """Sets the comment on an operation as a whole. Raises NotYou; NotLikeThis for a closed log without a reason."""
    log = ledger.locked(operation.log)
    late = log.state == "closed"
    access.require(by, "eventlog.correct" if late else "eventlog.revise", log)
    if late and not reason.strip():
        raise NotLikeThis("The log is closed.", [Fault("reason", "say why this late correction is made")])
    if len(comment) > LONGEST_COMMENT or "\0" in comment:
        raise NotLikeThis("The comment is not accepted.", [Fault("comment", "is too long or holds a NUL character")])
    operation = Operation.objects.select_for_update(of=("self",)).get(pk=operation.pk)
    if operation.comment != comment.strip():
        changes = {"comment": [operation.comment, comment.strip()]}
        operation.comment = comment.strip()
        operation.revision += 1
        operation.save()
        ledger.append(log, [ledger.Entry("operation", operation, "remark", changes, reason)], by=by, device=device)
    return operation


def follows(operation: Operation, moments: list[Moment], classes: dict[str, str]) -> dict[str, Any]:
    """What an operation is, by its standing events in their order."""
    if not moments:
        values = {name: getattr(operation, name) for name in FOLLOWS}
        return values | {"state": STRUCK, "started_at": None, "ended_at": None, "is_open": False}
    first = machines.read(moments[0].instrument, moments[0].action, classes.get(moments[0].instrument, ""))
    kind, subject = operation.kind, operation.instrument
    if first.step is not None or first.subject != subject:
        kind, subject = first.kind, first.subject
    course = Course.of(machines.MACHINES[kind], moments, classes.get(moments[0].instrument, ""))
    return {
        "kind": kind,
        "instrument": subject,
        "cast": course.cast,
        "station": course.station,
        "state": course.state or "begun",
        "started_at": course.started_at,
        "ended_at": course.ended_at,
        "is_open": course.is_open,
    }


def moments_of(operations: Iterable[int], without: int | None = None) -> dict[int, list[Moment]]:
    """The standing events of operations (but the one with the key `without`), by the keys of these, in order."""
    found: dict[int, list[Moment]] = defaultdict(list)
    rows = Event.objects.standing().filter(operation__in=list(operations)).in_order().values_list(*_COLUMNS)
    if without is not None:
        rows = rows.exclude(pk=without)
    for operation, *rest in rows:
        found[operation].append(Moment(*rest))
    return found


def classes_of(log: Log) -> dict[str, str]:
    """The device class of each instrument that has buttons."""
    return dict(log.templates.exclude(kind="").order_by("-order").values_list("instrument", "kind"))
