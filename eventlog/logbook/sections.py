"""Everything in a log as the rows of its final copy: see `eventlog.exchange.finalcopy`. No addresses of people."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q

from eventlog import chain, history
from eventlog.exchange import finalcopy
from eventlog.models import Log, Seal
from portal.models import Person

CHUNK = 2000
ORDER = {"event": ("observed_at", "number"), "attachment": ("received_at", "uuid")}
LINKED = {"event": ("operation", "author"), "place": ("merged_into",), "term": ("replaced_by",)}
# Beside what revisions tell.
BESIDE = {"event": ("struck_at",), "attachment": ("struck_at", "received_at", "by_name"), "file": ("first_seen_at",)}
_REVISION = (*(name for name in chain.COVERED if name != "cruise_id"), "digest", "by_id")
IMPORT = (
    *("number", "name", "sha256", "format", "counts", "notes", "problems", "at", "by_name", "spans", "options"),
    *("finished_at", "undone_at", "undone_by_name", "undone_reason", "report"),
)
SEAL = ("at", "by_name", "sequence", "head", "counts", "checksums")
Row = dict[str, Any]


def header_of(log: Log) -> Row:
    """Of what it is the log."""
    cruise = log.cruise
    row: Row = chain.plain(
        {
            "cruise_id": cruise.cruise_id,
            "cruise_uuid": cruise.uuid,
            "vessel_id": cruise.vessel_id,
            "state": log.state,
            "opened_at": log.opened_at,
            "closed_at": log.closed_at,
        }
    )
    return row


def sections_of(log: Log, seal: Seal) -> Mapping[str, Iterable[Row]]:
    """The rows of each section, read bit by bit. `seal`: the one that is being made, not saved yet."""
    people = dict(_people(log).values_list("pk", "uuid"))
    found: dict[str, Iterable[Row]] = {
        "people": ({"uuid": str(p.uuid), "name": str(p)} for p in _people(log)),
        "revisions": _revisions(log, people),
        "imports": _imports(log),
        "seals": (told(row) for row in [*log.seals.order_by("sequence"), seal]),
    }
    return found | {section: _things(log, kind) for section, kind in finalcopy.KINDS.items()}


def told(seal: Seal) -> Row:
    """A seal as a row."""
    row: Row = chain.plain({name: getattr(seal, name) for name in SEAL})
    return row


def _people(log: Log) -> Any:
    wrote = Q(pk__in=log.events.values("author")) | Q(pk__in=log.revisions.values("by"))
    return (
        Person.objects.filter(wrote | Q(parties__cruise=log.cruise_id, parties__may_log=True))
        .distinct()
        .order_by("uuid")
    )


def _revisions(log: Log, people: Mapping[int, Any]) -> Iterator[Row]:
    for row in log.revisions.order_by("sequence").values(*_REVISION).iterator(chunk_size=CHUNK):
        row["by"] = people.get(row.pop("by_id"))
        yield chain.plain(row)


def _imports(log: Log) -> Iterator[Row]:
    """What was imported; the files themselves lie in the ZIP beside the document."""
    for row in log.imports.order_by("number").values(*IMPORT).iterator(chunk_size=1):
        yield chain.plain(row | {"report": base64.b64encode(bytes(row["report"])).decode()})


def _things(log: Log, kind: str) -> Iterator[Row]:
    rows = history.TABLES[kind]._default_manager.filter(log=log).order_by(*ORDER.get(kind, ("uuid",)))
    rows = rows.select_related(*LINKED[kind]) if kind in LINKED else rows
    rows = rows.prefetch_related("measurements") if kind == "event" else rows
    for thing in rows.iterator(chunk_size=CHUNK):
        row = history.content(kind, thing) | {"uuid": thing.uuid}
        row |= {name: getattr(thing, name) for name in BESIDE.get(kind, ())}
        if kind == "event":
            row["author"] = thing.author.uuid if thing.author else None
        if hasattr(thing, "revision"):
            row["revision"] = thing.revision
        yield chain.plain(row)
