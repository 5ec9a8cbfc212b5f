"""What tests of deep storage say over and over: a delivery of odd names, storing, checking, recovering, spoiling."""

from __future__ import annotations

import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from inventory import storage
from inventory.models import Deposit, Distribution, Recovery
from inventory.storage import names
from portal import floor, jobs
from portal.access import WORKER
from portal.work import Progress

LONG = "x" * 250
FILES = {
    "data/ctd/cast 1.dat": b"one\n" * 100,
    "data/ctd/Größe.dat": b"two\n",
    "data/empty": b"",
    "a=b;c&'d.txt": b"signs",
    f"deep/{LONG}": b"long",
}
HOSTILE = (b"latin-\xe9.dat", b"back\\slash", b"car\rriage", b"line\nbreak", b"-rf", b'quo"te,comma', b"=41")


def progress(door: str = storage.STORE_DOOR, key: str = "test") -> Progress:
    return Progress.claim(door, key)


def put(distribution: Distribution, by: Any = WORKER) -> Deposit:
    return storage.store(distribution=distribution, by=by, progress=progress(key=os.urandom(4).hex()))


def check(deposit: Deposit, by: Any = WORKER) -> Deposit:
    return storage.check_fixity(deposit=deposit, by=by, progress=progress(key=os.urandom(4).hex()))


def bring(recovery: Recovery, by: Any = WORKER) -> Recovery:
    return storage.deliver(recovery=recovery, by=by, progress=progress(key=os.urandom(4).hex()))


def in_turns(door: str, key: str) -> int:
    """Has the worker do it in turns that are over at once, until it does not wait any more; returns how many."""
    waiting, turns = floor.doors()[door].waiting, 0
    while key in waiting():
        assert jobs.perform(door, key, turn=-1.0)
        turns += 1
        assert turns < 100
    return turns


def answer(name: str, *words: str) -> dict[str, Any]:
    out = StringIO()
    call_command(name, *words, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def held(folder: Path) -> dict[bytes, bytes]:
    """Every file below a folder by the bytes of its path."""
    top = os.fsencode(folder)
    found = {}
    for place, _, files in os.walk(top):
        for name in files:
            path = os.path.join(place, name)
            found[os.path.relpath(path, top)] = Path(os.fsdecode(path)).read_bytes()
    return found


def first_copy(deposit: Deposit, deep: Path, path: str) -> Path:
    return deep / deposit.prefix / "data" / names.stored(path.encode())


def spoil(place: Path) -> None:
    """Changes one byte, and neither size nor time."""
    data = bytearray(place.read_bytes())
    data[0] ^= 1
    times = place.stat()
    place.chmod(0o644)
    place.write_bytes(data)
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
