"""Writes the inventory of a cruise as CSV, or as a manifest for md5deep, hashdeep or readers of DFXML."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory import comparing, exports, listing
from portal.access import Actor
from portal.console import Console, cruise


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--cruise", required=True, metavar="ID")
        parser.add_argument("--shipment", type=int, metavar="N", help="an earlier one than that in force")
        parser.add_argument("--format", required=True, choices=sorted(exports.FORMATS))
        parser.add_argument("--output", required=True, metavar="FILE")
        said = parser.add_mutually_exclusive_group()
        said.add_argument(
            "--delivered",
            action="store_const",
            const=listing.DELIVERED,
            dest="said",
            default=listing.FOUND,
            help="what the ship told, not what was found",
        )
        said.add_argument(
            "--disk",
            action="store_const",
            const=listing.DISK,
            dest="said",
            help="what was found, and the manifest in the root: for an audit of the disk as it was delivered",
        )

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        distribution = comparing.numbered(cruise(options["cruise"]), options["shipment"])
        made = exports.export(distribution, options["format"], options["said"])
        output = Path(options["output"])
        try:
            size = _write(output, made)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        return {"distribution": str(distribution), "format": options["format"], "output": str(output), "bytes": size}


def _write(output: Path, made: exports.Export) -> int:
    """Writes beside the output and renames, so that nobody finds half a list. Returns the bytes."""
    with tempfile.NamedTemporaryFile(dir=output.parent, prefix=f".{output.name[:100]}-", delete=False) as file:
        try:
            for part in made.parts:
                file.write(part.encode() if isinstance(part, str) else part)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(file.fileno(), 0o666 & ~umask)
            Path(file.name).replace(output)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return size
