"""An approved review becomes a release: the canonical record, frozen, valid, and without personal data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.utils import timezone
from lxml import etree

from inventory import review
from portal import jobs
from portal.access import CONSOLE
from portal.lifecycle import Role
from portal.models import Cruise, Work
from publishing import record
from publishing.models import Identifier, OaiRecord, Release, Submission
from tests import make

pytestmark = pytest.mark.django_db
R = f"{{{record.NAMESPACE}}}"


def _built(cruise: Cruise, *, private: bool = False) -> etree._Element:
    return record.build(Cruise.objects.get(pk=cruise.pk), today=timezone.now().date(), private=private)


@pytest.mark.usefixtures("registrar")
def test_an_approved_review_is_published_once(home: Path) -> None:
    found = make.round_of_review(home / "in", "approved")

    jobs.drain()

    released = Release.objects.get(review=found)
    assert released.number == 1
    assert released.sha256 == hashlib.sha256(released.record.encode()).hexdigest()
    record.schema().assertValid(etree.fromstring(released.record))
    counts = [model.objects.count() for model in (Release, Identifier, OaiRecord, Submission)]
    assert counts == [1, 5, 5, 4]  # a cruise and its four data sets
    assert jobs.drain() == 0
    assert not jobs.perform("publishing.release", "999999"), "there is no such review"
    assert jobs.perform("publishing.release", str(found.pk)), "a repeat is no fault"
    assert [model.objects.count() for model in (Release, Identifier, OaiRecord, Submission)] == counts
    assert Release.objects.get(review=found).record == released.record


@pytest.mark.usefixtures("registrar")
def test_an_open_review_is_not_published(home: Path) -> None:
    found = make.round_of_review(home / "in")

    jobs.drain()

    assert not Release.objects.exists()
    assert not Identifier.objects.exists()
    assert not OaiRecord.objects.exists()
    assert not jobs.perform("publishing.release", str(found.pk))
    assert "only an approved record" in Work.objects.get(door="publishing.release").message


@pytest.mark.usefixtures("registrar")
def test_a_second_round_makes_a_second_release_with_the_same_identifiers(home: Path) -> None:
    first = make.round_of_review(home / "in", "approved")
    jobs.drain()
    dois = set(Identifier.objects.values_list("doi", flat=True))

    second = review.open_review(cruise=first.cruise, by=make.person("manager"), note="a typing error")
    jobs.drain()
    assert Release.objects.count() == 1, "what is open again is not published again"
    review.approve(review=second, role=Role.OPERATOR, by=make.person("operator"))
    review.approve(review=second, role=Role.CHIEF_SCIENTIST, by=make.person("chief"))
    jobs.drain()

    assert list(Release.objects.order_by("number").values_list("number", "review")) == [(1, first.pk), (2, second.pk)]
    assert set(Identifier.objects.values_list("doi", flat=True)) == dois
    assert set(Identifier.objects.values_list("state", flat=True)) == {"registered"}


def test_the_record_holds_chief_scientists_alone_and_no_addresses(home: Path) -> None:
    cruise = make.round_of_review(home / "in").cruise

    public, private = _built(cruise), _built(cruise, private=True)

    for root in (public, private):
        record.schema().assertValid(root)
        assert "@example.org" not in record.text(root)
    assert [name.text for name in public.iter(f"{R}family_name")] == ["Rahman"]
    assert sorted(str(name.text) for name in private.iter(f"{R}family_name")) == ["Haugen", "Keane", "Rahman"]


@pytest.mark.usefixtures("registrar")
@pytest.mark.parametrize("summary", ["two\x0blines\x1f \ufffe\uffff", "\x01\x0b", "<b>&amp;</b> ]]> \U0001f30a"])
def test_characters_that_xml_cannot_carry_do_not_spoil_a_record(home: Path, summary: str) -> None:
    found = make.round_of_review(home / "in", "approved")
    Cruise.objects.filter(pk=found.cruise.pk).update(title="Front\x0b\x08 and \x1bback", summary=summary)

    jobs.drain()

    assert not Work.objects.filter(state="failed").exists()
    root = etree.fromstring(Release.objects.get().record)
    record.schema().assertValid(root)
    assert root.findtext(f".//{R}cname") == "Front and back"
    said = record.plain(summary)
    assert root.findtext(f".//{R}summary") == (said or None)


def test_what_does_not_fit_the_schema_is_not_published(home: Path) -> None:
    found = make.round_of_review(home / "in", "approved")
    Cruise.objects.filter(pk=found.cruise.pk).update(title="\x01")

    jobs.drain(["publishing.release"])

    assert not Release.objects.exists()
    failed = Work.objects.get(door="publishing.release")
    assert failed.state == "failed"
    assert "does not fit its schema" in failed.message
    assert "cname" in failed.message


def test_a_record_without_data_is_valid_too() -> None:
    root = _built(make.cruise(state="planned", summary="", awards=(), targets=(), scheduler_id=""))

    record.schema().assertValid(root)
    assert root.find(f"{R}track") is None
    assert root.find(f"{R}distribution") is None


@pytest.mark.usefixtures("registrar")
def test_the_record_is_always_the_same_text(home: Path) -> None:
    found = make.round_of_review(home / "in", "approved")
    jobs.drain()

    assert record.text(_built(found.cruise)) == record.text(_built(found.cruise))


def test_a_planned_cruise_has_nothing_to_release() -> None:
    make.cruise(state="ended")

    assert jobs.drain(["publishing.release", "publishing.clear"]) == 0
    assert CONSOLE.name
