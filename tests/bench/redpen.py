"""How long the red pen looks at a log of 100,000 events, and at one event while it is typed.

    .venv/bin/python tests/bench/redpen.py [EVENTS]

Prints the median of each and its ratio to a named baseline run beside it: reading the same events from the database
alone. Uses a database of its own, SpatiaLite unless DATABASE_URL says otherwise.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
HOME = tempfile.mkdtemp(prefix="leadline-bench-")
os.environ |= {"LEADLINE_MODE": "test", "LEADLINE_HOME": HOME, "DJANGO_SETTINGS_MODULE": "portal.settings"}
os.environ |= {"SECRET_KEY": "only-for-a-benchmark-" + "x" * 40, "LOG_LEVEL": "ERROR", "LEADLINE_URL": "http://bench"}

BEGIN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def fill(log: Any, count: int) -> None:
    """Casts of ten events each, a minute apart, from station to station; every twelfth cast has no end."""
    from eventlog import ledger, operations
    from eventlog.models import Event
    from portal.access import CONSOLE

    words = ["deploy", *["other"] * 7, "maxDepth", "recover"]
    events = []
    for number in range(count):
        cast, step = divmod(number, len(words))
        action = "other" if words[step] == "recover" and cast % 12 == 5 else words[step]
        at = BEGIN + dt.timedelta(seconds=7 * number)
        events.append(
            Event(
                log=log,
                number=f"{number:08d}",
                observed_at=at,
                logged_at=at,
                instrument="CTD",
                action=action,
                station=f"S{cast % 300:03d}",
                latitude=36 + (number % 30_000) * 3e-4,
                longitude=-25.0,
                seafloor_m=3000.0,
                author_name="bench",
                source="bench",
                comment=f"{number}",
                extra={"sample_id": f"{number}"} if step == 5 else {},
            )
        )
    from django.db import transaction

    with transaction.atomic():
        held = ledger.locked(log)
        operations.gather(log=held, events=events, by=CONSOLE)
        Event.objects.bulk_create(events, batch_size=2000)


def median(run: Callable[[], Any], times: int) -> float:
    """Seconds, the median of some runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main(count: int) -> None:
    """Runs it and prints the figures."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from eventlog import redpen
    from eventlog.redpen.looking import rows_of
    from tests import make

    log = make.log(depart_date=BEGIN.date(), arrive_date=(BEGIN + dt.timedelta(seconds=7 * count)).date())
    fill(log, count)
    now = BEGIN + dt.timedelta(seconds=7 * count)
    baseline = median(lambda: rows_of(log.events.standing()), 3)
    whole = median(lambda: redpen.look(log, now=now), 3)
    fields = {"observed_at": now, "instrument": "CTD", "action": "deploy", "station": "S0", "latitude": 37.0}
    fields |= {"longitude": -25.0, "extra": {"sample_id": "5"}}
    typed = median(lambda: redpen.while_typing(log, fields, now=now), 9)
    quick = median(lambda: redpen.unfinished(log, now=now), 3)
    print(f"{count:,} events, {log.operations.count():,} operations, {len(redpen.look(log, now=now)):,} findings")
    print(f"reading the events (baseline)  {baseline:7.3f} s")
    print(f"look at the whole log          {whole:7.3f} s   {whole / baseline:5.1f} x")
    print(f"before closing                 {quick:7.3f} s   {quick / baseline:5.1f} x")
    print(f"one event while typing         {typed:7.3f} s   {typed / baseline:5.1f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
