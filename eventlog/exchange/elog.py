"""The native files of ELOG, `YYMMDDa.log`: messages with attributes and a body, one after the other.
The layout is what elogd itself writes (el_submit): `$@MID@$: n`, Date, attributes, 40 equals signs, the body."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from . import moments, position, table
from .markup import from_elcode, from_html
from .record import MOST_BYTES, LoggedEvent, Problem, Reading, Unreadable

FORMAT = "elog"
MARK = "$@MID@$:"
MOST_MESSAGES = 200_000
MOST_EXTRA = 15_000  # characters of further attributes of a message that are kept beside it; the original has all
_START = re.compile(r"^\$@MID@\$:[ \t]*([^\r\n]*)\r?\n?", re.MULTILINE)
_BREAK = re.compile(r"^={40}[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_MINUTE = re.compile(r"(?:.*-)?\d{8}\.\d{4}\.\d{3}\Z", re.ASCII)
# How logs of the sea name what an event needs; the first attribute that says something is taken.
_NAMES = {
    "instrument": ("instrument", "device", "gear", "category", "type", "system"),
    "action": ("action", "activity", "status"),
    "transect": ("transect", "line"),
    "station": ("station", "site"),
    "cast": ("cast",),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon"),
    "seafloor": ("seafloor", "sounding"),
    "author": ("author", "name of author", "logger"),
    "comment": ("comment", "comments"),
}
_OWN = frozenset({"date", "encoding", "attachment", "reply to", "in reply to", "locked by", "draft"})
_TOLD = _OWN | {
    *("r2r_event", "datetimeutc", "gps_time", "datetime8601", "time|position", "revisions"),
    *(name for names in _NAMES.values() for name in names[:1]),
    *("lat", "lon", "sounding", "comments"),
}


def looks_like(data: bytes) -> bool:
    """True for bytes that begin as such a file does."""
    return data[:200].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(MARK.encode())


def read(data: bytes, *, most_bytes: int = MOST_BYTES) -> Reading:
    """Every message as an event. Several files may be joined into one. Raises Unreadable if it is no such file.

    - Happened: dateTime8601, dateTimeUTC, the time in "Time|Position" (as AZMP configures ELOG), else Date, when the
      message was begun. Typed: Date.
    - Number: R2R_Event or Event if of the form YYYYMMDD.HHMM.NNN, else `elog-` with Date and the message's id,
      which elogd keeps through edits and replies.
    - Comment: the attribute Comment, then the body; HTML and ELCode become plain text.
    - Every other attribute with a value, the names of attachments and the ids of replies become `extra`; `original`
      holds every attribute and the body as they are.
    """
    text, encoding, notes = table.decode(data, most_bytes)
    starts = list(_START.finditer(text))
    if not starts:
        raise Unreadable(f"This is not an ELOG file: no line begins with {MARK}")
    if len(starts) > MOST_MESSAGES:
        raise Unreadable(f"The file has more than {MOST_MESSAGES:,} messages")
    if text[: starts[0].start()].strip():
        notes.append("There is text before the first message, which belongs to none")
    log = _Log()
    line = at = 0
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        line += text.count("\n", at, start.start())
        at = start.start()
        log.take(line + 1, start[1].strip(), text[start.end() : following.start() if following else len(text)])
    return Reading(FORMAT, encoding, tuple(log.columns), tuple(log.events), tuple(log.problems), (*notes, *log.notes()))


@dataclass(slots=True)
class _Log:
    """What has been read so far."""

    events: list[LoggedEvent] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=dict)
    encodings: dict[str, int] = field(default_factory=dict)
    replies: int = 0
    attachments: int = 0
    typed: int = 0

    def _tell(self, line: int, column: str, message: str, *, fatal: bool = False) -> None:
        if message:
            self.problems.append(Problem(line, column, message, fatal))

    def take(self, line: int, mid: str, message: str) -> None:
        """One more message: an event, or a refusal."""
        gap = _BREAK.search(message)
        if not mid.isdecimal() or len(mid) > 12:
            self._tell(line, "MID", f"The id {mid[:40]!r} of a message is not a number", fatal=True)
        elif not gap:
            self._tell(line, "", f"Message {mid} has no line of 40 = after its attributes; is it cut off?", fatal=True)
        elif gap.start() > table.LONGEST_ROW or len(message) - gap.end() > table.LONGEST_ROW:
            self._tell(line, "", f"Message {mid} is longer than {table.LONGEST_ROW:,} characters", fatal=True)
        else:
            original = self._attributes(line, message[: gap.start()])
            body = message[gap.end() :]
            for end in ("\r\n\r\n", "\n\n", "\r\n", "\n"):  # elogd ends a body with a line feed, editors with two
                if body.endswith(end):
                    body = body.removesuffix(end)
                    break
            self._event(line, mid, original, body)

    def _attributes(self, line: int, head: str) -> dict[str, str]:
        found: dict[str, str] = {}
        last = ""
        for text in head.splitlines():
            name, colon, value = text.partition(":")
            if colon and name.strip() and not name[:1].isspace():
                last = name.strip()
                if last in found:
                    self._tell(line, last, f"The attribute {last[:60]} comes twice; the later value is kept")
                found[last] = value.strip()
            elif text.strip() and last:
                found[last] += f"\n{text}"  # an attribute that was typed with a line break
        for name in found:
            self.columns[name] = None
        return found

    def _event(self, line: int, mid: str, original: dict[str, str], body: str) -> None:
        said = {name.casefold(): value for name, value in original.items()}
        logged_at = moments.rfc2822(said.get("date", "")) or moments.iso(said.get("date", ""))
        at, place = self._when_and_where(line, said, logged_at)
        if not at:
            self._tell(line, "Date", f"Message {mid} has no time that is understood", fatal=True)
            return
        values = {ours: _first(said, names) for ours, names in _NAMES.items()}
        for ours in ("instrument", "action"):
            if not values[ours]:
                self._tell(line, ours.title(), f"The event names no {ours}")
        words = [values["comment"], self._plain(body, said.get("encoding", ""))]
        self.events.append(
            LoggedEvent(
                number=_number(mid, said, logged_at or at),
                observed_at=at,
                logged_at=logged_at,
                instrument=values["instrument"],
                action=values["action"],
                transect=values["transect"],
                station=values["station"],
                cast=values["cast"],
                latitude=place[0] if place else None,
                longitude=place[1] if place else None,
                seafloor_m=self._seafloor(line, values["seafloor"]),
                author=values["author"],
                comment="\n".join(word for word in words if word.strip()),
                revised_at=self._revisions(line, said.get("revisions", "")),
                original={"MID": mid, **original, "Text": body},
                line=line,
                extra=self._extra(line, said, original, values),
            )
        )

    def _when_and_where(
        self, line: int, said: dict[str, str], typed: datetime | None
    ) -> tuple[datetime | None, tuple[float, float] | None]:
        latitude, longitude = _first(said, _NAMES["latitude"]), _first(said, _NAMES["longitude"])
        parts = [part.strip() for part in said.get("time|position", "").split("|")]
        sniffed = None
        if len(parts) == 4:
            day = moments.iso(f"{parts[0]}T12:00")
            sniffed = moments.iso(f"{parts[0]}T{parts[1][:2]}:{parts[1][2:4]}:{parts[1][4:]}") if day else None
            latitude, longitude = latitude or parts[2], longitude or parts[3]
        place, complaint = position.place(latitude, longitude)
        self._tell(line, "Time|Position" if len(parts) == 4 else "Latitude", complaint)
        at = moments.iso(said.get("datetime8601", "")) or moments.compact(said.get("datetimeutc", "")) or sniffed
        if not at and typed:
            self.typed += 1
        return at or typed, place

    def _seafloor(self, line: int, text: str) -> float | None:
        depth = None if position.is_empty(text) else position.metres(text)
        if depth is None and not position.is_empty(text):
            self._tell(line, "Seafloor", f"{text[:40]!r} is not a depth in metres; it is kept beside the event")
        return depth

    def _revisions(self, line: int, text: str) -> tuple[datetime, ...]:
        parts = [part for part in text.split("&") if part.strip()]
        dates = [at for part in parts if (at := moments.ctime(part) or moments.ordered(part, "dmy"))]
        if len(dates) < len(parts):
            self._tell(line, "Revisions", f"{len(parts) - len(dates)} of {len(parts)} dates are not understood")
        return tuple(dates)

    def _plain(self, body: str, encoding: str) -> str:
        kind = encoding.strip().casefold() or "plain"
        self.encodings[kind] = self.encodings.get(kind, 0) + 1
        if kind == "html":
            return from_html(body)
        return from_elcode(body) if kind == "elcode" else body

    def _extra(
        self, line: int, said: dict[str, str], original: dict[str, str], values: dict[str, str]
    ) -> dict[str, str]:
        taken = set(values.values()) - {""}
        extra = {
            name: value
            for name, value in original.items()
            if value and name.casefold() not in _TOLD and not (name.casefold() in _FALLBACKS and value in taken)
        }
        if files := [name.strip() for name in said.get("attachment", "").split(",") if name.strip()]:
            extra["attachments"] = ", ".join(files)
            self.attachments += len(files)
        for name in ("reply to", "in reply to", "locked by", "draft"):
            if value := said.get(name, ""):
                extra[name] = value
        self.replies += "in reply to" in extra
        if "draft" in extra:
            self._tell(line, "Draft", f"This message is a draft of {extra['draft'][:60]} and was never submitted")
        if sum(len(name) + len(value) for name, value in extra.items()) > MOST_EXTRA:
            self._tell(line, "", "The further attributes are too long to stand beside the event; the original has them")
            return {}
        return extra

    def notes(self) -> list[str]:
        """What the file is like, a sentence each."""
        notes = []
        if kinds := {kind: count for kind, count in self.encodings.items() if kind != "plain"}:
            told = ", ".join(f"{count} in {kind}" for kind, count in sorted(kinds.items()))
            notes.append(f"Bodies that became plain text: {told}")
        if self.replies:
            notes.append(f"{self.replies} messages are replies; the ids stand beside the events")
        if self.attachments:
            notes.append(f"{self.attachments} attached files are named; the files themselves are not in a .log file")
        if self.typed:
            notes.append(f"In {self.typed} messages only Date tells the time, when the message was begun")
        return notes


_FALLBACKS = frozenset(name for names in _NAMES.values() for name in names[1:])


def _first(said: dict[str, str], names: tuple[str, ...]) -> str:
    return next((said[name] for name in names if not position.is_empty(said.get(name, ""))), "")


def _number(mid: str, said: dict[str, str], typed: datetime) -> str:
    for name in ("r2r_event", "event"):
        if _MINUTE.match(said.get(name, "")):
            return said[name]
    return f"elog-{typed:%Y%m%d.%H%M%S}-{mid}"
