"""Writes the events of a cruise to a file in any form of export, and tells what the check of the file found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.http import QueryDict

from eventlog import logbook
from eventlog.exports import forms, making, selecting
from portal import access
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--format", default="r2r-csv", choices=list(forms.FORMS))
        parser.add_argument("--output", required=True, metavar="FILE")
        parser.add_argument("--filter", default="", metavar="QUERY", help="as in a link: instrument=CTD&station=L6")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        log = logbook.log_of(cruise(options["cruise"]))
        access.require(by, "eventlog.read", log)
        form, query = forms.form(options["format"]), QueryDict(options["filter"].removeprefix("?"))
        events = selecting.chosen(log, query, form, names=True)
        made = making.make(log, form.name, events=events)
        with made.file as file:
            _keep(file, Path(options["output"]))
        return made.told() | {"file": options["output"]}

    def tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['file']}: {answer['events']} events, {answer['bytes']} bytes")
        self.stdout.write(f"sha256 {answer['sha256']}")
        for check in answer["validation"]["checks"]:
            self.stdout.write(
                f"  {'ok' if check['passed'] else 'NOT OK'}: {check['rule']} ({check['found'] or 'kept'})"
            )
        for note in answer["validation"]["notes"]:
            self.stdout.write(f"  note: {note}")


def _keep(file: Any, target: Path) -> None:
    """The whole file or nothing: written beside the target, then put in its place."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            shutil.copyfileobj(file, out)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"{target} cannot be written: {error.strerror}") from error
