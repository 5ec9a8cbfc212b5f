"""Takes the pack of a cruise in on board: the same cruise, people and buttons as ashore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import shore
from portal.access import Actor
from portal.console import Console


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        try:
            data = Path(options["file"]).read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        taken = shore.import_cruise(data=data, by=by)
        return {
            "cruise": str(taken.cruise),
            "orders": taken.outcome,
            "new people": list(taken.people),
            "remarks": list(taken.remarks),
        }
