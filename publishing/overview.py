"""What publishing tells the other pages: steps and panels, and what waits for the office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from inventory.models import Dataset
from inventory.overview import dataset_rows
from portal import access
from portal.access import Actor
from portal.floor import Panel, Stage, Waiting
from portal.models import Cruise
from publishing.models import Identifier, Submission
from publishing.oai import catalog

SILENT = dt.timedelta(days=14)  # an archive that has not answered for so long is asked about


def stages(cruise: Cruise) -> Iterable[Stage]:
    """Published and archived."""
    release = cruise.releases.order_by("-number").first()
    if release is None:
        yield Stage("published", "waiting")
    else:
        yield Stage("published", "done", reverse("report", args=[cruise.cruise_id]), release.released_at)
    counts = (
        Dataset.objects.filter(cruise=cruise)
        .standing()
        .aggregate(all=Count("pk"), here=Count("pk", filter=Q(submission__state="accessioned")))
    )
    url = reverse("cruise", args=[cruise.cruise_id]) + "#datasets"
    if release is None:
        yield Stage("archived", "waiting")
    elif counts["all"] and counts["here"] == counts["all"]:
        last = Submission.objects.filter(dataset__cruise=cruise).order_by("-since").first()
        yield Stage("archived", "done", url, last.since if last else None)
    else:
        yield Stage("archived", "now", url, note=f"{counts['here']} of {counts['all']} data sets")


def panels(request: HttpRequest, cruise: Cruise) -> Iterable[Panel]:
    """The data sets with identifier and archive, in the place of the plain ones; and what is published."""
    rows = dataset_rows(cruise)
    if rows:
        identifiers = {i.dataset_id: i for i in Identifier.objects.filter(cruise=cruise)}
        submissions = Submission.objects.filter(dataset__cruise=cruise).prefetch_related("accessions")
        by_dataset = {submission.dataset_id: submission for submission in submissions}
        for row in rows:
            row["identifier"] = identifiers.get(row["dataset"].pk)
            submission = by_dataset.get(row["dataset"].pk)
            row["submission"] = submission
            row["accession"] = submission.accession if submission else None
            if submission is not None:
                row["state"] = submission.state if submission.state != "waiting" else "released"
        yield Panel("datasets", "publishing/_datasets.html", {"cruise": cruise, "rows": rows}, order=30)
    release = cruise.releases.order_by("-number").first()
    if release is not None:
        context = {
            "cruise": cruise,
            "release": release,
            "oai": catalog.identifier_of(cruise),
            "identifier": Identifier.objects.filter(cruise=cruise, dataset=None).first(),
        }
        yield Panel("published", "publishing/_published.html", context, order=20)


def dataset_panels(request: HttpRequest, dataset: Dataset) -> Iterable[Panel]:
    """Identifier, archive, and how to cite."""
    submission = Submission.objects.filter(dataset=dataset).prefetch_related("accessions").first()
    context = {
        "dataset": dataset,
        "cruise": dataset.cruise,
        "identifier": Identifier.objects.filter(dataset=dataset).first(),
        "submission": submission,
        "accession": submission.accession if submission else None,
        "accessions": submission.accessions.order_by("-pk") if submission else [],
        "may_see": access.may(request.user, "submission.see", dataset),
    }
    yield Panel("archive", "publishing/_dataset.html", context, order=10)


def waits_for(actor: Actor) -> Iterator[Waiting]:
    """Archives that have not answered."""
    if not access.is_office(actor):
        return
    silent = Submission.objects.filter(state="staged", staged_at__lt=timezone.now() - SILENT)
    if count := silent.count():
        first = silent.order_by("staged_at").first()
        since = first.staged_at if first else None
        yield Waiting(
            "Staged bags that no archive has answered for", reverse("submissions"), count, since, "Ask", "warn"
        )
    staged = Submission.objects.filter(state="staged").count()
    if staged and staged > silent.count():
        yield Waiting("Bags staged for the archive", reverse("submissions"), staged, None, "Look", "neutral")
