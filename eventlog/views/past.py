"""The past: the history of a log as a page, and an event as it was at any moment."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from eventlog import history
from eventlog.answers.wanted import moment
from eventlog.models import Log, Revision
from eventlog.views.told import FIELD_WORDS, PRIVATE, VERBS, shown, told
from eventlog.views.visible import visible_event, visible_log
from portal import access
from portal.models import Cruise
from portal.refusals import NotFound
from portal.views.doors import of_cruise

ROWS = 60
THINGS = [value for value, _ in Revision.THINGS]
POSITIONS = ("latitude", "longitude", "nav_latitude", "nav_longitude")


@of_cruise
@require_safe
def history_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Every revision of the log, the last one first, with a filter; pages hang on their numbers, which never change."""
    log = visible_log(request, cruise)
    names = access.may(request.user, "eventlog.read", log)
    rows, wanted, faults = _filtered(log, request, names=names)
    found = list(rows.select_related("event")[: ROWS + 1])
    older = found[ROWS - 1].sequence if len(found) > ROWS else None
    page = told(found[:ROWS], names=names)
    labels = _labels(log, found)
    seals = {seal.sequence: seal for seal in log.seals.all()}
    context = {
        "cruise": cruise,
        "log": log,
        "names": names,
        "rows": [(row, labels.get(row.revision.thing_uuid, ""), seals.get(row.revision.sequence)) for row in page],
        "wanted": wanted,
        "faults": faults,
        "older": f"?{urlencode({**wanted, 'until': older - 1})}" if older else "",
        "newest": f"?{urlencode({key: value for key, value in wanted.items() if key != 'until'})}",
        "last": log.revisions.order_by("-sequence").values_list("sequence", flat=True).first() or 0,
        "things": THINGS,
        "verbs": VERBS,
    }
    return render(request, "eventlog/history.html", context, status=422 if faults else 200)


def _filtered(log: Log, request: HttpRequest, *, names: bool) -> tuple[Any, dict[str, str], dict[str, str]]:
    """The revisions that are wanted, what was said, and what was not understood."""
    rows: Any = log.revisions.order_by("-sequence")
    said = {key: str(value).strip()[:200].replace("\0", "") for key, value in request.GET.items()}
    wanted: dict[str, str] = {}
    faults: dict[str, str] = {}
    for key in ("thing", "verb", "device", "who", "after", "before", "late", "until"):
        if not (value := said.get(key)) or (key in ("who", "device") and not names):
            continue
        wanted[key] = value
        if key in ("after", "before"):
            try:
                at = moment(value, end_of_day=key == "before")
            except (ValueError, OverflowError):
                faults[key] = f"{value[:40]!r} is not a time; write 2026-03-04 or 2026-03-04T03:14:07Z"
                continue
            rows = rows.filter(**{"at__gte" if key == "after" else "at__lt": at})
        elif key == "who":
            rows = rows.filter(by_name__icontains=value)
        elif key == "late":
            rows = rows.filter(after_close=True)
        elif key == "until":
            if value.isdigit() and len(value) < 18:
                rows = rows.filter(sequence__lte=int(value))
            else:
                faults[key] = "is not the number of a revision"
        elif key == "verb" and value == "by people":
            rows = rows.exclude(verb__in=("position", "adopt"))
        else:
            rows = rows.filter(**{key: value})
    return rows.none() if faults else rows, wanted, faults


def _labels(log: Log, revisions: list[Revision]) -> dict[Any, str]:
    """The names of the things that these revisions are about, as they stand now."""
    labels: dict[Any, str] = {row.thing_uuid: str(row.event) for row in revisions if row.event is not None}
    for kind in {row.thing for row in revisions} - {"event", "log"}:
        uuids = {row.thing_uuid for row in revisions if row.thing == kind}
        if table := history.TABLES.get(kind):
            labels |= {row.uuid: str(row) for row in table.objects.filter(log=log, uuid__in=uuids)}
    return labels


@of_cruise
@require_safe
def event_at(request: HttpRequest, cruise: Cruise, event_uuid: str, sequence: int) -> HttpResponse:
    """An event as it was after a revision of its log, told by the revisions alone, beside how it stands."""
    event = visible_event(request, cruise, event_uuid)
    names = access.may(request.user, "eventlog.read", event)
    was = history.as_of(event, sequence)
    if not was:
        raise NotFound(f"Event {event.number} was not recorded yet at revision {sequence} of the log.")
    now = history.content("event", event)
    row = event.log.revisions.filter(sequence__lte=sequence, thing_uuid=event.uuid).order_by("-sequence").first()
    revisions = event.revisions.order_by("sequence").values_list("sequence", flat=True)
    fields = [
        (word, shown(name, was.get(name)), shown(name, now.get(name)), was.get(name) != now.get(name))
        for name, word in FIELD_WORDS.items()
        if (names or name not in PRIVATE) and (shown(name, was.get(name)) or shown(name, now.get(name)))
    ]
    context = {
        "cruise": cruise,
        "event": event,
        "sequence": sequence,
        "fields": fields,
        "struck": was.get("struck"),
        "same": all(not changed for *_, changed in fields),
        "told": told([row], names=names)[0] if row else None,
        "earlier": revisions.filter(sequence__lt=row.sequence).last() if row else None,
        "later": revisions.filter(sequence__gt=sequence).first(),
    }
    return render(request, "eventlog/event_at.html", context)
