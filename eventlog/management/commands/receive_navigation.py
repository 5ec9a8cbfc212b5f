"""`manage.py receive_navigation`: listens to all enabled feeds of the database until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from eventlog.navigation.receiver.station import Station


class Command(BaseCommand):
    """One process for UDP ports, TCP servers and growing files. A second one waits until the first ends."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--spool", type=Path, help="folder for lines that wait; default: under LEADLINE_HOME")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["spool"] or settings.HOME / "navigation"
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(KeyboardInterrupt), _alone(folder / "lock"):
            asyncio.run(_run(Station(folder)))


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(1)
        yield


async def _run(station: Station) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await station.run(stop)
