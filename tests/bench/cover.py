"""Finding files of one box and one week among a million, and how fast files are read for their period and track.

    DATABASE_URL=postgis://… .venv/bin/python tests/bench/cover.py [--files 1000000] [--data ../shared/data]

Makes a database of its own beside the one of DATABASE_URL (PostGIS) and drops it afterwards. Baselines run beside it:
for the search the bare SQL on the same rows and indexes, for the reading `cat` of the same files to /dev/null.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ |= {"LEADLINE_MODE": "test", "LOG_LEVEL": "ERROR"}
os.environ.setdefault("LEADLINE_HOME", tempfile.mkdtemp(prefix="leadline-bench-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

CRUISE, QUESTIONS = 2000, 40  # files of a cruise, one for each hour; questions asked
START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
FILES = """
INSERT INTO inventory_file (distribution_id, path, path_key, directory, name, size, in_manifest, delivered_md5,
    delivered_sha256, md5, sha256, state, note, excluded, dataset_id)
SELECT %s, 'data/nav/f' || n, md5('data/nav/f' || n)::uuid, 'data/nav', 'f' || n, 1000, true, '', '', '', '',
    'matched', '', false, %s
FROM generate_series(0, %s) n"""
WAYS = """
INSERT INTO inventory_coverage (file_id, distribution_id, reader, reader_version, format, instrument, first_at, last_at,
    geometry, derived, points, tolerance_deg, remark, read_at)
SELECT id, distribution_id, 'log', 1, 'NMEA 0183 log', '', %(start)s + h * interval '1 hour',
    %(start)s + (h + 1) * interval '1 hour',
    ST_SetSRID(ST_Multi(ST_MakeLine(ARRAY(
        SELECT ST_MakePoint(%(x)s + 8 * sin((h + k / 20.0) / 300), %(y)s + 6 * cos((h + k / 20.0) / 190))
        FROM generate_series(0, 20) k))), 4326), false, 3600, 0.0005, '', now()
FROM (SELECT *, substr(name, 2)::int AS h FROM inventory_file WHERE distribution_id = %(distribution)s) f"""
BARE = """
SELECT id FROM inventory_coverage WHERE ST_Intersects(geometry, ST_MakeEnvelope(%s, %s, %s, %s, 4326))
    AND last_at >= %s AND first_at <= %s LIMIT 10001"""


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds that it took, and its answer."""
    began = time.perf_counter()
    answer = act()
    return (time.perf_counter() - began) * 1000, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("LEADLINE_SHARED", "../shared")) / "data")
    options = parser.parse_args()

    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    read(options.data)
    if connection.vendor != "postgresql":
        sys.exit("The search is measured on PostGIS: name a server by DATABASE_URL.")
    old = setup_databases(verbosity=0, interactive=False)
    try:
        search(options.files, connection)
    finally:
        teardown_databases(old, verbosity=0)


def read(data: Path) -> None:
    """The rate at which real logs and written netCDF and multibeam files are read."""
    from inventory.coverage.readers import reader_of
    from inventory.coverage.reading import Source
    from inventory.coverage.shape import shape

    with tempfile.TemporaryDirectory() as made:
        kinds = {"netCDF, a day at 1 Hz": netcdf(Path(made)), "Kongsberg .all": kongsberg(Path(made))}
        if data.is_dir():
            kinds["logs of NBP1406 and SCS"] = [
                p for p in data.rglob("*") if p.is_file() and p.parent.name in ("raw", "nav")
            ]
        for what, paths in kinds.items():
            size = sum(path.stat().st_size for path in paths)

            def one_by_one(paths: list[Path] = paths) -> None:
                for path in paths:
                    file = os.open(path, os.O_RDONLY)
                    source = Source(file, path.name)
                    reader = reader_of(source)
                    if reader:
                        shape(reader.read(source), (-(10**15), 10**15))
                    os.close(file)

            plain = partial(subprocess.run, ["cat", *paths], stdout=subprocess.DEVNULL, check=True)
            cat = min(timed(plain)[0] for _ in range(3))
            ours = min(timed(one_by_one)[0] for _ in range(3))
            print(f"{what:26} {len(paths):3} files {size / 1e6:7.1f} MB: {size / ours / 1e3:8.1f} MB/s,", end=" ")
            print(
                f"{ours / len(paths):7.1f} ms a file; {ours / cat:7.1f} x cat ({size / cat / 1e3:,.0f} MB/s)",
                flush=True,
            )


def netcdf(folder: Path) -> list[Path]:
    """Ten files of a day at 1 Hz, compressed."""
    import netCDF4
    import numpy as np

    seconds = np.arange(86_400)
    for n in range(10):
        with netCDF4.Dataset(folder / f"met{n}.nc", "w") as data:
            data.createDimension("time", None)
            for name, units, rows in (
                ("time", "seconds since 2026-03-02", seconds),
                ("lat", "degrees_north", 36 + seconds / 86_400),
                ("lon", "degrees_east", -25 + np.sin(seconds / 9000)),
                ("wind", "m s-1", np.random.default_rng(n).normal(8, 2, 86_400)),
            ):
                one = data.createVariable(name, "f8", ("time",), zlib=True, chunksizes=(4096,))
                one.units = units
                one[:] = rows
    return sorted(folder.glob("*.nc"))


def kongsberg(folder: Path) -> list[Path]:
    """Two files of 100 MB: a position each second, and soundings of 20 kB between them."""
    from tests.inventory.test_coverage_kongsberg import datagram, place

    for n in range(2):
        with (folder / f"000{n}.all").open("wb") as file:
            for second in range(5000):
                file.write(place("<", second * 1000, -25 + second / 5000, 36.0))
                file.write(datagram("<", b"X", second * 1000 + 500, bytes(20_000)))
    return sorted(folder.glob("*.all"))


def search(files: int, connection: Any) -> None:
    """Boxes of five degrees and weeks, all over the world and five years."""
    from django.test import Client

    from inventory import questions, searching
    from inventory.models import Coverage
    from portal.access import CONSOLE

    began = time.perf_counter()
    places = fill(files, connection)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(
        f"{Coverage.objects.count():,} files of {len(places)} cruises made in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    draw = random.Random(7)
    ours, bare, pages, api, found = [], [], [], [], []
    client = Client()
    for number in range(QUESTIONS):
        x, y, begin = draw.choice(places)
        hour = draw.randint(0, CRUISE - 200)
        since = begin + dt.timedelta(hours=hour)
        until = since + dt.timedelta(days=7)
        west = max(x + 8 * math.sin(hour / 300) - draw.uniform(0, 5), -180)
        south = max(y + 6 * math.cos(hour / 190) - draw.uniform(0, 5), -90)
        east, north = min(west + 5, 180), min(south + 5, 90)
        words = {"bbox": f"{west},{south},{east},{north}", "from": since.isoformat(), "to": until.isoformat()}

        def plainly(values: tuple[Any, ...] = (west, south, east, north, since, until)) -> int:
            with connection.cursor() as cursor:
                cursor.execute(BARE, values)
                return len(cursor.fetchall())

        def by_us(words: dict[str, str] = words) -> int:
            return len(searching.first(questions.asked(words), CONSOLE, searching.MOST).keys)

        (a, n), (b, m) = timed(plainly), timed(by_us)
        assert n == m, (n, m, words)
        if number < 3:  # the first questions warm the caches
            continue
        found.append(n)
        bare.append(a)
        ours.append(b)
        page, answer = timed(partial(client.get, "/files/", words))
        assert answer.status_code == 200
        pages.append(page)
        told, answer = timed(partial(client.get, "/api/v1/files", words))
        assert answer.status_code == 200
        api.append(told)
    base = statistics.median(bare)
    print(f"files found: median {statistics.median(found):,.0f}, most {max(found):,}")
    for what, rows in (
        ("bare SQL on the indexes", bare),
        ("our search, keys", ours),
        ("the page", pages),
        ("the API, first page", api),
    ):
        middle, p95 = statistics.median(rows), statistics.quantiles(rows, n=20)[-1]
        print(f"{what:24} median {middle:8.1f} ms, p95 {p95:8.1f} ms: {middle / base:6.1f} x bare SQL")


def fill(files: int, connection: Any) -> list[tuple[float, float, dt.datetime]]:
    """Cruises of 2,000 files each; the middle of each way, and when it began."""
    from django.utils import timezone

    from inventory.models import Dataset, Distribution
    from tests import make

    now, places = timezone.now(), []
    for number in range(-(-files // CRUISE)):
        start = START + dt.timedelta(days=number * 37 % 1800)
        x, y = number * 73 % 340 - 170.0, number * 29 % 130 - 65.0
        days = {"depart_date": start.date(), "arrive_date": (start + dt.timedelta(days=84)).date()}
        cruise = make.cruise(f"BN{number:05d}", **days)
        type(cruise).objects.filter(pk=cruise.pk).update(public_at=now, state="ended")
        made = Distribution.objects.create(
            cruise=cruise, number=1, state="classified", since=now, root="/nowhere", received_at=now, verified_at=now
        )
        dataset = Dataset.objects.create(cruise=cruise, device_class="gnss", since=now)
        with connection.cursor() as cursor:
            cursor.execute(FILES, [made.pk, dataset.pk, min(CRUISE, files - number * CRUISE) - 1])
            cursor.execute(WAYS, {"start": start, "x": x, "y": y, "distribution": made.pk})
        places.append((x, y, start))
    return places


if __name__ == "__main__":
    main()
