"""Runs the site on this machine: queue, workers, recurring work, test registrar, and the web server."""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from portal import jobs
from portal.crew import Crew
from portal.demo.people import ACCOUNTS, PASSWORD
from portal.models import Person


class Command(Crew):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--workers", type=int, default=1, help="web processes")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        self.prepare(migrate=options["migrate"], demonstration=settings.MODE == "demonstration")
        crew = self.crew(host=options["host"], workers=options["workers"])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(crew, "stopping", True))
        try:
            self.start(crew, options["host"])
            jobs.wake_workers()
            self._greet(time.monotonic() - started)
            code = crew.watch()
        finally:
            crew.stop()
        self.stdout.write("Stopped.")
        sys.exit(code)

    def _greet(self, seconds: float) -> None:
        write = self.stdout.write
        write(f"\nLeadline answers at {settings.SITE_URL} (started in {seconds:.1f} s). Ctrl-C stops it.")
        emails = {account.email for account in ACCOUNTS}
        if settings.MODE == "demonstration" and Person.objects.filter(email__in=emails).exists():
            write(f"\nDemonstration accounts, all with the password {PASSWORD}:")
            for account in ACCOUNTS:
                write(f"  {account.email:<28} {account.says}")
        if settings.LOCAL_REGISTRAR and settings.SITE != "ship":
            write(f"\nTest registrar: {settings.REGISTRAR_URL}/dois")
        if settings.DROP_FOLDER is not None and settings.SITE != "ship":
            write(f"\nDrop folder: {settings.DROP_FOLDER} (what is copied into it is received; docs/distribution.md)")
        write(f"State: {settings.HOME}\n")
        self.stdout.flush()
