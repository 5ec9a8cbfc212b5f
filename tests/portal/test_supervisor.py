"""Ending what was started: politely, then all of a session, also what left its group."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal import supervisor
from portal.supervisor import Child, Supervisor

# As a worker that waits for its job, which runs in a group of its own and knows nothing of the end.
STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.fork():
    os.setpgrp()
    pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether it runs: neither gone nor only waiting to be counted off."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(true())


def test_a_job_does_not_go_on_after_its_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    told = tmp_path / "pid"
    crew = Supervisor([Child("worker", [sys.executable, "-c", STUBBORN, str(told)])])
    crew.start()
    assert until(lambda: told.exists() and told.read_text())
    job = int(told.read_text())
    assert alive(job)
    crew.stop()
    assert not crew.child("worker").running
    assert until(lambda: not alive(job))


def test_who_goes_when_asked_is_not_killed(tmp_path: Path):
    crew = Supervisor([Child("sleeper", ["sleep", "600"])])
    crew.start()
    began = time.monotonic()
    crew.stop()
    process = crew.child("sleeper").process
    assert process is not None
    assert process.returncode == -15
    assert time.monotonic() - began < supervisor.GRACE_SECONDS
