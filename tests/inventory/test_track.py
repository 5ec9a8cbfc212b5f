"""The track: from the best feed, in the database as a line, on the disk as products whose checksums hold."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import subprocess

import pytest
from django.conf import settings
from django.contrib.gis.geos import MultiLineString

from inventory import classify, intake, profiles, track
from inventory.models import Track
from inventory.profiles import RuleText
from portal import jobs
from portal.access import CONSOLE
from portal.refusals import NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db


def test_the_track_is_a_line_with_products(home):
    made = make.distribution(home, "classified")
    found = Track.objects.get(distribution=made)
    assert isinstance(found.geometry, MultiLineString)
    assert found.geometry.srid == 4326
    assert (found.fixes, found.good_fixes) == (60, 60)
    assert found.south == pytest.approx(36.0)
    assert found.west == pytest.approx(-25.0)
    assert found.north == pytest.approx(36 + 59 * 0.2 / 60)
    assert found.first_fix_at == dt.datetime(2026, 3, 2, 10, 0, 0, tzinfo=dt.UTC)
    assert found.control_points >= 2
    assert found.dataset is not None
    assert found.dataset.device_class == "gnss"
    assert {p.kind for p in found.products.all()} == {"bestres", "1min", "control"}
    for product in found.products.all():
        data = (settings.HOME / product.path).read_bytes()
        assert (product.size, product.md5) == (len(data), hashlib.md5(data).hexdigest())
        assert product.sha256 == hashlib.sha256(data).hexdigest()
        assert product.rows > 0
    assert not list((settings.HOME / "products").rglob("*.part"))
    shape = json.loads(json.dumps(track.geojson(found)))
    assert made.cruise.cruise_id in json.dumps(shape)
    assert track.in_force(made.cruise) == found


def test_making_it_again_replaces_it(home):
    made = make.distribution(home, "classified")
    before = Track.objects.get(distribution=made)
    again = track.make(distribution=made, by=make.person("manager"))
    assert again.pk == before.pk
    assert again.products.count() == 3


def test_a_delivery_without_navigation_has_a_track_without_a_line(home):
    files = {path: data for path, data in make.FILES.items() if "gnss" not in path}
    made = make.distribution(home, "classified", files=files)
    found = Track.objects.get(distribution=made)
    assert (found.geometry, found.dataset, found.control_points) == (None, None, 0)
    assert found.report == {"tried": []}
    assert not found.products.exists()
    assert track.waiting_to_navigate() == []


def test_a_feed_without_a_fix_is_told_in_the_report(home):
    made = make.distribution(home, "classified", files=make.FILES | {"data/gnss/raw/day1": b"nothing\n" * 9})
    found = Track.objects.get(distribution=made)
    assert found.geometry is None
    assert [(row["fixes"], row["good"]) for row in found.report["tried"]] == [(0, 0)]


def test_the_next_feed_is_tried_in_the_order_of_ranks(home):
    good = make.FILES["data/gnss/raw/day1"]
    files = {"one/a": b"nothing\n", "two/b": good}
    made = make.distribution(home, "verified", files=files)
    rules = [
        RuleText("two", device_class="gnss", label="second", navigation_rank=2),
        RuleText("one", device_class="gnss", label="first", navigation_rank=1),
    ]
    profiles.save(vessel=made.cruise.vessel, rules=rules, by=CONSOLE)
    assert jobs.drain(["inventory.classify", "inventory.navigate"]) == 2
    found = Track.objects.get(distribution=made)
    assert found.dataset is not None
    assert found.dataset.label == "second"
    assert [row["good"] for row in found.report["tried"]] == [0, 60]


def test_no_track_before_classification_or_without_the_disk(home):
    made = make.distribution(home, "verified")
    with pytest.raises(NotNow):
        track.make(distribution=made, by=CONSOLE)
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES, by=CONSOLE)
    classify.classify(distribution=made, by=CONSOLE)
    made.refresh_from_db()
    shutil.rmtree(made.root)
    with pytest.raises(NotNow, match="Mount the disk"):
        track.make(distribution=made, by=CONSOLE)
    assert not Track.objects.exists()


@pytest.mark.parametrize("name", ["operator", "chief", "stranger"])
def test_making_a_track_is_the_offices(home, name):
    made = make.distribution(home, "classified")
    with pytest.raises(NotYou):
        track.make(distribution=made, by=make.person(name))


def test_a_new_classification_asks_for_a_new_track(home):
    made = make.distribution(home, "classified")
    assert track.waiting_to_navigate() == []
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES[1:], by=CONSOLE)
    classify.classify(distribution=made, by=CONSOLE)
    assert track.waiting_to_navigate() == [str(made.pk)]
    assert jobs.drain(["inventory.navigate"]) == 1
    assert jobs.drain(["inventory.navigate"]) == 0


@pytest.mark.skipif(shutil.which("md5deep") is None, reason="md5deep is not installed")
def test_the_palmers_seapath_gives_a_track(home, real_data):
    root = home / "NBP1406"
    shutil.copytree(real_data / "nbp1406/data/s330", root / "data/s330")
    listed = subprocess.run(["md5deep", "-r", "-l", "-z", "."], cwd=root, capture_output=True, check=True).stdout
    (root / "NBP1406.md5").write_bytes(listed)
    cruise = make.cruise(state="ended", depart_date=dt.date(2014, 7, 31), arrive_date=dt.date(2014, 8, 3))
    made = intake.receive(cruise=cruise, root=root, by=CONSOLE).distribution
    rules = [RuleText("data/s330/**", device_class="ins", make="Kongsberg", label="s330", navigation_rank=1)]
    profiles.save(vessel=cruise.vessel, rules=rules, by=CONSOLE)
    jobs.drain(["inventory.verify", "inventory.classify", "inventory.navigate"])
    found = Track.objects.get(distribution=made)
    assert found.geometry is not None
    assert found.good_fixes > 100
    assert found.first_fix_at is not None
    assert found.first_fix_at.date() == dt.date(2014, 8, 1)
