"""Takes a log file of another program into the log of a cruise, and reports on every row.

Ends with 0 when every row was taken in, was there already or differs; with 2 when rows were refused, which the report
names; with 1 when nothing could be done. The formats and the mapping of a plain table are told in docs/import.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import intake, logbook
from eventlog.exchange import detect
from portal.access import Actor
from portal.console import Console, cruise

REFUSED_ROWS = 2


class Command(Console):
    help = __doc__ or ""
    refused = 0

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file")
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument(
            "--format", default="", metavar="F", help=f"instead of by the content: {', '.join(detect.FORMATS)}"
        )
        parser.add_argument("--mapping", metavar="FILE", help="JSON that says what the columns of a plain table hold")
        parser.add_argument("--aux", metavar="FILE", help="the auxiliary-data export that belongs to a Sealog export")
        parser.add_argument(
            "--differing",
            choices=intake.DIFFERING,
            default="keep",
            help="what becomes of rows that are in the log with other words: keep the log, or revise it",
        )
        parser.add_argument("--reason", default="", help="why; needed once the log is closed")
        parser.add_argument("--dry-run", action="store_true", help="report, and take nothing in")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if self.refused:
            sys.exit(REFUSED_ROWS)

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        report = intake.import_events(
            log=logbook.log_of(cruise(options["cruise"])),
            name=Path(options["file"]).name,
            data=_read(options["file"]),
            aux=_read(options["aux"]) if options["aux"] else None,
            form=options["format"],
            columns=intake.mapping_of(_read(options["mapping"])) if options["mapping"] else None,
            differing=options["differing"],
            reason=options["reason"],
            by=by,
            dry_run=options["dry_run"],
        )
        self.refused = report.counts.get("refused", 0)
        return report.as_json()

    def tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['format']}: " + ", ".join(f"{n} {what}" for what, n in answer["counts"].items()))
        for note in answer["notes"]:
            self.stdout.write(f"  {note}")
        for row in answer["rows"]:
            if row["message"]:
                column = f" ({row['column']})" if row["column"] else ""
                self.stdout.write(f"  line {row['line']} {row['number']}: {row['result']}{column}: {row['message']}")


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error
