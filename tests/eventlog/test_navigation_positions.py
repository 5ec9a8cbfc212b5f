"""Where the ship was: the four methods; by rank, vote and health; at the date line and the pole."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from eventlog import navigation
from eventlog.models import Feed
from eventlog.navigation import bridging, geodesy, positions, ship, store
from eventlog.navigation.reading import DEPTH, Reader
from tests import make

T0 = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
KNOT = 1852 / 3600


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def feed(name: str = "gps", rank: int = 1, **fields) -> Feed:
    return Feed.objects.create(vessel=make.vessel(), name=name, rank=rank, **fields)


def sail(into: Feed, at, *, latitude=36.0, longitude=-25.0, speed=5.0, course=90.0, told=True, north_m=0.0) -> None:
    """Fixes at seconds `at` after T0 of a ship on a straight course."""
    reader = Reader()
    for moment in at:
        east, north = speed * moment * math.sin(math.radians(course)), speed * moment * math.cos(math.radians(course))
        here, there = np.array([latitude]), np.array([longitude])
        vector = geodesy.unit(here, there) + geodesy.tangent(here, there, np.array([east]), np.array([north + north_m]))
        (lat,), (lon,) = geodesy.place(vector)
        more = {"speed_mps": speed, "course_deg": course} if told else {}
        reader.add(T0 + seconds(moment), float(lat), float(lon), quality=1, **more)
    store.keep(into, reader.take())


def at(moment: float) -> dict:
    return positions.at(make.vessel().pk, T0 + seconds(moment))


def off(said: dict, latitude: float, longitude: float) -> float:
    arrays = (np.array([x]) for x in (said["nav_latitude"], said["nav_longitude"], latitude, longitude))
    return float(geodesy.distance(*arrays)[0])


@pytest.mark.django_db
def test_without_feeds_nothing_is_said():
    assert at(0) == dict.fromkeys(positions.COLUMNS) | {"nav_method": "", "nav_feed": ""}


@pytest.mark.django_db
def test_the_four_methods():
    gps = feed()
    sail(gps, [*range(60), *range(660, 720)])
    exact, between, beyond, after, nothing = at(30.4), at(360), at(725), at(720 + 1000), at(720 + 3000)
    assert exact["nav_method"] == "exact"
    assert exact["nav_gap_s"] == 0.4
    assert exact["nav_feed"] == "gps"
    assert exact["nav_uncertainty_m"] <= 10.1
    assert (exact["nav_speed_mps"], exact["nav_course_deg"]) == (5.0, 90.0)
    assert between["nav_method"] == "interpolated"
    assert between["nav_gap_s"] == 601.0
    assert 10 < between["nav_uncertainty_m"] < 200
    assert beyond["nav_method"] == "extrapolated"
    assert beyond["nav_gap_s"] == 6.0
    assert off(beyond, at(719)["nav_latitude"], at(719)["nav_longitude"]) == pytest.approx(30, abs=1)
    assert after["nav_method"] == "extrapolated"
    assert after["nav_uncertainty_m"] > 1000
    assert nothing["nav_method"] == "none"
    assert nothing["nav_latitude"] is None


@pytest.mark.django_db
def test_before_the_first_fix_it_is_reckoned_backwards():
    sail(feed(), range(100))
    said = at(-60)
    assert said["nav_method"] == "extrapolated"
    assert said["nav_gap_s"] == 60
    here = np.array([36.0]), np.array([-25.0])
    east, _ = geodesy.offset(*here, np.array([said["nav_latitude"]]), np.array([said["nav_longitude"]]))
    assert east[0] == pytest.approx(-300, abs=1)


@pytest.mark.django_db
def test_a_turn_in_a_gap_makes_it_more_doubtful():
    straight, turned = feed("a"), feed("b", is_enabled=False)
    sail(straight, [*range(60), *range(660, 720)])
    sail(turned, range(60))
    sail(turned, range(660, 720), course=0.0)
    doubt = at(360)["nav_uncertainty_m"]
    Feed.objects.filter(pk=straight.pk).update(is_enabled=False)
    Feed.objects.filter(pk=turned.pk).update(is_enabled=True)
    assert at(360)["nav_uncertainty_m"] > 3 * doubt


@pytest.mark.django_db
def test_rank_decides_and_a_gap_falls_to_the_next_feed():
    sail(feed("first", 1), [*range(60), *range(660, 720)])
    sail(feed("second", 2), range(0, 720, 10))
    assert at(30)["nav_feed"] == "first"
    assert at(360.5)["nav_feed"] == "second"
    assert at(700)["nav_feed"] == "first"
    Feed.objects.filter(name="second").update(is_enabled=False)
    assert at(360.5)["nav_feed"] == "first"


@pytest.mark.django_db
def test_two_outvote_the_one_that_is_far_off_even_if_it_is_preferred():
    sail(feed("astray", 1), range(100), latitude=36.5)
    sail(feed("port", 2), range(100))
    assert at(50)["nav_feed"] == "astray"  # one against one: the rank decides
    sail(feed("starboard", 3), range(100), north_m=20)
    assert at(50)["nav_feed"] == "port"


@pytest.mark.django_db
def test_a_feed_that_the_watch_calls_bad_comes_last_from_then_on():
    sail(feed("first", 1, health={"bad_since": (T0 + seconds(50)).isoformat()}), range(100))
    sail(feed("second", 2), range(100))
    assert at(40)["nav_feed"] == "first"
    assert at(60)["nav_feed"] == "second"


@pytest.mark.django_db
def test_across_the_date_line():
    sail(feed(), [0, 1, 2, 3000, 3001, 3002], latitude=-17.0, longitude=179.95, told=False)
    said = at(1500)
    assert said["nav_method"] == "interpolated"
    assert -180 <= said["nav_longitude"] < -179.9 or 179.9 < said["nav_longitude"] < 180
    assert off(said, -17.0, 179.95) == pytest.approx(7500, rel=0.01)


@pytest.mark.django_db
def test_across_the_pole():
    sail(feed(), [0, 1, 2], latitude=89.99, longitude=10.0, course=0.0)
    sail(feed("b", 2), [3000])  # elsewhere, so that nobody agrees by accident
    gps = Feed.objects.get(name="gps")
    reader = Reader()
    reader.add(T0 + seconds(600), 89.985, -170.0, quality=1)
    store.keep(gps, reader.take())
    said = at(300)
    assert said["nav_latitude"] > 89.99
    assert said["nav_uncertainty_m"] < 2000


@pytest.mark.django_db
def test_the_sounding_nearest_in_time_is_the_depth():
    gps = feed()
    sail(gps, range(100))
    reader = Reader()
    reader.measure(DEPTH, T0 + seconds(10), 3000.0)
    reader.measure(DEPTH, T0 + seconds(40), 3100.0)
    store.keep(gps, reader.take())
    assert at(20)["nav_depth_m"] == 3000.0
    assert at(30)["nav_depth_m"] == 3100.0
    assert at(101)["nav_depth_m"] is None


@pytest.mark.django_db
def test_now_is_the_newest_fix_and_says_how_old():
    assert navigation.now(make.vessel().pk) is None
    sail(feed(), range(100))
    state = ship.now(make.vessel().pk, at=T0 + seconds(102))
    assert state["at"] == T0 + seconds(99)
    assert state["age_s"] == 3.0
    assert set(state) == {"at", "latitude", "longitude", "depth_m", "course_deg", "speed_mps", "feed", "age_s"}
    assert ship.now(make.vessel().pk, at=T0 + dt.timedelta(days=2)) is None


@pytest.mark.django_db
def test_an_event_gets_its_position_and_a_new_time_a_new_one():
    from django.utils import timezone

    from eventlog import logbook

    log = make.log()
    now = timezone.now().replace(microsecond=0)
    reader = Reader()
    for second in range(-900, 0):
        reader.add(now + seconds(second), 36.0, -25.0 + second * 1e-5, quality=1)
    store.keep(feed(), reader.take())
    event = make.event(log, observed_at=now - seconds(300), latitude=None, longitude=None)
    assert event.nav_method == "exact"
    assert event.place == pytest.approx((36.0, -25.003))
    event = logbook.revise(event=event, by=make.person("watch"), fields={"observed_at": now - seconds(600)})
    assert event.nav_longitude == pytest.approx(-25.006)
    assert event.revisions.last().changes["nav_longitude"] == [pytest.approx(-25.003), pytest.approx(-25.006)]


def one(**changes) -> bridging.Ends:
    values = {"seconds": -60, "latitude": 36, "longitude": -25, "east": 5, "north": 0, "spread": 0.3, "fix_m": 10}
    return bridging.Ends(**{name: np.array([float(value)]) for name, value in (values | changes).items()})


def test_the_curve_goes_through_both_fixes():
    after = one(seconds=60, longitude=-24.99)
    for before_s, where in ((0.0, -25.0), (-120.0, -24.99)):
        derived = bridging.bridge(one(seconds=before_s), one(seconds=before_s + 120, longitude=after.longitude[0]))
        assert derived.longitude[0] == pytest.approx(where, abs=1e-9)
        assert derived.uncertainty[0] == pytest.approx(10, abs=0.01)


def test_nobody_sails_further_than_25_knots_allow():
    derived = bridging.carry(one(seconds=-1800, east=np.nan, north=np.nan))
    assert derived.uncertainty[0] <= math.hypot(1800 * 25 * KNOT, 10) + 1e-6


@pytest.mark.parametrize("latitude", [-80.0, 0.0, 45.0, 89.9])
def test_metres_and_degrees_agree_there_and_back(latitude):
    here = np.array([latitude]), np.array([179.999])
    vector = geodesy.unit(*here) + geodesy.tangent(*here, np.array([300.0]), np.array([-400.0]))
    there = geodesy.place(vector)
    assert geodesy.distance(*here, *there)[0] == pytest.approx(500, rel=1e-3)
