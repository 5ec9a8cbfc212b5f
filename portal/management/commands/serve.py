"""Runs the site on this machine: queue, workers, recurring work, test registrar, and the web server."""

from __future__ import annotations

import datetime as dt
import signal
import sys
import time
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import supervisor, work
from portal.demo.people import ACCOUNTS, PASSWORD
from portal.models import Person
from portal.supervisor import CannotStart, Child, Supervisor


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--workers", type=int, default=1, help="web processes")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        call_command("check", databases=["default"], fail_level="ERROR", verbosity=0)
        if not supervisor.port_is_free(settings.PORT, options["host"]):
            raise CommandError(f"Port {settings.PORT} is taken. Stop what listens there, or choose another with PORT.")
        crew = Supervisor(self._children(options))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(crew, "stopping", True))
        try:
            crew.start()
            supervisor.wait_for_queue(settings.REDIS_URL)
            if not self._wait_for_site(crew, options["host"]):
                raise CommandError("The web server did not start; the lines above say why.")
            self._greet(options["host"], time.monotonic() - started)
            code = crew.watch()
        except CannotStart as error:
            raise CommandError(str(error)) from error
        finally:
            crew.stop()
        self.stdout.write("Stopped.")
        sys.exit(code)

    def _children(self, options: dict[str, Any]) -> list[Child]:
        own_queue = settings.EMBEDDED_QUEUE
        if own_queue and supervisor.answers(settings.REDIS_URL):
            raise CommandError(
                f"Leadline runs already on {settings.HOME}; stop it first, or choose another LEADLINE_HOME."
            )
        if own_queue:
            # Nobody else works on this home: what a killed worker left is free at once.
            work.take_back(dt.timedelta(0))
        registrar = settings.LOCAL_REGISTRAR and settings.SITE != "ship"
        children = supervisor.background(
            queue=own_queue, registrar=registrar, url=settings.REDIS_URL, home=settings.HOME
        )
        web = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", options["host"]]
        web += ["--port", str(settings.PORT), "--no-server-header", "--log-level", "warning", "--lifespan", "off"]
        if options["workers"] > 1:
            web += ["--workers", str(options["workers"])]
        return [*children, Child("web server", web)]

    def _wait_for_site(self, crew: Supervisor, host: str) -> bool:
        address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{settings.PORT}/health/live"  # noqa: S104
        for _ in range(240):
            if crew.stopping:
                return True
            try:
                if requests.get(address, timeout=1, headers={"Host": settings.ALLOWED_HOSTS[0]}).status_code < 500:
                    return True
            except requests.RequestException:
                time.sleep(0.1)
            if not crew.children[-1].running:
                return False
        return False

    def _greet(self, host: str, seconds: float) -> None:
        write = self.stdout.write
        write(f"\nLeadline answers at {settings.SITE_URL} (started in {seconds:.1f} s). Ctrl-C stops it.")
        emails = {account.email for account in ACCOUNTS}
        if settings.MODE == "demonstration" and Person.objects.filter(email__in=emails).exists():
            write("\nDemonstration accounts, all with the password " + PASSWORD + ":")
            for account in ACCOUNTS:
                write(f"  {account.email:<28} {account.says}")
        if settings.LOCAL_REGISTRAR and settings.SITE != "ship":
            write(f"\nTest registrar: {settings.REGISTRAR_URL}/dois")
        write(f"State: {settings.HOME}\n")
        self.stdout.flush()
