"""The review page: the whole record in sections, remarks, flags, and the two signatures."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from eventlog.models import Log
from inventory import finding, track
from inventory import review as reviewing
from inventory.forms import FlagForm, RemarkForm
from inventory.models import Remark, Review
from inventory.overview import dataset_rows
from portal import access, jobs
from portal.lifecycle import Role
from portal.models import Cruise
from portal.refusals import NotFound, NotLikeThis
from portal.views.doors import attempt, needs


def _current(cruise: Cruise) -> Review:
    review = cruise.reviews.current().select_related("distribution").first()
    if review is None:
        raise NotFound(f"No review of {cruise} was opened yet.")
    return review


@needs("review.see")
@require_safe
def review_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Everything that is to be approved, on one page."""
    review = cruise.reviews.current().select_related("distribution").first()
    distribution = cruise.distributions.current().select_related("total").first()
    held = access.roles(request.user, cruise)
    before = cruise.reviews.filter(round=review.round - 1).first() if review and review.round > 1 else None
    context: dict[str, Any] = {
        "cruise": cruise,
        "review": review,
        "distribution": distribution,
        "counts": distribution.counts() if distribution else {},
        "rows": dataset_rows(cruise),
        "track": track.in_force(cruise),
        "log": Log.objects.filter(cruise=cruise).first(),
        "orders": cruise.orders.order_by("-number").first(),
        "changes": _changed_since(cruise, before),
        "sections": _sections(review),
        "signatures": _signatures(review, held),
        "flags": distribution.flags.all() if distribution else [],
        "flag_form": FlagForm(),
        "may_open": access.may(request.user, "review.open", cruise),
        "may_remark": review is not None
        and review.state == "open"
        and access.may(request.user, "review.remark", cruise),
        "outdated": review is not None and review.state == "open" and review.is_outdated(),
        "blocking": finding.narrowed(distribution, dataset="none").files if distribution else 0,
        "rounds": cruise.reviews.order_by("-round"),
    }
    return render(request, "inventory/review.html", context)


def _changed_since(cruise: Cruise, before: Review | None) -> list[dict[str, Any]]:
    """Fields of the orders that amendments changed since the round before was opened."""
    if before is None:
        return []
    orders = cruise.orders.filter(received_at__gt=before.opened_at).order_by("number")
    return [change | {"number": delivery.number} for delivery in orders for change in delivery.changes]


def _sections(review: Review | None) -> list[dict[str, Any]]:
    remarks = list(review.remarks.all()) if review else []
    return [
        {
            "key": key,
            "title": title,
            "remarks": [remark for remark in remarks if remark.section == key],
            "form": RemarkForm(initial={"section": key}, auto_id=f"id_{key}_%s"),
        }
        for key, title in Remark.SECTIONS
    ]


def _signatures(review: Review | None, held: frozenset[Role]) -> list[dict[str, Any]]:
    """Both lines to sign on: who signed, and whether this person may."""
    given = {signature.role: signature for signature in review.signatures.all()} if review else {}
    return [
        {
            "role": role,
            "signature": given.get(role.value),
            "mine": review is not None and review.state == "open" and role in held and role.value not in given,
        }
        for role in reviewing.SIGNERS
    ]


@needs("review.open")
@require_POST
def open_review(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Opens a round and invites."""

    def begin() -> None:
        reviewing.open_review(cruise=cruise, by=request.user, note=request.POST.get("note", "")[:2000])
        jobs.soon()

    return attempt(
        request, begin, f"The review of {cruise} is open; the invitations go out.", "review", cruise.cruise_id
    )


@needs("review.remark")
@require_POST
def remark(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Remarks on a section."""
    section = request.POST.get("section", "")
    return attempt(
        request,
        lambda: reviewing.remark(
            review=_current(cruise),
            section=section,
            verdict=request.POST.get("verdict", ""),
            text=request.POST.get("text", "")[:5000],
            by=request.user,
        ),
        "Your remark is noted.",
        "review",
        cruise.cruise_id,
        anchor=section if section in dict(Remark.SECTIONS) else "",
    )


@needs("review.approve")
@require_POST
def sign(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Approves the record in one of the two roles, or returns it with a reason."""
    try:
        role = Role(request.POST.get("role", ""))
    except ValueError as error:
        raise NotLikeThis("Say in which role you sign.") from error
    note = request.POST.get("note", "")[:5000]
    if request.POST.get("decision") == "return":
        return attempt(
            request,
            lambda: reviewing.return_to_office(review=_current(cruise), role=role, by=request.user, note=note),
            f"The record of {cruise} is returned to the data manager.",
            "review",
            cruise.cruise_id,
        )

    def approve() -> None:
        reviewing.approve(review=_current(cruise), role=role, by=request.user, note=note)
        jobs.soon()

    return attempt(request, approve, f"You approved the record of {cruise} as {role}.", "review", cruise.cruise_id)
