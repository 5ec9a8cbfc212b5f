"""Counts the files of one cruise or of all anew, and names the distributions whose totals were not right."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from inventory import totals
from inventory.models import Distribution
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", metavar="ID", help="this cruise alone")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        found = cruise(options["cruise"]).distributions.all() if options["cruise"] else Distribution.objects.all()
        counted, files, mended = 0, 0, []
        for pk in found.order_by("pk").values_list("pk", flat=True):
            distribution = Distribution.objects.select_related("cruise").get(pk=pk)
            before = distribution.counts() if distribution.counted else None
            files += totals.recount(distribution).files
            counted += 1
            if before != Distribution.objects.get(pk=pk).counts():
                mended.append(str(distribution))
        return {"distributions": counted, "files": files, "mended": mended}
