"""Storing: a verified distribution is copied into deep storage, file by file, and goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from inventory import paths, scan
from inventory.models import Deposit, Distribution
from inventory.states import DEPOSIT
from inventory.storage import names, papers, places
from inventory.storage.backend import Piece, Storage
from portal import access, journal, work
from portal.access import WORKER, Actor
from portal.refusals import NotNow
from portal.work import Lost, Progress

BATCH = 500
MOST_REFUSED = 1000
MOST_WAITING = 20
DOOR: Final = "inventory.store"


def waiting() -> list[str]:
    """Distributions that are verified, lie where they lay, and have no whole copy in the storage of the settings."""
    if settings.DEEP_STORAGE == "off":
        return []
    whole = Deposit.objects.whole().filter(distribution=OuterRef("pk"), address=settings.DEEP_STORAGE)
    ready = Distribution.objects.filter(state__in=("verified", "classified")).exclude(Exists(whole))
    there = (str(pk) for pk, root in ready.order_by("pk").values_list("pk", "root") if root and Path(root).is_dir())
    return work.fresh_first(DOOR, there, MOST_WAITING)


def run(key: str, progress: Progress) -> None:
    """What the door does: stores one distribution."""
    store(distribution=Distribution.objects.get(pk=key), by=WORKER, progress=progress)


def store(*, distribution: Distribution, by: Actor, progress: Progress) -> Deposit:
    """Copies every file that was read into the storage of the settings, and compares each on the way.

    A file that is not any more what was verified is refused, and noted with the reason; the rest goes on. May be
    stopped at any time and said again, and stops itself once its turn is over, still `storing`; a copy that is whole
    is not touched.
    Raises NotYou, NotNow where there is no storage or the distribution is not verified or not there, and Unreachable.
    """
    storage = places.configured()
    if storage is None:
        raise NotNow("There is no deep storage: LEADLINE_DEEP_STORAGE is off.")
    deposit, resumed = _begin(distribution.pk, storage, by)
    if deposit.state != "storing":
        return deposit
    places.opened(storage.address)
    total, before = papers.kept_files(deposit).count(), deposit.files + len(deposit.refused)
    progress.describe(f"Storing {deposit.distribution}", deposit.cruise, total=total, before=before)
    while batch := _next(deposit):
        _copy(deposit, storage, batch, progress, resumed=resumed)
        if progress.gives_way():
            return deposit
    papers.own_copy(deposit).unlink(missing_ok=True)
    refused = {entry["file"] for entry in deposit.refused}
    rows = papers.kept_files(deposit).iterator(5000)
    written = papers.write(
        deposit, storage, progress.beat, (papers.piece(row) for row in rows if row[0] not in refused)
    )
    return _finish(deposit, written.sha256, by)


def _next(deposit: Deposit) -> list[Piece]:
    """The files after those that were handled."""
    return papers.some(map(papers.piece, papers.kept_files(deposit).filter(pk__gt=deposit.cursor)[:BATCH]), BATCH)


@transaction.atomic
def _begin(pk: int, storage: Storage, by: Actor) -> tuple[Deposit, bool]:
    """The deposit, and whether it was begun before. Files that were read anew since are copied from the first on."""
    distribution = Distribution.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=pk)
    access.require(by, "deposit.store", distribution)
    deposit = distribution.deposits.filter(address=storage.address).first()
    if deposit is not None and deposit.state != "storing":
        return deposit, True
    if distribution.state not in ("verified", "classified") or distribution.verified_at is None:
        raise NotNow(f"{distribution} is {distribution.state}. It is stored once every file was read and compared.")
    if deposit is None:
        cruise_id = names.escape(distribution.cruise.cruise_id.encode()).replace("/", "=2F")
        prefix = f"{cruise_id}/shipment-{distribution.number}"
        fields = {"prefix": prefix, "since": timezone.now(), "basis": distribution.verified_at}
        return distribution.deposits.create(address=storage.address, **fields), False
    deposit.distribution = distribution
    if deposit.basis != distribution.verified_at:
        deposit.basis, deposit.cursor, deposit.files, deposit.bytes = distribution.verified_at, 0, 0, 0
        deposit.refused = []
        deposit.save(update_fields=["basis", "cursor", "files", "bytes", "refused"])
    return deposit, True


def _copy(deposit: Deposit, storage: Storage, batch: list[Piece], progress: Progress, *, resumed: bool) -> None:
    """Copies some files and notes how far it is."""
    files, size, refused = deposit.files, deposit.bytes, list(deposit.refused)
    root = Path(deposit.distribution.root)
    try:
        for outcome in storage.put(root, f"{deposit.prefix}/data", batch, progress.beat, resumed=resumed):
            piece = outcome.piece
            if outcome.fault:
                refused.append({"file": piece.pk, "path": paths.display(piece.path), "why": outcome.fault})
            else:
                files, size = files + 1, size + piece.size
            progress.advance(size=piece.size)
    except scan.RootGone as error:
        raise NotNow(
            f"The directory {root} is not there any more, or is empty. Mount the disk again; storing goes on where it "
            "stopped."
        ) from error
    if len(refused) > MOST_REFUSED:
        raise NotNow(
            f"More than {MOST_REFUSED:,} files of {deposit.distribution} are not what was verified; the first is "
            f"{refused[0]['path']}: {refused[0]['why']}. Have the distribution read again."
        )
    refused.sort(key=lambda entry: entry["file"])
    values = {"cursor": batch[-1].pk, "files": files, "bytes": size, "refused": refused}
    mine = Deposit.objects.filter(pk=deposit.pk, state="storing", basis=deposit.basis, cursor=deposit.cursor)
    if not mine.update(**values):
        raise Lost(str(deposit))
    for name, value in values.items():
        setattr(deposit, name, value)


@transaction.atomic
def _finish(deposit: Deposit, digest: str, by: Actor) -> Deposit:
    distribution = Distribution.objects.select_for_update(of=("self",)).get(pk=deposit.distribution_id)
    fresh = Deposit.objects.select_for_update(of=("self",)).get(pk=deposit.pk)
    if fresh.state != "storing":
        raise Lost(str(deposit))
    if distribution.verified_at != deposit.basis or distribution.state == "received":
        raise NotNow(f"{distribution} was read again meanwhile. Storing begins anew.")
    now = timezone.now()
    deposit.state, deposit.since = DEPOSIT.step(fresh.state, "deposit.store"), now
    deposit.manifest_sha256, deposit.stored_at = digest, now
    deposit.save(update_fields=["state", "since", "manifest_sha256", "stored_at"])
    counts = {"files": deposit.files, "bytes": deposit.bytes, "refused": len(deposit.refused)}
    journal.record(by, "deposit.store", deposit, changes={name: [None, count] for name, count in counts.items()})
    return deposit
