"""Repair: damaged copies are put again from wherever they are still right, and what was not stored yet is added."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from inventory import paths, scan
from inventory.models import Deposit, Distribution
from inventory.states import DEPOSIT
from inventory.storage import papers, places
from inventory.storage.backend import Piece, Storage, Unreachable
from portal import access, journal, work
from portal.access import WORKER, Actor
from portal.refusals import NotNow
from portal.work import Lost, Progress

DOOR: Final = "inventory.repair"
BATCH: Final = 500
AT_ONCE: Final = 20
MOST_REFUSED: Final = 1000
MENDED: Final = "=mended/"  # no escape begins so; what was stored before under the file's own name stays there
READ: Final = ("verified", "classified")


class Counts(NamedTuple):
    """How many files of a deposit are damaged, and how many were refused."""

    damaged: int
    refused: int


@transaction.atomic
def ask_repair(*, deposit: Deposit, by: Actor) -> Deposit:
    """Has a copy repaired by the worker; asked twice it is done once. Raises NotYou, NotNow where it is not whole."""
    deposit = Deposit.objects.select_for_update(of=("self",)).get(pk=deposit.pk)
    access.require(by, "deposit.repair", deposit)
    DEPOSIT.step(deposit.state, "deposit.repair")
    if deposit.repair_asked_at is None:
        deposit.repair_asked_at = timezone.now()
        deposit.save(update_fields=["repair_asked_at"])
    return deposit


def waiting() -> list[str]:
    """Copies that somebody wants repaired, and those whose delivery was read again since and lies there."""
    anew = ~Q(basis=F("distribution__verified_at")) & Q(distribution__state__in=READ)
    found = Deposit.objects.whole().filter(Q(repair_asked_at__isnull=False) | anew)
    rows = found.order_by("pk").values_list("pk", "repair_asked_at", "distribution__root")[: AT_ONCE * 5]
    there = (str(pk) for pk, asked, root in rows if asked or Path(root).is_dir())
    return work.fresh_first(DOOR, there, AT_ONCE)


def run(key: str, progress: Progress) -> None:
    """What the door does: repairs one copy."""
    repair(deposit=Deposit.objects.get(pk=key), by=WORKER, progress=progress)


def repair(*, deposit: Deposit, by: Actor, progress: Progress) -> Deposit:
    """Puts damaged copies again, takes what was mended or read since, and writes the papers anew.

    Copies are put again from the cruise's deliveries, or from another storage, wherever the content is still what was
    stored. A copy that nobody has any more stays listed, and the deposit damaged. What is mended is stored beside what
    was there. May be stopped at any time and said again. Raises NotYou, NotNow, Unreachable.
    """
    deposit = Deposit.objects.select_related("distribution__cruise__vessel").get(pk=deposit.pk)
    access.require(by, "deposit.repair", deposit)
    DEPOSIT.step(deposit.state, "deposit.repair")
    storage = places.opened(deposit.address)
    progress.describe(f"Repairing the {deposit}", deposit.cruise)
    with papers.open_list(deposit, storage, progress.beat) as listed:
        again, damages = _put_again(deposit, storage, papers.pieces(listed), progress)
    with papers.open_list(deposit, storage, progress.beat) as listed:
        known = {_mark(piece.path): _mark(piece.sha256) for piece in papers.pieces(listed)}
    before = Counts(deposit.damaged, len(deposit.refused))
    added = _take(deposit, storage, known, progress)
    with papers.open_list(deposit, storage, progress.beat) as listed:
        kept = (piece for piece in papers.pieces(listed) if _mark(piece.path) not in added)
        fresh = (piece for piece in _untaken(deposit, known) if _mark(piece.path) in added)
        written = papers.write(deposit, storage, progress.beat, chain(kept, fresh))
    deposit.damages, deposit.damaged = damages[:MOST_REFUSED], len(damages)
    deposit = _finish(deposit, written, before, {"put again": again, "added": len(added)}, by)
    papers.own_copy(deposit).unlink(missing_ok=True)  # the one that is right now is in the storage
    return deposit


def _mark(text: str) -> int:
    """A text as eight bytes, so that a million entries of a list fit into little memory."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest())


# --- damaged copies ---------------------------------------------------------------------------------------------------


def _put_again(
    deposit: Deposit, storage: Storage, entries: Iterator[Piece], progress: Progress
) -> tuple[int, list[dict[str, str]]]:
    """Looks at those that the last check found damaged (all, where it found more than it names) and mends them."""
    named = {one["path"] for one in deposit.damages}
    every = deposit.damaged > len(deposit.damages)
    suspects = (piece for piece in entries if deposit.damaged and (every or paths.display(piece.path) in named))
    again = 0
    damages: list[dict[str, str]] = []
    while batch := papers.some(suspects, BATCH):
        found = storage.check(f"{deposit.prefix}/data", batch, progress.beat)
        bad = {outcome.piece: outcome.fault for outcome in found if outcome.fault}
        left = from_anywhere(deposit, storage, list(bad), progress)
        again += len(bad) - len(left)
        damages += [{"path": paths.display(piece.path), "why": bad[piece]} for piece in left]
        progress.advance(len(batch), sum(piece.size for piece in bad if piece not in left))
    return again, damages


def from_anywhere(deposit: Deposit, storage: Storage, left: list[Piece], progress: Progress) -> list[Piece]:
    """Puts these from the first place that has them right; those that none has are left."""
    for source in _roots(deposit.distribution):
        left = _from(source, deposit, storage, left, progress)
    for other in Deposit.objects.whole().filter(distribution=deposit.distribution).exclude(pk=deposit.pk):
        if left:
            with _fetched(other, left, progress) as source:
                left = _from(source, deposit, storage, left, progress)
    return left


def _roots(distribution: Distribution) -> list[Path]:
    """Where deliveries of the cruise lie, its own first. Each file's content is compared, so any may be tried."""
    others = distribution.cruise.distributions.exclude(pk=distribution.pk).order_by("-number")
    roots = [distribution.root, *others.values_list("root", flat=True)]
    return [Path(root) for root in dict.fromkeys(roots) if root and scan.there(Path(root))]


def _from(root: Path, deposit: Deposit, storage: Storage, left: list[Piece], progress: Progress) -> list[Piece]:
    if not left or not scan.there(root):
        return left
    put = storage.put(root, f"{deposit.prefix}/data", left, progress.beat, resumed=False)
    with suppress(scan.RootGone):
        return [outcome.piece for outcome in put if outcome.fault]
    return left


@contextmanager
def _fetched(other: Deposit, wanted: list[Piece], progress: Progress) -> Iterator[Path]:
    """A folder with what another storage has of these; empty where it does not answer."""
    folder = Path(settings.STAGING) / f"repair-{other.uuid}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with suppress(Unreachable):
            for _ in places.opened(other.address).get(f"{other.prefix}/data", wanted, folder, progress.beat):
                progress.beat()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- files that are not in the copy yet -------------------------------------------------------------------------------


def _untaken(deposit: Deposit, known: dict[int, int]) -> Iterator[Piece]:
    """Files of the inventory that the list does not have, or has with another content."""
    for row in papers.kept_files(deposit).iterator(5000):
        piece = papers.piece(row)
        content = known.get(_mark(piece.path))
        if content is None:
            yield piece
        elif content != _mark(piece.sha256):
            told = f"{piece.path}\0{piece.sha256}".encode("utf-8", "surrogateescape")
            yield piece._replace(name=MENDED + hashlib.sha256(told).hexdigest())


def _take(deposit: Deposit, storage: Storage, known: dict[int, int], progress: Progress) -> set[int]:
    """Copies what is not in the copy yet, and notes what is refused; the marks of what was taken."""
    added: set[int] = set()
    root = Path(deposit.distribution.root)
    if not (deposit.distribution.state in READ and scan.there(root)):
        return added
    refused: list[dict[str, object]] = []
    left = _untaken(deposit, known)
    while batch := papers.some(left, BATCH):
        try:
            for outcome in storage.put(root, f"{deposit.prefix}/data", batch, progress.beat, resumed=True):
                piece = outcome.piece
                if outcome.fault:
                    refused.append({"file": piece.pk, "path": paths.display(piece.path), "why": outcome.fault})
                else:
                    added.add(_mark(piece.path))
                progress.advance(size=piece.size)
        except scan.RootGone as error:
            raise NotNow(f"The directory {root} is not there any more. Mount the disk again.") from error
        if len(refused) > MOST_REFUSED:
            raise NotNow(f"More than {MOST_REFUSED:,} files of {deposit.distribution} are not what was verified.")
    deposit.refused, deposit.basis = refused, deposit.distribution.verified_at or deposit.basis
    return added


@transaction.atomic
def _finish(deposit: Deposit, written: papers.Written, before: Counts, made: dict[str, int], by: Actor) -> Deposit:
    """Notes the new list. A delivery that was read again meanwhile has another time than `basis`, and is taken next."""
    fresh = Deposit.objects.select_for_update(of=("self",)).get(pk=deposit.pk)
    if fresh.manifest_sha256 != deposit.manifest_sha256:
        raise Lost(str(deposit))
    verb = "deposit.damage" if deposit.damaged else "deposit.repair"
    state = DEPOSIT.step(fresh.state, verb)
    deposit.since = fresh.since if fresh.state == state else timezone.now()
    deposit.state, deposit.repair_asked_at, deposit.checking, deposit.checked_line = state, None, {}, 0
    deposit.manifest_sha256, deposit.files, deposit.bytes = written
    deposit.save()
    counts = {"damaged": [before.damaged, deposit.damaged], "refused": [before.refused, len(deposit.refused)]}
    journal.record(by, verb, deposit, changes=counts | {name: [None, count] for name, count in made.items()})
    return deposit
