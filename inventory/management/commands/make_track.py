"""Makes the clean track, control points and products of a cruise's navigation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import track
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        distribution = cruise(options["cruise"]).distributions.current().first()
        if distribution is None:
            raise CommandError(f"No distribution of {options['cruise']} was received yet.")
        made = track.make(distribution=distribution, by=by)
        return {
            "track": str(made),
            "feed": made.dataset.name if made.dataset else "none gave a track",
            "fixes": made.fixes,
            "good fixes": made.good_fixes,
            "control points": made.control_points,
            "products": [f"{p} {p.rows} rows, sha256 {p.sha256}" for p in made.products.all()],
            "tried": made.report.get("tried", []),
        }
