"""Reading by real processes: one is killed in the middle, two read at once, and no file is read twice."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import Installation, _environment

pytestmark = pytest.mark.flow
LARGE, LARGE_SIZE = 32, 64 * 1024**2
SMALL = 3500
CRUISES = """
from tests import make
make.cruise("TS2601", state="ended"), make.cruise("TS2602", state="ended")
"""


@pytest.fixture
def ashore(tmp_path: Path) -> Installation:
    """An installation on the embedded default with two cruises that are back."""
    installation = Installation(tmp_path / "home", _environment(tmp_path / "home"))
    for words in (("migrate", "-v", "0"), ("shell", "-v", "0", "-c", CRUISES)):
        done = installation.manage(*words)
        assert done.returncode == 0, done.stderr
    return installation


def ask(installation: Installation, query: str) -> Any:
    with closing(sqlite3.connect(installation.home / "leadline.sqlite3", timeout=20)) as database, database:
        return database.execute(query).fetchall()


def deliver(folder: Path, files: dict[str, tuple[int, str]]) -> Path:
    """A directory of files that are all zeros, which take no room, and their manifest. `files`: size and MD5."""
    for name, (size, _) in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb") as file:
            file.truncate(size)
    lines = (f"{size:10d}  {md5}  ./{name}\n" for name, (size, md5) in files.items())
    (folder / "list.md5").write_text("".join(lines))
    return folder


def verify(installation: Installation, cruise: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "verify", "--cruise", cruise, "--workers", "1", "--json"],
        env=installation.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    found: dict[str, Any] = json.loads(out)
    return found


READ = "SELECT count(*) FROM inventory_file WHERE verified_at IS NOT NULL"


def stop_in_the_middle(installation: Installation, number: int) -> int:
    """Starts a reading, ends it with a signal once some files are written down; returns how many are."""
    before = ask(installation, READ)[0][0]
    process = verify(installation, "TS2601")
    deadline = time.monotonic() + 60
    while ask(installation, READ)[0][0] <= before and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, number)
    process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    return int(ask(installation, READ)[0][0])


def test_killed_and_stopped_in_the_middle_nothing_is_lost_and_nothing_read_twice(ashore: Installation, tmp_path: Path):
    md5 = hashlib.md5(bytes(LARGE_SIZE)).hexdigest()
    root = deliver(tmp_path / "large", {f"d{n % 3}/{n}.dat": (LARGE_SIZE, md5) for n in range(LARGE)})
    assert ashore.manage("receive", str(root), "--cruise", "TS2601", "--no-read").returncode == 0
    killed = stop_in_the_middle(ashore, signal.SIGKILL)
    assert 0 < killed < LARGE
    assert ask(ashore, "SELECT state FROM portal_work") == [("running",)]
    # As if 90 seconds had gone by without a beat.
    ask(ashore, "UPDATE portal_work SET beat_at = '2026-01-01 00:00:00'")
    stopped = stop_in_the_middle(ashore, signal.SIGTERM)
    assert killed < stopped < LARGE
    assert ask(ashore, "SELECT count(*) FROM inventory_chunk WHERE work_id IS NOT NULL") == [(0,)]
    last = answer(verify(ashore, "TS2601"))
    assert (last["state"], last["counts"]["matched"]["files"]) == ("verified", LARGE)
    assert last["read"]["files"] == LARGE - stopped
    assert ask(ashore, "SELECT count(*) FROM inventory_chunk") == [(0,)]


def test_two_at_once_read_each_file_once(ashore: Installation, tmp_path: Path):
    md5 = hashlib.md5(bytes(3000)).hexdigest()
    root = deliver(tmp_path / "small", {f"d{n % 30}/{n}.dat": (3000, md5) for n in range(SMALL)})
    assert ashore.manage("receive", str(root), "--cruise", "TS2602", "--no-read").returncode == 0
    both = [verify(ashore, "TS2602") for _ in range(2)]
    answers = [answer(process) for process in both]
    assert [told["state"] for told in answers] == ["verified", "verified"]
    assert all(told["counts"]["matched"]["files"] == SMALL for told in answers)
    assert sum(told["read"]["files"] for told in answers) == SMALL
    assert sum(told["read"]["bytes"] for told in answers) == SMALL * 3000
