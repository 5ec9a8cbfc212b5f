"""API tokens: issued once, kept as a hash, limited, revoked."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from eventlog.models import Event
from portal import tokens
from portal.access import CONSOLE
from portal.models import Cruise, Person, Token
from portal.refusals import NotLikeThis, NotYou
from tests import make

pytestmark = pytest.mark.django_db


def issue(name: str = "chief", *scopes: str, by: Any = CONSOLE, **more: Any) -> tuple[Token, str]:
    return tokens.issue(person=make.person(name), name="logger", scopes=scopes or ["read"], by=by, **more)


def get(secret: str, path: str = "/api/v1/cruises") -> Any:
    return Client().get(path, headers={"Authorization": f"Bearer {secret}"})


def test_only_the_hash_is_kept():
    token, secret = issue()
    assert token.digest == tokens.digest(secret) != secret
    values = " ".join(str(value) for value in Token.objects.values_list().get())
    assert secret not in values
    assert tokens.find(secret, timezone.now()) == token
    assert tokens.find(secret + "x", timezone.now()) is None


def test_a_token_ends_when_it_expires_is_revoked_or_its_owner_leaves():
    now = timezone.now()
    _, secret = issue(expires_at=now + dt.timedelta(days=1))
    assert tokens.find(secret, now)
    assert tokens.find(secret, now + dt.timedelta(days=1)) is None
    token, secret = issue()
    tokens.revoke(token=token, by=make.person("chief"))
    assert tokens.find(secret, now) is None
    _, secret = issue()
    Person.objects.filter(pk=make.person("chief").pk).update(is_active=False)
    assert tokens.find(secret, now) is None


def test_the_last_use_is_noted_to_the_minute():
    token, secret = issue()
    now = timezone.now()
    for later, noted in ((0, 0), (30, 0), (61, 61)):
        tokens.find(secret, now + dt.timedelta(seconds=later))
        token.refresh_from_db()
        assert token.last_used_at == now + dt.timedelta(seconds=noted)


@pytest.mark.parametrize("scopes", [[], ["read", "everything"]])
def test_scopes_that_do_not_exist_are_refused(scopes: list[str]):
    with pytest.raises(NotLikeThis):
        tokens.issue(person=make.person("chief"), name="x", scopes=scopes, by=CONSOLE)


def test_archive_scopes_and_other_peoples_tokens_are_the_offices():
    cruise = make.cruise()
    for scope in ("archive:fetch", "archive:accession"):
        with pytest.raises(NotYou):
            issue("operator", scope, by=make.person("operator"), cruise=cruise)
        assert issue("operator", scope, by=make.person("manager"))
    with pytest.raises(NotYou):
        issue("watch", "read", by=make.person("chief"), cruise=cruise)
    with pytest.raises(NotYou):
        issue("stranger", "read", by=make.person("stranger"), cruise=cruise)
    # One for a cruise is revoked by whoever answers for that cruise as well; any other by its owner or the office.
    token, _ = issue("watch", "read", by=make.person("watch"), cruise=cruise)
    anywhere, _ = issue("watch", "read", by=CONSOLE)
    for one, name in ((token, "stranger"), (token, "rival"), (anywhere, "chief")):
        with pytest.raises(NotYou):
            tokens.revoke(token=one, by=make.person(name))
    assert tokens.revoke(token=token, by=make.person("chief")).revoked_at


def test_the_api_answers_with_the_rights_of_the_owner():
    make.cruise("TS2601")
    assert get(issue("chief")[1]).json()["count"] == 1
    assert get(issue("stranger")[1]).json()["count"] == 0


def test_a_bad_token_is_401_as_a_problem():
    response = get("ll_wrong")
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert "unknown, revoked or expired" in response.json()["detail"]


def test_a_token_without_the_scope_is_403():
    make.log()
    cruise = Cruise.objects.get()
    path = f"/api/v1/cruises/{cruise.cruise_id}/events"
    secret = issue("watch", "read")[1]
    response = Client().post(path, "{}", content_type="application/json", headers={"Authorization": f"Bearer {secret}"})
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
    assert "lacks the scope events:write" in response.json()["detail"]
    assert Event.objects.count() == 0


def test_a_token_for_another_cruise_is_403():
    first, second = make.cruise("TS2601"), make.cruise("TS2602")
    _, secret = issue("chief", cruise=first)
    assert get(secret, f"/api/v1/cruises/{first}").status_code == 200
    response = get(secret, f"/api/v1/cruises/{second}")
    assert response.status_code == 403
    assert "for cruise TS2601 alone" in response.json()["detail"]


def test_a_token_by_command_works_and_is_shown_once():
    said = StringIO()
    call_command("issue_token", make.person("chief").email, "tablet", "--scope", "read", "--json", stdout=said)
    secret = json.loads(said.getvalue())["token"]
    assert get(secret).status_code == 200
    assert Token.objects.get().digest == tokens.digest(secret)
    with pytest.raises(CommandError, match="no active account"):
        call_command("issue_token", "nobody@example.org", "x", "--scope", "read")
