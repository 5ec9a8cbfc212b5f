"""Holds a data set back until a day, or lifts the hold. Asserting takes --by, the chief scientist."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import holds
from inventory.models import Dataset
from portal.access import Actor
from portal.console import Console


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("dataset", metavar="UUID")
        parser.add_argument("--until", type=dt.date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--reason", default="")
        parser.add_argument("--lift", action="store_true")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        dataset = Dataset.objects.filter(uuid=options["dataset"]).first()
        if dataset is None:
            raise CommandError("There is no such data set.")
        if options["lift"]:
            holds.lift_hold(dataset=dataset, by=by, note=options["reason"])
            return {"data set": str(dataset), "held until": None}
        if options["until"] is None:
            raise CommandError("Name the day with --until.")
        made = holds.assert_hold(dataset=dataset, until=options["until"], reason=options["reason"], by=by)
        return {"data set": str(dataset), "held until": made.until}
