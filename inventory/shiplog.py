"""Finds the final copy of the event log in a distribution and has it taken ashore; a refusal holds up nothing else."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone

from eventlog import shore
from eventlog.models import FinalCopy
from eventlog.shore import Taken
from inventory import paths, scan
from inventory.models import Distribution, File
from portal import access
from portal.models import Work
from portal.refusals import NotNow
from portal.work import Progress

DOOR = "inventory.take_log"
# After so many refusals it waits until somebody wakes it: the file does not mend itself.
MOST_TRIES = 5
LATELY = dt.timedelta(days=30)
THERE = ("matched", "moved", "new", "changed")


def waiting_to_take() -> list[str]:
    """Distributions whose files are all read and that hold a final copy which is not among ours."""
    return [str(distribution.pk) for distribution in _candidates() if find(distribution) is not None]


def _candidates() -> Iterator[Distribution]:
    # What was read long ago was looked at then; going through all its files each minute would be a waste.
    lately = Distribution.objects.current().filter(verified_at__gte=timezone.now() - LATELY)
    for distribution in lately.exclude(state="received").select_related("cruise__vessel"):
        works = Work.objects.filter(door=DOOR, key=str(distribution.pk))
        if works.filter(state="done").exists() or works.filter(state="failed").count() >= MOST_TRIES:
            continue
        yield distribution


def find(distribution: Distribution) -> File | None:
    """The final copy of the cruise's log in a distribution, of the last seal; None where there is none that is new."""
    name = shore.names(distribution.cruise.cruise_id)
    start = f"LEADLINE_{distribution.cruise.cruise_id}_FINAL_EVENTLOG"
    rows = distribution.files.filter(name__istartswith=start, state__in=THERE).exclude(sha256="")
    found = sorted(
        (row for row in rows if name.fullmatch(row.name)), key=lambda row: (len(row.name), row.name, row.path)
    )
    if not found or FinalCopy.objects.filter(log__cruise=distribution.cruise, sha256=found[-1].sha256).exists():
        return None
    return found[-1]


def take(key: str, progress: Progress) -> None:
    """Takes the log of a distribution ashore; its remarks stand on the work row. May be said twice."""
    distribution = Distribution.objects.select_related("cruise__vessel").get(pk=key)
    progress.describe(f"Taking the event log of {distribution.cruise} ashore", distribution.cruise)
    file = find(distribution)
    if file is None:
        return
    taken = _take(distribution, file)
    remarks = taken.remarks if taken else (f"{file.shown} is of the first version: without history, it stays a file",)
    progress.note("\n".join(remarks))


def _take(distribution: Distribution, file: File) -> Taken | None:
    """None for a copy of the first version, which has no history to take."""
    root = Path(distribution.root)
    beside = root / paths.to_bytes(file.directory).decode("utf-8", "surrogateescape") if file.directory else root
    try:
        handle = scan.open_inside(root, file.path)
    except OSError as error:
        raise NotNow(f"{file.shown} cannot be read: {error.strerror or error}. Mount the disk again.") from error
    with os.fdopen(handle, "rb") as stream:
        if b'"version": 1,' in stream.read(200):
            return None
        return shore.take_final_copy(cruise=distribution.cruise, file=stream, by=access.WORKER, beside=beside)
