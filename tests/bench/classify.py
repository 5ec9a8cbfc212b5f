"""How long a profile of 60 rules takes to sort a million files, and the preview of an edited rule on 20,000.

    DATABASE_URL=postgis://… .venv/bin/python tests/bench/classify.py [FILES]

Prints seconds and the ratio to a named baseline run beside it: for the matching a loop of fnmatch over rules and paths
(a hundredth of the files, scaled up), for the writing a bare UPDATE of the same rows to one data set. Uses the database
of DATABASE_URL as its own: it must be empty; SpatiaLite where none is named.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import os
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

RULES = 60
CLASSES = ["gnss", "ins", "gyro", "singlebeam", "multibeam", "adcp", "ctd", "metstation", "tsg", "winch"]


def path(number: int) -> str:
    """A file of feed 0…63 (four without a rule), a directory a day, three kinds of names."""
    kind = ("raw", "hex", "txt")[number % 3]
    return f"data/feed{number % 64:02d}/raw/day{number // 64 % 40:02d}/f{number % 64:02d}_{number:08d}.{kind}"


def rules() -> list[Any]:
    """A third by directory, a third by directory and name, a third by name alone."""
    from inventory.profiles import RuleText

    made = []
    for n in range(RULES):
        where = "**" if n % 3 == 2 else f"data/feed{n:02d}/**"
        name = "*" if n % 3 == 0 else f"f{n:02d}_*.*" if n % 2 else rf"re:f{n:02d}_\d+\.(raw|hex|txt)"
        made.append(RuleText(where, name, device_class=CLASSES[n % 10], label=f"feed{n:02d}"))
    return made


def fill(cruise: Any, count: int) -> Any:
    from django.utils import timezone

    from inventory.models import Distribution, File
    from inventory.staging import path_key

    now = timezone.now()
    made = Distribution.objects.create(
        cruise=cruise, number=1, state="verified", since=now, root=HOME, received_at=now, verified_at=now
    )
    for start in range(0, count, 20_000):
        paths = [path(n) for n in range(start, min(start + 20_000, count))]
        File.objects.bulk_create(
            File(
                distribution=made,
                path=p,
                path_key=path_key(p),
                directory=p.rpartition("/")[0],
                name=p.rpartition("/")[2],
                size=1000,
                state="matched",
            )
            for p in paths
        )
    return made


def took(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def told(what: str, seconds: float, baseline: str, base: float) -> None:
    print(f"{what:<52}{seconds:8.2f} s   {seconds / base:6.3f} × {baseline} ({base:.2f} s)", flush=True)


def by_fnmatch(texts: list[Any], count: int) -> float:
    """The naive way: for each path each rule, until one fits."""
    globs = [f"{r.directory.replace('**', '*')}/{'*' if r.name == '*' else f'f{r.label[4:]}_*.*'}" for r in texts]
    sample = [path(n) for n in range(0, count, 100)]

    def loop() -> None:
        for p in sample:
            next((g for g in globs if fnmatch.fnmatchcase(p, g)), None)

    return took(loop) * count / len(sample)


def main(count: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    call_command("migrate", verbosity=0)
    from inventory import classify, profiles
    from inventory.models import Distribution
    from inventory.rules import Matcher
    from portal.access import CONSOLE
    from tests import make

    cruise = make.cruise(depart_date=dt.date(2026, 3, 2))
    made, texts = fill(cruise, count), rules()
    print(f"{count:,} files, {RULES} rules, {connection.vendor}")
    profiles.save(vessel=cruise.vessel, rules=texts, by=CONSOLE)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE inventory_file")

    def match() -> None:
        matcher = Matcher.of(texts)
        for n in range(count):
            matcher.rule_for(path(n))

    told("matching alone", took(match), "fnmatch, rule by rule", by_fnmatch(texts, count))
    whole = took(lambda: classify.classify(distribution=made, by=CONSOLE))
    some = made.files.exclude(dataset=None).first().dataset

    def bare() -> None:
        with transaction.atomic():
            made.files.update(dataset=some, rule=None)
            transaction.set_rollback(True)

    told("classify: matching and writing", whole, "a bare UPDATE of all rows", took(bare))
    profiles.save(vessel=cruise.vessel, rules=texts[1:], by=CONSOLE)
    again = took(lambda: classify.classify(distribution=made, by=CONSOLE))
    told("classify anew with a rule less", again, "the first time", whole)
    small = fill(make.cruise(depart_date=dt.date(2026, 5, 2), arrive_date=dt.date(2026, 5, 9)), 20_000)
    read = took(lambda: list(small.files.values_list("path", flat=True)))
    told("preview on 20,000 files", took(lambda: classify.preview(small, texts)), "reading their paths", read)
    Distribution.objects.all().delete()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
