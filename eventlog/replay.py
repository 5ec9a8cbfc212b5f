"""What a thing of the log was at any moment, put together from its revisions alone. Pure.

A revision is a mapping with at least `verb`, `number`, `sequence` and `changes` ({field: [before, after]}).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Revised = Mapping[str, Any]

# Verbs by which a person changes an event; a newly derived position is none of them.
EDITS = ("revise", "strike", "restore", "undo", "merge")
# Those that nobody made by hand: a position derived anew, an operation gathered from imported events.
BY_THEMSELVES = ("position", "join")
# Fields of each kind of thing that its revisions tell, with the value of one that they never told.
CONTENT: dict[str, dict[str, Any]] = {
    "event": {
        "observed_at": None,
        "ended_at": None,
        "instrument": "",
        "action": "",
        "transect": "",
        "station": "",
        "cast": "",
        "operation": None,
        "latitude": None,
        "longitude": None,
        "seafloor_m": None,
        "comment": "",
        "extra": {},
        "number": "",
        "logged_at": None,
        "author_name": "",
        "device": "",
        "clock_offset_s": None,
        "source": "",
        "original": {},
        "revised_at": [],
        "nav_latitude": None,
        "nav_longitude": None,
        "nav_depth_m": None,
        "nav_course_deg": None,
        "nav_speed_mps": None,
        "nav_method": "",
        "nav_feed": "",
        "nav_gap_s": None,
        "nav_uncertainty_m": None,
        "struck": False,
        "measurements": [],
    },
    "operation": {
        "kind": "",
        "instrument": "",
        "cast": "",
        "station": "",
        "state": "",
        "started_at": None,
        "ended_at": None,
        "is_open": True,
        "comment": "",
    },
    "place": {
        "kind": "station",
        "name": "",
        "aliases": [],
        "latitude": None,
        "longitude": None,
        "end_latitude": None,
        "end_longitude": None,
        "depth_m": None,
        "is_planned": False,
        "comment": "",
        "merged_into": None,
    },
    "term": {
        "kind": "",
        "name": "",
        "meaning": "",
        "uri": "",
        "aliases": [],
        "is_proposed": False,
        "replaced_by": None,
    },
    "template": {
        "instrument": "",
        "action": "",
        "kind": "",
        "label": "",
        "key": "",
        "fields": [],
        "order": 0,
        "is_hidden": False,
    },
    "attachment": {
        "event": None,
        "name": "",
        "media_type": "",
        "size": 0,
        "sha256": "",
        "caption": "",
        "taken_at": None,
        "struck": False,
    },
    "file": {"path": "", "size": 0, "modified_at": None, "sha256": "", "operation": None},
}


def state(revisions: Iterable[Revised], sequence: int | None = None) -> dict[str, Any]:
    """How a thing stood after revision `sequence` of its log (none: after its last), as JSON holds its fields.

    `revisions` are all of one thing, by number. Empty: it did not exist yet. What was never told is not in it.
    """
    rows = list(revisions)
    told = _from(rows)
    for row in rows:
        if sequence is not None and row["sequence"] > sequence:
            break
        told = apply(told if told is not None else {}, row["changes"])
    if not rows or (sequence is not None and rows[0]["sequence"] > sequence):
        return {}
    return told or {}


def apply(told: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields after a change."""
    return {**told, **{name: after for name, (_, after) in changes.items()}}


def _from(rows: list[Revised]) -> dict[str, Any] | None:
    """How a thing stood before its first revision tells anything.

    Imports of old told nothing; what they brought is known from the revision that adopted the thing into the chain,
    less what was changed in between.
    """
    adopted = next((index for index, row in enumerate(rows) if row["verb"] == "adopt"), None)
    if adopted is None:
        return None
    told = apply({}, rows[adopted]["changes"])
    for row in reversed(rows[:adopted]):
        if row["number"] > 1:
            told |= {name: before for name, (before, _) in row["changes"].items()}
    return told


def whole(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of a thing of this kind, those that were never told with their first value."""
    return {**CONTENT.get(kind, {}), **told}
