"""Proprietary holds: asserted by the chief scientist until a day and for a reason, lifted, or simply over."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from inventory.models import Dataset, Hold
from inventory.states import HOLD_YEARS, NEVER_HELD
from portal import access, journal
from portal.access import Actor
from portal.models import Cruise, Person
from portal.refusals import Fault, NotLikeThis, NotNow, NotYou


def latest_end(cruise: Cruise) -> dt.date:
    """The last day until which data of a cruise may be held: two years after its end (NSF 04-004)."""
    arrival = cruise.arrive_date
    try:
        return arrival.replace(year=arrival.year + HOLD_YEARS)
    except ValueError:  # the 29th of February
        return arrival.replace(year=arrival.year + HOLD_YEARS, day=28)


@transaction.atomic
def assert_hold(*, dataset: Dataset, until: dt.date, reason: str, by: Actor, today: dt.date | None = None) -> Hold:
    """Holds a data set back until a day; on that day it is free. A new hold takes the place of the one in force.

    Raises NotYou for anybody but the chief scientist, NotNow once the data are released, NotLikeThis for a day that
    is past or later than two years after the cruise, a missing reason, or a class that is never held.
    """
    dataset = Dataset.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=dataset.pk)
    access.require(by, "dataset.hold", dataset)
    if not isinstance(by, Person):
        raise NotYou("A hold is asserted by a chief scientist in person.")
    if dataset.state in ("released", "retired"):
        raise NotNow(f"{dataset} is {dataset.state}; it cannot be held any more.")
    today = today or timezone.now().date()
    if faults := _faults(dataset, until, reason, today):
        raise NotLikeThis("The hold is not accepted.", faults)
    now = timezone.now()
    before = dataset.holds.filter(lifted_at__isnull=True).first()
    if before is not None:
        before.lifted_at, before.lifted_by, before.lift_note = now, str(by), "replaced by a new hold"
        before.save(update_fields=["lifted_at", "lifted_by", "lift_note"])
    hold = Hold.objects.create(dataset=dataset, until=until, reason=reason.strip(), asserted_by=by, asserted_at=now)
    journal.record(
        by,
        "dataset.hold",
        dataset,
        note=reason,
        changes={"held until": [str(before.until) if before else None, str(until)]},
    )
    return hold


def _faults(dataset: Dataset, until: dt.date, reason: str, today: dt.date) -> list[Fault]:
    faults = []
    if dataset.device_class in NEVER_HELD:
        faults.append(Fault("data set", f"{dataset.get_device_class_display()} data are never held"))
    if until <= today:
        faults.append(Fault("until", f"{until} is not after today, {today}"))
    if until > (latest := latest_end(dataset.cruise)):
        faults.append(Fault("until", f"{until} is later than two years after the end of the cruise, {latest}"))
    if not reason.strip():
        faults.append(Fault("reason", "is needed; it is shown to everybody who asks for the data"))
    return faults


@transaction.atomic
def lift_hold(*, dataset: Dataset, by: Actor, note: str = "") -> Dataset:
    """Lifts the hold in force before its day. Raises NotYou, NotNow where there is none."""
    dataset = Dataset.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=dataset.pk)
    access.require(by, "dataset.lift_hold", dataset)
    hold = dataset.holds.filter(lifted_at__isnull=True).first()
    if hold is None:
        raise NotNow(f"{dataset} is not held.")
    hold.lifted_at, hold.lifted_by, hold.lift_note = timezone.now(), str(by), note
    hold.save(update_fields=["lifted_at", "lifted_by", "lift_note"])
    journal.record(by, "dataset.lift_hold", dataset, note=note, changes={"held until": [str(hold.until), None]})
    return dataset
