"""The navigation of real ships: taken in, its clocks measured, and gaps of 1 to 60 minutes bridged as promised."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from eventlog.models import Feed, Fix, Sample
from eventlog.navigation import bridging, geodesy, positions, taking
from tests import make

pytestmark = [pytest.mark.real_data, pytest.mark.django_db]
PALMER = dt.datetime(2014, 8, 1, 0, 5, tzinfo=dt.UTC)


def palmer(real_data: Path, *names: str) -> list[dict]:
    folder = real_data / "nbp1406" / "data"
    return taking.import_files([folder / name for name in names], vessel=make.vessel())


def test_palmer_comes_in_and_the_year_1994_does_not(real_data):
    reports = {report["feed"]: report for report in palmer(real_data, "s330", "gp02", "seap", "PCOD", "gyr1")}
    assert reports["s330"]["fixes"] >= 600
    assert reports["gp02"]["fixes"] == 1667  # a GLL without a time of its own takes that of the ZDA before it
    assert reports["PCOD"]["evidence"]["roll_overs"] == 1
    first, last = positions.microseconds(PALMER) - 600_000_000, positions.microseconds(PALMER) + 3_600_000_000
    assert Fix.objects.count() == Fix.objects.filter(at_us__range=(first, last)).count()
    assert Fix.objects.filter(feed__name="PCOD").order_by("at_us").first().at_us == positions.microseconds(
        dt.datetime(2014, 7, 31, 23, 59, 59, 226_000, dt.UTC)
    )
    said = positions.at(make.vessel().pk, PALMER)
    assert said["nav_method"] == "exact"
    assert abs(said["nav_latitude"] + 22.0122) < 0.003
    assert 4 < said["nav_speed_mps"] < 6
    assert 205 < said["nav_course_deg"] < 230


def test_read_twice_is_stored_once(real_data):
    palmer(real_data, "seap")
    fixes, samples = Fix.objects.count(), Sample.objects.count()
    again = palmer(real_data, "seap")
    assert (Fix.objects.count(), Sample.objects.count()) == (fixes, samples)
    assert again[0]["fixes"] == 0


def test_soundings_of_both_sounders(real_data):
    reports = {report["feed"]: report for report in palmer(real_data, "mbdp", "knud", "s330")}
    assert reports["mbdp"]["samples"] > 4500
    assert 1700 < reports["knud"]["samples"] <= 1762  # those that the sounder itself calls valid
    Feed.objects.filter(name="mbdp").update(rank=10)
    depth = positions.at(make.vessel().pk, PALMER)["nav_depth_m"]
    assert 4300 < depth < 4700


@pytest.mark.parametrize(("winch", "ahead"), [("twnc", 1718), ("cwnc", 1594)])
def test_clocks_of_the_winches_are_found_within_a_second(real_data, winch, ahead):
    report = palmer(real_data, winch)[0]
    assert abs(report["evidence"]["own_clock_s"] - ahead) < 1
    assert report["fixes"] == 0


def lake(real_data: Path) -> dict:
    (path,) = (real_data / "nav").glob("nav03*.Raw")
    return taking.import_files([path], vessel=make.vessel(), feed="nav03")[0]


def test_the_pc_clock_of_the_lake_is_found_and_taken_off(real_data):
    report = lake(real_data)
    assert abs(report["evidence"]["clock_s"] - 42) < 1.5
    # the first line is stamped 12:23:48.531 and has no time of its own
    first = Fix.objects.order_by("at_us").first()
    stamp = dt.datetime(2010, 10, 5, 12, 23, 48, 531_000, dt.UTC)
    assert abs(positions.microseconds(stamp) / 1e6 - first.at_us / 1e6 - 41.8) < 1


def bridged(feed: Feed, minutes: float, cuts: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Errors and stated uncertainties, metres, at random moments in random gaps of the stored track of a feed."""
    rows = np.array(
        Fix.objects.filter(feed=feed)
        .order_by("at_us")
        .values_list("at_us", "latitude_e7", "longitude_e7", "quality", "speed_cmps", "course_cdeg"),
        dtype=float,
    )
    spare = 200e6
    starts = rng.uniform(rows[0, 0] + spare, rows[-1, 0] - spare - minutes * 60e6, cuts)
    first = np.searchsorted(rows[:, 0], starts) - 1
    last = np.searchsorted(rows[:, 0], rows[first, 0] + minutes * 60e6)
    kept = (last - first >= 3) & (rows[last, 0] - rows[first, 0] < minutes * 60e6 * 1.5)
    first, last = first[kept], last[kept]
    middle = rng.integers(first + 1, last)
    times = rows[middle, 0].astype(np.int64)
    gap = (rows[last, 0] - rows[first, 0]) / 1e6
    keys, used = np.full(len(times), feed.pk), np.ones(len(times), bool)
    ends = [positions._ends(keys, times, rows[edge], gap, used, side) for edge, side in ((first, -1), (last, 1))]
    derived = bridging.bridge(*ends)
    truth = rows[middle, 1] / 1e7, rows[middle, 2] / 1e7
    return geodesy.distance(*truth, derived.latitude, derived.longitude), derived.uncertainty


def told(name: str, minutes: int, error: np.ndarray, stated: np.ndarray) -> None:
    middle, most = np.quantile(error, (0.5, 0.95))
    inside = np.mean(error <= stated)
    print(f"{name} {minutes} min: error {middle:.0f}, {most:.0f} m, stated {np.median(stated):.0f}, in {inside:.3f}")


def test_gaps_of_1_to_60_minutes_are_bridged_within_the_stated_uncertainty(real_data):
    lake(real_data)
    feed = Feed.objects.get()
    rng = np.random.default_rng(20101005)
    for minutes in (1, 2, 5, 10, 20, 30, 45, 60):
        error, stated = bridged(feed, minutes, 3000, rng)
        told("lake", minutes, error, stated)
        assert len(error) > 1000  # moments in as many gaps
        assert np.mean(error <= stated) >= 0.95, minutes


@pytest.mark.parametrize("name", ["s330", "gp02"])
def test_gaps_of_1_to_10_minutes_on_the_palmer(real_data, name):
    palmer(real_data, name)
    feed = Feed.objects.get()
    rng = np.random.default_rng(20140801)
    span = np.ptp(np.array(Fix.objects.values_list("at_us", flat=True))) / 60e6
    for minutes in (1, 2, 5, 10):
        if minutes + 7 > span:
            continue
        error, stated = bridged(feed, minutes, 400, rng)
        told(name, minutes, error, stated)
        assert np.mean(error <= stated) >= 0.95
