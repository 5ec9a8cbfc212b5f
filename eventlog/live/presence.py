"""Tablets: what was last heard of each, and who is there now."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from eventlog.models import Device, Log
from portal.access import Actor

# Whoever was heard of within this time is there; a screen tells of itself every 15 s.
THERE = dt.timedelta(seconds=45)
STEP = dt.timedelta(seconds=10)
MOST_REMEMBERED = 1000
_lately: dict[uuids.UUID, tuple[Any, dt.datetime]] = {}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tablet said of itself."""

    uuid: uuids.UUID
    name: str
    waiting: int | None = None
    page: str = ""
    clock_offset_s: float | None = None


def heard(log: Log, said: Heard, *, by: Actor, now: dt.datetime) -> None:
    """Notes what was heard of a tablet; one that is new is enrolled. A tablet writes in one log at a time.

    What is as it was a few seconds ago is not written again: a press shall not wait for it.
    """
    clock = None if said.clock_offset_s is None else round(said.clock_offset_s)
    words = (log.pk, said.name, said.page, said.waiting, str(by), clock)
    before, at = _lately.get(said.uuid, (None, now))
    if before == words and now - at < STEP:
        return
    if len(_lately) > MOST_REMEMBERED:
        _lately.clear()
    _lately[said.uuid] = (words, now)
    _write(log, said, by, now)


def _write(log: Log, said: Heard, by: Actor, now: dt.datetime) -> None:
    values: dict[str, Any] = {
        "log": log,
        "name": said.name,
        "page": said.page,
        "seen_at": now,
        "seen_by": str(by),
    }
    if said.waiting is not None:
        values["waiting"] = said.waiting
    if said.clock_offset_s is not None:
        values |= {"clock_offset_s": said.clock_offset_s, "clock_at": now}
    if Device.objects.filter(uuid=said.uuid).update(**values):
        return
    try:
        with transaction.atomic():
            Device.objects.create(uuid=said.uuid, **values)
    except IntegrityError:  # another request of the same tablet was quicker
        Device.objects.filter(uuid=said.uuid).update(**values)


def there(log: Log, now: dt.datetime) -> list[dict[str, Any]]:
    """Who is there: [{"name", "device", "page", "waiting"}], by name."""
    found = log.devices.filter(seen_at__gte=now - THERE).order_by("seen_by", "name", "uuid")
    return [
        {"name": d.seen_by, "device": d.name, "uuid": str(d.uuid), "page": d.page, "waiting": d.waiting} for d in found
    ]
