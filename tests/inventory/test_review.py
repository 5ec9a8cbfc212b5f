"""The review: opened for two, signed by two, returned with a reason, and void once the record changes."""

from __future__ import annotations

import shutil

import pytest

from inventory import classify, profiles, review
from inventory.models import Dataset, Flag, Review
from inventory.profiles import RuleText
from portal import fleet
from portal.access import CONSOLE
from portal.lifecycle import Role
from portal.models import Cruise, Letter, Party
from portal.orders import intake as orders_intake
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
OPERATOR, CHIEF = Role.OPERATOR, Role.CHIEF_SCIENTIST


def approved(cruise: Cruise) -> bool:
    return Cruise.objects.get(pk=cruise.pk).approved_at is not None


def reclassify(found: Review) -> None:
    """The record changes: another version of the profile."""
    rules = [*make.RULES, RuleText("misc", device_class="documents", label="misc")]
    profiles.save(vessel=found.cruise.vessel, rules=rules, by=CONSOLE)
    classify.classify(distribution=found.distribution, by=CONSOLE)


# --- opening --------------------------------------------------------------------------------------------------------


def test_opening_invites_both(home):
    made = make.distribution(home, "classified")
    found = review.open_review(cruise=made.cruise, by=make.person("manager"))
    assert (found.round, found.state, found.distribution) == (1, "open", made)
    letters = Letter.objects.filter(cruise=made.cruise, subject__contains="review")
    assert sorted(letters.values_list("to", flat=True)) == ["chief@example.org", "operator@example.org"]


@pytest.mark.parametrize("name", ["operator", "chief", "watch", "stranger"])
def test_opening_is_the_offices(home, name):
    made = make.distribution(home, "classified")
    with pytest.raises(NotYou):
        review.open_review(cruise=made.cruise, by=make.person(name))
    assert not Review.objects.exists()


def test_opening_needs_a_cruise_that_ended_and_files_that_are_classified(home):
    with pytest.raises(NotNow, match="after its end"):
        review.open_review(cruise=make.cruise(state="at sea"), by=CONSOLE)
    with pytest.raises(NotNow, match="No distribution"):
        review.open_review(cruise=make.cruise(state="ended"), by=CONSOLE)
    for state in ("received", "verified"):
        with pytest.raises(NotNow, match=state):
            review.open_review(cruise=make.distribution(home / state, state).cruise, by=CONSOLE)
    assert not Review.objects.exists()


def test_opening_needs_somebody_to_invite(home):
    made = make.distribution(home, "classified")
    Party.objects.filter(cruise=made.cruise).update(email="", person=None)
    make.operator().appointments.all().delete()
    with pytest.raises(NotLikeThis) as caught:
        review.open_review(cruise=made.cruise, by=CONSOLE)
    assert {fault.where for fault in caught.value.faults} == {"operator", "chief scientist"}


def test_one_round_at_a_time(home):
    found = make.round_of_review(home)
    with pytest.raises(NotNow, match="Round 1"):
        review.open_review(cruise=found.cruise, by=CONSOLE)


# --- signing --------------------------------------------------------------------------------------------------------


def test_both_signatures_approve_the_record_and_close_it(home):
    found = make.round_of_review(home)
    found = review.approve(review=found, role=OPERATOR, by=make.person("operator"))
    assert (found.state, approved(found.cruise)) == ("open", False)
    assert not Dataset.objects.filter(state="approved").exists()
    found = review.approve(review=found, role=CHIEF, by=make.person("chief"))
    assert (found.state, approved(found.cruise)) == ("approved", True)
    assert set(Dataset.objects.filter(cruise=found.cruise).values_list("state", flat=True)) == {"approved"}
    orders = make.orders(found.cruise.cruise_id, title="Another title")
    with pytest.raises(NotNow):
        orders_intake.submit(orders, by=CONSOLE, source="form")
    assert found.signatures.filter(basis=found.basis()).count() == 2


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("chief", OPERATOR),
        ("operator", CHIEF),
        ("rival", OPERATOR),
        ("watch", CHIEF),
        ("manager", OPERATOR),
        ("admin", CHIEF),
        ("manager", Role.DATA_MANAGER),
        ("stranger", CHIEF),
    ],
)
def test_a_signature_takes_the_very_role(home, name, role):
    found = make.round_of_review(home)
    with pytest.raises(NotYou):
        review.approve(review=found, role=role, by=make.person(name))
    with pytest.raises(NotYou):
        review.return_to_office(review=found, role=role, by=make.person(name), note="no")
    assert not found.signatures.exists()


def test_the_machine_does_not_sign(home):
    with pytest.raises(NotYou):
        review.approve(review=make.round_of_review(home), role=OPERATOR, by=CONSOLE)


def test_the_same_signature_twice_is_one(home):
    found = make.round_of_review(home)
    for _ in range(2):
        found = review.approve(review=found, role=OPERATOR, by=make.person("operator"))
    assert (found.state, found.signatures.count()) == ("open", 1)


def test_nobody_signs_in_both_roles(home):
    found = make.round_of_review(home)
    chief = make.person("chief")
    fleet.appoint(person=chief, role=OPERATOR, operator=make.operator(), by=CONSOLE)
    chief = make.person("chief")
    review.approve(review=found, role=OPERATOR, by=chief)
    with pytest.raises(NotYou, match="other role"):
        review.approve(review=found, role=CHIEF, by=chief)
    assert not approved(found.cruise)


def test_a_second_operator_does_not_sign_again(home):
    found = make.round_of_review(home)
    review.approve(review=found, role=OPERATOR, by=make.person("operator"))
    other = make.person("stranger")
    fleet.appoint(person=other, role=OPERATOR, operator=make.operator(), by=CONSOLE)
    with pytest.raises(NotNow, match="already"):
        review.approve(review=found, role=OPERATOR, by=make.person("stranger"))


def test_returning_takes_a_reason_and_ends_the_round(home):
    found = make.round_of_review(home)
    with pytest.raises(NotLikeThis):
        review.return_to_office(review=found, role=CHIEF, by=make.person("chief"), note=" ")
    found = review.return_to_office(review=found, role=CHIEF, by=make.person("chief"), note="the CTD is missing")
    assert found.state == "returned"
    with pytest.raises(NotNow):
        review.approve(review=found, role=OPERATOR, by=make.person("operator"))
    again = review.open_review(cruise=found.cruise, by=CONSOLE)
    found.refresh_from_db()
    assert (again.round, again.state, found.state) == (2, "open", "superseded")


def test_a_change_between_the_signatures_voids_the_round(home):
    found = make.round_of_review(home)
    review.approve(review=found, role=OPERATOR, by=make.person("operator"))
    reclassify(found)
    assert found.is_outdated()
    with pytest.raises(NotNow, match="changed after it was signed"):
        review.approve(review=found, role=CHIEF, by=make.person("chief"))
    assert not approved(found.cruise)
    again = review.open_review(cruise=found.cruise, by=CONSOLE)
    assert again.round == 2
    review.approve(review=again, role=OPERATOR, by=make.person("operator"))
    assert review.approve(review=again, role=CHIEF, by=make.person("chief")).state == "approved"


def test_an_amendment_of_the_orders_voids_the_round_too(home):
    found = make.round_of_review(home)
    review.approve(review=found, role=CHIEF, by=make.person("chief"))
    orders_intake.submit(make.orders(found.cruise.cruise_id, title="Amended"), by=CONSOLE, source="form")
    with pytest.raises(NotNow):
        review.approve(review=found, role=OPERATOR, by=make.person("operator"))


def test_an_approved_record_is_reopened_with_a_note(home):
    found = make.round_of_review(home, "approved")
    with pytest.raises(NotLikeThis) as caught:
        review.open_review(cruise=found.cruise, by=CONSOLE)
    assert {fault.where for fault in caught.value.faults} == {"note"}
    assert approved(found.cruise)
    again = review.open_review(cruise=found.cruise, by=CONSOLE, note="a file was found")
    assert (again.round, approved(found.cruise)) == (2, False)
    assert set(Dataset.objects.filter(cruise=found.cruise).values_list("state", flat=True)) == {"draft"}


# --- remarks and flags ----------------------------------------------------------------------------------------------


def test_remarks_say_what_is_wrong_while_the_round_is_open(home):
    found = make.round_of_review(home)
    made = review.remark(review=found, section="track", verdict="right", text="", by=make.person("chief"))
    assert (made.section, made.verdict) == ("track", "right")
    with pytest.raises(NotLikeThis) as caught:
        review.remark(review=found, section="weather", verdict="wrong", text=" ", by=make.person("chief"))
    assert {fault.where for fault in caught.value.faults} == {"section", "text"}
    with pytest.raises(NotYou):
        review.remark(review=found, section="track", verdict="right", text="", by=make.person("watch"))
    review.return_to_office(review=found, role=CHIEF, by=make.person("chief"), note="no")
    with pytest.raises(NotNow):
        review.remark(review=found, section="track", verdict="right", text="", by=make.person("chief"))
    assert found.remarks.count() == 1


def test_flags_are_set_by_those_of_the_cruise_and_answered_by_the_office(home):
    made = make.distribution(home, "verified")
    flag = review.flag(distribution=made, kind="missing", path=" data/x ", comment="lost", by=make.person("chief"))
    assert (flag.path, review.open_flags([made])) == ("data/x", 1)
    for name in ("watch", "rival", "stranger"):
        with pytest.raises(NotYou):
            review.flag(distribution=made, kind="missing", path="x", comment="y", by=make.person(name))
    with pytest.raises(NotYou):
        review.answer_flag(flag=flag, answer="found", by=make.person("chief"))
    with pytest.raises(NotLikeThis):
        review.answer_flag(flag=flag, answer=" ", by=make.person("manager"))
    answered = review.answer_flag(flag=flag, answer="on the second disk", by=make.person("manager"))
    assert (answered.answered_by, review.open_flags([made])) == ("Mateo Okafor", 0)
    letters = Letter.objects.filter(subject__contains="flag")
    assert [letter.to for letter in letters] == [make.person("chief").email]
    assert "on the second disk" in letters[0].body
    review.answer_flag(flag=flag, answer="on the second disk", by=make.person("manager"))
    assert letters.count() == 1, "the same answer again is no news"


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"kind": "odd"}, "kind"), ({"path": " "}, "path"), ({"path": "x" * 501}, "path"), ({"comment": ""}, "comment")],
)
def test_faulty_flags_are_refused(home, changes, where):
    made = make.distribution(home)
    values = {"kind": "missing", "path": "x", "comment": "y"} | changes
    with pytest.raises(NotLikeThis) as caught:
        review.flag(distribution=made, by=make.person("chief"), **values)
    assert {fault.where for fault in caught.value.faults} == {where}
    assert not Flag.objects.exists()


def test_a_redelivery_voids_a_signed_round(home):
    found = make.round_of_review(home)
    review.approve(review=found, role=OPERATOR, by=make.person("operator"))
    shutil.rmtree(home / "again", ignore_errors=True)
    from inventory import intake

    root = make.delivery(home / "again", make.FILES | {"late": b"late"})
    intake.receive(cruise=found.cruise, root=root, by=CONSOLE)
    with pytest.raises(NotNow):
        review.approve(review=found, role=CHIEF, by=make.person("chief"))
    assert not approved(found.cruise)
