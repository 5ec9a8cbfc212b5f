"""Long lists one leaf at a time: each goes on from the key that was seen last. So the last leaf costs what the first
does, and a row that comes in meanwhile neither repeats another nor hides one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 20_000  # rows that a link to a numbered page may pass over
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


def leaf(rows: Any, which: Asked, size: int) -> Leaf:
    """A leaf of a query, in the order of its keys.

    A page that is asked for by a number is counted off from the beginning where it is near, and is the beginning where
    it is not; behind the end is the last leaf.
    """
    if which.before is not None:
        found = list(rows.filter(pk__lt=which.before).order_by("-pk")[: size + 1])
        if len(found) > size:
            found = found[size - 1 :: -1]
            return Leaf(found, found[0].pk, found[-1].pk)
        which = Asked()  # less than a leaf is left there: the first one, in full
    skipped = 0
    if which.after is not None:
        forth = rows.filter(pk__gt=which.after)
    else:
        forth, skipped = rows, (which.number - 1) * size
        skipped = skipped if skipped <= DEEPEST else 0
    found = list(forth.order_by("pk")[skipped : skipped + size + 1])
    if not found and (skipped or which.after is not None):
        found = list(rows.order_by("-pk")[:size])[::-1]
        return Leaf(found, found[0].pk if len(found) == size else None)
    follows = found[size - 1].pk if len(found) > size else None
    preceded = found and (skipped or which.after is not None)
    return Leaf(found[:size], found[0].pk if preceded else None, follows)
