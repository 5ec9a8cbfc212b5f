"""What the red pen marks: a finding with its sentence and its fixes; and the rows that its rules read. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventlog.exchange import position

SEVERITIES = ("error", "warning", "hint")
Fix = Mapping[str, Any]


@dataclass(slots=True)
class Finding:
    """One thing to look at.

    `severity`: "error" cannot be true, "warning" is probably not meant, "hint" is missing or unusual. `events` and
    `operations` are ids. A fix is a call that is ready to be made: {"label", "verb", …}; what it `asks` a person must
    still say.
    """

    code: str
    severity: str
    sentence: str
    events: Sequence[str] = ()
    operations: Sequence[str] = ()
    fixes: list[dict[str, Any]] = field(default_factory=list)
    about: str = ""  # what tells this finding from another of its code, where events do not

    @property
    def key(self) -> str:
        """The same for the same finding as long as it stands, whatever its sentence."""
        words = [self.code, self.about or ",".join(sorted([*self.events, *self.operations]))]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """The finding as the API tells it."""
        return {
            "key": self.key,
            "code": self.code,
            "severity": self.severity,
            "sentence": self.sentence,
            "events": list(self.events),
            "operations": list(self.operations),
            "fixes": self.fixes,
        }


@dataclass(slots=True)
class Row:
    """An event as the rules read it. Times are aware, degrees north and east, metres, seconds."""

    uuid: str
    number: str
    at: dt.datetime
    instrument: str = ""
    action: str = ""
    station: str = ""
    cast: str = ""
    latitude: float | None = None
    longitude: float | None = None
    nav_latitude: float | None = None
    nav_longitude: float | None = None
    nav_uncertainty_m: float | None = None
    logged_at: dt.datetime | None = None
    operation: int | None = None
    author: str = ""
    device: str = ""
    clock_offset_s: float | None = None
    comment: str = ""
    revision: int = 1

    @property
    def place(self) -> tuple[float, float] | None:
        """Degrees north and east: as typed, else as derived."""
        return position.best(self.latitude, self.longitude, self.nav_latitude, self.nav_longitude)

    @property
    def what(self) -> str:
        """Instrument and action."""
        return f"{self.instrument} {self.action}".strip()

    def __str__(self) -> str:
        return f"{self.what} at {clock(self.at)}"


@dataclass(slots=True)
class Run:
    """An operation as the rules read it; `rows` are its standing events in the order of their times."""

    uuid: str
    pk: int
    kind: str
    instrument: str
    cast: str
    station: str
    state: str
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    is_open: bool
    rows: list[Row] = field(default_factory=list)

    @property
    def begin(self) -> dt.datetime | None:
        """When it began, as far as that is known."""
        return self.started_at or (self.rows[0].at if self.rows else None)

    @property
    def aborted(self) -> bool:
        """What was given up is not held against the rules."""
        return self.state == "aborted"

    def __str__(self) -> str:
        return f"{self.instrument} {self.cast}".strip()


def clock(at: dt.datetime) -> str:
    """A time as pages write it."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """A span of time in words, as "3 h 5 min"."""
    minutes = round(abs(seconds) / 60)
    if minutes < 1:
        return f"{abs(seconds):.0f} s"
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join([f"{n} {unit}" for n, unit in parts if n][:2])


def revise(row: Row, label: str, **fields: Any) -> dict[str, Any]:
    """A fix that revises an event as it was seen."""
    return {"label": label, "verb": "revise", "uuid": row.uuid, "seen": row.revision, "fields": fields}
