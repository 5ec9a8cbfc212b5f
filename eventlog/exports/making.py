"""Makes an export: written into a file of its own, read again and checked, and only then handed out."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from django.db.models import QuerySet

from eventlog.exchange import document
from eventlog.exchange.exports.checking import Report
from eventlog.exchange.exports.shape import Source
from eventlog.exchange.record import Unreadable
from eventlog.exports import forms, gather
from eventlog.logbook import copies
from eventlog.models import Event, Log
from portal.refusals import Fault, NotLikeThis, NotNow


@dataclass(frozen=True, slots=True)
class Made:
    """A finished export: `file` is open at its beginning, belongs to whoever asked for it, and vanishes on closing."""

    form: forms.Form
    name: str
    file: BinaryIO
    size: int
    sha256: str
    events: int
    report: Report

    def told(self) -> dict[str, Any]:
        """Name, size, checksum and report, as plain values."""
        return {
            "file": self.name,
            "format": self.form.name,
            "events": self.events,
            "bytes": self.size,
            "sha256": self.sha256,
            "validation": self.report.told(),
        }


def make(log: Log, form: str, *, names: bool = True, events: QuerySet[Event] | None = None) -> Made:
    """The log as `form`, or those of its `events`; the same bytes at every call for the same log.

    Without `names` for those who are not told who wrote what. Raises NotFound for an unknown form, NotLikeThis when
    the export fails its own check or has too many events for its form, and NotNow when the disk is full.
    """
    wanted = forms.form(form)
    log = Log.objects.select_related("cruise__vessel__operator", "cruise__depart_port", "cruise__arrive_port").get(
        pk=log.pk
    )
    name = f"{log.cruise.cruise_id}{wanted.ending}"
    with TemporaryDirectory(prefix="leadline-export-") as folder:
        path = Path(folder) / name
        try:
            with gather.one_state():
                source = gather.source(log, events, names=names, struck=wanted.struck)
                if wanted.most is not None and source.count > wanted.most:
                    reason = f"{wanted.title} takes at most {wanted.most:,} events; these are {source.count:,}."
                    raise NotLikeThis(f"{reason} Choose a period, or take the HTML, which has no limit.")
                report = _written(path, wanted, source, log, events, names)
        except OSError as error:
            raise NotNow(
                f"The export could not be written on the server: {error.strerror}. Try again later."
            ) from error
        if not report.passed:
            faults = [Fault(check.rule, check.found or "not kept") for check in report.checks if not check.passed]
            raise NotLikeThis(f"{name} did not pass its own check and is not handed out; please report this.", faults)
        with path.open("rb") as read:
            digest = hashlib.file_digest(read, "sha256").hexdigest()
        file = path.open("rb")
        return Made(wanted, name, file, path.stat().st_size, digest, source.count, report)


def _written(
    path: Path, form: forms.Form, source: Source, log: Log, events: QuerySet[Event] | None, names: bool
) -> Report:
    if form.write is None or form.check is None:
        try:
            path.write_bytes(copies.export(log, form.name, names=names, events=events).encode())
        except ValueError as error:
            raise NotLikeThis(
                f"{form.title} has no word for something in this log: {error}. Take another form."
            ) from error
        return _check_document(path, source)
    form.write(path, source)
    return form.check(path, source)


def _check_document(path: Path, source: Source) -> Report:
    """Reads Leadline's own document again."""
    report = Report("json")
    try:
        reading = document.read(path.read_bytes())
    except Unreadable as error:
        report.rule("it can be read again", False, error)
        return report
    report.rule("it can be read again, every event whole", not any(p.fatal for p in reading.problems))
    report.count("events", len(reading.events), source.count)
    report.rule("it names its cruise", reading.header.get("cruise_id") == source.facts.cruise_id)
    return report


def base64_digest(made: Made) -> str:
    """The SHA-256 as HTTP writes it in Repr-Digest (RFC 9530)."""
    return base64.b64encode(bytes.fromhex(made.sha256)).decode()
