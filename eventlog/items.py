"""What a tablet's outbox sends: items, read from JSON with a fault for everything that is wrong in one. Pure.

The contract is docs/decisions/0004-event-log-at-sea.md. A broken item never keeps the others.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import uuid as uuids
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eventlog.exchange import boundedjson
from eventlog.exchange.record import Unreadable
from portal.refusals import Fault, NotLikeThis

MOST_ITEMS = 200
MOST_BYTES = 2_000_000
VERBS = ("record", "revise", "strike", "restore", "undo")
KEYS = {"id", "verb", "uuid", "fields", "press", "logged_at", "pass", "seen", "reason", "clock", "mine"}
TEXTS = ("instrument", "action", "transect", "station", "cast", "comment")
NUMBERS = ("latitude", "longitude", "seafloor_m")
TIMES = ("observed_at", "ended_at")
LONGEST_REASON, LONGEST_PASS = 1000, 1000
MOST_OFFSET_S = 10 * 366 * 86_400.0
# Times outside these years come from broken clocks, and overflow when one reckons with them.
FIRST, LAST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


class Doubled:
    """Stands where an object told a key twice: only one of them could be kept."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item: what is to be done with which event. `made_at` is when it was made, by the tablet's clock.

    `own` are the ids of changes of this event that the tablet made after it saw revision `seen`.
    """

    id: uuids.UUID
    verb: str
    uuid: uuids.UUID
    fields: Mapping[str, Any] = field(default_factory=dict)
    press: bool = False
    made_at: dt.datetime | None = None
    seen: int | None = None
    own: frozenset[uuids.UUID] = frozenset()
    reason: str = ""
    token: str = ""
    clock_offset_s: float | None = None


def load(data: bytes) -> Mapping[str, Any]:
    """The body of a batch as an object. Raises NotLikeThis for what is no JSON object or has too many bytes.

    An object that tells a key twice, or is too deep, spoils its item alone.
    """
    if len(data) > MOST_BYTES:
        raise NotLikeThis(
            f"The batch has {len(data):,} bytes; send at most {MOST_BYTES:,} at once, in several batches."
        )
    try:
        value, _ = boundedjson.load(data, most_bytes=MOST_BYTES)
    except Unreadable as error:
        try:
            value = json.loads(data, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            raise NotLikeThis("The batch is not accepted.", [Fault("", str(error))]) from error
    if not isinstance(value, dict):
        raise NotLikeThis("The batch is not accepted.", [Fault("", "is not a JSON object with device and items")])
    if unknown := set(value) - {"device", "items"}:
        raise NotLikeThis("The batch is not accepted.", [Fault(_name(k), "There is no such field.") for k in unknown])
    items = value.get("items")
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        raise NotLikeThis("The batch is not accepted.", [Fault("items", f"is not a list of at most {MOST_ITEMS}")])
    return value


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled()


def read(value: Any, place: str, fields: Iterable[str]) -> Item:
    """One item; `fields` are those that an event has. Raises NotLikeThis with faults by path, as in
    `items[3].fields.observed_at`."""
    given, faults = _sound(value, place), []
    faults += [Fault(f"{place}.{_name(key)}", "There is no such field.") for key in sorted(set(given) - KEYS)]
    change, uuid = (read_uuid(given.get(key), f"{place}.{key}", faults) for key in ("id", "uuid"))
    verb = given.get("verb")
    if verb not in VERBS:
        faults.append(Fault(f"{place}.verb", f"is none of {', '.join(VERBS)}"))
    values = _fields(given.get("fields", {}), f"{place}.fields", set(fields), faults)
    if values and verb not in ("record", "revise"):
        faults.append(Fault(f"{place}.fields", f"cannot go with {verb}"))
    made_at = None
    if given.get("logged_at") is not None:
        made_at = _time(given["logged_at"], f"{place}.logged_at", faults)
    press = given.get("press", False)
    if not isinstance(press, bool):
        faults.append(Fault(f"{place}.press", "is not true or false"))
    seen = given.get("seen")
    if seen is not None and (isinstance(seen, bool) or not isinstance(seen, int) or not 1 <= seen < 2**31):
        faults.append(Fault(f"{place}.seen", "is not the number of a revision"))
    elif seen is None and verb == "revise":
        faults.append(Fault(f"{place}.seen", "is needed: the revision that was looked at"))
    own = _own(given.get("mine", []), f"{place}.mine", faults)
    reason = _text(given.get("reason"), f"{place}.reason", LONGEST_REASON, faults)
    token = _text(given.get("pass"), f"{place}.pass", LONGEST_PASS, faults)
    offset = _clock(given.get("clock"), f"{place}.clock", faults)
    if faults or change is None or uuid is None:
        raise NotLikeThis("The item is not accepted.", faults)
    return Item(change, str(verb), uuid, values, bool(press), made_at, seen, own, reason, token, offset)


def read_fields(given: Any, place: str, known: Iterable[str]) -> dict[str, Any]:
    """The fields of an event that need not be complete. Raises NotLikeThis with faults by path."""
    faults: list[Fault] = []
    values = _fields(given, place, set(known), faults)
    if faults:
        raise NotLikeThis("The event is not accepted.", faults)
    return values


def offset_of(now: Any, received: dt.datetime) -> float | None:
    """Seconds by which the tablet's clock runs ahead of the server's; None where it did not tell a time."""
    faults: list[Fault] = []
    at = _time(now, "device.now", faults) if isinstance(now, str) else None
    return None if at is None else round((at - received).total_seconds(), 3)


def _sound(value: Any, place: str) -> dict[str, Any]:
    """The item, known to be storable. Items that came through the lenient reader are read again on their own."""
    if not isinstance(value, dict):
        raise NotLikeThis("The item is not accepted.", [Fault(place, "is not an object, or tells a key twice")])
    try:
        sound, _ = boundedjson.load(json.dumps(value).encode(), deepest=8)
    except (Unreadable, RecursionError, TypeError) as error:
        what = str(error) if isinstance(error, Unreadable) else "tells a key twice, or lies too deep"
        raise NotLikeThis("The item is not accepted.", [Fault(place, what)]) from error
    found: dict[str, Any] = sound
    return found


def _fields(given: Any, place: str, known: set[str], faults: list[Fault]) -> dict[str, Any]:
    if not isinstance(given, dict):
        faults.append(Fault(place, "is not an object"))
        return {}
    faults += [Fault(f"{place}.{_name(key)}", "There is no such field.") for key in sorted(set(given) - known)]
    values: dict[str, Any] = {}
    for name, value in given.items():
        where = f"{place}.{_name(name)}"
        if name in TIMES:
            values[name] = None if value in (None, "") else _time(value, where, faults)
        elif name in NUMBERS:
            values[name] = _number(value, where, faults)
        elif name in TEXTS:
            values[name] = _text(value, where, MOST_BYTES, faults)
        elif name == "operation":
            values[name] = None if value in (None, "") else str(read_uuid(value, where, faults))
        else:
            values[name] = value
    return values


def _name(key: str) -> str:
    return key[:60]


def read_uuid(value: Any, place: str, faults: list[Fault]) -> uuids.UUID | None:
    try:
        return uuids.UUID(value)
    except (ValueError, AttributeError, TypeError):
        faults.append(Fault(place, "is not a UUID"))
        return None


def _own(value: Any, place: str, faults: list[Fault]) -> frozenset[uuids.UUID]:
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        faults.append(Fault(place, f"is not a list of at most {MOST_ITEMS} ids"))
        return frozenset()
    return frozenset(found for one in value if (found := read_uuid(one, place, faults)))


def _time(value: Any, place: str, faults: list[Fault]) -> dt.datetime | None:
    """An ISO 8601 time with its zone, in UTC."""
    try:
        at = dt.datetime.fromisoformat(value)
        if at.tzinfo is not None:
            at = at.astimezone(dt.UTC)
            if FIRST <= at <= LAST:
                return at
    except (TypeError, ValueError, OverflowError):
        pass
    faults.append(Fault(place, "is not a time with its zone, as 2026-03-04T03:14:07.120Z"))
    return None


def _number(value: Any, place: str, faults: list[Fault]) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        faults.append(Fault(place, "is not a number"))
        return None
    return float(value)


def _text(value: Any, place: str, longest: int, faults: list[Fault]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        faults.append(Fault(place, f"is not a text of at most {longest:,} characters"))
        return ""
    return value


def _clock(value: Any, place: str, faults: list[Fault]) -> float | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - {"offset_s", "corrected"}:
        faults.append(Fault(place, "is not an object with offset_s and corrected"))
        return None
    if not isinstance(value.get("corrected", True), bool):
        faults.append(Fault(f"{place}.corrected", "is not true or false"))
    offset = _number(value.get("offset_s"), f"{place}.offset_s", faults)
    if offset is not None and abs(offset) > MOST_OFFSET_S:
        faults.append(Fault(f"{place}.offset_s", "is more than ten years"))
    return offset
