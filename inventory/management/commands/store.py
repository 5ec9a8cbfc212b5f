"""Copies a cruise's verified distribution into deep storage; goes on where an earlier copying was stopped.

Said again, takes what was mended since; with --repair puts damaged copies again from wherever they are still right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import storage
from inventory.models import Deposit
from portal import work
from portal.access import Actor
from portal.console import Console, cruise
from portal.models import Cruise
from portal.refusals import NotFound, NotNow, Refusal
from portal.work import Progress

MOST_NAMED = 200


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--repair", action="store_true", help="put damaged copies again, of every shipment")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        of = cruise(options["cruise"])
        if options["repair"]:
            whole = list(Deposit.objects.whole().filter(distribution__cruise=of))
            if not whole:
                raise NotFound(f"There is no copy of {of} in deep storage.")
            return {"copies": [report(_repaired(deposit, by)) for deposit in whole]}
        distribution = of.distributions.current().first()
        if distribution is None:
            raise CommandError(f"No distribution of {options['cruise']} was received yet.")
        deposit = claimed(
            storage.STORE_DOOR,
            str(distribution.pk),
            of,
            lambda progress: storage.store(distribution=distribution, by=by, progress=progress),
        )
        return report(
            _repaired(deposit, by) if deposit.refused or deposit.basis != distribution.verified_at else deposit
        )


def _repaired(deposit: Deposit, by: Actor) -> Deposit:
    def repair(progress: Progress) -> Deposit:
        return storage.repair(deposit=deposit, by=by, progress=progress)

    made: Deposit = claimed(storage.REPAIR_DOOR, str(deposit.pk), deposit.cruise, repair)
    return made


def claimed(door: str, key: str, of: Cruise, act: Callable[[Progress], Any]) -> Any:
    """Does a door's work here, under the claim that a worker would have. Raises what it raised, NotNow when taken."""
    refused: Refusal | None = None
    made = None
    try:
        progress = Progress.claim(door, key, label=door, cruise=of)
    except work.Taken as error:
        raise NotNow("A worker is at it already; its progress is shown on the page of the cruise.") from error
    with progress:
        try:
            made = act(progress)
        except Refusal as refusal:
            refused = refusal
            raise
    if refused is not None:
        raise refused
    progress.row.refresh_from_db()
    if progress.row.state != "done":
        raise CommandError(progress.row.message or "Somebody else took the work over.")
    return made


def report(deposit: Deposit) -> dict[str, Any]:
    """A deposit for those who may see where it is."""
    return {
        "deposit": str(deposit),
        "state": deposit.state,
        "storage": deposit.address,
        "place": deposit.prefix,
        "files": deposit.files,
        "bytes": deposit.bytes,
        "stored at": deposit.stored_at,
        "checked at": deposit.checked_at,
        "not stored": [f"{one['path']} {one['why']}" for one in deposit.refused[:MOST_NAMED]],
        "damaged": deposit.damaged,
        "damages": [f"{one['path']} {one['why']}" for one in deposit.damages[:MOST_NAMED]],
    }
