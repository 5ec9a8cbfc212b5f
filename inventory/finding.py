"""Files found by the words of their paths, among millions of them.

A stretch of a thousand files tells whether it may hold one that fits; only these are looked into, in the order of the
keys, until a leaf is full. A search that finds little in much stops after a while and goes on with the next leaf.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Count, Sum, Value
from django.db.models.functions import Lower, StrIndex
from django.db.models.lookups import GreaterThan

from inventory.models import Dataset, Distribution, Part, Stretch
from inventory.states import FILE_STATES
from portal import leaves
from portal.leaves import Asked, Leaf

WORDS: Final = 8  # of a search; more are left out
FEW: Final = 10_000  # files that are counted one by one
MOST_LOOKED: Final = 80  # stretches that are looked into for a leaf
COUNTED: Final = 10  # stretches that are counted
PASSED_OVER: Final = 2000  # hits that a link to a numbered page may pass over


@dataclass(frozen=True, slots=True)
class Lot:
    """Rows of files, how many there are, their bytes, and among which keys they lie, where that is known."""

    rows: Any
    files: int
    bytes: int | None = None
    among: tuple[int, int] | None = None

    def leaf(self, which: Asked, size: int) -> Leaf:
        """A leaf of them."""
        return leaves.leaf(self.rows.select_related("dataset"), which, size, self.among)


@dataclass(frozen=True, slots=True)
class Found:
    """A leaf of files, how many there are in all, and their bytes. Not `exact`: there are at least so many."""

    leaf: Leaf
    files: int
    bytes: int | None
    exact: bool = True


def narrowed(distribution: Distribution, *, state: str = "", dataset: str = "") -> Lot:
    """Files of a state and a data set ("none": of no data set, "excluded": kept out); files and bytes by the totals."""
    parts = distribution.sums()
    rows = distribution.files.all()
    if state in FILE_STATES:
        rows = rows.filter(state=state)
        parts = [part for part in parts if part.state == state]
    if dataset == "none":
        rows = rows.filter(dataset__isnull=True, excluded=False)
        parts = [part for part in parts if part.dataset_id is None and not part.excluded]
    elif dataset == "excluded":
        rows = rows.filter(excluded=True)
        parts = [part for part in parts if part.excluded]
    elif dataset:
        known = Dataset.objects.filter(cruise=distribution.cruise_id, uuid=dataset) if _is_uuid(dataset) else ()
        keys = [made.pk for made in known]
        rows = rows.filter(dataset__in=keys)
        parts = [part for part in parts if part.dataset_id in keys]
    return of_parts(rows, distribution, parts)


def of_parts(rows: Any, distribution: Distribution, parts: list[Part]) -> Lot:
    """The rows of these parts. While files are read, they may also lie where the totals know of none."""
    if distribution.as_of:
        among = (distribution.total.first, distribution.total.last)
    elif parts:
        among = (min(part.first for part in parts), max(part.last for part in parts))
    else:
        among = (0, 0)
    return Lot(rows, sum(part.files for part in parts), sum(part.bytes for part in parts), among)


def summed(parts: list[Part]) -> dict[str, Any]:
    """What parts come to: files, bytes, when the first and the last was changed, files by state."""
    states = {state: sum(part.files for part in parts if part.state == state) for state in FILE_STATES}
    return {
        "files": sum(part.files for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "first": min((part.first_changed_at for part in parts if part.first_changed_at), default=None),
        "last": max((part.last_changed_at for part in parts if part.last_changed_at), default=None),
        "states": {state: files for state, files in states.items() if files},
    }


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", text) is not None


def fitting(files: Any, words: str) -> Any:
    """Files whose path holds every word, whatever its capitals, or fits a pattern, at most 8 of them.

    A word with * or ? is a pattern for the whole path, as in data/*/raw/*.hex.
    """
    for word in words.split()[:WORDS]:
        if re.search(r"[*?]", word):
            files = files.filter(path__regex=r"(?s)\A" + _sql_pattern(word[:200]) + r"\Z")
        else:
            files = files.filter(GreaterThan(StrIndex(Lower("path"), Lower(Value(word[:200]))), 0))
    return files


def _sql_pattern(glob: str) -> str:
    """A glob as a regular expression that both databases understand."""
    glob = re.sub(r"\*+", "*", glob)
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob)


def find(shipments: list[Distribution], lot: Lot, words: str, which: Asked, size: int) -> Found:
    """The files of a lot of these shipments that fit the words.

    Where the files are few, the database looks at each; else only at those in stretches that may hold a hit.
    """
    rows = fitting(lot.rows.select_related("dataset"), words)
    if not all(shipment.counted for shipment in shipments) or _at_most(shipments, lot.files) <= FEW:
        sums = rows.order_by().aggregate(files=Count("pk"), bytes=Sum("size"))
        return Found(leaves.leaf(rows, which, size, lot.among), sums["files"], sums["bytes"] or 0)
    held = Held(rows, may_hold(shipments, words))
    beginning = held.beyond(0, forth=True)
    counted = held.hits(beginning[:COUNTED])
    exact = len(beginning) <= COUNTED
    return Found(held.leaf(which, size, beginning), len(counted), sum(size or 0 for _, size in counted), exact)


def _at_most(shipments: list[Distribution], number: int) -> int:
    """How many rows there may be: while files are read, `number` is what was, and all may have become so."""
    return sum(shipment.total.files for shipment in shipments) if any(s.as_of for s in shipments) else number


def may_hold(shipments: list[Distribution], words: str) -> Any:
    """Stretches in which every piece of the words occurs; the pieces of a pattern are what lies between its signs."""
    found = Stretch.objects.filter(distribution__in=shipments)
    for word in words.split()[:WORDS]:
        for piece in sorted(filter(None, re.split(r"[*?/]+", word[:200])), key=len, reverse=True):
            found = found.filter(GreaterThan(StrIndex("text", Lower(Value(piece))), 0))
    return found


Range = tuple[int, int]  # the first and the last key of a stretch


@dataclass(frozen=True, slots=True)
class Held:
    """Rows that lie in stretches. They are asked for by key: few that fit lie far apart."""

    rows: Any
    stretches: Any
    read: dict[tuple[Range, ...], list[tuple[int, int | None]]] = field(default_factory=dict)

    def beyond(self, key: int, *, forth: bool) -> list[Range]:
        """The next stretches beyond a key, one more than are looked into for a leaf."""
        ranges = self.stretches.values_list("first", "last")
        if forth:
            return list(ranges.filter(last__gt=key).order_by("first")[: MOST_LOOKED + 1])
        return list(ranges.filter(first__lt=key).order_by("-first")[: MOST_LOOKED + 1])

    def hits(self, ranges: list[Range]) -> list[tuple[int, int | None]]:
        """Key and size of every row in these ranges, in no order; those of the first page are read once."""
        known = tuple(ranges)
        if known not in self.read:
            # One by one: for "in this or that range" PostgreSQL first lists all keys of the shipment.
            rows = self.rows.order_by().values_list("pk", "size")
            parts = [rows.filter(pk__range=ends) for ends in ranges]
            self.read[known] = list(parts[0].union(*parts[1:], all=True)) if parts else []
        return self.read[known]

    def leaf(self, which: Asked, size: int, beginning: list[Range]) -> Leaf:
        """A leaf of the rows; it is unfinished where MOST_LOOKED stretches were not enough."""
        if which.before is not None:
            found, _ = self._keys(which.before, size + 1, self.beyond(which.before, forth=False), forth=False)
            if len(found) > size:
                keys = found[size - 1 :: -1]
                return Leaf(self._of(keys), keys[0], keys[-1])
            which = Asked()
        skipped = (which.number - 1) * size if which.after is None else 0
        if skipped > PASSED_OVER:
            skipped = 0
        ranges = beginning if which.after is None else self.beyond(which.after, forth=True)
        found, ended_at = self._keys(which.after or 0, skipped + size + 1, ranges, forth=True)
        found = found[skipped:]
        before = found[0] if found and (which.after is not None or skipped) else None
        if len(found) > size:
            return Leaf(self._of(found[:size]), before, found[size - 1])
        return Leaf(self._of(found), before, ended_at, unfinished=ended_at is not None)

    def _keys(self, start: int, most: int, ranges: list[Range], *, forth: bool) -> tuple[list[int], int | None]:
        """Keys beyond a key, so many; and, where the search was broken off, the key up to which it came."""
        found: list[int] = []
        near = ranges[:MOST_LOOKED]
        for some in (near[:COUNTED], near[COUNTED : 3 * COUNTED], near[3 * COUNTED :]):
            keys = [key for key, _ in self.hits(some) if (key > start if forth else key < start)]
            found += sorted(keys, reverse=not forth)
            if len(found) >= most:
                return found[:most], None
        if len(ranges) <= MOST_LOOKED:
            return found, None
        first, last = ranges[MOST_LOOKED]
        return found, first - 1 if forth else last + 1

    def _of(self, keys: list[int]) -> list[Any]:
        return list(self.rows.filter(pk__in=keys).order_by("pk"))
