"""Comparisons of shipments for the pages: a short one is made at once, a long one by the worker; both are kept.

What is asked of the worker is an empty file beside the kept ones, named by the two shipments: it goes when the
comparison is there, and asking twice is asking once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from django.db import OperationalError

from inventory import comparing
from inventory.comparing import Remark, Side
from inventory.manifests import Comparison
from inventory.manifests.compare import File
from inventory.models import Distribution
from portal import jobs
from portal.models import Work
from portal.refusals import NotNow
from portal.work import Progress

DOOR: Final = "inventory.compare"
AT_ONCE: Final = 40_000  # files of both sides; about a second
BATCH: Final = 5000
MOST_ASKED: Final = 20
_KEY = re.compile(r"(\d{1,18})(d?)-(\d{1,18})")


def look(before: Distribution, now: Distribution, *, delivered: bool) -> Comparison | None:
    """Two shipments compared, `before` as its manifest says where `delivered`. None: the worker was asked for it.

    Raises NotNow where it would be long and one of them is being read.
    """
    sides = comparing.shipment(before, delivered=delivered), comparing.shipment(now)
    if (found := comparing.known(*sides)) is not None:
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
    key = key_of(before, now, delivered=delivered)
    return Work.objects.filter(door=DOOR, key=key).order_by("-pk").first()


def waiting() -> list[str]:
    """Comparisons that were asked for and are not there, the first asked first."""
    found = sorted(comparing.home().glob("*.asked"), key=lambda path: path.stat().st_mtime)
    return [path.stem for path in found if _KEY.fullmatch(path.stem)][:MOST_ASKED]


def run(key: str, progress: Progress) -> None:
    """Job: makes one comparison that was asked for; may be stopped and called again."""
    shape = _KEY.fullmatch(key)
    shipments = Distribution.objects.select_related("cruise").in_bulk([int(shape[1]), int(shape[3])]) if shape else {}
    if shape and len(shipments) == len({shape[1], shape[3]}):
        before, now = shipments[int(shape[1])], shipments[int(shape[3])]
        total = sum(shipment.counts()["all"]["files"] for shipment in (before, now))
        progress.describe(f"Comparing {before} with {now}", now.cruise, total=total)
        sides = comparing.shipment(before, delivered=bool(shape[2])), comparing.shipment(now)
        comparing.kept(*(_counted(side, progress) for side in sides))
    _asked(key).unlink(missing_ok=True)


def _counted(side: Side, progress: Progress) -> Side:
    """The same side, whose files are told to the work's row as they come."""

    def files(algorithms: Sequence[str], remark: Remark, once: bool) -> Iterator[File]:
        for number, file in enumerate(side.files(algorithms, remark, once), 1):
            if number % BATCH == 0:
                # While its own rows are still read, SQLite refuses a connection that would write after another one did.
                with suppress(OperationalError):
                    progress.advance(BATCH)
            yield file

    return replace(side, files=files)


def _asked(key: str) -> Path:
    return comparing.home() / f"{key}.asked"
