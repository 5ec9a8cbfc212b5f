"""A manifest that is sent to be compared: a small one is answered at once, a large one by the worker."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inventory import comparing, comparisons, listing, manifests
from inventory.models import Distribution
from portal import jobs
from portal.models import Work
from tests import make
from tests.inventory.test_comparing import two_shipments
from tests.inventory.test_views import sent

pytestmark = pytest.mark.django_db
NAME = "known & föund.txt"


@pytest.fixture
def made(home: Path) -> Distribution:
    return two_shipments(home)


@pytest.fixture
def listed(made: Distribution, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A manifest that is large, for this test: one file is told under another name."""
    monkeypatch.setattr(comparisons, "SMALL", 100)
    return b"".join(manifests.write_hashdeep(listing.entries(made))).replace(b"./e\n", b"./f\n")


def send(client: Client, made: Distribution, data: bytes, name: str = NAME, **words: str) -> Any:
    address = f"/cruise/{made.cruise}/inventory/compare/manifest/"
    return client.post(address, {"manifest": SimpleUploadedFile(name, data), **words})


def test_a_large_one_is_compared_by_the_worker_and_looked_at_page_by_page(
    made: Distribution, listed: bytes, browse: Any
):
    client = browse(None)
    first, again = (send(client, made, listed, **{"as": "csv"}) for _ in range(2))  # asked twice is asked once
    assert (first.status_code, first["Location"]) == (302, again["Location"])
    waits = client.get(first["Location"])
    assert waits.status_code == 202
    assert b"the worker compares them" in waits.content
    assert NAME in waits.context["before"]
    assert len(comparisons.waiting()) == 1
    assert jobs.drain([comparisons.DOOR]) == 1
    page = client.get(first["Location"])
    assert page.status_code == 200
    assert page.context["found"].counts == {"matched": 3, "changed": 0, "moved": 1, "missing": 0, "new": 0}
    assert b"CSV" in page.content
    assert b">History<" not in page.content
    assert b"moved,e,f" in sent(client.get(first["Location"] + "&as=csv"))
    assert client.get(first["Location"] + "&word=changed").context["word"] == "changed"
    assert send(client, made, listed).status_code == 200  # it is kept: answered at once
    assert [path.suffix for path in comparing.home().iterdir()] == [".kept"]
    (row,) = Work.objects.filter(door=comparisons.DOOR)
    assert row.total == listed.count(b"\n") + 4
    assert jobs.perform(comparisons.DOOR, row.key)  # once more: there is nothing to do


def test_a_small_one_is_answered_at_once_unless_it_meets_many_files(
    made: Distribution, listed: bytes, browse: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(comparisons, "SMALL", len(listed))
    assert send(browse(None), made, listed).status_code == 200
    monkeypatch.setattr(comparisons, "AT_ONCE", 3)
    assert send(browse(None), made, listed.replace(b"./f\n", b"./g\n")).status_code == 302


def test_one_that_is_refused_is_told_with_the_line_and_not_tried_again(made: Distribution, listed: bytes, browse: Any):
    cut = listed[:-20]
    answer = send(browse(None), made, cut)
    assert answer.status_code == 302
    assert jobs.drain([comparisons.DOOR]) == 1
    assert comparisons.waiting() == []
    assert list(comparing.home().iterdir()) == []
    page = browse(None).get(answer["Location"])
    assert page.status_code == 422
    assert b"line 6" in page.content.lower()
    assert send(browse(None), made, b"nothing of that kind " * 20).status_code == 422  # seen at once
    assert comparisons.waiting() == []
    Work.objects.update(message="")
    assert browse(None).get(answer["Location"]).status_code == 404


def test_refused_while_the_shipment_is_read(made: Distribution, listed: bytes, browse: Any):
    Distribution.objects.filter(pk=made.pk).update(state="received")
    answer = send(browse(None), made, listed)
    assert answer.status_code == 409
    assert b"is being read" in answer.content
    assert list(comparing.home().iterdir()) == []


def test_only_some_wait_and_none_for_ever(
    made: Distribution, listed: bytes, browse: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(comparisons, "MOST_SENT", 1)
    assert send(browse(None), made, listed).status_code == 302
    assert send(browse(None), made, listed).status_code == 302
    refused = send(browse(None), made, listed, "other.txt")
    assert refused.status_code == 409
    assert b"large manifests wait" in refused.content
    (old,) = comparing.home().glob("*.sent")
    yesterday = time.time() - comparisons.LONGEST_WAIT - 1
    os.utime(old, (yesterday, yesterday))
    assert send(browse(None), made, listed, "other.txt").status_code == 302
    assert len(comparisons.waiting()) == 1


@pytest.mark.parametrize("query", ["", "?manifest=0&name=x", "?manifest=%00&name=%0a&now=1", "?now=9"])
def test_what_nobody_sent_is_not_found(made: Distribution, browse: Any, query: str):
    assert browse(None).get(f"/cruise/{made.cruise}/inventory/compare/sent/{query}").status_code == 404


def test_a_cruise_that_one_may_not_see_has_none(made: Distribution, browse: Any):
    assert browse(None).get("/cruise/NEVER1/inventory/compare/sent/?now=1").status_code == 404
    assert browse("stranger").get(f"/cruise/{make.cruise()}/inventory/compare/sent/").status_code == 404


def test_a_list_in_xml_is_compared_though_its_lines_tell_nothing(made: Distribution, browse: Any, listed: bytes):
    dfxml = b"".join(manifests.write_dfxml(listing.entries(made)))
    answer = send(browse(None), made, dfxml, "known.xml")
    assert jobs.drain([comparisons.DOOR]) == 1
    assert browse(None).get(answer["Location"]).context["found"].same
    assert Work.objects.get(door=comparisons.DOOR).total is None
