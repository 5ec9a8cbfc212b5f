"""The list of what is to be done, closing with what is unfinished, and the hand-over of a watch."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from eventlog import digest, logbook, redpen
from eventlog.models import Event, Feed, Fix, Log
from portal.access import CONSOLE
from portal.models import Cruise
from portal.refusals import NotLikeThis
from tests import make

pytestmark = pytest.mark.django_db
WHO = ["admin", "manager", "operator", "chief", "watch", "expert", "rival", "stranger", None]
READ = dict(zip(WHO, [200, 200, 200, 200, 200, 404, 404, 404, 302], strict=True))


def say(log: Log, minutes: float, action: str, instrument: str = "CTD", **fields: Any) -> Event:
    at = timezone.now() - dt.timedelta(minutes=minutes)
    values = {"observed_at": at, "instrument": instrument, "action": action, "latitude": 36.5, "longitude": -25.0}
    return logbook.record(log=log, by=make.person("watch"), fields=values | fields)[0]


def now_log(**changes: Any) -> Log:
    today = timezone.now().date()
    return make.log(depart_date=today - dt.timedelta(3), arrive_date=today + dt.timedelta(3), **changes)


@pytest.mark.parametrize("name", WHO, ids=str)
def test_who_sees_the_list_and_the_hand_over(browse, name):
    log, client = now_log(), browse(name)
    say(log, 45, "recover")
    start = f"/cruise/{log.cruise.cruise_id}/log/"
    for page in ("todo/", "todo.csv", "digest/", "digest/?format=text"):
        assert client.get(start + page).status_code == READ[name], page


def test_a_finding_is_mended_on_the_page(browse):
    log, client = now_log(), browse("watch")
    say(log, 45, "recover", comment="=1+1")
    start = f"/cruise/{log.cruise.cruise_id}/log/"
    body = client.get(start + "todo/").content.decode()
    assert "has no beginning before it" in body
    (finding,) = [one for one in redpen.look(log) if one.code == "no-start"]
    when = (timezone.now() - dt.timedelta(minutes=90)).strftime("%Y-%m-%dT%H:%M:%S")
    address = f"{start}todo/{finding.key}/fix/"
    assert "say when it happened" in client.post(address, {"fix": "0"}, follow=True).content.decode()
    assert log.events.count() == 1
    answer = client.post(address, {"fix": "0", "observed_at": when}, follow=True)
    assert "It is mended." in answer.content.decode()
    assert log.events.count() == 2
    assert "may have been fixed" in client.post(address, {"fix": "0"}, follow=True).content.decode()
    assert browse("stranger").post(address, {"fix": "0"}).status_code == 404


def test_a_finding_is_dismissed_on_the_page(browse):
    log, client = now_log(), browse("watch")
    say(log, 45, "recover")
    (finding,) = [one for one in redpen.look(log) if one.code == "no-start"]
    address = f"/cruise/{log.cruise.cruise_id}/log/todo/{finding.key}/dismiss/"
    assert "say in a few words" in client.post(address, {"reason": ""}, follow=True).content.decode()
    body = client.post(address, {"reason": "by the ship before us"}, follow=True).content.decode()
    assert "Right as they are" in body
    assert "by the ship before us" in body
    client.post(address, {"recall": "yes"})
    assert redpen.dismissed(log) == {}


def test_the_csv_lists_every_finding(browse):
    log = now_log()
    event = say(log, 45, "recover")
    text = browse("chief").get(f"/cruise/{log.cruise.cruise_id}/log/todo.csv").content.decode()
    rows = text.splitlines()
    assert rows[0] == "severity,code,finding,events,fixes"
    assert len(rows) == 1 + len(redpen.look(log))
    assert event.number in text
    assert "Log deploy" in text


def test_what_is_unfinished_is_named_and_the_log_can_be_closed(browse):
    log, client = now_log(), browse("operator")
    say(log, 45, "start", "Multibeam")
    start = f"/cruise/{log.cruise.cruise_id}/log/"
    said = "Multibeam, begun"
    assert said in client.get(start + "todo/?closing=yes").content.decode()
    assert said not in client.get(start + "todo/").content.decode()
    assert [said in one.sentence for one in redpen.unfinished(log)] == [True]
    with pytest.raises(NotLikeThis, match="unfinished"):
        logbook.close_log(cruise=log.cruise, by=make.person("operator"))
    note = "the sounder runs on to the yard"
    assert logbook.close_log(cruise=log.cruise, by=make.person("operator"), note=note).state == "closed"
    # Afterwards the list is still there, and a late fix says why.
    assert client.get(start + "todo/").status_code == 200


# --- the hand-over --------------------------------------------------------------------------------------------------


def test_the_hand_over_tells_what_the_watch_did(browse):
    log = now_log()
    say(log, 600, "deploy", station="L0")
    say(log, 560, "recover")
    say(log, 120, "deploy", station="L1", comment="swell 3 m")
    say(log, 90, "maxDepth")
    now = timezone.now()
    found = digest.digest(log, now - dt.timedelta(hours=4), now)
    assert [str(run) for run in found.begun] == ["CTD 002"]
    assert found.ended == []
    assert [(row["cast"], row["state"]) for row in found.open] == [("002", "at depth")]
    assert [s["name"] for s in found.stations] == ["L1"]
    assert found.counts == [("CTD", 2)]
    assert (found.events, found.people, found.distance_m) == (2, ["Sam Keane"], None)
    text = digest.as_text(log, found)
    assert "CTD 002 at L1, at depth for 1 h 30 min" in text
    assert "swell 3 m" in text
    page = browse("watch").get(f"/cruise/{log.cruise.cruise_id}/log/digest/?hours=12").content.decode()
    assert "CTD 001" in page
    assert "swell 3 m" in page
    for wrong in ("?hours=abc", "?hours=99999999", "?until=yesterday", "?until=2026-03-03T10:00:00"):
        assert browse("watch").get(f"/cruise/{log.cruise.cruise_id}/log/digest/{wrong}").status_code == 200


def test_the_distance_run_is_that_of_the_best_feed():
    log = now_log()
    now = timezone.now().replace(microsecond=0)
    for rank, step in ((1, 0.001), (2, 0.5)):
        feed = Feed.objects.create(vessel=log.cruise.vessel, name=f"gps{rank}", kind="udp", rank=rank)
        for n in range(0, 3600, 10):
            at = round((now.timestamp() - 3600 + n) * 1_000_000)
            jump = 20.0 if n == 600 else 0.0
            lat = round((36 + step * n / 60 + jump) * 1e7)
            Fix.objects.create(feed=feed, at_us=at, latitude_e7=lat, longitude_e7=-250_000_000)
    metres = digest.distance(log.cruise.vessel_id, now - dt.timedelta(hours=1), now)
    # 59 steps of 0.001 degrees; those to and from the fix that is out are passed over.
    assert metres == pytest.approx(57 * 111.19, rel=0.01)
    assert digest.distance(log.cruise.vessel_id, now - dt.timedelta(hours=9), now - dt.timedelta(hours=8)) is None


def test_the_hand_over_of_a_closed_log_is_that_of_its_last_watch():
    log = now_log()
    say(log, 2000, "deploy")
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    log = Log.objects.get(pk=log.pk)
    since, until = digest.between(log, timezone.now(), 4)
    assert until - since == dt.timedelta(hours=4)
    assert digest.digest(log, since, until).events == 1
    assert Cruise.objects.get(pk=log.cruise.pk).state == "ended"
