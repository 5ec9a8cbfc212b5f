"""Pages of the event log: who may see them, and what posting does."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest
from django.utils import timezone

from eventlog import logbook
from eventlog.models import Event
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make

pytestmark = pytest.mark.django_db
WHO = ["admin", "manager", "operator", "chief", "watch", "expert", "rival", "stranger", None]
# The cruise is private and its log is open; the expert sees no private cruise.
OPEN = dict(zip(WHO, [200, 200, 200, 200, 200, 404, 404, 404, 404], strict=True))
# The cruise is public and its log is closed.
CLOSED = dict.fromkeys(WHO, 200)
# Pages behind a right; somebody not signed in is asked to sign in.
IMPORT = dict(zip(WHO, [200, 200, 200, 200, 403, 404, 404, 404, 302], strict=True))
FINAL = dict(zip(WHO, [200, 200, 200, 200, 200, 200, 403, 403, 302], strict=True))


def at(event: Event, name: str) -> str:
    start = f"/cruise/{event.log.cruise.cruise_id}/log/"
    return start + {"log": "", "event": f"event/{event.uuid}/"}.get(name, name)


@pytest.mark.parametrize("name", WHO, ids=str)
def test_who_sees_what_while_the_log_is_open(browse, name):
    event, client = make.event(), browse(name)
    pages = ("log", "event", "export/r2r-csv", "export/json")
    found = {page: client.get(at(event, page)).status_code for page in pages}
    assert found == dict.fromkeys(pages, OPEN[name])
    assert client.get(at(event, "import/")).status_code == IMPORT[name]


@pytest.mark.parametrize("name", WHO, ids=str)
def test_who_sees_what_once_the_log_is_closed_and_the_cruise_public(browse, name):
    event, client = make.event(), browse(name)
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    pages = ("log", "event", "export/r2r-csv", "export/json", "events.geojson")
    found = {page: client.get(at(event, page)).status_code for page in pages}
    assert found == dict.fromkeys(pages, CLOSED[name])
    copy = log.final_copies.get(format="json")
    response = client.get(at(event, f"final/{copy.name}"))
    assert response.status_code == FINAL[name]
    if FINAL[name] == 200:
        assert hashlib.sha256(response.content).hexdigest() == copy.sha256


@pytest.mark.parametrize("name", ["stranger", None])
def test_the_public_is_not_told_who_wrote(browse, name):
    event = make.event()
    logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=event.log.cruise.pk).update(public_at=timezone.now())
    for page in ("log", "event", "export/r2r-csv", "export/json"):
        body = browse(name).get(at(event, page)).content.decode()
        assert "CTD" in body
        assert "Keane" not in body
    assert "Keane" in browse("chief").get(at(event, "export/json")).content.decode()


def test_posting_an_event_twice_is_one_event(browse):
    cruise, client = make.cruise(state="at sea"), browse("watch")
    address = f"/cruise/{cruise.cruise_id}/log/record/"
    given = {"uuid": str(uuid.uuid4()), "instrument": "CTD", "action": "deploy", "comment": "<b>calm</b>"}
    for _ in range(2):
        response = client.post(address, given)
        assert (response.status_code, response["Location"]) == (302, f"/cruise/{cruise.cruise_id}/log/")
    event = Event.objects.get(log__cruise=cruise)
    assert (event.instrument, event.author_name, event.source) == ("CTD", "Sam Keane", "web")
    body = client.get(response["Location"]).content.decode()
    assert "&lt;b&gt;calm" in body
    assert "<b>calm" not in body


@pytest.mark.parametrize(
    "changes", [{"latitude": "95"}, {"latitude": "5"}, {"action": ""}, {"observed_at": "tomorrow"}, {"uuid": "x"}]
)
def test_a_faulty_event_comes_back_with_what_was_typed(browse, changes):
    cruise = make.cruise(state="at sea")
    given = {"instrument": "CTD", "action": "deploy", "comment": "typed with cold hands"} | changes
    response = browse("watch").post(f"/cruise/{cruise.cruise_id}/log/record/", given)
    assert response.status_code == 422
    assert "typed with cold hands" in response.content.decode()
    assert not Event.objects.exists()


def test_recording_in_a_closed_log_is_refused_and_loses_nothing(browse):
    cruise = make.cruise(state="ended")
    response = browse("watch").post(
        f"/cruise/{cruise.cruise_id}/log/record/", {"instrument": "CTD", "action": "deploy", "comment": "too late"}
    )
    assert response.status_code == 422
    text = response.content.decode()
    assert "No new events can be recorded" in text
    assert "too late" in text
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "status"), [("chief", 302), ("watch", 302), ("stranger", 404), ("rival", 404), (None, 302)]
)
def test_who_may_post(browse, name, status):
    cruise = make.cruise(state="at sea")
    response = browse(name).post(f"/cruise/{cruise.cruise_id}/log/record/", {"instrument": "CTD", "action": "deploy"})
    assert response.status_code == status
    assert Event.objects.exists() is (name in ("chief", "watch"))


def test_changing_an_event_and_the_conflict(browse):
    event, client = make.event(), browse("watch")
    given = {"instrument": "CTD", "action": "deploy", "station": "9", "seen": 1, "reason": "slip"}
    assert client.post(at(event, "event"), given).status_code == 302
    event.refresh_from_db()
    assert (event.station, event.revision) == ("9", 2)
    response = client.post(at(event, "event"), given | {"station": "mine"})
    assert response.status_code == 409
    assert "mine" in response.content.decode()
    event.refresh_from_db()
    assert event.station == "9"


def test_striking_and_restoring(browse):
    event, client = make.event(), browse("watch")
    assert client.post(at(event, f"event/{event.uuid}/strike/")).status_code == 302
    event.refresh_from_db()
    assert event.struck_at is not None
    assert client.get(at(event, "event")).status_code == 200
    assert browse("stranger").post(at(event, f"event/{event.uuid}/strike/")).status_code == 404
    assert client.get(at(event, f"event/{event.uuid}/strike/")).status_code == 405


def test_opening_and_closing_by_page(browse):
    cruise = make.cruise()
    start = f"/cruise/{cruise.cruise_id}/log/"
    assert browse("watch").post(start + "open/").status_code == 403
    assert browse("operator").post(start + "open/").status_code == 302
    assert logbook.log_of(cruise).state == "open"
    assert browse("operator").post(start + "close/").status_code == 302
    assert logbook.log_of(cruise).state == "closed"


def test_points_are_geojson(browse):
    event = make.event()
    make.event(event.log, latitude=None, longitude=None)
    (feature,) = json.loads(browse("watch").get(at(event, "events.geojson")).content)["features"]
    assert feature["geometry"]["coordinates"] == [-25.0, 36.5]
    assert json.loads(browse("operator").get(at(event, "export/json")).content)
    assert browse("watch").get(at(event, "export/xlsx")).status_code == 404
