"""A real ship's data comes by the real rsync into the watched folder, is broken off twice, and is received once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests import make
from tests.inventory.test_commands import run


def rsync(source: Path, target: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["rsync", "-rtL", *words, f"{source}/", f"{target}/"], start_new_session=True)


def broken_off(process: subprocess.Popen[bytes], target: Path, least: int, number: int) -> None:
    """Ends an rsync with a signal, in the middle of a file, once it has brought some bytes."""
    until = time.monotonic() + 60
    while sum(p.stat().st_size for p in target.rglob("*") if p.is_file()) < least and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None
    os.killpg(process.pid, number)
    process.wait(timeout=30)


def looked() -> tuple[dict[str, Any] | None, list[str]]:
    answer = run("watch", "--once")
    return next(iter(answer["arrivals"]), None), answer["received"]


def picture(folder: Path) -> dict[str, Any]:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


@pytest.mark.django_db
@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed; script/bootstrap brings it")
def test_what_rsync_brings_slowly_and_with_interruptions_is_received_once(drop: Path, tmp_path: Path, real_data: Path):
    make.cruise("NBP1406", state="ended")
    ship, target = tmp_path / "ship", drop / "NBP1406"
    ship.mkdir()
    for one in (real_data / "nbp1406").iterdir():
        (ship / one.name).symlink_to(one)  # where the data lie, they stay
    words = ["md5deep", "-r", "-l", "-z", "."]
    made = subprocess.run(words, cwd=real_data / "nbp1406", check=True, capture_output=True)
    (ship / "NBP1406.md5").write_bytes(made.stdout)
    files = len(made.stdout.splitlines())
    assert files > 10

    broken_off(rsync(ship, target, "--partial", "--bwlimit=1500"), target, 1_500_000, signal.SIGKILL)
    left = [path for path in target.rglob(".*") if path.is_file()]
    assert len(left) == 1  # .name.XXXXXX
    for _ in range(2):
        row, received = looked()
        assert row is not None
        assert (row["state"], row["listed files"], received) == ("arriving", files, [])
        assert row["files"] < files
    left[0].unlink()
    broken_off(rsync(ship, target, "--partial", "--bwlimit=1500"), target, 4_000_000, signal.SIGTERM)
    assert not [path for path in target.rglob(".*") if path.is_file()]  # what there was has the name of the whole file
    for _ in range(2):
        row, received = looked()
        assert row is not None
        assert (row["state"], row["reason"], received) == ("arriving", "", [])
    assert rsync(ship, target, "--partial").wait(timeout=60) == 0

    before = picture(drop)
    assert [line for _ in range(4) for line in looked()[1]] == ["NBP1406: received as NBP1406 shipment 1"]
    read = run("verify", "--cruise", "NBP1406")
    counts = {state: row["files"] for state, row in read["counts"].items()}
    assert (read["state"], counts["matched"], counts["all"]) == ("verified", files, files)
    assert picture(drop) == before
    again = run("watch", "--once")
    assert (again["received"], again["arrivals"], again["looked at"]) == ([], [], 1)
    mended = target / "NBP1406_cruise.yaml"
    mended.write_text(mended.read_text() + "# mended\n")
    row, received = looked()
    assert row is not None
    assert (row["state"], received) == ("changed", [])
