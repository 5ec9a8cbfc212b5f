"""Receives what a ship delivered with its manifest, reads every file, and tells what became of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from inventory import intake, shiplog, verification
from inventory.models import Distribution
from inventory.states import FILE_STATES
from portal import jobs, work
from portal.access import Actor
from portal.console import Console, cruise

NAMED = ("changed", "moved", "missing", "new", "unreadable")
MOST_NAMED = 200


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", help="a directory, a bag, a tar or zip, or a manifest ahead of its disk")
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--manifest", metavar="FILE", help="the manifest, when it is not in the root")
        parser.add_argument("--no-read", action="store_true", help="only list the files; the worker reads them")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        manifest = Path(options["manifest"]) if options["manifest"] else None
        receipt = intake.take(cruise=cruise(options["cruise"]), what=Path(options["path"]), by=by, manifest=manifest)
        key = str(receipt.distribution.pk)
        if not options["no_read"] and key in verification.waiting():
            jobs.perform(verification.DOOR, key)
        if key in shiplog.waiting_to_take():
            jobs.perform(shiplog.DOOR, key)
        return report(Distribution.objects.get(pk=key)) | {"outcome": receipt.outcome, "remarks": list(receipt.remarks)}

    def tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['distribution']}: {answer['outcome']}, {answer['state']}")
        for state, row in answer["counts"].items():
            self.stdout.write(f"  {state:<10} {row['files']:>9,} files {row['bytes']:>17,} bytes")
        for item in answer["files"]:
            self.stdout.write(f"  {item['state']}: {item['path']}" + (f" ({item['note']})" if item["note"] else ""))
        for remark in answer["remarks"]:
            self.stdout.write(f"  {remark}")
        if answer["event log"]:
            self.stdout.write(f"  event log: {answer['event log']}")
        if answer["problem"]:
            self.stdout.write(f"  {answer['problem']}")


def report(distribution: Distribution) -> dict[str, Any]:
    """Counts in md5deep's words, and the files that are not as delivered."""
    named = distribution.files.filter(state__in=NAMED).order_by("path")
    last = work.latest(verification.DOOR, str(distribution.pk))
    return {
        "distribution": str(distribution),
        "state": distribution.state,
        "counts": {s: row for s, row in distribution.counts().items() if s in FILE_STATES or s == "all"},
        "files": [{"path": f.shown, "state": f.state, "note": f.note} for f in named[:MOST_NAMED]],
        "event log": _event_log(distribution),
        "problem": last.message if last and last.state != "done" else "",
    }


def _event_log(distribution: Distribution) -> str:
    """What came of the final copy of the event log, where one was delivered."""
    last = work.latest(shiplog.DOOR, str(distribution.pk))
    if last is None:
        return ""
    return f"{'taken ashore' if last.state == 'done' else last.state}; {last.message}".rstrip("; ")
