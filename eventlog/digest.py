"""The hand-over of a watch: what was begun, ended and is open, where the ship was, what was said and is to be done."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from eventlog import naming, operations, redpen
from eventlog.models import Fix, Log, Operation
from eventlog.redpen.finding import Finding, clock, span

MOST_OPERATIONS, MOST_COMMENTS, MOST_FINDINGS = 200, 100, 50
# Steps of the track that are added up: short enough for a turn on station, long enough for the noise of a fix.
STEP_S = 60
# A gap this long is not bridged by a straight line: the ship may have been anywhere.
GAP_S = 1800
# Faster than any research ship: a wrong fix, which is passed over.
FASTEST_MPS = 25 * 1852 / 3600


@dataclass(slots=True)
class Digest:
    """What happened from `since` to `until`; distances in metres, None where there is no navigation."""

    since: dt.datetime
    until: dt.datetime
    begun: list[Operation] = field(default_factory=list)
    ended: list[Operation] = field(default_factory=list)
    open: list[dict[str, Any]] = field(default_factory=list)
    stations: list[dict[str, Any]] = field(default_factory=list)
    counts: list[tuple[str, int]] = field(default_factory=list)
    comments: list[Any] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    events: int = 0
    more_findings: int = 0
    distance_m: float | None = None

    @property
    def hours(self) -> float:
        """Length of the watch."""
        return (self.until - self.since).total_seconds() / 3600

    @property
    def nautical_miles(self) -> float | None:
        """The distance run."""
        return None if self.distance_m is None else self.distance_m / 1852


def digest(log: Log, since: dt.datetime, until: dt.datetime, *, names: bool = True) -> Digest:
    """What a watch hands over; `names`: whether people are named. Times are aware."""
    events = log.events.standing().filter(observed_at__gte=since, observed_at__lt=until)
    found = Digest(since, until, events=events.count())
    runs = log.operations.exclude(state=operations.STRUCK)
    found.begun = list(
        runs.filter(started_at__gte=since, started_at__lt=until).order_by("started_at")[:MOST_OPERATIONS]
    )
    found.ended = list(runs.filter(ended_at__gte=since, ended_at__lt=until).order_by("ended_at")[:MOST_OPERATIONS])
    found.open = operations.board(log, until)["open"]
    for row in found.open:
        row["began"] = dt.datetime.fromisoformat(row["started_at"]) if row["started_at"] else None
    rows = events.exclude(station="").in_order().values_list("station", "observed_at")
    stations: dict[str, dict[str, Any]] = {}
    for station, at in rows:
        visit = stations.setdefault(station, {"name": station, "first": at, "last": at, "events": 0})
        visit["last"], visit["events"] = at, visit["events"] + 1
    found.stations = list(stations.values())
    found.counts = Counter(events.values_list("instrument", flat=True)).most_common()
    said = events.exclude(comment="").in_order()
    found.comments = list(said[:MOST_COMMENTS])
    if names:
        found.people = sorted(set(events.exclude(author_name="").values_list("author_name", flat=True)))
    concerned = {str(uuid) for uuid in events.values_list("uuid", flat=True)}
    open_now = {row["uuid"] for row in found.open}
    marked = [
        finding
        for finding in redpen.look(log, now=until)
        if concerned.intersection(finding.events) or open_now.intersection(finding.operations)
    ]
    found.findings, found.more_findings = marked[:MOST_FINDINGS], max(0, len(marked) - MOST_FINDINGS)
    found.distance_m = distance(log.cruise.vessel_id, since, until)
    return found


def distance(vessel_id: str, since: dt.datetime, until: dt.datetime) -> float | None:
    """Metres that the ship ran, by the fixes of its best ranked feed, one a minute; None without navigation."""
    span_us = [round(at.timestamp() * 1_000_000) for at in (since, until)]
    fixes = Fix.objects.filter(feed__vessel=vessel_id, at_us__gte=span_us[0], at_us__lt=span_us[1])
    feed = fixes.order_by("feed__rank", "feed_id").values_list("feed_id", flat=True).first()
    if feed is None:
        return None
    total, before = 0.0, None
    rows = fixes.filter(feed=feed).order_by("at_us").values_list("at_us", "latitude_e7", "longitude_e7")
    for at_us, latitude, longitude in rows.iterator(chunk_size=5000):
        here = at_us / 1e6, (latitude / 1e7, longitude / 1e7)
        if before is None:
            before = here
            continue
        seconds = here[0] - before[0]
        if seconds < STEP_S:
            continue
        metres = naming.metres(before[1], here[1])
        if seconds <= GAP_S and metres <= FASTEST_MPS * seconds:
            total += metres
        before = here
    return total


def as_text(log: Log, found: Digest) -> str:
    """The digest as plain text, for a mail or the notice board."""
    lines = [
        f"Watch hand-over, {log.cruise} on {log.cruise.vessel}",
        f"{clock(found.since)} to {clock(found.until)}",
        "",
        f"{found.events} events" + (f" by {', '.join(found.people)}" if found.people else ""),
    ]
    if found.distance_m is not None:
        lines.append(f"{found.distance_m / 1852:,.1f} nm run")
    lines += _part("Still open", [_open(row) for row in found.open])
    lines += _part("Begun", [_line(run, run.started_at) for run in found.begun])
    lines += _part("Ended", [_line(run, run.ended_at) for run in found.ended])
    lines += _part(
        "Stations", [f"{s['name']}, {clock(s['first'])[11:19]} to {clock(s['last'])[11:19]}" for s in found.stations]
    )
    lines += _part("Events by instrument", [f"{count:4d}  {name}" for name, count in found.counts])
    lines += _part("To be looked at", [finding.sentence for finding in found.findings])
    if found.more_findings:
        lines.append(f"  and {found.more_findings} more")
    notes = [
        f"{clock(e.observed_at)[11:19]} {e.instrument} {e.action}: {' '.join(e.comment.split())}"
        for e in found.comments
    ]
    lines += _part("Comments", notes)
    return "\n".join(lines) + "\n"


def _part(title: str, rows: list[str]) -> list[str]:
    return ["", title, *(f"  {row}" for row in rows)] if rows else []


def _open(row: dict[str, Any]) -> str:
    at = f" at {row['station']}" if row["station"] else ""
    ask = "; has it ended?" if row["asks"] else ""
    return f"{row['instrument']} {row['cast']}".strip() + f"{at}, {row['state']} for {span(row['in_state_s'])}{ask}"


def _line(run: Operation, at: dt.datetime | None) -> str:
    where = f" at {run.station}" if run.station else ""
    return f"{clock(at)[11:19] if at else ''} {run}{where}, {run.state}"


def between(log: Log, now: dt.datetime, hours: float) -> tuple[dt.datetime, dt.datetime]:
    """The last `hours` of a log: up to now, or up to its last event once it is closed."""
    until = now
    if log.state == "closed":
        last = log.events.standing().filter(Q(observed_at__lte=now)).order_by("-observed_at").first()
        until = last.observed_at + dt.timedelta(seconds=1) if last else log.closed_at or now
    return until - dt.timedelta(hours=hours), until
