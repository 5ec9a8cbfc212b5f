"""The event files of NOAA's Scientific Computer System, `NAME_001.elg`: a header row, then a row for each record.
Date and Time are the PC's clock; GPS columns beside them tell how wrong it was. Seen on files of SCS 4 and of SEA."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from . import moments, position, table
from .record import MOST_BYTES, LoggedEvent, Measurement, Problem, Reading, Unreadable

FORMAT = "scs"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_EVENT_NAME = re.compile(r"(?:[_-]?\d+)?\.[A-Za-z]{1,4}\Z")
_ACTION = frozenset({"button", "event", "action", "activity", "operation"})
_INSTRUMENT = frozenset({"instrument", "gear", "device"})
_FLOOR = frozenset({"bottom", "seafloor", "sounder", "sounding", "dbt", "dpt", "chirp", "knudsen"})
_NEIGHBOURS = 50  # rows on each side over which the clock's offset is told; clocks drift by seconds a day
_STRAYS_S = 5.0  # a row whose own offset is further off has a GPS time that stood still or was damaged
_ALONE = 3  # rows with a GPS time below which an offset is not believed


def looks_like(header: tuple[str, ...], row: tuple[str, ...]) -> bool:
    """True for a header that begins with Date, Time and a first row that begins with the PC's clock."""
    names = [name.strip().casefold() for name in header[:2]]
    return names == ["date", "time"] and len(row) > 2 and _pc(row[0], row[1]) is not None


def read(data: bytes, name: str = "", *, most_bytes: int = MOST_BYTES, longest_row: int = table.LONGEST_ROW) -> Reading:
    """Every row as an event. Raises Unreadable if it is no such file.

    - Instrument: a column Instrument, Gear or Device; else the event's name, from the name of the file. Action: a
      column Button, Event, Action, Activity or Operation; without one the rows are a record in time, "record".
    - Happened: the GPS time of the row, on the PC's date. Where it stood still or is missing: the PC's clock less
      its offset among the rows around. Without any GPS time: the PC's clock, as UTC.
    - Position: the first pair of columns named latitude and longitude that both say something.
    - All other columns become measurements; `original` holds every value under its column's name.
    """
    text, encoding, notes = table.decode(data, most_bytes)
    rows = table.rows(text, ",", None, longest_row)
    header = next((row for row in rows if row.values), None)
    if header is None or [name.strip().casefold() for name in header.values[:2]] != ["date", "time"]:
        raise Unreadable("This is not an SCS event file: its first row does not begin with Date,Time", 1)
    names = [value.strip() for value in header.values]
    while names and not names[-1]:
        names.pop()  # SCS ends every row with a comma
    names = table.unique(name or f"+{place}" for place, name in enumerate(names, start=1))
    log = _Log(names, _EVENT_NAME.sub("", name.rpartition("/")[2]) or "SCS")
    for row in rows:
        log.take(row)
    log.make()
    return Reading(FORMAT, encoding, tuple(names), tuple(log.events), tuple(log.problems), (*notes, *log.notes()))


def _pc(date: str, time: str) -> datetime | None:
    return moments.ordered(f"{date.strip()} {time.strip()}", "mdy") or moments.iso(f"{date.strip()}T{time.strip()}")


@dataclass(slots=True)
class _Row:
    line: int
    original: dict[str, str]
    pc: datetime
    gps: datetime | None


@dataclass(slots=True)
class _Log:
    """What has been read so far."""

    names: list[str]
    event_name: str
    rows: list[_Row] = field(default_factory=list)
    events: list[LoggedEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    surplus: int = 0
    headers: int = 0
    stuck: int = 0
    offsets: list[float] = field(default_factory=list)
    gps: str = field(init=False)
    places: list[tuple[str, str]] = field(init=False)
    action: str = field(init=False)
    instrument: str = field(init=False)
    floor: str = field(init=False)

    def __post_init__(self) -> None:
        words = {name: {word.casefold() for word in _WORDS.findall(name)} for name in self.names}
        later = self.names[2:]
        self.gps = next((name for name in later if "time" in words[name]), "")
        latitudes = [name for name in later if words[name] & {"lat", "latitude"}]
        longitudes = [name for name in later if words[name] & {"lon", "long", "longitude"}]
        self.places = list(zip(latitudes, longitudes, strict=False))
        self.action = next((name for name in later if words[name] & _ACTION), "")
        self.instrument = next((name for name in later if words[name] & _INSTRUMENT), "")
        self.floor = next((name for name in later if words[name] & _FLOOR or words[name] == {"depth"}), "")

    def _tell(self, line: int, column: str, message: str, *, fatal: bool = False) -> None:
        if message:
            self.problems.append(Problem(line, column, message, fatal))

    def take(self, row: table.Row) -> None:
        """One more row, kept until the clock's offset is known."""
        values = list(row.values)
        if not values:
            return
        if [value.strip() for value in values[: len(self.names)]] == self.names:
            self.headers += 1
            return
        while len(values) > len(self.names) and not values[-1].strip():
            values.pop()
        if row.fault:
            self._tell(row.line, "", f"{row.fault}; the row was left out", fatal=True)
            return
        pc = _pc(values[0], values[1]) if len(values) > 1 else None
        if not pc:
            said = ",".join(values[:2])[:60]
            self._tell(row.line, "Date", f"{said!r} is not a date and a time (MM/DD/YYYY,HH:MM:SS)", fatal=True)
            return
        if len(values) > len(self.names):
            self.surplus += 1
        elif len(values) < len(self.names):
            message = (
                f"The row has {len(values)} values under {len(self.names)} column names; the last ones are missing"
            )
            self._tell(row.line, self.names[len(values)], message)
        keys = [*self.names, *(f"+{place}" for place in range(len(self.names) + 1, len(values) + 1))]
        original = dict(zip(keys, values, strict=False))
        gps = moments.clock(original.get(self.gps, ""), pc) if self.gps else None
        self.rows.append(_Row(row.line, original, pc, gps))

    def make(self) -> None:
        """Events of the rows, their times after GPS."""
        told = [(at, (row.pc - row.gps).total_seconds()) for at, row in enumerate(self.rows) if row.gps]
        self.offsets = [offset for _, offset in told]
        typical = _typical(told, len(self.rows)) if len(told) >= _ALONE else None
        seen: dict[str, int] = {}
        for at, row in enumerate(self.rows):
            self._event(row, self._moment(row, typical[at] if typical else None), seen)

    def _moment(self, row: _Row, offset: float | None) -> datetime:
        if offset is None:
            return row.gps or row.pc
        if row.gps and abs((row.pc - row.gps).total_seconds() - offset) <= _STRAYS_S:
            return row.gps
        self.stuck += 1
        return row.pc - timedelta(seconds=offset)

    def _event(self, row: _Row, at: datetime, seen: dict[str, int]) -> None:
        said = row.original
        place, used = None, set(self.names[:2]) | {self.action, self.instrument, self.floor}
        for latitude, longitude in self.places:
            place, complaint = position.place(said.get(latitude, ""), said.get(longitude, ""))
            self._tell(row.line, latitude, complaint)
            if place:
                used |= {latitude, longitude}
                break
        depth = position.metres(said.get(self.floor, ""))
        if depth is None or depth < 0:
            depth = None
            used.discard(self.floor)
        instrument = said.get(self.instrument, "").strip() or self.event_name
        key = f"scs-{instrument}"[:30] + f"-{row.pc:%Y%m%d.%H%M%S}"
        seen[key] = seen.get(key, 0) + 1
        self.events.append(
            LoggedEvent(
                number=key if seen[key] == 1 else f"{key}-{seen[key]}",
                observed_at=at,
                logged_at=None,
                instrument=instrument,
                action=said.get(self.action, "").strip() or "record",
                transect="",
                station="",
                cast="",
                latitude=place[0] if place else None,
                longitude=place[1] if place else None,
                seafloor_m=depth,
                author="",
                comment="",
                measurements=tuple(
                    Measurement("scs", name[:80], value.strip(), "")
                    for name, value in said.items()
                    if name not in used and value.strip()
                ),
                original=said,
                line=row.line,
            )
        )

    def notes(self) -> list[str]:
        """The clock's offset and the quirks of the file, a sentence each."""
        notes = []
        if self.offsets:
            middle = median(self.offsets)
            behind = "behind" if middle < 0 else "ahead of"
            notes.append(
                f"The PC's clock was {abs(middle):.0f} s {behind} GPS time ({self.gps}; from {min(self.offsets):.0f} "
                f"to {max(self.offsets):.0f} s in {len(self.offsets)} rows); the events have GPS time"
            )
            if abs(middle) > 1200 and abs(abs(middle) % 1800 - 900) > 600:
                notes.append("That looks like a time zone: the PC may not have run on UTC")
        else:
            notes.append("No column tells GPS time; the PC's clock was taken as UTC")
        if self.stuck:
            notes.append(f"GPS time stood still, or was missing, in {self.stuck} rows: PC's clock less its offset")
        if not self.action:
            notes.append(
                "No column names a button or an action: the rows are a record in time, and each became an event "
                '"record". If they are navigation alone, give the file to the navigation instead'
            )
        if self.headers:
            notes.append(f"The header comes again {self.headers} times")
        if self.surplus:
            notes.append(f"{self.surplus} rows have more values than there are column names; kept as +n")
        return notes


def _typical(told: list[tuple[int, float]], rows: int) -> list[float]:
    """The median offset of the rows around each row, in seconds."""
    found = []
    low = high = 0
    last: tuple[int, int] | None = None
    middle = 0.0
    for at in range(rows):
        while high < len(told) and told[high][0] <= at + _NEIGHBOURS:
            high += 1
        while low < high - _ALONE and told[low][0] < at - _NEIGHBOURS:
            low += 1
        if (low, high) != last:
            middle, last = median(offset for _, offset in told[low:high] or told), (low, high)
        found.append(middle)
    return found
