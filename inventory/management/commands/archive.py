"""Copies a cruise whose data sets are all public into the permanent archive, and reads every byte there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from inventory import storage
from inventory.management.commands.store import claimed, report
from inventory.models import Deposit
from portal.access import Actor
from portal.console import Console, cruise
from portal.refusals import NotFound
from portal.work import Progress


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        of = cruise(options["cruise"])
        copies = Deposit.objects.whole().filter(distribution__cruise=of, permanent=False)
        shipments = {one.distribution_id: one for one in copies.order_by("distribution__number", "state", "pk")}
        if not shipments:
            raise NotFound(f"There is no copy of {of} in deep storage to be archived.")
        return {"archived": [report(_archived(deposit, by)) for deposit in shipments.values()]}


def _archived(deposit: Deposit, by: Actor) -> Deposit:
    def migrate(progress: Progress) -> Deposit:
        return storage.migrate(deposit=deposit, by=by, progress=progress)

    made: Deposit = claimed(storage.MIGRATE_DOOR, str(deposit.pk), deposit.cruise, migrate)
    return made
