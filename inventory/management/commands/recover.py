"""Brings files back from deep storage into a directory, with lists that hashdeep and md5deep audit.

The office at the console asks, grants and delivers in one; said again after a stop, it goes on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from inventory import paths, storage
from inventory.management.commands.store import MOST_NAMED, claimed
from inventory.models import Dataset, Deposit, Recovery
from portal.access import Actor
from portal.console import Console, cruise
from portal.models import Cruise
from portal.refusals import NotFound
from portal.work import Progress


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--to", required=True, metavar="DIR", help="a directory that is new or empty")
        parser.add_argument("--reason", default="asked for at the console")
        parser.add_argument("--shipment", type=int, metavar="N", help="an earlier one than the last that was stored")
        parser.add_argument("--dataset", type=UUID, metavar="UUID")
        parser.add_argument("--under", default="", metavar="DIRECTORY")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        place = Path(options["to"]).resolve()
        recovery = _asked(cruise(options["cruise"]), place, by, options)

        def deliver(progress: Progress) -> Recovery:
            return storage.deliver(recovery=recovery, by=by, progress=progress)

        made: Recovery = claimed(storage.RECOVER_DOOR, str(recovery.pk), recovery.cruise, deliver)
        return {
            "recovered": str(made),
            "to": made.place,
            "files": made.files,
            "bytes": made.bytes,
            "not recovered": [f"{one['path']} {one['why']}" for one in made.faults[:MOST_NAMED]],
            "audit": f"cd {place / 'data'} && hashdeep -r -l -a -k ../manifest.hashdeep .",
        }


def _asked(of: Cruise, place: Path, by: Actor, options: dict[str, Any]) -> Recovery:
    """The recovery to deliver: one that was stopped on its way to the same place, or a new one."""
    whole = Deposit.objects.filter(distribution__cruise=of).best_first()
    if options["shipment"]:
        whole = whole.filter(distribution__number=options["shipment"])
    deposit = whole.first()
    if deposit is None:
        raise NotFound(f"There is no copy of {of} in deep storage yet.")
    dataset = None
    if options["dataset"]:
        dataset = Dataset.objects.filter(cruise=of, uuid=options["dataset"]).first()
        if dataset is None:
            raise CommandError(f"{of} has no data set {options['dataset']}.")
    under = paths.to_text(os.fsencode(options["under"])).rstrip("/")
    stopped = deposit.recoveries.filter(state="granted", place=str(place), dataset=dataset)
    if (found := stopped.first()) is not None and found.under in (under, under.removeprefix("./")):
        return found
    with transaction.atomic():
        recovery = storage.request_recovery(
            deposit=deposit, by=by, reason=options["reason"], dataset=dataset, under=under
        )
        return storage.grant(recovery=recovery, by=by, place=place, note="at the console")
