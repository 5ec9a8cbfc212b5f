"""Loads the demonstration, or with --cruises any number of made-up cruises for load tests."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal import floor
from portal.demo import load
from portal.refusals import Refusal


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--date", type=dt.date.fromisoformat, help="make it as on this day (default: today)")
        parser.add_argument("--cruises", type=int, default=0, help="make so many cruises for load tests instead")
        parser.add_argument("--files-per-cruise", type=int, default=500)
        parser.add_argument("--once", action="store_true", help="do nothing where the demonstration was loaded before")

    def handle(self, *args: Any, **options: Any) -> None:
        marker = Path(settings.HOME) / "demonstration.json"
        today, loaded = _begun(marker, options["date"] or timezone.now().date())
        if options["once"] and loaded:
            return
        say = self.stdout.write
        try:
            if options["cruises"]:
                say(f"Making {options['cruises']:,} cruises with {options['files_per_cruise']:,} files each.")
                for config in floor.floors():
                    config.fill(options["cruises"], options["files_per_cruise"], say)
            else:
                say("Loading the demonstration")
                load.load(today, lambda text: say(f"  {text}"))
                marker.write_text(json.dumps({"date": today.isoformat(), "loaded": True}))
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal


def _begun(marker: Path, today: dt.date) -> tuple[dt.date, bool]:
    """The day as on which the demonstration was begun, and whether it was loaded to its end.

    A loading that was stopped goes on as on its first day: otherwise its cruises would be others.
    """
    if marker.exists():
        known = json.loads(marker.read_text())
        return dt.date.fromisoformat(known["date"]), bool(known["loaded"])
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({"date": today.isoformat(), "loaded": False}))
    return today, False
