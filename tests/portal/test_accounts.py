"""Invitations, signing in, and demonstration accounts in production."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from portal import accounts, checks
from portal.access import CONSOLE
from portal.demo.people import PASSWORD
from portal.models import Cruise, Invitation, Letter, Person
from portal.refusals import NotFound, NotLikeThis, NotNow
from tests import make

pytestmark = pytest.mark.django_db
NEW = "new@example.org"


def invite(cruise: Cruise, email: str = NEW, key: str = "k") -> str:
    """Invites; the secret of the link, or nothing for somebody who has an account."""
    accounts.invite(cruise=cruise, email=email, subject="Welcome", text="Please log.", key=key)
    found = re.search(r"/invitation/([^/\s]+)/", Letter.objects.get(key=key).body)
    return found[1] if found else ""


def accept(secret: str, password: str = make.PASSWORD) -> Person:
    return accounts.accept(secret=secret, given_name="Per", family_name="Haugen", password=password)


def test_somebody_unknown_gets_a_link_that_makes_the_account_and_links_the_party():
    cruise = make.cruise("TS2601")
    cruise.parties.filter(family_name="Haugen").update(email="New@example.org")
    secret = invite(cruise)
    assert Invitation.objects.get().digest != secret
    client = Client()
    path = f"/invitation/{secret}/"
    assert client.get(path).status_code == 200
    data = {"given_name": "Per", "family_name": "Haugen", "password": make.PASSWORD}
    assert client.post(path, data)["Location"] == "/cruise/TS2601/"
    person = Person.objects.get(email=NEW)
    assert cruise.parties.get(family_name="Haugen").person == person
    assert accounts.verified_person(NEW) == person
    assert client.get("/cruise/TS2601/").status_code == 200
    assert Client().get(path).status_code == 409


def test_somebody_with_an_account_gets_no_link_and_no_letter_comes_twice():
    cruise = make.cruise()
    assert invite(cruise, "chief@example.org") == ""
    invite(cruise, key="again")
    invite(cruise, key="again")
    assert (Invitation.objects.count(), Letter.objects.count()) == (1, 2)


def test_an_invitation_is_refused_when_wrong_too_old_or_with_a_weak_password():
    secret = invite(make.cruise())
    with pytest.raises(NotFound):
        accept("wrong")
    with pytest.raises(NotLikeThis) as refused:
        accept(secret, "12345")
    assert {fault.where for fault in refused.value.faults} == {"password"}
    Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(NotNow, match="too old"):
        accept(secret)
    assert not Person.objects.filter(email=NEW).exists()


def test_an_invitation_does_not_take_over_an_account_that_exists():
    secret = invite(make.cruise())
    Person.objects.create_user(NEW, "their own password")
    with pytest.raises(NotNow, match="already"):
        accept(secret)
    assert Person.objects.get(email=NEW).check_password("their own password")


# --- signing in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("password", "status"), [(make.PASSWORD, 302), ("wrong", 200)])
def test_signing_in_with_a_password(password: str, status: int):
    client = Client()
    data = {"login": make.person("chief").email, "password": password}
    response = client.post("/accounts/login/", data)
    assert response.status_code == status
    assert ("_auth_user_id" in client.session) is (status == 302)
    assert status == 302 or "not correct" in response.content.decode()


@pytest.mark.parametrize(("setting", "is_open"), [("invited", False), ("open", True)])
def test_sign_up_is_closed_unless_it_is_opened(settings: Any, setting: str, is_open: bool):
    settings.SIGNUP = setting
    data = {"email": NEW, "password1": make.PASSWORD, "password2": make.PASSWORD}
    Client().post("/accounts/signup/", data)
    assert Person.objects.filter(email=NEW).exists() is is_open


# --- production -----------------------------------------------------------------------------------------------------


def ids(found: list[Any]) -> set[str]:
    return {message.id for message in found}


@pytest.mark.parametrize(("mode", "opens"), [("demonstration", True), ("production", False)])
def test_demonstration_accounts_open_nothing_in_production(settings: Any, mode: str, opens: bool):
    settings.MODE = mode
    person = Person.objects.create_user("admin@leadline.example", PASSWORD)
    accounts.verify_address(person)
    request = RequestFactory().post("/accounts/login/")
    found = accounts.AccountAdapter(request).authenticate(request, email="Admin@Leadline.example", password=PASSWORD)
    assert (found == person) is opens
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert ("_auth_user_id" in client.session) is opens
    assert ids(checks.demonstration_accounts(None, databases=["default"])) == (set() if opens else {"leadline.E007"})
    person.set_password("changed since then")
    person.save()
    assert checks.demonstration_accounts(None, databases=["default"]) == []


def test_production_refuses_settings_that_make_no_sense(settings: Any):
    assert checks.production(None) == []
    settings.MODE, settings.SECRET_KEY, settings.SITE_URL = "production", "short", "http://plain.example.org"
    settings.REPOSITORY_CONTACT = "data@leadline.example"
    assert ids(checks.production(None)) == {"leadline.E001", "leadline.E002", "leadline.W001", "leadline.W002"}
    settings.LOCAL_REGISTRAR, settings.REGISTRAR_USER, settings.DOI_PREFIX = False, "", "11.1"
    assert ids(checks.registrar(None)) == {"leadline.E003", "leadline.E004"}


def test_a_variable_that_nothing_reads_stops_the_start(settings: Any):
    settings.UNKNOWN_VARIABLES = []
    assert checks.spelling(None) == []
    settings.UNKNOWN_VARIABLES = ["LEADLINE_HOMME"]
    assert "LEADLINE_HOMME" in checks.spelling(None)[0].msg


def test_designating_twice_is_journalled_once():
    from portal.models import JournalEntry

    cruise = make.cruise()
    member = cruise.parties.get(family_name="Haugen")
    for _ in range(2):
        member = accounts.designate(party=member, may_log=True, by=CONSOLE)
    assert JournalEntry.objects.filter(key=str(member.pk), verb="party.designate").count() == 1
