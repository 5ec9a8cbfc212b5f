"""How long it takes to export a log of 100,000 events in every form, written, read again and checked.

    DATABASE_URL=postgis://user@host:port/name .venv/bin/python tests/bench/export_events.py [EVENTS] [FORM …]

Makes a log in a database of its own (`test_…`, dropped afterwards): a third of the events edited by hand, half with a
derived position, some with extra fields and measurements. Prints the median of RUNS (3) runs: until the file is
written, until it is also checked and can be handed out with the processor's share of that, its size, and the ratio to
the baseline. The baseline is a bare COPY (SELECT …) TO STDOUT of the same columns and rows into a file; on
SpatiaLite, a bare cursor into CSV.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import resource
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["LEADLINE_MODE"] = "test"

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from eventlog.exports import forms, gather, making  # noqa: E402
from eventlog.models import Event, Log, Measurement, Operation, Revision  # noqa: E402

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WHAT = [("CTD911", "deploy"), ("CTD911", "maxDepth"), ("CTD911", "recover"), ("Ship", "other")]
RUNS = int(os.environ.get("RUNS", "3"))
BASE = """SELECT e.number, e.observed_at, e.logged_at, e.instrument, e.action, e.transect, e.station, e."cast",
    coalesce(e.latitude, e.nav_latitude), coalesce(e.longitude, e.nav_longitude), e.seafloor_m, e.author_name,
    e.comment, e.uuid, e.revision FROM eventlog_event e
    WHERE e.log_id = {log} AND e.struck_at IS NULL ORDER BY e.observed_at, e.number"""


def fill(log: Log, count: int) -> None:
    """So many events, 25 seconds apart, in operations of four, with revisions as people make them."""
    operations = Operation.objects.bulk_create(
        Operation(
            log=log,
            kind="ctd",
            instrument="CTD911",
            cast=f"{n:05d}",
            station=f"L{n % 11}",
            state="recovered",
            started_at=START + dt.timedelta(seconds=100 * n),
            ended_at=START + dt.timedelta(seconds=100 * n + 50),
            is_open=False,
        )
        for n in range(count // 4)
    )
    minute, number = "", 0
    sequence = log.revisions.count()
    for start in range(0, count, 5000):
        batch = []
        for n in range(start, min(count, start + 5000)):
            at = START + dt.timedelta(seconds=25 * n)
            number = number + 1 if f"{at:%Y%m%d.%H%M}" == minute else 1
            minute = f"{at:%Y%m%d.%H%M}"
            instrument, action = WHAT[n % 4]
            typed = n % 2 == 0
            batch.append(
                Event(
                    log=log,
                    number=f"{minute}.{number:03d}",
                    observed_at=at,
                    logged_at=at + dt.timedelta(seconds=n * 7919 % 4000),
                    instrument=instrument,
                    action=action,
                    station=f"L{n // 4 % 11}",
                    cast=f"{n // 4:05d}",
                    operation=operations[n // 4] if n % 4 < 3 and n // 4 < len(operations) else None,
                    latitude=40 + n % 1000 / 1000 if typed else None,
                    longitude=-70 - n % 700 / 1000 if typed else None,
                    nav_latitude=40 + n % 1000 / 1000,
                    nav_longitude=-70 - n % 700 / 1000,
                    nav_method="interpolated",
                    nav_feed="gp02",
                    nav_gap_s=1.0,
                    nav_uncertainty_m=12.5,
                    seafloor_m=120.0 + n % 900,
                    author_name=f"watch{n % 12:02d}",
                    comment='rough, but "fine"\nfor the net' if n % 5 == 0 else "",
                    extra={"wire_out": n % 700, "weather": "fair"} if n % 10 == 0 else {},
                    source="web",
                    revision=2 if n % 3 == 0 else 1,
                )
            )
        made = Event.objects.bulk_create(batch)
        edits = []
        for event in made:
            if event.revision == 2:
                sequence += 1
                edits.append(
                    Revision(
                        log=log,
                        sequence=sequence,
                        thing_uuid=event.uuid,
                        event=event,
                        number=2,
                        at=timezone.now(),
                        by_name="watch",
                        verb="revise",
                        changes={"comment": ["", event.comment]},
                        digest="0" * 64,
                    )
                )
        Revision.objects.bulk_create(edits)
        Measurement.objects.bulk_create(
            Measurement(event=event, source="tsg", name="temperature", value="12.31", unit="degC")
            for event in made[::10]
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def baseline(log: Log, path: Path) -> float:
    """Seconds to get the same rows out of the database into a file, without doing anything to them."""
    statement = BASE.format(log=log.pk)
    started = time.perf_counter()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with path.open("wb") as file, cursor.copy(f"COPY ({statement}) TO STDOUT WITH (FORMAT csv)") as copy:
                for block in copy:
                    file.write(block)
        else:
            cursor.execute(statement)
            with path.open("w", newline="") as text:
                csv.writer(text).writerows(cursor.fetchall())
    return time.perf_counter() - started


def timed(log: Log, form: forms.Form) -> tuple[float, float, float, int]:
    """Seconds until written, until written and checked, of that on our processor, and the size in bytes."""
    with TemporaryDirectory() as folder, gather.one_state():
        started = time.perf_counter()
        if form.write is not None:
            form.write(Path(folder) / "x", gather.source(log, struck=form.struck))
        written = time.perf_counter() - started
    started, spent = time.perf_counter(), time.process_time()
    made = making.make(log, form.name)
    checked, spent = time.perf_counter() - started, time.process_time() - spent
    made.file.close()
    return written, checked, spent, made.size


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    chosen = sys.argv[2:] or [name for name in forms.FORMS if name not in ("pdf", "json")]
    old = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        from tests import make

        log = make.log()
        fill(log, count)
        with TemporaryDirectory() as folder:
            base = statistics.median(baseline(log, Path(folder) / "base") for _ in range(RUNS))
        print(f"{count:,} events on {connection.vendor}, median of {RUNS} runs")
        print(f"{'bare COPY of the same rows':28s} {base:7.2f} s")
        for name in chosen:
            runs = [timed(log, forms.FORMS[name]) for _ in range(RUNS)]
            written, checked, spent = (statistics.median(run[at] for run in runs) for at in (0, 1, 2))
            ratio = checked / base
            told = f"{written:7.2f} s written {checked:7.2f} s checked ({spent:.2f} s CPU) {runs[0][3] / 1e6:7.1f} MB"
            print(f"{name:28s} {told}  x{ratio:.0f}", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory {peak:,.0f} MB")
    finally:
        connection.creation.destroy_test_db(old, verbosity=0)


if __name__ == "__main__":
    main()
