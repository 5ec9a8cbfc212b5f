"""Reads the files of a cruise's distribution that are not read yet, and tells what became of each.

It joins in where other workers read the same distribution already, and goes on where a reading was stopped.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import verification
from inventory.management.commands import receive
from inventory.models import Distribution
from portal import work
from portal.access import Actor
from portal.console import cruise
from portal.work import Progress


class Command(receive.Command):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super(receive.Command, self).add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--again", action="store_true", help="read every file again")
        parser.add_argument(
            "--workers", type=int, default=0, metavar="N", help="files read at once; one on each core unless told"
        )

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        distribution = cruise(options["cruise"]).distributions.current().first()
        if distribution is None:
            raise CommandError(f"No distribution of {options['cruise']} was received yet.")
        if not 0 <= options["workers"] <= 256:
            raise CommandError("--workers takes a number up to 256.")
        if options["again"]:
            verification.reread(distribution=distribution, by=by, note="asked for at the console")
        read = {"files": 0, "bytes": 0, "seconds": 0.0, "problem": ""}
        if distribution.state == "received" or options["again"]:
            read = self._read(distribution, options["workers"], quiet=options["json"])
        distribution.refresh_from_db()
        problem = read.pop("problem")
        return receive.report(distribution) | {"outcome": "read", "remarks": [], "problem": problem, "read": read}

    def tell(self, answer: dict[str, Any]) -> None:
        super().tell(answer)
        read = answer["read"]
        if read["files"]:
            self.stdout.write(
                f"  read here: {read['files']:,} files, {read['bytes']:,} bytes in {read['seconds']:,.1f} s "
                f"({read['MB/s']:,.1f} MB/s, {read['files/s']:,.0f} files/s)"
            )

    def _read(self, distribution: Distribution, threads: int, *, quiet: bool) -> dict[str, Any]:
        """Joins in the reading and says what this process read, and why it ended early if it did."""
        counts = distribution.counts()
        shown = sys.stderr.isatty() and not quiet

        def told(progress: Progress) -> None:
            found = verification.standing(distribution, counts) if shown else None
            if found is not None:
                parts = (f"{found.files_done:,} of {found.files:,} files", _bytes(found), found.rate, found.left)
                self.stderr.write("\r\033[K" + ", ".join(part for part in parts if part), ending="")

        progress = _seat(distribution)
        started = time.monotonic()
        try:
            with _terminable(), progress:
                verification.run(progress.row.key, progress, threads=threads, stay=True, told=told)
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was read is kept; say it again to go on.", returncode=130) from None
        finally:
            if shown:
                self.stderr.write("\r\033[K", ending="")
        seconds = max(time.monotonic() - started, 1e-3)
        progress.row.refresh_from_db()
        row = progress.row
        return {
            "files": row.done,
            "bytes": row.bytes,
            "seconds": round(seconds, 3),
            "MB/s": round(row.bytes / 1e6 / seconds, 1),
            "files/s": round(row.done / seconds, 1),
            "problem": row.message if row.state != "done" else "",
        }


def _bytes(found: verification.Standing) -> str:
    return f"{found.bytes_done / 1e9:,.2f} of {found.bytes / 1e9:,.2f} GB"


def _seat(distribution: Distribution) -> Progress:
    """The first free place among the workers at a distribution."""
    for key in verification.seats(distribution.pk):
        try:
            return Progress.claim(verification.DOOR, key, label="reading files", cruise=distribution.cruise)
        except work.Taken:
            continue
    raise CommandError("There are more workers at this distribution than it has places for.")


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does: what was read is written down first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
