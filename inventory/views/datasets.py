"""Pages of data sets: classification with what no rule matched, one data set with its hold, track and products."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inventory import classify as classifying
from inventory import finding, footprints, holds, profiles, track
from inventory.forms import HoldForm
from inventory.models import Dataset, Footprint
from inventory.overview import dataset_rows
from inventory.views.files import current
from portal import access, floor, jobs, journal, leaves, streaming
from portal.leaves import Asked
from portal.models import Cruise, Work
from portal.refusals import NotFound, Refusal
from portal.views.doors import attempt, blame, needs, of_cruise

EXAMPLES, PAGE = 200, 100
DATASET_VERBS = ("dataset.hold", "dataset.lift_hold", "journal.read")


@of_cruise
@require_safe
def classification(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """What the profile made of the distribution: data sets, what is excluded, and what no rule matches."""
    distribution = current(cruise)
    left = finding.narrowed(distribution, dataset="none")
    history = list(distribution.classifications.select_related("profile"))
    numbers = {str(made.number): made for made in history}
    pair = numbers.get(request.GET.get("a", "")), numbers.get(request.GET.get("b", ""))
    context = {
        "cruise": cruise,
        "distribution": distribution,
        "datasets_panel": {"cruise": cruise, "rows": dataset_rows(cruise)},
        "history": history,
        "pair": pair,
        "differs": classifying.compared(pair[0], pair[1]) if pair[0] and pair[1] else None,
        "profile": profiles.active(cruise.vessel),
        "unmatched": left.leaf(Asked(), EXAMPLES),
        "unmatched_count": left.files,
        "excluded_count": sum(part.files for part in distribution.sums() if part.excluded),
        "work": Work.objects.filter(door="inventory.classify", key=str(distribution.pk), state="running").first(),
        "may_classify": access.may(request.user, "distribution.classify", cruise),
    }
    return render(request, "inventory/classification.html", context)


@needs("distribution.classify")
@require_POST
def classify(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Applies the vessel's profile; where the files are many, the worker does."""
    distribution = current(cruise)
    many = distribution.counts()["all"]["files"] > classifying.AT_ONCE

    def apply() -> None:
        act = classifying.ask if many else classifying.classify
        act(distribution=distribution, by=request.user)
        jobs.soon()

    done = "The worker classifies the files. You can leave this page." if many else "The files are classified."
    return attempt(request, apply, done, "classification", cruise.cruise_id)


@of_cruise
@require_safe
def track_json(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The control points as GeoJSON; an empty collection where there is no track."""
    made = track.in_force(cruise)
    if made is None or made.geometry is None:
        return JsonResponse({"type": "FeatureCollection", "features": []}, content_type="application/geo+json")
    return JsonResponse(track.geojson(made), content_type="application/geo+json")


@of_cruise
@require_safe
def product(request: HttpRequest, cruise: Cruise, kind: str) -> StreamingHttpResponse:
    """A navigation product as GeoCSV."""
    made = track.in_force(cruise)
    found = made.products.filter(kind=kind).first() if made else None
    if found is None:
        raise NotFound(f"There is no such product of {cruise}.")
    path = Path(settings.HOME) / found.path
    if not path.is_file():
        raise NotFound(f"The file of {found} is not there any more; have the track made again.")
    kind_of_file = "text/csv; charset=utf-8"
    return streaming.send_file(
        request, path.open("rb"), path.stat().st_size, content_type=kind_of_file, name=str(found)
    )


@needs("navigation.make")
@require_POST
def make_track(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Makes the track anew."""
    return attempt(
        request,
        lambda: track.make(distribution=current(cruise), by=request.user),
        "The track is made.",
        "cruise",
        cruise.cruise_id,
    )


def dataset_of(request: HttpRequest, cruise: Cruise, uuid: str) -> Dataset:
    """The data set of an address. Raises NotFound."""
    found = Dataset.objects.visible_to(request.user).filter(cruise=cruise, uuid=uuid).prefetch_related("holds").first()
    if found is None:
        raise NotFound(f"There is no such data set of {cruise}.")
    return found


@of_cruise
@require_safe
def dataset_page(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """The landing page of a data set: what it is, its files, its hold, and what publishing has to say of it."""
    dataset = dataset_of(request, cruise, uuid)
    distribution = cruise.distributions.current().select_related("total").first()
    parts = [part for part in distribution.sums() if part.dataset_id == dataset.pk] if distribution else []
    files = dataset.files.filter(distribution=distribution)
    lot = finding.of_parts(files, distribution, parts) if distribution else finding.Lot(files.none(), 0)
    in_force = dataset.hold_in_force(timezone.now().date())
    context = {
        "cruise": cruise,
        "dataset": dataset,
        "footprint": Footprint.objects.filter(dataset=dataset).first(),
        "sums": finding.summed(parts),
        "as_of": distribution.as_of if distribution else None,
        "leaf": lot.leaf(leaves.asked(request.GET), PAGE),
        "hold": in_force,
        "state": "held" if in_force and dataset.state in ("draft", "approved") else dataset.state,
        "holds": dataset.holds.select_related("asserted_by"),
        "may": {verb.replace(".", "_"): access.may(request.user, verb, cruise) for verb in DATASET_VERBS},
        "panels": floor.in_order(p for app in floor.floors() for p in app.dataset_panels(request, dataset)),
        "journal": journal.of(dataset)[:20],
    }
    return render(request, "inventory/dataset.html", context)


@of_cruise
@require_safe
def footprint_json(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """Where the files of a data set were measured, as GeoJSON; an empty collection where that is not known."""
    made = Footprint.objects.filter(dataset=dataset_of(request, cruise, uuid)).first()
    told = footprints.features(made) if made else {"type": "FeatureCollection", "features": []}
    return JsonResponse(told, content_type="application/geo+json")


@needs("dataset.hold")
@require_http_methods(["GET", "POST"])
def hold(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """Asserts a hold, or changes the one in force."""
    dataset = dataset_of(request, cruise, uuid)
    form = HoldForm(request.POST or None, latest=holds.latest_end(cruise))
    if request.method == "POST" and form.is_valid():
        try:
            holds.assert_hold(dataset=dataset, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            blame(form, refusal)
        else:
            return redirect("dataset", cruise.cruise_id, dataset.uuid)
    context = {
        "cruise": cruise,
        "dataset": dataset,
        "form": form,
        "in_force": dataset.hold_in_force(timezone.now().date()),
    }
    return render(request, "inventory/hold.html", context, status=422 if request.method == "POST" else 200)


@needs("dataset.lift_hold")
@require_POST
def lift_hold(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """Lifts a hold."""
    dataset = dataset_of(request, cruise, uuid)

    def lift() -> None:
        holds.lift_hold(dataset=dataset, by=request.user, note=request.POST.get("note", "")[:1000])
        jobs.soon()

    return attempt(request, lift, f"The hold on {dataset} is lifted.", "dataset", cruise.cruise_id, dataset.uuid)
