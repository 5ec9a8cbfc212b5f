"""Compares any two inventories in md5deep's words: matched, changed, moved, missing, new.

Each is a cruise id (its shipment in force), CRUISE:N (its shipment N), either with :delivered (what the manifest says,
not what was found), a manifest of any dialect, or a directory, whose files are read. The exit code is 1 when the two
are not the same.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from inventory import comparing, paths
from inventory.manifests import Comparison, Item
from portal.access import Actor
from portal.console import Console

MOST_REMARKS = 50


class Command(Console):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("a", metavar="A", help="what was promised")
        parser.add_argument("b", metavar="B", help="what is there")
        parser.add_argument("--root-a", metavar="FOLDER", help="the folder before each path of the manifest A")
        parser.add_argument("--root-b", metavar="FOLDER", help="the folder before each path of the manifest B")
        parser.add_argument("--matched", action="store_true", help="name the matched files too")

    def act(self, *, by: Actor, options: dict[str, Any]) -> dict[str, Any]:
        remarks: list[str] = []
        before = comparing.find(options["a"], by=by, root=options["root_a"])
        now = comparing.find(options["b"], by=by, root=options["root_b"])
        with comparing.compared(before, now, remark=remarks.append, keep_matched=options["matched"]) as found:
            answer = {
                "a": before.name,
                "b": now.name,
                "same": found.same,
                "counts": found.counts,
                "unproven": found.unproven,
                "remarks": remarks[:MOST_REMARKS],
            }
            # The files are told here, one by one, while the comparison lies on the disk.
            if options["json"]:
                self._json(answer, found)
            else:
                self._text(answer, found)
        if not found.same:
            sys.exit(1)
        return answer

    def tell_as_json(self, answer: dict[str, Any]) -> None:
        """Told already."""

    def tell(self, answer: dict[str, Any]) -> None:
        """Told already."""

    def _json(self, answer: dict[str, Any], found: Comparison) -> None:
        self.stdout.write(json.dumps(answer, indent=2)[:-2] + ',\n  "files": [', ending="")
        between = "\n    "
        for item in found.items():
            self.stdout.write(between + json.dumps(item._asdict()), ending="")
            between = ",\n    "
        self.stdout.write("\n  ]\n}")

    def _text(self, answer: dict[str, Any], found: Comparison) -> None:
        self.stdout.write(f"{answer['a']} -> {answer['b']}: {'the same' if found.same else 'not the same'}")
        for word, files in found.counts.items():
            self.stdout.write(f"  {word:<10} {files:>11,} files")
        if found.unproven:
            self.stdout.write(
                f"  {found.unproven:,} of the matched have no hash in common: compared by size or name alone"
            )
        for remark in answer["remarks"]:
            self.stdout.write(f"  {remark}")
        for item in found.items():
            self.stdout.write(f"  {item.verdict}: {paths.display(item.path)}{_detail(item)}")


def _detail(item: Item) -> str:
    if item.was is not None:
        return f" (from {paths.display(item.was)})"
    if item.verdict == "changed" and item.size_before != item.size_now:
        return f" ({_bytes(item.size_before)} -> {_bytes(item.size_now)})"
    return ""


def _bytes(size: int | None) -> str:
    return "size unknown" if size is None else f"{size:,} bytes"
