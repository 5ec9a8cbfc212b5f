"""Takes a distribution profile from a JSON or YAML file as the next version for a vessel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import profiles
from portal.access import Actor
from portal.console import Console
from portal.models import Vessel


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file")
        parser.add_argument("--vessel", required=True, metavar="CODE")
        parser.add_argument("--note", default="")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        vessel = Vessel.objects.filter(pk=options["vessel"]).first()
        if vessel is None:
            raise CommandError(f"There is no vessel {options['vessel']}; register it first.")
        try:
            data = Path(options["file"]).read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        profile, new = profiles.save(vessel=vessel, rules=profiles.from_text(data), by=by, note=options["note"])
        return {"profile": str(profile), "rules": profile.rules.count(), "new": new}
