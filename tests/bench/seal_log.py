"""A log of many events: how long do verifying, sealing, taking ashore and the check of the final copy take?

Run as `.venv/bin/python tests/bench/seal_log.py [EVENTS]` with DATABASE_URL for PostgreSQL (else SpatiaLite in a
folder of its own). Each figure stands beside the time that reading all revisions and events once takes: the least
that any of them can do. Memory is the most that the process held, before and after each step.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = tempfile.mkdtemp(prefix="leadline-bench-")
os.environ |= {"LEADLINE_MODE": "test", "LEADLINE_HOME": HOME, "DJANGO_SETTINGS_MODULE": "portal.settings"}
os.environ.setdefault("SECRET_KEY", "x" * 50)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from eventlog import history, ledger, logbook, verify  # noqa: E402
from eventlog.exchange import finalcopy  # noqa: E402
from eventlog.models import Event, Log, Measurement  # noqa: E402
from portal.access import CONSOLE  # noqa: E402
from tests import make  # noqa: E402

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def fill(log: Log, count: int) -> None:
    """Events as an import writes them: the whole row kept, a measurement, and every fifth revised later."""
    for begin in range(0, count, 2000):
        with transaction.atomic():
            log = ledger.locked(log)
            made = Event.objects.bulk_create(_event(log, n) for n in range(begin, min(count, begin + 2000)))
            Measurement.objects.bulk_create(Measurement(event=e, source="nav", name="d", value="3120.5") for e in made)
            entries = []
            for event in made:
                stands = history.content("event", event, measurements=[])
                told = {name: [None, value] for name, value in stands.items() if value not in ("", None, {}, [])}
                told["measurements"] = [None, [["nav", "d", "3120.5", ""]]]
                entries.append(ledger.Entry("event", event, "import", told))
            ledger.append(log, entries, by=CONSOLE)
            late = made[::5]
            for event in late:
                event.revision, event.comment = 2, "seen again"
            Event.objects.bulk_update(late, ["revision", "comment"])
            changes = {"comment": ["calm", "seen again"]}
            ledger.append(log, [ledger.Entry("event", event, "revise", changes) for event in late], by=CONSOLE)


def _event(log: Log, n: int) -> Event:
    return Event(
        uuid=uuid.uuid4(),
        log=log,
        number=f"20260302.{n:07d}",
        observed_at=START + dt.timedelta(seconds=20 * n),
        logged_at=START + dt.timedelta(seconds=20 * n + 7, microseconds=n),
        instrument="CTD",
        action="deploy",
        station=f"{n % 50:03d}",
        latitude=36.5 + n / 1e6,
        longitude=-25.0,
        seafloor_m=3120.5,
        author_name="Sam Keane",
        comment="calm",
        source="r2r-elog",
        original={
            "Message ID": str(n),
            "Instrument": "CTD",
            "Action": "deploy",
            "Comment": "calm",
            "GPS_Time": "x" * 19,
        },
    )


def timed(what: str, act: Callable[[], Any], base: float = 0.0, times: int = 1) -> tuple[float, Any]:
    """The median of `times` runs, printed with its ratio to the baseline."""
    took, found = [], None
    for _ in range(times):
        started = time.perf_counter()
        found = act()
        took.append(time.perf_counter() - started)
    median = statistics.median(took)
    ratio = f"  {median / base:6.1f} x reading" if base else ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<34}{median:8.2f} s{ratio}   most memory so far {most:,.0f} MB", flush=True)
    return median, found


def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    log = make.log(cruise_id=f"BE{uuid.uuid4().hex[:8].upper()}")
    timed(f"writing {count:,} events", lambda: fill(log, count))

    def reading() -> None:
        for _ in log.revisions.order_by("sequence").values().iterator(chunk_size=2000):
            pass
        for _ in log.events.values().iterator(chunk_size=2000):
            pass

    base, _ = timed("reading all rows once (baseline)", reading, times=3)
    _, report = timed("verifying the open log", lambda: verify.check(log), base, times=3)
    assert report.ok, report.findings[:3]
    _, closed = timed("closing: copies and seal", lambda: logbook.close_log(cruise=log.cruise, by=CONSOLE), base)
    for copy in closed.final_copies.all():
        print(f"    {copy.name}: {copy.size / 1e6:,.1f} MB")
    copy = closed.final_copies.get(format="json")
    path = Path(HOME) / copy.name
    with path.open("wb") as file:
        file.writelines(logbook.bytes_of(copy))

    def check() -> finalcopy.Checked:
        with path.open("rb") as file:
            return finalcopy.check(file)

    _, checked = timed("checking the copy without database", check, base)
    assert not checked.faults, checked.faults[:3]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
