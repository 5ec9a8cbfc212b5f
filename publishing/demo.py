"""The demonstration's publishing: identifiers from the local registrar, bags, and an archive that answers for most."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from portal import jobs, supervisor
from portal.demo.clock import as_of
from portal.floor import Plan
from publishing.archives import submission
from publishing.models import Submission
from publishing.registrar.local import serve_on

DOORS = ("publishing.release", "publishing.clear", "publishing.register", "publishing.submit", "publishing.pack")


def publish(plan: Plan) -> None:
    """Takes an approved record to its release, and its cleared data sets to the archive.

    Where the test registrar's port is taken, or a real registrar is set, the worker does this after the start.
    """
    if not plan.finished:
        return
    if not (settings.LOCAL_REGISTRAR and supervisor.port_is_free(settings.REGISTRAR_PORT)):
        plan.say("  publishing is left to the worker")
        return
    with _registrar(), as_of(plan.voyage.ends + dt.timedelta(days=9)):
        jobs.drain(DOORS)
    bags = Submission.objects.filter(dataset__cruise=plan.cruise).order_by("pk")
    for number, bag in enumerate(bags):
        if number % 3 == 2 or bag.state != "staged":
            continue  # the archive has not answered for these yet
        with as_of(plan.voyage.ends + dt.timedelta(days=12)):
            submission.told(
                submission=bag,
                archive="Demonstration Data Centre",
                number=f"0{plan.cruise.pk:03d}{bag.pk:03d}",
                version="1.1",
                landing_url=f"https://archive.{plan.cruise.vessel.operator_id.partition('.')[0]}/accession/{bag.pk}",
                by=plan.people["manager"],
                checksum=bag.tagmanifest_sha256,
            )
    plan.say(f"  published, {Submission.objects.filter(dataset__cruise=plan.cruise).count()} bags packed")


@contextmanager
def _registrar() -> Iterator[None]:
    """The local registrar, for as long as the demonstration is loaded."""
    server = serve_on(settings.REGISTRAR_PORT)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # s until it hears of its end
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
