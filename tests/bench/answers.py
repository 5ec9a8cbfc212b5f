"""How long a log of 100,000 events takes to answer: its pages, the API and tabledap, for each of a dozen filters.

    DATABASE_URL=postgis://user@host:port/name .venv/bin/python tests/bench/answers.py [EVENTS] [TIMES]

Makes a log of 60 days in a database of its own (`test_…`, dropped afterwards): thirty instruments, forty stations on a
line, 12,000 operations, half of the positions typed and half derived. Each question is asked in turn, so often, through
all of Django and its templates by somebody signed in; printed are the median and the 95th percentile in milliseconds,
mean CPU milliseconds of this process and of its database process (where that runs here; a busy machine does not change
them), and the ratio of the median to the baseline: `SELECT … ORDER BY observed_at DESC LIMIT 50` bare, by the same
connection.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

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
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from eventlog.models import Event, Log, Operation  # noqa: E402

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
BATCH = 5000
INSTRUMENTS = ["CTD", "Bongo net", "Underway water", "Multibeam", "ADCP", *(f"Instrument {n}" for n in range(25))]
ACTIONS = ["deploy", "maxDepth", "recover", "start", "stop", "sample", "service", "other"]
WORDS = "bottle leaked calm swell pump restarted bottom sample taken from rosette wire angle good bad fog ice".split()  # noqa: SIM905
FILTERS = {
    "first page": "",
    "one instrument": "instrument=CTD",
    "instrument and action": "instrument=CTD&action=deploy",
    "rare instrument": "instrument=Instrument+24",
    "common word": "q=bottle",
    "rare word": "q=zeppelin",
    "three words": "q=bottle+leaked+swell",
    "station": "station=L6",
    "person": "person=watch07",
    "a day": "after=2026-02-01&before=2026-02-01",
    "box": "box=-71,38,-70,39",
    "within 20 km of L6": "near=L6&within=20",
    "deep": "depth_min=4000",
    "everything at once": "instrument=CTD&action=deploy&depth_min=1000&near=L6&within=100&q=bottle&after=2026-01-10",
    "derived positions": "position=derived",
    "struck alone": "struck=only",
    "nothing found": "instrument=CTD&station=nowhere",
}


def fill(log: Log, count: int) -> None:
    """So many events along a line of stations to and fro, and their operations."""
    chance = random.Random(7)
    span = dt.timedelta(days=60) / count
    operations = Operation.objects.bulk_create(
        [
            Operation(
                log=log, kind="ctd", instrument=INSTRUMENTS[n % 4], cast=f"{n:04d}", state="on deck", is_open=False,
                started_at=START + span * 8 * n, ended_at=START + span * (8 * n + 6),
            )
            for n in range(count // 8)
        ],
        batch_size=BATCH,
    )  # fmt: skip
    rows = []
    for n in range(count):
        at = START + span * n
        along = abs((n / count * 20) % 2 - 1)
        latitude, longitude = 36 + 5 * along, -70.5 + math.sin(n / 900) / 2
        typed = n % 2 == 0
        depth = 200 + 4800 * (1 - along)
        comment = " ".join(chance.choices(WORDS, k=chance.randrange(0, 14)))
        rows.append(
            Event(
                uuid=uuid.UUID(int=chance.getrandbits(128)), log=log, number=f"{at:%Y%m%d.%H%M}.{n:06d}",
                observed_at=at, logged_at=at, instrument=INSTRUMENTS[min(int(chance.expovariate(0.25)), 29)],
                action=chance.choice(ACTIONS), station=f"L{round(along * 39)}" if n % 3 else "", cast=f"{n // 8:04d}",
                latitude=latitude if typed else None, longitude=longitude if typed else None,
                seafloor_m=depth if typed else None, nav_latitude=latitude, nav_longitude=longitude, nav_depth_m=depth,
                nav_method="interpolated", nav_feed="s330", nav_gap_s=1.0, nav_uncertainty_m=12.0,
                author_name=f"watch{n % 12:02d}", source="web", comment=comment,
                operation=operations[min(n // 8, len(operations) - 1)] if n % 4 else None,
                original={"Message ID": n, "Comment": comment, "Cruise": "bench", "Event": f"{n:06d}"},
                struck_at=at if n % 200 == 0 else None,
            )
        )  # fmt: skip
        if len(rows) == BATCH:
            Event.objects.bulk_create(rows)
            rows.clear()
    Event.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def measured(ask: Callable[[], object], times: int) -> tuple[list[float], float]:
    """Milliseconds of each call, sorted, and the mean CPU milliseconds; the first call is left out."""
    ask()
    took, worked = [], _worked()
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took), 1000 * (_worked() - worked) / times


def _worked() -> float:
    """Seconds of CPU of this process, and of the database's process where it runs on this machine."""
    spent = time.process_time()
    pid = connection.connection.info.backend_pid if connection.vendor == "postgresql" else 0
    stat = Path(f"/proc/{pid}/stat")
    if pid and stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    setup_test_environment()
    old = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        from tests import make

        log = make.log()
        fill(log, count)
        client = Client()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET max_parallel_workers_per_gather = 0")  # all of it in the process that is watched
        client.force_login(make.person("chief"), backend=settings.AUTHENTICATION_BACKENDS[0])
        bare, _ = measured(lambda: _bare(log), times)
        base = statistics.median(bare)
        print(
            f"{count:,} events, {connection.vendor}, {times} times each; the machine's load is {os.getloadavg()[0]:.1f}"
        )
        _tell("baseline: SELECT … LIMIT 50", bare, 0.0, base)
        start, api = f"/cruise/{log.cruise.cruise_id}/log/events/", f"/api/v1/cruises/{log.cruise.cruise_id}/"
        every: list[float] = []
        for name, query in FILTERS.items():
            every += _asked(client, f"table, {name}", f"{start}?{query}", times, base)
        _summed("the table with any filter", every)
        every = []
        for name, query in FILTERS.items():
            every += _asked(
                client, f"API, {name}", f"{api}events?page_size=50&ordering=-observed_at&{query}", times, base
            )
        _summed("the API with any filter", every)
        for name in ("first page", "one instrument", "within 20 km of L6", "a day"):
            for part in ("points.geojson", "lanes.json"):
                _asked(client, f"{part}, {name}", f"{start}{part}?{FILTERS[name]}", times, base)
        for name, query in {
            "a day": "time,latitude,longitude,instrument&time>=2026-02-01&time<2026-02-02",
            "pattern": 'time,instrument&instrument=~"Instrument 2.*"&time>=max(time)-1day',
        }.items():
            _asked(client, f"tabledap, {name}", f"{api}tabledap/events.csv?{quote(query, safe='&=,')}", times, base)
        _asked(client, "table, words forgotten", start, times, base, before=cache.clear)
        _asked(client, "history of the log", start.removesuffix("events/") + "history/", times, base)
        event = Event.objects.filter(log=log).order_by("pk")[count // 2]
        _asked(client, "page of one event", start.removesuffix("events/") + f"event/{event.uuid}/", times, base)
    finally:
        connection.creation.destroy_test_db(old or "", verbosity=0)


def _bare(log: Log) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT uuid, observed_at, instrument, action, station, comment, latitude, longitude FROM eventlog_event "
            "WHERE log_id = %s AND struck_at IS NULL ORDER BY observed_at DESC, number DESC LIMIT 50",
            [log.pk],
        )
        cursor.fetchall()


def _asked(
    client: Client, name: str, path: str, times: int, base: float, before: Callable[[], object] = lambda: None
) -> list[float]:
    def ask() -> None:
        before()
        response = client.get(path)
        assert response.status_code == 200, (path, response.status_code, response.content[:300])

    took, worked = measured(ask, times)
    _tell(name, took, worked, base)
    return took


def _tell(name: str, took: list[float], worked: float, base: float) -> None:
    middle = statistics.median(took)
    print(f"{name:40}{middle:8.1f} ms{_p95(took):8.1f} ms at p95{worked:8.1f} ms CPU{middle / base:8.1f} x", flush=True)


def _summed(name: str, took: list[float]) -> None:
    took = sorted(took)
    print(f"-> {name}: median {statistics.median(took):.1f} ms, p95 {_p95(took):.1f} ms of {len(took)}\n", flush=True)


def _p95(took: list[float]) -> float:
    return sorted(took)[max(0, math.ceil(0.95 * len(took)) - 1)]


if __name__ == "__main__":
    main()
