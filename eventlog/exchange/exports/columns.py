"""The columns of strict tables: name, unit, type, bounds and meaning, and how a cell follows from a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .shape import Measured, Row
from .wording import exact, extras, moment

MOST_EXTRAS = 100  # columns of extra fields; more names are found in the column `extra` alone
EXTRA = "extra_"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `type` is one of XML Schema's: string, dateTimeStamp, double, integer; or json."""

    name: str
    unit: str
    type: str
    meaning: str
    cell: Callable[[Any], str]
    least: float | None = None
    most: float | None = None
    required: bool = False

    @property
    def title(self) -> str:
        """As it stands in the header, the unit in brackets."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


def text(name: str, meaning: str, cell: Callable[[Any], str], *, required: bool = False) -> Column:
    """A column of text."""
    return Column(name, "", "string", meaning, cell, required=required)


def time(name: str, meaning: str, cell: Callable[[Any], Any], *, required: bool = False) -> Column:
    """A column of times in UTC."""
    return Column(name, "UTC", "dateTimeStamp", meaning, lambda row: moment(cell(row)), required=required)


def real(
    name: str,
    unit: str,
    meaning: str,
    cell: Callable[[Any], float | None],
    least: float | None = None,
    most: float | None = None,
) -> Column:
    """A column of finite numbers."""
    return Column(name, unit, "double", meaning, lambda row: exact(cell(row)), least, most)


def latitude(name: str, meaning: str, cell: Callable[[Any], float | None]) -> Column:
    """A column of latitudes."""
    return real(name, "degrees_north", meaning, cell, -90, 90)


def longitude(name: str, meaning: str, cell: Callable[[Any], float | None]) -> Column:
    """A column of longitudes."""
    return real(name, "degrees_east", meaning, cell, -180, 180)


EVENT: tuple[Column, ...] = (
    text("uuid", "identifier of the event, made where it was logged", lambda r: r.uuid, required=True),
    text("number", "number of the event, as the R2R event logger numbers", lambda r: r.number),
    time("observed_at", "when it happened, or began", lambda r: r.observed_at, required=True),
    time("ended_at", "when it ended, of an event with a duration", lambda r: r.ended_at),
    time("logged_at", "when it was typed", lambda r: r.logged_at),
    text("instrument", "instrument, or Ship", lambda r: r.instrument),
    text("action", "what was done", lambda r: r.action),
    text("transect", "name of the transect", lambda r: r.transect),
    text("station", "name of the station", lambda r: r.station),
    text("cast", "cast, tow or dive number as logged", lambda r: r.cast),
    text("operation", "identifier of the operation it belongs to", lambda r: r.operation),
    text("operation_kind", "kind of that operation", lambda r: r.operation_kind),
    text("operation_cast", "cast number of that operation", lambda r: r.operation_cast),
    latitude("latitude", "best position: as entered, else as derived from navigation", lambda r: r.latitude),
    longitude("longitude", "best position: as entered, else as derived from navigation", lambda r: r.longitude),
    text(
        "position_source", "entered (by a person or an imported file), derived, or empty", lambda r: r.position_source
    ),
    real("seafloor_depth", "m", "best water depth: as entered, else from the sounder", lambda r: r.seafloor_m),
    latitude("entered_latitude", "as a person or an imported file said", lambda r: r.entered_latitude),
    longitude("entered_longitude", "as a person or an imported file said", lambda r: r.entered_longitude),
    real("entered_seafloor_depth", "m", "as a person or an imported file said", lambda r: r.entered_depth_m),
    latitude("derived_latitude", "from the stored navigation", lambda r: r.nav_latitude),
    longitude("derived_longitude", "from the stored navigation", lambda r: r.nav_longitude),
    text("derived_method", "exact, interpolated, extrapolated, or none", lambda r: r.nav_method),
    text("derived_feed", "navigation feed that it was derived from", lambda r: r.nav_feed),
    real("derived_gap", "s", "seconds between the fixes around the event", lambda r: r.nav_gap_s, 0),
    real("derived_uncertainty", "m", "uncertainty of the derived position, 95 %", lambda r: r.nav_uncertainty_m, 0),
    real("derived_seafloor_depth", "m", "water depth from a sounder's feed", lambda r: r.nav_depth_m),
    real("derived_course", "degree", "course over ground, from true north", lambda r: r.nav_course_deg, 0, 360),
    real("derived_speed", "m s-1", "speed over ground", lambda r: r.nav_speed_mps, 0),
    text("author", "who logged it; empty where names are not given out", lambda r: r.author),
    text("device", "tablet or program on which it was logged", lambda r: r.device),
    real("clock_offset", "s", "seconds by which that device's clock ran ahead", lambda r: r.clock_offset_s),
    text("comment", "free text", lambda r: r.comment),
    text("source", "web, api, or the format it was imported from", lambda r: r.source),
    Column("revision", "", "integer", "1: never changed", lambda r: str(r.revision), 1, required=True),
    Column("edits", "", "integer", "how often a person changed it", lambda r: str(len(r.revised_at)), 0, required=True),
    time("edited_at", "when a person changed it last", lambda r: max(r.revised_at, default=None)),
    Column("extra", "", "json", "all answers to the template's fields, as a JSON object", lambda r: extras(r.extra)),
)


def of_extra(name: str) -> Column:
    """The column of one extra field. Its values may be of any kind, so it is text."""

    def cell(row: Row) -> str:
        value = row.extra.get(name)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return exact(value) if isinstance(value, float) else str(value)

    return text(f"{EXTRA}{name}", f"answer to the template's field {name}", cell)


def of_events(extra: Sequence[str]) -> tuple[Column, ...]:
    """The columns of the table of events: always the same, and behind them one for each extra field of the log."""
    taken = {column.title for column in EVENT}
    return EVENT + tuple(column for name in extra[:MOST_EXTRAS] if (column := of_extra(name)).title not in taken)


def of_measurements(uuids: Callable[[int], str]) -> tuple[Column, ...]:
    """The columns of the table of measurements; `uuids` gives the identifier of an event by its key."""

    def uuid(one: Measured) -> str:
        return uuids(one.key)

    return (
        text("event", "identifier of the event", uuid, required=True),
        text("source", "instrument or program", lambda m: m.source),
        text("name", "what was measured", lambda m: m.name),
        text("value", "as the source wrote it", lambda m: m.value),
        text("unit", "as the source wrote it", lambda m: m.unit),
    )


def named(columns: Iterable[Column]) -> dict[str, Column]:
    """The columns by name."""
    return {column.name: column for column in columns}
