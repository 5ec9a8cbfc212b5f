"""Migration: what is public as a whole is copied from deep storage into the permanent archive and read again there."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from inventory import paths
from inventory.models import Dataset, Deposit
from inventory.models.deposit import DepositQuerySet
from inventory.states import DEPOSIT
from inventory.storage import papers, places, repairing
from inventory.storage.backend import Piece, Storage
from portal import access, journal, work
from portal.access import WORKER, Actor
from portal.models import Cruise
from portal.refusals import NotNow
from portal.work import Lost, Progress

DOOR: Final = "inventory.migrate"
BATCH: Final = 500
AT_ONCE: Final = 20
OFF: Final = "There is no permanent archive: LEADLINE_PERMANENT_ARCHIVE is off."
NOT_PUBLIC: Final = "{cruise} is not all public yet: {released:,} of its {total:,} data sets are released."


def public(cruise: Cruise) -> bool:
    """Whether the cruise has data sets and all of them are released: cleared of holds, with an identifier."""
    states = set(Dataset.objects.filter(cruise=cruise).standing().values_list("state", flat=True))
    return states == {"released"}


def waiting() -> list[str]:
    """Sound copies of cruises that are all public, whose distribution is not whole in the permanent archive."""
    if settings.PERMANENT_ARCHIVE == "off":
        return []
    datasets = Dataset.objects.standing().filter(cruise=OuterRef("distribution__cruise"))
    found = _outside().filter(state="stored")
    found = found.filter(Exists(datasets.filter(state="released"))).exclude(Exists(datasets.exclude(state="released")))
    return work.fresh_first(DOOR, map(str, found.order_by("pk").values_list("pk", flat=True)), AT_ONCE)


def _outside() -> DepositQuerySet:
    """Whole copies whose distribution is not whole in the permanent archive."""
    there = Deposit.objects.whole().filter(distribution=OuterRef("distribution"), address=settings.PERMANENT_ARCHIVE)
    return Deposit.objects.whole().exclude(address=settings.PERMANENT_ARCHIVE).exclude(Exists(there))


def hindrance(cruise: Cruise) -> str:
    """Why there is nothing of a cruise that can be archived now, as a sentence; "" where there is something."""
    if settings.PERMANENT_ARCHIVE == "off":
        return OFF
    copies = Deposit.objects.whole().filter(distribution__cruise=cruise)
    if not copies.exists():
        return f"There is no copy of {cruise} in deep storage to be archived."
    left = _outside().filter(distribution__cruise=cruise)
    if not left.exists():
        return f"{cruise} is in the permanent archive already."
    if not public(cruise):
        datasets = Dataset.objects.filter(cruise=cruise).standing()
        released, total = datasets.filter(state="released").count(), datasets.count()
        return NOT_PUBLIC.format(cruise=cruise, released=released, total=total)
    if not left.filter(state="stored").exists():
        return f"The copy of {cruise} is damaged. It is archived once it was repaired and is sound."
    return ""


def ask_migrate(*, cruise: Cruise, by: Actor) -> list[str]:
    """Has the worker archive a cruise now, also where it failed lately and would rest; asked twice it is done once.

    Returns the worker's keys. Raises NotYou, and NotNow with the hindrance.
    """
    access.require(by, "deposit.migrate", cruise)
    if why := hindrance(cruise):
        raise NotNow(why)
    found = _outside().filter(distribution__cruise=cruise, state="stored")
    keys = [str(pk) for pk in found.values_list("pk", flat=True)]
    for key in keys:
        work.wake(DOOR, key)
    return keys


def run(key: str, progress: Progress) -> None:
    """What the door does: migrates one distribution."""
    migrate(deposit=Deposit.objects.get(pk=key), by=WORKER, progress=progress)


def migrate(*, deposit: Deposit, by: Actor, progress: Progress) -> Deposit:
    """Copies what a deposit holds into the permanent archive, reads every byte there, and says that it is there.

    May be stopped at any time and said again, and stops itself once its turn is over, still `storing`; an archived copy
    that is whole is not touched. The copy in deep storage stays. Raises NotYou, NotNow (no archive, not all public, a
    damaged copy, a file that nobody has), Unreachable.
    """
    source = Deposit.objects.select_related("distribution__cruise__vessel").get(pk=deposit.pk)
    if settings.PERMANENT_ARCHIVE == "off":
        raise NotNow(OFF)
    made = _begin(source, settings.PERMANENT_ARCHIVE, by)
    if made.state != "storing":
        return made
    storage = places.opened(made.address)
    progress.describe(f"Archiving {made.distribution}", made.cruise, total=source.files, before=made.files)
    with papers.open_list(source, places.at(source.address), progress.beat) as listed:
        left = papers.pieces(listed, made.cursor)
        while batch := papers.some(left, BATCH):
            _move(made, storage, batch, progress)
            if progress.gives_way():
                return made
    with papers.open_list(source, places.at(source.address), progress.beat) as listed:
        papers.own_copy(made).unlink(missing_ok=True)
        written = papers.write(made, storage, progress.beat, papers.pieces(listed))
    return _finish(made, source, written, by)


@transaction.atomic
def _begin(source: Deposit, address: str, by: Actor) -> Deposit:
    """The archived copy to be, begun or gone on with. One whose source was repaired since begins anew."""
    fresh = Deposit.objects.select_for_update(of=("self",)).get(pk=source.pk)
    access.require(by, "deposit.migrate", source)
    made = source.distribution.deposits.filter(address=address).first()
    if made is not None and made.state != "storing":
        return made
    if not public(source.cruise):
        raise NotNow(f"{source.cruise} is not all public yet: every data set has to be released first.")
    if fresh.state != "stored":
        raise NotNow(f"The {source} is {fresh.state}. It is archived once it is whole and sound.")
    if made is None:
        fields = {"prefix": source.prefix, "since": timezone.now(), "basis": source.basis, "permanent": True}
        made = source.distribution.deposits.create(address=address, **fields)
    if made.manifest_sha256 != fresh.manifest_sha256:
        made.manifest_sha256, made.cursor, made.files, made.bytes = fresh.manifest_sha256, 0, 0, 0
        made.basis, made.refused = fresh.basis, fresh.refused
        made.save(update_fields=["manifest_sha256", "cursor", "files", "bytes", "basis", "refused"])
    made.distribution = source.distribution
    return made


def _move(made: Deposit, storage: Storage, batch: list[Piece], progress: Progress) -> None:
    """Copies some files from wherever they are right, reads them in the archive, and notes how far it is."""
    left = repairing.from_anywhere(made, storage, batch, progress)
    if left:
        raise NotNow(
            f"{_named(left)} of {made.distribution} is nowhere as it was stored. Have the copy checked and repaired."
        )
    for outcome in storage.check(f"{made.prefix}/data", batch, progress.beat):
        if outcome.fault:
            raise NotNow(f"{_named([outcome.piece])} was not kept right in {made.address}: it {outcome.fault}.")
        progress.advance(size=outcome.piece.size)
    size = made.bytes + sum(piece.size for piece in batch)
    values = {"cursor": batch[-1].pk, "files": made.files + len(batch), "bytes": size}
    if not Deposit.objects.filter(pk=made.pk, state="storing", cursor=made.cursor).update(**values):
        raise Lost(str(made))
    made.cursor, made.files, made.bytes = batch[-1].pk, made.files + len(batch), size


def _named(pieces: list[Piece]) -> str:
    """The first of some files, and how many more there are."""
    more = f" (and {len(pieces) - 1:,} more)" if len(pieces) > 1 else ""
    return f"{paths.display(pieces[0].path)}{more}"


@transaction.atomic
def _finish(made: Deposit, source: Deposit, written: papers.Written, by: Actor) -> Deposit:
    fresh = Deposit.objects.select_for_update(of=("self",)).get(pk=made.pk)
    if fresh.state != "storing" or written.sha256 != fresh.manifest_sha256:
        raise Lost(str(made))
    now = timezone.now()
    made.state, made.since = DEPOSIT.step(fresh.state, "deposit.migrate"), now
    made.stored_at = made.checked_at = now
    made.save(update_fields=["state", "since", "stored_at", "checked_at"])
    counts: dict[str, list[object]] = {"files": [None, made.files], "bytes": [None, made.bytes]}
    journal.record(by, "deposit.migrate", made, changes=counts | {"permanent archive": [None, made.address]})
    return made
