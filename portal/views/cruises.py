"""Home, the list of cruises, and the page of one cruise, made of what each floor has to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from portal import access, floor
from portal.forms.cruises import CruiseFilter
from portal.lifecycle import CRUISE
from portal.models import Cruise, JournalEntry, Work
from portal.models.cruise import CHIEFS
from portal.views.doors import needs, of_cruise, public

LIST_PAGE, JOURNAL_PAGE = 50, 100


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, what is happening now, the newest cruises, and a search."""
    waiting = [line for app in floor.floors() for line in app.waits_for(request.user)]
    cruises = Cruise.objects.visible_to(request.user).select_related("vessel", "depart_port", "arrive_port")
    context = {
        "waiting": waiting,
        "at_sea": cruises.filter(state="at sea")[:10],
        "newest": cruises.prefetch_related("parties")[:8],
        "working": Work.objects.filter(state="running").select_related("cruise")[:5]
        if access.is_office(request.user)
        else [],
        "counts": cruises.aggregate(
            cruises=Count("pk"), vessels=Count("vessel", distinct=True), latest=Max("arrive_date")
        ),
    }
    return render(request, "portal/home.html", context)


@public
@require_safe
def cruise_list(request: HttpRequest) -> HttpResponse:
    """All cruises that one may see, searched and filtered; the address is the filter."""
    cruises: Any = Cruise.objects.visible_to(request.user)
    form = CruiseFilter(request.GET, queryset=cruises.select_related("vessel", "depart_port", "arrive_port"))
    page = Paginator(form.qs.prefetch_related("parties"), LIST_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/cruise_list.html",
        {"filter": form, "page": page, "may_submit": access.may(request.user, "orders.submit")},
    )


@of_cruise
@require_safe
def cruise_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Everything about a cruise on one page: the way of its record, map, people, log, inventory, data sets."""
    if request.path.split("/")[2] != cruise.cruise_id:
        return redirect("cruise", cruise.cruise_id)
    panels = floor.in_order(panel for app in floor.floors() for panel in app.panels(request, cruise))
    stages = [_walkable(request, cruise, stage) for app in floor.floors() for stage in app.stages(cruise)]
    verbs = ("orders.amend", "journal.read", "party.see_private")
    context = {
        "cruise": cruise,
        "stages": stages,
        "next_act": next((stage for stage in stages if stage.act), None),
        "panels": panels,
        "may": {verb.replace(".", "_"): access.may(request.user, verb, cruise) for verb in verbs},
        "awards": cruise.awards.all(),
        "targets": cruise.targets.all(),
        "party": cruise.parties.exclude(role__in=CHIEFS),
        "party_count": cruise.parties.count(),
        "journal": JournalEntry.objects.filter(cruise=cruise)[:8],
        "steps_now": [verb for verb in CRUISE.steps if _offers(request, cruise, verb)],
    }
    return render(request, "portal/cruise.html", context)


def _walkable(request: HttpRequest, cruise: Cruise, stage: floor.Stage) -> floor.Stage:
    """The stage as this person sees it: without the way to what is not theirs."""
    if stage.right and not access.may(request.user, stage.right, cruise):
        return replace(stage, url="", act="")
    return stage


def _offers(request: HttpRequest, cruise: Cruise, verb: str) -> bool:
    """Whether the cruise page offers a step of the cruise itself; departing and ending are the event log's."""
    by_hand = verb in ("cruise.cancel", "cruise.reinstate")
    return by_hand and CRUISE.allows(cruise.state, verb) and access.may(request.user, verb, cruise)


@needs("journal.read")
@require_safe
def journal_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Every act on a cruise and on what hangs on it, newest first."""
    entries = JournalEntry.objects.filter(cruise=cruise)
    if verb := request.GET.get("verb"):
        entries = entries.filter(verb=verb)
    page = Paginator(entries, JOURNAL_PAGE).get_page(request.GET.get("page"))
    verbs = JournalEntry.objects.filter(cruise=cruise).order_by("verb").values_list("verb", flat=True).distinct()
    return render(request, "portal/journal.html", {"cruise": cruise, "page": page, "verbs": verbs})
