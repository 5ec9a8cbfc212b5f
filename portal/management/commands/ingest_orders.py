"""Sailing orders from an XML file: creates the cruise, or amends it; the same file twice changes nothing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from portal.access import Actor
from portal.console import Console
from portal.orders import document, intake


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", help="XML file; - reads from standard input")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        outcome = intake.submit_xml(_read(options["file"]), by=by)
        return {
            "outcome": outcome.outcome,
            "cruise": outcome.cruise.cruise_id,
            "orders": outcome.number,
            "changes": [asdict(change) for change in outcome.changes],
            "warnings": list(outcome.warnings),
        }

    def tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['cruise']}: {answer['outcome']} (orders {answer['orders']})")
        for change in answer["changes"]:
            before, after = change["before"] or "nothing", change["after"] or "nothing"
            self.stdout.write(f"  {change['field']}: {before} -> {after}")
        for warning in answer["warnings"]:
            self.stdout.write(f"  warning: {warning}")


def _read(name: str) -> bytes:
    """At most one byte more than is allowed: a huge file is refused without being read."""
    if name == "-":
        return sys.stdin.buffer.read(document.SIZE_LIMIT + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(document.SIZE_LIMIT + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error
