"""Opens the event log of a cruise at departure."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from eventlog import logbook
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""
    verb = staticmethod(logbook.open_log)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        log = self.verb(cruise=cruise(options["cruise"]), by=by)
        copies = [f"{copy.name}  {copy.size} bytes  sha256 {copy.sha256}" for copy in log.final_copies.defer("data")]
        return {
            "log": str(log),
            "state": log.state,
            "events": log.events.standing().count(),
            "final copies": copies,
        }
