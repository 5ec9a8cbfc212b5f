"""Holds: the chief scientist's, until a day, for a reason, and over on that very day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from inventory import datasets, holds
from inventory.models import Dataset, Hold
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 4, 1)
UNTIL = dt.date(2027, 1, 1)


def hold(dataset: Dataset, **changes: Any) -> Hold:
    given: dict[str, Any] = {"until": UNTIL, "reason": "a thesis", "by": make.person("chief"), "today": TODAY} | changes
    return holds.assert_hold(dataset=dataset, **given)


def test_a_hold_is_over_on_its_very_day(home):
    dataset = make.dataset(home)
    hold(dataset)
    Dataset.objects.filter(pk=dataset.pk).update(state="approved")
    before = UNTIL - dt.timedelta(days=1)
    assert Dataset.objects.held(before).filter(pk=dataset.pk).exists()
    assert not Dataset.objects.cleared(before).filter(pk=dataset.pk).exists()
    assert not Dataset.objects.held(UNTIL).filter(pk=dataset.pk).exists()
    assert Dataset.objects.cleared(UNTIL).filter(pk=dataset.pk).exists()
    dataset.refresh_from_db()
    in_force = dataset.hold_in_force(before)
    assert in_force is not None
    assert in_force.until == UNTIL
    assert dataset.hold_in_force(UNTIL) is None
    with pytest.raises(NotNow, match="held until 2027-01-01"):
        datasets.release(dataset=dataset, by=CONSOLE, today=before)
    assert datasets.release(dataset=dataset, by=CONSOLE, today=UNTIL).state == "released"


def test_a_draft_is_never_cleared(home):
    dataset = make.dataset(home)
    assert not Dataset.objects.cleared(UNTIL).filter(pk=dataset.pk).exists()


@pytest.mark.parametrize("name", ["operator", "manager", "admin", "watch", "rival", "stranger"])
def test_only_the_chief_scientist_holds(home, name):
    dataset = make.dataset(home)
    with pytest.raises(NotYou):
        hold(dataset, by=make.person(name))
    with pytest.raises(NotYou):
        hold(dataset, by=CONSOLE)
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"until": TODAY}, "until"),
        ({"until": dt.date(2028, 3, 12)}, "until"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_hold_has_a_day_within_two_years_and_a_reason(home, changes, where):
    dataset = make.dataset(home)
    with pytest.raises(NotLikeThis) as caught:
        hold(dataset, **changes)
    assert {fault.where for fault in caught.value.faults} == {where}
    assert not Hold.objects.exists()


def test_the_limits_themselves_are_allowed(home):
    dataset = make.dataset(home)
    hold(dataset, until=TODAY + dt.timedelta(days=1))
    hold(dataset, until=dt.date(2028, 3, 11))
    assert Hold.objects.in_force(TODAY).get().until == dt.date(2028, 3, 11)
    assert holds.latest_end(make.cruise(arrive_date=dt.date(2024, 2, 29), depart_date=dt.date(2024, 2, 1))) == dt.date(
        2026, 2, 28
    )


@pytest.mark.parametrize("device_class", ["gnss", "documents"])
def test_where_the_ship_was_is_never_held(home, device_class):
    dataset = make.dataset(home, device_class)
    assert not dataset.may_be_held
    with pytest.raises(NotLikeThis, match="not accepted"):
        hold(dataset)


def test_a_new_hold_takes_the_place_of_the_old(home):
    dataset = make.dataset(home)
    first = hold(dataset)
    second = hold(dataset, until=dt.date(2027, 6, 1))
    first.refresh_from_db()
    assert first.lifted_at is not None
    assert list(Hold.objects.in_force(TODAY)) == [second]


@pytest.mark.parametrize("state", ["released", "retired"])
def test_what_is_out_cannot_be_held(home, state):
    dataset = make.dataset(home)
    Dataset.objects.filter(pk=dataset.pk).update(state=state)
    with pytest.raises(NotNow):
        hold(dataset)


@pytest.mark.parametrize("name", ["chief", "manager"])
def test_lifting_frees_at_once(home, name):
    dataset = make.dataset(home)
    hold(dataset)
    for other in ("operator", "watch", "stranger"):
        with pytest.raises(NotYou):
            holds.lift_hold(dataset=dataset, by=make.person(other))
    holds.lift_hold(dataset=dataset, by=make.person(name), note="published")
    assert not Dataset.objects.held(TODAY).exists()
    with pytest.raises(NotNow):
        holds.lift_hold(dataset=dataset, by=make.person(name))
