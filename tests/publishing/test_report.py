"""The Operations Report and its map; and who may open the pages of publishing, before and after publication."""

from __future__ import annotations

import contextlib
import re
import socket
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from lxml import etree

from portal import jobs
from publishing.reports import operations, overview_map
from tests import make

SVG = {"s": "http://www.w3.org/2000/svg"}


# --- the map ---------------------------------------------------------------------------------------------------------


def _points(svg: str) -> list[list[tuple[float, float]]]:
    root = etree.fromstring(svg.encode())
    found = []
    for line in root.iterfind("s:polyline", SVG):
        pairs = [pair.split(",") for pair in str(line.get("points")).split()]
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


def _size(svg: str) -> tuple[float, float]:
    box = str(etree.fromstring(svg.encode()).get("viewBox")).split()
    return float(box[2]), float(box[3])


def _land(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("land-50m.json", "land-110m.json"):
        (folder / name).write_text(
            '{"type":"Polygon","coordinates":[[[-26,35],[-24,35],[-24,37],[-26,37],[-26,35]]]}', encoding="utf-8"
        )
    return folder


def test_a_track_is_inside_the_map(tmp_path: Path) -> None:
    svg = overview_map.draw(["-25 36 -24.5 36.5 -23 38"], _land(tmp_path))
    width, height = _size(svg)
    [line] = _points(svg)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in line)
    assert line[0][0] < line[-1][0], "east is right"
    assert line[0][1] > line[-1][1], "north is up"
    assert 'class="land"' in svg


def test_a_track_across_the_date_line_is_one(tmp_path: Path) -> None:
    svg = overview_map.draw(["178 -20 180 -20.5", "-180 -20.5 -178 -21", "180 -21 179 -22"], tmp_path)
    width, _ = _size(svg)
    first, second, third = _points(svg)
    assert first[-1] == second[0], "it goes on where it was cut"
    assert all(0 <= x <= width for line in (first, second, third) for x, _ in line)
    assert max(x for line in (first, second) for x, _ in line) - min(x for x, _ in first) > width / 3
    labels = re.findall(r">([^<]*°[EW])<", svg)
    assert any(label.endswith("E") for label in labels)
    assert any(label.endswith("W") for label in labels)


@pytest.mark.parametrize(
    "line", ["-25 36 -25 36", "0 0 0.000001 0", "10 89.99 11 90", "0 -90 1 -90", "-180 -80 180 80", "5 0 5 80"]
)
def test_tiny_huge_and_polar_tracks_are_drawn(tmp_path: Path, line: str) -> None:
    svg = overview_map.draw([line], tmp_path)
    width, height = _size(svg)
    assert height > 0
    assert all(-1 <= x <= width + 1 and -1 <= y <= height + 1 for part in _points(svg) for x, y in part)
    assert "nan" not in svg
    assert "inf" not in svg


@pytest.mark.parametrize("content", [None, "", "{", "[1"])
def test_a_map_without_land(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "land-50m.json").write_text(content)
    svg = overview_map.draw(["-25 36 -24 37"], tmp_path)
    assert 'class="land"' not in svg
    assert len(_points(svg)) == 1


# --- the report ------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise AssertionError(f"a connection was asked for: {args}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.django_db
@pytest.mark.usefixtures("registrar")
def test_the_report_has_its_sections(home: Path) -> None:
    cruise = make.round_of_review(home / "in", "approved").cruise
    jobs.drain()

    page = operations.as_html(cruise, now=timezone.now()).decode()

    for words in (
        "Operations Report",
        "Overview map",
        "Survey targets",
        "People and awards",
        "Inventory of underway data",
        "Appendix",
        f"doi:10.5072/{cruise.cruise_id.lower()}.",
        "SBE 911plus",
        "OCE-1",
        "chief scientist (",
        "Noor Rahman",
    ):
        assert words in page, words
    assert 'class="track"' in page
    assert "Haugen" not in page
    assert "@example.org" not in page
    assert "Haugen" in operations.as_html(cruise, now=timezone.now(), private=True).decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("no_network")
def test_the_pdf_has_pages_and_fetches_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cruise = make.dataset(home / "in").cruise
    plain = operations._tree

    def with_foreign_parts(*args: object) -> etree._Element:
        tree = plain(*args)
        body = tree.find("body")
        assert body is not None
        etree.SubElement(body, "img", src="http://192.0.2.1/spy.png")
        etree.SubElement(body, "img", src="file:///etc/passwd")
        return tree

    monkeypatch.setattr(operations, "_tree", with_foreign_parts)
    made = operations.as_pdf(cruise, now=timezone.now())
    assert made.startswith(b"%PDF-")
    inside = made
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL):
        with contextlib.suppress(zlib.error):
            inside += zlib.decompress(stream)
    assert len(re.findall(rb"/Type\s*/Page\b", inside)) >= 1
    assert b"192.0.2.1" not in inside


@pytest.mark.django_db
def test_a_report_of_a_bare_cruise() -> None:
    cruise = make.cruise(summary="<script>alert(1)</script>", targets=(), awards=())
    page = operations.as_html(cruise, now=timezone.now()).decode()
    assert "No navigation was delivered" in page
    assert "<script>" not in page


# --- who may see what ------------------------------------------------------------------------------------------------

PEOPLE = (None, "stranger", "rival", "operator", "chief", "watch", "manager", "admin")
RECORD_BEFORE = dict.fromkeys((None, "stranger", "rival", "watch"), 404) | dict.fromkeys(
    ("operator", "chief", "manager", "admin"), 200
)
SUBMISSIONS = {None: 302, "manager": 200, "admin": 200} | dict.fromkeys(
    ("stranger", "rival", "operator", "chief", "watch"), 403
)
Browse = Callable[[str | None], Client]


def _statuses(browse: Browse, address: str) -> dict[str | None, int]:
    return {name: browse(name).get(address).status_code for name in PEOPLE}


@pytest.mark.django_db
@pytest.mark.usefixtures("registrar")
def test_who_may_see_what_before_and_after_publication(home: Path, browse: Browse) -> None:
    found = make.round_of_review(home / "in", "approved")
    of_cruise = [f"/cruise/{found.cruise.cruise_id}/{name}" for name in ("record.xml", "report/", "report.pdf")]
    everybody = dict.fromkeys(PEOPLE, 200)

    for address in of_cruise:
        assert _statuses(browse, address) == RECORD_BEFORE, address
    assert _statuses(browse, "/submissions/") == SUBMISSIONS
    assert _statuses(browse, "/oai?verb=Identify") == everybody
    jobs.drain()
    for address in of_cruise:
        assert _statuses(browse, address) == everybody, address
    assert _statuses(browse, "/submissions/") == SUBMISSIONS
    assert _statuses(browse, "/oai?verb=ListSets") == everybody
    assert browse(None).get("/cruise/NONE/record.xml").status_code == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("registrar")
def test_the_whole_party_only_for_those_who_may(home: Path, browse: Browse) -> None:
    cruise = make.round_of_review(home / "in", "approved").cruise
    jobs.drain()
    for place in ("record.xml", "report/"):
        address = f"/cruise/{cruise.cruise_id}/{place}"
        seen = {name for name in PEOPLE if "Haugen" in browse(name).get(address, {"party": "all"}).text}
        assert seen == {"operator", "chief", "manager", "admin"}
        assert "Haugen" not in browse("manager").get(address).text
        assert "@example.org" not in browse("manager").get(address, {"party": "all"}).text


@pytest.mark.django_db
@pytest.mark.usefixtures("registrar")
def test_an_accession_by_hand(home: Path, browse: Browse) -> None:
    from publishing.models import Submission

    make.round_of_review(home / "in", "approved")
    jobs.drain()
    bag = Submission.objects.filter(dataset__device_class="ctd").get()
    address = f"/submissions/{bag.uuid}/accession/"
    told = {"archive": "NCEI", "number": "7", "version": "1.1", "landing_url": "https://archive.example/7"}

    assert browse(None).post(address, told).status_code == 302
    assert browse("operator").post(address, told).status_code == 403
    assert browse("manager").get(address).status_code == 405
    wrong = browse("manager").post(address, told | {"landing_url": "nonsense here"}, follow=True)
    assert "not accepted" in wrong.text
    assert not bag.accessions.exists()
    done = browse("manager").post(address, told, follow=True)
    assert "is recorded" in done.text
    assert bag.accessions.get().number == "7"
