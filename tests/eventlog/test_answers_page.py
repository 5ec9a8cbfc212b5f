"""The answer box as a page: table, map and time line of one filter, and who may see and ask what."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from eventlog import logbook
from eventlog.models import Event, Log
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make
from tests.eventlog.test_event_page import plain

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)


@pytest.fixture
def log() -> Log:
    """Three CTD casts, going north by a degree, and a net without a position."""
    log = make.log()
    for number in range(3):
        at = NOW + dt.timedelta(hours=3 * number)
        where = {"latitude": 36.0 + number, "longitude": -25.0, "seafloor_m": 1000.0 * (number + 1)}
        cast = f"00{number + 1}"
        make.event(log, observed_at=at, station=f"S{number}", cast=cast, comment="went down", **where)
        make.event(
            log, observed_at=at + dt.timedelta(hours=1), action="recover", station=f"S{number}", cast=cast,
            comment="came up", **where,
        )  # fmt: skip
    nowhere = dict.fromkeys(("latitude", "longitude", "seafloor_m"))
    make.event(log, observed_at=NOW, instrument="Float", station="", cast="", comment="<b>bold</b>", **nowhere)
    return log


def at(log: Log, tail: str = "") -> str:
    return f"/cruise/{log.cruise.cruise_id}/log/events/{tail}"


def page(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def told(client: Client, path: str) -> Any:
    return json.loads(page(client, path))


def rows(body: str) -> list[str]:
    return [plain(row) for row in re.findall(r"<tr[ >].*?</tr>", body.partition("<tbody>")[2], re.DOTALL)]


def test_one_filter_three_views(browse, log):
    client = browse("watch")
    query = "?instrument=CTD&depth_min=1500&near=S1&within=150"
    body = page(client, at(log, query))
    assert "CTD events deeper than 1500 m within 150 km of S1" in plain(body)
    assert "4 events, 2 operations" in plain(body)
    assert len(rows(body)) == 4
    assert rows(body)[0].startswith("2026-03-04 19:00:00 CTD recover S2 003")
    features = told(client, at(log, "points.geojson" + query))["features"]
    assert [f["geometry"]["coordinates"] for f in features] == [[-25.0, 37.0]] * 2 + [[-25.0, 38.0]] * 2
    (lane,) = told(client, at(log, "lanes.json" + query))["lanes"]
    assert (lane["name"], lane["count"], len(lane["ticks"]), len(lane["bars"])) == ("CTD", 4, 4, 2)
    for view in ("map", "timeline"):
        shown = page(client, at(log, query + f"&view={view}"))
        assert "within=150" in re.search(r'data-(?:events|lanes)="([^"]+)"', shown)[1]
        assert "<b>4</b> events" in shown


def test_plain_words_are_understood_and_shown(browse, log):
    body = plain(page(browse("watch"), at(log, "?ask=ctd+recoveries+depth+%3E+1000+within+20+km+of+s2")))
    assert "Understood as: CTD recover events deeper than 1000 m within 20 km of S2" in body
    assert "1 event, 1 operation" in body


def test_what_is_not_understood_is_told_beside_its_box_and_kept(browse, log):
    body = page(browse("watch"), at(log, "?after=yesterday&near=Atlantis&instrument=CTD"), status=422)
    assert "after: " in plain(body)
    assert 'value="yesterday"' in body
    assert 'value="Atlantis"' in body
    assert 'id="f-after-error"' in body
    unknown = page(browse("watch"), at(log, "?near=Atlantis"), status=422)
    assert "no station" in plain(unknown)
    for tail in ("points.geojson", "lanes.json"):
        assert browse("watch").get(at(log, tail + "?near=Atlantis")).status_code == 422


def test_a_filter_can_be_taken_apart(browse, log):
    body = page(browse("watch"), at(log, "?instrument=CTD&instrument=Float&near=S1&within=150"))
    tags = dict(re.findall(r'<a class="tag" href="([^"]+)">([^<]+) <svg', body))
    assert {words.strip() for words in tags.values()} >= {"CTD", "Float", "within 150 km of S1"}
    without = next(href for href, words in tags.items() if "within" in words).replace("&amp;", "&")
    assert "near" not in without
    assert "within" not in without
    # Both instruments stay in the form, though it has one box for them.
    assert '<input type="hidden" name="instrument" value="Float">' in body


def test_the_table_is_sorted_paged_and_has_the_columns_one_wants(browse, log, monkeypatch):
    monkeypatch.setattr("eventlog.views.answers.ROWS", 3)
    client = browse("watch")
    body = page(client, at(log, "?sort=station&column=station"))
    assert rows(body)[0].startswith("2026-03-04 12:00:00 Float deploy")
    assert "Comment" not in plain(body.partition("<thead>")[2].partition("</thead>")[0])
    assert 'aria-sort="ascending"' in body
    body = page(client, at(log, "?page=3"))
    assert len(rows(body)) == 1
    assert "7–7 of 7" in plain(body)
    assert len(rows(page(client, at(log, "?page=999&sort=nonsense&column=nonsense&view=nonsense")))) == 1


def test_text_is_never_markup(browse, log):
    body = page(browse("watch"), at(log, "?q=bold"))
    assert "&lt;b&gt;bold" in body
    assert "<b>bold" not in body
    assert "<script>" not in page(browse("watch"), at(log, "?q=<script>&ask=<script>"))


@pytest.mark.parametrize(
    ("name", "status"),
    [("admin", 200), ("operator", 200), ("chief", 200), ("watch", 200), ("rival", 404), ("stranger", 404), (None, 404)],
)
def test_who_may_ask_an_open_log(browse, log, name, status):
    for tail in ("", "points.geojson", "lanes.json"):
        assert browse(name).get(at(log, tail)).status_code == status


def test_the_public_may_ask_a_closed_log_but_not_who_wrote(browse, log):
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    body = page(browse(None), at(log))
    assert "CTD" in body
    assert "Keane" not in body
    assert 'name="person"' not in body
    assert "Keane" not in page(browse(None), at(log, "?column=author"))
    refused = page(browse(None), at(log, "?person=Keane"), status=422)
    assert "who wrote what" in plain(refused)
    assert browse(None).get(at(log, "points.geojson?person=Keane")).status_code == 422
    assert "Keane" in page(browse("chief"), at(log, "?person=Keane&column=author"))


def test_many_events_become_cells_that_lead_to_their_events(browse, log, monkeypatch):
    monkeypatch.setattr("eventlog.answers.points.MOST_POINTS", 4)
    client = browse("watch")
    features = told(client, at(log, "points.geojson?instrument=CTD"))["features"]
    assert [f["properties"]["count"] for f in features] == [2, 2, 2]
    for feature in features:
        assert len(rows(page(client, feature["properties"]["url"]))) == 2


def test_many_events_become_counts_that_lead_to_their_events(browse, log, monkeypatch):
    monkeypatch.setattr("eventlog.answers.lanes.MOST_TICKS", 4)
    monkeypatch.setattr("eventlog.answers.lanes.MOST_BINS", 10)
    client = browse("watch")
    body = told(client, at(log, "lanes.json"))
    assert body["bin_s"] == 3600
    lane = next(lane for lane in body["lanes"] if lane["name"] == "CTD")
    assert [b["count"] for b in lane["bins"]] == [1] * 6
    assert lane["ticks"] == []
    for one in lane["bins"]:
        assert len(rows(page(client, one["url"]))) == 1


def test_an_open_operation_has_no_end(browse, log):
    make.event(log, observed_at=NOW + dt.timedelta(hours=12), instrument="CTD", action="deploy", cast="", station="")
    (lane,) = told(browse("watch"), at(log, "lanes.json?instrument=CTD"))["lanes"]
    assert [(bar["open"], bar["to"] is None) for bar in lane["bars"]] == [(False, False)] * 3 + [(True, True)]


def test_an_empty_log_has_an_empty_answer(browse):
    log = make.log()
    assert "No event is like this" in page(browse("watch"), at(log))
    for tail in ("points.geojson", "lanes.json", "?view=timeline", "?view=map"):
        assert browse("watch").get(at(log, tail)).status_code == 200


def test_the_page_asks_the_database_a_bounded_number_of_times(browse, log, django_assert_max_num_queries):
    client = browse("watch")
    page(client, at(log))
    for path in (at(log), at(log, "?view=timeline"), at(log, "lanes.json"), at(log, "points.geojson")):
        with django_assert_max_num_queries(24):
            page(client, path)
    assert Event.objects.count() == 7
