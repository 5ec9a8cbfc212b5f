"""Writes revisions: numbered without a hole in their log, chained, and never altered.

Whoever appends holds the lock on the log's row, so that numbers are given, and seen, in one order.
"""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from eventlog import chain
from eventlog.live.wakeups import wakeups
from eventlog.models import Event, Log, Revision
from portal import bulk
from portal.access import Actor
from portal.models import Person


class Thing(Protocol):
    """What has revisions: an event, an operation, a place …"""

    uuid: Any
    revision: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision to write; `thing` is the row as it now stands, its `revision` counted up already."""

    kind: str
    thing: Thing
    verb: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    change: uuids.UUID | None = None


@dataclass(slots=True)
class Numbered:
    """Stands in an entry for a thing whose row does not count its revisions; see `numbered`."""

    uuid: uuids.UUID
    revision: int = 1


def numbered(uuid: uuids.UUID) -> Numbered:
    """The next revision of a thing whose row does not count them. The caller holds the lock of the log."""
    last = Revision.objects.filter(thing_uuid=uuid).order_by("-number").values_list("number", flat=True).first()
    return Numbered(uuid, (last or 0) + 1)


def locked(log: Log) -> Log:
    """The log, its row locked to the end of the transaction: changes of a log come one after the other.

    Its cruise is the one that was read before: every press waits for this, and a cruise does not change its log.
    """
    found = Log.objects.select_for_update().get(pk=log.pk)
    found.cruise = log.cruise
    return found


def append(log: Log, entries: Iterable[Entry], *, by: Actor, device: str = "") -> list[Revision]:
    """Writes the entries at the end of the log's chain, in their order. The caller holds the lock of the log."""
    if not transaction.get_connection().in_atomic_block:
        raise ImproperlyConfigured("a revision is written outside the transaction of its change")
    last = log.revisions.order_by("-sequence").values_list("sequence", "digest").first()
    sequence, previous = last or (0, "")
    now = timezone.now()
    rows = []
    for entry in entries:
        sequence += 1
        row = _row(log, entry, sequence, previous, now, by, device)
        previous = row.digest
        rows.append(row)
        if isinstance(entry.thing, Event):
            entry.thing.sequence = sequence
    if rows:
        transaction.on_commit(partial(wakeups.everywhere, log.pk), robust=True)
    return bulk.create(Revision, rows)


def _row(log: Log, entry: Entry, sequence: int, previous: str, at: dt.datetime, by: Actor, device: str) -> Revision:
    row = Revision(
        uuid=entry.change or uuids.uuid4(),
        log=log,
        sequence=sequence,
        thing=entry.kind,
        thing_uuid=entry.thing.uuid,
        event=entry.thing if isinstance(entry.thing, Event) else None,
        number=entry.thing.revision,
        at=at,
        by=by if isinstance(by, Person) else None,
        by_name=str(by),
        device=device,
        verb=entry.verb,
        reason=entry.reason,
        changes=chain.plain(entry.changes),
        after_close=log.state == "closed",
        previous=previous,
    )
    row.digest = chain.digest(words(row, log.cruise.cruise_id))
    return row


def words(row: Revision, cruise_id: str) -> dict[str, Any]:
    """What the digest of a revision covers."""
    return {name: cruise_id if name == "cruise_id" else getattr(row, name) for name in chain.COVERED}


def known(change: uuids.UUID | None) -> Revision | None:
    """The revision that a change with this id made before, when it was sent a second time."""
    if change is None:
        return None
    return Revision.objects.filter(uuid=change).select_related("event", "log").first()


def about(log: Log, verb: str, changes: Mapping[str, Any], reason: str = "") -> Entry:
    """An entry about the log as a whole, as that it was opened; the caller holds its lock."""
    return Entry("log", numbered(log.cruise.uuid), verb, changes, reason)
