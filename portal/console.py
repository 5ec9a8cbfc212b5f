"""What every command shares: refusals as messages, the person it acts for, and answers as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.access import CONSOLE, Actor
from portal.models import Cruise, Person
from portal.refusals import Refusal


class Console(BaseCommand):
    """A command that says one verb. `act` does it and returns what is to be told, which may go out as JSON.

    It begins with the checks of its surroundings, and leaves out those of the code, which load every page: they take as
    long as all else until it begins, and the site's start and the tests make them.
    """

    requires_system_checks = [Tags.compatibility, Tags.files, Tags.security]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", metavar="EMAIL", help="act as this person, with this person's rights")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = self.act(by=actor(options.get("by")), options=options)
        except Refusal as refusal:
            if options.get("json"):
                from portal.errors import problem

                self.stdout.write(json.dumps(problem(refusal), indent=2))
                sys.exit(1)
            raise CommandError(str(refusal)) from refusal
        if options.get("json"):
            self.tell_as_json(answer)
        else:
            self.tell(answer)

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        """Does it. Returns what can be told as JSON."""
        raise NotImplementedError

    def tell_as_json(self, answer: dict[str, Any]) -> None:
        """Tells the answer to a program."""
        self.stdout.write(json.dumps(answer, indent=2, default=str))

    def tell(self, answer: dict[str, Any]) -> None:
        """Tells the answer to a person at a terminal."""
        for key, value in answer.items():
            if isinstance(value, list):
                self.stdout.write(f"{key}:")
                for item in value:
                    self.stdout.write(f"  {item}")
            else:
                self.stdout.write(f"{key}: {value}")


def actor(email: str | None) -> Actor:
    """The person of an address, or the console itself. Raises CommandError for an unknown address."""
    if not email:
        return CONSOLE
    person = Person.objects.filter(email__iexact=email, is_active=True).first()
    if person is None:
        raise CommandError(f"There is no active account {email}.")
    return person


def cruise(cruise_id: str) -> Cruise:
    """The cruise of an id. Raises CommandError, naming the nearest, when there is none."""
    found = Cruise.objects.select_related("vessel__operator").filter(cruise_id__iexact=cruise_id).first()
    if found is None:
        alike = Cruise.objects.filter(cruise_id__istartswith=cruise_id[:3]).values_list("cruise_id", flat=True)[:8]
        hint = f" Known: {', '.join(alike)}." if alike else " Ingest its sailing orders first."
        raise CommandError(f"There is no cruise {cruise_id}.{hint}")
    return found
