"""The page of exports: which there are and for whom, each with its check; and the files themselves."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import render
from django.views.decorators.http import require_safe

from eventlog.answers import Filter
from eventlog.exports import forms, making, selecting
from eventlog.models import Log
from eventlog.views.visible import visible_log
from portal import access
from portal.models import Cruise
from portal.streaming import send_file
from portal.views.doors import of_cruise

SMALL = 1_000_000  # bytes that are sent in one piece; more are streamed


@of_cruise
@require_safe
def exports_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """All forms of export; the filter of the address goes along into every link."""
    log = visible_log(request, cruise)
    return render(request, "eventlog/exports.html", _context(request, log) | {"forms": forms.FORMS.values()})


@of_cruise
@require_safe
def report_page(request: HttpRequest, cruise: Cruise, form: str) -> HttpResponse:
    """Makes one export, and shows its size, its checksum and what its check found."""
    log = visible_log(request, cruise)
    made = _made(request, log, form)
    made.file.close()
    return render(request, "eventlog/export_report.html", _context(request, log) | {"made": made, "form": made.form})


@of_cruise
@require_safe
def export(request: HttpRequest, cruise: Cruise, form: str) -> HttpResponseBase:
    """The standing events in one of the forms. Who wrote them is told to those of the cruise alone."""
    return answer(request, _made(request, visible_log(request, cruise), form))


def answer(request: HttpRequest, made: making.Made) -> HttpResponseBase:
    """The file as a download with its checksum; 304 for whoever has these bytes already."""
    tag = f'"{made.sha256}"'
    response: HttpResponseBase
    if tag in [given.strip().removeprefix("W/") for given in request.headers.get("If-None-Match", "").split(",")]:
        made.file.close()
        response = HttpResponseNotModified()
    else:
        kind, name = made.form.media_type, made.name
        if made.size > SMALL:
            response = send_file(request, made.file, made.size, content_type=kind, name=name)
        else:
            with made.file as file:
                response = HttpResponse(file.read(), content_type=kind)
            response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Repr-Digest"] = f"sha-256=:{making.base64_digest(made)}:"
        response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    return response


def _made(request: HttpRequest, log: Log, form: str) -> making.Made:
    names = access.may(request.user, "eventlog.read", log)
    events = selecting.chosen(log, request.GET, forms.form(form), names=names)
    return making.make(log, form, names=names, events=events)


def _context(request: HttpRequest, log: Log) -> dict[str, Any]:
    wanted = Filter.parse(request.GET)
    return {
        "cruise": log.cruise,
        "log": log,
        "names": access.may(request.user, "eventlog.read", log),
        "query": wanted.as_query(),
        "says": "" if wanted.is_empty else wanted.says(),
        "count": log.events.standing().count(),
    }
