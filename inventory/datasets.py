"""What happens to data sets as a whole: approved with their record, reopened, released to publishing."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from inventory.models import Dataset
from inventory.states import DATASET
from portal import journal
from portal.access import Actor
from portal.models import Cruise
from portal.refusals import NotNow


def approve_all(cruise: Cruise, *, by: Actor) -> int:
    """Approves every data set in draft. Called inside the verb that approves the record."""
    return _move_all(cruise, "dataset.approve", by)


def reopen_all(cruise: Cruise, *, by: Actor) -> int:
    """Puts approved data sets back to draft. Called inside the verb that reopens the record."""
    return _move_all(cruise, "dataset.reopen", by)


def _move_all(cruise: Cruise, verb: str, by: Actor) -> int:
    moved = 0
    for dataset in Dataset.objects.select_for_update().filter(cruise=cruise):
        if DATASET.allows(dataset.state, verb):
            dataset.state, dataset.since = DATASET.step(dataset.state, verb), timezone.now()
            dataset.save(update_fields=["state", "since"])
            journal.record(by, verb, dataset)
            moved += 1
    return moved


@transaction.atomic
def release(*, dataset: Dataset, by: Actor, today: dt.date) -> Dataset:
    """Lets publishing have a data set: from here on it cannot be held. Raises NotNow where it is held or not ready."""
    dataset = Dataset.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=dataset.pk)
    if hold := dataset.hold_in_force(today):
        raise NotNow(f"{dataset} is held until {hold.until}.")
    if dataset.state != "released":
        dataset.state, dataset.since = DATASET.step(dataset.state, "dataset.release"), timezone.now()
        dataset.save(update_fields=["state", "since"])
        journal.record(by, "dataset.release", dataset)
    return dataset
