"""The chain of a log's revisions: each holds the SHA-256 of its own words and of the one before. Pure.

The words and their order are fixed for good: a log that was sealed must verify in twenty years.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

# What of a revision the digest covers, in this order; `previous` binds it to all before it.
COVERED = (
    "cruise_id",
    "sequence",
    "uuid",
    "thing",
    "thing_uuid",
    "number",
    "at",
    "by_name",
    "device",
    "verb",
    "reason",
    "changes",
    "after_close",
    "previous",
)
_SIMPLE = frozenset({str, int, float, bool, type(None)})
_STAYS = _SIMPLE - {float}
_written = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def digest(entry: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a revision's words as one line of JSON.

    `entry` has every name in COVERED; times are aware, UUIDs may be objects. Raises KeyError for a missing name.
    """
    words = [plain(entry[name]) for name in COVERED]
    return hashlib.sha256(canonical(words).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold: from which revision to which, "missing", "altered" or "out of place", and why."""

    sequence: int
    last: int
    what: str
    why: str


class Follower:
    """Follows a chain, revision by revision, and tells where it does not hold. Remembers only the last link."""

    def __init__(self, cruise_id: str) -> None:
        self.cruise_id = cruise_id
        self.sequence = 0
        self.head = ""
        self._computed = ""

    def follow(self, row: Mapping[str, Any]) -> Iterator[Break]:
        """What is wrong at the next revision; `row` has what COVERED names (without the cruise's id) and `digest`."""
        sequence, wanted = row["sequence"], self.sequence + 1
        if sequence > wanted:
            yield Break(wanted, sequence - 1, "missing", "the numbers have a hole here")
        elif sequence < wanted:
            yield Break(sequence, sequence, "out of place", f"revision {wanted} was to follow")
        elif row["previous"] not in (self.head, self._computed):
            yield Break(sequence, sequence, "altered", "it does not follow from the revision before it")
        computed = digest({"cruise_id": self.cruise_id, **row})
        if computed != row["digest"]:
            yield Break(sequence, sequence, "altered", "its words are not those that its digest was made of")
        self.sequence, self.head, self._computed = sequence, row["digest"], computed


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks; a whole number is written without a point, as databases may return it."""
    return _written(_numbers(value))


def plain(value: Any) -> Any:
    """The value as JSON holds it: times as ISO 8601 in UTC, ids as text."""
    kind = type(value)
    if kind in _SIMPLE:  # an import says this a million times
        return value
    if kind is dict:
        return {str(key): part if type(part) in _SIMPLE else plain(part) for key, part in value.items()}
    if kind is list:
        return [part if type(part) in _SIMPLE else plain(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return str(value)


def _numbers(value: Any) -> Any:
    kind = type(value)
    if kind in _STAYS:
        return value
    if kind is dict:
        return {key: part if type(part) in _STAYS else _numbers(part) for key, part in value.items()}
    if kind is list:
        return [part if type(part) in _STAYS else _numbers(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        # By its decimal text: PostgreSQL returns 1e23 as the whole number 10^23, which the nearest float is not.
        return int(Decimal(repr(value)))
    if isinstance(value, Mapping):
        return {key: _numbers(part) for key, part in value.items()}
    return [_numbers(part) for part in value] if isinstance(value, list | tuple) else value
