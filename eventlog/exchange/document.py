"""Leadline's own document of a log: all that a LoggedEvent holds, and of what it is the log, in one text.
Ship and shore exchange it, and it is kept as the final copy: so the same log is always the same bytes."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from eventlog.replay import EDITS

from . import boundedjson, finalcopy, moments
from .record import MOST_BYTES, LoggedEvent, Measurement, Problem, Reading, Unreadable, utc

FORMAT = "leadline-eventlog"
VERSION = 1  # without history; version 2, the final copy with all of it, is written by `finalcopy`
DEEPEST = boundedjson.DEEPEST + 8  # an original that another room accepted lies a few levels deeper in here
_TEXTS = ("number", "instrument", "action", "transect", "station", "cast", "author", "comment")
_FIELDS = tuple(field.name for field in dataclasses.fields(LoggedEvent))
_LATER = frozenset({"ended_at", "extra"})  # came after the first documents were written, which lack them
_MEASURED = tuple(field.name for field in dataclasses.fields(Measurement))


def write(header: Mapping[str, Any], events: Iterable[LoggedEvent]) -> str:
    """The document, for UTF-8: an object of format, version, header and events, one event a line.

    Events keep their order and each its fields in that of LoggedEvent; keys of `header` and of originals are
    sorted, because a database may not give them back in the order they came. Times are ISO 8601 in UTC with
    Z. Raises ValueError for a time without zone, a number that is not finite or a text that UTF-8 cannot
    hold, and TypeError for what JSON has no word for.
    """
    lines = ",\n".join(_json(_event(event)) for event in events)
    text = (
        f'{{\n"format": {_json(FORMAT)},\n"version": {VERSION},\n"header": {_json(_ordered(header))},\n'
        f'"events": [{f"{chr(10)}{lines}{chr(10)}" if lines else ""}]\n}}\n'
    )
    text.encode("utf-8")  # half of a surrogate pair fails here and not when the file is being saved
    return text


def read(data: bytes, *, most_bytes: int = MOST_BYTES) -> Reading:
    """What `write` wrote, equal in every field. Raises Unreadable if it is no such document of this version.

    An event that is not whole becomes a fatal Problem, whose line is the event's place in the list, from 1.
    """
    value, notes = boundedjson.load(data, most_bytes=most_bytes, deepest=DEEPEST)
    return from_object(value, notes)


def is_document(value: Any) -> bool:
    """True for loaded JSON that says it is such a document, of whatever version."""
    return isinstance(value, dict) and value.get("format") == FORMAT


def from_object(value: Any, notes: Iterable[str] = ()) -> Reading:
    """As `read`, from JSON that is already loaded."""
    if not is_document(value):
        raise Unreadable(f"This is not a document of format {FORMAT}")
    version, whole = value.get("version"), finalcopy.VERSION
    if isinstance(version, bool) or version not in (VERSION, whole):
        raise Unreadable(f"The document is of version {version!r}; versions {VERSION} and {whole} are understood")
    header, rows = value.get("header"), value.get("events")
    if not isinstance(header, dict) or not isinstance(rows, list):
        raise Unreadable("The document lacks its header or its list of events")
    if version == whole:
        rows = list(_of_final_copy(rows, value.get("revisions")))
    events, problems = [], []
    for place, row in enumerate(rows, start=1):
        try:
            events.append(_logged(row))
        except _NotWhole as fault:
            message = f"Event {place}: {fault.message}"
            problems.append(Problem(place, fault.column, message, fatal=True))
    return Reading(FORMAT, "utf-8", _FIELDS, tuple(events), tuple(problems), tuple(notes), header)


def _of_final_copy(rows: list[Any], revisions: Any) -> Iterator[Any]:
    """The standing events of a final copy (version 2) as rows of version 1; what is no such row goes on as it is."""
    edits: dict[Any, list[Any]] = {}
    for revision in revisions if isinstance(revisions, list) else ():
        if isinstance(revision, dict) and revision.get("verb") in EDITS and isinstance(revision.get("thing_uuid"), str):
            edits.setdefault(revision["thing_uuid"], []).append(revision.get("at"))
    for row in rows:
        try:
            if row["struck"] is True:
                continue
            place = (row["latitude"], row["longitude"])
            if None in place:
                place = (row["nav_latitude"], row["nav_longitude"])
            made = {name: row[name] for name in _FIELDS if name not in ("author", "line")} | {
                "author": row["author_name"],
                "latitude": place[0],
                "longitude": place[1],
                "seafloor_m": row["nav_depth_m"] if row["seafloor_m"] is None else row["seafloor_m"],
                "revised_at": [*row["revised_at"], *edits.get(row["uuid"], ())],
                "measurements": [dict(zip(_MEASURED, one, strict=True)) for one in row["measurements"]],
                "line": 0,
            }
        except (KeyError, TypeError, ValueError):
            made = row
        yield made


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _ordered(value: Any) -> Any:
    """The same JSON with the keys of every object sorted. Raises TypeError for a key that is not text."""
    if isinstance(value, Mapping):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"{wrong[0]!r} is no key for JSON: a key is text")
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(part) for part in value] if isinstance(value, list | tuple) else value


def _time(at: datetime | None) -> str | None:
    return utc(at).isoformat().replace("+00:00", "Z") if at else None


def _event(event: LoggedEvent) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in _FIELDS}
    row["observed_at"], row["logged_at"] = _time(event.observed_at), _time(event.logged_at)
    row["ended_at"], row["extra"] = _time(event.ended_at), _ordered(event.extra)
    row["revised_at"] = [_time(at) for at in event.revised_at]
    row["measurements"] = [{name: getattr(one, name) for name in _MEASURED} for one in event.measurements]
    row["original"] = _ordered(event.original)
    return row


class _NotWhole(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(column, message)
        self.column = column
        self.message = message


def _logged(row: Any) -> LoggedEvent:
    if not isinstance(row, dict):
        raise _NotWhole("", "it is not an object")
    if odd := sorted((set(_FIELDS) ^ row.keys()) - (_LATER - row.keys())):
        raise _NotWhole(odd[0], f"{', '.join(odd)[:200]} is missing or unknown")
    for name in _TEXTS:
        if not isinstance(row[name], str):
            raise _NotWhole(name, f"{name} is not a text")
    if not isinstance(row["original"], dict):
        raise _NotWhole("original", "original is not an object")
    if not isinstance(row.get("extra", {}), dict):
        raise _NotWhole("extra", "extra is not an object")
    if isinstance(row["line"], bool) or not isinstance(row["line"], int):
        raise _NotWhole("line", "line is not a whole number")
    at = _when("observed_at", row["observed_at"])
    end = _when("ended_at", row["ended_at"]) if row.get("ended_at") is not None else None
    if end and end < at:
        raise _NotWhole("ended_at", "ended_at lies before observed_at")
    return LoggedEvent(
        observed_at=at,
        logged_at=_when("logged_at", row["logged_at"]) if row["logged_at"] is not None else None,
        latitude=_number("latitude", row["latitude"], 90),
        longitude=_number("longitude", row["longitude"], 180),
        seafloor_m=_number("seafloor_m", row["seafloor_m"], None),
        revised_at=tuple(_when("revised_at", one) for one in _list("revised_at", row["revised_at"])),
        measurements=tuple(_measurement(one) for one in _list("measurements", row["measurements"])),
        original=row["original"],
        line=row["line"],
        ended_at=end,
        extra=row.get("extra", {}),
        **{name: row[name] for name in _TEXTS},
    )


def _when(name: str, text: Any) -> datetime:
    at = moments.iso(text) if isinstance(text, str) else None
    if not at:
        raise _NotWhole(name, f"{name} {text!r:.40} is not a time in ISO 8601")
    return at


def _number(name: str, value: Any, most: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotWhole(name, f"{name} is not a number")
    if most is not None and abs(value) > most:
        raise _NotWhole(name, f"{name} {value} is outside -{most}..{most}")
    return float(value)


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _NotWhole(name, f"{name} is not a list")
    return value


def _measurement(row: Any) -> Measurement:
    if (
        not isinstance(row, dict)
        or row.keys() != set(_MEASURED)
        or not all(isinstance(value, str) for value in row.values())
    ):
        raise _NotWhole("measurements", "a measurement should have source, name, value and unit, all texts")
    return Measurement(**row)
