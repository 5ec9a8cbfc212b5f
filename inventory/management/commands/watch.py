"""Looks into the drop folder and receives what is complete there: once, or again and again until it is stopped."""

from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from inventory import arrivals
from inventory.arrivals import watching
from inventory.models import Arrival
from portal import access, jobs, work
from portal.access import Actor
from portal.console import Console
from portal.refusals import NotNow
from portal.work import Progress

MOST_NAMED = 500


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="look at everything once, due or not, and end")
        parser.add_argument("--every", type=int, default=60, metavar="SECONDS", help="between two looks (60)")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        access.require(by, "distribution.receive")
        while not options["once"]:
            answer = _look(everything=False)
            if options["json"]:
                self.stdout.write(json.dumps(answer, default=str))
            elif answer["looked at"] or answer["received"]:
                self.tell(answer)
            self.stdout.flush()
            time.sleep(max(1, options["every"]))
        return _look(everything=True)

    def tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['there']:,} deliveries in the drop folder, {answer['looked at']:,} looked at")
        for row in answer["arrivals"]:
            count = f"{row['files'] or 0:,}" + (
                f" of {row['listed files']:,}" if row["state"] == "arriving" and row["listed files"] else ""
            )
            about = f"{count} files, {row['bytes'] or 0:,} bytes, last change {row['changed at'] or '-'}"
            self.stdout.write(f"  {row['state']:<10} {row['path']} ({row['cruise'] or 'no cruise'}): {about}")
            for line in filter(None, [row["reason"], *row["faults"]]):
                self.stdout.write(f"    {line}")
        for line in answer["received"]:
            self.stdout.write(f"  {line}")
        for remark in answer["remarks"]:
            self.stdout.write(f"  {remark}")


def _look(*, everything: bool) -> dict[str, Any]:
    """One look under the claim that the worker would have, and then the receiving of what is complete."""
    if settings.DROP_FOLDER is None:
        raise NotNow("No drop folder is watched: LEADLINE_DROP is off.")
    done = watching.Round()
    try:
        progress = Progress.claim(watching.DOOR, watching.KEY, label="looking into the drop folder")
    except work.Taken:
        done.remarks.append("a worker is looking into it at this moment")
    else:
        with progress:
            done = watching.look_around(progress, everything=everything)
        progress.row.refresh_from_db()
        if progress.row.state == "failed":
            raise NotNow(progress.row.message)
    since = timezone.now()
    jobs.drain([arrivals.DOOR])
    new = Arrival.objects.filter(state="received", since__gte=since).select_related("distribution")
    return _answer(done, [f"{row}: received as {row.distribution}" for row in new])


def _answer(done: watching.Round, received: list[str]) -> dict[str, Any]:
    return {
        "there": done.there,
        "looked at": done.looked_at,
        "arrivals": [_told(row) for row in watching.watched()[:MOST_NAMED]],
        "received": received,
        "remarks": done.remarks,
    }


def _told(row: Arrival) -> dict[str, Any]:
    return {
        "path": row.shown,
        "cruise": str(row.cruise) if row.cruise else None,
        "shape": row.shape,
        "state": row.state,
        "files": row.files,
        "bytes": row.bytes,
        "listed files": row.listed_files,
        "changed at": row.changed_at and row.changed_at.isoformat(timespec="seconds"),
        "reason": row.reason,
        "faults": row.faults,
    }
