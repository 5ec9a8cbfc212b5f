"""The review by command: `open` a round, `approve` or `return` it in a role. Signing takes --by, a person."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import review
from portal.access import Actor
from portal.console import Console, cruise
from portal.lifecycle import Role


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("what", choices=["open", "approve", "return"])
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--role", choices=[role.value for role in review.SIGNERS])
        parser.add_argument("--note", default="")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        found, note = cruise(options["cruise"]), options["note"]
        if options["what"] == "open":
            made = review.open_review(cruise=found, by=by, note=note)
        else:
            current = found.reviews.current().first()
            if current is None or not options["role"]:
                raise CommandError("Open a review first, and name the role with --role.")
            sign = review.approve if options["what"] == "approve" else review.return_to_office
            made = sign(review=current, role=Role(options["role"]), by=by, note=note)
        return {"review": str(made), "state": made.state, "signatures": [str(s) for s in made.signatures.all()]}
