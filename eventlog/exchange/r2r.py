"""The CSV of the R2R Event Logger (ELOG), read in all dialects that real cruises left, and written in one.
The columns are those of R2R's own exports, 2018 to 2024; the quirks were met in native files of cruises."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Protocol, TextIO

from . import moments, position, table
from .record import MOST_BYTES, LoggedEvent, Problem, Reading, Unreadable, utc

FORMAT = "r2r"
COLUMNS = (
    *("Message ID", "Date", "Event", "Instrument", "Action", "Transect", "Station", "Cast", "Latitude"),
    *("Longitude", "Seafloor", "Author", "Comment", "Cruise", "R2R_Event", "dateTimeUTC", "GPS_Time"),
    *("dateTime8601", "Revisions"),
)
_MOST_REFUSALS = 10_000  # a file in which so many rows fail is another kind of file; one answer is enough
_EVENT_MINUTE = re.compile(r"\A(?:.*-)?(\d{8}\.\d{4})\.\d{1,3}\Z", re.ASCII)
_SHORT_NUMBER = re.compile(r"(\d{8}\.\d{4})\.(\d{1,2})\Z", re.ASCII)
_MINUTE_NUMBER = re.compile(r"\d{8}\.\d{4}\.\d{3}\Z", re.ASCII)


class Writable(Protocol):
    """What an event must tell to be written: the same words and units as `LoggedEvent`, which is one."""

    @property
    def number(self) -> str: ...
    @property
    def observed_at(self) -> datetime: ...
    @property
    def logged_at(self) -> datetime | None: ...
    @property
    def instrument(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def transect(self) -> str: ...
    @property
    def station(self) -> str: ...
    @property
    def cast(self) -> str: ...
    @property
    def latitude(self) -> float | None: ...
    @property
    def longitude(self) -> float | None: ...
    @property
    def seafloor_m(self) -> float | None: ...
    @property
    def author(self) -> str: ...
    @property
    def comment(self) -> str: ...
    @property
    def revised_at(self) -> tuple[datetime, ...]: ...


def read(data: bytes, *, most_bytes: int = MOST_BYTES, longest_row: int = table.LONGEST_ROW) -> Reading:
    """Every event of an R2R log. Raises Unreadable for what is too large, not text, or has no such header.

    - Happened: dateTime8601; without it dateTimeUTC (to the minute), then GPS_Time (the fix, seconds off),
      then Date (when it was typed), each with a Problem. A row with none of them is refused.
    - Typed: Date. Number: R2R_Event, else Event with a Problem.
    - Transect, station, cast, coordinates and seafloor take blank, NaN and NO_GPS as nothing. The comment is
      kept to the last blank; other texts lose blanks at their ends.
    - `original` holds every value under its column's name; the 20th value of 19 columns is "+20".
    """
    text, encoding, notes = table.decode(data, most_bytes)
    header, delimiter = _header(text, longest_row)
    log = _Log(header)
    if delimiter != ",":
        notes.append(f"Values are parted by {'tabs' if delimiter == chr(9) else 'semicolons'}, not by commas")
    for row in table.rows(text, delimiter, log.widths, longest_row):
        if row.line > header.line:
            log.take(row)
    columns = tuple(log.keys[: len(header.values)])
    return Reading(FORMAT, encoding, columns, tuple(log.events), tuple(log.problems), (*notes, *log.notes()))


def check(text: str) -> None:
    """Raises Unreadable, naming what lacks, for a text whose first row is not the header of an R2R log."""
    _header(text, table.LONGEST_ROW)


def _header(text: str, longest_row: int) -> tuple[table.Row, str]:
    """The first row that is not blank, and the delimiter under which it names the most columns of ours."""
    known = {name.casefold() for name in COLUMNS}
    best, best_delimiter, most = table.Row(0, ()), ",", -1
    start = text[: 2 * longest_row]
    for delimiter in ",;\t":
        row = next((row for row in table.rows(start, delimiter, None, longest_row) if row.values), best)
        named = len(known & {value.strip().casefold() for value in row.values})
        if named > most and not row.fault:
            best, best_delimiter, most = row, delimiter, named
    has = {value.strip().casefold() for value in best.values}
    lacks = [name for name in ("Instrument", "Action") if name.casefold() not in has]
    lacks += [
        " or ".join(names)
        for names in (("R2R_Event", "Event"), ("dateTime8601", "dateTimeUTC", "Date"))
        if not has & {name.casefold() for name in names}
    ]
    if lacks:
        message = f"This is not an R2R event log: its first row names no column {', no column '.join(lacks)}"
        raise Unreadable(message, best.line or 1)
    return best, best_delimiter


@dataclass(slots=True)
class _Log:
    """What has been read so far."""

    header: table.Row
    keys: list[str] = field(init=False)
    place: dict[str, int] = field(init=False)
    widths: set[int] = field(init=False)
    events: list[LoggedEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    quirks: Counter[str] = field(default_factory=Counter)
    surplus: Counter[int] = field(default_factory=Counter)
    lines: dict[str, int] = field(default_factory=dict)
    cruises: dict[str, None] = field(default_factory=dict)
    refused: int = 0

    def __post_init__(self) -> None:
        names = self.header.values
        self.keys = table.unique([*names, *(f"+{place}" for place in range(len(names) + 1, table.MOST_VALUES + 1))])
        own = {name.casefold(): name for name in COLUMNS}
        self.place = {}
        for at, name in enumerate(names):
            if column := own.get(name.strip().casefold()):
                self.place.setdefault(column, at)
        self.widths = {len(names)}

    def take(self, row: table.Row) -> None:
        """One more row: an event, a refusal, or nothing."""
        if not row.values and not row.fault:
            self.quirks["blank"] += 1
        elif row.values == self.header.values:
            self.quirks["header"] += 1
        elif row.fault and len(row.values) not in self.widths:
            self._refuse(row.line, "", f"{row.fault}; the row was left out")
        else:
            if row.fault:
                self._tell(row.line, "", f"{row.fault}; please check how its values were parted")
            self._count(row)
            self._event(row)

    def _tell(self, line: int, column: str, message: str) -> None:
        if message:
            self.problems.append(Problem(line, column, message, fatal=False))

    def _refuse(self, line: int, column: str, message: str) -> None:
        self.problems.append(Problem(line, column, message, fatal=True))
        self.refused += 1
        if self.refused > _MOST_REFUSALS:
            raise Unreadable(f"More than {_MOST_REFUSALS:,} rows cannot be read; is this an event log?", line)

    def _count(self, row: table.Row) -> None:
        width, named = len(row.values), len(self.header.values)
        if width > named:
            self.surplus[width] += 1
        if width < named:
            message = f"The row has {width} values under {named} column names; the last ones are missing"
            self._tell(row.line, self.keys[width], message)
        elif not row.fault and len(self.widths) < 20:
            self.widths.add(width)

    def _event(self, row: table.Row) -> None:
        said = {column: row.values[at] for column, at in self.place.items() if at < len(row.values)}
        moment = self._happened(row.line, said)
        if not moment:
            return
        place, complaint = position.pair(said.get("Latitude", ""), said.get("Longitude", ""))
        self._tell(row.line, "Latitude", complaint)
        typed = said.get("Date", "")
        logged_at = moments.rfc2822(typed) or moments.iso(typed) or self._settled(typed, said)
        if typed.strip() and not logged_at:
            self._tell(row.line, "Date", f"The date {typed.strip()[:60]!r} of typing is not understood")
        for column in ("Instrument", "Action"):
            if not said.get(column, "").strip():
                self._tell(row.line, column, f"The event names no {column.lower()}")
        self._look(said)
        self.events.append(
            LoggedEvent(
                number=self._number(row.line, said),
                observed_at=moment,
                logged_at=logged_at,
                instrument=said.get("Instrument", "").strip(),
                action=said.get("Action", "").strip(),
                transect=_word(said, "Transect"),
                station=_word(said, "Station"),
                cast=_word(said, "Cast"),
                latitude=place[0] if place else None,
                longitude=place[1] if place else None,
                seafloor_m=self._seafloor(row.line, said.get("Seafloor", "")),
                author=said.get("Author", "").strip(),
                comment=said.get("Comment", ""),
                revised_at=self._revisions(row.line, said.get("Revisions", "")),
                original=dict(zip(self.keys, row.values, strict=False)),
                line=row.line,
            )
        )

    def _settled(self, typed: str, said: dict[str, str]) -> datetime | None:
        """A Date that a spreadsheet has re-written: the form was opened in the minute that Event names."""
        minute = moments.compact(_EVENT_MINUTE.sub(r"\1", said.get("Event", "").strip()))
        at = moments.settled(typed, minute) if minute else None
        self.quirks["date"] += at is not None
        return at

    def _happened(self, line: int, said: dict[str, str]) -> datetime | None:
        given = said.get("dateTime8601", "").strip()
        if at := moments.iso(given):
            return at
        lack = f"dateTime8601 {given[:40]!r} is not understood" if given else "dateTime8601 is empty"
        ways = (
            ("dateTimeUTC", moments.compact, "dateTimeUTC, to the minute"),
            (
                "GPS_Time",
                moments.slashed,
                "GPS_Time, the time of the position, which may be some seconds off",
            ),
            ("Date", moments.rfc2822, "Date, when the event was typed, which may be hours after it happened"),
        )
        for column, way, origin in ways:
            if at := way(said.get(column, "")):
                self._tell(line, "dateTime8601", f"{lack}; the time was taken from {origin}")
                return at
        self._refuse(line, "dateTime8601", f"{lack}, and no other column tells when it happened")
        return None

    def _number(self, line: int, said: dict[str, str]) -> str:
        number = said.get("R2R_Event", "").strip()
        if not number:
            number = said.get("Event", "").strip()
            instead = "Event was taken instead" if number else "and no Event either"
            self._tell(line, "R2R_Event", f"The event has no R2R_Event; {instead}")
        if _SHORT_NUMBER.search(number):
            self.quirks["zeros"] += 1
            number = _SHORT_NUMBER.sub(lambda found: f"{found[1]}.{found[2]:0>3}", number)
        if not number:
            return ""
        if number in self.lines:
            message = f"R2R_Event {number} was already used on line {self.lines[number]}; both events are kept"
            self._tell(line, "R2R_Event", message)
        self.lines.setdefault(number, line)
        return number

    def _seafloor(self, line: int, text: str) -> float | None:
        if position.is_empty(text):
            return None
        depth = position.metres(text)
        if depth is None:
            self._tell(line, "Seafloor", f"{text.strip()[:40]!r} is not a depth in metres and was left out")
        elif position.number(text) is None:
            self.quirks["unit"] += 1
        return depth

    def _revisions(self, line: int, text: str) -> tuple[datetime, ...]:
        parts = [part for part in text.split("&") if part.strip()]
        dates = [at for part in parts if (at := moments.ctime(part))]
        if len(dates) < len(parts):
            message = f"{len(parts) - len(dates)} of {len(parts)} dates of revision are not understood"
            self._tell(line, "Revisions", message)
        return tuple(dates)

    def _look(self, said: dict[str, str]) -> None:
        """Count what this row shows of the file's dialect."""
        places = [said.get(column, "") for column in ("Latitude", "Longitude")]
        words = [said.get(column, "").strip() for column in ("Transect", "Station", "Cast")]
        compact, gps = said.get("dateTimeUTC", "").strip(), said.get("GPS_Time", "").strip()
        seen = {
            "comma": moments.comma_is_missing(said.get("Date", "")),
            "space": any(place[:1] == " " for place in places),
            "nan": any(word.casefold() == "nan" for word in words),
            "no_gps": any(place.strip().casefold() in ("no_gps", "nan") for place in places),
            "short": bool(compact) and not moments.compact(compact),
            "gps": bool(gps) and not position.is_empty(gps) and not moments.slashed(gps),
            "bare": bool(_MINUTE_NUMBER.match(said.get("R2R_Event", ""))),
            "cruised": "-SE-" in said.get("R2R_Event", ""),
        }
        self.quirks.update(name for name, found in seen.items() if found)
        if cruise := said.get("Cruise", "").strip():
            self.cruises[cruise] = None

    def notes(self) -> list[str]:
        """The quirks of the file, a sentence each."""
        have, named = self.quirks, len(self.header.values)
        notes = [
            f"{width} values under {named} headers ({_rows(count)}); kept as +{named + 1} to +{width}"
            for width, count in sorted(self.surplus.items())
        ]
        told = {
            "blank": "Blank lines between rows",
            "header": "The header comes again",
            "comma": "Date has no comma after the weekday",
            "space": "Coordinates begin with a blank",
            "nan": 'An empty transect, station or cast is written "NaN"',
            "no_gps": 'A missing position is written "NaN" or "NO_GPS"',
            "short": "dateTimeUTC is cut short or rounded, as a spreadsheet does on saving",
            "gps": "GPS_Time is not of the form YYYY/MM/DD HH:MM:SS",
            "unit": "Seafloor carries its unit",
            "date": "Date was re-written by a spreadsheet; the order of its parts follows from Event",
            "zeros": "The number lost zeros at its end, which were put back",
        }
        notes += [f"{sentence} ({_rows(have[quirk])})" for quirk, sentence in told.items() if have[quirk]]
        if have["bare"] and have["cruised"]:
            forms = f"{_rows(have['bare'])} without, {have['cruised']} with the cruise in front"
            notes.append(f"R2R_Event has two forms: {forms}")
        if absent := [column for column in COLUMNS if column not in self.place]:
            notes.append(f"Columns absent: {', '.join(absent)}")
        if len(self.cruises) > 1:
            notes.append(f"More than one cruise: {', '.join(list(self.cruises)[:10])}")
        times = [event.observed_at for event in self.events]
        if back := sum(later < sooner for sooner, later in pairwise(times)):
            notes.append(f"Events are not in order of time: {back} happened before the one above them")
        return notes


def _rows(count: int) -> str:
    return f"{count} row{'s' if count > 1 else ''}"


def _word(said: dict[str, str], column: str) -> str:
    text = said.get(column, "")
    return "" if position.is_empty(text) else text.strip()


def write(events: Iterable[Writable], cruise_id: str) -> str:
    """The events, in the order given, as R2R CSV of 19 columns; see `write_to`."""
    text = io.StringIO()
    write_to(text, events, cruise_id)
    return text.getvalue()


def write_to(file: TextIO, events: Iterable[Writable], cruise_id: str) -> None:
    """Writes the events, in the order given, as R2R CSV of 19 columns: RFC 4180, all values quoted, rows end in LF.

    To be encoded as UTF-8. Message ID counts from 1; Event is the part of the number behind the cruise;
    GPS_Time is the time of the event wherever there is a position, because the position is the one of that
    moment. Date and Revisions carry whole seconds, so fractions of theirs are cut off. Raises ValueError for
    a time without zone and for a coordinate or depth that is not finite.
    """
    # All values are quoted, as R2R does: without it the csv module leaves a lone carriage return unprotected.
    # Cells beginning with = + - @ stay as they are: an apostrophe put in front would change the record.
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows(_cells(message_id, event, cruise_id) for message_id, event in enumerate(events, start=1))


def _cells(message_id: int, event: Writable, cruise_id: str) -> tuple[str, ...]:
    """One row, in the order of COLUMNS."""
    at = utc(event.observed_at)
    number = event.number
    latitude, longitude = event.latitude, event.longitude
    placed = latitude is not None and longitude is not None
    return (
        str(message_id),
        moments.rfc2822_text(event.logged_at) if event.logged_at else "",
        number.rpartition("-SE-")[2],
        event.instrument,
        event.action,
        event.transect or "NaN",
        event.station or "NaN",
        event.cast or "NaN",
        _plain(latitude) if placed else "NaN",
        _plain(longitude) if placed else "NaN",
        _plain(event.seafloor_m),
        event.author,
        event.comment,
        cruise_id,
        number,
        moments.compact_text(at),
        moments.slashed_text(at) if placed else "",
        at.isoformat(),
        "".join([f" & {moments.ctime_text(revised)}" for revised in event.revised_at]),
    )


def _plain(value: float | None) -> str:
    """The shortest digits that read back as the same number, without exponent; "" for None."""
    if value is None:
        return ""
    if 0.001 < abs(value) < 1e15:
        return repr(float(value))  # no exponent in this range
    digits = Decimal(repr(float(value)))
    if not digits.is_finite():
        raise ValueError(f"{value} is not a number that can be written into a log")
    return format(digits, "f")
