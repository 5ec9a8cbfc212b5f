"""The shapes that the writers of exports take: events, operations, places and facts of the cruise, as plain values.
Times are aware and in UTC, degrees north and east, metres down; None and "" mean that it is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from eventlog.exchange import position

METHODS = ("exact", "interpolated", "extrapolated", "none")  # how a position was derived, best first


class Row(NamedTuple):
    """One event. What a person entered and what follows from navigation stand side by side; numbers are finite."""

    key: int  # of the database, never exported
    uuid: str
    number: str
    observed_at: datetime
    ended_at: datetime | None
    logged_at: datetime | None
    instrument: str
    action: str
    transect: str
    station: str
    cast: str
    operation: str  # UUID
    operation_kind: str
    operation_cast: str
    operation_state: str
    entered_latitude: float | None
    entered_longitude: float | None
    entered_depth_m: float | None
    nav_latitude: float | None
    nav_longitude: float | None
    nav_depth_m: float | None
    nav_course_deg: float | None
    nav_speed_mps: float | None
    nav_method: str
    nav_feed: str
    nav_gap_s: float | None
    nav_uncertainty_m: float | None
    author: str
    device: str
    clock_offset_s: float | None
    comment: str
    extra: Mapping[str, Any]
    source: str
    struck_at: datetime | None
    revision: int
    revised_at: tuple[datetime, ...] = ()

    @property
    def is_entered(self) -> bool:
        """Whether a person or an imported file said where it was."""
        return self.entered_latitude is not None and self.entered_longitude is not None

    @property
    def place(self) -> tuple[float, float] | None:
        """(degrees north, degrees east): as entered, else as derived; None: not known."""
        return position.best(self.entered_latitude, self.entered_longitude, self.nav_latitude, self.nav_longitude)

    @property
    def latitude(self) -> float | None:
        """Degrees north of `place`."""
        return self.place[0] if self.place else None

    @property
    def longitude(self) -> float | None:
        """Degrees east of `place`."""
        return self.place[1] if self.place else None

    @property
    def position_source(self) -> str:
        """ "entered" by a person or an imported file, "derived" from navigation, or ""."""
        return "entered" if self.is_entered else "derived" if self.place else ""

    @property
    def seafloor_m(self) -> float | None:
        """Depth of the seafloor: as entered, else from the sounder's feed."""
        return self.entered_depth_m if self.entered_depth_m is not None else self.nav_depth_m

    @property
    def what(self) -> str:
        """Instrument and action."""
        return f"{self.instrument} {self.action}".strip()


class Plain(NamedTuple):
    """One event as R2R's columns have it: the best position and depth, whoever said them."""

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
    revised_at: tuple[datetime, ...]


class Operation(NamedTuple):
    """A cast, a tow, a mooring, a dive, a line."""

    uuid: str
    kind: str
    instrument: str
    cast: str
    station: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    is_open: bool
    comment: str


class Place(NamedTuple):
    """A station, or a transect with its end."""

    uuid: str
    kind: str
    name: str
    aliases: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    end_latitude: float | None
    end_longitude: float | None
    depth_m: float | None
    is_planned: bool
    comment: str


class Measured(NamedTuple):
    """A value that an instrument gave at the time of an event (its key), as the source wrote it."""

    key: int
    source: str
    name: str
    value: str
    unit: str


class Change(NamedTuple):
    """A later revision of an event (its key): {field: [before, after]}."""

    key: int
    number: int
    at: datetime
    by: str
    verb: str
    reason: str
    changes: Mapping[str, Any]
    after_close: bool


class Sealed(NamedTuple):
    """A seal: when, over which revisions, and the digest of the last of them."""

    at: datetime
    sequence: int
    head: str


@dataclass(frozen=True, slots=True)
class Person:
    """A chief scientist, whose name is public."""

    name: str
    institution: str
    orcid: str
    role: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of the cruise and of the log as a whole; `as_of` is when the log was changed last."""

    cruise_id: str
    uuid: str
    title: str
    summary: str
    vessel_id: str
    vessel: str
    operator: str
    depart_date: date
    depart_port: str
    arrive_date: date
    arrive_port: str
    chiefs: tuple[Person, ...]
    state: str
    opened_at: datetime | None
    closed_at: datetime | None
    sequence: int
    head: str
    as_of: datetime
    seals: tuple[Sealed, ...]
    repository: str
    contact: str
    is_whole: bool  # False: a selection of the log

    @property
    def selection(self) -> str:
        """A sentence on how much of the log it is."""
        part = "all standing events" if self.is_whole else "a selection of the standing events"
        return f"{part} of the event log as of its revision {self.sequence}"


@dataclass(frozen=True, slots=True)
class Source:
    """A log to be exported. The callables read it anew at each call, in the same order and the same state."""

    facts: Facts
    count: int  # events in `rows`
    rows: Callable[[], Iterator[Row]]  # by time, then by number
    plain: Callable[[], Iterator[Plain]]  # the same events with fewer columns, which is quicker
    operations: Callable[[], Sequence[Operation]]  # those of the events, by beginning
    places: Callable[[], Sequence[Place]]
    measurements: Callable[[], Iterator[Measured]]  # those of the events, by time of the event
    changes: Callable[[], Mapping[int, Sequence[Change]]]
    extras: Callable[[], Sequence[str]]  # names of extra fields used anywhere in the log, sorted
