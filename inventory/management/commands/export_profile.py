"""Writes a vessel's distribution profile as JSON or YAML, to a file or to the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import profiles
from inventory.models import Profile
from portal.access import Actor
from portal.console import Console


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--vessel", required=True, metavar="CODE")
        parser.add_argument("--profile", type=int, metavar="VERSION", help="another version than the one in force")
        parser.add_argument("--format", choices=profiles.FORMATS, default="json")
        parser.add_argument("--output", metavar="FILE")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        version = {"version": options["profile"]} if options["profile"] else {"active": True}
        found = Profile.objects.filter(vessel=options["vessel"], **version).prefetch_related("rules").first()
        if found is None:
            raise CommandError(f"There is no such profile of {options['vessel']}.")
        text = profiles.export(found, options["format"])
        answer: dict[str, Any] = {"profile": str(found), "rules": found.rules.count()}
        if not options["output"]:
            return answer | {"text": text}
        try:
            Path(options["output"]).write_text(text)
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror}") from error
        return answer | {"file": options["output"]}

    def tell(self, answer: dict[str, Any]) -> None:
        """The profile itself, as it can be read in again."""
        if "text" in answer:
            self.stdout.write(answer["text"], ending="")
        else:
            super().tell(answer)
