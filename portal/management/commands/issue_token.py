"""Issues an API token for a person; the secret is printed once and kept only as a hash."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from portal import tokens
from portal.access import Actor
from portal.console import Console, actor
from portal.models import Person


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("person", metavar="EMAIL")
        parser.add_argument("name", help="what will use it")
        parser.add_argument("--scope", action="append", required=True, choices=sorted(tokens.SCOPES))
        parser.add_argument("--days", type=int, default=90)

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        person = actor(options["person"])
        if not isinstance(person, Person):
            raise CommandError("Name the person whose token it will be.")
        token, secret = tokens.issue(
            person=person,
            name=options["name"],
            scopes=options["scope"],
            expires_at=timezone.now() + dt.timedelta(days=options["days"]),
            by=by,
        )
        return {"token": secret, "scopes": token.scopes, "expires_at": token.expires_at}
