"""Storing: our deep storage in a directory, and through rclone, beside `rclone copy --checksum` of the same tree.

Run as `.venv/bin/python tests/bench/store.py [--small N] [--large N BYTES]`; without arguments 2,000 files of 1 to 4 kB
and 20 of 50 MB. What is timed of ours is the whole `store`: files compared on the way and synced, database, papers.
The tree is read once before anything is timed. With DATABASE_URL for PostgreSQL, else SpatiaLite in a folder of its
own. Trees and database are removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOME = tempfile.mkdtemp(prefix="leadline-bench-")
os.environ |= {"LEADLINE_MODE": "test", "LEADLINE_HOME": HOME, "DJANGO_SETTINGS_MODULE": "portal.settings"}
os.environ |= {"RCLONE_CONFIG_DISK_TYPE": "local"}
os.environ.setdefault("SECRET_KEY", "x" * 50)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from inventory import intake, storage  # noqa: E402
from inventory.models import Distribution  # noqa: E402
from portal import jobs  # noqa: E402
from portal.access import CONSOLE, WORKER  # noqa: E402
from portal.work import Progress  # noqa: E402
from tests import make  # noqa: E402


def grow(root: Path, small: int, large: int, size: int) -> Path:
    """A tree of random content: small files, 500 to a directory, and large ones in one more."""
    block = os.urandom(1024 * 1024)
    for n in range(small):
        place = root / f"small/d{n // 500:04d}/f{n:06d}.dat"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(n.to_bytes(8, "big") + block[n % 1000 : n % 1000 + 1000 + n % 3000])
    for n in range(large):
        place = root / f"large/f{n:04d}.dat"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            for done in range(0, size, len(block)):
                file.write((n.to_bytes(8, "big") + block[8:])[: size - done])
    return root


def verified(root: Path) -> Distribution:
    """The tree as a distribution that was read and compared."""
    subprocess.run("md5deep -r -l . > ../list.md5 && mv ../list.md5 delivery.md5", shell=True, cwd=root, check=True)
    made = intake.receive(cruise=make.cruise(state="ended"), root=root, by=CONSOLE).distribution
    assert jobs.perform("inventory.verify", str(made.pk))
    made.refresh_from_db()
    return made


def baseline(root: Path, to: Path) -> float:
    started = time.perf_counter()
    subprocess.run(["rclone", "--config", "", "copy", "--checksum", str(root), str(to)], check=True)
    return time.perf_counter() - started


def ours(distribution: Distribution, address: str) -> float:
    settings.DEEP_STORAGE = address
    os.sync()
    started = time.perf_counter()
    with Progress.claim(storage.STORE_DOOR, address) as progress:
        made = storage.store(distribution=distribution, by=WORKER, progress=progress)
    assert (made.state, made.refused) == ("stored", [])
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=2000)
    parser.add_argument("--large", type=int, nargs=2, default=(20, 50_000_000), metavar=("N", "BYTES"))
    options = parser.parse_args()
    home = Path(HOME)
    try:
        call_command("migrate", verbosity=0)
        distribution = verified(grow(home / "tree", options.small, *options.large))
        root = Path(distribution.root)
        print(f"{options.small:,} small files and {options.large[0]:,} of {options.large[1]:,} bytes")
        os.sync()
        base = baseline(root, home / "baseline")
        print(f"rclone copy --checksum  {base:7.2f} s")
        for what, address in (("directory", f"local:{home}/kept"), ("through rclone", f"rclone:disk:{home}/sent")):
            seconds = ours(distribution, address)
            print(f"store, {what:16s} {seconds:7.2f} s  {seconds / base:.2f} times")
    finally:
        shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
