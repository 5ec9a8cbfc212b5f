"""Where the ship is now, by the feeds that are heard."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.utils import timezone

from eventlog.models import Feed, Fix
from eventlog.navigation import positions

OLDEST: Final = dt.timedelta(hours=24)  # what is older is not "now"
AHEAD: Final = dt.timedelta(hours=1)  # this server's clock may be behind, but not by more


@dataclass(frozen=True, slots=True)
class Ship:
    """The newest voted state of a ship: degrees, metres, m/s; `age_s` seconds since the fix, by the server's clock."""

    at: dt.datetime
    latitude: float
    longitude: float
    depth_m: float | None
    course_deg: float | None
    speed_mps: float | None
    feed: str
    age_s: float


def now(vessel_id: str, *, at: dt.datetime | None = None) -> dict[str, Any] | None:
    """The newest voted state of a ship as {at, latitude, longitude, depth_m, course_deg, speed_mps, feed, age_s}.

    None where no feed brought a fix in the last day. `at`: the server's time, where that is not now.
    """
    clock = at or timezone.now()
    least, most = positions.microseconds(clock - OLDEST), positions.microseconds(clock + AHEAD)
    newest: list[tuple[bool, int]] = []
    for feed in Feed.objects.filter(vessel=vessel_id, is_enabled=True)[: positions.MOST_FEEDS]:
        last = (
            Fix.objects.filter(feed=feed, at_us__range=(least, most)).order_by("-at_us").values_list("at_us", flat=True)
        )
        if (found := last.first()) is not None:
            newest.append((not feed.health.get("bad_since"), found))
    if not newest:
        return None
    moment = positions.moment_of(max(newest)[1])
    said = positions.at(vessel_id, moment)
    if said["nav_latitude"] is None:
        return None
    ship = Ship(
        moment,
        said["nav_latitude"],
        said["nav_longitude"],
        said["nav_depth_m"],
        said["nav_course_deg"],
        said["nav_speed_mps"],
        said["nav_feed"],
        round(max(0.0, (clock - moment).total_seconds()), 1),
    )
    return asdict(ship)
