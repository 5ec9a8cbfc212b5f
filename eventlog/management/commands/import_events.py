"""Takes a log file of another program into the open log of a cruise, and reports on every row."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import intake, logbook
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file")
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--aux", metavar="FILE", help="the auxiliary-data export that belongs to a Sealog export")
        parser.add_argument("--dry-run", action="store_true", help="report, and take nothing in")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        report = intake.import_events(
            log=logbook.log_of(cruise(options["cruise"])),
            name=Path(options["file"]).name,
            data=_read(options["file"]),
            aux=_read(options["aux"]) if options["aux"] else None,
            by=by,
            dry_run=options["dry_run"],
        )
        return {
            "format": report.format,
            "notes": list(report.notes),
            "counts": report.counts,
            "rows": [asdict(row) for row in report.rows],
        }

    def tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['format']}: " + ", ".join(f"{n} {what}" for what, n in answer["counts"].items()))
        for note in answer["notes"]:
            self.stdout.write(f"  {note}")
        for row in answer["rows"]:
            if row["message"]:
                self.stdout.write(f"  line {row['line']} {row['number']}: {row['result']}: {row['message']}")


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error
