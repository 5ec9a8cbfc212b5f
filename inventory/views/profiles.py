"""Pages of distribution profiles: the list, the editor with its preview, versions and what differs between them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from inventory import profiles, trial
from inventory.models import Distribution, Profile
from inventory.rules import SIGNATURES, BadPattern
from inventory.states import DEVICE_CLASSES, EXCLUSIONS
from inventory.views import sheet
from portal import jobs
from portal.models import Cruise, Vessel
from portal.refusals import NotFound, NotNow, Refusal
from portal.views.doors import needs

MOST_CRUISES = 200


@needs("profile.edit")
@require_safe
def profile_list(request: HttpRequest) -> HttpResponse:
    """The profiles of all vessels."""
    vessels = Vessel.objects.filter(is_active=True).select_related("operator").prefetch_related("profiles__rules")
    return render(request, "inventory/profiles.html", {"vessels": vessels})


@needs("profile.edit")
@require_http_methods(["GET", "POST"])
def profile_page(request: HttpRequest, vessel: str) -> HttpResponse:
    """A vessel's profile as a sheet of rules: each button of the form says what is to be done with it."""
    ship = Vessel.objects.filter(pk=vessel).first()
    if ship is None:
        raise NotFound(f"There is no vessel {vessel}.")
    active = profiles.active(ship)
    in_force = profiles.texts(active) if active else []
    cruises = Cruise.objects.filter(vessel=ship, distributions__isnull=False).distinct().order_by("-depart_date")
    chosen = _cruise(cruises, request.POST.get("cruise", ""))
    context: dict[str, Any] = {
        "vessel": ship,
        "profile": active,
        "cruises": cruises[:MOST_CRUISES],
        "cruise": chosen,
        "versions": Profile.objects.filter(vessel=ship).prefetch_related("rules"),
        "classes": DEVICE_CLASSES,
        "exclusions": EXCLUSIONS,
        "signatures": SIGNATURES,
        "note": request.POST.get("note", ""),
        "base": request.POST.get("base", str(active.version) if active else "0"),
    }
    if request.method == "GET":
        context["lines"] = sheet.lines(in_force)
        return render(request, "inventory/profile.html", context)
    do = request.POST.get("do", "preview")
    rules = sheet.read(request.POST)
    try:
        rules = sheet.changed(rules, do, request)
        if do == "save":
            return _saved(request, ship, active, rules)
    except Refusal as refusal:
        context["refusal"] = refusal
    faults = profiles.faults(rules)
    context["lines"] = sheet.lines(rules, faults)
    context["faults"] = faults
    if not faults and chosen is not None and "refusal" not in context:
        context |= _tried(chosen, rules, in_force)
        for line, files in zip(context["lines"], context["trial"].rules if "trial" in context else [], strict=False):
            line.files = files
    live = request.headers.get("X-Preview") == "live"
    page = "inventory/_profile_preview.html" if live else "inventory/profile.html"
    wrong = bool(faults and do in ("save", "preview")) or "refusal" in context
    return render(request, page, context, status=422 if wrong and not live else 200)


def _cruise(cruises: Any, wanted: str) -> Cruise | None:
    found: Cruise | None = cruises.filter(cruise_id=wanted[:60]).first() if wanted else None
    return found or cruises.first()


def _saved(request: HttpRequest, ship: Vessel, active: Profile | None, rules: list[profiles.RuleText]) -> HttpResponse:
    """Saves the next version, unless somebody else did meanwhile."""
    if request.POST.get("base", "") != str(active.version if active else 0):
        raise NotNow("Somebody saved another version meanwhile. Open this page anew in a second window and compare.")
    made, new = profiles.save(vessel=ship, rules=rules, by=request.user, note=request.POST.get("note", "")[:300])
    jobs.soon()
    messages.success(request, f"{made} is in force." if new else "These are the rules in force; nothing was changed.")
    return redirect("profile", ship.pk)


def _tried(cruise: Cruise, rules: list[profiles.RuleText], in_force: list[profiles.RuleText]) -> dict[str, Any]:
    distribution = Distribution.objects.current().filter(cruise=cruise).first()
    if distribution is None:
        return {}
    try:
        return {"trial": trial.attempt(distribution, rules, in_force)}
    except BadPattern as error:
        return {"refusal": NotNow(f"{error}.")}


@needs("profile.edit")
@require_safe
def profile_file(request: HttpRequest, vessel: str, version: int, form: str) -> HttpResponse:
    """A version of a profile as JSON or YAML."""
    found = Profile.objects.filter(vessel=vessel, version=version).prefetch_related("rules").first()
    if found is None or form not in profiles.FORMATS:
        raise NotFound("There is no such version of the profile.")
    response = HttpResponse(profiles.export(found, form), content_type=f"application/{form}")
    response["Content-Disposition"] = f'attachment; filename="profile-{vessel}-{version}.{form}"'
    return response


@needs("profile.edit")
@require_safe
def profile_changes(request: HttpRequest, vessel: str) -> HttpResponse:
    """What differs between two versions, `a` and `b` of the query: rules added, removed and moved."""
    found = {str(p.version): p for p in Profile.objects.filter(vessel=vessel).prefetch_related("rules")}
    before, after = found.get(request.GET.get("a", "")), found.get(request.GET.get("b", ""))
    if before is None or after is None:
        raise NotFound("There is no such version of the profile.")
    context = {
        "vessel": after.vessel,
        "before": before,
        "after": after,
        "versions": found.values(),
        "rows": profiles.differences(profiles.texts(before), profiles.texts(after)),
    }
    return render(request, "inventory/profile_changes.html", context)
