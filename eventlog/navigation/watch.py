"""The watch over a vessel's feeds: age, clocks, dates, leaps, standstill, and the vote; written into their health."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
from django.db import transaction

from eventlog.models import Feed, Fix
from eventlog.navigation import geodesy, positions, voting
from eventlog.navigation.geodesy import Floats
from eventlog.navigation.voting import Finding

LIVE: Final = ("udp", "tcp", "api")
NEWEST: Final = 900  # fixes of a feed that are looked at
_US = 1_000_000


def look(vessel_id: str, now: dt.datetime) -> dict[str, Finding]:
    """Judges every feed of a vessel and writes down what was found; returns the findings by the feeds' names."""
    feeds = list(Feed.objects.filter(vessel=vessel_id).order_by("rank", "name"))
    live = {feed.name for feed in feeds if feed.kind in LIVE or (feed.kind == "file" and feed.address)}
    findings = voting.clocks({feed.name: feed.health.get("evidence", {}) for feed in feeds}, live)
    tracks = {feed.name: _newest(feed) for feed in feeds if feed.is_enabled}
    for feed in feeds:
        found = findings[feed.name]
        voting.lines(found, feed.health.get("counts", {}))
        if trouble := feed.health.get("trouble"):
            found.say(voting.SILENT, str(trouble))
        if feed.name in live and feed.is_enabled:
            voting.age(found, None if feed.last_at is None else (now - feed.last_at).total_seconds())
        elif not feed.health.get("counts"):
            voting.age(found, None)
        if (track := tracks.get(feed.name)) is not None:
            others = {name: other for name, other in tracks.items() if other is not None and name != feed.name}
            voting.track(found, *track, _moved(track, others))
    _vote(feeds, tracks, findings)
    _write(feeds, findings, now)
    return findings


def _newest(feed: Feed) -> tuple[Floats, Floats, Floats] | None:
    """Seconds since 1970, degrees north and east of the newest fixes of a feed, in the order of time."""
    rows = list(
        Fix.objects.filter(feed=feed).order_by("-at_us").values_list("at_us", "latitude_e7", "longitude_e7")[:NEWEST]
    )
    if not rows:
        return None
    at, north, east = np.array(rows[::-1], dtype=float).T
    return at / _US, north / 1e7, east / 1e7


def _moved(track: tuple[Floats, Floats, Floats], others: dict[str, tuple[Floats, Floats, Floats]]) -> float | None:
    """How far other feeds say that the ship went while this one stood still; None where none can say."""
    until = track[0][-1]
    since = until - voting.frozen_for(*track)
    found = []
    for seconds, north, east in others.values():
        inside = np.flatnonzero((seconds >= since) & (seconds <= until))
        if len(inside) >= 2:
            first, last = inside[[0]], inside[[-1]]
            found.append(float(geodesy.distance(north[first], east[first], north[last], east[last])[0]))
    return float(np.median(found)) if found else None


def _vote(
    feeds: list[Feed], tracks: dict[str, tuple[Floats, Floats, Floats] | None], findings: dict[str, Finding]
) -> None:
    """Compares the feeds where the newest of them were heard together."""
    voters = [feed for feed in feeds if tracks.get(feed.name) is not None][: positions.MOST_FEEDS]
    ends = {feed.name: track[0][-1] for feed in voters if (track := tracks[feed.name])}
    if len(ends) < 3:
        return
    times = np.array(sorted({int(end * _US) for end in ends.values()}), dtype=np.int64)
    answers = positions.answered(voters, times)
    out = positions.outvoted(answers)
    for place, feed in enumerate(voters):
        if not out[place].any():
            continue
        at = int(np.flatnonzero(out[place])[-1])
        fair = [n for n in range(len(voters)) if n != place and not out[n][at] and answers[n].method[at] >= 0]
        if len(fair) < 2:
            continue
        away = geodesy.distance(
            answers[place].latitude[[at]],
            answers[place].longitude[[at]],
            answers[fair[0]].latitude[[at]],
            answers[fair[0]].longitude[[at]],
        )
        voting.apart(findings[feed.name], float(away[0]), [voters[n].name for n in fair])


@transaction.atomic
def _write(feeds: list[Feed], findings: dict[str, Finding], now: dt.datetime) -> None:
    for feed in Feed.objects.select_for_update().filter(pk__in=[feed.pk for feed in feeds]).order_by("pk"):
        found = findings[feed.name]
        health = dict(feed.health) | {"level": found.level, "words": found.words, "checked_at": now.isoformat()}
        if found.doubted:
            health.setdefault("bad_since", now.isoformat())
        else:
            health.pop("bad_since", None)
        feed.health, feed.clock_offset_s = health, found.clock_offset_s
        feed.save(update_fields=["health", "clock_offset_s"])
