"""Takes in log files of other programs: nothing is lost, nothing is doubled, and every row is accounted for."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from eventlog import ledger, logbook
from eventlog.exchange import detect
from eventlog.exchange.record import LoggedEvent, Reading, Unreadable
from eventlog.logbook.events import whole
from eventlog.models import Event, Import, Log, Measurement
from eventlog.states import LOG
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

BATCH = 1000
# Fields of a row that must agree for it to be the same event.
SAME = (
    "observed_at",
    "instrument",
    "action",
    "transect",
    "station",
    "cast",
    "latitude",
    "longitude",
    "seafloor_m",
    "author",
    "comment",
)
LONGEST = {**logbook.LONGEST, "number": 60, "author": 120}


@dataclass(frozen=True, slots=True)
class RowReport:
    """What came of one row: "new", "same" (in the log already), "differs" (left as it is), or "refused"."""

    line: int
    number: str
    result: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a file."""

    format: str
    notes: tuple[str, ...]
    rows: tuple[RowReport, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came to what."""
        return dict(Counter(row.result for row in self.rows))


def read(name: str, data: bytes, aux: bytes | None = None) -> Reading:
    """Reads a log file of any known format. Raises NotLikeThis when it is none."""
    try:
        return detect.read_any(name, data, aux)
    except Unreadable as error:
        raise NotLikeThis(
            f"{name} cannot be read as an event log.", [Fault("", error.message, error.line or None)]
        ) from error


@transaction.atomic
def import_events(
    *, log: Log, name: str, data: bytes, by: Actor, aux: bytes | None = None, dry_run: bool = False
) -> Report:
    """Takes the events of a file into an open log.

    A row whose number is in the log already is compared and never overwritten. Raises NotYou, NotNow for a log that is
    not open, NotLikeThis for a file that is no log.
    """
    log = ledger.locked(log)
    access.require(by, "eventlog.import", log)
    if log.state != "open":
        raise NotNow(f"The {log} is {log.state}: {LOG.states[log.state]}. Open it before importing.")
    reading = read(name, data, aux)
    wanted, rows = _sorted_out(log, reading)
    report = Report(reading.format, reading.notes, tuple(sorted(rows, key=lambda row: row.line)))
    if dry_run:
        return report
    now = timezone.now()
    _write(log, wanted, reading.format, by)
    stored = Import.objects.create(
        log=log,
        name=name[:200],
        data=data if aux is None else data + b"\n\x1e\n" + aux,
        sha256=hashlib.sha256(data).hexdigest(),
        format=reading.format,
        counts=report.counts,
        notes=list(reading.notes),
        problems=[asdict(problem) for problem in reading.problems],
        at=now,
        by_name=str(by),
    )
    journal.record(by, "eventlog.import", stored, changes={k: [None, v] for k, v in report.counts.items()})
    return report


def _sorted_out(log: Log, reading: Reading) -> tuple[list[LoggedEvent], list[RowReport]]:
    """Which rows are new, and the report on all of them."""
    known = {event.number: event for event in log.events.filter(number__in=[e.number for e in reading.events])}
    seen: dict[str, LoggedEvent] = {}
    wanted, rows = [], []
    remarks: dict[int, list[str]] = {}
    for problem in reading.problems:
        if problem.fatal:
            rows.append(RowReport(problem.line, "", "refused", _said(problem.column, problem.message)))
        else:
            remarks.setdefault(problem.line, []).append(_said(problem.column, problem.message))
    for event in reading.events:
        message = "; ".join(remarks.get(event.line, ()))
        if long := [name for name, most in LONGEST.items() if len(getattr(event, name)) > most]:
            text = ", ".join(f"{name} has more than {LONGEST[name]:,} characters" for name in long)
            rows.append(RowReport(event.line, event.number[:60], "refused", text))
            continue
        other: Any = known[event.number].logged() if event.number in known else seen.get(event.number)
        if other is None:
            seen[event.number] = event
            wanted.append(event)
            rows.append(RowReport(event.line, event.number, "new", message))
            continue
        different = [name for name in SAME if getattr(other, name) != getattr(event, name)]
        if different:
            text = f"is in the log with another {', '.join(different)}; the log was left as it is"
            rows.append(RowReport(event.line, event.number, "differs", text))
        else:
            rows.append(RowReport(event.line, event.number, "same", message))
    return wanted, rows


def _said(column: str, message: str) -> str:
    return f"{column}: {message}" if column else message


def _write(log: Log, wanted: Iterable[LoggedEvent], source: str, by: Actor) -> None:
    """Events, their first revisions and their measurements, in bulk."""
    rows = list(wanted)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        events = Event.objects.bulk_create([_event(log, row, source) for row in batch])
        entries = [
            ledger.Entry("event", event, "import", _told(event, row)) for event, row in zip(events, batch, strict=True)
        ]
        ledger.append(log, entries, by=by)
        Measurement.objects.bulk_create(
            Measurement(event=event, source=m.source, name=m.name, value=m.value, unit=m.unit)
            for event, row in zip(events, batch, strict=True)
            for m in row.measurements
        )


def _told(event: Event, row: LoggedEvent) -> dict[str, Any]:
    told = {name: [None, value] for name, value in whole(event).items() if value not in ("", None, {}, [])}
    if row.measurements:
        told["measurements"] = [None, [[m.source, m.name, m.value, m.unit] for m in row.measurements]]
    return told


def _event(log: Log, row: LoggedEvent, source: str) -> Event:
    return Event(
        log=log,
        number=row.number,
        observed_at=row.observed_at,
        logged_at=row.logged_at,
        instrument=row.instrument,
        action=row.action,
        transect=row.transect,
        station=row.station,
        cast=row.cast,
        latitude=row.latitude,
        longitude=row.longitude,
        seafloor_m=row.seafloor_m,
        author_name=row.author,
        comment=row.comment,
        source=source,
        original=dict(row.original),
        revised_at=[at.isoformat() for at in row.revised_at],
    )
