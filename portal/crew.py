"""What `serve` and `pipeline` share: starting the crew of processes on this machine, and knowing that it runs."""

from __future__ import annotations

import datetime as dt
import sys
import time

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal import supervisor, work
from portal.supervisor import CannotStart, Child, Supervisor


class Crew(BaseCommand):
    """A command that runs queue, workers, recurring work, test registrar and web server as its children."""

    requires_system_checks = []  # `prepare` runs them once the database is migrated

    def prepare(self, *, migrate: bool, demonstration: bool) -> None:
        """Brings the database up to date, refuses senseless settings, and loads the demonstration the first time."""
        if migrate:
            call_command("migrate", interactive=False, verbosity=0)
        self.check(databases=["default"])
        if demonstration:
            call_command("demo", once=True, stdout=self.stdout)

    def crew(self, *, host: str, workers: int) -> Supervisor:
        """The processes, not started yet. Raises CommandError where a port is taken or another start runs."""
        own_queue = settings.EMBEDDED_QUEUE
        if own_queue and supervisor.answers(settings.REDIS_URL):
            raise CommandError(f"Leadline runs already on {settings.HOME}; stop it, or choose another LEADLINE_HOME.")
        if not supervisor.port_is_free(settings.PORT, host):
            raise CommandError(f"Port {settings.PORT} is taken. Stop what listens there, or choose another with PORT.")
        registrar = settings.LOCAL_REGISTRAR and settings.SITE != "ship"
        if registrar and not supervisor.port_is_free(settings.REGISTRAR_PORT):
            raise CommandError(f"Port {settings.REGISTRAR_PORT} of the test registrar is taken; set REGISTRAR_PORT.")
        if own_queue:
            # Nobody else works on this home: what a killed worker left is free at once.
            work.take_back(dt.timedelta(0))
        try:
            children = supervisor.background(
                queue=own_queue,
                registrar=registrar,
                navigation=settings.SITE != "shore",
                url=settings.REDIS_URL,
                home=settings.HOME,
            )
        except CannotStart as error:
            raise CommandError(str(error)) from error
        web = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", host]
        web += ["--port", str(settings.PORT), "--no-server-header", "--log-level", "warning", "--lifespan", "off"]
        web += ["--timeout-graceful-shutdown", "5"]
        if workers > 1:
            web += ["--workers", str(workers)]
        # The site first, so that it answers while the workers still wake up.
        queue = [child for child in children if child.name == "queue"]
        return Supervisor([*queue, Child("web server", web), *(c for c in children if c not in queue)])

    def start(self, crew: Supervisor, host: str) -> None:
        """Starts the processes, and waits until queue and site answer. Raises CommandError when they do not."""
        try:
            crew.start("queue", "test registrar", "web server")
            supervisor.wait_for_queue(settings.REDIS_URL)
        except CannotStart as error:
            raise CommandError(str(error)) from error
        deadline = time.monotonic() + 60
        while not self.site_answers(host) and not crew.stopping:
            if time.monotonic() > deadline or not crew.child("web server").running:
                raise CommandError("The web server did not start; the lines above say why.")
            time.sleep(0.05)
        crew.start()

    def site_answers(self, host: str = "127.0.0.1") -> bool:
        """Whether our site answers on its port."""
        address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{settings.PORT}/health/live"  # noqa: S104
        try:
            answer = requests.get(address, timeout=2, headers={"Host": settings.ALLOWED_HOSTS[0]})
            return answer.status_code == 200 and answer.json() == {"status": "ok"}
        except (requests.RequestException, ValueError):
            return False
