"""Long lists one leaf at a time: each goes on from the key that was seen last. So the last leaf costs what the first
does, and a row that comes in meanwhile neither repeats another nor hides one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 20_000  # rows that a link to a numbered page may pass over
WINDOW: Final = 1000  # keys that are looked at first; then
WIDER: Final = 8  # times as many, and so on
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Which leaf: what follows a key, what precedes one, or a page by its number, as older links have it."""

    after: int | None = None
    before: int | None = None
    number: int = 1

    @property
    def first(self) -> bool:
        """Whether the beginning is asked for."""
        return self.after is None and self.before is None and self.number == 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """Rows in the order of the list, and the keys for the links to either side; None where there is no more.

    `unfinished`: it was looked for so long that the rows that follow are left to the next leaf, if there are any.
    """

    rows: list[Any]
    before: int | None = None
    after: int | None = None
    unfinished: bool = False

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def asked(words: Mapping[str, Any]) -> Asked:
    """`?after=`, `?before=` or `?page=` of an address; what is no number asks for the beginning."""
    after, before, number = (_number(words.get(name)) for name in ("after", "before", "page"))
    return Asked(after, None if after is not None else before, max(number or 1, 1))


def _number(text: Any) -> int | None:
    text = str(text or "")
    return min(int(text), _LARGEST) if text.isascii() and text.isdigit() and len(text) < 20 else None


def leaf(rows: Any, which: Asked, size: int, among: tuple[int, int] | None = None) -> Leaf:
    """A leaf of a query, in the order of its keys. `among`: the first and the last key that it can have, where known.

    A page that is asked for by a number is counted off from the beginning where it is near, and is the beginning where
    it is not; behind the end is the last leaf.
    """
    if which.before is not None:
        found = _back(rows, which.before, size + 1, among)
        if len(found) > size:
            found = found[size - 1 :: -1]
            return Leaf(found, found[0].pk, found[-1].pk)
        which = Asked()  # less than a leaf is left there: the first one, in full
    start = which.after
    if start is None and 0 < (skipped := (which.number - 1) * size) <= DEEPEST:
        passed = forth(rows.values_list("pk", flat=True), 0, skipped, among)
        start = passed[-1] if len(passed) == skipped else _LARGEST
    found = forth(rows, start or 0, size + 1, among)
    if not found and start is not None:
        found = _back(rows, _LARGEST, size, among)[::-1]
        return Leaf(found, found[0].pk if len(found) == size else None)
    follows = found[size - 1].pk if len(found) > size else None
    return Leaf(found[:size], found[0].pk if found and start is not None else None, follows)


# A database that orders by the key and stops early may take the rows to be spread evenly over the keys, and read a
# million of them for a hundred. So it is told to look at a few keys first, then at more.


def forth(rows: Any, start: int, most: int, among: tuple[int, int] | None) -> list[Any]:
    """The first rows with keys greater than one, at most so many, in their order; `among` is as for `leaf`."""
    if among is None:
        return list(rows.filter(pk__gt=start).order_by("pk")[:most])
    found: list[Any] = []
    start, window = max(start, among[0] - 1), WINDOW
    while start < among[1] and len(found) < most:
        found += rows.filter(pk__gt=start, pk__lte=min(start + window, among[1])).order_by("pk")[: most - len(found)]
        start, window = start + window, window * WIDER
    return found


def _back(rows: Any, start: int, most: int, among: tuple[int, int] | None) -> list[Any]:
    """The last rows with keys less than one, the last first."""
    if among is None:
        return list(rows.filter(pk__lt=start).order_by("-pk")[:most])
    found: list[Any] = []
    start, window = min(start, among[1] + 1), WINDOW
    while start > among[0] and len(found) < most:
        found += rows.filter(pk__lt=start, pk__gte=max(start - window, among[0])).order_by("-pk")[: most - len(found)]
        start, window = start - window, window * WIDER
    return found
