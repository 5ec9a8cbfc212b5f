"""The event log's API: lists, one event, posting twice, conflicts, tokens and problem documents."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from eventlog import logbook
from eventlog.models import Event
from portal import tokens
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make

pytestmark = pytest.mark.django_db
GIVEN = {"instrument": "CTD", "action": "deploy", "station": "001"}


def speaker(name: str = "watch", scopes: Any = ("events:write",), cruise: Cruise | None = None) -> Client:
    """A program with a token of that person."""
    _, secret = tokens.issue(person=make.person(name), name="test", scopes=scopes, by=CONSOLE, cruise=cruise)
    return Client(headers={"authorization": f"Bearer {secret}"})


def listing(cruise: Cruise) -> str:
    return f"/api/v1/cruises/{cruise.cruise_id}/events"


def send(client: Client, method: str, address: str, body: Any) -> Any:
    return getattr(client, method)(address, body, content_type="application/json")


def test_lists_are_filtered_and_paged():
    log = make.log()
    for number in range(3):
        make.event(log, station=f"{number}")
    struck = make.event(log, instrument="Net")
    logbook.strike(event=struck, by=CONSOLE)
    client, address = speaker(), listing(log.cruise)
    assert client.get(address).json()["count"] == 3
    assert client.get(address + "?struck=yes").json()["count"] == 4
    assert [e["station"] for e in client.get(address + "?station=1").json()["results"]] == ["1"]
    page = client.get(address + "?page_size=2&page=2").json()
    assert len(page["results"]) == 1
    assert page["next"] is None
    assert client.get(address + "?page=99").status_code == 404


def test_posting_the_same_uuid_twice_is_one_event():
    cruise, client = make.cruise(state="at sea"), speaker()
    body = GIVEN | {"uuid": str(uuid.uuid4())}
    first, second = (send(client, "post", listing(cruise), body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first["Location"] == f"/api/v1/events/{body['uuid']}"
    event = Event.objects.get()
    assert (event.source, event.author_name) == ("api", "Sam Keane")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"instrment": "CTD"}, "instrment"),
        ({"latitude": 95, "longitude": 0}, "latitude"),
        ({"latitude": 5}, "longitude"),
        ({"instrument": ""}, "instrument"),
        ({"observed_at": "tomorrow"}, "observed_at"),
        ({"uuid": "x"}, "uuid"),
    ],
)
def test_faults_are_a_problem_document_naming_the_field(changes, field):
    cruise = make.cruise(state="at sea")
    response = send(speaker(), "post", listing(cruise), GIVEN | changes)
    assert response.status_code == 422
    assert response["Content-Type"].startswith("application/problem+json")
    assert field in [error["field"] for error in response.json()["errors"]]
    assert not Event.objects.exists()


def test_a_body_that_is_no_object_is_a_problem_and_not_a_crash():
    cruise = make.cruise(state="at sea")
    for body in ("[]", '"x"', "{"):
        response = send(speaker(), "post", listing(cruise), body)
        assert response.status_code in (400, 422)
        assert response["Content-Type"].startswith("application/problem+json")


def test_a_stale_revision_is_a_conflict():
    event, client = make.event(), speaker()
    address = f"/api/v1/events/{event.uuid}"
    changed = send(client, "patch", address, {"station": "2", "revision": 1})
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    stale = send(client, "patch", address, {"station": "3", "revision": 1})
    assert (stale.status_code, stale.json()["title"]) == (409, "Changed in two places")
    event.refresh_from_db()
    assert event.station == "2"
    assert send(client, "patch", address, {"colour": "red"}).status_code == 422


def test_deleting_strikes():
    event, client = make.event(), speaker()
    response = client.delete(f"/api/v1/events/{event.uuid}?reason=slip")
    assert (response.status_code, response.json()["struck"]) == (200, True)
    event.refresh_from_db()
    assert event.struck_at is not None
    assert event.revisions.get(verb="strike").reason == "slip"


def test_a_token_opens_only_its_scope_and_its_cruise():
    event = make.event()
    other = make.cruise(state="at sea")
    cruise = event.log.cruise
    assert send(speaker(scopes=["read"]), "post", listing(cruise), GIVEN).status_code == 403
    assert speaker(scopes=["read"]).delete(f"/api/v1/events/{event.uuid}").status_code == 403
    limited = speaker(cruise=other)
    assert send(limited, "post", listing(other), GIVEN).status_code == 201
    assert send(limited, "post", listing(cruise), GIVEN).status_code == 403
    assert limited.delete(f"/api/v1/events/{event.uuid}").status_code == 403
    assert Client(headers={"authorization": "Bearer ll_wrong"}).get(listing(cruise)).status_code == 401
    assert cruise.log.events.standing().count() == 1


@pytest.mark.parametrize("name", ["stranger", "rival"])
def test_an_open_log_is_not_there_for_others(name):
    event = make.event()
    client = speaker(name, scopes=["read", "events:write"])
    cruise = event.log.cruise
    for address in (listing(cruise), f"/api/v1/cruises/{cruise.cruise_id}/log", f"/api/v1/events/{event.uuid}"):
        assert client.get(address).status_code == 404
        Cruise.objects.filter(pk=cruise.pk).update(public_at=timezone.now())
    assert client.get(listing(cruise)).status_code == 404
    assert send(client, "post", listing(cruise), GIVEN).status_code == 404


def test_the_public_sees_a_closed_log_without_names():
    event = make.event()
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    for client, author in ((Client(), ""), (speaker("chief", ["read"]), "Sam Keane")):
        assert client.get(f"/api/v1/events/{event.uuid}").json()["author_name"] == author
        assert client.get(listing(log.cruise)).json()["results"][0]["author_name"] == author
        text = client.get(listing(log.cruise) + "/export/r2r-csv").content.decode()
        assert ("Keane" in text) is bool(author)
    told = Client().get(f"/api/v1/cruises/{log.cruise.cruise_id}/log").json()
    assert (told["state"], told["events"], len(told["final_copies"])) == ("closed", 1, 2)
    assert send(Client(), "post", listing(log.cruise), GIVEN).status_code == 401
    assert send(speaker("stranger"), "post", listing(log.cruise), GIVEN).status_code == 403
