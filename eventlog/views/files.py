"""The page of instruments' files: which folders are watched, what came, and to which operation it belongs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from eventlog import logbook, watching
from eventlog.models import Operation, Watch
from portal import access
from portal.models import Cruise
from portal.refusals import NotFound
from portal.views.doors import attempt, needs

SHOWN, OFFERED = 100, 200


@needs("eventlog.read")
@require_safe
def files_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The watched folders of a cruise's log, and the files with their operations, newest first."""
    log = logbook.log_of(cruise)
    files: Any = log.data_files.select_related("operation")
    if request.GET.get("unlinked"):
        files = files.filter(operation__isnull=True).exclude(sha256="")
    verb = "eventlog.correct" if log.state == "closed" else "eventlog.revise"
    context = {
        "cruise": cruise,
        "log": log,
        "watches": log.watches.all(),
        "page": Paginator(files, SHOWN).get_page(request.GET.get("page")),
        "operations": log.operations.exclude(state="struck").order_by("-started_at")[:OFFERED],
        "instruments": sorted(set(log.templates.values_list("instrument", flat=True))),
        "roots": settings.WATCH_ROOTS,
        "may_arrange": log.state != "closed" and access.may(request.user, "eventlog.arrange", log),
        "may_link": access.may(request.user, verb, log),
    }
    return render(request, "eventlog/files.html", context)


@needs("eventlog.arrange")
@require_POST
def add_watch(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Watches one more folder."""
    given = {name: request.POST.get(name, "") for name in ("path", "pattern", "instrument")}
    return attempt(
        request,
        lambda: watching.add_watch(log=logbook.log_of(cruise), by=request.user, **given),
        f"{given['path']} is watched; new files appear here within two minutes of settling.",
        "log-files",
        cruise.cruise_id,
    )


@needs("eventlog.arrange")
@require_POST
def set_watch(request: HttpRequest, cruise: Cruise, pk: int) -> HttpResponse:
    """Watches a folder again, or no longer."""
    watch = Watch.objects.filter(log__cruise=cruise, pk=pk).select_related("log__cruise__vessel").first()
    if watch is None:
        raise NotFound("There is no such folder in this log.")
    enabled = request.POST.get("enabled") == "yes"
    return attempt(
        request,
        lambda: watching.set_watch(watch=watch, by=request.user, is_enabled=enabled),
        f"{watch} is {'watched again' if enabled else 'not watched any more'}.",
        "log-files",
        cruise.cruise_id,
    )


@needs("eventlog.read")
@require_POST
def link(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """Links a file to another operation; the verb asks who may."""
    log = logbook.log_of(cruise)
    file = log.data_files.filter(uuid=uuid).select_related("log__cruise__vessel", "operation").first()
    if file is None:
        raise NotFound("There is no such file in this log.")
    chosen = request.POST.get("operation", "")
    operation = _operation(log.operations, chosen)
    reason = request.POST.get("reason", "")[:1000]
    return attempt(
        request,
        lambda: watching.relink(file=file, by=request.user, operation=operation, reason=reason),
        f"{file.path} belongs to {operation or 'no operation'}.",
        "log-files",
        cruise.cruise_id,
    )


def _operation(operations: Any, chosen: str) -> Operation | None:
    if not chosen.isdigit():
        return None
    found: Operation | None = operations.filter(pk=int(chosen)).first()
    if found is None:
        raise NotFound("There is no such operation in this log.")
    return found
