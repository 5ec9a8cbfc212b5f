"""The filter against the database: what is found, near what, by whom, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from eventlog import logbook
from eventlog.answers import Filter
from eventlog.models import Event, Log, Operation, Place
from portal.access import CONSOLE
from portal.refusals import NotLikeThis
from tests import make

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)


def found(log: Log, names: bool = True, **params: Any) -> list[str]:
    """Comments of the events that a filter finds, in their order."""
    events = Filter.parse(params).apply(Event.objects.all(), log=log, names=names, now=NOW)
    return [event.comment for event in events.in_order()]


@pytest.fixture
def log() -> Log:
    """Five events: a CTD cast at L6, a net at L1, one at the date line, one without a position, one struck."""
    log = make.log()
    hour = dt.timedelta(hours=1)
    make.event(log, observed_at=NOW - 30 * hour, comment="down at L6", station="L6", latitude=35.5, longitude=-25.0)
    make.event(
        log, observed_at=NOW - 3 * hour, instrument="Bongo net", action="recover", comment="net 100% full",
        station="L1", latitude=35.7, longitude=-25.0, seafloor_m=80.0, cast="",
    )  # fmt: skip
    make.event(log, observed_at=NOW - 2 * hour, comment="at the line", station="", latitude=0.0, longitude=179.9)
    nowhere = dict.fromkeys(("latitude", "longitude", "seafloor_m"))
    make.event(log, observed_at=NOW - hour, comment="lost", station="", **nowhere)
    struck = make.event(log, observed_at=NOW - hour, action="recover", comment="slip", station="L6")
    logbook.strike(event=struck, by=CONSOLE)
    return log


@pytest.mark.parametrize(
    ("params", "comments"),
    [
        ({}, ["down at L6", "net 100% full", "at the line", "lost"]),
        ({"struck": "yes"}, ["down at L6", "net 100% full", "at the line", "lost", "slip"]),
        ({"struck": "only"}, ["slip"]),
        ({"q": "FULL net"}, ["net 100% full"]),
        ({"q": "100%"}, ["net 100% full"]),
        ({"q": "1_0"}, []),
        ({"instrument": "ctd"}, ["down at L6", "at the line", "lost"]),
        ({"instrument": ["Bongo net", "CTD"], "action": "recover"}, ["net 100% full"]),
        ({"station": "l6"}, ["down at L6"]),
        ({"last": "2h"}, ["at the line", "lost"]),
        ({"after": "2026-03-04T09:00Z", "before": "2026-03-04T10:00Z"}, ["net 100% full"]),
        ({"before": "2026-03-03"}, ["down at L6"]),
        ({"depth_min": "1000"}, ["down at L6", "at the line"]),
        ({"depth_max": "100"}, ["net 100% full"]),
        ({"box": "-26,35,-24,36"}, ["down at L6", "net 100% full"]),
        ({"box": "179,-1,-179,1"}, ["at the line"]),
        ({"near": "L6", "within": "20"}, ["down at L6"]),
        ({"near": "L6", "within": "23"}, ["down at L6", "net 100% full"]),
        ({"near": "0,-179.9", "within": "23"}, ["at the line"]),
        ({"near": "0,-179.9", "within": "22"}, []),
        ({"near": "90,0", "within": "6100"}, ["down at L6", "net 100% full"]),
        ({"near": "0,0", "within": "20100"}, ["down at L6", "net 100% full", "at the line"]),
        ({"position": "none"}, ["lost"]),
        ({"position": "typed"}, ["down at L6", "net 100% full", "at the line"]),
        ({"person": "keane", "instrument": "Bongo net"}, ["net 100% full"]),
        ({"person": "Nobody"}, []),
    ],
    ids=str,
)
def test_what_is_found(log, params, comments):
    assert found(log, **params) == comments


def test_a_derived_position_and_depth_count_where_none_was_typed(log):
    lost = log.events.filter(comment="lost")
    lost.update(nav_latitude=35.5, nav_longitude=-25.01, nav_depth_m=4000.0, nav_method="interpolated")
    assert found(log, near="L6", within="5") == ["down at L6", "lost"]
    assert found(log, depth_min="3500") == ["lost"]
    assert found(log, position="derived") == found(log, position="interpolated") == ["lost"]
    assert found(log, position="exact") == []
    # What a person typed stands, whatever navigation says.
    log.events.filter(comment="down at L6").update(nav_latitude=0.0, nav_longitude=0.0, nav_depth_m=1.0)
    assert found(log, near="0,0", within="50") == []


def test_a_station_is_known_by_its_other_names_and_by_its_own_position(log):
    true = Place.objects.create(log=log, name="LTER6", aliases=["L6", "Station 6"], latitude=35.7, longitude=-25.0)
    assert found(log, station="station 6") == ["down at L6"]
    assert found(log, near="station 6", within="1") == ["net 100% full"]
    Place.objects.create(log=log, name="L06", merged_into=true)
    assert found(log, near="l06", within="1") == ["net 100% full"]
    assert found(log, station="L06") == ["down at L6"]


def test_an_unknown_station_is_refused_by_its_name(log):
    with pytest.raises(NotLikeThis) as refused:
        found(log, near="Atlantis")
    assert [fault.where for fault in refused.value.faults] == ["near"]
    assert "Atlantis" in str(refused.value)


def test_one_may_not_ask_who_wrote_without_the_right(log):
    with pytest.raises(NotLikeThis) as refused:
        found(log, names=False, person="Keane")
    assert [fault.where for fault in refused.value.faults] == ["person"]


def test_an_event_that_lasted_counts_while_it_lasted(log):
    log.events.filter(comment="net 100% full").update(ended_at=NOW - dt.timedelta(minutes=30))
    assert found(log, after="2026-03-04T11:15Z") == ["net 100% full"]


def test_events_of_one_operation(log):
    operation = Operation.objects.create(log=log, kind="ctd", instrument="CTD", state="done", is_open=False)
    log.events.filter(comment="lost").update(operation=operation)
    assert found(log, operation=str(operation.uuid)) == ["lost"]
    assert found(log, operation="6f6b8a52-9a2c-4b5e-8a0e-0e5d3d2c1b0a") == []


def test_another_log_is_not_searched(log):
    other = make.event(comment="elsewhere", observed_at=timezone.now())
    assert "elsewhere" not in found(log, struck="yes")
    assert found(other.log) == ["elsewhere"]


def test_the_distance_is_that_of_the_great_circle(log):
    events = Filter.parse({"near": "35.5,-24", "within": "200"}).apply(Event.objects.all(), log=log)
    # cos(35.5 deg) of a degree of longitude, a little less along the great circle
    assert events.get(comment="down at L6").far_km == pytest.approx(90.52, abs=0.02)
