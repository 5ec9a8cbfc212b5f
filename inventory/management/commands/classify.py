"""Sorts the files of a cruise's distribution into data sets with the vessel's profile; lists what no rule matches."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import classify, paths, profiles
from inventory.models import Distribution, Profile
from inventory.overview import dataset_rows
from portal.access import Actor
from portal.console import Console, cruise

MOST_NAMED = 200


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--profile", type=int, metavar="VERSION", help="another version than the one in force")
        parser.add_argument("--dry-run", action="store_true", help="tell what would come of it, and change nothing")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        found = cruise(options["cruise"])
        distribution = found.distributions.current().first()
        if distribution is None:
            raise CommandError(f"No distribution of {found} was received yet.")
        profile = profiles.active(found.vessel)
        if options["profile"]:
            profile = Profile.objects.filter(vessel=found.vessel, version=options["profile"]).first()
        if profile is None:
            raise CommandError(f"{found.vessel} has no such profile.")
        if options["dry_run"]:
            return _dry(distribution, profile)
        made = classify.classify(distribution=distribution, by=by, profile=profile)
        left = distribution.files.filter(dataset__isnull=True, excluded=False).order_by("path")
        return {
            "classification": str(made),
            "data sets": [f"{row['dataset'].name}: {row['files']} files" for row in dataset_rows(found)],
            "matched": made.matched,
            "excluded": made.excluded,
            "unmatched": made.unmatched,
            "unmatched files": [file.shown for file in left[:MOST_NAMED]],
        }


def _dry(distribution: Distribution, profile: Profile) -> dict[str, Any]:
    found = classify.preview(distribution, profiles.texts(profile), examples=MOST_NAMED)
    return {
        "classification": f"{distribution} by {profile} (only tried)",
        "data sets": [
            f"{' '.join(part for part in device if part)}: {n} files" for device, n in sorted(found.devices.items())
        ],
        "matched": sum(found.devices.values()),
        "excluded": found.excluded,
        "unmatched": found.unmatched,
        "unmatched files": [paths.display(path) for path in found.examples],
    }
