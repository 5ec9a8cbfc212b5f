"""Pages of a distribution: browsing by directory and by state, downloads, flags."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from inventory import comparing, exports, finding, listing, paths, review, verification
from inventory.forms import AnswerForm, FlagForm
from inventory.models import Distribution, Flag
from inventory.states import FILE_STATES
from portal import access, jobs, leaves, streaming, work
from portal.models import Cruise
from portal.refusals import NotFound
from portal.views.doors import attempt, needs, of_cruise

PAGE = 100
BROWSER_VERBS = ("file.flag", "file.answer_flag", "distribution.reread", "distribution.receive")


def current(cruise: Cruise) -> Distribution:
    """The shipment in force. Raises NotFound before the first one."""
    distribution = cruise.distributions.current().select_related("total").first()
    if distribution is None:
        raise NotFound(f"No distribution of {cruise} was received yet.")
    return distribution


@of_cruise
@require_safe
def browse(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The inventory: one directory with its counts and sums, or a search over all of them."""
    distribution = current(cruise)
    directory = request.GET.get("in", "").strip("/")
    words, state, dataset = (request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "state", "dataset"))
    searching = bool(words or state or dataset)
    which = leaves.asked(request.GET)
    folders = [] if searching else listing.folders(distribution, directory)
    if searching:
        lot = finding.narrowed(distribution, state=state, dataset=dataset)
    else:
        lot = listing.inside(distribution, directory)
    if words:
        found = finding.find([distribution], lot, words, which, PAGE)
    else:
        found = finding.Found(lot.leaf(which, PAGE), lot.files, lot.bytes)
    counts = distribution.counts()
    context = {
        "cruise": cruise,
        "distribution": distribution,
        "counts": counts,
        "standing": verification.standing(distribution, counts),
        "directory": directory,
        "trail": listing.trail(directory),
        "folders": folders[: listing.MOST_FOLDERS],
        "more_folders": len(folders) > listing.MOST_FOLDERS,
        "found": found,
        "leaf": found.leaf,
        "searching": searching,
        "states": FILE_STATES,
        "datasets": cruise.datasets.standing(),
        "work": work.latest(verification.DOOR, str(distribution.pk)),
        "may": {verb.replace(".", "_"): access.may(request.user, verb, cruise) for verb in BROWSER_VERBS},
        "parent": directory.rpartition("/")[0],
        "shown_directory": paths.display(directory),
        "flags": distribution.flags.all() if access.may(request.user, "review.see", cruise) else [],
        "flag_form": FlagForm(initial={"path": request.GET.get("flag", directory)}),
        "shipments": cruise.distributions.order_by("-number"),
    }
    return render(request, "inventory/browse.html", context)


@of_cruise
@require_safe
def download(request: HttpRequest, cruise: Cruise, form: str) -> StreamingHttpResponse:
    """A whole inventory as CSV or as a manifest that md5deep or hashdeep audits a disk against.

    `?shipment=2`: an earlier one; `?said=delivered`: what the ship told, not what was found; `?said=disk`: what was
    found, and the manifest in the root.
    """
    number = request.GET.get("shipment", "")
    distribution = comparing.numbered(cruise, int(number) if number.isdecimal() and len(number) < 7 else None)
    asked = request.GET.get("said")
    said = asked if asked in (listing.DELIVERED, listing.DISK) else listing.FOUND
    made = exports.export(distribution, form, said)
    return streaming.send(request, made.parts, content_type=made.content_type, name=made.name)


@needs("distribution.reread")
@require_POST
def reread(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Has every file read again."""

    def again() -> None:
        verification.reread(distribution=current(cruise), by=request.user, note=request.POST.get("note", "")[:1000])
        jobs.soon()

    return attempt(request, again, "Every file will be read again.", "inventory", cruise.cruise_id)


@needs("file.flag")
@require_POST
def flag(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Flags a file as missing or wrong."""
    form = FlagForm(request.POST)
    values = form.cleaned_data if form.is_valid() else {name: request.POST.get(name, "") for name in form.fields}
    return attempt(
        request,
        lambda: review.flag(distribution=current(cruise), by=request.user, **values),
        f"{values['path']} is flagged. The data manager will answer.",
        "review" if request.POST.get("back") == "review" else "inventory",
        cruise.cruise_id,
        anchor="flags",
    )


@needs("file.answer_flag")
@require_POST
def answer(request: HttpRequest, cruise: Cruise, flag: int) -> HttpResponse:
    """Answers a flag."""
    found = Flag.objects.filter(pk=flag, distribution__cruise=cruise).first()
    if found is None:
        raise NotFound("There is no such flag.")
    form = AnswerForm(request.POST)
    text = form.cleaned_data["answer"] if form.is_valid() else ""
    return attempt(
        request,
        lambda: review.answer_flag(flag=found, answer=text, by=request.user),
        "The flag is answered.",
        "inventory",
        cruise.cruise_id,
        anchor="flags",
    )
