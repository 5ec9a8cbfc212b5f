"""Navigation that comes late fills and betters the positions of events by itself, as revisions."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from eventlog import logbook
from eventlog.models import Feed, Log
from eventlog.navigation import recompute, store
from eventlog.navigation.reading import Reader
from portal import jobs
from portal.access import CONSOLE
from tests import make

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def fixes(feed: Feed, since: float, until: float, every_s: int = 1) -> None:
    """Fixes from `since` to `until` minutes ago."""
    reader = Reader()
    moment = ago(since)
    while moment <= ago(until):
        away = (NOW - moment).total_seconds()
        reader.add(moment, 36.0, -25.0 - away * 5e-5, quality=1)
        moment += dt.timedelta(seconds=every_s)
    store.keep(feed, reader.take())


@pytest.fixture
def log() -> Log:
    return make.log()


@pytest.fixture
def gps() -> Feed:
    return Feed.objects.create(vessel=make.vessel(), name="gps", kind="udp", address=":10110")


def event(log: Log, minutes: float, **fields):
    return make.event(
        log, observed_at=ago(minutes), **({"latitude": None, "longitude": None, "seafloor_m": None} | fields)
    )


def test_an_outage_fills_by_itself_when_the_navigation_comes(log, gps):
    fixes(gps, 500, 400)
    fixes(gps, 30, 20)
    lost = [event(log, minutes) for minutes in (200, 210, 220)]
    assert [e.nav_method for e in lost] == ["none"] * 3
    jobs.drain(["eventlog.positions"])
    fixes(gps, 400, 30)
    assert list(recompute.waiting()) == [make.vessel().pk]
    assert jobs.drain(["eventlog.positions"]) == 1
    for found in log.events.all():
        assert found.nav_method == "exact"
        revision = found.revisions.order_by("-number").first()
        assert (revision.verb, revision.by_name, revision.reason) == ("position", "worker", recompute.REASON)
        assert revision.changes["nav_method"] == ["none", "exact"]
        assert revision.number == found.revision == 2
    assert list(recompute.waiting()) == []
    assert jobs.drain(["eventlog.positions"]) == 0


def test_the_chain_still_holds(log, gps):
    from eventlog import chain, ledger

    event(log, 15)
    fixes(gps, 30, 10)
    recompute.catch_up(make.vessel().pk)
    previous = ""
    for revision in log.revisions.order_by("sequence"):
        assert revision.previous == previous
        assert chain.digest(ledger.words(revision, log.cruise.cruise_id)) == revision.digest
        previous = revision.digest


def test_exact_positions_stay_and_noise_makes_no_revision(log, gps):
    fixes(gps, 30, 10)
    exact = event(log, 20)
    fixes(gps, 31, 9)
    assert recompute.catch_up(make.vessel().pk) == 0
    exact.refresh_from_db()
    assert exact.revision == 1


def test_a_better_feed_betters_exact_positions_where_that_is_asked(log, gps):
    fixes(gps, 30, 10)
    event(log, 20)
    best = Feed.objects.create(vessel=make.vessel(), name="best", rank=1, kind="file")
    reader = Reader()
    reader.add(ago(20), 36.001, -25.06, quality=4)
    store.keep(best, reader.take())
    assert recompute.catch_up(make.vessel().pk, everything=True) == 1
    assert log.events.get().nav_feed == "best"


def test_what_was_typed_stays_beside(log, gps):
    typed = event(log, 20, latitude=36.5, longitude=-25.5)
    fixes(gps, 30, 10)
    recompute.catch_up(make.vessel().pk)
    typed.refresh_from_db()
    assert typed.place == (36.5, -25.5)
    assert typed.nav_latitude == pytest.approx(36.0)


def test_a_closed_log_is_left_alone(log, gps):
    event(log, 20)
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    fixes(gps, 30, 10)
    assert list(recompute.waiting()) == []
    recompute.catch_up(make.vessel().pk)
    assert log.events.get().revision == 1


def test_what_a_dead_worker_left_is_done_by_the_next(log, gps):
    event(log, 20)
    fixes(gps, 30, 10)
    gps.refresh_from_db()
    gps.health["working"] = gps.health.pop("late")
    gps.save()
    assert recompute.catch_up(make.vessel().pk) == 1
    gps.refresh_from_db()
    assert "working" not in gps.health


def test_undo_takes_back_what_a_person_did_and_not_the_position(log, gps):
    made = event(log, 20)
    fixes(gps, 30, 10)
    recompute.catch_up(make.vessel().pk)
    undone = logbook.undo(event=made, by=make.person("watch"))
    assert undone.struck_at is not None
