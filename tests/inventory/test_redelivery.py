"""Looking back over shipments: two compared on a page, the history of a path, and feeds of what is new."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from lxml import etree

from inventory import comparing, comparisons, history, listing, manifests, review
from inventory.models import Distribution
from portal import jobs
from portal.access import CONSOLE
from portal.models import Work
from portal.work import Progress
from tests import make
from tests.inventory.test_comparing import two_shipments
from tests.inventory.test_views import sent

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_page_compares_shipments_word_by_word(home, browse):
    made = two_shipments(home)
    address = f"/cruise/{made.cruise}/inventory/compare/"
    page = browse(None).get(address)
    assert page.context["found"].counts == {"matched": 1, "changed": 1, "moved": 1, "missing": 1, "new": 1}
    assert [item.path for item, _, _ in page.context["rows"]] == ["b", "d", "e", "new/c"]
    assert b"from old/c" in page.content
    moved = browse(None).get(address, {"before": 1, "now": 2, "word": "moved"})
    assert [item.was for item, _, _ in moved.context["rows"]] == ["old/c"]
    text = sent(browse(None).get(address, {"as": "csv"})).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["path"]: row["verdict"] for row in rows} == {
        "b": "changed",
        "d": "missing",
        "e": "new",
        "new/c": "moved",
    }
    backwards = browse(None).get(address, {"before": 2, "now": 1})
    assert backwards.context["found"].counts["missing"] == 1
    assert browse(None).get(address, {"before": 1, "now": 1}).context["found"].same


def test_a_comparison_is_made_once_and_again_when_a_side_has_changed(home, browse, monkeypatch):
    made = two_shipments(home)
    address = f"/cruise/{made.cruise}/inventory/compare/"
    browse(None).get(address)
    made_again: list[int] = []
    compare = manifests.compare

    def counted(*words: Any, **options: Any) -> manifests.Comparison:
        made_again.append(1)
        return compare(*words, **options)

    monkeypatch.setattr(manifests, "compare", counted)
    browse(None).get(address + "?word=new")
    assert made_again == []
    made.files.filter(path="b").update(md5="0" * 32)
    Distribution.objects.filter(pk=made.pk).update(verified_at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    browse(None).get(address)
    assert made_again == [1]


def test_many_files_are_compared_by_the_worker(home, browse, monkeypatch):
    made = two_shipments(home)
    monkeypatch.setattr(comparisons, "AT_ONCE", 5)
    address = f"/cruise/{made.cruise}/inventory/compare/?before=1&now=2"
    for _ in range(2):  # asked twice is asked once
        page = browse(None).get(address)
        assert page.status_code == 202
        assert b"the worker compares them" in page.content
    assert len(comparisons.waiting()) == 1
    assert jobs.drain([comparisons.DOOR]) == 1
    page = browse(None).get(address)
    assert page.context["found"].counts == {"matched": 1, "changed": 1, "moved": 1, "missing": 1, "new": 1}
    assert comparisons.waiting() == []
    (key,) = Work.objects.filter(door=comparisons.DOOR).values_list("key", flat=True)
    assert jobs.perform(comparisons.DOOR, key)  # once more: it is there already
    assert browse(None).get(address).status_code == 200


def test_a_comparison_goes_on_where_its_progress_cannot_be_told(home, monkeypatch):
    made = two_shipments(home)
    monkeypatch.setattr(comparisons, "BATCH", 1)
    before = made.cruise.distributions.get(number=1)
    key = comparisons.key_of(before, made, delivered=False)

    def locked(self: Progress, by: int = 1, size: int = 0) -> None:
        raise OperationalError("database is locked")

    with Progress.claim(comparisons.DOOR, key, label="comparing") as progress:
        monkeypatch.setattr(Progress, "advance", locked)
        comparisons.run(key, progress)
    sides = comparing.shipment(before), comparing.shipment(made)
    found = comparing.known(*(side.mark for side in sides))
    assert found is not None
    assert found.counts["matched"] == 1


def test_a_long_comparison_waits_until_the_files_are_read(home, browse, monkeypatch):
    made = two_shipments(home)
    monkeypatch.setattr(comparisons, "AT_ONCE", 5)
    Distribution.objects.filter(pk=made.pk).update(state="received")
    page = browse(None).get(f"/cruise/{made.cruise}/inventory/compare/")
    assert page.status_code == 409
    assert b"is being read. It is compared once all of its files are read." in page.content
    assert comparisons.waiting() == []


@pytest.mark.parametrize("key", ["", "x", "1-", "9d", "12345-67890"])
def test_what_is_no_comparison_is_let_go(home, key):
    comparisons._asked(key).touch()
    progress = Progress.claim(comparisons.DOOR, key, label="comparing")
    with progress:
        comparisons.run(key, progress)
    assert comparisons.waiting() == []


def test_a_manifest_is_compared_with_a_shipment(home, browse):
    made = two_shipments(home)
    address = f"/cruise/{made.cruise}/inventory/compare/manifest/"
    listed = b"".join(manifests.write_hashdeep(listing.entries(made)))
    same = browse(None).post(address, {"manifest": SimpleUploadedFile("known.txt", listed)})
    assert same.context["found"].same
    changed = listed.replace(b"./e\n", b"./f\n")
    answer = browse(None).post(address, {"manifest": SimpleUploadedFile("known.txt", changed), "as": "csv"})
    assert b"moved,e,f" in sent(answer)
    cut = browse(None).post(address, {"manifest": SimpleUploadedFile("known.txt", listed[:-20])})
    assert cut.status_code == 422
    assert b"line 6" in cut.content.lower()
    assert browse(None).post(address).status_code == 422


def steps(made: Distribution, path: str) -> list[tuple[int, str]]:
    return [(step.distribution.number, step.word) for step in history.of_path(made.cruise, path)]


def deliveries(home: Path, *contents: dict[str, bytes]) -> Distribution:
    made = make.distribution(home, "verified", files=contents[0])
    for files in contents[1:]:
        shutil.rmtree(made.root)
        made = make.distribution(home, "verified", of=made.cruise, files=files)
    return made


def test_the_history_of_a_path(home, browse):
    made = deliveries(
        home,
        {"a": b"1", "b": b"1"},
        {"a": b"1", "b": b"22", "late": b"l"},
        {"b": b"22", "late": b"l"},
        {"a": b"1", "b": b"33"},
    )
    assert steps(made, "a") == [(1, "came"), (2, "same"), (3, "vanished"), (4, "came back")]
    assert steps(made, "b") == [(1, "came"), (2, "changed"), (3, "same"), (4, "changed")]
    assert steps(made, "late") == [(2, "came"), (3, "same"), (4, "vanished")]
    page = browse(None).get(f"/cruise/{made.cruise}/inventory/history/?path=a")
    assert b"came back" in page.content
    told = browse(None).get(f"/api/v1/cruises/{made.cruise}/history?path=b").json()
    assert [step["word"] for step in told["history"]] == ["came", "changed", "same", "changed"]
    assert [step["size"] for step in told["history"]] == [1, 2, 2, 2]
    assert told["history"][0]["hashes"]["md5"] == "c4ca4238a0b923820dcc509a6f75849b"
    assert browse(None).get(f"/api/v1/cruises/{made.cruise}/history?path=z").status_code == 404
    found = browse(None).get(f"/cruise/{made.cruise}/inventory/history/?q=late")
    assert [(row["path"], row["shipments"], row["first"], row["last"]) for row in found.context["rows"]] == [
        ("late", 2, 2, 3)
    ]


def test_a_file_on_the_list_alone_is_absent(home):
    made = make.distribution(home, "received", files={"a": b"1", "b": b"2"})
    made.files.filter(path="a").update(state="missing", size=None)
    assert steps(made, "a") == [(1, "absent")]
    made.files.filter(path="b").update(size=None, delivered_size=None, delivered_md5="")
    assert steps(made, "b") == [(1, "came")]


def entries(response: Any) -> list[Any]:
    return etree.fromstring(response.content).findall(f"{ATOM}entry")


def test_feeds_tell_of_inventories_and_answered_flags_and_of_nobody(home, browse):
    made = make.distribution(home)
    flag = review.flag(
        distribution=made, by=make.person("operator"), kind="missing", path="docs/report.txt", comment="call Ingrid"
    )
    vessel = made.cruise.vessel
    places = [
        "/feeds/inventories.atom",
        f"/feeds/vessel/{vessel.pk}.atom",
        f"/feeds/operator/{vessel.operator_id}/inventories.atom",
    ]
    for place in places:
        assert len(entries(browse(None).get(place))) == 1
    review.answer_flag(flag=flag, answer="it is on its way", by=CONSOLE)
    for place in places:
        answer = browse(None).get(place)
        assert answer["Content-Type"].startswith("application/atom+xml")
        assert len(entries(answer)) == 2
        for private in (b"Ingrid", b"Solheim", b"@", b"on its way", b"report.txt"):
            assert private not in answer.content
    assert len(entries(browse(None).get(f"/feeds/vessel/{make.rival_vessel().pk}.atom"))) == 0
    rss = etree.fromstring(browse(None).get("/feeds/inventories.rss").content)
    assert [item.findtext("title") for item in rss.iter("item")][1] == f"Inventory of {made.cruise} is posted"
    links = [item.findtext("link") for item in rss.iter("item")]
    assert all(link and link.startswith("http://testserver/cruise/") for link in links)
    assert b'href="/feeds/inventories.atom"' in browse(None).get("/cruises/").content


def test_feeds_are_conditional_and_public_alone(home, browse):
    made = make.distribution(home)
    first = browse(None).get("/feeds/inventories.atom")
    tag, last = first["ETag"], first["Last-Modified"]
    again = browse(None).get("/feeds/inventories.atom", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert browse(None).get("/feeds/inventories.atom", headers={"If-Modified-Since": last}).status_code == 304
    made.cruise.public_at = None
    made.cruise.save()
    for who in (None, "operator", "admin"):
        answer = browse(who).get("/feeds/inventories.atom", headers={"If-None-Match": tag})
        assert (answer.status_code, len(entries(answer))) == (200, 0)
    for place in ("/feeds/inventories.json", "/feeds/vessel/9999.atom", "/feeds/operator/org.nobody/inventories.rss"):
        assert browse(None).get(place).status_code == 404
