"""The JSON exports of Sealog: events, the auxiliary data that go with them, and the cruise record.
Shapes as exported by sealog-server 2 (event, event_aux_data, cruise), seen on the log of a real cruise."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import boundedjson, moments, position
from .record import MOST_BYTES, LoggedEvent, Measurement, Problem, Reading, Unreadable

FORMAT = "sealog"
POSITION_SOURCES = ("vehicleReNavData", "vehicleRealtimeNavData", "vesselReNavData", "vesselRealtimeNavData")
ACTION_OPTIONS = ("status", "action", "activity", "milestone", "start/stop")
_DEGREES = frozenset({"", "ddeg", "deg", "degree", "degrees", "decimal degrees", "dd", "°"})
_OBJECT_ID = re.compile(r"[0-9a-f]{24}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cruise:
    """A Sealog cruise record. Times in UTC, None if absent; texts "" if absent; `original` is all of it."""

    cruise_id: str
    starts_at: datetime | None
    ends_at: datetime | None
    name: str
    vessel: str
    chief_scientist: str
    departure_port: str
    arrival_port: str
    location: str
    description: str
    tags: tuple[str, ...]
    original: Mapping[str, Any] = field(hash=False)


def read(
    data: bytes,
    aux: bytes | None = None,
    *,
    position_sources: Sequence[str] = POSITION_SOURCES,
    most_bytes: int = MOST_BYTES,
) -> Reading:
    """Events, with their auxiliary records if given. Raises Unreadable if a file is not what it should be.

    - Instrument: event_value. Action: the first option of ACTION_OPTIONS with a value, in that order and in
      the option's own words, "" if there is none. Options named transect, station and cast fill these fields.
    - Comment: event_free_text, then any option event_comment on a line of its own.
    - Happened: ts. Typed: the seconds in the first four bytes of the MongoDB ObjectId that is the event's id.
    - Position: latitude and longitude, in degrees, of the first of `position_sources` that has both, then of
      other sources by name. Where the vehicle was comes before where the ship was, and re-navigated before
      real time. All other auxiliary values become measurements.
    - `original` is the exported event, its auxiliary records under "aux_data", as Sealog's own joined export
      has it.
    """
    events, notes = boundedjson.load(data, most_bytes=most_bytes)
    records: Any = []
    if aux is not None:
        records, more = boundedjson.load(aux, most_bytes=most_bytes)
        notes = (*notes, *(f"Auxiliary file: {note}" for note in more))
    return from_rows(events, records, notes=notes, position_sources=position_sources)


def from_rows(
    events: Any,
    aux: Any = (),
    *,
    notes: Sequence[str] = (),
    position_sources: Sequence[str] = POSITION_SOURCES,
) -> Reading:
    """As `read`, from JSON that is already loaded: a list of event objects and one of auxiliary objects."""
    if isinstance(events, dict):
        events = [events]  # the export of a single event comes without its list
    if not isinstance(events, list) or not all("event_value" in row for row in events if isinstance(row, dict)):
        raise Unreadable("This is not a Sealog event export: it should be a list of objects with an event_value")
    if not isinstance(aux, list | tuple) or not all("data_array" in row for row in aux if isinstance(row, dict)):
        raise Unreadable("The auxiliary file should be a list of Sealog's objects with a data_array")
    log = _Log(tuple(position_sources))
    log.sort_aux(aux)
    for line, row in enumerate(events, start=1):
        log.take(line, row)
    log.look_for_strays()
    columns = tuple(dict.fromkeys(key for row in events if isinstance(row, dict) for key in row))
    notes = (*notes, *log.notes())
    return Reading(FORMAT, "utf-8", columns, tuple(log.events), tuple(log.problems), notes)


def read_cruise(data: bytes, *, most_bytes: int = MOST_BYTES) -> Cruise:
    """The one cruise of a cruise record export. Raises Unreadable if there is not exactly one with an id."""
    record, _ = boundedjson.load(data, most_bytes=most_bytes)
    if isinstance(record, list):
        if len(record) != 1:
            raise Unreadable(f"The file should hold one cruise record, and holds {len(record)}")
        record = record[0]
    if not isinstance(record, dict) or not _text(record.get("cruise_id")).strip():
        raise Unreadable("This is not a Sealog cruise record: it has no cruise_id")
    told = record.get("cruise_additional_meta")
    more: dict[str, Any] = told if isinstance(told, dict) else {}
    tags = record.get("cruise_tags")
    return Cruise(
        cruise_id=_text(record["cruise_id"]).strip(),
        starts_at=moments.iso(_text(record.get("start_ts"))),
        ends_at=moments.iso(_text(record.get("stop_ts"))),
        name=_text(more.get("cruise_name")),
        vessel=_text(more.get("cruise_vessel")),
        chief_scientist=_text(more.get("cruise_pi")),
        departure_port=_text(more.get("cruise_departure_location")),
        arrival_port=_text(more.get("cruise_arrival_location")),
        location=_text(record.get("cruise_location")),
        description=_text(more.get("cruise_description")),
        tags=tuple(_text(tag) for tag in tags) if isinstance(tags, list) else (),
        original=record,
    )


def _text(value: Any) -> str:
    """A text as it is, nothing for null, and any other JSON value as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _pairs(rows: Any, name: str, value: str) -> list[tuple[str, str]]:
    """(name, value) of each object in a list of options; others stay in the original only."""
    if not isinstance(rows, list):
        return []
    return [(_text(row.get(name)), _text(row.get(value))) for row in rows if isinstance(row, dict)]


@dataclass(slots=True)
class _Log:
    """What has been read so far."""

    sources: tuple[str, ...]
    aux: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    events: list[LoggedEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    chosen: Counter[str] = field(default_factory=Counter)

    def _tell(self, line: int, column: str, message: str, *, fatal: bool = False) -> None:
        if message:
            self.problems.append(Problem(line, column, message, fatal))

    def sort_aux(self, rows: Sequence[Any]) -> None:
        """Lay the auxiliary records to the ids of their events."""
        seen: dict[str, int] = {}
        for place, row in enumerate(rows, start=1):
            if not isinstance(row, dict):
                self._tell(place, "aux_data", f"Auxiliary record {place} is not an object", fatal=True)
                continue
            own = _text(row.get("id"))
            if own and own in seen:
                message = f"Auxiliary record {place} has the id {own} of auxiliary record {seen[own]}"
                self._tell(place, "aux_data", message)
            seen.setdefault(own, place)
            self.aux.setdefault(_text(row.get("event_id")), []).append((place, row))

    def look_for_strays(self) -> None:
        """Tell of auxiliary records whose event is not in this log, nor refused."""
        for number, rows in self.aux.items():
            if number in self.lines or number in self.refused:
                continue
            for place, row in rows:
                source = _text(row.get("data_source"))
                stray = f"Auxiliary record {place} ({source})"
                message = f"{stray} points at event {number!r}, which is not in this log"
                self._tell(place, "aux_data", message)

    def take(self, line: int, row: Any) -> None:
        """One more event, or a refusal."""
        if not isinstance(row, dict):
            self._tell(line, "", f"Entry {line} is not an object", fatal=True)
            return
        number = _text(row.get("id"))
        at = moments.iso(_text(row.get("ts")))
        if not at:
            self.refused.add(number)
            message = f"The time {_text(row.get('ts'))[:40]!r} of event {number} is not understood"
            self._tell(line, "ts", message, fatal=True)
            return
        if not number:
            self._tell(line, "id", "The event has no id")
        elif number in self.lines:
            message = f"The id {number} was already used by entry {self.lines[number]}; both events are kept"
            self._tell(line, "id", message)
        self.lines.setdefault(number, line)
        self.events.append(self._event(line, row, number, at))

    def _event(self, line: int, row: dict[str, Any], number: str, at: datetime) -> LoggedEvent:
        options: dict[str, str] = {}
        for name, value in _pairs(row.get("event_options"), "event_option_name", "event_option_value"):
            if value.strip():
                options.setdefault(name.strip().casefold(), value)
        instrument = _text(row.get("event_value")).strip()
        if not instrument:
            self._tell(line, "event_value", "The event has no event_value, so it names no instrument")
        records = self._records(line, row, number)
        place, measurements = self._auxiliary(line, records)
        words = (_text(row.get("event_free_text")), options.get("event_comment", ""))
        return LoggedEvent(
            number=number,
            observed_at=at,
            logged_at=_made(number),
            instrument=instrument,
            action=next((options[name].strip() for name in ACTION_OPTIONS if name in options), ""),
            transect=options.get("transect", "").strip(),
            station=options.get("station", "").strip(),
            cast=options.get("cast", "").strip(),
            latitude=place[0] if place else None,
            longitude=place[1] if place else None,
            seafloor_m=None,
            author=_text(row.get("event_author")).strip(),
            comment="\n".join(word for word in words if word),
            measurements=measurements,
            original={**row, "aux_data": records} if records else row,
            line=line,
        )

    def _records(self, line: int, row: dict[str, Any], number: str) -> list[Any]:
        """The event's auxiliary records: those within it (a joined export) and those beside it, each once."""
        within = row.get("aux_data")
        records = list(within) if isinstance(within, list) else []
        known = {_text(record) for record in records}
        records += [record for _, record in self.aux.get(number, []) if _text(record) not in known]
        sources = Counter(_text(record.get("data_source")) for record in records if isinstance(record, dict))
        for source, count in sources.items():
            if count > 1:
                message = f"The event has {count} auxiliary records of {source}; its position is the first one's"
                self._tell(line, "aux_data", message)
        return records

    def _auxiliary(self, line: int, records: list[Any]) -> tuple[tuple[float, float] | None, tuple[Measurement, ...]]:
        """The position of the best source, and every value that is not part of it."""
        known = {source: rank for rank, source in enumerate(self.sources)}
        ranked: list[tuple[int, str, list[Measurement]]] = []
        measurements: list[Measurement] = []
        for record in records:
            if not isinstance(record, dict):
                continue
            source = _text(record.get("data_source"))
            values = _values(source, record.get("data_array"))
            ranked.append((known.get(source, len(known)), source, values))
            measurements += values
        for _, source, values in sorted(ranked, key=lambda entry: entry[:2]):
            names = {value.name.strip().casefold(): value for value in reversed(values)}
            latitude, longitude = names.get("latitude"), names.get("longitude")
            if not latitude or not longitude:
                continue
            if any(value.unit.strip().casefold() not in _DEGREES for value in (latitude, longitude)):
                self._tell(line, "aux_data", f"The position of {source} is not in degrees and was left out")
                continue
            place, complaint = position.pair(latitude.value, longitude.value)
            self._tell(line, "aux_data", complaint and f"{source}: {complaint}")
            if place:
                self.chosen[source] += 1
                return place, tuple(value for value in measurements if value not in (latitude, longitude))
        return None, tuple(measurements)

    def notes(self) -> list[str]:
        """Where the positions came from, a sentence each."""
        notes = [f"Position from {source} in {count} events" for source, count in sorted(self.chosen.items())]
        if without := len(self.events) - self.chosen.total():
            notes.append(f"{without} events have no position")
        return notes


def _values(source: str, rows: Any) -> list[Measurement]:
    if not isinstance(rows, list):
        return []
    return [
        Measurement(source, *(_text(row.get(name)) for name in ("data_name", "data_value", "data_uom")))
        for row in rows
        if isinstance(row, dict)
    ]


def _made(number: str) -> datetime | None:
    """When the record was made, to the second: the first four bytes of a MongoDB ObjectId (BSON)."""
    return datetime.fromtimestamp(int(number[:8], 16), UTC) if _OBJECT_ID.fullmatch(number) else None
