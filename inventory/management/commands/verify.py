"""Reads the files of a cruise's distribution that are not read yet, and tells what became of each."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import verification
from inventory.management.commands import receive
from portal import jobs
from portal.access import Actor
from portal.console import cruise


class Command(receive.Command):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super(receive.Command, self).add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--again", action="store_true", help="read every file again")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        distribution = cruise(options["cruise"]).distributions.current().first()
        if distribution is None:
            raise CommandError(f"No distribution of {options['cruise']} was received yet.")
        if options["again"]:
            verification.reread(distribution=distribution, by=by, note="asked for at the console")
        key = str(distribution.pk)
        if key in verification.waiting():
            jobs.perform("inventory.verify", key)
        distribution.refresh_from_db()
        return receive.report(distribution) | {"outcome": "read", "remarks": []}
