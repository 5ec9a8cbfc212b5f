"""Comparisons of shipments for the pages: a short one is made at once, a long one by the worker; both are kept.

What is asked of the worker is a file beside the kept ones, named by the two sides: it goes when the comparison is
there, and asking twice is asking once. A manifest that somebody sent lies beside it for so long.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from django.db import OperationalError

from inventory import comparing, paths, scan
from inventory.comparing import Remark, Side
from inventory.manifests import Comparison
from inventory.manifests.compare import File
from inventory.models import Distribution
from portal import jobs, work
from portal.models import Work
from portal.refusals import NotFound, NotLikeThis, NotNow
from portal.work import Progress

DOOR: Final = "inventory.compare"
AT_ONCE: Final = 40_000  # files of both sides; about a second
SMALL: Final = 5_000_000  # bytes of a manifest; about a second
MOST_SENT: Final = 10  # large manifests that wait, for anybody may send one
LONGEST_WAIT: Final = 24 * 3600  # seconds
BATCH: Final = 5000
MOST_ASKED: Final = 20
BYTES: Final = ("utf-8", "surrogatepass")
_KEY = re.compile(r"(\d{1,18})(d?)-(\d{1,18})")
_SENT = re.compile(r"m[0-9a-f]{32}-(\d{1,18})")


def look(before: Distribution, now: Distribution, *, delivered: bool) -> Comparison | None:
    """Two shipments compared, `before` as its manifest says where `delivered`. None: the worker was asked for it.

    Raises NotNow where it would be long and one of them is being read.
    """
    sides = comparing.shipment(before, delivered=delivered), comparing.shipment(now)
    if (found := comparing.known(sides[0].mark, sides[1].mark)) is not None:
        return found
    if sum(shipment.counts()["all"]["files"] for shipment in (before, now)) <= AT_ONCE:
        return comparing.kept(*sides)
    for shipment in (before, now):
        if shipment.state == "received":
            raise NotNow(f"{shipment} is being read. It is compared once all of its files are read.")
    _asked(key_of(before, now, delivered=delivered)).touch()
    jobs.soon()
    return None


def key_of(before: Distribution, now: Distribution, *, delivered: bool) -> str:
    """The worker's key of a comparison."""
    return f"{before.pk}{'d' if delivered else ''}-{now.pk}"


def work_at(before: Distribution, now: Distribution, *, delivered: bool) -> Work | None:
    """How far the worker is with it."""
    return work.latest(DOOR, key_of(before, now, delivered=delivered))


def look_at_sent(manifest: Path, name: str, now: Distribution) -> Comparison | str:
    """A manifest that somebody sent, as `name`, compared with a shipment; `manifest` lies in the home of comparisons.

    A small one is compared at once. A large one, or one that meets many files, is moved away and left to the worker;
    then its SHA-256 comes back, by which `sent` finds what became of it.
    Raises NotLikeThis for what is no manifest, NotNow while the shipment is being read or too many wait.
    """
    digest = comparing.digest(manifest)
    sides = comparing.manifest(manifest, name, sha256=digest), comparing.shipment(now)
    if (found := comparing.known(sides[0].mark, sides[1].mark)) is not None:
        return found
    if manifest.stat().st_size <= SMALL and now.counts()["all"]["files"] <= AT_ONCE:
        return comparing.kept(*sides)
    if now.state == "received":
        raise NotNow(f"{now} is being read. It is compared once all of its files are read.")
    key = key_of_sent(digest, name, now)
    if not _asked(key).exists() and _waiting_manifests() >= MOST_SENT:
        raise NotNow(f"{MOST_SENT} large manifests wait to be compared. Send it again in a few minutes.")
    manifest.replace(_sent(key))
    _asked(key).write_bytes(name.encode(*BYTES))
    jobs.soon()
    return digest


def sent(digest: str, name: str, now: Distribution) -> Comparison | Work | None:
    """What became of a manifest that was sent: compared, or the worker's row, or None while it waits.

    Raises NotLikeThis with what the worker said to it, NotFound where nobody knows it (any more).
    """
    mark = comparing.manifest_mark(name, digest)
    if (found := comparing.known(mark, comparing.shipment(now).mark)) is not None:
        return found
    key = key_of_sent(digest, name, now)
    row = work.latest(DOOR, key)
    if _asked(key).exists():
        return None if row is None or row.state == "done" else row
    if row is not None and row.message:
        raise NotLikeThis(row.message)
    raise NotFound(f"The comparison with {name} is not kept any more. Send the manifest again.")


def key_of_sent(digest: str, name: str, now: Distribution) -> str:
    """The worker's key of a comparison with a manifest that was sent."""
    return f"m{hashlib.sha256(comparing.manifest_mark(name, digest).encode(*BYTES)).hexdigest()[:32]}-{now.pk}"


def waiting() -> list[str]:
    """Comparisons that were asked for and are not there, the first asked first."""
    found = sorted(comparing.home().glob("*.asked"), key=lambda path: path.stat().st_mtime)
    return [path.stem for path in found if _KEY.fullmatch(path.stem) or _SENT.fullmatch(path.stem)][:MOST_ASKED]


def run(key: str, progress: Progress) -> None:
    """Job: makes one comparison that was asked for; may be stopped and called again."""
    if shape := _SENT.fullmatch(key):
        _run_sent(key, int(shape[1]), progress)
    elif shape := _KEY.fullmatch(key):
        _run_shipments(int(shape[1]), int(shape[3]), progress, delivered=bool(shape[2]))
    _asked(key).unlink(missing_ok=True)
    _sent(key).unlink(missing_ok=True)


def _run_shipments(first: int, second: int, progress: Progress, *, delivered: bool) -> None:
    shipments = Distribution.objects.select_related("cruise").in_bulk([first, second])
    if len(shipments) < len({first, second}):
        return
    before, now = shipments[first], shipments[second]
    total = sum(shipment.counts()["all"]["files"] for shipment in (before, now))
    progress.describe(f"Comparing {before} with {now}", now.cruise, total=total)
    sides = comparing.shipment(before, delivered=delivered), comparing.shipment(now)
    comparing.kept(*(_counted(side, progress) for side in sides))


def _run_sent(key: str, second: int, progress: Progress) -> None:
    """Compares a manifest that was sent. One that is refused is not tried again: the row tells why."""
    now = Distribution.objects.select_related("cruise").filter(pk=second).first()
    if now is None or not _asked(key).exists() or not _sent(key).exists():
        return
    name = _asked(key).read_bytes().decode(*BYTES)
    lines = _lines(_sent(key))
    total = lines + now.counts()["all"]["files"] if lines else None
    progress.describe(f"Comparing the manifest {paths.display(name)} with {now}", now.cruise, total=total)
    try:
        sides = comparing.manifest(_sent(key), name), comparing.shipment(now)
        comparing.kept(*(_counted(side, progress) for side in sides))
    except NotLikeThis as refusal:
        progress.note(str(refusal))


def _waiting_manifests() -> int:
    """How many manifests wait; one that the worker could not compare for a day is let go."""
    left = 0
    for file in comparing.home().glob("*.sent"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime > time.time() - LONGEST_WAIT:
                left += 1
            else:
                _asked(file.stem).unlink(missing_ok=True)
                file.unlink()
    return left


def _lines(manifest: Path) -> int:
    """About how many files a manifest lists: its lines. 0 where lines say nothing, in XML."""
    with manifest.open("rb") as file:
        block = file.read(scan.BLOCK)
        if b"<" in block[:100]:
            return 0
        lines = 0
        while block:
            lines += block.count(b"\n")
            block = file.read(scan.BLOCK)
    return lines


def _counted(side: Side, progress: Progress) -> Side:
    """The same side, whose files are told to the work's row as they come."""

    def files(algorithms: Sequence[str], remark: Remark, once: bool) -> Iterator[File]:
        for number, file in enumerate(side.files(algorithms, remark, once), 1):
            if number % BATCH == 0:
                # While its own rows are still read, SQLite refuses a connection that would write after another one did.
                with suppress(OperationalError):
                    room = progress.row.total is None or progress.row.done + BATCH <= progress.row.total
                    progress.advance(BATCH if room else 0)
            yield file

    return replace(side, files=files)


def _asked(key: str) -> Path:
    return comparing.home() / f"{key}.asked"


def _sent(key: str) -> Path:
    return comparing.home() / f"{key}.sent"
