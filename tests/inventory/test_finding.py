"""Files leaf by leaf and by words: each row once and in order, forth and back; no number that is wrong."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory import finding, totals
from inventory.models import Dataset, Distribution, File, Total
from inventory.staging import path_key
from inventory.states import FILE_STATES
from portal import leaves
from portal.leaves import Asked, Leaf, asked
from tests import make

pytestmark = pytest.mark.django_db
SIZE = 7


def files_of(made: Distribution, paths: list[str], start: int = 0) -> None:
    """Rows as an intake makes them, every eleventh changed."""
    File.objects.bulk_create(
        File(
            distribution=made,
            path=path,
            path_key=path_key(path),
            directory=path.rpartition("/")[0],
            name=path.rpartition("/")[2],
            size=n,
            state="changed" if n % 11 == 3 else "matched",
        )
        for n, path in enumerate(paths, start)
    )


PATHS = [f"data/Dev{d}/raw/cast{n:03d}.{'HEX' if n % 2 else 'hdr'}" for d in range(4) for n in range(40)]
PATHS += ["data/Dev1/raw_cast/a.b", "data/odd\nname", "Ünder/weg", "cast", "data/Dev2/50%_of.hex"]


@pytest.fixture
def many(home: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A verified shipment in stretches of ten files, of which few are looked into at once."""
    monkeypatch.setattr(totals, "STRETCH", 10)
    monkeypatch.setattr(leaves, "WINDOW", 3)
    monkeypatch.setattr(leaves, "WIDER", 2)
    monkeypatch.setattr(finding, "FEW", 4)
    monkeypatch.setattr(finding, "COUNTED", 2)
    monkeypatch.setattr(finding, "MOST_LOOKED", 3)
    made = make.distribution(home / "deliveries", "classified", files={"a": b"1"})
    made.files.all().delete()
    files_of(made, PATHS)
    made.files.filter(path__startswith="data/Dev3/").update(dataset=dataset(made))
    totals.recount(made)
    return Distribution.objects.select_related("total", "cruise").get(pk=made.pk)


def dataset(made: Distribution) -> Dataset:
    found, _ = Dataset.objects.get_or_create(
        cruise=made.cruise, device_class="ctd", label="x", defaults={"since": timezone.now()}
    )
    return found


def walk(made: Distribution, words: str, **narrow: str) -> Iterator[Leaf]:
    """Every leaf of a search, from the beginning by the links to the next."""
    which = Asked()
    for _ in range(500):
        lot = finding.narrowed(made, **narrow)
        found = finding.find([made], lot, words, which, SIZE).leaf if words else lot.leaf(which, SIZE)
        yield found
        if found.after is None:
            return
        which = asked({"after": str(found.after)})
    raise AssertionError("it never ends")


def paths_of(some: Iterator[Leaf]) -> list[str]:
    return [file.path for found in some for file in found]


def fits(path: str, words: str) -> bool:
    """The same by hand."""
    for word in words.split():
        if "*" in word or "?" in word:
            import re

            glob = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in word)
            if not re.fullmatch(glob, path, re.DOTALL):
                return False
        elif word.lower() not in path.lower():
            return False
    return True


@pytest.mark.parametrize(
    "words",
    ["cast", "CAST01", "raw/cast03", "*.HEX", "*.hex", "data/*/raw/cast00?.hdr", "dev1 hex", "nowhere", "odd", "?",
     "*", "raw hdr 00", "dev9 cast", "50%_of", "****7.hdr", "cast003.hex dev2", "_"],
)  # fmt: skip
def test_each_file_that_fits_is_found_once_and_in_order(many: Distribution, words: str):
    right = [path for path in PATHS if fits(path, words)]
    assert paths_of(walk(many, words)) == right
    changed = set(many.files.filter(state="changed").values_list("path", flat=True))
    assert paths_of(walk(many, words, state="changed")) == [path for path in right if path in changed]
    inside = [path for path in right if path.startswith("data/Dev3/")]
    assert paths_of(walk(many, words, dataset=str(dataset(many).uuid))) == inside
    found = finding.find([many], finding.narrowed(many), words, Asked(), SIZE)
    assert found.files == len(right) if found.exact else found.files <= len(right)
    Total.objects.all().delete()
    bare = Distribution.objects.get(pk=many.pk)
    assert not bare.counted
    assert paths_of(walk(bare, words)) == right


def test_the_way_back_and_numbered_pages(many: Distribution):
    for words in ("cast", ""):
        forth = list(walk(many, words))
        assert len(forth) > 4
        lot = finding.narrowed(many)

        def at(which: Asked, words: str = words, lot: finding.Lot = lot) -> Leaf:
            return finding.find([many], lot, words, which, SIZE).leaf if words else lot.leaf(which, SIZE)

        here, seen = forth[-1], []
        while here.before is not None:
            here = at(Asked(before=here.before))
            seen.append(here.rows)
        assert here.rows == forth[0].rows
        assert [row for rows in reversed(seen[:3]) for row in rows][-SIZE:] == forth[-2].rows
        assert at(asked({"page": "2"})).rows == forth[1].rows
        assert at(asked({"page": "3"})).after == forth[2].after
        for far in ("99999999999999", "-3", "x", "", "0"):
            assert at(asked({"page": far})).rows == forth[0].rows
        assert at(asked({"before": "1"})).rows == forth[0].rows
    assert leaves.leaf(many.files.all(), asked({"page": "60"}), SIZE).rows[-1] == forth[-1].rows[-1]
    assert lot.leaf(asked({"after": str(2**63 + 5)}), SIZE).rows[-1] == forth[-1].rows[-1]


def test_rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others(many: Distribution):
    chance, seen = random.Random(7), []
    before = list(many.files.order_by("pk").values_list("path", flat=True))
    gone: set[str] = set()
    which = Asked()
    for turn in range(200):
        found = leaves.leaf(many.files.all(), which, SIZE)
        seen += [file.path for file in found]
        if found.after is None:
            break
        if turn < 10:
            files_of(many, [f"late/{turn}"], start=1000)
            lost = many.files.exclude(path__in=seen).filter(path__in=before).order_by("pk")[chance.randrange(9)]
            gone.add(lost.path)
            lost.delete()
            many.files.filter(pk=found.after).delete()
        which = asked({"after": str(found.after)})
    assert len(seen) == len(set(seen))
    assert set(before) - gone <= set(seen)
    assert {f"late/{n}" for n in range(10)} <= set(seen)


def test_what_is_said_of_parts_is_what_counting_says(many: Distribution):
    rows = many.files.all()
    for state in ("", *FILE_STATES):
        for named, kept in (
            ("", {}),
            ("none", {"dataset": None, "excluded": False}),
            ("excluded", {"excluded": True}),
            (str(dataset(many).uuid), {"dataset": dataset(many)}),
            ("not-a-uuid", {"pk": -1}),
        ):
            counted = rows.filter(**({"state": state} if state else {}), **kept)
            lot = finding.narrowed(many, state=state, dataset=named)
            assert lot.files == counted.count() == lot.rows.count()
            assert lot.bytes == sum(file.size or 0 for file in counted)
    for made in (many, Distribution.objects.get(pk=many.pk)):
        assert finding.summed(made.sums())["states"] == {"matched": rows.filter(state="matched").count(), "changed": 15}
        Total.objects.all().delete()


def test_counts_that_fall_behind_say_so(many: Distribution, browse):
    page = f"/cruise/{many.cruise.cruise_id}/inventory/"
    assert "Counts as of" not in browse(None).get(page).content.decode()
    then = dt.datetime(2026, 3, 2, 1, 2, tzinfo=dt.UTC)
    Distribution.objects.update(state="received")
    Total.objects.update(counted_at=then)
    path = "data/Dev0/raw/cast003.HEX"
    many.files.filter(path=path).update(state="new")
    for address in (page, f"/cruise/{many.cruise.cruise_id}/", f"/cruise/{many.cruise.cruise_id}/classification/"):
        text = browse(None).get(address).content.decode()
        assert "Counts as of <time" in text, address
        assert "2026-03-02 01:02:00 UTC" in text
    assert [file.path for file in browse(None).get(page, {"state": "new"}).context["leaf"]] == [path]
    assert [file.path for file in browse(None).get(page, {"state": "new", "q": "cast003"}).context["leaf"]] == [path]


def test_pages_say_at_least_where_not_all_was_counted(many: Distribution, browse):
    page = f"/cruise/{many.cruise.cruise_id}/inventory/"
    client = browse(None)
    assert "At least 20 files found" in client.get(page, {"q": "cast"}).content.decode()
    assert "1 file found" in client.get(page, {"q": "odd"}).content.decode()
    text = client.get(page, {"q": "hex hdr"}).content.decode()
    assert "Go on searching" in text
    assert "No files found so far" in text
    assert client.get(page, {"q": "cast", "page": "2"}).status_code == 200
    assert client.get(page, {"q": "a\0b", "after": "x", "before": "-1"}).status_code == 200
    unit = f"/cruise/{many.cruise.cruise_id}/dataset/{dataset(many).uuid}/"
    assert client.get(unit, {"page": "2"}).status_code == 200
    assert client.get(unit).context["sums"]["files"] == 40


def test_an_intake_numbers_files_directory_by_directory(home: Path):
    files = {f"{d}/{n}": b"x" for d in ("b", "a/c", "a", "a-b", "a/B") for n in ("2", "10", "1")}
    made = make.distribution(home / "deliveries", "received", files=files)
    rows = list(made.files.order_by("pk").values_list("directory", "name"))
    assert rows == sorted(rows)
    assert len(rows) == len(files)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text("abAB/.é_%0", min_size=1, max_size=9).filter(lambda t: "//" not in t and t.strip("/") == t), max_size=30
    ),
    st.text("abAB/.é_%0*? ", min_size=1, max_size=6).filter(lambda t: t.strip()),
)
def test_any_words_find_what_fits_and_nothing_else(many: Distribution, paths: list[str], words: str):
    many.files.all().delete()
    files_of(many, sorted(set(paths)))
    totals.recount(many)
    made = Distribution.objects.select_related("total", "cruise").get(pk=many.pk)
    slow = sorted(finding.fitting(made.files.all(), words).values_list("path", flat=True))
    assert sorted(paths_of(walk(made, words))) == slow
    if "é" not in words:
        assert slow == sorted(path for path in set(paths) if fits(path, words))
