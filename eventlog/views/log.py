"""The log page, import, opening and closing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from eventlog import logbook, redpen
from eventlog.forms import EventForm
from eventlog.models import Log, Template
from eventlog.views import installed
from portal import access
from portal.models import Cruise
from portal.refusals import NotFound, Refusal
from portal.streaming import send
from portal.views.doors import attempt, blame, needs, of_cruise

STREAM, MOST_POINTS = 50, 5000


def _visible_log(request: HttpRequest, cruise: Cruise) -> Log:
    log = Log.objects.visible_to(request.user).filter(cruise=cruise).select_related("cruise__vessel").first()
    if log is None and not access.may(request.user, "eventlog.read", cruise):
        raise NotFound(f"There is no event log of {cruise} that you may see.")
    return log or logbook.log_of(cruise)


@of_cruise
@require_safe
@gzip_page
def log_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The log: buttons, the form, and the stream of events, newest first."""
    return _log_page(request, _visible_log(request, cruise), _new_form())


def _new_form(data: Any = None) -> EventForm:
    return EventForm(data, initial={"uuid": uuid.uuid4()})


def _log_page(request: HttpRequest, log: Log, form: EventForm, status: int = 200) -> HttpResponse:
    events: Any = log.events.prefetch_related("measurements")
    if words := request.GET.get("q", "").strip():
        events = _search(events, words)
    if instrument := request.GET.get("instrument"):
        events = events.filter(instrument=instrument)
    page = Paginator(events, STREAM).get_page(request.GET.get("page"))
    verbs = ("record", "revise", "correct", "import", "open", "close", "read", "arrange")
    templates = list(log.templates.all())
    context: dict[str, Any] = {
        "cruise": log.cruise,
        "log": log,
        "form": form,
        "page": page,
        "tiles": _tiles(templates),
        "line_uuid": uuid.uuid4(),
        "running": log.operations.filter(is_open=True, started_at__isnull=False),
        "instruments": sorted({t.instrument for t in templates}),
        "actions": sorted({t.action for t in templates}),
        "may": {verb: access.may(request.user, f"eventlog.{verb}", log) for verb in verbs},
        "final_copies": log.final_copies.defer("data"),
        "imports": log.imports.defer("data", "problems", "report"),
        "unfinished": _unfinished(request, log),
        "now": timezone.now(),
    }
    if log.state != "open" or not access.may(request.user, "eventlog.read", log):
        response = render(request, "eventlog/log.html", context, status=status)
        if log.state == "closed" and context["may"]["read"]:
            response["X-Log-Closed"] = "yes"
        return response
    return _deck(request, log, templates, context, status)


def _deck(
    request: HttpRequest, log: Log, templates: list[Template], context: dict[str, Any], status: int
) -> HttpResponse:
    """The page at sea: tiles, board and stream. Its script goes on from what the server drew, also without network."""
    wall = "wall" in request.GET
    views = ["board", "stream"] if wall or not context["may"]["record"] else ["tiles", "board", "stream"]
    asked = request.GET.get("view", "")
    context |= {
        "wall": wall,
        "view": asked if asked in views else views[0],
        "about": installed.about(request, log, templates, context["may"], context["now"]),
        "modules": installed.modules(),
    }
    response = render(request, "eventlog/deck.html", context, status=status)
    if status == 200:
        # The service worker keeps this page only if it belongs to the worker's own files.
        response["X-Log-Shell"] = installed.version()
    response["Cache-Control"] = "private, no-cache"
    return response


def _search(events: Any, words: str) -> Any:
    from django.db.models import Q

    for word in words.split()[:8]:
        events = events.filter(
            Q(instrument__icontains=word)
            | Q(action__icontains=word)
            | Q(station__icontains=word)
            | Q(comment__icontains=word)
            | Q(number__icontains=word)
        )
    return events


def _tiles(templates: Iterable[Template]) -> list[dict[str, Any]]:
    """Buttons grouped by instrument; each carries its own event id, so that a double press is one event."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for template in templates:
        if not template.is_hidden:
            tile = {"action": template.action, "label": template.label, "uuid": uuid.uuid4()}
            groups.setdefault(template.instrument, []).append(tile)
    return [{"instrument": name, "actions": actions} for name, actions in groups.items()]


def _unfinished(request: HttpRequest, log: Log) -> list[redpen.Finding]:
    """What is named before somebody closes the log; closing is possible all the same."""
    if log.state != "open" or not access.may(request.user, "eventlog.close", log):
        return []
    return redpen.unfinished(log)


@needs("eventlog.record")
@require_POST
def record(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Records an event; a form that is not accepted comes back with everything that was typed."""
    log = logbook.log_of(cruise)
    form = EventForm(request.POST)
    if form.is_valid():
        try:
            event, new = logbook.record(
                log=log,
                by=request.user,
                fields=form.fields_at(timezone.now()),
                uuid=form.cleaned_data["uuid"],
            )
        except Refusal as refusal:
            blame(form, refusal)
        else:
            said = "is recorded" if new else "was recorded already"
            messages.success(request, f"{event.instrument} {event.action} {said} as {event.number}.")
            return redirect("log", cruise.cruise_id)
    return _log_page(request, log, form, status=422)


@needs("eventlog.open")
@require_POST
def open_log(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Opens the log at departure."""
    return attempt(
        request,
        lambda: logbook.open_log(cruise=cruise, by=request.user),
        f"The event log of {cruise} is open.",
        "log",
        cruise.cruise_id,
    )


@needs("eventlog.close")
@require_POST
def close_log(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Closes the log at the end and makes the final copies."""
    return attempt(
        request,
        lambda: logbook.close_log(cruise=cruise, by=request.user, note=request.POST.get("note", "")[:1000]),
        f"The event log of {cruise} is closed; the final copies are made.",
        "log",
        cruise.cruise_id,
    )


@needs("eventlog.read")
@require_safe
def final_copy(request: HttpRequest, cruise: Cruise, name: str) -> HttpResponseBase:
    """A final copy, byte for byte as it was made when the log was closed."""
    copy = logbook.log_of(cruise).final_copies.filter(name=name).first()
    if copy is None:
        raise NotFound("There is no such final copy; the log may not be closed yet.")
    parts = logbook.bytes_of(copy)
    response: HttpResponseBase
    if copy.data:
        response = HttpResponse(b"".join(parts), content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{copy.name}"'
    else:
        response = send(request, parts, content_type="application/octet-stream", name=copy.name)
        response["Content-Length"] = str(copy.size)
    response["Repr-Digest"] = f"sha-256=:{_base64(copy.sha256)}:"
    return response


def _base64(digest: str) -> str:
    import base64

    return base64.b64encode(bytes.fromhex(digest)).decode()
