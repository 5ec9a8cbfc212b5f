"""Reads the copies in deep storage again and compares every byte with what was stored; all of them, or a cruise's."""

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
        parser.add_argument("--cruise", metavar="ID")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        whole = Deposit.objects.whole().select_related("distribution__cruise__vessel").order_by("pk")
        if options["cruise"]:
            whole = whole.filter(distribution__cruise=cruise(options["cruise"]))
            if not whole.exists():
                raise NotFound(f"There is no copy of {options['cruise']} in deep storage.")
        return {"copies": [_check(deposit, by) for deposit in whole]}

    def tell(self, answer: dict[str, Any]) -> None:
        for one in answer["copies"]:
            self.stdout.write(f"{one['deposit']}: {one['state']}, {one['files']:,} files, {one['damaged']:,} damaged")
            for damage in one["damages"]:
                self.stdout.write(f"  {damage}")


def _check(deposit: Deposit, by: Actor) -> dict[str, Any]:
    def check(progress: Progress) -> Deposit:
        return storage.check_fixity(deposit=deposit, by=by, progress=progress)

    return report(claimed(storage.FIXITY_DOOR, str(deposit.pk), deposit.cruise, check))
