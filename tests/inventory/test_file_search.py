"""Files by area and period: the question as people put it, what answers it, the page, the downloads and the API."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.contrib.gis.geos import LineString, MultiLineString, Point
from django.core.cache import cache
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import covering, searching
from inventory.models import Coverage, Dataset, Distribution, File
from inventory.questions import Question, asked, box, polygon
from inventory.searching import answers
from inventory.staging import path_key
from inventory.views import search
from portal import jobs
from portal.access import CONSOLE
from portal.refusals import NotLikeThis
from tests import make

AROUND = "-26,35,-24,37"
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


@pytest.fixture
def covered(home: Path) -> Distribution:
    """A distribution whose receiver's file is read, and whose cast was put across 180 degrees."""
    made = make.distribution(home / "deliveries", "classified")
    assert jobs.perform(covering.DOOR, str(made.pk))
    shape = MultiLineString(LineString((179.5, 10), (180, 10)), LineString((-180, 10), (-179.5, 10)), srid=4326)
    rows = Coverage.objects.filter(file__path="data/ctd/raw/cast001.hex")
    rows.update(geometry=shape, first_at=DAY, last_at=DAY + dt.timedelta(hours=1))
    unplaced = Coverage.objects.filter(file__path="data/adcp/raw/a.raw")
    unplaced.update(first_at=DAY, last_at=DAY + dt.timedelta(hours=1))
    return made


def found(question: Question, by: Any = CONSOLE) -> set[str]:
    cache.clear()
    keys = searching.first(question, by, searching.MOST).keys
    return set(Coverage.objects.filter(pk__in=keys).values_list("file__name", flat=True))


def ask(**words: str) -> set[str]:
    return found(asked(words | ({"from": words["begin"]} if "begin" in words else {})))


@pytest.mark.django_db
def test_areas_and_periods(covered: Distribution):
    assert ask(bbox=AROUND) == {"day1"}
    assert ask(bbox="-24,35,-20,37") == set()
    assert ask(bbox="179,0,-179,20") == {"cast001.hex"}
    assert ask(bbox="-179.9,0,-179,20") == {"cast001.hex"}
    assert ask(bbox="-179,0,179,20") == set()
    assert ask(bbox="-180,-90,180,90") == {"day1", "cast001.hex"}
    assert ask(polygon="POLYGON((179.6 9, 181 9, 181 11, 179.6 11, 179.6 9))") == {"cast001.hex"}
    assert ask(begin="2026-03-02", to="2026-03-02") == {"day1", "cast001.hex"}
    assert ask(begin="2026-03-02T09:00", to="2026-03-02T10:10") == {"day1"}
    assert ask(begin="2026-03-03") == set()
    assert ask(bbox=AROUND, to="2026-03-01") == set()
    assert ask(bbox=AROUND, begin="2026-03-02", unplaced="on") == {"day1", "a.raw"}
    assert ask(bbox=AROUND, **{"class": "ctd"}) == set()
    assert ask(bbox=AROUND, vessel=covered.cruise.vessel_id) == {"day1"}
    # In a hole, and beside a bend: the very line counts, not the box around it.
    hole = "POLYGON((-30 30,-20 30,-20 40,-30 40,-30 30),(-26 35,-24 35,-24 37.5,-26 37.5,-26 35))"
    assert ask(polygon=hole) == set()


@pytest.mark.django_db
def test_the_bend_of_a_track_counts_and_not_its_box(covered: Distribution):
    line = MultiLineString(LineString((0, 0), (0, 10), (10, 10)), srid=4326)
    Coverage.objects.filter(file__name="day1").update(geometry=line)
    assert ask(bbox="4,1,9,5") == set()
    assert ask(bbox="-1,9,1,11") == {"day1"}
    Coverage.objects.filter(file__name="day1").update(geometry=Point(5, 3, srid=4326))
    assert ask(bbox="4,1,9,5") == {"day1"}


@pytest.mark.django_db
def test_the_spatial_index_is_asked(covered: Distribution):
    """Among three thousand files spread over the world; of a few, PostgreSQL may well look at all."""
    paths = [f"far/{number}" for number in range(3_000)]
    files = [File(distribution=covered, path=path, path_key=path_key(path), name=path[4:]) for path in paths]
    Coverage.objects.bulk_create(
        Coverage(
            file=file,
            distribution=covered,
            reader_version=1,
            read_at=DAY,
            geometry=Point(number % 300 - 150, number // 300 * 10 - 50, srid=4326),
        )
        for number, file in enumerate(File.objects.bulk_create(files))
    )
    rows = answers(asked({"bbox": "179,0,-179,20"}), CONSOLE)[0].order_by()
    if connection.vendor == "sqlite":
        assert "idx_inventory_coverage_geometry" in str(rows.query)
        assert "VIRTUAL TABLE INDEX" in rows.explain()
    else:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE inventory_coverage")
        assert "inventory_coverage_geometry" in rows.explain()


@pytest.mark.django_db
def test_what_is_superseded_or_not_to_be_seen_is_not_found(covered: Distribution):
    whole = asked({"bbox": AROUND})
    assert found(whole, make.person("stranger")) == {"day1"}
    covered.cruise.public_at = None
    covered.cruise.save()
    assert found(whole, make.person("stranger")) == set()
    assert found(whole, make.person("operator")) == {"day1"}
    Distribution.objects.update(state="superseded")
    assert found(whole) == set()


def test_polygons_as_people_give_them():
    ring = [[170, -10], [190, -10], [190, 10], [170, 10], [170, -10]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    for value in (
        shape,
        {"type": "Feature", "geometry": shape},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": shape}]},
    ):
        made = polygon(json.dumps(value))
        assert sorted(part.extent for part in made) == [(-180, -10, -170, 10), (170, -10, 180, 10)]
    assert polygon("MULTIPOLYGON(((0 0 5,1 0 5,1 1 5,0 0 5)),((2 2 5,3 2 5,3 3 5,2 2 5)))").num_geom == 2
    assert box("170 -20 -170 10").num_geom == 2
    assert box("170,-20,180,10").num_geom == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("POINT(1 2)", "neither"),
        ("POLYGON((0 0,1 1", "cannot be read"),
        ("POLYGON EMPTY", "no area"),
        ("POLYGON((0 0,2 2,2 0,0 2,0 0))", "Self-intersection"),
        ("POLYGON((0 0,0 95,5 95,0 0))", "leaves the world"),
        ("POLYGON((nan 0,0 1,1 1,nan 0))", "leaves the world|cannot be read"),
        ('{"type": "Point", "coordinates": [1, 2]}', "not a polygon"),
        ('{"type": "Polygon", "coordinates": [[[1]]]}', "cannot be read"),
        ("{", "cannot be read"),
        ("[" * 9000, "neither"),
        ("POLYGON((" + ",".join(f"{n / 100} {n % 7}" for n in range(600)) + ",0 0))", "at most 500"),
    ],
)
def test_a_polygon_that_is_none_is_told_why(text: str, why: str):
    with pytest.raises(forms.ValidationError, match=why):
        polygon(text)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "0,10,10,0", "0,0,0,10", "0,0,200,10", "nan,0,1,1", "0,-91,1,1"])
def test_a_box_that_is_none(text: str):
    with pytest.raises(forms.ValidationError):
        box(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["", "POLYGON((", '{"type":"Polygon","coordinates":']))
def test_any_text_is_a_polygon_or_refused(text: str, start: str):
    try:
        made = polygon(start + text)
    except forms.ValidationError:
        return
    assert made.num_geom


@pytest.mark.django_db
def test_a_question_without_a_limit_or_with_a_wrong_one():
    for words in (
        {},
        {"class": "ctd"},
        {"from": "soon"},
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"to": "9999-99-99"},
    ):
        with pytest.raises(NotLikeThis) as refused:
            asked(words)
        assert refused.value.faults
    with pytest.raises(NotLikeThis, match="not both"):
        asked({"bbox": AROUND, "polygon": "POLYGON((0 0,1 0,1 1,0 0))"})
    assert asked({"to": "9999-12-31"}).ends is not None


@pytest.mark.django_db
def test_the_page_the_downloads_and_the_api(covered: Distribution, browse):
    Dataset.objects.update(state="draft")
    for name in (None, "stranger", "chief", "manager"):
        client = browse(name)
        assert client.get("/files/").status_code == 200
        page = client.get("/files/", {"bbox": AROUND, "from": "2026-03-01"})
        assert page.status_code == 200
        assert "data/gnss/raw/day1" in page.content.decode()
        assert "day1" in client.get("/api/v1/files", {"bbox": AROUND}).json()["results"][0]["path"]
    assert "No file fits" in browse(None).get("/files/", {"bbox": "1,1,2,2"}).content.decode()
    wrong = browse(None).get("/files/", {"bbox": "1,1"})
    assert (wrong.status_code, "four numbers" in wrong.content.decode()) == (422, True)
    refused = browse(None).get("/api/v1/files", {"bbox": "1,1"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "bbox")
    assert browse(None).get("/files.csv").status_code == 422
    words = {"bbox": "179,0,-179,20"}
    text = b"".join(browse(None).get("/files.csv", words).streaming_content).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["path"], row["west"], row["east"]) == ("data/ctd/raw/cast001.hex", "179.5", "-179.5")
    sent = browse(None).get("/files.geojson", words | {"most": "5"})
    shape = json.loads(b"".join(sent.streaming_content))
    assert shape["features"][0]["geometry"]["type"] == "MultiLineString"
    assert (
        json.loads(b"".join(browse(None).get("/files.geojson", words | {"most": "0"}).streaming_content))["features"]
        == []
    )


@pytest.mark.django_db
def test_more_than_are_listed(covered: Distribution, browse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(searching, "LISTED", 1)
    page = browse(None).get("/files/", {"bbox": "-180,-90,180,90"}).content.decode()
    assert "more than" in page
    text = b"".join(browse(None).get("/files.csv", {"bbox": "-180,-90,180,90"}).streaming_content).decode()
    assert len(text.splitlines()) == 3


@pytest.mark.django_db
def test_pages_hold_each_file_once_while_others_are_read(
    covered: Distribution, browse, monkeypatch: pytest.MonkeyPatch
):
    cache.clear()
    monkeypatch.setattr(search, "PAGE", 1)
    client, words = browse(None), {"bbox": "-180,-90,180,90"}
    seen = [row.file.name for row in client.get("/files/", words).context["rows"]]
    early = Coverage.objects.filter(file__name="a.raw")
    early.update(geometry=Point(1, 1, srid=4326), first_at=DAY - dt.timedelta(days=9))
    seen += [row.file.name for row in client.get("/files/", words | {"page": "2"}).context["rows"]]
    assert sorted(seen) == ["cast001.hex", "day1"]
    covered.cruise.public_at = None
    covered.cruise.save()
    assert client.get("/files/", words).context["rows"] == []
    cache.clear()
    assert "No file fits" in client.get("/files/", words).content.decode()


@pytest.mark.django_db
def test_a_period_is_looked_for_the_same_way_with_and_without_its_index(covered: Distribution, monkeypatch):
    for words in ({"from": "2026-03-02T09:00", "to": "2026-03-02T10:10"}, {"to": "0001-01-02"}, {"from": "9999-12-30"}):
        told = []
        for share in (0, 2):
            monkeypatch.setattr(searching, "SHARE", share)
            told.append(found(asked(words)))
        assert told[0] == told[1] == ({"day1"} if "to" in words and "from" in words else set())
