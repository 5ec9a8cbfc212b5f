"""How long it takes to import 100,000 rows of R2R CSV, with revisions and their chain of digests.

    DATABASE_URL=postgis://user@host:port/name .venv/bin/python tests/bench/import_events.py [ROWS]

Makes the file in the dialect of 2018 (21 values under 19 headers, blanks before coordinates), a log in a database of
its own (`test_…`, dropped afterwards), and prints seconds and the ratio to the baseline: a bare COPY of the same rows,
as text, into a table without keys. On SpatiaLite the baseline is executemany into such a table.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["LEADLINE_MODE"] = "test"

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402

from eventlog import intake  # noqa: E402
from eventlog.exchange import r2r  # noqa: E402
from portal.access import CONSOLE  # noqa: E402

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WHAT = [("CTD911", "deploy"), ("CTD911", "recover"), ("Bongo Net", "deploy"), ("Bongo Net", "recover")]


def generated(rows: int) -> bytes:
    """A log of so many events, 25 seconds apart, in R2R's CSV as it was written in 2018."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(r2r.COLUMNS)
    minute, count = "", 0
    for n in range(rows):
        at = START + dt.timedelta(seconds=25 * n)
        typed = at + dt.timedelta(seconds=n * 7919 % 4000)
        count = count + 1 if f"{at:%Y%m%d.%H%M}" == minute else 1
        minute = f"{at:%Y%m%d.%H%M}"
        number = f"{minute}.{count:03d}"
        instrument, action = WHAT[n % 4]
        edited = f" & {typed:%a %b %d %H:%M:%S %Y}" if n % 3 == 0 else ""
        writer.writerow(
            [
                *(n + 1, f"{typed:%a, %d %b %Y %H:%M:%S +0000}", number, instrument, action, "NaN", f"L{n % 11:02d}"),
                *(f"{n // 4 % 1000:03d}", f" {40 + n % 1000 / 1000:.6f}", f" {-70 - n % 700 / 1000:.6f}", "120"),
                *(f"watch{n % 12:02d}", "rough, but fine" if n % 5 == 0 else "", "xx01", f"xx01-SE-{number}"),
                *(minute, f"{at:%Y/%m/%d %H:%M:%S}", at.isoformat(), edited, "", "plain"),
            ]
        )
    return text.getvalue().encode()


def baseline(data: bytes) -> float:
    """Seconds for the same rows into a bare table of texts."""
    rows = list(csv.reader(io.StringIO(data.decode())))[1:]
    width = len(rows[0])
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare ({', '.join(f'c{n} text' for n in range(width))})")
        started = time.perf_counter()
        if connection.vendor == "postgresql":
            with cursor.copy("COPY bare FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO bare VALUES ({', '.join('%s' for _ in range(width))})", rows)
        took = time.perf_counter() - started
        cursor.execute("DROP TABLE bare")
    return took


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    old = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        from tests import make

        log = make.log()
        data = generated(rows)
        print(f"{rows:,} rows, {len(data) / 1e6:.1f} MB, {connection.vendor}")
        bare = baseline(data)
        print(f"bare copy           {bare:8.2f} s")
        started = time.perf_counter()
        reading = intake.read("log.csv", data)
        took = time.perf_counter() - started
        print(f"reading alone       {took:8.2f} s   {took / bare:6.1f} x")
        del reading
        for what, options in (("dry run", {"dry_run": True}), ("import", {}), ("import again", {})):
            started, worked = time.perf_counter(), time.process_time()
            report = intake.import_events(log=log, name="log.csv", data=data, by=CONSOLE, **options)
            took, worked = time.perf_counter() - started, time.process_time() - worked
            print(f"{what:20}{took:8.2f} s   {took / bare:6.1f} x   {worked:6.2f} s of CPU here   {report.counts}")
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{log.revisions.count():,} revisions; at most {most:.0f} MB of memory")
        started = time.perf_counter()
        counts = intake.undo_import(imported=log.imports.get(number=1), by=CONSOLE, reason="bench")
        print(f"{'taking back':20}{time.perf_counter() - started:8.2f} s            {counts}")
    finally:
        connection.creation.destroy_test_db(old or "", verbosity=0)


if __name__ == "__main__":
    main()
