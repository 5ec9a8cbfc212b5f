"""The journal: one row for every act, written in the transaction of the change."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.utils import timezone

from portal.access import Actor, System
from portal.models import JournalEntry, Person


def record(
    by: Actor,
    verb: str,
    thing: models.Model,
    *,
    note: str = "",
    changes: dict[str, Any] | None = None,
) -> JournalEntry:
    """Writes down that `by` did `verb` to `thing`. Must be called inside the transaction of the change."""
    if not transaction.get_connection().in_atomic_block:
        raise ImproperlyConfigured(f"{verb} is journalled outside the transaction of its change")
    person = by if isinstance(by, Person) else None
    return JournalEntry.objects.create(
        at=timezone.now(),
        by=person,
        by_name=str(by) if isinstance(by, Person | System) else "public",
        verb=verb,
        cruise=getattr(thing, "cruise", None),
        kind=thing._meta.label_lower,
        key=str(thing.pk),
        label=str(thing)[:200],
        note=note,
        changes=changes or {},
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64],
    )


def of(thing: models.Model) -> models.QuerySet[JournalEntry]:
    """What happened to `thing`, newest first."""
    return JournalEntry.objects.filter(kind=thing._meta.label_lower, key=str(thing.pk))
