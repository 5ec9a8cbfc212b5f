"""Publishing: an approved record is released, cleared data sets get identifiers; each is a work list and a verb."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from lxml import etree

from inventory import datasets
from inventory.models import Dataset, Review
from portal import access, journal, voyage
from portal.models import Cruise
from portal.refusals import NotNow
from portal.work import Progress
from publishing import identifiers, record
from publishing.models import Release
from publishing.oai import catalog


def waiting_to_release() -> list[str]:
    """Approved reviews whose record is not published yet. This list *is* the message from the review."""
    approved = Review.objects.filter(state="approved").exclude(Exists(Release.objects.filter(review=OuterRef("pk"))))
    return [str(pk) for pk in approved.order_by("pk").values_list("pk", flat=True)]


def release(key: str, progress: Progress) -> None:
    """Job: publishes the record of an approved review: the canonical XML frozen, a DOI reserved, the catalogue told."""
    with transaction.atomic():
        review = Review.objects.select_for_update(of=("self",)).select_related("cruise__vessel__operator").get(pk=key)
        progress.describe(f"Publishing the record of {review.cruise}", review.cruise)
        if review.state != "approved":
            raise NotNow(f"The review is {review.state}; only an approved record is published.")
        if Release.objects.filter(review=review).exists():
            return
        cruise = review.cruise
        voyage.make_public(cruise, by=access.WORKER)
        identifiers.reserve(cruise)
        now = timezone.now()
        made = Release.objects.create(
            cruise=cruise,
            review=review,
            number=cruise.releases.count() + 1,
            record="",
            sha256="",
            released_at=now,
        )
        text = record.text(_valid(cruise))
        made.record, made.sha256 = text, hashlib.sha256(text.encode()).hexdigest()
        made.save(update_fields=["record", "sha256"])
        journal.record(access.WORKER, "record.release", made, changes={"sha256": [None, made.sha256]})
        identifiers.outdate(*Dataset.objects.filter(cruise=cruise, state="released"), cruise=cruise)
        catalog.publish(cruise, *Dataset.objects.filter(cruise=cruise, state="released"))


def _valid(cruise: Cruise) -> etree._Element:
    """The record, checked against its schema. Raises NotNow with the schema's words: nothing invalid goes out."""
    root = record.build(cruise, today=timezone.now().date())
    schema = record.schema()
    if not schema.validate(root):
        raise NotNow(f"The record of {cruise} does not fit its schema: {schema.error_log}")
    return root


def waiting_to_clear() -> list[str]:
    """Approved data sets without a hold in force today, whose cruise record is published and under no new review."""
    released = Release.objects.filter(review=OuterRef("cruise__reviews"), review__state="approved")
    cleared = Dataset.objects.cleared(timezone.now().date()).filter(cruise__reviews__state="approved")
    return [str(pk) for pk in cleared.filter(Exists(released)).order_by("pk").values_list("pk", flat=True).distinct()]


def clear(key: str, progress: Progress) -> None:
    """Job: a cleared data set gets its identifier and goes into the catalogue; from here on it cannot be held."""
    with transaction.atomic():
        dataset = Dataset.objects.select_related("cruise__vessel__operator").get(pk=key)
        if key not in waiting_to_clear():
            return
        progress.describe(f"Clearing {dataset}", dataset.cruise)
        datasets.release(dataset=dataset, by=access.WORKER, today=timezone.now().date())
        identifiers.reserve(dataset.cruise, dataset)
        identifiers.outdate(dataset)
        catalog.publish(dataset.cruise, dataset)
