"""Takes the example cruises NBP1406 and EN720 from sailing orders to bags, OAI records and accessions."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from portal.crew import Crew
from portal.demo.people import PASSWORD
from portal.refusals import Refusal
from publishing import pipeline
from publishing.oai import catalog


class Command(Crew):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("data", help="the folder that holds nbp1406 and r2r-elog")
        parser.add_argument("--serve", action="store_true", help="go on serving the site afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        own = not self.site_answers()
        if own:
            self.prepare(migrate=True, demonstration=False)
        crew = self.crew(host="127.0.0.1", workers=1) if own else None
        log = settings.HOME / "pipeline.log"
        for child in crew.children if crew else ():
            child.log = log
        if crew is None:
            self.stdout.write(f"The site runs already at {settings.SITE_URL}; its workers are used.")
        try:
            if crew is not None:
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, _stop)
                self.start(crew, "127.0.0.1")
            cruises = pipeline.walk(Path(options["data"]).resolve(), self.stdout.write)
            self._addresses(cruises, running=not own or options["serve"])
            if crew is not None and options["serve"]:
                self.stdout.write("Serving. Ctrl-C stops it.")
                crew.watch()
        except Refusal as refusal:
            raise CommandError(f"{refusal} (what the processes said: {log})") from refusal
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped. Start it again: it goes on where it was.") from stop
        finally:
            if crew is not None:
                crew.stop()

    def _addresses(self, cruises: list[Any], *, running: bool) -> None:
        site = settings.SITE_URL
        write = self.stdout.write
        write("\nDone. Look at:")
        for cruise in cruises:
            identifier = quote(catalog.identifier_of(cruise))
            write(f"  {site}{reverse('cruise', args=[cruise.cruise_id])}")
            write(f"  {site}{reverse('report', args=[cruise.cruise_id])}")
            for prefix in catalog.FORMATS:
                write(f"  {site}{reverse('oai')}?verb=GetRecord&metadataPrefix={prefix}&identifier={identifier}")
        write(f"  bags: {settings.STAGING}")
        write(f"Sign in as manager@, operator@ or chief@leadline.example, password {PASSWORD}.")
        if not running:
            write("The site is not running now; script/server starts it.")


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
