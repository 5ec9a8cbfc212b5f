"""One event: what it says, where it was, how it came to say so, and how to change it, strike it or take that back."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from eventlog import history, logbook
from eventlog.answers.search import distance_km
from eventlog.forms import RevisionForm
from eventlog.logbook import Conflict
from eventlog.models import Event, Revision
from eventlog.replay import BY_THEMSELVES
from eventlog.views.told import FIELD_WORDS, Told, told
from eventlog.views.visible import visible_event
from portal import access
from portal.models import Cruise
from portal.refusals import Refusal
from portal.views.doors import attempt, blame, needs, of_cruise

MOST_REVISIONS = 500
KNOT_MPS = 1852 / 3600


@of_cruise
@require_http_methods(["GET", "POST"])
def event_page(request: HttpRequest, cruise: Cruise, event_uuid: str) -> HttpResponse:
    """One event with its history, and a form to change it. What two changed at once is shown in both versions."""
    event = visible_event(request, cruise, event_uuid)
    verb = "eventlog.correct" if event.log.state == "closed" else "eventlog.revise"
    revisions = list(event.revisions.order_by("-number")[:MOST_REVISIONS])
    conflict: list[dict[str, Any]] = []
    status = 200
    if request.method == "POST":
        access.require(request.user, verb, event)
        form = RevisionForm.of(*_seen(event, revisions, request.POST.get("seen")), request.POST)
        try:
            if form.is_valid() and _revised(request, event, form):
                messages.success(request, f"Event {event.number} is changed.")
                return redirect("event", cruise.cruise_id, event.uuid)
        except Conflict as refusal:
            conflict = _versions(refusal, request.POST)
            event = refusal.event
        status = 409 if conflict else 422
    else:
        form = RevisionForm.of(*_seen(event, revisions, None))
    names = access.may(request.user, "eventlog.read", event)
    context = {
        "cruise": cruise,
        "log": event.log,
        "event": event,
        "form": form,
        "conflict": conflict,
        "carried": _carried(form, conflict) if conflict else [],
        "positions": _positions(event),
        "extra": {name: value for name, value in event.extra.items() if value not in ("", None)},
        "attachments": _attachments(event, cruise) if names else [],
        "mates": _mates(event),
        "operation_tone": "active" if event.operation and event.operation.is_open else "neutral",
        "revisions": _folded(told(revisions, names=names)),
        "more_revisions": event.revision > MOST_REVISIONS,
        "may_change": access.may(request.user, verb, event),
        "names": names,
        "change": uuids.uuid4(),
        "undoes": _undoes(revisions),
        **_neighbours(event),
    }
    return render(request, "eventlog/event.html", context, status=status)


def _seen(event: Event, revisions: Iterable[Revision], seen: Any) -> tuple[int, Mapping[str, Any]]:
    """The revision that the person had on the screen, and how the event stood then; else how it stands."""
    number = int(seen) if str(seen).isdigit() and len(str(seen)) < 9 else event.revision
    row = next((revision for revision in revisions if revision.number == number), None)
    stood = history.as_of(event, row.sequence) if row is not None else {}
    return number, stood or history.content("event", event)


def _revised(request: HttpRequest, event: Event, form: RevisionForm) -> bool:
    """Whether the change was made; what was refused stands in the form. Raises Conflict."""
    fields = form.changed()
    for name in list(fields):
        if request.POST.get(f"keep.{name}") == "theirs":
            del fields[name]
    try:
        logbook.revise(
            event=event,
            by=request.user,
            fields=fields,
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"],
            change=_change(request),
        )
    except Conflict:
        raise
    except Refusal as refusal:
        blame(form, refusal)
    return form.is_valid()


def _change(request: HttpRequest) -> uuids.UUID | None:
    try:
        return uuids.UUID(request.POST.get("change", ""))
    except ValueError:
        return None


def _versions(refusal: Conflict, sent: Any) -> list[dict[str, Any]]:
    """The fields that both changed, each with what both had seen, what stands, and what was sent."""
    return [
        {"name": name, "label": FIELD_WORDS.get(name, name), "sent": sent.get(name, ""), **version}
        for name, version in refusal.versions.items()
    ]


def _carried(form: RevisionForm, conflict: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What else this person changed, and why: it goes along when the choice is sent."""
    chosen = {version["name"] for version in conflict}
    return [(name, form.data[name]) for name in [*form.changed(), "reason"] if name in form.data and name not in chosen]


def _positions(event: Event) -> dict[str, Any]:
    """Both positions side by side: which there are, how far they are apart, and the speed in knots."""
    typed = _pair(event.latitude, event.longitude)
    derived = _pair(event.nav_latitude, event.nav_longitude)
    return {
        "typed": typed,
        "derived": derived,
        "tried": bool(event.nav_method),
        "apart": distance_km(typed, derived) * 1000 if typed and derived else None,
        "knots": event.nav_speed_mps / KNOT_MPS if event.nav_speed_mps is not None else None,
        "near": urlencode({"near": f"{event.place[0]:.6f},{event.place[1]:.6f}", "within": 5}) if event.place else "",
    }


def _pair(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    return None if latitude is None or longitude is None else (latitude, longitude)


def _attachments(event: Event, cruise: Cruise) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "image": row.media_type.startswith("image/"),
            "url": reverse("api-attachment", args=[cruise.cruise_id, row.uuid]),
        }
        for row in event.attachments.filter(struck_at__isnull=True)
    ]


def _mates(event: Event) -> list[Event]:
    """The other events of its operation, as they happened."""
    if event.operation is None:
        return []
    return list(event.operation.events.filter(struck_at__isnull=True).order_by("observed_at", "number")[:100])


def _neighbours(event: Event) -> dict[str, Event | None]:
    """The standing events just before and after it."""
    events = Event.objects.filter(log=event.log, struck_at__isnull=True).only("uuid", "instrument", "action", "number")
    at, number = event.observed_at, event.number
    earlier = events.filter(Q(observed_at__lt=at) | Q(observed_at=at, number__lt=number), observed_at__lte=at)
    later = events.filter(Q(observed_at__gt=at) | Q(observed_at=at, number__gt=number), observed_at__gte=at)
    return {
        "earlier": earlier.order_by("-observed_at", "-number").first(),
        "later": later.order_by("observed_at", "number").first(),
    }


def _folded(rows: list[Told]) -> list[list[Told]]:
    """Revisions in groups: derived positions that follow each other are one group, all others stand alone."""
    groups: list[list[Told]] = []
    for row in rows:
        if row.verb == "position" and groups and groups[-1][0].verb == "position":
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _undoes(revisions: Iterable[Revision]) -> str:
    """What undoing would take back, in words."""
    last = next((row for row in revisions if row.verb not in BY_THEMSELVES), None)
    if last is None or last.verb in ("record", "import", "adopt"):
        return ""  # to undo the recording is to strike it, which has its own button
    return {"strike": "the strike", "restore": "the restoring"}.get(last.verb, "the last change")


@needs("eventlog.revise")
@require_POST
def strike(request: HttpRequest, cruise: Cruise, event_uuid: str) -> HttpResponse:
    """Strikes an event, or with `do=restore` takes the strike back. Sent twice with the same `change` it is one."""
    event = visible_event(request, cruise, event_uuid)
    wanted = request.POST.get("do") or ("restore" if event.struck_at else "strike")
    verb, done = (
        (logbook.restore, f"Event {event.number} stands again.")
        if wanted == "restore"
        else (logbook.strike, f"Event {event.number} is struck. It stays readable and can be restored.")
    )
    reason, seen = request.POST.get("reason", "")[:1000], request.POST.get("seen", "")
    return attempt(
        request,
        lambda: verb(
            event=event,
            by=request.user,
            reason=reason,
            seen=int(seen) if seen.isdigit() and len(seen) < 9 else None,
            change=_change(request),
        ),
        done,
        "event",
        cruise.cruise_id,
        event.uuid,
    )


@needs("eventlog.revise")
@require_POST
def undo(request: HttpRequest, cruise: Cruise, event_uuid: str) -> HttpResponse:
    """Takes back the last thing that a person did to an event."""
    event = visible_event(request, cruise, event_uuid)
    reason = request.POST.get("reason", "")[:1000]
    return attempt(
        request,
        lambda: logbook.undo(event=event, by=request.user, reason=reason, change=_change(request)),
        f"The last change of event {event.number} is taken back; it stays in its history.",
        "event",
        cruise.cruise_id,
        event.uuid,
    )
