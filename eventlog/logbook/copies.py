"""The log as a text, and its final copies."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db.models import Prefetch
from django.utils import timezone

from eventlog.exchange import document, r2r
from eventlog.models import FinalCopy, Log, Revision
from eventlog.models.event import EDITS
from portal.refusals import NotFound


def export(log: Log, form: str, *, names: bool = True) -> str:
    """The standing events of a log as "r2r-csv" or "json", the same text at every call.

    Without `names` for those who are not told who wrote what. Raises NotFound for another format.
    """
    if form not in ("r2r-csv", "json"):
        raise NotFound(f"The log is not exported as {form!r}; write r2r-csv or json.")
    revisions = Prefetch("revisions", Revision.objects.filter(number__gt=1, verb__in=EDITS).order_by("number"))
    events = log.events.standing().in_order().prefetch_related("measurements", revisions)
    logged = (event.logged(names=names) for event in events.iterator(chunk_size=2000))
    cruise = log.cruise
    if form == "r2r-csv":
        return r2r.write(logged, cruise.cruise_id)
    header = {
        "cruise_id": cruise.cruise_id,
        "vessel_id": cruise.vessel_id,
        "opened_at": _iso(log.opened_at),
        "closed_at": _iso(log.closed_at),
    }
    return document.write(header, logged)


def final_copies(log: Log) -> list[FinalCopy]:
    """Makes the final copies of a log that is being closed."""
    cruise_id = log.cruise.cruise_id
    return [
        _final_copy(log, f"R2R_ELOG_{cruise_id}_FINAL_EVENTLOG.csv", "r2r-csv", export(log, "r2r-csv")),
        _final_copy(log, f"LEADLINE_{cruise_id}_FINAL_EVENTLOG.json", "json", export(log, "json")),
    ]


def _iso(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).isoformat() if at else None


def _final_copy(log: Log, name: str, form: str, text: str) -> FinalCopy:
    data = text.encode()
    copy, _ = FinalCopy.objects.update_or_create(
        log=log,
        name=name,
        defaults={
            "format": form,
            "data": data,
            "size": len(data),
            "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "events": log.events.standing().count(),
            "made_at": timezone.now(),
        },
    )
    return copy
