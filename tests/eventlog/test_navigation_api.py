"""Where the ship was, through the API: positions, track, feeds, and sending navigation with a token."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from eventlog.models import Feed, Fix
from eventlog.navigation import store, track
from eventlog.navigation.reading import Reader
from portal import tokens
from portal.refusals import NotLikeThis
from tests import make

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def ago(seconds: float) -> dt.datetime:
    return NOW - dt.timedelta(seconds=seconds)


@pytest.fixture
def cruise():
    made = make.cruise(state="at sea")
    reader = Reader()
    for second in range(3600):
        reader.add(ago(second), 36.0, -25.0 - second * 1e-5, quality=1, speed_mps=0.9, course_deg=90)
    feed = Feed.objects.create(vessel=made.vessel, name="gps", kind="udp", address="10.0.0.5:10110")
    store.keep(feed, reader.take(), at=NOW)
    return made


def address(cruise, what: str) -> str:
    return f"/api/v1/cruises/{cruise.cruise_id}/{what}"


def bearer(cruise, *scopes: str) -> dict[str, str]:
    _, secret = tokens.issue(
        person=make.person("watch"), name="logger", scopes=scopes, by=make.person("watch"), cruise=cruise
    )
    return {"Authorization": f"Bearer {secret}"}


def test_one_time_two_times_and_now(cruise, browse):
    client = browse("watch")
    answer = client.get(address(cruise, "position"), {"time": [ago(60).isoformat(), "2026-03-03T12:00:00+00:00"]})
    first, second = answer.json()["positions"]
    assert first["method"] == "exact"
    assert (first["latitude"], first["longitude"], first["feed"]) == (36.0, -25.0006, "gps")
    assert first["uncertainty_m"] > 0
    assert second["method"] == "none"
    assert client.get(address(cruise, "position")).json()["positions"][0]["method"] in ("exact", "extrapolated")


def test_a_list_and_its_faults(cruise, browse):
    client = browse("watch")
    times = [ago(n).isoformat() for n in range(100)]
    answer = client.post(address(cruise, "position"), {"times": times}, content_type="application/json")
    assert [row["method"] for row in answer.json()["positions"]] == ["exact"] * 100
    times[7], times[9] = "yesterday", "2026-03-03T12:00:00"
    answer = client.post(address(cruise, "position"), {"times": times}, content_type="application/json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["times[7]", "times[9]"]
    answer = client.post(address(cruise, "position"), {"times": times * 101}, content_type="application/json")
    assert answer.status_code == 422


def test_nobody_asks_where_the_ship_is_on_another_cruise(cruise, browse):
    feed = Feed.objects.get()
    reader = Reader()
    reader.add(dt.datetime(2025, 1, 1, tzinfo=dt.UTC), 10.0, 10.0, quality=1)
    store.keep(feed, reader.take())
    answer = browse("watch").get(address(cruise, "position"), {"time": "2025-01-01T00:00:00Z"})
    assert answer.json()["positions"][0]["latitude"] is None
    for name in (None, "stranger", "rival"):
        assert browse(name).get(address(cruise, "position")).status_code == 404


def test_the_track_as_lines_and_as_a_table(cruise, browse):
    client = browse("watch")
    period = {"after": ago(3000).isoformat(), "before": ago(600).isoformat(), "every": 60}
    lines = client.get(address(cruise, "track"), period)
    assert lines["Content-Type"] == "application/geo+json"
    assert len(lines.json()["features"][0]["geometry"]["coordinates"]) == 41
    rows = client.get(address(cruise, "track"), period | {"format": "csv"}).content.decode().splitlines()
    assert rows[0] == "time,latitude,longitude,depth_m,course_deg,speed_mps,method,feed,gap_s,uncertainty_m"
    assert len(rows) == 42
    for wrong in ({"every": "0.001"}, {"after": "soon"}, {"format": "pdf"}):
        assert client.get(address(cruise, "track"), period | wrong).status_code == 422


def test_lines_are_broken_at_gaps_and_cut_at_the_date_line():
    def point(minute: float, longitude: float) -> dict:
        return {"time": NOW + dt.timedelta(minutes=minute), "nav_latitude": 10.0 + minute, "nav_longitude": longitude}

    found = track.lines([point(0, 179.9), point(1, -179.9), point(2, -179.7), point(60, -179), point(61, -178.9)], 60)
    assert found[0] == [(179.9, 10.0), (180.0, pytest.approx(10.5))]
    assert found[1] == [(-180.0, pytest.approx(10.5)), (-179.9, 11.0), (-179.7, 12.0)]
    assert len(found) == 3


def test_a_track_that_would_be_too_long_is_refused(cruise):
    with pytest.raises(NotLikeThis):
        track.points(cruise.vessel_id, ago(86_400), NOW, 1.0)


def test_a_token_sends_lines_and_fixes(cruise):
    client = Client(headers=bearer(cruise, "navigation:write"))
    line = f"{ago(0):%Y-%m-%dT%H:%M:%S}.500000Z $GPGGA,{ago(0):%H%M%S}.00,3600.000,N,02500.000,W,1,09,0.9,1.0,M,0.0,M,,"
    for fresh in (1, 0):
        answer = client.post(address(cruise, "fixes?feed=second"), line + "\n", content_type="text/plain")
        assert answer.json()["fixes"] == fresh
    body = {"feed": "second", "fixes": [{"at": ago(10).isoformat(), "latitude": 36.0, "longitude": -25.0}]}
    assert client.post(address(cruise, "fixes"), body, content_type="application/json").json()["fixes"] == 1
    assert Fix.objects.filter(feed__name="second").count() == 2
    wrong = {"feed": "second", "fixes": [{"at": "noon", "latitude": 36.0, "longitude": -25.0}], "more": 1}
    answer = client.post(address(cruise, "fixes"), wrong, content_type="application/json")
    assert answer.status_code == 422
    del wrong["more"]
    answer = client.post(address(cruise, "fixes"), wrong, content_type="application/json")
    assert [error["field"] for error in answer.json()["errors"]] == ["fixes[0].at"]


def test_sending_takes_the_scope_and_the_role(cruise, browse):
    body = {"feed": "gps", "lines": []}
    for client, status in ((Client(headers=bearer(cruise, "events:write")), 403), (browse(None), 401)):
        answer = client.post(address(cruise, "fixes"), body, content_type="application/json")
        assert answer.status_code == status
    assert browse("stranger").post(address(cruise, "fixes"), body, content_type="application/json").status_code == 404


def test_the_feeds(cruise, browse):
    (feed,) = browse("watch").get(address(cruise, "feeds")).json()["feeds"]
    assert (feed["name"], feed["rank"], feed["address"]) == ("gps", 100, "10.0.0.5:10110")
    assert feed["last_fix"]["age_s"] < 600
