"""Watches the folders in which instruments leave their files, and links each file to the operation that was running.

A file is taken once it has settled: seen twice with the same size and time, read to its end with SHA-256, and still
the same afterwards. What is watched lies below the folders that the server's settings allow, and no link leads out.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import hashlib
import os
import uuid as uuids
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from eventlog import history, ledger
from eventlog.models import DataFile, Log, Operation, Watch
from eventlog.operations.following import STRUCK
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow
from portal.work import Progress

DOOR = "eventlog.watch"
EVERY = dt.timedelta(seconds=50)  # the sweep comes each minute
# A file that is closed a while after the operation ended still belongs to it: deck units write on for a while.
AFTER = dt.timedelta(minutes=30)
QUIET = dt.timedelta(minutes=2)  # a file that changed after it had settled rests for this long first
DEEPEST, MOST_FILES, BLOCK = 6, 50_000, 1024 * 1024
FIELDS = ("path", "pattern", "instrument")


@dataclass(frozen=True, slots=True)
class Seen:
    """A file in a watched folder: its path, bytes, and time of change in UTC."""

    path: str
    size: int
    modified_at: dt.datetime


@transaction.atomic
def add_watch(*, log: Log, by: Actor, path: str, instrument: str, pattern: str = "*") -> tuple[Watch, bool]:
    """Watches a folder for an instrument; says whether it is new. Raises NotYou, NotNow, NotLikeThis."""
    log = ledger.locked(log)
    access.require(by, "eventlog.arrange", log)
    if log.state == "closed":
        raise NotNow(f"The {log} is closed; its folders are not watched any more.")
    path, pattern, instrument = path.strip(), pattern.strip() or "*", instrument.strip()
    faults = [Fault("path", fault)] if (fault := why_not(path)) else []
    if "/" in pattern or "\0" in pattern or len(pattern) > 120:
        faults.append(Fault("pattern", "is of a file's name alone, as *.hex"))
    if not instrument or len(instrument) > 120:
        faults.append(Fault("instrument", "is needed, with at most 120 characters"))
    if faults:
        raise NotLikeThis("The folder is not watched.", faults)
    watch, new = Watch.objects.get_or_create(
        log=log, path=path.rstrip("/"), pattern=pattern, defaults={"instrument": instrument}
    )
    if new:
        journal.record(by, "eventlog.watch", watch, changes={n: [None, getattr(watch, n)] for n in FIELDS})
    return watch, new


@transaction.atomic
def set_watch(*, watch: Watch, by: Actor, is_enabled: bool) -> Watch:
    """Watches a folder again, or no longer. What was found there stays."""
    access.require(by, "eventlog.arrange", watch.log)
    if watch.is_enabled != is_enabled:
        watch.is_enabled = is_enabled
        watch.save(update_fields=["is_enabled"])
        journal.record(by, "eventlog.watch", watch, changes={"is_enabled": [not is_enabled, is_enabled]})
    return watch


@transaction.atomic
def relink(
    *,
    file: DataFile,
    by: Actor,
    operation: Operation | None,
    reason: str = "",
    change: uuids.UUID | None = None,
    device: str = "",
) -> DataFile:
    """Links a file to another operation, or to none. Raises NotYou, NotNow for a file that still grows."""
    log = ledger.locked(file.log)
    closed = log.state == "closed"
    access.require(by, "eventlog.correct" if closed else "eventlog.revise", log)
    file = DataFile.objects.select_for_update(of=("self",)).select_related("operation").get(pk=file.pk)
    if closed and not reason.strip():
        raise NotLikeThis("The log is closed.", [Fault("reason", "say why this late correction is made")])
    if operation is not None and operation.log_id != log.pk:
        raise NotLikeThis("The file is not linked.", [Fault("operation", "is of another log")])
    if not file.sha256:
        raise NotNow(f"{file.path} still grows; link it once it has settled.")
    if ledger.known(change) or file.operation == operation:
        return file
    _change(log, file, {"operation": operation}, "relink", by, reason, change, device)
    return file


def files_of(operations: Iterable[Operation]) -> dict[int, list[DataFile]]:
    """The settled files of operations, by the keys of these, oldest first."""
    found: dict[int, list[DataFile]] = {}
    rows = DataFile.objects.filter(operation__in=[operation.pk for operation in operations]).exclude(sha256="")
    for row in rows.order_by("modified_at", "path"):
        found.setdefault(row.operation_id or 0, []).append(row)
    return found


def why_not(path: str) -> str:
    """Why a folder is not watched; empty where it may be."""
    roots = [root for root in settings.WATCH_ROOTS if root.is_dir()]
    if not roots:
        return "cannot be watched: LEADLINE_WATCH names no folder on this server"
    if not path.startswith("/") or "\0" in path or len(path) > 500 or ".." in Path(path).parts:
        return "is written in full, as /data/ctd, without .."
    try:
        real = Path(path).resolve(strict=True)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not real.is_dir():
        return "is no folder"
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        return f"does not lie below {' or '.join(str(root) for root in roots)}"
    if not any(real == root.resolve() / Path(path).relative_to(root) for root in roots if _below(path, root)):
        return "leads through a link; name the folder itself"
    return ""


def _below(path: str, root: Path) -> bool:
    return Path(path).is_relative_to(root)


# --- looking --------------------------------------------------------------------------------------------------------


def waiting() -> list[str]:
    """Folders of open logs that were not looked at for a minute."""
    due = Q(looked_at__isnull=True) | Q(looked_at__lt=timezone.now() - EVERY)
    return [
        str(pk) for pk in Watch.objects.filter(due, is_enabled=True, log__state="open").values_list("pk", flat=True)
    ]


def run(key: str, progress: Progress) -> None:
    """Looks into a folder: the door of the job."""
    watch = Watch.objects.select_related("log__cruise").filter(pk=key).first()
    if watch is None or not watch.is_enabled or watch.log.state != "open":
        return
    progress.describe(f"Looking for files of {watch.instrument}", watch.log.cruise)
    look(watch, now=timezone.now(), beat=progress.beat)


def look(watch: Watch, *, now: dt.datetime, beat: Callable[[], None] = lambda: None) -> int:
    """Lists the folder, takes what has settled, and links it; how many files were taken or taken anew."""
    problems: list[str] = []
    count = 0
    if problem := why_not(watch.path):
        problems.append(f"{watch.path} {problem}")
    else:
        known = {row.path: row for row in watch.log.data_files.filter(path__startswith=f"{watch.path}/")}
        for seen in listed(watch.path, watch.pattern, problems):
            beat()
            count += _look_at(watch, known.get(seen.path), seen, now, beat, problems)
        _link_late(watch)
    Watch.objects.filter(pk=watch.pk).update(looked_at=now, problem="; ".join(problems)[:300])
    return count


def listed(folder: str, pattern: str, problems: list[str]) -> Iterator[Seen]:
    """Regular files below a folder whose names fit; no link is followed. What cannot be read is told in `problems`."""
    waiting_folders, count = [(folder, 0)], 0
    while waiting_folders:
        path, depth = waiting_folders.pop()
        try:
            with os.scandir(path) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}")
            continue
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False) and depth < DEEPEST:
                    waiting_folders.append((entry.path, depth + 1))
                if not entry.is_file(follow_symlinks=False) or not fnmatch.fnmatchcase(entry.name, pattern):
                    continue
                told = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # it went away while we looked
            if not _storable(entry.path):
                problems.append("a name that is not UTF-8 or too long was left out")
                continue
            count += 1
            if count > MOST_FILES:
                problems.append(f"has more than {MOST_FILES:,} files; the rest was left out")
                return
            yield Seen(entry.path, told.st_size, _moment(told.st_mtime_ns))


def _storable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return len(path) <= 1000


def _moment(nanoseconds: int) -> dt.datetime:
    try:
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _look_at(
    watch: Watch, row: DataFile | None, seen: Seen, now: dt.datetime, beat: Callable[[], None], problems: list[str]
) -> int:
    """Notes a new file, or takes one that has settled; 1 where it was taken."""
    if row is None:
        DataFile.objects.create(
            log=watch.log,
            watch=watch,
            path=seen.path,
            size=seen.size,
            modified_at=seen.modified_at,
            first_seen_at=now,
        )
        return 0
    same = (row.size, row.modified_at) == (seen.size, seen.modified_at)
    if row.sha256 and (same or now - seen.modified_at < QUIET):
        return 0
    if not row.sha256 and not same:
        DataFile.objects.filter(pk=row.pk, sha256="").update(size=seen.size, modified_at=seen.modified_at)
        return 0
    sha256 = digest(seen, beat, problems)
    return _settle(watch, row, seen, sha256) if sha256 else 0


def digest(seen: Seen, beat: Callable[[], None], problems: list[str]) -> str:
    """The SHA-256 of a file, read block by block; empty where it changed meanwhile or cannot be read."""
    found = hashlib.sha256()
    try:
        with os.fdopen(os.open(seen.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb", buffering=0) as file:
            while block := file.read(BLOCK):
                found.update(block)
                beat()
            after = os.fstat(file.fileno())
    except OSError as error:
        problems.append(f"{seen.path} cannot be read: {error.strerror}")
        return ""
    settled = (after.st_size, _moment(after.st_mtime_ns)) == (seen.size, seen.modified_at)
    return found.hexdigest() if settled else ""


@transaction.atomic
def _settle(watch: Watch, row: DataFile, seen: Seen, sha256: str) -> int:
    log = ledger.locked(watch.log)
    if log.state != "open":
        return 0
    row = DataFile.objects.select_for_update(of=("self",)).select_related("operation").get(pk=row.pk)
    values = {"size": seen.size, "modified_at": seen.modified_at, "sha256": sha256}
    if row.sha256:
        _change(log, row, values, "revise", access.WORKER, "the file was changed after it had settled")
        return 1
    for name, value in values.items():
        setattr(row, name, value)
    row.operation = operation_at(log, watch.instrument, seen.modified_at)
    row.save()
    told = {n: [None, v] for n, v in history.content("file", row).items() if v not in (None, "")}
    ledger.append(log, [ledger.Entry("file", row, "record", told)], by=access.WORKER)
    return 1


def _change(
    log: Log,
    row: DataFile,
    values: dict[str, object],
    verb: str,
    by: Actor,
    reason: str = "",
    change: uuids.UUID | None = None,
    device: str = "",
) -> None:
    before = history.content("file", row)
    for name, value in values.items():
        setattr(row, name, value)
    row.revision += 1
    row.save()
    after = history.content("file", row)
    changes = {name: [before[name], value] for name, value in after.items() if before[name] != value}
    ledger.append(log, [ledger.Entry("file", row, verb, changes, reason, change)], by=by, device=device)


def operation_at(log: Log, instrument: str, moment: dt.datetime) -> Operation | None:
    """The operation of an instrument that ran at a moment, or ended within AFTER before it; the last of several."""
    begun = log.operations.filter(instrument__iexact=instrument, started_at__lte=moment).exclude(state=STRUCK)
    over = Q(ended_at__isnull=True) | Q(ended_at__gte=moment - AFTER)
    return begun.filter(over).order_by("-started_at", "-pk").first()


def _link_late(watch: Watch) -> None:
    """Links files whose operation was logged only after they had come."""
    rows = watch.files.filter(operation__isnull=True, revision=1).exclude(sha256="").order_by("-modified_at")[:200]
    for row in rows:
        if operation_at(watch.log, watch.instrument, row.modified_at) is None:
            continue
        with transaction.atomic():
            log = ledger.locked(watch.log)
            fresh = DataFile.objects.select_for_update(of=("self",)).select_related("operation").get(pk=row.pk)
            operation = operation_at(log, watch.instrument, fresh.modified_at)
            if log.state == "open" and fresh.operation is None and fresh.revision == 1 and operation is not None:
                _change(log, fresh, {"operation": operation}, "link", access.WORKER, "its operation was logged later")
