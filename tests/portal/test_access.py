"""Who may say which verb, and which cruises one sees."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from portal import access
from portal.access import CONSOLE
from portal.lifecycle import Role
from portal.models import Cruise
from portal.orders.document import Member
from portal.refusals import NotYou
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Half a second of hashing for each of the people would be most of the time of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


OFFICE = {"admin", "manager"}
MAY = {
    "cruise.cancel": {*OFFICE, "operator"},
    "cruise.reinstate": {*OFFICE, "operator"},
    "cruise.depart": {*OFFICE, "operator"},
    "cruise.end": {*OFFICE, "operator"},
    "orders.submit": {*OFFICE, "operator"},
    "orders.amend": {*OFFICE, "operator", "chief"},
    "party.designate": {*OFFICE, "operator", "chief"},
    "party.see_private": {*OFFICE, "operator", "chief"},
    "journal.read": {*OFFICE, "operator", "chief", "watch", "expert"},
    "token.issue": {*OFFICE, "operator", "chief", "watch"},
    "work.watch": {*OFFICE, "operator"},
}


@pytest.mark.parametrize("verb", MAY)
def test_who_may_say_it_about_a_cruise(verb: str):
    cruise = make.cruise()
    people = make.people()
    assert {name for name, person in people.items() if access.may(person, verb, cruise)} == MAY[verb]
    assert not access.may(AnonymousUser(), verb, cruise)
    assert access.may(CONSOLE, verb, cruise)


def test_every_verb_of_the_ground_is_in_the_table():
    ours = {
        verb
        for verb in access.rights()
        if verb.partition(".")[0] in ("cruise", "orders", "party", "journal", "token", "work")
    }
    assert ours == set(MAY)


def test_without_a_cruise_an_operator_of_any_ship_counts_and_a_chief_does_not():
    make.cruise()
    people = make.people()
    allowed = {name for name, person in people.items() if access.may(person, "orders.submit")}
    assert allowed == {*OFFICE, "operator", "rival"}


@pytest.mark.parametrize("name", ["admin", "manager", "expert"])
def test_somebody_who_was_deactivated_holds_no_standing_role(name: str):
    cruise = make.cruise()
    person = make.person(name)
    assert access.may(person, "journal.read", cruise)
    person.is_active = False
    assert access.standing_roles(person) == {Role.PUBLIC}
    assert not access.may(person, "journal.read", cruise)
    assert not access.is_office(person)


@pytest.mark.parametrize("name", ["operator", "chief", "watch"])
def test_somebody_who_was_deactivated_holds_no_role_on_a_cruise(name: str):
    cruise = make.cruise()
    person = make.person(name)
    assert access.may(person, "journal.read", cruise)
    person.is_active = False
    person.save()
    assert access.roles(person, cruise) == {Role.PUBLIC}
    assert not access.may(person, "journal.read", cruise)
    assert not access.may(person, "token.issue")
    assert not access.operators_of(person)
    assert cruise not in Cruise.objects.visible_to(person)


def test_a_co_chief_counts_as_chief_and_a_right_to_log_makes_science_staff():
    cruise = make.cruise()
    watch = make.person("watch")
    assert access.roles(watch, cruise) == {Role.PUBLIC, Role.SCIENCE_STAFF}
    cruise.parties.filter(person=watch).update(may_log=False)
    assert access.roles(watch, cruise) == {Role.PUBLIC}
    cruise.parties.filter(person=watch).update(role="scientist_co-chief")
    assert access.roles(watch, cruise) == {Role.PUBLIC, Role.SCIENCE_STAFF, Role.CHIEF_SCIENTIST}


def test_the_chief_of_one_cruise_is_nobody_on_another():
    make.cruise()
    other = make.cruise(party=(Member("Else", "Who", "scientist_chief", "Elsewhere"),))
    assert access.roles(make.person("chief"), other) == {Role.PUBLIC}


def test_a_refusal_names_verb_cruise_and_roles():
    cruise = make.cruise("TS2601")
    with pytest.raises(NotYou) as refused:
        access.require(make.person("stranger"), "orders.amend", cruise)
    assert "amend for cruise TS2601" in refused.value.reason
    assert "chief scientist" in refused.value.reason


def test_a_verb_that_nobody_granted_is_a_fault_and_one_is_granted_once():
    with pytest.raises(KeyError):
        access.may(make.person("admin"), "cruise.sink", make.cruise())
    with pytest.raises(ValueError, match="twice"):
        access.grant("orders.amend", {Role.PUBLIC})


# --- visibility -----------------------------------------------------------------------------------------------------


def who_sees(cruise: Cruise) -> set[str]:
    found = {
        name
        for name, person in make.people().items()
        if Cruise.objects.visible_to(person).filter(pk=cruise.pk).exists()
    }
    if Cruise.objects.visible_to(AnonymousUser()).filter(pk=cruise.pk).exists():
        found.add("public")
    return found


def test_a_cruise_that_is_not_public_is_seen_by_its_own_people_alone():
    assert who_sees(make.cruise()) == {*OFFICE, "operator", "chief", "watch"}


def test_a_public_cruise_is_seen_by_everybody():
    cruise = make.cruise()
    Cruise.objects.filter(pk=cruise.pk).update(public_at=timezone.now())
    assert who_sees(cruise) == {*make.NAMES, "public"}


def test_the_machine_sees_everything():
    assert make.cruise() in Cruise.objects.visible_to(CONSOLE)
