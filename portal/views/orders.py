"""Pages for sailing orders: the web form, the upload of XML, and what each delivery changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import access, jobs, voyage
from portal.access import Actor
from portal.forms.orders import OrdersForm
from portal.models import Cruise, SailingOrders, Vessel
from portal.orders import document, intake
from portal.refusals import NotLikeThis, Refusal
from portal.views.doors import attempt, needs


def _vessels(actor: Actor) -> Any:
    """Vessels for which somebody may submit orders."""
    vessels = Vessel.objects.filter(is_active=True).select_related("operator")
    return vessels if access.is_office(actor) else vessels.filter(operator__in=access.operators_of(actor))


@needs("orders.submit")
@require_http_methods(["GET", "POST"])
def new_orders(request: HttpRequest) -> HttpResponse:
    """The web form for a new cruise."""
    form = OrdersForm(request.POST or None, vessels=_vessels(request.user))
    if request.method == "POST" and form.is_valid():
        return _submit(request, form, "portal/orders_form.html", {})
    return render(request, "portal/orders_form.html", {"form": form}, status=422 if request.POST else 200)


@needs("orders.amend")
@require_http_methods(["GET", "POST"])
def amend_orders(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The web form for an amendment, filled with the orders in force."""
    vessels = Vessel.objects.filter(pk=cruise.vessel_id) | _vessels(request.user)
    form = OrdersForm(request.POST or None, vessels=vessels, initial=intake.current(cruise))
    if request.method == "POST" and form.is_valid():
        return _submit(request, form, "portal/orders_form.html", {"cruise": cruise})
    context = {"form": form, "cruise": cruise}
    return render(request, "portal/orders_form.html", context, status=422 if request.POST else 200)


def _submit(request: HttpRequest, form: OrdersForm, template: str, context: dict[str, Any]) -> HttpResponse:
    """Submits a filled form; a refusal comes back on the form with all that was typed."""
    try:
        outcome = intake.submit(form.orders(), by=request.user, source="form")
    except Refusal as refusal:
        form.faults = list(getattr(refusal, "faults", ()))
        return render(request, template, {"form": form, "refusal": refusal, **context}, status=422)
    return _told(request, outcome)


def _told(request: HttpRequest, outcome: intake.Outcome) -> HttpResponse:
    """Tells what the orders led to and shows the cruise."""
    said = {
        "created": f"Cruise {outcome.cruise} was created.",
        "amended": f"Amendment {outcome.number} changed {len(outcome.changes)} fields of {outcome.cruise}.",
        "unchanged": f"These orders are in force already: nothing was changed on {outcome.cruise}.",
    }
    messages.success(request, said[outcome.outcome])
    for warning in outcome.warnings:
        messages.warning(request, warning)
    jobs.soon()
    return redirect("cruise", outcome.cruise.cruise_id)


@needs("orders.submit")
@require_http_methods(["GET", "POST"])
def upload_orders(request: HttpRequest) -> HttpResponse:
    """Upload of XML; faults are listed with line and element, and nothing is taken in."""
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            return _told(request, intake.submit_xml(_uploaded(request), by=request.user))
        except Refusal as error:
            refusal = error
    return render(request, "portal/orders_upload.html", {"refusal": refusal}, status=422 if refusal else 200)


def _uploaded(request: HttpRequest) -> bytes:
    file = request.FILES.get("file")
    if file is None:
        raise NotLikeThis("Choose a file with sailing orders first.")
    return bytes(file.read(document.SIZE_LIMIT + 1))


@needs("orders.amend")
@require_safe
def orders_history(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Every delivery of orders, with what it changed."""
    deliveries = SailingOrders.objects.filter(cruise=cruise).defer("delivered").order_by("-number")
    return render(request, "portal/orders_history.html", {"cruise": cruise, "deliveries": deliveries})


@needs("orders.amend")
@require_safe
def orders_file(request: HttpRequest, cruise: Cruise, number: int, kind: str) -> HttpResponse:
    """One delivery as a file: `delivered` byte for byte, or `xml` as we write it."""
    orders = SailingOrders.objects.filter(cruise=cruise, number=number).first()
    if orders is None:
        return HttpResponse(status=404)
    data = bytes(orders.delivered) if kind == "delivered" else orders.document.encode()
    response = HttpResponse(data, content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="{cruise.cruise_id}-orders-{number}.xml"'
    return response


@needs("cruise.cancel")
@require_POST
def cancel(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Cancels a planned cruise, or reinstates a cancelled one."""
    note = request.POST.get("note", "")[:2000]
    if cruise.state == "cancelled":
        return attempt(
            request,
            lambda: voyage.reinstate(cruise=cruise, by=request.user, note=note),
            f"{cruise} is planned again.",
            "cruise",
            cruise.cruise_id,
        )
    return attempt(
        request,
        lambda: voyage.cancel(cruise=cruise, by=request.user, note=note),
        f"{cruise} is cancelled.",
        "cruise",
        cruise.cruise_id,
    )
