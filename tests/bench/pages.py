"""How long the pages of the inventory take, with so many cruises and files in the database.

    DATABASE_URL=postgis://user@host:port/name .venv/bin/python tests/bench/pages.py [--cruises N] [--files N]
        [--times N] [--keep] [--only WORD]

Fills a database of its own (`test_…`, dropped afterwards unless `--keep`, and taken as it is if it is there), inside
PostgreSQL: one cruise has 5 in 100 of the files, one has a hundredth in one single directory, nine more have a
hundredth each, and the others share the rest unevenly. One file in five has a period and a track. The totals are
those of `inventory.totals`.

Each page is asked for in turn, so often, through all of Django and its templates, by somebody who is not signed in
and, where they may see more, by the data manager. Later pages are found by following the links to the next. Printed
are the median and the 95th percentile in ms, and the latter as a multiple of that of `/health/live`.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["LEADLINE_MODE"] = "test"
os.environ["LOG_LEVEL"] = "ERROR"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402
from django.utils import timezone  # noqa: E402

from inventory import totals  # noqa: E402
from inventory.models import Arrival, Dataset, Deposit, Distribution, File  # noqa: E402
from inventory.staging import path_key  # noqa: E402
from portal import memory  # noqa: E402
from portal.models import Cruise  # noqa: E402
from tests import make  # noqa: E402

LIMIT = 200  # ms
VESSELS = 40
# How many files the cruises get; the directories hold a thousand each, but for the second cruise.
PLAN = """
    CREATE TABLE bench_plan AS
    WITH shares AS (
        SELECT c.id AS cruise_id, c.vessel_id, row_number() OVER (ORDER BY c.id) AS turn
        FROM portal_cruise c WHERE c.cruise_id LIKE 'B-%%'
    ), weighed AS (
        SELECT *, CASE WHEN turn > 11 THEN 1 / sqrt(turn) ELSE 0 END AS weight FROM shares
    )
    SELECT w.*, d.id AS distribution_id,
           greatest(10, CASE WHEN turn = 1 THEN %(files)s / 20 WHEN turn <= 11 THEN %(files)s / 200
                ELSE %(files)s * 0.9 * weight / sum(weight) OVER () END)::bigint AS files,
           ARRAY(SELECT s.id FROM inventory_dataset s WHERE s.cruise_id = w.cruise_id ORDER BY s.id) AS sets
    FROM weighed w JOIN inventory_distribution d ON d.cruise_id = w.cruise_id ORDER BY w.turn
"""
FILES = """
    INSERT INTO inventory_file (distribution_id, path, path_key, directory, name, size, changed_at, in_manifest,
        delivered_size, delivered_md5, delivered_sha256, md5, sha256, verified_at, state, note, dataset_id, excluded)
    SELECT distribution_id, directory || '/' || name, md5(directory || '/' || name)::uuid, directory, name,
        CASE WHEN state <> 'missing' THEN n %% 100000 END, timestamptz '2026-01-01' + n * interval '1 second',
        state <> 'new', n %% 100000, md5(n::text), '', CASE WHEN state <> 'missing' THEN md5(n::text) ELSE '' END,
        CASE WHEN state <> 'missing' THEN repeat(md5(n::text), 2) ELSE '' END, now(), state, '',
        CASE WHEN n %% 101 <> 7 AND n %% 211 <> 3 THEN sets[1 + device] END, n %% 211 = 3
    FROM (
        SELECT made.*, CASE WHEN turn = 2 THEN 'data/device0/raw'
                   ELSE 'data/device' || device || '/raw/day' || lpad((n / 1000)::text, 4, '0') END AS directory,
               'cast' || lpad(n::text, 8, '0') || (ARRAY['.hex', '.all', '.raw', '.met'])[1 + device] AS name,
               CASE WHEN n %% 5000 = 17 THEN 'changed' WHEN n %% 7001 = 5 THEN 'missing' WHEN n %% 9001 = 3 THEN 'new'
                    ELSE 'matched' END AS state
        FROM (SELECT p.*, n, n * 4 / p.files AS device
              FROM bench_plan p, LATERAL generate_series(0, p.files - 1) AS n) AS made
    ) AS named
"""
COVERAGE = """
    INSERT INTO inventory_coverage (file_id, distribution_id, reader, reader_version, format, instrument, first_at,
        last_at, geometry, derived, points, tolerance_deg, remark, read_at)
    SELECT id, distribution_id, 'bench', 1, '', '', at, at + interval '1 hour',
        CASE WHEN id %% 500 <> 0 THEN ST_Multi(ST_MakeLine(ARRAY[
            ST_SetSRID(ST_MakePoint(x + 8 * part, y + 4 * sin(6 * part)), 4326),
            ST_SetSRID(ST_MakePoint(x + 8 * part + 0.01, y + 4 * sin(6 * part) + 0.005), 4326),
            ST_SetSRID(ST_MakePoint(x + 8 * part + 0.02, y + 4 * sin(6 * part) + 0.01), 4326)])) END,
        false, 3, 0.001, '', now()
    FROM (
        SELECT f.id, f.distribution_id, (f.id - t.first)::float / p.files AS part,
               (p.turn * 37 %% 340)::float - 170 AS x, (p.turn * 17 %% 115)::float - 60 AS y,
               c.depart_date::timestamp AT TIME ZONE 'UTC' + ((f.id - t.first)::float / p.files) * interval '10 days'
                   AS at
        FROM bench_plan p JOIN portal_cruise c ON c.id = p.cruise_id
        JOIN inventory_total t ON t.distribution_id = p.distribution_id
        JOIN inventory_file f ON f.distribution_id = p.distribution_id
        WHERE f.dataset_id IS NOT NULL AND f.id %% 5 = 0
    ) AS made
"""


def said(what: str, began: float) -> None:
    """Tells how long a step of the filling took."""
    print(f"{what:<60}{time.perf_counter() - began:9.1f} s", flush=True)


def copies(table: str, rows: str, where: str, **changed: str) -> None:
    """Copies rows of a table, joined with others, into it: every column as it is, but for those that are `changed`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'"
            " AND is_identity = 'NO' AND is_generated = 'NEVER'",
            [table],
        )
        names = [name for (name,) in cursor.fetchall()]
        values = ", ".join(changed.get(name, f"t.{name}") for name in names)
        cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} t, {rows} WHERE {where}")


class Bare:
    """A table without its indexes and references, but the primary key; they are made again afterwards."""

    def __init__(self, table: str) -> None:
        self.table = table

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
                " AND contype IN ('f', 'u')",
                [self.table],
            )
            rules = cursor.fetchall()
            for name, _ in rules:
                cursor.execute(f'ALTER TABLE {self.table} DROP CONSTRAINT "{name}"')
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE '%%pkey'",
                [self.table],
            )
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f'DROP INDEX "{name}"')
        self.again = [made for _, made in indexes]
        self.again += [f'ALTER TABLE {self.table} ADD CONSTRAINT "{name}" {made}' for name, made in rules]

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for statement in self.again:
                cursor.execute(statement)


def fill(home: Path, cruises: int, files: int) -> None:
    """Cruises with their shipments, data sets, files, totals and coverage; arrivals and copies."""
    began = time.perf_counter()
    model = make.distribution(home, "classified")
    make.person("manager")
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_maintenance_workers = 0")
        code = "'B' || lpad(n::text, 3, '0')"
        series = f"generate_series(1, {VESSELS}) AS n"
        copies("portal_vessel", series, f"t.id = '{model.cruise.vessel_id}'", id=code, name="'Vessel ' || n")
        series, uuid = f"generate_series(1, {cruises}) AS n", "gen_random_uuid()"
        days = f"date '2006-01-01' + (n * 7300 / {cruises})::int"
        copies(
            "portal_cruise",
            series,
            f"t.id = {model.cruise_id}",
            uuid=uuid,
            cruise_id="'B-' || lpad(n::text, 6, '0')",
            vessel_id=f"'B' || lpad((1 + n % {VESSELS})::text, 3, '0')",
            depart_date=days,
            arrive_date=f"{days} + 10",
            public_at="now()",
        )
        others = "portal_cruise c"
        named = f"c.cruise_id LIKE 'B-%' AND t.cruise_id = {model.cruise_id}"
        copies("portal_party", others, named, cruise_id="c.id")
        copies("inventory_distribution", others, named, uuid=uuid, cruise_id="c.id", fingerprint="c.cruise_id")
        copies("inventory_dataset", others, named, uuid=uuid, cruise_id="c.id")
        shipments = f"inventory_distribution d WHERE d.fingerprint LIKE 'B-%' AND t.distribution_id = {model.pk}"
        rows, where = shipments.split(" WHERE ")
        copies("inventory_classification", rows, where, distribution_id="d.id")
        said(f"{cruises:,} cruises", began)
        began = time.perf_counter()
        cursor.execute("ALTER TABLE inventory_coverage SET UNLOGGED")
        cursor.execute("ALTER TABLE inventory_stretch SET UNLOGGED" if stretches() else "SELECT 1")
        cursor.execute(PLAN, {"files": files})
        with Bare("inventory_file"):
            cursor.execute(FILES.replace("%%", "%"))
            said(f"{files:,} files", began)
            began = time.perf_counter()
        said("their indexes", began)
        began = time.perf_counter()
        cursor.execute("VACUUM ANALYZE inventory_file")
        said("VACUUM", began)
    began = time.perf_counter()
    for shipment in Distribution.objects.filter(total__isnull=True):
        totals.recount(shipment)
    said("totals", began)
    began = time.perf_counter()
    with Bare("inventory_coverage"), connection.cursor() as cursor:
        cursor.execute(COVERAGE.replace("%%", "%"))
    said("periods and tracks", began)
    _others(home)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def stretches() -> bool:
    """Whether there is a table of stretches."""
    return "inventory_stretch" in connection.introspection.table_names()


def _others(home: Path) -> None:
    """Arrivals, and copies of the largest shipment."""
    now, operator = timezone.now(), make.operator().pk
    states = ("arriving", "refused", "received", "received", "received", "offered")
    Arrival.objects.bulk_create(
        (
            Arrival(
                source="directory", path=f"{home}/arrived{n:06d}", path_key=path_key(f"arrived{n}"), shape="directory",
                cruise=cruise, operator_id=operator, state=states[n % 6], since=now, seen_at=now, files=n,
                bytes=n, reason="It waits for a reason.",
            )
            for n, cruise in enumerate(Cruise.objects.filter(cruise_id__startswith="B-")[:20000])
        ),
        batch_size=1000,
    )  # fmt: skip
    shipment = Distribution.objects.get(cruise__cruise_id="B-000001")
    Deposit.objects.create(
        distribution=shipment, address="/deep", prefix="B-000001", state="stored", since=now, basis=now, stored_at=now
    )


def pages() -> Iterator[tuple[str, str, int, bool]]:
    """What is asked for: a name, an address, which page of it, whether by the data manager."""
    big, flat = "/cruise/B-000001/", "/cruise/B-000002/"
    dataset = Dataset.objects.filter(cruise__cruise_id="B-000001").order_by("pk")[1]
    unit = f"{big}dataset/{dataset.uuid}/"
    distribution = Distribution.objects.get(cruise__cruise_id="B-000001")
    deep = File.objects.filter(distribution=distribution).order_by("-pk").values_list("directory", flat=True)[0]
    yield "home", "/", 1, False
    yield "home", "/", 1, True
    for which in (1, 2, 100):
        yield "list of cruises", "/cruises/", which, False
    yield "list of cruises, vessel", "/cruises/?vessel=B007", 1, False
    yield "list of cruises, word", "/cruises/?q=B-0042", 1, False
    for manager in (False, True):
        yield "cruise, 1,000,000 files", big, 1, manager
        yield "cruise, usual", "/cruise/B-005000/", 1, manager
        yield "inventory, root", f"{big}inventory/", 1, manager
        yield "classification", f"{big}classification/", 1, manager
    yield "a directory of directories", f"{big}inventory/?in=data/device1/raw", 1, False
    for which in (1, 2):
        yield "a directory of 1,000 files", f"{big}inventory/?in={deep}", which, False
    for which in (1, 2, 100):
        yield "a directory of 100,000 files", f"{flat}inventory/?in=data/device0/raw", which, False
    yield "old link to page 80", f"{flat}inventory/?in=data/device0/raw&page=80", 1, False
    for which in (1, 2, 100):
        yield "matched files", f"{big}inventory/?state=matched", which, False
    yield "changed files", f"{big}inventory/?state=changed", 1, False
    yield "missing files", f"{flat}inventory/?state=missing", 1, False
    for which in (1, 2, 100):
        yield "files of a data set", f"{big}inventory/?dataset={dataset.uuid}", which, False
    yield "changed files of a data set", f"{big}inventory/?dataset={dataset.uuid}&state=changed", 1, False
    for which in (1, 2):
        yield "files without data set", f"{big}inventory/?dataset=none", which, False
        yield "excluded files", f"{big}inventory/?dataset=excluded", which, False
    for words in (
        "cast00000042",
        "cast00999999",
        "*42.hex",
        "*9999.met",
        "day0150",
        "raw/cast",
        "nowhere",
        "42 all",
        "?",
    ):
        yield f"search {words}", f"{big}inventory/?q={words.replace(' ', '+')}", 1, False
    for which in (2, 100):
        yield "search cast", f"{big}inventory/?q=cast", which, False
    yield "search 77, changed", f"{big}inventory/?q=77&state=changed", 1, False
    yield "search in a usual cruise", "/cruise/B-005000/inventory/?q=*42.hex", 1, False
    for which in (1, 2, 100):
        yield "data set", unit, which, False
    yield "data set", unit, 1, True
    yield "history, search", f"{big}inventory/history/?q=cast00000042", 1, False
    yield "history, search nowhere", f"{big}inventory/history/?q=nowhere", 1, False
    yield "history, path", f"{big}inventory/history/?path=data/device0/raw/day0000/cast00000000.hex", 1, False
    area = "POLYGON((-40 0,-20 0,-20 20,-30 30,-40 20,-40 0))"
    for name, words in (
        ("world", "bbox=-180,-90,180,90"), ("box of 1 degree", "bbox=-30,10,-29,11"), ("ocean", "bbox=-60,-30,0,30"),
        ("across 180", "bbox=170,-20,-170,10"), ("empty box", "bbox=-180,80,180,90"),
        ("polygon", f"polygon={area}"), ("week", "from=2016-03-01&to=2016-03-07"), ("all time", "from=2000-01-01"),
        ("box and week", "bbox=-60,-30,0,30&from=2016-03-01&to=2016-03-07"),
        ("world and week", "bbox=-180,-90,180,90&from=2016-03-01&to=2016-03-07"),
        ("box, nothing then", "bbox=-30,10,-29,11&from=2016-03-01&to=2016-03-02"),
        ("class", "bbox=-60,-30,0,30&class=ctd"), ("class of none", "bbox=-180,-90,180,90&class=winch"),
        ("vessel", "bbox=-180,-90,180,90&vessel=B007"),
        ("vessel and week", "from=2016-03-01&to=2016-03-31&vessel=B007"),
        ("unplaced", "bbox=-60,-30,0,30&from=2016-03-01&to=2016-03-07&unplaced=on"),
    ):  # fmt: skip
        yield f"files, {name}", f"/files/?{words}", 1, False
    for which in (2, 100):
        yield "files, ocean", "/files/?bbox=-60,-30,0,30", which, False
        yield "files, all time", "/files/?from=2000-01-01", which, False
    yield "files, week", "/files/?from=2016-03-01&to=2016-03-07", 2, True
    yield "API, ocean", "/api/v1/files?bbox=-60,-30,0,30", 1, False
    yield "API, ocean", "/api/v1/files?bbox=-60,-30,0,30&page=3", 1, False
    yield "map, ocean", "/files.geojson?bbox=-60,-30,0,30&most=500", 1, False
    for which in (1, 2, 100):
        yield "arrivals", "/arrivals/?state=all", which, True
    yield "arrivals", "/arrivals/", 1, True
    yield "arrivals refused", "/arrivals/?state=refused", 1, True
    yield "copies", f"{big}copies/", 1, True
    yield "review", f"{big}review/", 1, True
    yield "receive", f"{big}receive/", 1, True
    yield "feed", "/feeds/inventories.atom", 1, False


def _next(address: str, text: str) -> str:
    found = re.search(r'rel="next" href="([^"]*)"', text)
    return address.partition("?")[0] + html.unescape(found.group(1)) if found else ""


def ask(client: Client, address: str, which: int, times: int) -> tuple[list[float], str]:
    """Milliseconds of each answer, sorted; nothing, and why, where there is no such page."""
    for turn in range(which - 1):
        answer = client.get(address)
        if not (address := _next(address, answer.content.decode())):
            return [], f"ends at page {turn + 1}"
    took = []
    for turn in range(times + 1):
        if which == 1:  # who asks for a later page has asked for the first
            cache.clear()
        began = time.perf_counter()
        answer = client.get(address)
        if answer.streaming:
            b"".join(answer)
        if turn:  # the first fills the caches of templates and plans
            took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            return [], f"answers {answer.status_code}"
    return sorted(took), ""


def measure(times: int, only: str) -> None:
    """Asks for every page and prints a line for each."""
    anyone, manager = Client(), Client()
    manager.force_login(make.person("manager"), backend=settings.AUTHENTICATION_BACKENDS[0])
    baseline, _ = ask(anyone, "/health/live", 1, times * 2)
    base, slow, number = high(baseline), 0, 0
    print(
        f"{'page':<48}{'median':>9}{'p95':>9}{'ratio':>8}\n{'/health/live':<48}{statistics.median(baseline):9.1f}{base:9.1f}"
    )
    for name, address, which, office in pages():
        if only and only not in name:
            continue
        label = f"{name}{f', page {which}' if which > 1 else ''}{', manager' if office else ''}"
        took, why = ask(manager if office else anyone, address, which, times)
        if not took:
            print(f"{label:<48} {why}", flush=True)
            continue
        number, slow = number + 1, slow + (high(took) > LIMIT)
        mark = "  *" if high(took) > LIMIT else ""
        print(f"{label:<48}{statistics.median(took):9.1f}{high(took):9.1f}{high(took) / base:8.1f}{mark}", flush=True)
    print(f"{number} pages, {slow} of them over {LIMIT} ms at p95")


def high(took: list[float]) -> float:
    """The 95th percentile of sorted values."""
    return took[max(0, -(-len(took) * 95 // 100) - 1)]


def main() -> None:
    """Fills, asks, prints."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cruises", type=int, default=200)
    asked.add_argument("--files", type=int, default=1_000_000)
    asked.add_argument("--times", type=int, default=20)
    asked.add_argument("--keep", action="store_true", help="the database stays, and is used again")
    asked.add_argument("--only", default="", help="pages whose name holds this")
    told: Any = asked.parse_args()
    before = settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=told.keep)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            override_settings(ALLOWED_HOSTS=["testserver"], HOME=Path(folder), DELIVERY_ROOTS=[Path(folder).resolve()]),
        ):
            if not Cruise.objects.exists():
                fill(Path(folder).resolve(), told.cruises, told.files)
            get_resolver().url_patterns  # noqa: B018 - and then, as portal.asgi does:
            memory.settle()
            measure(told.times, told.only)
    finally:
        if not told.keep:
            connection.creation.destroy_test_db(before, verbosity=0)


if __name__ == "__main__":
    main()
