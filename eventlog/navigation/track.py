"""The track of a ship as points in equal steps of time, and as lines for a map; and what each feed last said."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from eventlog.models import Feed, Fix, Log
from eventlog.navigation import positions
from portal.refusals import Fault, NotLikeThis

MOST_POINTS: Final = 10_000
USUAL_POINTS: Final = 2000
LINE_GAP_S: Final = 900.0  # a line on the map is broken where fixes lie further apart
MARGIN: Final = dt.timedelta(days=1)
Window = tuple[dt.datetime, dt.datetime]


def window(log: Log, now: dt.datetime) -> Window:
    """When a cruise may ask where its ship was: its days and those of its log, and a day more on each side."""
    cruise = log.cruise
    begins = dt.datetime.combine(cruise.depart_date, dt.time(), dt.UTC)
    ends = dt.datetime.combine(cruise.arrive_date, dt.time.max, dt.UTC)
    until = now if log.state == "open" else log.closed_at or ends
    return min(begins, log.opened_at or begins) - MARGIN, max(ends, until) + MARGIN


def points(
    vessel_id: str, after: dt.datetime, before: dt.datetime, every_s: float | None = None
) -> list[dict[str, Any]]:
    """Where the ship was every so many seconds, as `positions.many`, each with its `time`; those without are left out.

    Without `every_s` about USUAL_POINTS in all, no closer than a second. Raises NotLikeThis for a span that is turned
    round, or more than MOST_POINTS.
    """
    span = (before - after).total_seconds()
    if span < 0:
        raise NotLikeThis("The period is turned round.", [Fault("before", "lies before `after`")])
    step = max(1.0, span / USUAL_POINTS) if every_s is None else every_s
    if step <= 0 or span / step >= MOST_POINTS:
        least = span / (MOST_POINTS - 1)
        raise NotLikeThis("The track would be too long.", [Fault("every", f"ask for steps of at least {least:.1f} s")])
    moments = [after + dt.timedelta(seconds=step * number) for number in range(int(span / step) + 1)]
    said = positions.many(vessel_id, moments)
    return [{"time": at, **here} for at, here in zip(moments, said, strict=True) if here["nav_latitude"] is not None]


def lines(track: list[dict[str, Any]], step_s: float) -> list[list[tuple[float, float]]]:
    """Lines of (degrees east, degrees north), broken at gaps and cut at the date line (RFC 7946, section 3.1.9)."""
    found: list[list[tuple[float, float]]] = []
    last: dict[str, Any] | None = None
    for point in track:
        here = (point["nav_longitude"], point["nav_latitude"])
        gap = last is None or (point["time"] - last["time"]).total_seconds() > max(LINE_GAP_S, 1.5 * step_s)
        if gap or last is None:
            found.append([here])
        else:
            there = found[-1][-1]
            if abs(here[0] - there[0]) > 180:
                side = 180.0 if there[0] > 0 else -180.0
                way = here[0] + 2 * side - there[0]
                north = there[1] + (here[1] - there[1]) * (side - there[0]) / way if way else here[1]
                found[-1].append((side, north))
                found.append([(-side, north), here])
            else:
                found[-1].append(here)
        last = point
    return [line for line in found if len(line) > 1]


def feeds(vessel_id: str, now: dt.datetime) -> list[dict[str, Any]]:
    """Each feed of a vessel with its last fix and how old that is, and what the watch found."""
    found = []
    for feed in Feed.objects.filter(vessel=vessel_id).order_by("rank", "name"):
        last = Fix.objects.filter(feed=feed).order_by("-at_us").first()
        at = positions.moment_of(last.at_us) if last else None
        counts = feed.health.get("counts", {})
        found.append(
            {
                "name": feed.name,
                "kind": feed.kind,
                "kind_words": feed.get_kind_display(),
                "address": feed.address,
                "rank": feed.rank,
                "is_enabled": feed.is_enabled,
                "level": feed.health.get("level", "new") if feed.is_enabled else "disabled",
                "words": feed.health.get("words", []),
                "checked_at": feed.health.get("checked_at"),
                "heard_at": feed.last_at,
                "clock_offset_s": feed.clock_offset_s,
                "last_fix": {
                    "at": at,
                    "latitude": last.latitude_e7 / 1e7,
                    "longitude": last.longitude_e7 / 1e7,
                    "quality": last.quality,
                    "age_s": round(max(0.0, (now - at).total_seconds()), 1),
                }
                if last and at
                else None,
                "lines": counts.get("lines", 0),
                "refused": counts.get("refused", {}),
                "last_refused": feed.health.get("last_refused"),
            }
        )
    return found
