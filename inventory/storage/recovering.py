"""Recovery: operator and chief scientist ask for files back, the office grants it, and they are brought with lists."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inventory import manifests, paths, scan, totals
from inventory.manifests import Entry
from inventory.models import Dataset, Deposit, Directory, Recovery
from inventory.staging import path_key
from inventory.states import RECOVERY
from inventory.storage import papers, places
from inventory.storage.backend import Piece, Storage
from portal import access, journal, mail
from portal.access import WORKER, Actor
from portal.models import Person
from portal.refusals import Fault, NotLikeThis, NotNow
from portal.work import Lost, Progress

DOOR = "inventory.recover"
BATCH = 500
KEEP = dt.timedelta(days=30)
MOST_FAULTS = 1000
HASHDEEP, MD5DEEP, DATA = "manifest.hashdeep", "manifest.md5", "data"


def waiting() -> list[str]:
    """Recoveries that are granted and not brought yet, and those whose time is over."""
    over = Q(state="ready", expires_at__lt=timezone.now())
    found = Recovery.objects.filter(Q(state="granted") | over).order_by("pk")
    return [str(pk) for pk in found.values_list("pk", flat=True)[:100]]


def run(key: str, progress: Progress) -> None:
    """What the door does: brings what was granted, or clears away what was there long enough."""
    recovery = Recovery.objects.get(pk=key)
    if recovery.state == "granted":
        deliver(recovery=recovery, by=WORKER, progress=progress)
    else:
        expire(recovery=recovery, by=WORKER)


@transaction.atomic
def request_recovery(
    *, deposit: Deposit, by: Actor, reason: str, dataset: Dataset | None = None, under: str = ""
) -> Recovery:
    """Asks for all files of a deposit, those of a data set, or those below a directory. The same twice is one request.

    Held data come back to operator and chief scientist too: the hold is theirs, against others.
    Raises NotYou, NotNow where no copy is whole, NotLikeThis without a reason or where nothing is found.
    """
    deposit = (
        Deposit.objects.select_for_update(of=("self",))
        .select_related("distribution__cruise__vessel")
        .get(pk=deposit.pk)
    )
    access.require(by, "recovery.request", deposit)
    if deposit.state == "storing":
        raise NotNow(f"The {deposit} is not whole yet: its files are being copied.")
    under = _directory(under)
    faults = []
    if not reason.strip():
        faults.append(Fault("reason", "is needed; the office decides by it"))
    if dataset is not None and under:
        faults.append(Fault("directory", "name a data set or a directory, not both"))
    files = deposit.distribution.files
    if dataset is not None and not files.filter(dataset=dataset).exists():
        faults.append(Fault("data set", f"{dataset} has no file in {deposit.distribution}"))
    if under and not files.filter(Q(directory=under) | Q(directory__startswith=f"{under}/")).exists():
        faults.append(Fault("directory", f"there is no file below {paths.display(under)}"))
    if faults:
        raise NotLikeThis("The request is not accepted.", faults)
    person = by if isinstance(by, Person) else None
    who = {"requested_by": person, "requested_by_name": str(by)}
    again = deposit.recoveries.filter(state="requested", dataset=dataset, under=under, **who).first()
    if again is not None:
        return again
    now = timezone.now()
    recovery: Recovery = deposit.recoveries.create(
        dataset=dataset, under=under, reason=reason.strip(), since=now, requested_at=now, **who
    )
    journal.record(by, "recovery.request", recovery, note=reason)
    return recovery


def _directory(text: str) -> str:
    text = text.strip().rstrip("/")
    try:
        return paths.inside(text) if text not in ("", ".") else ""
    except paths.PathRefused as error:
        raise NotLikeThis("The request is not accepted.", [Fault("directory", error.reason)]) from error


def _locked(recovery: Recovery) -> Recovery:
    rows = Recovery.objects.select_for_update(of=("self",))
    return rows.select_related("deposit__distribution__cruise__vessel", "dataset").get(pk=recovery.pk)


@transaction.atomic
def grant(*, recovery: Recovery, by: Actor, note: str = "", place: Path | None = None) -> Recovery:
    """Agrees to a request; its files are brought to `place`, or to where the page gives them out for thirty days.

    Raises NotYou, NotNow, and NotLikeThis for a place that holds something already.
    """
    recovery = _locked(recovery)
    access.require(by, "recovery.grant", recovery)
    recovery.state = RECOVERY.step(recovery.state, "recovery.grant")
    if place is not None and place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise NotLikeThis(f"{place} is there already and holds something. Name a directory that is new or empty.")
    recovery.place = str(place.resolve() if place else Path(settings.HOME) / "recoveries" / str(recovery.uuid))
    recovery.since, recovery.decided_by, recovery.note = timezone.now(), str(by), note
    recovery.save(update_fields=["state", "place", "since", "decided_by", "note"])
    journal.record(by, "recovery.grant", recovery, note=note)
    return recovery


@transaction.atomic
def refuse(*, recovery: Recovery, by: Actor, note: str) -> Recovery:
    """Does not agree, and says why to the person who asked. Raises NotYou, NotNow, NotLikeThis without a reason."""
    recovery = _locked(recovery)
    access.require(by, "recovery.refuse", recovery)
    recovery.state = RECOVERY.step(recovery.state, "recovery.refuse")
    if not note.strip():
        raise NotLikeThis("The refusal is not accepted.", [Fault("note", "is needed; it is sent to who asked")])
    recovery.since, recovery.decided_by, recovery.note = timezone.now(), str(by), note.strip()
    recovery.save(update_fields=["state", "since", "decided_by", "note"])
    journal.record(by, "recovery.refuse", recovery, note=note)
    _tell(recovery, f"Your request for the {recovery} from deep storage was refused: {recovery.note}")
    return recovery


def deliver(*, recovery: Recovery, by: Actor, progress: Progress) -> Recovery:
    """Brings what was granted, with lists that hashdeep and md5deep read; goes on where it was stopped.

    Once its turn is over it keeps its place and returns, still `granted`.

    A file that cannot be had, or is damaged in the storage, is noted with the reason, and the rest goes on.
    Raises NotYou, NotNow (not granted, no room), Unreachable.
    """
    recovery = Recovery.objects.select_related("deposit__distribution__cruise__vessel", "dataset").get(pk=recovery.pk)
    access.require(by, "recovery.deliver", recovery)
    RECOVERY.step(recovery.state, "recovery.deliver")
    deposit = recovery.deposit
    storage = places.opened(deposit.address)
    root = Path(recovery.place)
    try:
        (root / DATA).mkdir(parents=True, exist_ok=True)
        with papers.open_list(deposit, storage, progress.beat) as listed:
            total, before = _asked_for(recovery), recovery.files + len(recovery.faults)
            progress.describe(f"Recovering {recovery}", recovery.cruise, total=total or None, before=before)
            pieces = papers.pieces(listed, recovery.line)
            while batch := papers.some(pieces, BATCH):
                _bring(recovery, storage, batch, root, progress)
                if progress.gives_way():
                    return recovery
            _write_lists(recovery, listed.name, root, progress)
    except OSError as error:
        raise NotNow(f"The directory {root} cannot be written: {error.strerror or error}.") from error
    return _finish(recovery, by)


def _asked_for(recovery: Recovery) -> int:
    """How many files were asked for, by the totals."""
    distribution = recovery.deposit.distribution
    if recovery.under:
        found = Directory.objects.filter(distribution=distribution, path=recovery.under)
        return found.values_list("files", flat=True).first() or 0
    if recovery.dataset is None:
        return recovery.deposit.files
    return totals.by_dataset(distribution).get(recovery.dataset_id or 0, (0, 0))[0]


def _chosen(recovery: Recovery, batch: list[Piece]) -> list[Piece]:
    """Those of these files that were asked for."""
    if recovery.under:
        return [piece for piece in batch if piece.path.startswith(f"{recovery.under}/")]
    if recovery.dataset is None:
        return batch
    files = recovery.deposit.distribution.files.filter(dataset=recovery.dataset)
    asked = set(files.filter(path_key__in=[path_key(piece.path) for piece in batch]).values_list("path", flat=True))
    return [piece for piece in batch if piece.path in asked]


def _bring(recovery: Recovery, storage: Storage, batch: list[Piece], root: Path, progress: Progress) -> None:
    files, size, faults = recovery.files, recovery.bytes, list(recovery.faults)
    chosen = _chosen(recovery, batch)
    for outcome in storage.get(f"{recovery.deposit.prefix}/data", chosen, root / DATA, progress.beat):
        if outcome.fault:
            faults.append({"path": paths.display(outcome.piece.path), "why": outcome.fault})
        else:
            files, size = files + 1, size + outcome.piece.size
        progress.advance(size=outcome.piece.size)
    progress.beat()
    values = {"line": batch[-1].pk, "files": files, "bytes": size, "faults": faults[:MOST_FAULTS]}
    if not Recovery.objects.filter(pk=recovery.pk, state="granted", line=recovery.line).update(**values):
        raise Lost(str(recovery))
    for name, value in values.items():
        setattr(recovery, name, value)


def _write_lists(recovery: Recovery, listed: str, root: Path, progress: Progress) -> None:
    """Two lists of what is there, beside data/: hashdeep -r -l -a -k ../manifest.hashdeep . is said in data/."""

    def entries() -> Iterator[Entry]:
        with Path(listed).open(encoding="utf-8", newline="") as lines:
            pieces = papers.pieces(lines)
            while batch := list(islice(pieces, BATCH)):
                progress.beat()
                for piece in _chosen(recovery, batch):
                    if os.path.lexists(scan.location(root / DATA, piece.path)):
                        hashes = {"md5": piece.md5, "sha256": piece.sha256}
                        yield Entry(piece.path, piece.size, piece.changed_at, hashes, piece.pk)

    _write(root / HASHDEEP, manifests.write_hashdeep(_sayable(entries())))
    _write(root / MD5DEEP, manifests.write_md5deep(_sayable(entries())))


def _sayable(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Without the few names with a line break that would read as two files in a list."""
    for entry in entries:
        if "\n" in entry.path:
            try:
                list(manifests.write_hashdeep([entry]))
                list(manifests.write_md5deep([entry]))
            except ValueError:
                continue
        yield entry


def _write(place: Path, parts: Iterable[bytes]) -> None:
    draft = place.with_name(f".{place.name}")
    with draft.open("wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)


@transaction.atomic
def _finish(recovery: Recovery, by: Actor) -> Recovery:
    fresh = _locked(recovery)
    fresh.state, fresh.since = RECOVERY.step(fresh.state, "recovery.deliver"), timezone.now()
    ours = Path(fresh.place).parent == Path(settings.HOME) / "recoveries"
    fresh.expires_at = fresh.since + KEEP if ours else None
    fresh.save(update_fields=["state", "since", "expires_at"])
    counts = {"files": fresh.files, "bytes": fresh.bytes, "faults": len(fresh.faults)}
    journal.record(by, "recovery.deliver", fresh, changes={name: [None, count] for name, count in counts.items()})
    if ours:
        until = f"{fresh.expires_at:%Y-%m-%d}"
        _tell(fresh, f"The {fresh} that you asked for is ready. Download it from the cruise's page until {until}.")
    return fresh


@transaction.atomic
def expire(*, recovery: Recovery, by: Actor) -> Recovery:
    """Clears away a recovery that was there long enough. Raises NotYou, NotNow before its time."""
    recovery = _locked(recovery)
    access.require(by, "recovery.expire", recovery)
    state = RECOVERY.step(recovery.state, "recovery.expire")
    place, ours = Path(recovery.place), Path(settings.HOME) / "recoveries"
    if recovery.expires_at is None or recovery.expires_at > timezone.now() or place.parent != ours:
        raise NotNow(f"The {recovery} is kept until {recovery.expires_at or 'somebody removes it by hand'}.")
    with suppress(FileNotFoundError):
        shutil.rmtree(place)
    recovery.state, recovery.since = state, timezone.now()
    recovery.save(update_fields=["state", "since"])
    journal.record(by, "recovery.expire", recovery)
    return recovery


def _tell(recovery: Recovery, text: str) -> None:
    """A letter to the person who asked."""
    if recovery.requested_by is None:
        return
    key = f"recovery-{recovery.uuid}-{recovery.state}"
    subject = f"Recovery from deep storage, {recovery.cruise}"
    mail.write(to=recovery.requested_by.email, subject=subject, body=text, key=key, cruise=recovery.cruise)
