"""Writes the final copies of a closed log into a folder, as of the distribution's disk, and tells their checksums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import logbook
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--output", required=True, metavar="FOLDER")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        log, folder = logbook.log_of(cruise(options["cruise"])), Path(options["output"])
        written = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for copy in log.final_copies.order_by("name"):
                with (folder / copy.name).open("wb") as file:
                    file.writelines(logbook.bytes_of(copy))
                written.append(f"{copy.name}  {copy.size} bytes  sha256 {copy.sha256}")
        except OSError as error:
            raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
        if not written:
            raise CommandError(f"The {log} is {log.state}: final copies are made when it is closed.")
        return {"log": str(log), "final copies": written}
