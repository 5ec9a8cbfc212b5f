"""Thirty days of 1 Hz fixes: bytes a fix, the position of 1,000 events, storing, and reading lines.

    .venv/bin/python tests/bench/navigation.py [--days 30] [--feeds 1]

Makes a database of its own beside the one of DATABASE_URL (PostgreSQL; without it SpatiaLite in memory) and drops
it afterwards. Baselines run beside it: one plain SQL look-up for each event, and COPY (SQLite: executemany).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("LEADLINE_MODE", "test")
os.environ.setdefault("LEADLINE_HOME", tempfile.mkdtemp(prefix="leadline-bench-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
EVENTS, ROUNDS = 1000, 5


def track(seconds: int) -> list[np.ndarray]:
    """A ship that works stations along a section: columns of seconds, degrees times 1e7, cm/s, degrees times 100."""
    rng = np.random.default_rng(30)
    at = np.arange(seconds)
    hour = at % 14_400
    speed = np.where(hour < 7200, 0.3, 5.5) + rng.normal(0, 0.1, seconds)
    course = 80 + 30 * np.sin(at / 40_000) + np.where(hour < 7200, 90, 0) + rng.normal(0, 2, seconds)
    north = np.cumsum(speed * np.cos(np.radians(course)))
    east = np.cumsum(speed * np.sin(np.radians(course)))
    latitude = 30 + north / 111_000
    longitude = -60 + east / (111_000 * np.cos(np.radians(30)))
    return [
        at,
        (latitude * 1e7).astype(int),
        ((longitude + 180) % 360 * 1e7).astype(int) - 1_800_000_000,
        np.clip(speed * 100, 0, 30_000).astype(int),
        (course % 360 * 100).astype(int),
    ]


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def show(what: str, value: float, unit: str, baseline: float | None = None, of: str = "") -> None:
    """Prints a figure and its ratio to the baseline that ran beside it."""
    ratio = f"   {value / baseline:6.2f} x {of} ({baseline:,.3f} {unit})" if baseline else ""
    print(f"{what:58s} {value:12,.3f} {unit}{ratio}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--feeds", type=int, default=1)
    options = parser.parse_args()

    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    old = setup_databases(verbosity=0, interactive=False)
    try:
        measure(int(options.days * 86_400), options.feeds, connection)
    finally:
        teardown_databases(old, verbosity=0)


def measure(seconds: int, feeds: int, connection) -> None:
    from eventlog.models import Feed, Fix
    from eventlog.navigation import formats, positions, store, taking
    from eventlog.navigation.reading import Batch, Tally
    from tests import make

    postgres = connection.vendor == "postgresql"
    print(f"{connection.vendor}: {seconds / 86_400:g} days at 1 Hz, {feeds} feed(s), {seconds * feeds:,} fixes")
    columns = track(seconds)
    base = positions.microseconds(START)
    rows = [
        (base + at * 1_000_000, north, east, 1, speed, course)
        for at, north, east, speed, course in zip(*(column.tolist() for column in columns), strict=True)
    ]
    table = Fix._meta.db_table
    for number in range(feeds):
        feed = Feed.objects.create(vessel=make.vessel(), name=f"gps{number}", rank=number + 1)
        began = time.perf_counter()
        for part in range(0, len(rows), 20_000):
            store.keep(feed, Batch(rows[part : part + 20_000], [], Tally(), {}))
        took = time.perf_counter() - began
    bare = timed(lambda: plain_insert(connection, rows))
    show("storing the fixes of one feed", took, "s", bare, "COPY" if postgres else "executemany")
    show("  fixes stored a second", len(rows) / took, "/s")
    again = timed(lambda: store.keep(feed, Batch(rows[:20_000], [], Tally(), {})))
    show("storing 20,000 known fixes again", again, "s")

    with connection.cursor() as cursor:
        if postgres:
            cursor.execute(f"VACUUM ANALYZE {table}") if not connection.in_atomic_block else None
            cursor.execute("SELECT pg_total_relation_size(%s), pg_relation_size(%s)", [table, table])
            total, heap = cursor.fetchone()
        else:
            cursor.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name IN (%s, %s)", [table, f"sqlite_autoindex_{table}_1"]
            )
            (total,), heap = cursor.fetchone(), 0
    count = Fix.objects.count()
    show(
        "bytes a fix with index (goal: under 100)", total / count, "B", heap / count if heap else None, "the bare table"
    )

    rng = np.random.default_rng(1)
    moments = [START + dt.timedelta(seconds=float(s)) for s in rng.uniform(0, seconds, EVENTS)]
    vessel = make.vessel().pk

    def many() -> object:
        said = positions.many(vessel, moments)
        assert all(row["nav_method"] == "exact" for row in said)
        return said

    def one_by_one() -> None:
        query = f"SELECT * FROM {table} WHERE feed_id = %s AND at_us <= %s ORDER BY at_us DESC LIMIT 1"
        with connection.cursor() as cursor:
            for moment in moments:
                cursor.execute(query, [feed.pk, positions.microseconds(moment)])
                cursor.fetchone()

    ours = statistics.median(timed(many) for _ in range(ROUNDS))
    theirs = statistics.median(timed(one_by_one) for _ in range(ROUNDS))
    show(f"positions of {EVENTS:,} events (goal: under 1 s)", ours, "s", theirs, "one plain SQL each, one feed")
    single = statistics.median(timed(lambda: positions.at(vessel, moments[0])) for _ in range(50))
    show("position of one event", single * 1000, "ms")

    lines = nmea(columns, 25_000)
    reading = timed(lambda: [batch for _, batch in formats.read(lines)])
    show("reading NMEA lines, without storing", len(lines) / reading, "lines/s")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gps.raw"
        file.write_text("".join(lines))
        whole = timed(lambda: taking.import_files([file], vessel=make.vessel(), feed="lines"))
    show("import_navigation, reading and storing", len(lines) / whole, "lines/s", len(lines) / reading, "reading alone")


def plain_insert(connection, rows) -> None:
    """The bare rows into a table of the same columns and key, without anything asked of them."""
    kinds = "feed_id bigint, at_us bigint, latitude_e7 int, longitude_e7 int, quality smallint, speed_cmps smallint"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE bare ({kinds}, course_cdeg int, PRIMARY KEY (feed_id, at_us))")
        if connection.vendor == "postgresql":
            with cursor.copy("COPY bare FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((1, *row))
        else:
            cursor.executemany("INSERT INTO bare VALUES (1, %s, %s, %s, %s, %s, %s)", rows)
        cursor.execute("DROP TABLE bare")


def nmea(columns: list[np.ndarray], seconds: int) -> list[str]:
    """Four stamped sentences for each second, with their checksums."""
    found = []
    for at, north, east, speed, course in zip(*(column[:seconds].tolist() for column in columns), strict=True):
        moment = START + dt.timedelta(seconds=at)
        place = f"{angle(north / 1e7, 2, 'NS')},{angle(east / 1e7, 3, 'EW')}"
        clock, knots, degrees = f"{moment:%H%M%S}.00", f"{speed / 51.44:.1f}", f"{course / 100:.1f}"
        for body in (
            f"GPZDA,{clock},{moment:%d,%m,%Y},00,00",
            f"GPGGA,{clock},{place},1,09,0.9,10.0,M,0.0,M,,",
            f"GPVTG,{degrees},T,,M,{knots},N,,K,A",
            f"GPRMC,{clock},A,{place},{knots},{degrees},{moment:%d%m%y},,,A",
        ):
            total = 0
            for character in body.encode():
                total ^= character
            found.append(f"{moment:%Y-%m-%dT%H:%M:%S}.300000Z ${body}*{total:02X}\n")
    return found


def angle(degrees: float, digits: int, sides: str) -> str:
    """Degrees and minutes as NMEA writes them."""
    whole = int(abs(degrees))
    return f"{whole:0{digits}d}{(abs(degrees) - whole) * 60:07.4f},{sides[degrees < 0]}"


if __name__ == "__main__":
    main()
