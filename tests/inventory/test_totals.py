"""Totals: what is counted agrees with the rows, in the tree and over all, and a second count changes nothing."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory import listing, totals
from inventory.models import Directory, Distribution, Part, Stretch, Total
from portal import jobs
from portal.models import Work
from tests import make

pytestmark = pytest.mark.django_db


def test_the_tree_adds_up(home):
    made = make.distribution(home, "classified")
    before = made.counts()
    total = totals.recount(made)
    made = type(made).objects.get(pk=made.pk)
    assert made.counted
    assert made.counts() == before
    rows = {row.path: row for row in Directory.objects.filter(distribution=made)}
    assert list(rows) == sorted(rows, key=lambda path: path.split("/") if path else [])
    assert rows[""].files == total.files == before["all"]["files"]
    assert rows[""].bytes == total.bytes == before["all"]["bytes"]
    assert (rows["data"].own_files, rows["data"].files) == (0, 4)
    assert rows["data/ctd/raw"].own_files == 2
    assert rows["data/ctd/raw"].parent == rows["data/ctd"].key
    assert sum(row.own_files for row in rows.values()) == total.files
    assert Part.objects.filter(distribution=made).aggregate(Sum("files"))["files__sum"] == total.files
    assert "cast001.hex" in Stretch.objects.get(distribution=made).text
    pks = set(Directory.objects.values_list("pk", flat=True))
    made.files.filter(path="docs/report.txt").update(state="changed")
    totals.recount(made)
    assert Directory.objects.get(distribution=made, path="docs").own_states == {"changed": 1}
    assert set(Directory.objects.values_list("pk", flat=True)) == pks
    made.files.filter(path="docs/report.txt").delete()
    totals.recount(made)
    assert not Directory.objects.filter(path="docs").exists()


def test_the_door_counts_what_was_never_counted_and_then_has_nothing_to_do(home):
    made = make.distribution(home, "classified")
    right = made.counts()
    assert totals.waiting() == []
    Total.objects.all().delete()
    Directory.objects.all().delete()
    assert totals.waiting() == [str(made.pk)]
    for _ in range(2):
        assert jobs.perform(totals.DOOR, str(made.pk))
        again = Distribution.objects.get(pk=made.pk)
        assert (again.counted, again.counts()) == (True, right)
        assert totals.waiting() == []
        assert Directory.objects.get(distribution=made, path="").files == right["all"]["files"]


def test_what_is_being_read_is_counted_again_after_a_while(home):
    made = make.distribution(home, "received")
    assert jobs.perform(totals.DOOR, str(made.pk))
    Total.objects.update(counted_at=timezone.now() - dt.timedelta(hours=1))
    assert totals.waiting() == []  # nothing was read since
    now = timezone.now()
    Work.objects.create(key=f"{made.pk}:1", door=totals.READING, label="reading", started_at=now, beat_at=now)
    assert totals.waiting() == [str(made.pk)]
    assert jobs.perform(totals.DOOR, str(made.pk))
    assert totals.waiting() == []


def test_recount_names_the_distributions_that_it_mends(home):
    made = make.distribution(home, "classified")
    said = StringIO()
    Part.objects.filter(distribution=made).update(files=F("files") + 1)
    call_command("recount", "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert (answer["distributions"], answer["mended"]) == (1, [str(made)])
    assert answer["files"] == made.files.count()
    said = StringIO()
    call_command("recount", "--cruise", made.cruise.cruise_id, "--json", stdout=said)
    assert json.loads(said.getvalue())["mended"] == []


def test_browsing_takes_what_was_counted_and_shows_the_same(home, browse):
    made = make.distribution(home, "classified")
    page = f"/cruise/{made.cruise.cruise_id}/inventory/"
    every = list(Directory.objects.filter(distribution=made).values_list("path", flat=True))
    assert len(every) > 3
    client = browse(None)
    for path in (*every, "is/not/there"):
        told = listing.folders(made, path)
        lot = listing.inside(made, path)
        files, number = lot.rows, lot.files
        assert number == files.count() == made.files.filter(directory=path).count()
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(page, {"in": path})
        of_files = [query["sql"] for query in asked if 'FROM "inventory_file"' in query["sql"]]
        assert not [sql for sql in of_files if "COUNT(" in sql.upper() or "GROUP BY" in sql.upper()]
        assert {file.path for file in answer.context["leaf"]} == {file.path for file in files}
        Total.objects.filter(distribution=made).delete()
        bare = Distribution.objects.select_related("cruise").get(pk=made.pk)
        assert listing.folders(bare, path) == told
        assert client.get(page, {"in": path}).context["found"].files == number
        totals.recount(bare)
