"""`manage.py import_navigation PATH... --vessel ID | --cruise ID [--feed NAME]`: reads files of navigation."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventlog.navigation import recompute, taking
from portal import access
from portal.access import Actor
from portal.console import Console
from portal.console import cruise as cruise_of
from portal.models import Vessel
from portal.refusals import NotYou


class Command(Console):
    """Reads stamped NMEA lines, SCS event files (.elg) and GeoCSV into the feeds of a vessel."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders with files")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--vessel", help="id of the vessel")
        whose.add_argument(
            "--cruise", help="id of a cruise of the vessel; its dates help to place files without stamps"
        )
        parser.add_argument("--feed", default="", help="name of the feed; without it, of the folder of each file")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        near = None
        if options["cruise"]:
            cruise = cruise_of(options["cruise"])
            access.require(by, "feed.set", cruise)
            vessel = cruise.vessel
            near = dt.datetime.combine(cruise.depart_date, dt.time(12), dt.UTC)
        else:
            found = Vessel.objects.filter(pk__iexact=options["vessel"]).first()
            if found is None:
                raise CommandError(f"There is no vessel {options['vessel']}. Register it with register_vessel.")
            if not (access.is_office(by) or found.operator_id in access.operators_of(by)):
                raise NotYou(f"Navigation of {found} is read in by its operator or the office.")
            vessel = found
        began = time.monotonic()
        files = taking.import_files(options["paths"], vessel=vessel, feed=options["feed"], near=near)
        seconds = max(time.monotonic() - began, 1e-6)
        derived = recompute.catch_up(vessel.pk, everything=True)
        lines = sum(file["lines"] for file in files)
        return {
            "vessel": vessel.pk,
            "lines": lines,
            "fixes": sum(file["fixes"] for file in files),
            "samples": sum(file["samples"] for file in files),
            "events_derived_again": derived,
            "seconds": round(seconds, 2),
            "lines_per_second": round(lines / seconds),
            "files": files,
        }
