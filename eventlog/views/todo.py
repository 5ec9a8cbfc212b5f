"""What is still to be done in a log, each with its fix; and the hand-over of a watch."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from eventlog import digest, logbook, redpen
from eventlog.forms import TIME_FORMATS
from eventlog.models import Event, Log
from eventlog.redpen.finding import Finding
from portal import access
from portal.models import Cruise
from portal.refusals import NotFound
from portal.views.doors import attempt, needs

PAGE, SHOWN_EVENTS = 50, 3
MOST_HOURS = 24 * 14
TONES = {"error": "bad", "warning": "warn", "hint": "neutral"}
WATCHES = (4, 8, 12, 24)


class WhenForm(forms.Form):
    """When it happened, in UTC, and why."""

    observed_at = forms.DateTimeField(input_formats=TIME_FORMATS, required=False)
    reason = forms.CharField(max_length=1000, required=False)


@needs("eventlog.read")
@require_safe
def todo_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """What the red pen has marked, the gravest first, with buttons that mend it."""
    log = logbook.log_of(cruise)
    closing = request.GET.get("closing") == "yes"
    every = redpen.look(log, closing=closing, all_of_them=True)
    hidden = redpen.dismissed(log)
    standing = [finding for finding in every if finding.key not in hidden]
    severity = request.GET.get("severity", "")
    shown = [finding for finding in standing if severity in ("", finding.severity)]
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    rows = _rows(log, list(page.object_list))
    context = {
        "cruise": cruise,
        "log": log,
        "page": page,
        "rows": rows,
        "counts": [(s, sum(f.severity == s for f in standing), TONES[s]) for s in TONES],
        "total": len(standing),
        "severity": severity,
        "closing": closing,
        "dismissed": [{"finding": f, "reason": hidden[f.key]} for f in every if f.key in hidden][:PAGE],
        "may_fix": access.may(request.user, "eventlog.revise", log),
        "may_close": log.state == "open" and access.may(request.user, "eventlog.close", log),
    }
    return render(request, "eventlog/todo.html", context)


def _rows(log: Log, findings: list[Finding]) -> list[dict[str, Any]]:
    wanted = {uuid for finding in findings for uuid in finding.events[:SHOWN_EVENTS]}
    events = {str(event.uuid): event for event in Event.objects.filter(log=log, uuid__in=wanted)}
    return [
        {
            "finding": finding,
            "tone": TONES[finding.severity],
            "events": [events[uuid] for uuid in finding.events[:SHOWN_EVENTS] if uuid in events],
            "more": max(0, len(finding.events) - SHOWN_EVENTS),
            "asks": any("observed_at" in fix.get("asks", ()) for fix in finding.fixes),
        }
        for finding in findings
    ]


@needs("eventlog.read")
@require_safe
def todo_csv(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The list as CSV: one row for each finding, with the numbers of its events."""
    log = logbook.log_of(cruise)
    findings = redpen.look(log)
    numbers = {str(uuid): number for uuid, number in log.events.values_list("uuid", "number")}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["severity", "code", "finding", "events", "fixes"])
    for finding in findings:
        events = " ".join(numbers.get(uuid, uuid) for uuid in finding.events)
        fixes = "; ".join(fix["label"] for fix in finding.fixes)
        writer.writerow([_cell(v) for v in (finding.severity, finding.code, finding.sentence, events, fixes)])
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{cruise.cruise_id}_todo.csv"'
    return response


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@needs("eventlog.revise")
@require_POST
def fix(request: HttpRequest, cruise: Cruise, key: str) -> HttpResponse:
    """Makes one of the calls that a finding offers."""
    log = logbook.log_of(cruise)
    form = WhenForm(request.POST)
    said = form.cleaned_data if form.is_valid() else {"reason": ""}

    def mend() -> None:
        finding = redpen.finding_of(log, key)
        which = request.POST.get("fix", "")
        if not which.isdigit() or int(which) >= len(finding.fixes):
            raise NotFound("The finding has no such fix.")
        given = {"observed_at": said.get("observed_at")}
        redpen.fix(log=log, call=finding.fixes[int(which)], by=request.user, said=given, reason=said["reason"])

    return attempt(request, mend, "It is mended.", "log-todo", cruise.cruise_id)


@needs("eventlog.revise")
@require_POST
def dismiss(request: HttpRequest, cruise: Cruise, key: str) -> HttpResponse:
    """Says that a finding is right as it is, with the reason; or takes that back."""
    log = logbook.log_of(cruise)
    if request.POST.get("recall"):
        done, verb = "The finding is back on the list.", lambda: redpen.recall(log=log, key=key, by=request.user)
        return attempt(request, verb, done, "log-todo", cruise.cruise_id)
    reason = request.POST.get("reason", "")[:1000]
    return attempt(
        request,
        lambda: redpen.dismiss(log=log, finding=redpen.finding_of(log, key), by=request.user, reason=reason),
        "The finding is dismissed.",
        "log-todo",
        cruise.cruise_id,
    )


@needs("eventlog.read")
@require_safe
def digest_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The hand-over of a watch, as a page or with `format=text` as plain text."""
    log = logbook.log_of(cruise)
    hours = _hours(request.GET.get("hours", "4"))
    now = timezone.now()
    if text := request.GET.get("until"):
        field = forms.DateTimeField(input_formats=TIME_FORMATS, required=False)
        try:
            now = field.clean(text) or now
        except forms.ValidationError:
            now = timezone.now()
    since, until = digest.between(log, now, hours)
    found = digest.digest(log, since, until)
    if request.GET.get("format") == "text":
        return HttpResponse(digest.as_text(log, found), content_type="text/plain; charset=utf-8")
    context = {
        "cruise": cruise,
        "log": log,
        "found": found,
        "hours": hours,
        "watches": WATCHES,
        "earlier": since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "until": until.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    return render(request, "eventlog/digest.html", context)


def _hours(text: str) -> int:
    """Whole hours, 1 to two weeks; 4 for what is none."""
    return min(max(int(text), 1), MOST_HOURS) if text.isascii() and text.isdigit() and len(text) < 6 else 4
