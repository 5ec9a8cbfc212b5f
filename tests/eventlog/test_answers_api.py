"""The list of events in the API: the filter, the order, chosen fields, ETags, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from eventlog import logbook
from eventlog.models import Log
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make
from tests.eventlog.test_api import listing, speaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> Log:
    log = make.log()
    now = timezone.now()
    for number, station in enumerate(("L2", "L1", "L3")):
        make.event(
            log, observed_at=now - dt.timedelta(hours=3 - number), station=station, instrument="Float", action="deploy",
            seafloor_m=1000.0 * number, latitude=40.0 + number, longitude=-70.0,
        )  # fmt: skip
    return log


def stations(answer: Any) -> list[str]:
    return [row["station"] for row in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["L2", "L1", "L3"]),
        ("ordering=-observed_at", ["L3", "L1", "L2"]),
        ("ordering=station", ["L1", "L2", "L3"]),
        ("depth_min=1000&near=L3&within=150", ["L1", "L3"]),
        ("station=l1&station=L3", ["L1", "L3"]),
        ("last=90min", ["L3"]),
        ("q=float&box=-71,39,-69,40.5", ["L2"]),
        ("person=keane&page_size=2", ["L2", "L1"]),
    ],
)
def test_the_filter_is_that_of_the_page(log, query, found):
    assert stations(speaker().get(f"{listing(log.cruise)}?{query}")) == found


def test_chosen_fields(log, django_assert_max_num_queries):
    client = speaker()
    client.get(listing(log.cruise))
    with django_assert_max_num_queries(12):
        row = client.get(listing(log.cruise) + "?fields=uuid,station,observed_at").json()["results"][0]
    assert set(row) == {"uuid", "station", "observed_at"}
    assert "measurements" in client.get(listing(log.cruise)).json()["results"][0]


def test_an_etag_holds_until_the_log_changes(log):
    client, address = speaker(), listing(log.cruise) + "?station=L1"
    first = client.get(address)
    tag = first["ETag"]
    assert tag.startswith("W/")
    again = client.get(address, headers={"if-none-match": f'"x", {tag}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    other = client.get(listing(log.cruise) + "?station=L2", headers={"if-none-match": tag})
    assert other.status_code == 200
    logbook.revise(event=log.events.get(station="L1"), by=CONSOLE, fields={"comment": "new"})
    changed = client.get(address, headers={"if-none-match": tag})
    assert (changed.status_code, changed.json()["results"][0]["comment"]) == (200, "new")
    # What depends on the clock is never said to be unchanged.
    assert "ETag" not in client.get(listing(log.cruise) + "?last=4h")


def test_an_etag_is_of_those_who_read_names_or_of_the_others(log):
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    address = listing(log.cruise)
    tag = speaker("chief", ["read"]).get(address)["ETag"]
    told = Client().get(address, headers={"if-none-match": tag})
    assert told.status_code == 200
    assert told.json()["results"][0]["author_name"] == ""
    refused = Client().get(address + "?person=Keane")
    assert [error["field"] for error in refused.json()["errors"]] == ["person"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("intrument=CTD", "intrument"),
        ("after=soon", "after"),
        ("ordering=colour", "ordering"),
        ("fields=uuid,colour", "fields"),
        ("near=Atlantis", "near"),
        ("box=1,2", "box"),
    ],
)
def test_a_fault_is_told_with_its_parameter(log, query, field):
    answer = speaker().get(f"{listing(log.cruise)}?{query}")
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
