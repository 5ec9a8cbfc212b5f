"""Stations and transects: noted as they are named, near-duplicates offered, merged with their events."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog import gazetteer, intake, logbook, naming, operations, places
from eventlog.models import Place, Revision
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make
from tests.eventlog.test_api import send, speaker

SAME = [("L1", "L01"), ("LTER1", "LTER Station 1"), ("L9.5", "l09.5"), ("St. 4", "004"), ("L-1", "L1")]
LIKE = [("L1", "LTER1"), ("L1", "LTER Station 1"), ("MVCO", "MVOC"), ("Georges Bank", "George Bank")]
OTHER = [("L9", "L9.5"), ("L1", "L10"), ("d4a", "u4a"), ("S01", "L01"), ("", "L1"), ("4-5", "45")]


@pytest.mark.parametrize(("pairs", "low", "high"), [(SAME, 1.0, 1.0), (LIKE, 0.5, 0.9), (OTHER, 0.0, 0.0)])
def test_names_are_alike_or_not(pairs, low, high):
    for one, other in pairs:
        assert low <= naming.alike(one, other).score <= high, (one, other)
        assert naming.alike(one, other) == naming.alike(other, one)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_names_can_be_compared(one, other):
    assert naming.alike(one, other).score == naming.alike(other, one).score
    assert naming.edits(one, other, 2) == naming.edits(other, one, 2)
    assert 0 <= naming.alike(one, one).score <= 1


def test_distances():
    assert naming.metres((0, 0), (0, 1)) == pytest.approx(111_195, abs=1)
    assert naming.metres((10, 179.9), (10, -179.9)) < 22_000
    # Alike but far apart: two places; unlike but next to each other: probably one.
    assert naming.near("L1", 900_000, "LTER1").score == 0
    assert naming.near("Buoy", 120, "MVCO").score == 0.5
    assert naming.near("S001", 11, "S002").score == 0


@pytest.mark.django_db
def test_a_new_name_is_a_place_at_once():
    log = make.log()
    make.event(log, station="L1", latitude=41.2, longitude=-70.9)
    make.event(log, station="L1", latitude=41.3, longitude=-70.8)
    place = log.places.get(name="L1")
    assert (place.latitude, place.longitude, place.is_planned) == (41.2, -70.9, False)
    (revision,) = Revision.objects.filter(thing="place", thing_uuid=place.uuid)
    assert revision.changes["name"] == [None, "L1"]
    event = make.event(log, station="")
    logbook.revise(event=event, by=make.person("watch"), fields={"station": "L2", "transect": "T1"})
    assert set(log.places.values_list("kind", "name")) >= {("station", "L2"), ("transect", "T1")}


@pytest.mark.django_db
def test_targets_of_the_orders_are_planned_until_they_are_visited():
    log = make.log()
    place = log.places.get(name="Front")
    assert (place.is_planned, place.latitude) == (True, 35.0)
    make.event(log, station="Front", latitude=35.2, longitude=-24.4)
    place.refresh_from_db()
    assert (place.is_planned, place.latitude, place.revision) == (False, 35.0, 2)


@pytest.mark.django_db
def test_merging_gives_the_events_the_name_and_keeps_the_alias():
    log, watch = make.log(), make.person("watch")
    one, other = make.event(log, station="LTER1"), make.event(log, station="L1")
    lter, l1 = log.places.get(name="LTER1"), log.places.get(name="L1")
    assert places.merge(place=lter, into=l1, by=watch).aliases == ["LTER1"]
    assert places.merge(place=lter, into=l1, by=watch).aliases == ["LTER1"]
    one.refresh_from_db()
    assert (one.station, one.revision) == ("L1", 2)
    assert one.revisions.get(number=2).reason == "LTER1 is L1"
    assert other.revisions.count() == 1
    # What is typed afterwards under the alias makes no new place; suggestions name the right one.
    make.event(log, station="LTER1")
    assert not log.places.filter(name="LTER1", merged_into=None).exists()
    assert gazetteer.canonical(log, "lter1") == "L1"
    assert gazetteer.near(log, "LTER 1")[0]["name"] == "L1"


@pytest.mark.django_db
def test_places_that_cannot_be_one_are_not_merged():
    log, watch = make.log(), make.person("watch")
    make.event(log, station="L1", transect="T1")
    l1, t1 = log.places.get(name="L1"), log.places.get(name="T1")
    foreign = make.event(station="L1").log.places.get(name="L1")
    for into in (l1, t1, foreign):
        with pytest.raises(NotLikeThis):
            places.merge(place=l1, into=into, by=watch)
    with pytest.raises(NotYou):
        places.merge(place=l1, into=t1, by=make.person("stranger"))


@pytest.mark.django_db
def test_renaming_carries_the_events():
    log, watch = make.log(), make.person("watch")
    event = make.event(log, station="L01")
    place = places.amend(place=log.places.get(name="L01"), by=watch, fields={"name": "L1", "depth_m": 60.0}, seen=1)
    event.refresh_from_db()
    assert (event.station, place.aliases, place.depth_m) == ("L1", ["L01"], 60.0)
    with pytest.raises(NotNow):
        places.amend(place=place, by=watch, fields={"comment": "x"}, seen=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "Front"}, "name"),
        ({"name": "A", "latitude": 91.0, "longitude": 0.0}, "latitude"),
        ({"name": "A", "latitude": float("nan"), "longitude": 0.0}, "latitude"),
        ({"name": "A", "latitude": 1.0}, "longitude"),
        ({"name": "A", "aliases": "B"}, "aliases"),
        ({"name": "A", "colour": "red"}, "colour"),
    ],
)
def test_what_is_no_place_is_refused(fields, where):
    log = make.log()
    with pytest.raises(NotLikeThis) as caught:
        places.add(log=log, by=make.person("watch"), fields=fields)
    assert where in {fault.where for fault in caught.value.faults}


@pytest.mark.django_db
def test_the_same_id_is_one_place_and_a_closed_log_wants_a_reason():
    log, key, watch = make.log(), uuid.uuid4(), make.person("watch")
    one, new = places.add(log=log, by=watch, fields={"name": "A"}, uuid=key)
    assert (new, places.add(log=log, by=watch, fields={"name": "B"}, uuid=key)) == (True, (one, False))
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    with pytest.raises(NotYou):
        places.add(log=log, by=watch, fields={"name": "C"})
    with pytest.raises(NotLikeThis):
        places.add(log=log, by=make.person("chief"), fields={"name": "C"})
    places.add(log=log, by=make.person("chief"), fields={"name": "C"}, reason="forgotten")


@pytest.mark.django_db
def test_the_api_offers_adds_changes_and_merges():
    log = make.log()
    make.event(log, station="LTER1", latitude=41.2, longitude=-70.9)
    client, address = speaker(), f"/api/v1/cruises/{log.cruise.cruise_id}/places"
    (found,) = client.get(address + "?near=L1&latitude=41.201&longitude=-70.9").json()["results"]
    assert (found["name"], found["score"], found["distance_m"]) == ("LTER1", 0.8, 111)
    assert client.get(address + "?near=L1&latitude=95&longitude=0").status_code == 422
    body = {"uuid": str(uuid.uuid4()), "name": "L1", "latitude": 41.2, "longitude": -70.9}
    assert [send(client, "post", address, body).status_code for _ in range(2)] == [201, 200]
    assert send(client, "post", address, {"name": "L1"}).json()["errors"][0]["field"] == "name"
    one = f"{address}/{body['uuid']}"
    assert send(client, "patch", one, {"depth_m": 55, "revision": 1}).json()["depth_m"] == 55
    assert send(client, "patch", one, {"depth_m": 56, "revision": 1}).status_code == 409
    lter = f"{address}/{found['place']['uuid']}"
    assert send(client, "post", lter + "/merge", {"into": body["uuid"]}).json()["aliases"] == ["LTER1"]
    assert {row["name"] for row in client.get(address).json()["results"]} == {"L1", "Front"}
    assert client.get(f"{address}/{uuid.uuid4()}").status_code == 404
    assert speaker("stranger").get(address).status_code == 404


@pytest.mark.django_db
def test_operations_through_the_api():
    log = make.log()
    event = make.event(log)
    client, address = speaker(), f"/api/v1/cruises/{log.cruise.cruise_id}/operations"
    (row,) = client.get(address + "?open=yes&instrument=CTD").json()["results"]
    assert (row["state"], row["next"][0]["action"], row["is_open"]) == ("in water", "maxDepth", True)
    one = client.get(f"{address}/{row['uuid']}").json()
    assert [e["uuid"] for e in one["events"]] == [str(event.uuid)]
    assert send(client, "patch", f"{address}/{row['uuid']}", {"comment": "rosette leaked"}).json()["revision"] == 2
    assert client.get(address + "/board").json()["open"][0]["cast"] == "001"
    assert client.get(f"{address}/{uuid.uuid4()}").status_code == 404


ALIASES: dict[str, Any] = {
    "R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv": ({"L09", "L9"}, {"L07.5", "L07"}),
    "R2R_ELOG_AR63.csv": ({"L5", "LTER5"}, {"LTER2", "LTER7"}),
}


@pytest.mark.parametrize("name", ALIASES)
@pytest.mark.django_db
def test_real_near_duplicates_are_found(real_data, name):
    one, two = ALIASES[name]
    log = make.log()
    intake.import_events(log=log, name=name, data=(real_data / "r2r-elog" / name).read_bytes(), by=CONSOLE)
    operations.from_events(log=log, by=CONSOLE)
    pairs = [{lesser.name, better.name} for lesser, better, _ in gazetteer.duplicates(log)]
    assert one in pairs
    assert two not in pairs
    assert Place.objects.filter(log=log, latitude__isnull=False).exists()


def test_a_date_is_no_place():
    assert naming.station_key(str(dt.date(2026, 3, 2))) == "2026 3 2"
