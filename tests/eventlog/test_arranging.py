"""The pages on which buttons are arranged and people and programs are let into the log; and the same by API."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid

import pytest
from django.test import Client

from eventlog import logbook
from portal import tokens
from portal.access import CONSOLE
from portal.models import Token
from portal.refusals import NotYou
from tests import make
from tests.eventlog.test_api import GIVEN, send, speaker

pytestmark = pytest.mark.django_db
WHO = ["admin", "manager", "operator", "chief", "watch", "expert", "rival", "stranger", None]
ARRANGE = dict(zip(WHO, [200, 200, 200, 200, 403, 404, 404, 404, 302], strict=True))


@pytest.mark.parametrize("name", WHO, ids=str)
def test_who_may_arrange(browse, name):
    log, client = make.log(), browse(name)
    start = f"/cruise/{log.cruise.cruise_id}/log/"
    pages = ("buttons/", f"buttons/{log.templates.first().uuid}/", "people/")
    assert {client.get(start + page).status_code for page in pages} == {ARRANGE[name]}


def test_buttons_are_added_changed_and_moved(browse):
    log, client = make.log(), browse("chief")
    start = f"/cruise/{log.cruise.cruise_id}/log/buttons/"
    given = {"instrument": "Bongo net", "action": "deploy", "kind": "net", "key": "1"}
    body = client.post(start, given)
    assert body.status_code == 422
    assert "key 1 presses CTD deploy already" in body.content.decode()
    wrong = client.post(start, given | {"key": "b", "fields_asked": "[{"})
    assert "This is no JSON" in wrong.content.decode()
    asked = [{"name": "wire_out", "label": "Wire out", "type": "number", "unit": "m"}]
    assert client.post(start, given | {"key": "b", "fields_asked": json.dumps(asked)}).status_code == 302
    made = log.templates.get(instrument="Bongo net")
    assert (made.key, made.fields) == ("b", asked)
    page = client.get(start).content.decode()
    assert "Bongo net can be begun and has no button that ends it." in page
    one = f"{start}{made.uuid}/"
    assert "wire_out" in client.get(one).content.decode()
    assert client.post(one, given | {"key": "b", "label": "Net in", "is_hidden": "on"}).status_code == 302
    made.refresh_from_db()
    assert (made.label, made.is_hidden, made.fields) == ("Net in", True, [])
    place = list(log.templates.all()).index(made)
    client.post(one + "step/", {"step": "up"})
    client.post(one + "step/", {"step": "show"})
    made.refresh_from_db()
    assert (list(log.templates.all()).index(made), made.is_hidden) == (place - 1, False)
    assert client.post(f"{start}{uuid.uuid4()}/step/", {"step": "up"}).status_code == 404


def test_the_last_cruise_is_one_click_away(browse):
    old = make.log()
    browse("operator").post(
        f"/cruise/{old.cruise.cruise_id}/log/buttons/", {"instrument": "Net", "action": "deploy", "kind": "net"}
    )
    new = make.log(depart_date=dt.date(2026, 4, 2), arrive_date=dt.date(2026, 4, 9))
    client, start = browse("operator"), f"/cruise/{new.cruise.cruise_id}/log/buttons/"
    assert f"buttons of {old.cruise}" in client.get(start).content.decode()
    client.post(start + "copy/")
    assert new.templates.filter(instrument="Net").exists()
    assert client.post(f"/cruise/{old.cruise.cruise_id}/log/buttons/copy/").status_code == 404


def test_people_and_programs_are_let_in_and_out(browse):
    log, client = make.log(), browse("chief")
    start = f"/cruise/{log.cruise.cruise_id}/log/people/"
    member = log.cruise.parties.get(family_name="Haugen")
    client.post(f"{start}{member.pk}/", {"may_log": "yes"})
    member.refresh_from_db()
    assert member.may_log
    page = client.post(start, {"name": "winch logger", "days": "30"}).content.decode()
    secret = re.search(r"ll_[\w-]+", page)
    assert secret
    program = Client(headers={"authorization": f"Bearer {secret[0]}"})
    address = f"/api/v1/cruises/{log.cruise.cruise_id}/events"
    assert send(program, "post", address, GIVEN).status_code == 201
    other = make.log()
    assert send(program, "post", f"/api/v1/cruises/{other.cruise.cruise_id}/events", GIVEN).status_code in (403, 404)
    token = Token.objects.get(name="winch logger")
    assert (token.cruise, token.scopes) == (log.cruise, ["events:write", "read"])
    assert browse("watch").post(f"{start}token/{token.uuid}/revoke/").status_code == 403
    # The operator answers for the cruise too, though the token is the chief scientist's.
    browse("operator").post(f"{start}token/{token.uuid}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at
    assert send(program, "post", address, GIVEN).status_code == 401
    foreign, _ = tokens.issue(person=make.person("watch"), name="own", scopes=["read"], by=CONSOLE)
    with pytest.raises(NotYou):
        tokens.revoke(token=foreign, by=make.person("operator"))


def test_words_through_the_api():
    log, chief = make.log(), speaker("chief")
    address = f"/api/v1/cruises/{log.cruise.cruise_id}/terms"
    body = {"uuid": str(uuid.uuid4()), "kind": "action", "name": "lower"}
    assert [send(speaker(), "post", address, body).status_code for _ in range(2)] == [201, 200]
    (proposed,) = chief.get(address + "?proposed=yes").json()["results"]
    assert proposed["name"] == "lower"
    assert chief.get(address + "?near=loewr&kind=action").json()["results"][0]["name"] == "lower"
    assert chief.get(address + "?kind=colour").status_code == 422
    one = f"{address}/{proposed['uuid']}"
    assert send(speaker(), "post", one + "/accept", {}).status_code == 403
    assert send(chief, "post", one + "/accept", {}).json()["is_proposed"] is False
    deploy = next(
        t for t in chief.get(address + "?kind=action&page_size=100").json()["results"] if t["name"] == "deploy"
    )
    event = make.event(log, action="lower")
    replaced = send(chief, "post", one + "/replace", {"into": deploy["uuid"], "events": True}).json()
    assert replaced["replaced_by"] == deploy["uuid"]
    event.refresh_from_db()
    assert event.action == "deploy"
    assert send(chief, "post", one + "/replace", {"into": str(uuid.uuid4())}).status_code == 422


def test_buttons_through_the_api():
    log, chief = make.log(), speaker("chief")
    address = f"/api/v1/cruises/{log.cruise.cruise_id}/templates"
    body = {"uuid": str(uuid.uuid4()), "instrument": "Net", "action": "deploy", "fields": [{"name": "a b"}]}
    answer = send(chief, "post", address, body)
    assert [fault["field"] for fault in answer.json()["errors"]] == ["fields[0].name"]
    body["fields"] = [{"name": "wire", "type": "number", "unit": "m"}]
    assert [send(chief, "post", address, body).status_code for _ in range(2)] == [201, 200]
    one = f"{address}/{body['uuid']}"
    assert send(chief, "patch", one, {"key": "n", "is_hidden": True}).json()["key"] == "n"
    assert body["uuid"] not in [row["uuid"] for row in chief.get(address).json()]
    assert body["uuid"] in [row["uuid"] for row in chief.get(address + "?hidden=yes").json()]
    assert send(chief, "put", address + "/order", {"order": [body["uuid"]]}).json()[0]["uuid"] == body["uuid"]
    assert send(chief, "put", address + "/order", {"order": "all"}).status_code == 422
    assert isinstance(chief.get(address + "/lint").json(), list)
    assert send(speaker(), "patch", one, {"key": "m"}).status_code == 403
    other = make.log(depart_date=dt.date(2026, 5, 2), arrive_date=dt.date(2026, 5, 9))
    copy = f"/api/v1/cruises/{other.cruise.cruise_id}/templates/copy"
    assert "Net" in {row["instrument"] for row in send(chief, "post", copy, {"from": log.cruise.cruise_id}).json()}
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    assert send(chief, "patch", one, {"key": "m"}).status_code == 409
