"""Totals: what is counted agrees with the rows, in the tree and over all, and a second count changes nothing."""

from __future__ import annotations

import pytest
from django.db.models import Sum

from inventory import totals
from inventory.models import Directory, Part, Stretch
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
