"""A plain CSV or TSV whose columns somebody has named: what each holds, how its times and positions are written.
`propose` guesses that from the header and the first rows, for a person to look at; `read` never guesses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from . import moments, position, table
from .record import MOST_BYTES, LoggedEvent, Measurement, Problem, Reading, Unreadable

FORMAT = "table"
FIELDS = {
    "number": "id of the event, the same whenever the file is read",
    "observed_at": "when it happened: date and time",
    "date": "date, where the time of day has its own column",
    "time": "time of day, where the date has its own column",
    "ended_at": "when it ended",
    "logged_at": "when it was typed",
    "instrument": "instrument or gear",
    "action": "action",
    "transect": "transect",
    "station": "station",
    "cast": "cast",
    "latitude": "latitude",
    "longitude": "longitude",
    "seafloor_m": "water depth in metres",
    "author": "who logged it",
    "comment": "comment",
}
DATE_FORMATS = ("iso", "ymd", "dmy", "mdy", "epoch")
PREVIEW = 5
_MOST_REFUSALS = 10_000
# What headers of real logs are called, without blanks, points and units; the first column that matches is proposed.
_KNOWN = {
    "number": ("r2revent", "eventid", "eventnumber", "eventno", "identifier", "uuid", "id", "number"),
    "observed_at": (
        *("datetime8601", "datetimeutc", "datetime", "observedat", "eventtime", "timestamp", "ts", "timeutc", "utc"),
        *("when", "startdatetime", "starttime", "begintime", "dateandtime"),
    ),
    "date": ("date", "dateutc", "startdate", "day"),
    "time": ("time", "timeofday", "utctime", "gmt"),
    "ended_at": ("endedat", "enddatetime", "endtime", "stoptime"),
    "logged_at": ("loggedat", "created", "createdat", "creationtime", "entered"),
    "instrument": (
        "instrument",
        "gear",
        "device",
        "equipment",
        "tool",
        "eventvalue",
        "deviceoperation",
        "instrumentname",
    ),
    "action": ("action", "what", "activity", "event", "eventtype", "status", "process"),
    "transect": ("transect", "line", "section"),
    "station": ("station", "stationid", "stationname", "site", "stn"),
    "cast": ("cast", "castnumber", "castno", "haul", "tow"),
    "latitude": ("latitude", "lat", "decimallatitude", "startlatitude", "latitudedegreesnorth"),
    "longitude": ("longitude", "lon", "long", "lng", "decimallongitude", "startlongitude", "longitudedegreeseast"),
    "seafloor_m": ("seafloorm", "seafloor", "waterdepth", "waterdepthm", "bottomdepth", "sounding", "depthm"),
    "author": ("author", "eventauthor", "actor", "loggedby", "observer", "operator", "name"),
    "comment": ("comment", "comments", "remark", "remarks", "note", "notes", "eventfreetext", "description"),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file hold: {field of FIELDS: column}; `values` stand for fields that have no column."""

    columns: Mapping[str, str]
    date_format: str = "iso"
    time_zone: str = "UTC"
    position_style: str = "auto"
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Any) -> "Columns":
        """From JSON: `{field: column, …}` with `date_format`, `time_zone`, `position_style` and `values` beside.

        Raises Unreadable, saying which part is wrong.
        """
        if not isinstance(told, dict) or len(told) > 40:
            raise Unreadable("The mapping should be an object: {our field: their column}")
        told = {**told, **told["columns"]} if isinstance(told.get("columns"), dict) else dict(told)
        told.pop("columns", None)
        values = told.pop("values", {}) or {}
        options = {name: told.pop(name, default) for name, default in _OPTIONS.items()}
        for name, value in [*told.items(), *options.items(), *(values.items() if isinstance(values, dict) else ())]:
            if not isinstance(value, str) or len(value) > 200:
                raise Unreadable(f"The mapping of {str(name)[:40]!r} is not a text")
        if not isinstance(values, dict) or set(values) - set(FIELDS) - {"position"}:
            raise Unreadable('"values" should be an object of texts: {our field: the same for every row}')
        if odd := sorted(set(told) - set(FIELDS)):
            raise Unreadable(f"There is no field {str(odd[0])[:40]!r}; fields are {', '.join(FIELDS)}")
        made = cls({name: column for name, column in told.items() if column}, **options, values=values)
        made.check()
        return made

    def check(self) -> None:
        """Raises Unreadable for what cannot be used."""
        if self.position_style not in position.STYLES:
            raise Unreadable(f"position_style is {self.position_style[:40]!r}; write {', '.join(position.STYLES)}")
        if self.date_format not in DATE_FORMATS and "%" not in self.date_format:
            kinds = ", ".join(DATE_FORMATS)
            raise Unreadable(f"date_format is {self.date_format[:40]!r}; write {kinds}, or a pattern as %d.%m.%Y %H:%M")
        zone_of(self.time_zone)
        if not ("observed_at" in self.columns or {"date", "time"} <= set(self.columns)):
            raise Unreadable("The mapping names no column for observed_at, nor for date and time")
        if not {"instrument"} & (set(self.columns) | set(self.values)):
            raise Unreadable("The mapping names no column for instrument; give one, or a value for all rows")

    def as_json(self) -> dict[str, Any]:
        """What `of` reads."""
        options = {name: getattr(self, name) for name in _OPTIONS}
        return {**self.columns, **options, "values": dict(self.values)}


_OPTIONS = {"date_format": "iso", "time_zone": "UTC", "position_style": "auto"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A guess at the columns, for a person: `mapping` is what `Columns.of` reads and may lack what is needed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mapping: Mapping[str, Any] = field(hash=False)


def zone_of(name: str) -> tzinfo:
    """The zone of "UTC", "+02:00" or "Europe/Oslo". Raises Unreadable for another."""
    if name.strip().upper() in ("UTC", "GMT", "Z", ""):
        return UTC
    if found := re.fullmatch(r"([+-])(\d\d):?(\d\d)?", name.strip()):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        if offset <= timedelta(hours=14):
            return timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(name.strip())
    except (OSError, ValueError, LookupError) as error:
        raise Unreadable(f"time_zone is {name[:40]!r}; write UTC, +02:00 or Europe/Oslo") from error


def header_of(text: str, longest_row: int = table.LONGEST_ROW) -> tuple[table.Row, str]:
    """The first row that is not blank or a remark, and its delimiter: the one that parts it into most values."""
    start = text[: 2 * longest_row]
    found = []
    for delimiter in ",;\t|":
        rows = table.rows(start, delimiter, None, longest_row)
        row = next((row for row in rows if row.values and not row.values[0].startswith("#")), table.Row(1, ()))
        found.append((len(row.values) if not row.fault else 0, delimiter, row))
    _, delimiter, row = max(found, key=lambda one: one[0])
    return row, delimiter


def names_of(header: table.Row) -> list[str]:
    """The columns' names, each once; one without a name is called by its place."""
    return table.unique(value.strip() or f"+{place}" for place, value in enumerate(header.values, start=1))


def propose(data: bytes, *, most_bytes: int = MOST_BYTES) -> Proposal:
    """The columns, the first rows, and a mapping by the columns' names. Raises Unreadable if it is no table."""
    text, _, _ = table.decode(data, most_bytes)
    header, delimiter = header_of(text)
    if len(header.values) < 2:
        raise Unreadable("This is not a table: no delimiter parts its first row into columns", header.line)
    names = tuple(names_of(header))
    rows = []
    for row in table.rows(text[: 20 * table.LONGEST_ROW], delimiter):
        if row.line > header.line and row.values and not row.fault:
            rows.append(row.values)
        if len(rows) == 200:
            break
    plain = {re.sub(r"\(.*?\)|\[.*?\]|[^a-z0-9]", "", name.casefold()): name for name in reversed(names)}
    mapping: dict[str, Any] = {}
    for ours, known in _KNOWN.items():
        free = (plain[name] for name in known if name in plain and plain[name] not in mapping.values())
        if column := next(free, None):
            mapping[ours] = column
    if "observed_at" in mapping:
        mapping.pop("date", None), mapping.pop("time", None)
    elif "date" not in mapping and "time" in mapping:
        mapping["observed_at"] = mapping.pop("time")  # a column "time" alone holds both
    elif "time" not in mapping and "date" in mapping:
        mapping["observed_at"] = mapping.pop("date")
    column = mapping.get("observed_at") or mapping.get("date")
    samples = [row[names.index(column)] for row in rows if len(row) > names.index(column)] if column else []
    return Proposal(names, tuple(rows[:PREVIEW]), mapping | _OPTIONS | {"date_format": _order(samples), "values": {}})


def _order(samples: Sequence[str]) -> str:
    """The date format under which all samples can be read; "" where more than one would do."""
    said = [text.strip() for text in samples if text.strip()]
    if not said:
        return ""
    if all(moments.iso(text) or moments.iso(f"{text}T00:00") for text in said):
        return "iso"
    if all(re.fullmatch(r"\d{9,10}(\.\d+)?", text) for text in said):
        return "epoch"
    fits = [order for order in moments.ORDERS if all(moments.ordered(text, order) for text in said)]
    return fits[0] if len(fits) == 1 else ""


def read(
    data: bytes, columns: Columns, *, most_bytes: int = MOST_BYTES, longest_row: int = table.LONGEST_ROW
) -> Reading:
    """Every row as an event, as the mapping says. Raises Unreadable for a file or a mapping that cannot be used.

    A row whose time is not understood is refused, with the column. Columns that are not mapped become measurements;
    `original` holds every value. A row without a number gets one from its time, the same at every reading.
    """
    columns.check()
    text, encoding, notes = table.decode(data, most_bytes)
    header, delimiter = header_of(text, longest_row)
    names = names_of(header)
    if lacks := sorted({column for column in columns.columns.values() if column not in names}):
        raise Unreadable(f"The file has no column {lacks[0][:60]!r}; it has {', '.join(names)[:400]}", header.line)
    log = _Log(names, columns, zone_of(columns.time_zone))
    for row in table.rows(text, delimiter, log.widths, longest_row):
        if row.line > header.line and row.values and row.values != header.values:
            log.take(row)
    return Reading(FORMAT, encoding, tuple(names), tuple(log.events), tuple(log.problems), tuple(notes))


@dataclass(slots=True)
class _Log:
    """What has been read so far."""

    names: list[str]
    columns: Columns
    zone: tzinfo
    widths: set[int] = field(init=False)
    events: list[LoggedEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seconds: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    def __post_init__(self) -> None:
        self.widths = {len(self.names)}

    def _tell(self, line: int, column: str, message: str, *, fatal: bool = False) -> None:
        if message:
            self.problems.append(Problem(line, column, message, fatal))
        if fatal:
            self.refused += 1
            if self.refused > _MOST_REFUSALS:
                raise Unreadable(f"More than {_MOST_REFUSALS:,} rows cannot be read; is the mapping right?", line)

    def take(self, row: table.Row) -> None:
        """One more row: an event, or a refusal."""
        if row.fault and len(row.values) not in self.widths:
            self._tell(row.line, "", f"{row.fault}; the row was left out", fatal=True)
            return
        keys = [*self.names, *(f"+{place}" for place in range(len(self.names) + 1, len(row.values) + 1))]
        original = dict(zip(keys, row.values, strict=False))
        said = {ours: original.get(theirs, "") for ours, theirs in self.columns.columns.items()}
        said |= {ours: value for ours, value in self.columns.values.items() if not said.get(ours, "").strip()}
        at = self._when(said)
        if not at:
            column = self.columns.columns.get("observed_at") or self.columns.columns["date"]
            text = said.get("observed_at") or f"{said.get('date', '')} {said.get('time', '')}"
            form = self.columns.date_format
            self._tell(row.line, column, f"{text.strip()[:60]!r} is not a time in the form {form}", fatal=True)
            return
        self._event(row.line, said, original, at)

    def _when(self, said: dict[str, str]) -> datetime | None:
        if said.get("observed_at", "").strip():
            return self.moment(said["observed_at"])
        date, time = said.get("date", "").strip(), said.get("time", "").strip()
        if re.fullmatch(r"\d{3,4}|\d{6}", time):
            time = time.zfill(4)
            time = ":".join(time[place : place + 2] for place in range(0, len(time), 2))
        if self.columns.date_format == "iso" and re.fullmatch(r"\d{8}", date):
            date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
        return self.moment(f"{date} {time}") if date and time else None

    def moment(self, text: str) -> datetime | None:
        """The moment of a text in the mapping's form and zone, in UTC."""
        form, text = self.columns.date_format, text.strip()
        if form == "iso":
            at = moments.iso(text)
            if at and self.zone is not UTC and not re.search(r"(Z|[+-]\d\d(:?\d\d)?)\Z", text[11:]):
                at = at.replace(tzinfo=self.zone)
        elif form in moments.ORDERS:
            at = moments.ordered(text, form, self.zone)
        else:
            try:
                at = datetime.fromtimestamp(float(text), UTC) if form == "epoch" else datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
            except (ValueError, OverflowError, OSError, re.error):
                return None
            at = at if at.tzinfo else at.replace(tzinfo=self.zone)
        try:
            return at.astimezone(UTC) if at else None
        except OverflowError:
            return None

    def _later(self, line: int, said: dict[str, str], name: str) -> datetime | None:
        text = said.get(name, "")
        if position.is_empty(text):
            return None
        at = self.moment(text)
        if not at:
            self._tell(line, self.columns.columns.get(name, name), f"{text.strip()[:60]!r} is not understood as a time")
        return at

    def _event(self, line: int, said: dict[str, str], original: dict[str, str], at: datetime) -> None:
        style = self.columns.position_style
        place, complaint = position.place(said.get("latitude", ""), said.get("longitude", ""), style)
        self._tell(line, self.columns.columns.get("latitude", ""), complaint)
        end = self._later(line, said, "ended_at")
        if end and end < at:
            self._tell(line, self.columns.columns.get("ended_at", ""), "The end lies before the beginning; left out")
            end = None
        depth = said.get("seafloor_m", "")
        metres = None if position.is_empty(depth) else position.metres(depth)
        if metres is None and not position.is_empty(depth):
            self._tell(line, self.columns.columns.get("seafloor_m", ""), f"{depth[:40]!r} is not a depth in metres")
        mapped = set(self.columns.columns.values())
        words = {name: _word(said, name) for name in ("instrument", "action", "transect", "station", "cast", "author")}
        for name in ("instrument", "action"):
            if not words[name]:
                self._tell(line, self.columns.columns.get(name, name), f"The event names no {name}")
        self.events.append(
            LoggedEvent(
                number=said.get("number", "").strip() or self._number(at),
                observed_at=at,
                logged_at=self._later(line, said, "logged_at"),
                instrument=words["instrument"],
                action=words["action"],
                transect=words["transect"],
                station=words["station"],
                cast=words["cast"],
                author=words["author"],
                latitude=place[0] if place else None,
                longitude=place[1] if place else None,
                seafloor_m=metres,
                comment=said.get("comment", ""),
                measurements=tuple(
                    Measurement("file", name[:80], value.strip(), "")
                    for name, value in original.items()
                    if name not in mapped and value.strip()
                ),
                original=original,
                line=line,
                ended_at=end,
            )
        )

    def _number(self, at: datetime) -> str:
        second = f"row-{at:%Y%m%d.%H%M%S}"
        self.seconds[second] = self.seconds.get(second, 0) + 1
        return f"{second}-{self.seconds[second]:03d}"


def _word(said: dict[str, str], name: str) -> str:
    text = said.get(name, "")
    return "" if position.is_empty(text) else text.strip()
