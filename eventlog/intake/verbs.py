"""The verb that takes a log file in: read, compare row by row, write what is new."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from eventlog import ledger
from eventlog.exchange import mapped
from eventlog.exchange.record import LoggedEvent, Reading
from eventlog.intake import report as reports
from eventlog.intake import writing
from eventlog.intake.comparing import Prepared, compared, prepared
from eventlog.intake.reading import read
from eventlog.intake.report import Report, RowReport
from eventlog.models import Event, Import, Log
from eventlog.states import LOG
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

# Rows in a transaction: whoever records on a tablet meanwhile waits for one of these at most, not for the file.
PIECE = 1000
# Rows up to which operations are found on the way: that looks at all operations of the log for every piece.
MOST_GATHERED = 10_000
DIFFERING = ("keep", "revise")


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of small objects and no cycles among them: looking for cycles would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collector()
def import_events(
    *,
    log: Log,
    name: str,
    data: bytes,
    by: Actor,
    aux: bytes | None = None,
    form: str = "",
    columns: mapped.Columns | None = None,
    differing: str = "keep",
    reason: str = "",
    dry_run: bool = False,
) -> Report:
    """Takes the events of a file into a log, and tells what came of every row.

    A row whose number is in the log already is compared and left as it is; with `differing="revise"` its words become
    those of the file, as a new revision of its own. Into a closed log only by those who may correct it, with a
    `reason`: the revisions are labelled as late. Operations are found for files of up to 10,000 rows, else by
    `operations.from_events` afterwards. `form` is one of `exchange.detect.FORMATS`, `columns` the mapping of
    a plain table, `aux` Sealog's auxiliary data.

    Rows are written in pieces, each in its own transaction, so that people go on logging meanwhile. An import that
    was interrupted is kept without `finished_at`; sent again, it goes on, because rows that are in are the "same".

    Raises NotYou, NotNow for a log that was never opened, NotLikeThis for a file that is no log.
    """
    access.require(by, "eventlog.import", log)
    if differing not in DIFFERING:
        raise NotLikeThis("The import is not accepted.", [Fault("differing", f"write {' or '.join(DIFFERING)}")])
    _check_state(log, by, reason, dry_run=dry_run)
    reading = read(name, data, aux, form=form, columns=columns)
    rows = prepared(reading)
    if dry_run:
        told = [row for piece in _pieces(rows) for _, _, row in _compared(log, piece, reading.format, differing)]
        return Report(reading.format, reading.notes, tuple(told))
    options: dict[str, Any] = {"format": form, "differing": differing, "reason": reason.strip()}
    if columns is not None:
        options["mapping"] = columns.as_json()
    stored = _begin(log, name, data, aux, reading, options, by)
    why = reason.strip() or f"import {stored.number}: {name[:200]}"
    told = []
    gather = len(rows) <= MOST_GATHERED
    for piece in _pieces(rows):
        told += _write(stored, log, piece, differing, by, why, gather=gather)
    return _finish(stored, reading, told, by)


def _check_state(log: Log, by: Actor, reason: str, *, dry_run: bool) -> None:
    if log.state == "closed":
        access.require(by, "eventlog.correct", log)
        if not reason.strip() and not dry_run:
            raise NotLikeThis("The log is closed.", [Fault("reason", "say why these events are added so late")])
    elif log.state != "open":
        raise NotNow(f"The {log} is {log.state}: {LOG.states[log.state]}. Open it before importing.")


def _pieces(rows: list[Prepared]) -> list[list[Prepared]]:
    return [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]


def _compared(
    log: Log, piece: list[Prepared], form: str, differing: str
) -> list[tuple[Prepared, Event | None, RowReport]]:
    numbers = [one.event.number for one in piece if one.event is not None]
    found = log.events.filter(number__in=numbers).select_related("operation").defer("original")
    known = {event.number: event for event in found}
    return list(compared(piece, known, form, revise=differing == "revise"))


@transaction.atomic
def _begin(
    log: Log, name: str, data: bytes, aux: bytes | None, reading: Reading, options: Mapping[str, Any], by: Actor
) -> Import:
    log = ledger.locked(log)
    last = log.imports.order_by("-number").values_list("number", flat=True).first() or 0
    return Import.objects.create(
        log=log,
        number=last + 1,
        name=name[:200],
        data=data if aux is None else data + b"\n\x1e\n" + aux,
        sha256=hashlib.sha256(data).hexdigest(),
        format=reading.format,
        notes=list(reading.notes),
        problems=[asdict(problem) for problem in reading.problems[:10_000]],
        options=dict(options),
        at=timezone.now(),
        by_name=str(by),
    )


@transaction.atomic
def _write(
    stored: Import, log: Log, piece: list[Prepared], differing: str, by: Actor, reason: str, *, gather: bool
) -> list[RowReport]:
    """One piece of the rows, in one transaction."""
    log = ledger.locked(log)
    _check_state(log, by, reason, dry_run=False)
    new: list[LoggedEvent] = []
    changed: list[tuple[Event, dict[str, Any]]] = []
    told = []
    for one, event, row in _compared(log, piece, stored.format, differing):
        told.append(row)
        if row.result == "new" and one.event is not None:
            new.append(one.event)
        elif row.result == "revised" and event is not None:
            changed.append((event, {name: file for name, (_, file) in row.differs.items()}))
    made = writing.record(log, new, stored.format, by, reason, gather=gather) if new else []
    made += writing.revise(log, changed, by, reason) if changed else []
    if made:
        first, last = made[0].sequence, made[-1].sequence
        if stored.spans and stored.spans[-1][1] == first - 1:
            stored.spans[-1][1] = last
        else:
            stored.spans.append([first, last])
        Import.objects.filter(pk=stored.pk).update(spans=stored.spans)
    return told


@transaction.atomic
def _finish(stored: Import, reading: Reading, told: list[RowReport], by: Actor) -> Report:
    report = Report(reading.format, reading.notes, tuple(told), stored.number)
    stored.counts = report.counts
    stored.report = reports.packed(told)
    stored.finished_at = timezone.now()
    stored.save(update_fields=["counts", "report", "finished_at"])
    changes = {what: [None, count] for what, count in report.counts.items()}
    journal.record(by, "eventlog.import", stored, note=stored.options["reason"], changes=changes)
    return report
