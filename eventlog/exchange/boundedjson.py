"""JSON that came from outside, read with bounds on its size, its depth and the number of its parts.
What comes out can be stored: no NUL, no half of a surrogate pair, no infinite number, no key told twice."""

import json
import math
import re
from collections import Counter
from typing import Any

from .record import MOST_BYTES, Unreadable

DEEPEST = 32  # lists and objects within each other; a Sealog event has four
MOST_PARTS = 5_000_000  # commas and opening brackets: bounds the memory, which brackets alone could fill
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def load(data: bytes, *, most_bytes: int = MOST_BYTES, deepest: int = DEEPEST) -> tuple[Any, tuple[str, ...]]:
    """The value, and notes on what had to be changed in it. UTF-8, byte order mark or not (RFC 8259).

    Numbers that a float cannot hold, whole numbers beyond 30 digits, NaN and Infinity come as their text.
    Raises Unreadable for anything that is not JSON, too large, too deep, or that has an object with a key
    told twice.
    """
    if len(data) > most_bytes:
        raise Unreadable(f"The file has {len(data):,} bytes; more than {most_bytes:,} are not read")
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MOST_PARTS:
        raise Unreadable(f"The file has more than {MOST_PARTS:,} values")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable("The file is not UTF-8, which JSON has to be, or is cut off", line) from error
    try:
        value = json.loads(text, parse_int=_whole, parse_float=_float, parse_constant=str, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = "ends too early" if error.pos >= len(text.rstrip()) else f"is broken in column {error.colno}"
        raise Unreadable(f"The JSON {where} ({error.msg})", error.lineno) from error
    except RecursionError as error:
        raise Unreadable(_too_deep(deepest)) from error
    changed: list[str] = []
    value = _storable(value, deepest, deepest, changed)
    notes = [f"{len(changed)} texts held characters that cannot be kept, now U+FFFD"] if changed else []
    return value, tuple(notes)


def _too_deep(deepest: int) -> str:
    return f"Lists and objects lie within each other more than {deepest} deep"


def _whole(text: str) -> int | str:
    return int(text) if len(text.lstrip("-")) <= 30 else text


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise Unreadable(f"An object tells {twice[:40]!r} more than once, and only one of them could be kept")
    return found


def _storable(value: Any, left: int, deepest: int, changed: list[str]) -> Any:
    """The value with every text cleaned; texts that had to be are appended to `changed`."""
    if isinstance(value, str):
        return _clean(value, changed)
    if not isinstance(value, list | dict):
        return value
    if not left:
        raise Unreadable(_too_deep(deepest))
    if isinstance(value, list):
        return [_storable(part, left - 1, deepest, changed) for part in value]
    return {_clean(key, changed): _storable(part, left - 1, deepest, changed) for key, part in value.items()}


def _clean(text: str, changed: list[str]) -> str:
    if not _UNSTORABLE.search(text):
        return text
    changed.append(text)
    return _UNSTORABLE.sub("\ufffd", text)
