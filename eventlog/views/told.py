"""Revisions in words: who, when, on which device, what was and what is, field by field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eventlog.models import Revision

FIELD_WORDS = {
    "observed_at": "When (UTC)",
    "ended_at": "Ended (UTC)",
    "logged_at": "Typed (UTC)",
    "instrument": "Instrument",
    "action": "Action",
    "transect": "Transect",
    "station": "Station",
    "cast": "Cast",
    "operation": "Operation",
    "latitude": "Latitude, °N",
    "longitude": "Longitude, °E",
    "seafloor_m": "Water depth, m",
    "comment": "Comment",
    "extra": "Further answers",
    "number": "Number",
    "author_name": "Author",
    "device": "Device",
    "clock_offset_s": "Clock ahead, s",
    "source": "Came by",
    "original": "As imported",
    "revised_at": "Edited before the import",
    "struck": "Struck",
    "measurements": "Measured",
    "nav_latitude": "Latitude from navigation, °N",
    "nav_longitude": "Longitude from navigation, °E",
    "nav_depth_m": "Water depth from navigation, m",
    "nav_course_deg": "Course, °",
    "nav_speed_mps": "Speed, m/s",
    "nav_method": "Position by",
    "nav_feed": "Feed",
    "nav_gap_s": "Gap, s",
    "nav_uncertainty_m": "Uncertainty, m (95 %)",
}
VERBS = {
    "record": "recorded",
    "import": "imported",
    "adopt": "taken into the chain",
    "revise": "changed",
    "strike": "struck",
    "restore": "restored",
    "undo": "undone",
    "merge": "merged",
    "position": "position derived",
    "open": "opened",
    "close": "closed",
    "abort": "aborted",
}
# Told to those of the cruise alone.
PRIVATE = ("author_name", "device", "original", "clock_offset_s")
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """A revision as a page shows it; `changes` are (field in words, what was, what is)."""

    revision: Revision
    verb: str
    words: str
    who: str
    device: str
    changes: list[tuple[str, str, str]]


def told(revisions: Iterable[Revision], *, names: bool) -> list[Told]:
    """The revisions in words; without `names` for those who are not told who wrote what."""
    return [
        Told(
            revision,
            revision.verb,
            VERBS.get(revision.verb, revision.verb.replace("_", " ")),
            revision.by_name if names else "Science staff",
            revision.device if names else "",
            [
                (FIELD_WORDS.get(name, name), shown(name, before), shown(name, after))
                for name, (before, after) in revision.changes.items()
                if names or name not in PRIVATE
            ],
        )
        for revision in revisions
    ]


def shown(name: str, value: Any) -> str:
    """A value of a field as text: times without their zone, which is always UTC; "" for nothing."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and name.endswith("_at"):
        try:
            at = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
        return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}" + (
            f".{at.microsecond // 1000:03d}" if at.microsecond else ""
        )
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dict):
        return _cut("; ".join(f"{key}: {shown(key, part)}" for key, part in value.items()))
    if isinstance(value, list):
        return _cut("; ".join(" ".join(map(str, part)) if isinstance(part, list) else str(part) for part in value))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
