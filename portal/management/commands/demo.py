"""Loads the demonstration, or with --cruises any number of made-up cruises for load tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

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

    def handle(self, *args: Any, **options: Any) -> None:
        today = options["date"] or timezone.now().date()
        say = self.stdout.write
        try:
            if options["cruises"]:
                say(f"Making {options['cruises']:,} cruises with {options['files_per_cruise']:,} files each.")
                for config in floor.floors():
                    config.fill(options["cruises"], options["files_per_cruise"], say)
            else:
                load.load(today, lambda text: say(f"  {text}"))
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
