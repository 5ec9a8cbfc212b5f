"""Footprints: few points for many files, made with the coverage, on the data set's page and in the API."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import pytest
from django.contrib.gis.geos import LineString, MultiLineString, MultiPoint, Point
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import covering, footprints
from inventory.coverage import footprint
from inventory.coverage.footprint import MOST, Gathering
from inventory.models import Coverage, Dataset, Distribution, Footprint
from portal import jobs
from tests import make

HEADER = (
    b"* Sea-Bird SBE 9 Data File:\r\n* NMEA Latitude = %s N\r\n* NMEA Longitude = 025 30.00 W\r\n"
    b"* NMEA UTC (Time) = Mar 03 2026 %02d:00:00\r\n*END*\r\n"
)
CASTS = {f"data/ctd/raw/cast{n}.hdr": HEADER % (b"%02d 30.00" % (36 + n), 8 + n) for n in range(2)}


def count(gathering: Gathering) -> int:
    lines, places = gathering.done()
    return sum(map(len, lines)) + len(places)


def test_files_of_one_way_become_one_line():
    gathering = Gathering()
    for hour in range(48):
        gathering.add([[(hour / 10 + n / 600, math.sin(hour / 10 + n / 600)) for n in range(60)]])
    lines, places = gathering.done()
    assert (len(lines), places) == (1, [])
    assert len(lines[0]) < 200
    assert gathering.tolerance <= 0.001
    assert lines[0][0] == (0.0, 0.0)
    assert lines[0][-1][0] == pytest.approx(47 / 10 + 59 / 600, abs=1e-5)


def test_stations_far_from_each_other_stay_places_and_pieces_stay_pieces():
    gathering = Gathering()
    gathering.add([[(10.0, 50.0)]])
    gathering.add([[(-1.0, 50.0)], [(-2.0, 50.0)]])
    gathering.add([[(10.0, 50.0)]])  # the same cast in another file
    gathering.add([[(179.9, 10.0), (180.0, 10.0)], [(-180.0, 10.0), (-179.9, 10.0)]])
    lines, places = gathering.done()
    assert lines == [[(179.9, 10.0), (180.0, 10.0)], [(-180.0, 10.0), (-179.9, 10.0)]]
    assert places == [(10.0, 50.0), (-1.0, 50.0), (-2.0, 50.0)]
    assert Gathering().done() == ([], [])


def test_however_many_there_are_few_points_stay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(footprint, "PLENTY", 5000)
    gathering = Gathering()
    for n in range(20_000):
        x, y = 40 * math.cos(n / 50) + n / 1000, 40 * math.sin(n / 50)
        gathering.add([[(x, y)], [(x + 50, y), (x + 50.0001, y)]])
        assert gathering._points <= 5000
    assert 100 < count(gathering) <= MOST
    _, places = gathering.done()
    assert min(x for x, _ in places) == pytest.approx(-40, abs=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.floats(-89, 89), st.floats(-90, 90)), min_size=1, max_size=40), max_size=60))
def test_any_lines_make_a_footprint_that_lies_within_its_tolerance(lines: list[list[tuple[float, float]]]):
    gathering = Gathering()
    gathering.add(lines)
    drawn, places = gathering.done()
    assert bool(drawn or places) == bool(lines)
    assert sum(map(len, drawn)) + len(places) <= MOST
    if drawn or places:
        xs = [x for line in [*drawn, places] for x, _ in line]
        far = [x for line in lines for x, _ in line]
        assert min(far) - 1e-4 <= min(xs) <= min(far) + 2 * gathering.tolerance + 1e-4


# --- made with the coverage -----------------------------------------------------------------------------------------


@pytest.fixture
def covered(home: Path) -> Distribution:
    made = make.distribution(home / "deliveries", "classified", files=make.FILES | CASTS)
    assert jobs.perform(covering.DOOR, str(made.pk))
    return made


def of(device_class: str) -> Footprint:
    return Footprint.objects.get(dataset__device_class=device_class)


@pytest.mark.django_db
def test_they_are_made_with_the_coverage_and_once_more_the_same(covered: Distribution):
    casts, way = of("ctd"), of("gnss")
    assert (casts.geometry.geom_type, casts.files, casts.derived) == ("MultiPoint", 2, 0)
    assert sorted(casts.geometry.coords) == [(-25.5, 36.5), (-25.5, 37.5)]
    assert way.geometry.geom_type == "MultiLineString"
    assert list(casts.extent or ()) == [-25.5, 36.5, -25.5, 37.5]
    Coverage.objects.filter(file__name="cast1.hdr").update(
        geometry=MultiLineString(LineString((1, 1), (1, 10), (10, 10)), srid=4326), derived=True
    )
    window = covering._window(covered.cruise, covering.HARBOUR)
    footprints.make(covered, window, lambda: None)
    casts = of("ctd")
    assert (casts.geometry.geom_type, casts.files, casts.derived) == ("GeometryCollection", 2, 1)
    assert list(casts.extent or ()) == [-25.5, 1, 10, 36.5]
    footprints.make(covered, window, lambda: None)
    assert of("ctd").geometry.wkb == casts.geometry.wkb
    Coverage.objects.filter(file__dataset__device_class="ctd").update(geometry=None)
    footprints.make(covered, window, lambda: None)
    assert not Footprint.objects.filter(dataset__device_class="ctd").exists()


@pytest.mark.django_db
def test_files_of_another_time_do_not_count_and_an_approved_record_stays(covered: Distribution):
    window = covering._window(covered.cruise, covering.HARBOUR)
    Coverage.objects.filter(file__name="cast1.hdr").update(
        first_at=dt.datetime(1994, 1, 1, tzinfo=dt.UTC), last_at=dt.datetime(1994, 1, 1, tzinfo=dt.UTC)
    )
    footprints.make(covered, window, lambda: None)
    assert of("ctd").geometry.coords == ((-25.5, 36.5),)
    covered.cruise.approved_at = timezone.now()
    covered.cruise.save()
    Footprint.objects.filter(dataset__device_class="gnss").delete()
    Footprint.objects.update(geometry=MultiPoint(Point(1, 1), srid=4326))
    footprints.make(covered, window, lambda: None)
    assert of("ctd").geometry.coords == ((1.0, 1.0),)
    assert of("gnss").files == 1


@pytest.mark.django_db
def test_the_page_and_the_api(covered: Distribution, browse):
    dataset = Dataset.objects.get(device_class="ctd")
    start = f"/cruise/{covered.cruise.cruise_id}/dataset/{dataset.uuid}/"
    for name in (None, "stranger", "chief"):
        page = browse(name).get(start).content.decode()
        assert "Where it was measured" in page
        assert "2 files" in page
        shape = browse(name).get(start + "footprint.geojson").json()
        assert [one["geometry"]["type"] for one in shape["features"]] == ["Point", "Point"]
        rows = browse(name).get(f"/api/v1/cruises/{covered.cruise.cruise_id}/datasets").json()["results"]
        told = {row["device_class"]: row for row in rows}
        assert told["ctd"]["geometry"]["type"] == "MultiPoint"
        assert told["ctd"]["bbox"] == [-25.5, 36.5, -25.5, 37.5]
        assert told["ctd"]["first"] == "2026-03-03T08:00:00Z"
        assert (told["gnss"]["files_placed"], told["gnss"]["files_derived"]) == (1, 0)
    Footprint.objects.all().delete()
    assert "Where it was measured" not in browse(None).get(start).content.decode()
    assert browse(None).get(start + "footprint.geojson").json()["features"] == []
    rows = browse(None).get(f"/api/v1/cruises/{covered.cruise.cruise_id}/datasets").json()["results"]
    assert {row["bbox"] for row in rows} == {None}
    covered.cruise.public_at = None
    covered.cruise.save()
    assert browse("stranger").get(f"/api/v1/cruises/{covered.cruise.cruise_id}/datasets").status_code == 404
    assert browse("stranger").get(start + "footprint.geojson").status_code == 404
    assert browse("operator").get(start + "footprint.geojson").status_code == 200
