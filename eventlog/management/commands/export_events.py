"""Writes the events of a cruise to a file, as R2R CSV or as JSON."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from eventlog import logbook
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--format", default="r2r-csv", choices=["r2r-csv", "json"])
        parser.add_argument("--output", required=True, metavar="FILE")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        data = logbook.export(logbook.log_of(cruise(options["cruise"])), options["format"]).encode()
        Path(options["output"]).write_bytes(data)
        return {"file": options["output"], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
