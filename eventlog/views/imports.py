"""Importing in three steps: upload, look at what would come of every row, import. And what came of it, and back."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from eventlog import intake, logbook
from eventlog.exchange import mapped
from eventlog.exchange.detect import FORMATS
from eventlog.intake import held as holding
from eventlog.models import Import, Log
from eventlog.views.imports_forms import ConfirmForm, ImportForm, MappingForm
from portal import access
from portal.models import Cruise
from portal.refusals import NotFound, NotLikeThis, Refusal
from portal.views.doors import attempt, needs, person_of

MOST_ROWS = 2000


@needs("eventlog.import")
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Takes an upload, which is held until somebody has looked at it; and lists the imports of the log."""
    log = logbook.log_of(cruise)
    form = ImportForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _uploaded(request, log, form.cleaned_data)
            except Refusal as refusal:
                form.add_error("file", str(refusal))
    imports = log.imports.defer("data", "report", "problems")
    context = {"cruise": cruise, "log": log, "form": form, "imports": imports, "formats": FORMATS}
    return render(request, "eventlog/import.html", context, status=status)


def _uploaded(request: HttpRequest, log: Log, wanted: dict[str, Any]) -> HttpResponse:
    file, aux = wanted["file"], wanted["aux"]
    held = holding.hold(
        log=log, by=person_of(request), name=file.name or "", parts=file.chunks(), aux=aux.chunks() if aux else None
    )
    try:
        intake.read(held.name, held.data, held.aux, form=wanted["format"])
    except intake.NeedsMapping:
        pass  # the next page asks
    except NotLikeThis:
        if wanted["format"] != mapped.FORMAT:
            held.drop()
            raise
    response = redirect("import-check", log.cruise.cruise_id, held.key)
    if wanted["format"]:
        response["Location"] += f"?format={wanted['format']}"
    return response


@needs("eventlog.import")
@require_http_methods(["GET", "POST"])
def check_page(request: HttpRequest, cruise: Cruise, key: str) -> HttpResponse:
    """What would come of every row of an upload; for a plain table, what its columns hold. Confirming imports it."""
    log = logbook.log_of(cruise)
    held = holding.held(key, log=log, by=person_of(request))
    if request.method == "POST":
        return _confirmed(request, log, held)
    form = request.GET.get("format", "")
    context: dict[str, Any] = {"cruise": cruise, "log": log, "held": held, "format": form}
    mapping = None
    try:
        columns = None
        if "date_format" in request.GET:
            proposal = intake.proposed(held.name, held.data)
            mapping = MappingForm(request.GET, proposal=proposal)
            context |= {"mapping": mapping, "proposal": proposal}
            if not mapping.is_valid():
                return render(request, "eventlog/import_check.html", context, status=422)
            columns = mapping.columns()
        report = intake.import_events(
            log=log, name=held.name, data=held.data, aux=held.aux, by=request.user, form=form, columns=columns,
            differing=request.GET.get("differing") or "keep", dry_run=True,
        )  # fmt: skip
        if columns is not None:
            context["shown"] = intake.read(held.name, held.data, form=form, columns=columns).events[: mapped.PREVIEW]
    except intake.NeedsMapping as wish:
        mapping = MappingForm(proposal=wish.proposal)
        context |= {"mapping": mapping, "proposal": wish.proposal}
        return render(request, "eventlog/import_check.html", context)
    except NotLikeThis as refusal:
        if mapping is None:
            raise
        mapping.add_error(None, ValidationError([refusal.reason, *(str(fault) for fault in refusal.faults)]))
        return render(request, "eventlog/import_check.html", context, status=422)
    if kind := request.GET.get("as"):
        return _download(report, kind, f"{held.name}-dry-run")
    told = json.dumps(columns.as_json(), ensure_ascii=False) if columns is not None else ""
    confirm = ConfirmForm(initial={"format": form, "mapping": told}, closed=log.state == "closed")
    context |= {"confirm": confirm} | _shown(request, report)
    return render(request, "eventlog/import_check.html", context)


def _confirmed(request: HttpRequest, log: Log, held: holding.Held) -> HttpResponse:
    """Imports the held file, and forgets it."""
    cruise = log.cruise
    if "forget" in request.POST:
        held.drop()
        messages.info(request, f"{held.name} is forgotten; nothing was imported.")
        return redirect("import-events", cruise.cruise_id)
    form = ConfirmForm(request.POST, closed=log.state == "closed")
    try:
        if not form.is_valid():
            raise NotLikeThis(" ".join(str(error) for errors in form.errors.values() for error in errors))
        told = form.cleaned_data
        report = intake.import_events(
            log=log, name=held.name, data=held.data, aux=held.aux, by=request.user, form=told["format"],
            columns=intake.mapping_of(told["mapping"]) if told["mapping"] else None,
            differing=told["differing"], reason=told["reason"],
        )  # fmt: skip
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(request.get_full_path())
    held.drop()
    counts = ", ".join(f"{count} {what}" for what, count in report.counts.items())
    messages.success(request, f"{held.name} is imported: {counts}.")
    return redirect("import-report", cruise.cruise_id, report.imported)


def _shown(request: HttpRequest, report: intake.Report) -> dict[str, Any]:
    """The rows that the filter of the address leaves, and the filter's links."""
    wanted = request.GET.get("result", "")
    rows = [row for row in report.rows if not wanted or row.result == wanted]
    query = request.GET.copy()
    query.pop("result", None)
    links = []
    for result in ("", *(name for name in intake.RESULTS if name in report.counts)):
        if result:
            query["result"] = result
        count = report.counts[result] if result else len(report.rows)
        links.append({"name": result or "all", "count": count, "query": query.urlencode(), "on": result == wanted})
    query.pop("result", None)
    return {
        "report": report,
        "rows": rows[:MOST_ROWS],
        "hidden_rows": max(0, len(rows) - MOST_ROWS),
        "links": links,
        "query": query.urlencode(),
        "means": [(name, intake.RESULTS[name]) for name in report.counts],
    }


def _download(report: intake.Report, kind: str, name: str) -> HttpResponse:
    if kind not in ("csv", "json"):
        raise NotFound("The report can be had as csv or json.")
    text = report.as_csv() if kind == "csv" else json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8" if kind == "csv" else "application/json")
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[:100]
    response["Content-Disposition"] = f'attachment; filename="{safe}.{kind}"'
    return response


@needs("eventlog.import")
@require_safe
def report_page(request: HttpRequest, cruise: Cruise, number: int) -> HttpResponse:
    """What came of an import, row by row."""
    imported = _import(cruise, number)
    report = intake.report_of(imported)
    if kind := request.GET.get("as"):
        return _download(report, kind, f"{cruise.cruise_id}-import-{number}")
    verb = "eventlog.correct" if imported.log.state == "closed" else "eventlog.import"
    may_undo = imported.undone_at is None and access.may(request.user, verb, imported.log)
    context = {"cruise": cruise, "log": imported.log, "imported": imported, "may_undo": may_undo}
    return render(request, "eventlog/import_report.html", context | _shown(request, report))


@needs("eventlog.import")
@require_POST
def undo(request: HttpRequest, cruise: Cruise, number: int) -> HttpResponse:
    """Takes an import back as a whole."""
    imported, reason = _import(cruise, number), request.POST.get("reason", "")[:1000]
    return attempt(
        request,
        lambda: intake.undo_import(imported=imported, by=request.user, reason=reason),
        f"Import {number} is taken back: its events are struck, and what it revised has its words back.",
        "import-report",
        cruise.cruise_id,
        number,
    )


@needs("eventlog.import")
@require_POST
def templates(request: HttpRequest, cruise: Cruise, number: int) -> HttpResponse:
    """Makes buttons of what an import brought."""
    made = intake.templates_from_import(imported=_import(cruise, number), by=request.user)
    messages.success(
        request, f"{len(made)} new buttons on the log page." if made else "All of them are buttons already."
    )
    return redirect("import-report", cruise.cruise_id, number)


def _import(cruise: Cruise, number: int) -> Import:
    found = Import.objects.defer("data").filter(log__cruise=cruise, number=number)
    imported = found.select_related("log__cruise__vessel").first()
    if imported is None:
        raise NotFound(f"There is no import {number} into this log.")
    return imported
