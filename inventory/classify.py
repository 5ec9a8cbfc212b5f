"""Classification: a profile sorts the files of a distribution into data sets; what no rule matches stays in sight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from inventory import assignment, profiles, totals
from inventory.models import Classification, Dataset, Distribution, Profile, Rule
from inventory.rules import Matcher
from inventory.states import DATASET, DISTRIBUTION
from portal import access, journal
from portal.access import Actor
from portal.models import Person
from portal.refusals import NotLikeThis, NotNow, Refusal
from portal.work import Progress

BATCH = 5000
AT_ONCE = 20_000  # files that a page has classified while somebody waits
Device = tuple[str, str, str, str, str]


@dataclass(slots=True)
class Preview:
    """What a profile would make of a distribution: files by device, and the paths of those no rule matches."""

    devices: Counter[Device] = field(default_factory=Counter)
    excluded: int = 0
    unmatched: int = 0
    examples: list[str] = field(default_factory=list)


def device(rule: Any) -> Device:
    """What makes a data set: class, vendor, model, the ship's own word, and where it stands."""
    return rule.device_class, rule.make, rule.model, rule.label, rule.location


def preview(distribution: Distribution, rules: list[Any], *, examples: int = 50) -> Preview:
    """What rules would make of a distribution; nothing is written."""
    matcher, peek = Matcher.of(rules), assignment.peeker(distribution.root)
    found = Preview()
    for path in distribution.files.order_by("pk").values_list("path", flat=True).iterator(chunk_size=BATCH):
        rule = matcher.rule_for(path, peek)
        if rule is None:
            found.unmatched += 1
            if len(found.examples) < examples:
                found.examples.append(path)
        elif rule.exclude:
            found.excluded += 1
        else:
            found.devices[device(rule)] += 1
    return found


@transaction.atomic
def classify(
    *, distribution: Distribution, by: Actor, profile: Profile | None = None, progress: Progress | None = None
) -> Classification:
    """Applies a profile (the vessel's, unless another is named) to every file; the same profile again changes nothing.

    Files that are missing count to their data set: what was promised and did not come must not vanish from it.
    Raises NotYou, NotNow (not verified, record approved), NotLikeThis where the vessel has no profile.
    """
    distribution, profile, state = _ready(distribution, by, profile)
    before_state = distribution.state
    last = distribution.classifications.order_by("-number").first()
    if last is not None and last.profile_id == profile.pk and before_state == "classified":
        return last
    before = _sizes(distribution)
    tally = _assign(distribution, profile, progress)
    totals.recount(distribution)
    after = _sizes(distribution)
    _retire_empty(distribution, by)
    number = (distribution.classifications.aggregate(Max("number"))["number__max"] or 0) + 1
    classification = Classification.objects.create(
        distribution=distribution,
        profile=profile,
        number=number,
        at=timezone.now(),
        by_name=str(by),
        matched=tally["matched"],
        excluded=tally["excluded"],
        unmatched=tally["unmatched"],
        changes=_changes(before, after),
        sizes=after,
    )
    distribution.state, distribution.since = state, timezone.now()
    distribution.save(update_fields=["state", "since"])
    journal.record(
        by,
        "distribution.classify",
        distribution,
        note=str(profile),
        changes={k: [None, v] for k, v in tally.items()},
    )
    return classification


def _ready(distribution: Distribution, by: Actor, profile: Profile | None) -> tuple[Distribution, Profile, str]:
    """The locked distribution, the profile to apply, and the state that follows. Raises as `classify`."""
    rows = Distribution.objects.select_for_update(of=("self",)).select_related("cruise__vessel")
    distribution = rows.get(pk=distribution.pk)
    access.require(by, "distribution.classify", distribution)
    cruise = distribution.cruise
    if cruise.approved_at:
        raise NotNow(f"The record of {cruise} is approved. Open a new review before classifying its files anew.")
    state = DISTRIBUTION.step(distribution.state, "distribution.classify")
    profile = profile or profiles.active(cruise.vessel)
    if profile is None:
        raise NotLikeThis(f"{cruise.vessel} has no distribution profile yet. Make one, then classify.")
    return distribution, profile, state


@transaction.atomic
def ask(*, distribution: Distribution, by: Actor) -> Distribution:
    """Has the worker apply the vessel's profile, as this person: many files take longer than a page can wait.

    Raises as `classify`. Asked again it is the profile in force then.
    """
    distribution, profile, _ = _ready(distribution, by, None)
    distribution.asked_profile, distribution.asked_by = profile, by if isinstance(by, Person) else None
    distribution.save(update_fields=["asked_profile", "asked_by"])
    return distribution


def _assign(distribution: Distribution, profile: Profile, progress: Progress | None) -> Counter[str]:
    datasets: dict[Device, Dataset] = {}

    def dataset_of(rule: Rule) -> Dataset:
        return datasets.get(device(rule)) or datasets.setdefault(device(rule), _dataset(distribution, rule))

    return assignment.assign(distribution, Matcher.of(profile.rules.order_by("order")), dataset_of, progress)


def _dataset(distribution: Distribution, rule: Rule) -> Dataset:
    """The data set of a rule's device on this cruise; one that was retired comes back."""
    cruise = distribution.cruise
    dataset, created = Dataset.objects.get_or_create(
        cruise=cruise,
        device_class=rule.device_class,
        make=rule.make,
        model=rule.model,
        label=rule.label,
        location=rule.location,
        defaults={
            "since": timezone.now(),
            "file_format": rule.file_format,
            "navigation_rank": rule.navigation_rank,
        },
    )
    if not created:
        dataset.file_format, dataset.navigation_rank = rule.file_format, rule.navigation_rank
        if dataset.state == "retired":
            dataset.state, dataset.since = DATASET.step(dataset.state, "dataset.revive"), timezone.now()
        dataset.save()
    return dataset


def _sizes(distribution: Distribution) -> dict[str, int]:
    """Files of each data set, by the totals."""
    counts = totals.by_dataset(distribution)
    return {d.name: counts[d.pk][0] for d in Dataset.objects.filter(pk__in=counts)}


def _changes(before: dict[str, int], after: dict[str, int]) -> dict[str, list[int]]:
    names = sorted(before.keys() | after.keys())
    return {n: [before.get(n, 0), after.get(n, 0)] for n in names if before.get(n, 0) != after.get(n, 0)}


def compared(before: Classification, after: Classification) -> dict[str, list[int]] | None:
    """Files of each data set that differ between two classifications; None where one did not record its sizes yet."""
    if any(c.matched and not c.sizes for c in (before, after)):
        return None
    return _changes(before.sizes, after.sizes)


def _retire_empty(distribution: Distribution, by: Actor) -> None:
    """Data sets of the cruise that no file of this distribution belongs to any more."""
    standing = Dataset.objects.filter(cruise=distribution.cruise).standing()
    for dataset in standing.exclude(files__distribution=distribution):
        if DATASET.allows(dataset.state, "dataset.retire"):
            dataset.state, dataset.since = DATASET.step(dataset.state, "dataset.retire"), timezone.now()
            dataset.save(update_fields=["state", "since"])
            journal.record(by, "dataset.retire", dataset)


def waiting_to_classify() -> list[str]:
    """Verified distributions that were never classified and whose vessel has a profile; those it was asked to."""
    never = Q(state="verified", cruise__approved_at__isnull=True, cruise__vessel__profiles__active=True)
    found = Distribution.objects.filter(never | Q(asked_profile__isnull=False)).order_by("pk").distinct()
    return [str(pk) for pk in found.values_list("pk", flat=True)]


def run(key: str, progress: Progress) -> None:
    """Job: classifies one distribution with its vessel's profile, or with the one it was asked to, as who asked."""
    rows = Distribution.objects.select_related("cruise", "asked_profile", "asked_by")
    distribution = rows.get(pk=key)
    asked, by = distribution.asked_profile, distribution.asked_by or access.WORKER
    if asked is None and distribution.state != "verified":
        return
    total = distribution.counts()["all"]["files"]
    progress.describe(f"Classifying {distribution}", distribution.cruise, total=total, unit="files")
    try:
        classify(distribution=distribution, by=by, profile=asked, progress=progress)
    except Refusal as refusal:
        if asked is None:
            raise
        progress.note(refusal.reason)  # what was possible when it was asked for is not any more
    Distribution.objects.filter(pk=key, asked_profile=asked).update(asked_profile=None, asked_by=None)
