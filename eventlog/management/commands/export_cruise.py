"""Writes the pack of a planned cruise for its ship: orders, people who may log, buttons. A private file."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import shore
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--output", required=True, metavar="FILE")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        packed = shore.export_cruise(cruise=cruise(options["cruise"]), by=by)
        try:
            # It holds addresses of people: for its owner alone.
            handle = os.open(options["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(packed.text)
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror}") from error
        return {"file": options["output"], "sha256": packed.sha256}
