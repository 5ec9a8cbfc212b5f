"""Which rows of a file are new to a log, which are the same, and where others differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from eventlog import logbook
from eventlog.exchange import document
from eventlog.exchange.record import LoggedEvent, Reading
from eventlog.intake.report import RowReport
from eventlog.logbook.fields import MOST_EXTRA
from eventlog.models import Event

LONGEST = {**logbook.LONGEST, "number": 60, "author": 120}
MOST_MEASUREMENTS = 1000  # of one event
# Half a unit of the sixth decimal, to which R2R writes degrees: 6 cm. Depths agree to the millimetre.
CLOSE_DEGREES, CLOSE_METRES = 5e-7, 5e-4
_WORDS = ("instrument", "action", "transect", "station", "comment")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that can be taken in, with what is to be said about it; or one that was refused."""

    event: LoggedEvent | None
    row: RowReport


def prepared(reading: Reading) -> list[Prepared]:
    """Every row of a file, in the order of its lines: bounded, with a number of its own, with its remarks.

    A row without a number gets one from its time and its words; one whose number another row of the file bears,
    with other words, gets that number with "-2". An identical row is the "same" as the first.
    """
    remarks: dict[int, list[str]] = {}
    columns: dict[int, str] = {}
    rows: list[Prepared] = []
    for problem in reading.problems:
        said = f"{problem.column}: {problem.message}" if problem.column else problem.message
        if problem.fatal:
            refusal = RowReport(problem.line, "", "refused", problem.message, problem.column)
            rows.append(Prepared(None, refusal))
        else:
            remarks.setdefault(problem.line, []).append(said)
            columns.setdefault(problem.line, problem.column)
    taken: dict[str, LoggedEvent] = {}
    for event in reading.events:
        said = "; ".join(remarks.get(event.line, ()))
        rows.append(_prepared(event, said, columns.get(event.line, ""), taken))
    return sorted(rows, key=lambda one: one.row.line)


def _prepared(event: LoggedEvent, said: str, column: str, taken: dict[str, LoggedEvent]) -> Prepared:
    if not event.number:
        words = json.dumps(event.original, sort_keys=True, default=str).encode()
        event = replace(event, number=f"row-{event.observed_at:%Y%m%d.%H%M%S}-{hashlib.sha256(words).hexdigest()[:8]}")
        said = "; ".join(filter(None, [said, f"it was given the number {event.number}"]))
    first = taken.get(event.number)
    copy = 1
    while first is not None:
        if not _told_apart(first, event):
            says = f"the same as line {first.line}" if first.line else "the same as another row"
            return Prepared(None, RowReport(event.line, event.number, "same", says, column))
        copy += 1
        number = f"{event.number}-{copy}"
        if number not in taken:
            said = "; ".join(
                filter(None, [said, f"line {first.line} has the number {event.number} too; kept as {number}"])
            )
            event = replace(event, number=number)
            break
        first = replace(taken[number], number=event.number)
    if fault := _out_of_bounds(event):
        return Prepared(None, RowReport(event.line, event.number[:60], "refused", *fault))
    taken[event.number] = event
    return Prepared(event, RowReport(event.line, event.number, "new", said, column))


def _told_apart(one: LoggedEvent, other: LoggedEvent) -> bool:
    return replace(one, line=0, original={}) != replace(other, line=0, original={}) or one.extra != other.extra


def _out_of_bounds(event: LoggedEvent) -> tuple[str, str] | None:
    """(message, field) of what cannot be kept."""
    if long := [name for name, most in LONGEST.items() if len(getattr(event, name)) > most]:
        return ", ".join(f"{name} has more than {LONGEST[name]:,} characters" for name in long), long[0]
    if len(event.measurements) > MOST_MEASUREMENTS:
        return f"has more than {MOST_MEASUREMENTS:,} measurements", "measurements"
    for one in event.measurements:
        if len(one.source) > 80 or len(one.name) > 80 or len(one.unit) > 40:
            return f"the measurement {one.name[:40]!r} has a name, source or unit that is too long", "measurements"
    if any(not isinstance(value, str | int | float | bool | None) for value in event.extra.values()):
        return "extra should hold a text, a number, or yes or no under each name", "extra"
    if event.extra and len(json.dumps(event.extra)) > MOST_EXTRA:
        return f"extra has more than {MOST_EXTRA:,} characters", "extra"
    if "\0" in event.number + event.comment:
        return "holds a NUL character", ""
    return None


def differences(stands: Event, row: LoggedEvent, form: str) -> dict[str, tuple[Any, Any]]:
    """{field of the event: (in the log, in the file)} where both say something else.

    What the file's format cannot say, or leaves empty, is not compared: end, further answers, author. A position or a
    depth that the log derived from navigation counts as said. Casts that differ by leading zeros are the same.
    """
    found: dict[str, tuple[Any, Any]] = {}
    if stands.observed_at != row.observed_at:
        found["observed_at"] = (stands.observed_at, row.observed_at)
    for name in _WORDS:
        said = getattr(row, name)
        if getattr(stands, name) != said and getattr(stands, name).strip() != said.strip():
            found[name] = (getattr(stands, name), said)
    if stands.cast != row.cast and _plain_cast(stands.cast) != _plain_cast(row.cast):
        found["cast"] = (stands.cast, row.cast)
    if row.author and stands.author_name != row.author:
        found["author_name"] = (stands.author_name, row.author)
    at = stands.place
    there = _close(at and at[0], row.latitude, CLOSE_DEGREES) and _close(at and at[1], row.longitude, CLOSE_DEGREES)
    if not there and (row.latitude is not None or stands.latitude is not None):
        found["latitude"] = (stands.latitude, row.latitude)
        found["longitude"] = (stands.longitude, row.longitude)
    deep = _close(stands.water_depth_m, row.seafloor_m, CLOSE_METRES)
    if not deep and (row.seafloor_m is not None or stands.seafloor_m is not None):
        found["seafloor_m"] = (stands.seafloor_m, row.seafloor_m)
    whole = form == document.FORMAT
    if (row.ended_at or whole) and stands.ended_at != row.ended_at:
        found["ended_at"] = (stands.ended_at, row.ended_at)
    if (row.extra or whole) and stands.extra != dict(row.extra):
        found["extra"] = (stands.extra, dict(row.extra))
    return found


def _plain_cast(text: str) -> str:
    return text.removesuffix(".0").lstrip("0") or text


def _close(one: float | None, other: float | None, within: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= within


def compared(
    batch: Iterable[Prepared], known: dict[str, Event], form: str, *, revise: bool
) -> Iterator[tuple[Prepared, Event | None, RowReport]]:
    """Each row with the event that stands under its number, if any, and what is to be done with it."""
    for one in batch:
        event = known.get(one.event.number) if one.event is not None else None
        if one.event is None or event is None:
            yield one, None, one.row
        elif not (found := differences(event, one.event, form)):
            said = "it is struck in the log" if event.struck_at else one.row.message
            yield one, event, replace(one.row, result="same", message=said)
        elif event.struck_at:
            yield one, event, replace(one.row, result="differs", message="it is struck in the log", differs=found)
        elif revise:
            yield one, event, replace(one.row, result="revised", message=", ".join(found), differs=found)
        else:
            said = f"is in the log with another {', '.join(found)}; the log was left as it is"
            yield one, event, replace(one.row, result="differs", message=said, differs=found)
