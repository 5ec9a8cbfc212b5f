"""How long a manifest of a million lines takes to become an inventory, and how much memory.

    DATABASE_URL=postgis://user@host:port/name .venv/bin/python tests/bench/receive.py [LINES]

Makes a manifest as `md5deep -r -l -z` writes it, takes it in ahead of its disk in a database of its own (`test_…`,
dropped afterwards), and prints seconds, the process's peak of memory, and the ratio to the baseline: on PostgreSQL a
bare COPY of the same rows into a table of the same columns and indexes; on SQLite a bare executemany of them.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["LEADLINE_MODE"] = "test"
os.environ["LOG_LEVEL"] = "ERROR"

import django  # noqa: E402

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from inventory import intake  # noqa: E402
from inventory.models import File  # noqa: E402
from portal.access import CONSOLE  # noqa: E402

TABLE = "bench_file"


def write(path: Path, lines: int) -> None:
    """A list of files as a large cruise has: 400 directories, long names with blanks."""
    with path.open("w") as out:
        for n in range(lines):
            digest = hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()
            out.write(
                f"{n % 5_000_000:10d}  {digest}  ./data/sensor {n % 400:03d}/raw/NBP1406_{n % 400:03d}-{n:08d}.raw\n"
            )


def peak_mb() -> float:
    """Peak resident memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bare(lines: int) -> float:
    """The baseline: the rows that are in the inventory, written into a table of the same shape."""
    table, quote = File._meta.db_table, connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in File._meta.concrete_fields)
    marks = ", ".join(["%s"] * len(File._meta.concrete_fields))
    rows = (
        File.objects.order_by().values_list(*(f.attname for f in File._meta.concrete_fields)).iterator(chunk_size=5000)
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE TABLE {TABLE} (LIKE {table} INCLUDING ALL)")
            held = list(rows) if lines <= 2_000_000 else []
            began = time.perf_counter()
            with cursor.cursor.copy(f"COPY {TABLE} ({columns}) FROM STDIN") as copy:
                for row in held:
                    copy.write_row(row)
            return time.perf_counter() - began
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])
        for (statement,) in cursor.fetchall():
            named = statement.replace(table, TABLE).replace("file_path_once", "bench_path_once")
            cursor.execute(named.replace('INDEX "inventory_f_', 'INDEX "bench_f_'))
        held = [tuple(getattr(v, "hex", v) if not isinstance(v, float) else v for v in row) for row in rows]
        began = time.perf_counter()
        with transaction.atomic():
            stream = iter(held)
            while batch := list(islice(stream, 5000)):
                cursor.executemany(f"INSERT INTO {TABLE} ({columns}) VALUES ({marks})", batch)
        return time.perf_counter() - began


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    setup_test_environment()
    old = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        from tests import make

        with tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
            manifest = Path(folder) / "NBP1406.md5"
            write(manifest, lines)
            before = peak_mb()
            began = time.perf_counter()
            receipt = intake.announce(cruise=make.cruise(state="ended"), manifest=manifest, by=CONSOLE)
            took = time.perf_counter() - began
        peak = peak_mb()
        assert receipt.distribution.files.count() == lines
        base = bare(lines)
        words = "COPY" if connection.vendor == "postgresql" else "executemany"
        print(f"{lines:,} lines, {connection.vendor}")
        print(f"baseline: bare {words} of the same rows {base:8.1f} s")
        goal = "goal 3 x" if connection.vendor == "postgresql" else "goal 120 s"
        print(f"manifest taken in                      {took:8.1f} s  {took / base:5.2f} x the baseline ({goal})")
        print(f"peak of memory                         {peak:8.0f} MB (before: {before:.0f}; goal 300)")
    finally:
        connection.creation.destroy_test_db(old or "", verbosity=0)


if __name__ == "__main__":
    main()
