"""Puts what feeds say into the database: fixes and samples once each, and the count of what was refused and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from eventlog.models import Feed, Fix, Sample
from eventlog.navigation.reading import Batch, Position, Value

ROWS: Final = 5000  # in one statement
COUNTS = ("lines", "fixes", "samples", "other", "no_fix", "no_depth", "unchecked")
_FIX = ("feed_id", "at_us", "latitude_e7", "longitude_e7", "quality", "speed_cmps", "course_cdeg")
_FIX_TYPES = ("bigint", "integer", "integer", "smallint", "smallint", "integer")
_SAMPLE = ("feed_id", "quantity", "at_us", "value")
_SAMPLE_TYPES = ("smallint", "bigint", "double precision")


@dataclass(frozen=True, slots=True)
class Stored:
    """How many fixes and samples were new, or new in part, and the span of the fixes, microseconds since 1970."""

    fixes: int = 0
    samples: int = 0
    span_us: tuple[int, int] | None = None


@transaction.atomic
def keep(feed: Feed, batch: Batch, *, at: dt.datetime | None = None) -> Stored:
    """Stores a batch of a feed and notes in the feed's health what came and what was refused.

    The same fix a second time changes nothing; a course that comes later fills the gap of its fix. `at`: when it was
    heard, where that is now. The span of new fixes is noted too, so that positions of events follow; see `recompute`.
    """
    fixes = _insert_fixes(feed.pk, batch.fixes)
    samples = _insert_samples(feed.pk, batch.samples)
    times = [fix[0] for fix in batch.fixes] + [sample[1] for sample in batch.samples]
    span = (min(times), max(times)) if times else None
    locked = Feed.objects.select_for_update().get(pk=feed.pk)
    locked.health = health = noted(locked.health, batch)
    health["counts"]["new_fixes"] = health["counts"].get("new_fixes", 0) + fixes
    if span and (fixes or samples):
        since, until = health.get("late") or span
        health["late"] = [min(since, span[0]), max(until, span[1])]
    if batch.fixes:
        health["newest_us"] = max(health.get("newest_us", 0), max(fix[0] for fix in batch.fixes))
    if at is not None:
        locked.last_at = at
    locked.save(update_fields=["health", "last_at"])
    feed.health, feed.last_at = health, locked.last_at
    return Stored(fixes, samples, span)


def noted(health: Any, batch: Batch) -> dict[str, Any]:
    """A feed's health with the counts and the evidence of a batch added."""
    found: dict[str, Any] = dict(health) if isinstance(health, dict) else {}
    counts = dict(found.get("counts", {}))
    for name in COUNTS:
        counts[name] = counts.get(name, 0) + getattr(batch.tally, name)
    refused = dict(counts.get("refused", {}))
    for reason, number in batch.tally.refused.items():
        refused[reason] = refused.get(reason, 0) + number
    counts["refused"] = refused
    found["counts"] = counts
    if batch.tally.last:
        line, reason = batch.tally.last
        found["last_refused"] = {"line": line, "reason": reason, "at": timezone.now().isoformat()}
    if batch.evidence:
        found["evidence"] = {**found.get("evidence", {}), **batch.evidence}
    return found


def _insert_fixes(feed_id: int, rows: Sequence[Position]) -> int:
    # A speed that was not told before is filled in; everything else of a known fix stays.
    fill = (
        f"DO UPDATE SET speed_cmps = excluded.speed_cmps, course_cdeg = excluded.course_cdeg "
        f"WHERE {Fix._meta.db_table}.speed_cmps IS NULL AND excluded.speed_cmps IS NOT NULL"
    )
    return _insert(Fix._meta.db_table, _FIX, _FIX_TYPES, "feed_id, at_us", fill, feed_id, rows)


def _insert_samples(feed_id: int, rows: Sequence[Value]) -> int:
    key = "feed_id, quantity, at_us"
    return _insert(Sample._meta.db_table, _SAMPLE, _SAMPLE_TYPES, key, "DO NOTHING", feed_id, rows)


def _insert(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    key: str,
    conflict: str,
    feed_id: int,
    rows: Sequence[tuple[Any, ...]],
) -> int:
    """Inserts rows without their feed; returns how many were new or filled. The names in the text are ours."""
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    done = 0
    with connection.cursor() as cursor:
        for part in _parts(rows):
            if connection.vendor == "postgresql":
                arrays = ", ".join(f"%s::{kind}[]" for kind in types)
                query = f"{into} SELECT {int(feed_id)}, * FROM unnest({arrays}) ON CONFLICT ({key}) {conflict}"  # noqa: S608
                cursor.execute(query, [list(column) for column in zip(*part, strict=True)])
            else:
                marks = ", ".join(["%s"] * len(types))
                query = f"{into} VALUES ({int(feed_id)}, {marks}) ON CONFLICT ({key}) {conflict}"
                cursor.executemany(query, part)
            done += max(cursor.rowcount, 0)
    return done


def _parts(rows: Sequence[tuple[Any, ...]]) -> Iterable[Sequence[tuple[Any, ...]]]:
    return (rows[at : at + ROWS] for at in range(0, len(rows), ROWS))
