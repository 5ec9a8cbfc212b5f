"""The page of the seal: what is unfinished, closing, the seals with their checksums, verifying, sealing again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from eventlog import logbook, proof, redpen, seal
from eventlog.models import Log
from eventlog.verify import Report
from portal import access
from portal.jobs import soon
from portal.models import Cruise
from portal.views.doors import attempt, needs


@needs("eventlog.read")
@require_safe
def seal_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """What is unfinished, and the seals as they stand."""
    return _page(request, logbook.log_of(cruise))


def _page(request: HttpRequest, log: Log, report: Report | None = None) -> HttpResponse:
    seals = list(log.seals.order_by("sequence"))
    later = log.revisions.filter(sequence__gt=seals[-1].sequence).count() if seals else 0
    context = {
        "cruise": log.cruise,
        "log": log,
        "seals": seals,
        "later": later,
        "unsealed": log.state == "closed" and not seals,
        "final_copies": log.final_copies.defer("data"),
        "unfinished": redpen.unfinished(log) if log.state == "open" else [],
        "report": report,
        "work": proof.last(log),
        "is_long": proof.is_long(log),
        "last": log.revisions.order_by("-sequence").first(),
        "may_close": log.state == "open" and access.may(request.user, "eventlog.close", log),
        "may_seal": log.state == "closed" and access.may(request.user, "eventlog.correct", log),
    }
    return render(request, "eventlog/seal.html", context)


@needs("eventlog.read")
@require_POST
def verify_log(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Verifies the log here, or has a worker verify a large one."""
    log = logbook.log_of(cruise)
    if not proof.is_long(log):
        return _page(request, log, proof.now(log, by=request.user))
    proof.ask(log, by=request.user)
    soon()
    messages.success(request, "The log is being verified; the result appears on this page.")
    return redirect("log-seal", cruise.cruise_id)


@needs("eventlog.correct")
@require_POST
def seal_again(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Seals the log once more after late corrections."""
    return attempt(
        request,
        lambda: seal.seal_again(
            log=logbook.log_of(cruise), by=request.user, reason=request.POST.get("reason", "")[:1000]
        ),
        f"The event log of {cruise} is sealed again; the seals before stay.",
        "log-seal",
        cruise.cruise_id,
    )
