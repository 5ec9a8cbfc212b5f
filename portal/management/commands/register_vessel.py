"""Registers a vessel and its operator, or brings them up to date."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from portal import fleet
from portal.access import Actor
from portal.console import Console


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("code", help="ICES platform code, as 33RR")
        parser.add_argument("name")
        parser.add_argument("--operator", required=True, metavar="ID", help="as edu.ucsd.sio")
        parser.add_argument("--operator-name", required=True, metavar="NAME")
        parser.add_argument("--prefix", default="", help="how its cruise ids begin")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        try:
            vessel, created = fleet.register(
                code=options["code"],
                name=options["name"],
                operator_id=options["operator"],
                operator_name=options["operator_name"],
                prefix=options["prefix"],
                by=by,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        return {"vessel": f"{vessel.pk} {vessel}", "operator": str(vessel.operator), "new": created}
