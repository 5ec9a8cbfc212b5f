"""An event's position, depth and course, derived from the stored fixes of the vessel."""

from __future__ import annotations

import datetime as dt
from typing import Any

# The columns of an event that are derived.
COLUMNS = (
    "nav_latitude",
    "nav_longitude",
    "nav_depth_m",
    "nav_course_deg",
    "nav_speed_mps",
    "nav_method",
    "nav_feed",
    "nav_gap_s",
    "nav_uncertainty_m",
)


def at(vessel_id: str, moment: dt.datetime) -> dict[str, Any]:
    """The derived columns for a moment, which is aware."""
    return dict.fromkeys(COLUMNS) | {"nav_method": "", "nav_feed": ""}
