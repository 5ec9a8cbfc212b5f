"""Reading files: our reading alone, and with the database, beside `hashdeep -c md5,sha256 -j 2 -r` on the same tree.

Run as `.venv/bin/python tests/bench/verify.py [--large N BYTES] [--small N]`; without arguments 200 files of 10 MB
and 200,000 files of 1 to 4 kB. With DATABASE_URL for PostgreSQL, else SpatiaLite in a folder of its own. A tree is
read once before anything is timed, so that each reads from memory. Trees and database are removed at the end.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

HOME = tempfile.mkdtemp(prefix="leadline-bench-")
os.environ |= {"LEADLINE_MODE": "test", "LEADLINE_HOME": HOME, "DJANGO_SETTINGS_MODULE": "portal.settings"}
os.environ.setdefault("SECRET_KEY", "x" * 50)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from inventory import intake, paths  # noqa: E402
from inventory.verification.reading import Listed, Readers, cores  # noqa: E402
from portal import jobs  # noqa: E402
from portal.access import CONSOLE  # noqa: E402
from tests import make  # noqa: E402


def grow(root: Path, count: int, least: int, most: int) -> Path:
    """A tree of `count` files of random content, 500 to a directory."""
    chance = random.Random(1)
    block = os.urandom(1024 * 1024)
    for n in range(count):
        folder = root / f"d{n // 500:04d}"
        if not n % 500:
            folder.mkdir(parents=True)
        size, start = chance.randint(least, most), chance.randrange(len(block))
        with (folder / f"f{n:06d}.dat").open("wb") as file:
            file.write(n.to_bytes(8, "big"))
            for done in range(8, size, len(block)):
                file.write((block[start:] + block[:start])[: size - done])
    return root


def alone(root: Path) -> None:
    """Both hashes of every file, by our readers, and nothing written down."""
    with Readers(root, cores()) as readers:
        for number, folder in enumerate(sorted(path for path in root.iterdir() if path.is_dir())):
            names = [
                paths.to_text(os.fsencode(f"{folder.name}/{name}"))
                for name in sorted(path.name for path in folder.iterdir())
            ]
            readers.read(number, [Listed(0, name, folder.name, None, True, None, "", "") for name in names])
        while readers.waiting:
            for ended in readers.finished(1.0):
                assert ended.fault is None


def compare(what: str, root: Path) -> None:
    """Times the baseline, our reading, and our reading with the database."""
    listed = subprocess.run(
        ["hashdeep", "-c", "md5,sha256", "-j", "2", "-r", "-l", "."], cwd=root, capture_output=True, check=True
    ).stdout

    def hashdeep() -> None:
        subprocess.run(
            ["hashdeep", "-c", "md5,sha256", "-j", "2", "-r", str(root)], stdout=subprocess.DEVNULL, check=True
        )

    base = min(timed(hashdeep), timed(hashdeep))
    print(f"{what}: hashdeep -c md5,sha256 -j 2   {base:8.2f} s", flush=True)
    ours = min(timed(lambda: alone(root)), timed(lambda: alone(root)))
    print(f"{what}: our reading alone             {ours:8.2f} s   {ours / base:5.2f} x hashdeep", flush=True)
    (root / "list.hashdeep").write_bytes(listed)
    cruise = make.cruise(f"BE{uuid.uuid4().hex[:6].upper()}", state="ended")
    made = intake.receive(cruise=cruise, root=root, by=CONSOLE, manifest=root / "list.hashdeep").distribution
    full = timed(lambda: jobs.perform("inventory.verify", str(made.pk)))
    counts = made.counts()
    assert counts["matched"] == counts["all"], counts
    print(f"{what}: with the database             {full:8.2f} s   {full / base:5.2f} x hashdeep", flush=True)


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", nargs=2, type=int, default=[200, 10_000_000], metavar=("FILES", "BYTES"))
    parser.add_argument("--small", type=int, default=200_000, metavar="FILES")
    options = parser.parse_args()
    try:
        call_command("migrate", verbosity=0)
        count, size = options.large
        large = grow(Path(HOME) / "large", count, size, size)
        compare(f"{count:,} files of {size:,} bytes", large)
        shutil.rmtree(large)
        compare(f"{options.small:,} files of 1 to 4 kB", grow(Path(HOME) / "small", options.small, 1000, 4000))
    finally:
        shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
