"""Loads named areas from a GeoJSON file: waters, sanctuaries, seas that files are looked for in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import areas
from inventory.models import Area
from portal.access import Actor
from portal.console import Console


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", help="GeoJSON, polygons in degrees")
        parser.add_argument("--kind", default="other", choices=[kind for kind, _ in Area.KINDS])
        parser.add_argument("--name", default="", metavar="PROPERTY", help="the property that holds the name")
        parser.add_argument("--source", required=True, help="who made the data: title, version, DOI")
        parser.add_argument("--licence", required=True, help="under which they may be used, as CC-BY-4.0")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        path = Path(options["file"])
        try:
            with path.open("rb") as file:
                text = file.read(areas.LARGEST + 1)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        words = {name: options[name] for name in ("kind", "source", "licence")}
        loaded = areas.load(text=text, by=by, name_from=options["name"], fallback=path.stem, **words)
        return {
            "added": loaded.added,
            "changed": loaded.changed,
            "same": loaded.same,
            "mended": loaded.mended,
            "not taken": [str(fault) for fault in loaded.refused],
        }
