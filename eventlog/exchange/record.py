"""The shapes in which every format hands over what it read: events, problems and the reading as a whole.
They hold what the source said, in units that are fixed here, beside the source's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_BYTES = 100_000_000  # a log of a year at sea is a few MB; more is not a log


class Unreadable(Exception):
    """The file as a whole cannot be read. `message` is a sentence; `line` is 1-based, 0 if none."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message, line)
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value kept beside an event, as the source wrote it: by which source, of what, and in which unit."""

    source: str
    name: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a log. Times are aware and in UTC; None and "" mean that the source does not say.

    `observed_at` is when it happened, `logged_at` when it was typed. Degrees are north and east, metres down.
    `original` is the whole source row, serialisable as JSON; `line` is where it began in the source, 1-based.
    `ended_at` is the end of an event with a duration; `extra` holds answers to further questions, {name: text,
    number, yes or no}.
    """

    number: str
    observed_at: datetime
    logged_at: datetime | None
    instrument: str
    action: str
    transect: str
    station: str
    cast: str
    latitude: float | None
    longitude: float | None
    seafloor_m: float | None
    author: str
    comment: str
    revised_at: tuple[datetime, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    original: Mapping[str, Any] = field(default_factory=dict, hash=False)
    line: int = 0
    ended_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row, in a sentence to act on. Fatal: the row is not among the events."""

    line: int
    column: str
    message: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read from one file. `columns` as the source names them; `notes` are its dialect's quirks.

    `header` holds what the file says of itself as a whole (our own document only; empty for the others).
    """

    format: str
    encoding: str
    columns: tuple[str, ...]
    events: tuple[LoggedEvent, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    header: Mapping[str, Any] = field(default_factory=dict, hash=False)


def utc(at: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a time without zone, whose moment nobody can know."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return at.astimezone(UTC)
