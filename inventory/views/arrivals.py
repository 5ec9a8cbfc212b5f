"""Pages of what comes in: asking for a delivery to be received, sending one by browser, what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inventory import arrivals, intake
from inventory.arrivals import uploads
from inventory.arrivals.uploads import ToDisk
from inventory.forms import AnnounceForm, ReceiveForm, UploadForm
from inventory.models import Arrival
from inventory.models.arrival import CHOSEN, SENT
from inventory.states import ARRIVAL
from portal import jobs, work
from portal.models import Cruise
from portal.refusals import NotFound, NotLikeThis, Refusal
from portal.views.doors import attempt, needs

PAGE = 100
AT_ONCE = 4_000_000  # bytes of a manifest that is read while the browser waits
VERBS = {
    "receive_now": (arrivals.receive_now, "It will be received now."),
    "leave_out": (arrivals.leave_out, "It is left out. Nothing was deleted."),
    "look_again": (arrivals.look_again, "It will be looked at again."),
}


@needs("distribution.receive")
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Has a directory of the delivery folders received by the worker; what is plainly wrong is told at once."""
    form = ReceiveForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        directory = Path(form.cleaned_data["directory"])
        try:
            intake.look_at_manifest(_manifest(directory, cruise))
            return _asked(arrivals.ask(cruise=cruise, what=directory, source=CHOSEN, by=request.user))
        except Refusal as error:
            refusal = error
    return _receiving(request, cruise, refusal, form=form)


def _manifest(directory: Path, cruise: Cruise) -> Path:
    try:
        return intake.manifest_in(directory, cruise)
    except OSError as error:
        raise NotLikeThis(f"The directory {directory} cannot be received: {error}.") from error


def _asked(arrival: Arrival) -> HttpResponse:
    jobs.soon()
    return redirect("arrival", arrival.uuid)


def _receiving(request: HttpRequest, cruise: Cruise, refusal: Refusal | None, **forms: Any) -> HttpResponse:
    context = {
        "cruise": cruise,
        "form": ReceiveForm(),
        "announce": AnnounceForm(),
        "upload": UploadForm(),
        "refusal": refusal,
        "roots": intake.allowed_roots(),
        "limit": settings.UPLOAD_BYTES,
        "watched": settings.DROP_FOLDER is not None,
        "arrivals": Arrival.objects.visible_to(request.user).filter(cruise=cruise).unsettled(),
        "wrong": next((form for form in forms.values() if form.errors), None),
    }
    return render(request, "inventory/receive.html", context | forms, status=422 if request.method == "POST" else 200)


# The token that guards a form against forgery is in the body. It is looked for only after the right was asked and the
# handler was set that writes the body to the disk; hence exempt outside and protected inside.
@csrf_exempt
@needs("distribution.receive")
@require_POST
def announce(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Takes in a manifest ahead of its disk: a short one at once, a long one by the worker."""
    return _announce(request, cruise, uploads.accept(request))


@csrf_protect
def _announce(request: HttpRequest, cruise: Cruise, handler: ToDisk) -> HttpResponse:
    def take(form: AnnounceForm) -> HttpResponse:
        kept = _kept(handler, form.cleaned_data["manifest"])
        if kept.stat().st_size > AT_ONCE:
            intake.look_at_manifest(kept)
            return _asked(arrivals.ask(cruise=cruise, what=kept, source=SENT, by=request.user))
        receipt = intake.announce(cruise=cruise, manifest=kept, by=request.user)
        messages.success(request, f"{receipt.distribution} is announced. Its disk is received as soon as it is here.")
        return redirect("inventory", cruise.cruise_id)

    return _taken(request, cruise, handler, announce=AnnounceForm(request.POST, request.FILES), take=take)


@csrf_exempt
@needs("distribution.receive")
@require_POST
def upload(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Takes an archive from the browser to the disk; the worker unpacks and receives it."""
    return _upload(request, cruise, uploads.accept(request))


@csrf_protect
def _upload(request: HttpRequest, cruise: Cruise, handler: ToDisk) -> HttpResponse:
    def take(form: UploadForm) -> HttpResponse:
        kept = _kept(handler, form.cleaned_data["archive"], form.cleaned_data["checksum"])
        return _asked(arrivals.ask(cruise=cruise, what=kept, source=SENT, by=request.user))

    return _taken(request, cruise, handler, upload=UploadForm(request.POST, request.FILES), take=take)


def _kept(handler: ToDisk, sent: UploadedFile, checksum: str = "") -> Path:
    sent.close()
    return uploads.keep(handler, sent.name or "", checksum)


def _taken(
    request: HttpRequest, cruise: Cruise, handler: ToDisk, *, take: Callable[[Any], HttpResponse], **forms: Form
) -> HttpResponse:
    """Takes what one form sent, or shows the page again with what is wrong."""
    (form,) = forms.values()
    refusal: Refusal | None = None
    try:
        if handler.too_large:
            raise uploads.too_large()
        if form.is_valid():
            return take(form)
    except Refusal as error:
        refusal = error
    handler.upload_interrupted()
    return _receiving(request, cruise, refusal, **forms)


@needs("distribution.receive")
@require_safe
def arrival_list(request: HttpRequest) -> HttpResponse:
    """What is arriving, what was refused and why, what came in."""
    rows = Arrival.objects.visible_to(request.user).select_related("cruise", "operator", "distribution")
    state = request.GET.get("state", "")
    shown = rows.filter(state=state) if state in ARRIVAL.states else rows.unsettled() if state != "all" else rows
    there = {*rows.order_by().values_list("state", flat=True).distinct(), state}
    context = {
        "page": Paginator(shown, PAGE).get_page(request.GET.get("page")),
        "states": [name for name in ARRIVAL.states if name in there],
        "watched": settings.DROP_FOLDER is not None,
    }
    return render(request, "inventory/arrivals.html", context)


def _found(request: HttpRequest, uuid: UUID) -> Arrival:
    rows = Arrival.objects.visible_to(request.user).select_related("cruise", "operator", "distribution", "asked_by")
    arrival = rows.filter(uuid=uuid).first()
    if arrival is None:
        raise NotFound("There is no such arrival, or none that you may see.")
    return arrival


@needs("distribution.receive")
@require_safe
def arrival_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One arrival: how far it is, or why it was refused, and what can be done."""
    arrival = _found(request, uuid)
    context = {
        "arrival": arrival,
        "says": ARRIVAL.states[arrival.state],
        "work": work.latest(arrivals.DOOR, str(arrival.pk)),
        "verbs": [verb for verb in VERBS if ARRIVAL.allows(arrival.state, f"arrival.{verb}") and _fits(arrival, verb)],
    }
    return render(request, "inventory/arrival.html", context)


def _fits(arrival: Arrival, verb: str) -> bool:
    """Whether the verb has a sense for this arrival, besides its state."""
    if verb == "receive_now":
        return arrival.cruise_id is not None
    return verb != "look_again" or arrival.source not in (CHOSEN, SENT)


@needs("distribution.receive")
@require_POST
def act(request: HttpRequest, uuid: UUID, verb: str) -> HttpResponse:
    """Receive now, leave out, look again."""
    arrival = _found(request, uuid)
    if verb not in VERBS:
        raise NotFound("There is no such act.")
    say, done = VERBS[verb]

    def do() -> None:
        say(arrival=arrival, by=request.user, note=request.POST.get("note", "")[:500])
        jobs.soon()

    return attempt(request, do, done, "arrival", arrival.uuid)
