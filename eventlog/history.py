"""Any past state of an event or of a whole log, replayed from the revisions; the rows are not asked.

Also what a row says now, in the words of its revisions, to compare the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from eventlog import chain, replay
from eventlog.ledger import Thing
from eventlog.logbook.events import whole
from eventlog.models import Attachment, DataFile, Event, Log, Measurement, Operation, Place, Revision, Template, Term

# The table of each kind of thing that revisions tell of.
TABLES: dict[str, type[Any]] = {
    "event": Event,
    "operation": Operation,
    "place": Place,
    "term": Term,
    "template": Template,
    "attachment": Attachment,
    "file": DataFile,
}
# Fields that name another thing by its UUID.
LINKS = ("operation", "event", "merged_into", "replaced_by")
REPLAYED = ("thing", "thing_uuid", "number", "sequence", "verb", "changes", "at", "by_id")
CHUNK = 2000


def revisions_of(thing: Thing) -> list[Revision]:
    """The revisions of an event (or an operation, a place …), the first one first."""
    return list(Revision.objects.filter(thing_uuid=thing.uuid).order_by("number"))


def as_of(thing: Thing, sequence: int) -> dict[str, Any]:
    """How an event (or an operation, a place …) stood after revision `sequence` of its log, as JSON holds its fields.

    Empty where it did not exist yet. `struck` tells whether it was struck then; times are ISO 8601 in UTC.
    """
    rows = Revision.objects.filter(thing_uuid=thing.uuid).order_by("number").values(*REPLAYED)
    kind = rows[0]["thing"] if rows else ""
    told = replay.state(rows, sequence)
    return replay.whole(kind, told) if told else {}


def log_as_of(log: Log, sequence: int) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(kind, uuid, fields) of everything that the log held after revision `sequence`, in the order of the UUIDs."""
    for kind, uuid, rows in histories(log):
        if told := replay.state(rows, sequence):
            yield kind, uuid, replay.whole(kind, told)


def histories(log: Log, kind: str = "") -> Iterator[tuple[str, Any, list[dict[str, Any]]]]:
    """(kind, uuid, revisions) of everything in the log, or of one kind, by UUID; read bit by bit."""
    rows = log.revisions.order_by("thing_uuid", "number").values(*REPLAYED)
    if kind:
        rows = rows.filter(thing=kind)
    for uuid, group in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row["thing_uuid"]):
        found = list(group)
        yield found[0]["thing"], uuid, found


def sequence_at(log: Log, moment: dt.datetime) -> int:
    """The number of the last revision that had been made at a moment; 0 before the first."""
    last = log.revisions.filter(at__lte=moment).order_by("-sequence").values_list("sequence", flat=True).first()
    return last or 0


def content(kind: str, row: Any, *, measurements: list[Measurement] | None = None) -> dict[str, Any]:
    """What a row says now, field by field, in the words that its revisions use.

    `measurements` of an event, where they are known to the caller, in the order of their writing.
    """
    if kind == "event":
        found = list(row.measurements.all()) if measurements is None else measurements
        return whole(row) | {"measurements": [[m.source, m.name, m.value, m.unit] for m in found]}
    values: dict[str, Any] = {}
    for name in replay.CONTENT[kind]:
        if name == "struck":
            values[name] = row.struck_at is not None
        elif name in LINKS:
            linked = getattr(row, name)
            values[name] = linked.uuid if linked else None
        else:
            values[name] = getattr(row, name)
    plain: dict[str, Any] = chain.plain(values)
    return plain
