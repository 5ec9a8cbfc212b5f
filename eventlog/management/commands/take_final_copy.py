"""Takes the final copy of a ship's log ashore: verified, then the same rows, history and seals included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import shore
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", help="LEADLINE_…_FINAL_EVENTLOG.json, the other final copies beside it")
        parser.add_argument("--cruise", required=True, metavar="ID")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        path = Path(options["file"])
        try:
            file = path.open("rb")
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        with file:
            taken = shore.take_final_copy(cruise=cruise(options["cruise"]), file=file, by=by, beside=path.parent)
        return {"log": str(taken.log), "outcome": taken.outcome, "remarks": list(taken.remarks)}
