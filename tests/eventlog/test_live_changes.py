"""The change feed as a query, and the snapshot: in order, without a hole, names for those who may read them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from eventlog import logbook
from eventlog.live import screens
from eventlog.models import Event, Feed, Fix, Log, Operation
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make
from tests.eventlog.test_api import speaker

pytestmark = pytest.mark.django_db


def bucket(log: Log, **fields: Any) -> Event:
    """An event that belongs to no operation, so that it makes one change."""
    return make.event(log, **({"instrument": "Bucket", "action": "sample"} | fields))


def changes(log: Log, client: Client | None = None, query: str = "") -> dict:
    answer = (client or speaker("watch", ["read"])).get(f"/api/v1/cruises/{log.cruise.cruise_id}/changes{query}")
    assert answer.status_code == 200, answer.content
    found: dict = answer.json()
    return found


def events(found: dict) -> list[dict]:
    """The changes of events; stations, terms and buttons have theirs."""
    return [c for c in found["changes"] if c["thing"] == "event"]


def test_changes_come_in_order_with_the_thing_as_it_stands():
    log = make.log()
    event = bucket(log, station="L1")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"}, reason="typo")
    logbook.strike(event=bucket(log, station="X"), by=CONSOLE)
    found = changes(log)
    count = log.revisions.count()
    assert [c["sequence"] for c in found["changes"]] == list(range(1, count + 1))
    assert (found["sequence"], found["more"]) == (count, False)
    first, second, _, last = events(found)
    assert (second["verb"], second["by"], second["reason"], second["number"]) == ("revise", "Noor Rahman", "typo", 2)
    assert second["changes"] == {"station": ["L1", "L2"]}
    assert first["row"] == second["row"] == speaker().get(f"/api/v1/events/{event.uuid}").json()
    assert last["row"]["struck"] is True


def test_one_goes_on_where_one_stopped():
    log = make.log()
    for number in range(5):
        bucket(log, station=str(number))
    seen: list[int] = []
    after, more = 0, True
    while more:
        page = changes(log, query=f"?after={after}&limit=4")
        seen += [c["sequence"] for c in page["changes"]]
        after, more = page["sequence"], page["more"]
    assert seen == list(range(1, log.revisions.count() + 1))
    assert changes(log, query="?after=9999") == {"changes": [], "sequence": 9999, "more": False}


@pytest.mark.parametrize("query", ["?after=x", "?after=-1", "?limit=1e3", "?after=" + "9" * 30])
def test_senseless_numbers_are_refused(query):
    log = make.log()
    assert speaker().get(f"/api/v1/cruises/{log.cruise.cruise_id}/changes{query}").status_code == 422


def test_names_are_for_those_of_the_cruise():
    log = make.log()
    event = bucket(log)
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"}, device="tablet")
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    assert Client().get(f"/api/v1/cruises/{log.cruise.cruise_id}/changes").status_code == 404
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=log.opened_at)
    text = str(changes(log, Client()))
    assert "Noor" not in text
    assert "Keane" not in text
    assert "tablet" not in text
    assert "Keane" in str(changes(log))


def test_the_cost_does_not_grow_with_the_changes(django_assert_max_num_queries):
    log = make.log()
    client = speaker()
    for number in range(12):
        bucket(log, station=str(number))
    with django_assert_max_num_queries(16):
        assert len(events(changes(log, client))) == 12


def test_the_snapshot_has_all_that_the_page_needs():
    log = make.log()
    bucket(log, station="L1")
    Operation.objects.create(log=log, kind="ctd", instrument="CTD", cast="001", state="down")
    found = speaker().get(f"/api/v1/cruises/{log.cruise.cruise_id}/log/snapshot").json()
    assert found["log"]["state"] == "open"
    assert {t["instrument"] for t in found["templates"]} >= {"Ship", "CTD"}
    assert [o["cast"] for o in found["operations"]] == ["001"]
    assert [e["station"] for e in found["events"]] == ["L1"]
    assert found["sequence"] == changes(log)["sequence"]
    names = {person["name"]: person for person in found["people"]}
    assert set(names) == {"Noor Rahman", "Sam Keane", "Ingrid Solheim"}
    assert set(names["Sam Keane"]) == {"uuid", "name", "pin"}
    assert found["you"]["name"] == "Sam Keane"
    may = found["you"]["may"]
    assert [verb for verb in may if may[verb]] == ["read", "record", "revise"]
    assert set(found["board"]) >= {"open", "resting", "idle", "station"}


def test_the_snapshot_names_nobody_to_the_public():
    log = make.log()
    bucket(log)
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=log.opened_at)
    found = Client().get(f"/api/v1/cruises/{log.cruise.cruise_id}/log/snapshot").json()
    assert found["people"] == []
    assert found["you"] == {"uuid": None, "name": "", "may": dict.fromkeys(found["you"]["may"], False)}
    assert "Keane" not in str(found)


def test_the_cost_of_a_snapshot_does_not_grow_with_the_log(django_assert_max_num_queries):
    log, client = make.log(), speaker()
    for number in range(8):
        bucket(log, station=str(number))
    assert Event.objects.count() == 8
    with django_assert_max_num_queries(34):
        client.get(f"/api/v1/cruises/{log.cruise.cruise_id}/log/snapshot")


def test_screens_are_told_where_the_ship_is():
    log = make.log()
    feed = Feed.objects.create(vessel=log.cruise.vessel, name="gnss", kind="api")
    at = int((timezone.now() - dt.timedelta(seconds=20)).timestamp()) * 1_000_000
    Fix.objects.create(feed=feed, at_us=at, latitude_e7=365_000_000, longitude_e7=-250_000_000, quality=1)
    told = screens._beat(log.pk, [])
    message = screens.event("ship", told["ship"]).decode()
    assert '"latitude":36.5,"longitude":-25.0' in message
    assert told["ship"]["at"].endswith("Z")
    assert 15 < told["ship"]["age_s"] < 60
