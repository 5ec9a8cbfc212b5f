"""Verifies the log of a cruise, or a final copy in a file: names every row and every field that was altered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog import verify
from eventlog.exchange import finalcopy
from eventlog.exchange.record import Unreadable
from eventlog.models import Log
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--cruise", metavar="ID")
        what.add_argument(
            "--file", metavar="FILE", help="a LEADLINE_…_FINAL_EVENTLOG.json; needs no log in the database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.ok = False
        super().handle(*args, **options)
        if not self.ok:
            sys.exit(1)

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        answer = _file(options["file"]) if options["file"] else _log(options["cruise"])
        self.ok = answer["ok"]
        return answer

    def tell(self, answer: dict[str, Any]) -> None:
        counts = ", ".join(f"{number:,} {name}" for name, number in answer["counts"].items() if number)
        self.stdout.write(f"{answer['cruise_id']}: {counts or 'nothing'}, {answer['seals']} seals")
        self.stdout.write(f"head of the chain: {answer['head']} at revision {answer['sequence']}")
        for finding in answer["findings"]:
            name = f", {finding['field']}" if finding["field"] else ""
            self.stdout.write(f"  {finding['what']}: {finding['where']}{name}: {finding['says']}")
        if answer["unnamed"]:
            self.stdout.write(f"  and {answer['unnamed']:,} more")
        self.stdout.write("Everything is as it was written." if answer["ok"] else "This is NOT what was written.")


def _log(cruise_id: str) -> dict[str, Any]:
    log = Log.objects.filter(cruise=cruise(cruise_id)).select_related("cruise").first()
    if log is None:
        raise CommandError(f"{cruise_id} has no event log.")
    return verify.check(log).told()


def _file(name: str) -> dict[str, Any]:
    try:
        with Path(name).open("rb") as file:
            found = finalcopy.check(file)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error
    except Unreadable as error:
        raise CommandError(f"{name}: {error}") from error
    return {
        "cruise_id": str(found.header.get("cruise_id", "")),
        "sequence": found.sequence,
        "head": found.head,
        "counts": found.rows,
        "seals": len(found.seals),
        "findings": [{"what": "altered", "where": name, "field": "", "says": fault} for fault in found.faults],
        "unnamed": found.unnamed,
        "ok": not found.faults,
    }
