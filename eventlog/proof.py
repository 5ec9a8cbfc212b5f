"""Asks for a log to be verified, at once or by a worker, and tells what came of it."""

from __future__ import annotations

from django.db import transaction

from eventlog import verify
from eventlog.models import Log
from eventlog.verify import Report
from portal import access, journal, work
from portal.access import Actor
from portal.models import JournalEntry, Work
from portal.work import Progress

DOOR = "eventlog.verify"
# A log with more revisions than this is verified by a worker: it takes longer than a person waits for a page.
AT_ONCE = 10_000
MOST_TOLD = 20


def is_long(log: Log) -> bool:
    """Whether a worker verifies it."""
    return bool(log.revisions.filter(sequence__gt=AT_ONCE).exists())


def now(log: Log, *, by: Actor) -> Report:
    """Verifies a log here and now. Raises NotYou."""
    access.require(by, "eventlog.read", log)
    return verify.check(log)


@transaction.atomic
def ask(log: Log, *, by: Actor) -> None:
    """Has a worker verify a log; what comes of it stands on a work row, see `last`. Raises NotYou."""
    access.require(by, "eventlog.read", log)
    journal.record(by, DOOR, log)


def last(log: Log) -> Work | None:
    """The last verification by a worker: its state, when, and what it found as `message`."""
    return work.latest(DOOR, str(log.pk))


def waiting() -> list[str]:
    """Logs whose verification was asked for after the last one began."""
    found = []
    asked = dict(JournalEntry.objects.filter(kind="eventlog.log", verb=DOOR).order_by("pk").values_list("key", "at"))
    for key, at in asked.items():
        row = work.latest(DOOR, key)
        if row is None or row.started_at < at or row.state == "interrupted":
            found.append(key)
    return found


def run(key: str, progress: Progress) -> None:
    """Verifies a log: the door of the job."""
    log = Log.objects.select_related("cruise").filter(pk=key).first()
    if log is None:
        return
    progress.describe(f"Verifying the event log of {log.cruise}", log.cruise)
    progress.note(sentence(verify.check(log, beat=progress.beat)))


def sentence(report: Report) -> str:
    """A report in words."""
    if report.ok:
        return f"Everything is as it was written: {report.sequence:,} revisions, head {report.head}."
    more = len(report.findings) + report.unnamed - MOST_TOLD
    lines = [f"{f.what}: {f.where} {f.field} {f.says}" for f in report.findings[:MOST_TOLD]]
    return "\n".join(["This is not what was written.", *lines, *([f"and {more:,} more"] if more > 0 else [])])
