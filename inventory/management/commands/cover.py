"""Reads when and where the files of a cruise's distribution were measured; tells the files that could not be read."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Max, Min

from inventory import covering
from inventory.models import Dataset
from portal import work
from portal.access import Actor
from portal.console import Console, cruise
from portal.refusals import NotNow
from portal.work import Progress

MOST_NAMED = 200


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        found = cruise(options["cruise"])
        distribution = found.distributions.current().first()
        if distribution is None:
            raise CommandError(f"No distribution of {found} was received yet.")
        try:
            progress = Progress.claim(covering.DOOR, str(distribution.pk), label="reading periods", cruise=found)
        except work.Taken:
            raise NotNow(f"A worker is reading the periods of {distribution} just now.") from None
        with progress:
            covering.cover(distribution=distribution, by=by, progress=progress)
        progress.row.refresh_from_db()
        if progress.row.state != "done":
            raise NotNow(progress.row.message)
        distribution.refresh_from_db()
        covered = distribution.covered
        sets = Dataset.objects.filter(cruise=found, first_at__isnull=False).aggregate(Min("first_at"), Max("last_at"))
        return {
            "distribution": str(distribution),
            "files": covered.files,
            "with a period": covered.timed,
            "with a position": covered.placed,
            "first": _moment(sets["first_at__min"]),
            "last": _moment(sets["last_at__max"]),
            "not read": [f"{file.shown}: {why}" for file, why in covering.remarks(distribution, MOST_NAMED)],
        }


def _moment(at: dt.datetime | None) -> str | None:
    """As ISO 8601 in UTC."""
    return at.isoformat().replace("+00:00", "Z") if at else None
