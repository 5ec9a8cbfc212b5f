"""Derives the positions of events again when navigation comes late: by itself, for open logs, as revisions.

Storing fixes notes their span on the feed (`health["late"]`). A span is first moved to `health["working"]`, so that
what comes meanwhile is noted anew, and dropped when its events are done; a worker that dies leaves it for the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Q

from eventlog import ledger
from eventlog.models import Event, Feed, Log
from eventlog.navigation import geodesy, positions
from portal import access
from portal.access import Actor
from portal.models import Vessel

BATCH: Final = 500
REACH: Final = dt.timedelta(seconds=positions.BRIDGED_S)
REASON = "derived again from navigation that came later"
Span = tuple[int, int]


def waiting() -> Iterator[str]:
    """Ids of vessels with new navigation around events of an open log that are not exact yet."""
    vessels = Vessel.objects.filter(cruises__log__state="open").distinct()
    for vessel in vessels:
        spans = _spans(Feed.objects.filter(vessel=vessel, is_enabled=True))
        if spans and any(_touched(log, *_moments(span)) for log in _logs(vessel.pk) for span in spans):
            yield vessel.pk


def catch_up(vessel_id: str, *, everything: bool = False) -> int:
    """Derives again what new navigation of a vessel touches; returns how many events changed. May be run twice.

    `everything`: also exact positions, which a better feed may tell better.
    """
    feeds = Feed.objects.filter(vessel=vessel_id)
    with transaction.atomic():
        taken = list(feeds.select_for_update().order_by("pk"))
        spans = _spans(taken)
        for feed in taken:
            if late := _merged(feed.health.pop("late", None), feed.health.get("working")):
                feed.health["working"] = late
                feed.save(update_fields=["health"])
    changed = sum(recompute(log, *_moments(span), everything=everything) for log in _logs(vessel_id) for span in spans)
    with transaction.atomic():
        for feed in feeds.select_for_update().order_by("pk"):
            if feed.health.pop("working", None):
                feed.save(update_fields=["health"])
    return changed


def recompute(
    log: Log, since: dt.datetime, until: dt.datetime, *, by: Actor = access.WORKER, everything: bool = False
) -> int:
    """Derives again the positions of a log's events that fixes from `since` to `until` may touch.

    Changes that matter become revisions with the verb "position", BATCH at a time; what a person typed stays beside
    them. Returns how many events changed; 0 for a log that is not open.
    """
    touched = _touched(log, since, until, everything=everything)
    changed = 0
    for start in range(0, len(touched), BATCH):
        part = touched[start : start + BATCH]
        derived = positions.many(log.cruise.vessel_id, [observed_at for _, observed_at in part])
        told = {pk: (at, values) for (pk, at), values in zip(part, derived, strict=True)}
        changed += _write(log, told, by)
    return changed


@transaction.atomic
def _write(log: Log, told: Mapping[int, tuple[dt.datetime, dict[str, Any]]], by: Actor) -> int:
    log = ledger.locked(log)
    if log.state != "open":
        return 0
    entries, rows = [], []
    for event in Event.objects.select_for_update(of=("self",)).filter(pk__in=list(told)).order_by("pk"):
        at, values = told[event.pk]
        if event.observed_at != at or not matters(event, values):
            continue  # whoever changed the time derived the position anew
        event.log = log
        changes = {
            name: [getattr(event, name), value] for name, value in values.items() if getattr(event, name) != value
        }
        for name, value in values.items():
            setattr(event, name, value)
        event.revision += 1
        rows.append(event)
        entries.append(ledger.Entry("event", event, "position", changes, REASON))
    Event.objects.bulk_update(rows, [*positions.COLUMNS, "revision"], batch_size=100)
    ledger.append(log, entries, by=by)
    return len(rows)


def matters(event: Event, values: Mapping[str, Any]) -> bool:
    """Whether newly derived columns differ from those of an event by more than their noise."""
    if (event.nav_method or positions.NONE) != (values["nav_method"] or positions.NONE):
        return True
    depth, new_depth = event.nav_depth_m, values["nav_depth_m"]
    if (depth is None) != (new_depth is None) or (depth and abs(depth - new_depth) > 0.01 * depth):
        return True
    if event.nav_latitude is None or values["nav_latitude"] is None:
        return bool(event.nav_latitude != values["nav_latitude"])
    old, new = event.nav_uncertainty_m or 0.0, values["nav_uncertainty_m"]
    if abs(old - new) > max(5.0, 0.2 * old):
        return True
    pair = (event.nav_latitude, event.nav_longitude, values["nav_latitude"], values["nav_longitude"])
    moved = geodesy.distance(*(np.array([value], dtype=float) for value in pair))
    return bool(moved[0] > max(2.0, 0.1 * old))


def _logs(vessel_id: str) -> Iterable[Log]:
    return Log.objects.filter(state="open", cruise__vessel=vessel_id).select_related("cruise__vessel")


def _touched(
    log: Log, since: dt.datetime, until: dt.datetime, *, everything: bool = False
) -> list[tuple[int, dt.datetime]]:
    """Events that fixes of this span may give a better position: (primary key, time)."""
    events = log.events.standing().filter(observed_at__range=(since - REACH, until + REACH)).order_by("observed_at")
    if not everything:
        events = events.exclude(nav_method=positions.EXACT)
    events = events.filter(Q(observed_at__range=(since, until)) | ~Q(nav_method=positions.EXACT))
    found = []
    for pk, at, method, gap in events.values_list("pk", "observed_at", "nav_method", "nav_gap_s").iterator():
        # A fix changes a bridged position only from inside its gap.
        reach = dt.timedelta(seconds=gap or 0.0) if method == positions.BRIDGED else REACH
        if since - reach <= at <= until + reach:
            found.append((pk, at))
    return found


def _spans(feeds: Iterable[Feed]) -> list[Span]:
    """The spans of new navigation, those that overlap made one."""
    noted = (_merged(feed.health.get("late"), feed.health.get("working")) for feed in feeds)
    found = [(int(both[0]), int(both[1])) for both in noted if both]
    joined: list[Span] = []
    for span in sorted(found):
        if joined and span[0] <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], span[1]))
        else:
            joined.append(span)
    return joined


def _merged(one: Sequence[int] | None, other: Sequence[int] | None) -> list[int] | None:
    if one and other:
        return [min(one[0], other[0]), max(one[1], other[1])]
    return list(one or other or []) or None


def _moments(span: Span) -> tuple[dt.datetime, dt.datetime]:
    return positions.moment_of(span[0]), positions.moment_of(span[1])
