"""Taking an import back as a whole: nothing is deleted, every step is a revision."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from eventlog import ledger
from eventlog.intake import writing
from eventlog.models import Event, Import, Log, Revision
from eventlog.replay import BY_THEMSELVES
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

PIECE = 500
_TIMES = ("observed_at", "ended_at")


def undo_import(*, imported: Import, by: Actor, reason: str) -> dict[str, int]:
    """Takes an import back: strikes the events that it made and gives those it revised their words back.

    An event that somebody revised after the import revised it is left as it is. Returns how many were "struck",
    "given back" and "left". May be said again after an interruption. Raises NotYou, NotLikeThis without a reason,
    NotNow when it was taken back already.
    """
    log = imported.log
    access.require(by, "eventlog.correct" if log.state == "closed" else "eventlog.import", log)
    if not reason.strip():
        raise NotLikeThis("The import stays.", [Fault("reason", "say why it is taken back")])
    if imported.undone_at is not None:
        raise NotNow(f"Import {imported.number} was taken back already, by {imported.undone_by_name}.")
    made = list(revisions_of(imported).values_list("pk", flat=True))
    counts = {"struck": 0, "given back": 0, "left": 0}
    for start in range(0, len(made), PIECE):
        _piece(log, made[start : start + PIECE], by, reason.strip(), counts)
    with transaction.atomic():
        imported.undone_at, imported.undone_by_name, imported.undone_reason = timezone.now(), str(by), reason.strip()
        imported.save(update_fields=["undone_at", "undone_by_name", "undone_reason"])
        changes = {what: [None, count] for what, count in counts.items()}
        journal.record(by, "eventlog.import", imported, note=f"taken back: {reason.strip()}", changes=changes)
    return counts


def revisions_of(imported: Import) -> QuerySet[Revision]:
    """The revisions that an import made, in their order."""
    spans = Q(pk__in=[])
    for first, last in imported.spans:
        spans |= Q(sequence__range=(first, last))
    return imported.log.revisions.filter(spans, thing="event", verb__in=("import", "revise")).order_by("sequence")


@transaction.atomic
def _piece(log: Log, revisions: list[int], by: Actor, reason: str, counts: dict[str, int]) -> None:
    log = ledger.locked(log)
    rows = {row.thing_uuid: row for row in log.revisions.filter(pk__in=revisions)}
    found = Event.objects.select_for_update(of=("self",)).select_related("operation", "log__cruise")
    strike: list[tuple[Event, dict[str, Any]]] = []
    back: list[tuple[Event, dict[str, Any]]] = []
    for event in found.filter(uuid__in=rows).order_by("pk"):
        revision = rows[event.uuid]
        if revision.verb == "import":
            if event.struck_at is None:
                strike.append((event, {"struck_at": timezone.now()}))
        elif event.revisions.filter(number__gt=revision.number).exclude(verb__in=BY_THEMSELVES).exists():
            counts["left"] += 1
        else:
            fields = {name: _read(name, before) for name, (before, _) in revision.changes.items()}
            back.append((event, {name: value for name, value in fields.items() if not name.startswith("nav_")}))
    writing.revise(log, strike, by, reason, verb="strike")
    writing.revise(log, back, by, reason, verb="undo")
    counts["struck"] += len(strike)
    counts["given back"] += len(back)


def _read(name: str, value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if name in _TIMES and isinstance(value, str) else value
