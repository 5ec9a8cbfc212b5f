"""The chain of a log's revisions: each holds the SHA-256 of its own words and of the one before. Pure.

The words and their order are fixed for good: a log that was sealed must verify in twenty years.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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


def digest(entry: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a revision's words as one line of JSON.

    `entry` has every name in COVERED; times are aware, UUIDs may be objects. Raises KeyError for a missing name.
    """
    words = [plain(entry[name]) for name in COVERED]
    return hashlib.sha256(canonical(words).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks; a whole number is written without a point, as databases may return it."""
    return json.dumps(_numbers(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def plain(value: Any) -> Any:
    """The value as JSON holds it: times as ISO 8601 in UTC, ids as text."""
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
    if isinstance(value, float) and value.is_integer():
        # By its decimal text: PostgreSQL returns 1e23 as the whole number 10^23, which the nearest float is not.
        return int(Decimal(repr(value)))
    if isinstance(value, Mapping):
        return {key: _numbers(part) for key, part in value.items()}
    return [_numbers(part) for part in value] if isinstance(value, list | tuple) else value
