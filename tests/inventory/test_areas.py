"""Named areas: their outlines, loading them, who may, the pages, and the files that are found in them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import areas, covering, outline, searching
from inventory.models import Area, Coverage
from inventory.outline import Wrong, features
from portal import jobs
from portal.access import CONSOLE
from portal.models import JournalEntry
from portal.refusals import NotLikeThis, NotYou
from tests import make

SQUARE = [[-26, 35], [-24, 35], [-24, 37], [-26, 37], [-26, 35]]
WORDS = {"kind": "eez", "source": "Somebody, version 1", "licence": "CC-BY-4.0"}


def feature(name: str, *rings: Any, **more: Any) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": list(rings)}
    return {"type": "Feature", "properties": {"name": name} | more, "geometry": shape}


def geojson(*rows: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": rows} | more).encode()


def load(text: bytes, by: Any = CONSOLE, **words: Any) -> areas.Loaded:
    return areas.load(text=text, by=by, **(WORDS | words))


def extents(*rings: Any) -> list[tuple[float, ...]]:
    made = outline.outline({"type": "Polygon", "coordinates": list(rings)})
    return sorted(part.extent for part in made.geometry)


# --- outlines -------------------------------------------------------------------------------------------------------


def test_an_outline_across_180_degrees_goes_on_or_changes_sign():
    across = [(-180, -10, -170, 10), (170, -10, 180, 10)]
    assert extents([[170, -10], [190, -10], [190, 10], [170, 10], [170, -10]]) == across
    assert extents([[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]) == across
    assert extents([[-190, -10], [-170, -10], [-170, 10], [-190, 10], [-190, -10]]) == across
    assert extents([[350, 0], [359, 0], [359, 1], [350, 0]]) == [(-10, 0, -1, 1)]
    # A hole that is told on the other side of 180 degrees stays a hole.
    ring = [[170, -10], [190, -10], [190, 10], [170, 10], [170, -10]]
    hole = [[-178, -1], [-176, -1], [-176, 1], [-178, 1], [-178, -1]]
    made = outline.outline({"type": "Polygon", "coordinates": [ring, hole]}).geometry
    assert made.area == pytest.approx(400 - 4)
    # The southern ocean, drawn along the edge of the map.
    assert extents([[-180, -60], [180, -60], [180, -90], [-180, -90], [-180, -60]]) == [(-180, -90, 180, -60)]


def test_an_outline_that_crosses_itself_is_mended_and_told():
    made = outline.outline({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]})
    assert made.geometry.valid
    assert made.geometry.area == pytest.approx(2)
    assert "Self-intersection" in made.remark


def test_an_outline_of_many_points_is_made_simpler():
    points = [[10 + n / 20_000, 5 + (n % 2) / 50_000] for n in range(20_000)]
    made = outline.outline({"type": "Polygon", "coordinates": [[*points, [11, 0], [10, 0], points[0]]]})
    assert made.geometry.num_points <= outline.MOST
    assert 0 < made.tolerance < 0.001
    dust = [[[[x, y], [x + 0.5, y], [x, y + 0.5], [x, y]]] for x in range(-90, 90, 2) for y in range(-60, 60, 2)]
    with pytest.raises(Wrong, match="too many"):
        outline.outline({"type": "MultiPolygon", "coordinates": dust})


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (None, "nothing, not a polygon"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "LineString"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [400, 0], [1, 1], [0, 0]]]}, "leaves the world"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 95], [1, 1], [0, 0]]]}, "leaves the world"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": [[["x", 0]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": []}, "no area"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, "no area"),
        ({"type": "Polygon", "coordinates": [[[0, -70], [120, -70], [-120, -70], [0, -70]]]}, "around a pole"),
        ({"type": "Polygon"}, "cannot be read"),
    ],
)
def test_what_is_no_area_is_told_why(shape: Any, why: str):
    with pytest.raises(Wrong, match=why):
        outline.outline(shape)


numbers = st.one_of(st.floats(-400, 400), st.integers(-200, 200), st.just(180), st.just(-180), st.none())
rings = st.lists(st.lists(numbers, min_size=1, max_size=3), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["Polygon", "MultiPolygon", "Point"]), st.lists(rings, max_size=3), st.booleans())
def test_any_geometry_is_an_area_or_refused(kind: str, coordinates: Any, closed: bool):
    if closed:
        coordinates = [[*ring, *ring[:1]] for ring in coordinates]
    try:
        made = outline.outline({"type": kind, "coordinates": [coordinates] if kind == "MultiPolygon" else coordinates})
    except Wrong as error:
        assert str(error)  # noqa: PT017
    else:
        west, south, east, north = made.geometry.extent
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_text_is_features_or_refused(text: bytes):
    try:
        features(text)
    except Wrong as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b'{"type": "FeatureCollection"}', b"[]", b"5", b'{"type": "FeatureCollection", "features": [5]}'],
)
def test_texts_that_are_no_geojson(text: bytes):
    with pytest.raises(Wrong, match="no GeoJSON"):
        features(text)


# --- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_loading_anew_changes_what_differs():
    first = load(geojson(feature("Azores", SQUARE), feature("Elsewhere", [[1, 1], [2, 1], [2, 2], [1, 1]])))
    assert (first.added, first.changed, first.same) == (["Azores", "Elsewhere"], [], [])
    kept = Area.objects.get(name="Azores")
    assert (kept.kind, kept.points, kept.source, kept.added_by) == ("eez", 5, "Somebody, version 1", "command line")
    larger = [[x - 1, y] for x, y in SQUARE]
    again = load(geojson(feature("AZORES", larger), feature("Elsewhere", [[1, 1], [2, 1], [2, 2], [1, 1]])))
    assert (again.added, again.changed, again.same) == ([], ["AZORES"], ["Elsewhere"])
    assert Area.objects.get(uuid=kept.uuid).geometry.extent == (-27, 35, -25, 37)
    assert JournalEntry.objects.filter(verb="area.load").count() == 3
    load(geojson(feature("Azores", SQUARE)), kind="sea")
    assert Area.objects.filter(name__iexact="azores").count() == 2


@pytest.mark.django_db
def test_names_and_features_that_belong_together():
    one = feature("x", SQUARE, GEONAME=" Portuguese\tEEZ\u0000 ")
    other = feature("y", [[1, 1], [2, 1], [2, 2], [1, 1]], geoname="Portuguese EEZ")
    assert load(geojson(one, other), name_from="GeoName").added == ["Portuguese EEZ"]
    assert Area.objects.get().geometry.num_geom == 2
    assert load(json.dumps(feature("", SQUARE)["geometry"]).encode(), fallback="my_box").added == ["my_box"]
    assert load(b"\xef\xbb\xbf" + geojson(feature("Zoë", SQUARE))).added == ["Zoë"]


@pytest.mark.django_db
def test_what_cannot_be_taken_is_told_and_the_rest_is_taken():
    wrong = feature("Line", SQUARE) | {"geometry": {"type": "LineString", "coordinates": SQUARE}}
    made = load(
        geojson(feature("Good", SQUARE), wrong, feature("", SQUARE, code=7), feature("Empty") | {"geometry": None})
    )
    assert made.added == ["Good"]
    assert [str(fault) for fault in made.refused] == [
        "feature 2, Line: it is LineString, not a polygon",
        "feature 3: no property of it is its name; name one of: name, code",
        "feature 4, Empty: it is nothing, not a polygon",
    ]
    with pytest.raises(NotLikeThis, match="No area") as refused:
        load(geojson(wrong))
    assert refused.value.faults


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"kind": "odd"}, "no kind odd"),
        ({"source": " "}, "1 to 300"),
        ({"licence": "x" * 121}, "1 to 120"),
        ({"text": geojson(feature("A", SQUARE), crs={"properties": {"name": "EPSG:3857"}})}, "EPSG:4326"),
        ({"text": geojson(*[feature(str(n), SQUARE) for n in range(2001)])}, "at most 2,000"),
        ({"text": b"{}"}, "no GeoJSON"),
    ],
)
def test_what_is_refused_whole(words: dict[str, Any], says: str):
    with pytest.raises(NotLikeThis) as refused:
        areas.load(**({"text": geojson(feature("A", SQUARE)), "by": CONSOLE} | WORDS | words))
    assert says in str(refused.value)
    assert not Area.objects.exists()


@pytest.mark.django_db
def test_the_size_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(areas, "LARGEST", 100)
    with pytest.raises(NotLikeThis, match="cannot be taken"):
        load(geojson(feature("A", SQUARE)))


@pytest.mark.django_db
def test_the_office_alone_loads_and_removes():
    for name in ("operator", "chief", "stranger"):
        with pytest.raises(NotYou):
            load(geojson(feature("A", SQUARE)), by=make.person(name))
    load(geojson(feature("A", SQUARE)), by=make.person("manager"))
    area = Area.objects.get()
    assert area.added_by == "Mateo Okafor"
    with pytest.raises(NotYou):
        areas.remove(area=area, by=make.person("operator"))
    areas.remove(area=area, by=make.person("admin"), note="old")
    areas.remove(area=area, by=make.person("admin"))  # once more changes nothing
    assert not Area.objects.exists()


@pytest.mark.django_db
def test_by_command(tmp_path: Path):
    path = tmp_path / "waters.geojson"
    path.write_bytes(geojson(feature("A", SQUARE), feature("B", [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]])))
    said = StringIO()
    words = ["--kind", "sea", "--source", "S", "--licence", "L"]
    call_command("load_areas", str(path), *words, "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert (answer["added"], answer["not taken"]) == (["A", "B"], [])
    assert "Self-intersection" in answer["mended"][0]
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_areas", str(tmp_path / "none"), *words)
    path.write_text("nothing")
    with pytest.raises(CommandError, match="no GeoJSON"):
        call_command("load_areas", str(path), *words)


# --- pages and search -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_pages(browse):
    sent = SimpleUploadedFile("a.geojson", geojson(feature("Azores", SQUARE), feature("", SQUARE)))
    form = WORDS | {"name_from": "", "file": sent}
    for name in (None, "stranger", "operator", "chief"):
        assert browse(name).post("/areas/load/", form).status_code in (302, 403)
        assert "Load areas" not in browse(name).get("/areas/").content.decode()
    assert not Area.objects.exists()
    client = browse("manager")
    assert "Load areas" in client.get("/areas/").content.decode()
    sent.seek(0)
    after = client.post("/areas/load/", form, follow=True).content.decode()
    assert "1 areas added" in after
    assert "feature 2: no property of it" in after
    area = Area.objects.get()
    assert client.post("/areas/load/", WORDS).status_code == 422
    bad = client.post("/areas/load/", form | {"file": SimpleUploadedFile("a.geojson", b"x")})
    assert (bad.status_code, "no GeoJSON" in bad.content.decode()) == (422, True)
    for name in (None, "stranger", "manager"):
        assert "Azores" in browse(name).get("/areas/", {"q": "azo"}).content.decode()
        page = browse(name).get(f"/areas/{area.uuid}/")
        assert page.status_code == 200
        assert ("Take it away" in page.content.decode()) == (name == "manager")
        assert ("Mateo" in page.content.decode()) == (name == "manager")
        shape = browse(name).get(f"/areas/{area.uuid}.geojson").json()
        assert shape["geometry"]["coordinates"][0][0][0] in SQUARE
        (row,) = browse(name).get("/api/v1/areas", {"kind": "eez"}).json()["results"]
        assert (row["name"], row["uuid"]) == ("Azores", str(area.uuid))
    assert browse(None).get("/api/v1/areas", {"kind": "sea"}).json()["results"] == []
    assert "has this name" in browse(None).get("/areas/", {"q": "zzz"}).content.decode()
    gone = "00000000-0000-0000-0000-000000000000"
    assert browse(None).get(f"/areas/{gone}/").status_code == 404
    assert browse("operator").post(f"/areas/{area.uuid}/remove/").status_code == 403
    assert client.post(f"/areas/{area.uuid}/remove/", {"note": "old"}).status_code == 302
    assert client.post(f"/areas/{area.uuid}/remove/").status_code == 404


@pytest.mark.django_db
def test_files_in_a_named_area(home: Path, browse, monkeypatch: pytest.MonkeyPatch):
    made = make.distribution(home / "deliveries", "classified")
    assert jobs.perform(covering.DOOR, str(made.pk))
    across = MultiLineString(LineString((179.5, 10), (180, 10)), LineString((-180, 10), (-179.5, 10)), srid=4326)
    Coverage.objects.filter(file__name="cast001.hex").update(geometry=across)
    line = [[179, 0], [-179, 0], [-179, 20], [179, 20], [179, 0]]
    dust = [[[[x, y], [x + 0.5, y], [x, y + 0.5], [x, y]]] for x in range(-60, 60, 20) for y in range(-60, 60, 20)]
    many = {
        "type": "Feature",
        "properties": {"name": "Islands"},
        "geometry": {"type": "MultiPolygon", "coordinates": dust},
    }
    load(geojson(feature("Azores", SQUARE), feature("Date line", line), many))

    def found(**words: str) -> set[str]:
        rows = browse(None).get("/api/v1/files", words).json()["results"]
        return {row["path"].rpartition("/")[2] for row in rows}

    assert found(area="azores") == {"day1"}
    assert found(area=str(Area.objects.get(name="Azores").uuid)) == {"day1"}
    assert found(area="Date line") == {"cast001.hex"}
    assert found(area="Islands") == set()
    monkeypatch.setattr(searching, "BOXES", 1)
    assert found(area="Date line") == {"cast001.hex"}
    wrong = browse(None).get("/api/v1/files", {"area": "Atlantis"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "area")
    both = browse(None).get("/api/v1/files", {"area": "Azores", "bbox": "1,1,2,2"})
    assert both.json()["errors"][0]["field"] == "area"
    load(geojson(feature("Azores", SQUARE)), kind="sea")
    several = browse(None).get("/api/v1/files", {"area": "Azores"})
    assert "Several areas" in several.content.decode()
    page = browse(None).get("/files/", {"area": str(Area.objects.get(name="Date line").uuid)})
    assert "selected" in page.content.decode()
    assert "cast001.hex" in page.content.decode()
