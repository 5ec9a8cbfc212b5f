"""Builds the operations of many events at once: of a file that is imported, or of a log that had none."""

from __future__ import annotations

import bisect
import datetime as dt
import uuid as uuids
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from eventlog import gazetteer, ledger, machines
from eventlog.machines import Course, Moment
from eventlog.models import Event, Log, Operation
from eventlog.operations.following import STRUCK, classes_of, follow, moments_of
from eventlog.operations.joining import begun
from portal import access
from portal.access import Actor

BATCH = 1000
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def gather(*, log: Log, events: Sequence[Event], by: Actor, device: str = "") -> list[Operation]:
    """Sets `event.operation` of these events, which need not be saved yet, and makes the operations they begin.

    What a file said of casts and stations stays as it was: nothing is filled in, and a beginning without an end stays
    open, to be asked about. Events that have an operation keep it. Returns the operations made or changed; the
    caller holds the lock of the log, saves the events and then says `follow` for operations that were there before.
    """
    classes = classes_of(log)
    courses = _known(log, classes)
    made: list[Operation] = []
    touched: dict[uuids.UUID, Operation] = {}
    gazetteer.note_all(log, (event for event in events if event.struck_at is None), by, device)
    standing = [event for event in events if event.struck_at is None and event.operation is None]
    for event in sorted(standing, key=lambda event: (event.observed_at, event.number)):
        reading = machines.read(event.instrument, event.action, classes.get(event.instrument, ""))
        mine = courses[reading.subject, reading.kind]
        # Only those next to its time can run then, or stand without their beginning.
        here = bisect.bisect_right(mine, event.observed_at, key=_begin)
        course = machines.choose(reading, event.observed_at, mine[max(0, here - 8) : here + 2])
        if course is None:
            if reading.step is None:
                continue
            course = Course(reading.machine, thing=Operation(log=log, kind=reading.kind, instrument=reading.subject))
            mine.insert(here, course)
            made.append(course.thing)
        moment = Moment(event.observed_at, event.instrument, event.action, event.ended_at, event.cast, event.station)
        course.take(moment, reading)
        event.operation = course.thing
        touched[course.thing.uuid] = course.thing
        if course.thing.pk is None:
            _write(course)
    Operation.objects.bulk_create(made, batch_size=BATCH)
    ledger.append(log, [begun(operation) for operation in made], by=by, device=device)
    return list(touched.values())


@transaction.atomic
def from_events(*, log: Log, by: Actor, device: str = "") -> int:
    """Builds the operations of a log whose events have none yet; says how many. Each event gets a revision "join".

    Raises NotYou.
    """
    log = ledger.locked(log)
    access.require(by, "eventlog.import", log)
    events = list(log.events.standing().filter(operation__isnull=True).in_order())
    before = log.operations.count()
    touched = gather(log=log, events=events, by=by, device=device)
    joined = [event for event in events if event.operation is not None]
    for event in joined:
        event.revision += 1
    for start in range(0, len(joined), BATCH):
        batch = joined[start : start + BATCH]
        Event.objects.bulk_update(batch, ["operation", "revision"])
        entries = [_joined(event) for event in batch]
        ledger.append(log, entries, by=by, device=device)
    follow(log=log, operations=touched, by=by, device=device)
    return log.operations.count() - before


def _joined(event: Event) -> ledger.Entry:
    operation = event.operation
    assert operation is not None
    return ledger.Entry("event", event, "join", {"operation": [None, str(operation.uuid)]})


def _begin(course: Course) -> dt.datetime:
    return course.begin() or NEVER


def _write(course: Course) -> None:
    """What the operation of a course is, as far as it has come."""
    operation: Operation = course.thing
    for name in ("cast", "station", "started_at", "ended_at", "is_open"):
        setattr(operation, name, getattr(course, name))
    operation.state = course.state or "begun"


def _known(log: Log, classes: dict[str, str]) -> dict[tuple[str, str], list[Course]]:
    """The courses of the operations that the log has, by subject and kind, in the order of their beginnings."""
    found: dict[tuple[str, str], list[Course]] = defaultdict(list)
    rows = list(log.operations.exclude(state=STRUCK).order_by("pk"))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        moments = moments_of(operation.pk for operation in batch)
        for operation in batch:
            machine = machines.MACHINES.get(operation.kind)
            if machine is None or not moments[operation.pk]:
                continue
            device_class = classes.get(operation.instrument, "")
            course = Course.of(machine, moments[operation.pk], device_class, thing=operation)
            found[operation.instrument, operation.kind].append(course)
    for courses in found.values():
        courses.sort(key=_begin)
    return found
