"""The words of md5deep's audit, and that the numbers add up."""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import manifests
from inventory.manifests import Comparison
from inventory.manifests.compare import CHANGED, MATCHED, MISSING, MOVED, NEW, File, Item


def file(path: str, digest: str | None = None, size: int | None = 1, algorithm: str = "md5") -> File:
    return path, size, {algorithm: digest} if digest else {}


RESULTS: list[Path] = []
NUMBERS = count(1)


@pytest.fixture(scope="module", autouse=True)
def results(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A folder for what all comparisons of this module find, also those of many examples."""
    RESULTS[:] = [tmp_path_factory.mktemp("compared")]


def compare(before: list[File], now: list[File], *, keep_matched: bool = True) -> Comparison:
    return manifests.compare(before, now, RESULTS[0] / f"{next(NUMBERS)}", keep_matched=keep_matched)


def words(before: list[File], now: list[File]) -> dict[str, str]:
    return {item.path: f"{item.verdict} {item.basis}" for item in compare(before, now).items()}


def test_each_word() -> None:
    before = [file("same", "1"), file("edited", "2"), file("old/name", "3"), file("lost", "4")]
    now = [file("same", "1"), file("edited", "9"), file("new/name", "3"), file("came", "5")]
    result = compare(before, now)
    assert result.counts == {MATCHED: 1, CHANGED: 1, MOVED: 1, MISSING: 1, NEW: 1}
    items = [
        Item(NEW, "came", "hash", None, None, 1),
        Item(CHANGED, "edited", "hash", None, 1, 1),
        Item(MISSING, "lost", "name", None, 1, None),
        Item(MOVED, "new/name", "hash", "old/name", 1, 1),
        Item(MATCHED, "same", "hash", None, 1, 1),
    ]
    assert list(result.items()) == items
    assert list(result.items([NEW, MOVED, MATCHED], start=1, most=1)) == [items[3]]
    assert list(result.items([])) == []
    assert not result.same
    assert compare(before, before).same


def test_a_copy_is_new_while_the_original_stays() -> None:
    assert words([file("a", "1")], [file("a", "1"), file("b", "1")]) == {"a": "matched hash", "b": "new hash"}


def test_a_rotated_log_moved_although_its_old_path_is_taken() -> None:
    result = compare([file("log", "1")], [file("log", "2"), file("log.1", "1")])
    assert result.counts == {MATCHED: 0, CHANGED: 1, MOVED: 1, MISSING: 0, NEW: 0}
    assert [item.was for item in result.items()] == [None, "log"]


def test_each_old_file_moves_once_and_names_decide() -> None:
    before = [file("a/one", "1"), file("a/two", "1")]
    now = [file("b/two", "1"), file("b/one", "1"), file("b/three", "1")]
    moved = {item.path: item.was for item in compare(before, now).items()}
    assert moved == {"b/two": "a/two", "b/one": "a/one", "b/three": None}


def test_without_hash_the_size_decides_and_it_says_so() -> None:
    before = [file("a", None, 1), file("b", None, 1), file("c", "1", None), file("d", "1")]
    now = [file("a", "1", 1), file("b", "1", 2), file("c", None, 5), file("e", None)]
    assert words(before, now) == {
        "a": "matched size",
        "b": "changed size",
        "c": "matched name",
        "d": "missing name",
        "e": "new name",
    }
    assert compare(before, now).unproven == 2


def test_only_common_algorithms_are_compared() -> None:
    both = ("a", 1, {"md5": "1", "sha256": "2"})
    assert words([both], [file("a", "1")]) == {"a": "matched hash"}
    assert words([both], [("a", 1, {"md5": "1", "sha256": "3"})]) == {"a": "changed hash"}
    assert words([both], [file("a", "x", 1, "sha1")]) == {"a": "matched size"}
    assert compare([both], [("b", 1, {"md5": "1", "sha256": "3"})]).counts[MOVED] == 0
    assert compare([both], [("b", 1, {"sha256": "2"})]).counts[MOVED] == 1


def test_a_path_may_come_once() -> None:
    once, twice = [file("a", "1")], [file("a", "1"), file("a", "2")]
    for before, now in ((twice, once), (once, twice), ([], twice)):
        with pytest.raises(ValueError, match="twice"):
            compare(before, now)


inventories = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([{}, {"md5": "1"}, {"md5": "2"}, {"sha256": "1"}])),
).map(lambda files: [(path, size, hashes) for path, (size, hashes) in files.items()])


@given(inventories, inventories)
def test_the_numbers_add_up(before: list[File], now: list[File]) -> None:
    result = compare(before, now)
    count = result.counts
    assert count[MATCHED] + count[CHANGED] + count[MOVED] + count[NEW] == len(now)
    items = list(result.items())
    left_behind = [item for item in items if item.verdict == MOVED and item.was in {p for p, _, _ in now}]
    assert count[MATCHED] + count[CHANGED] + count[MISSING] + count[MOVED] - len(left_behind) == len(before)
    assert len({item.was for item in items if item.was}) == count[MOVED]
    assert len(items) == sum(count.values())
    brief = compare(before, now, keep_matched=False)
    assert (brief.counts, brief.unproven) == (count, result.unproven)
    assert list(brief.items()) == [item for item in items if item.verdict != MATCHED]
