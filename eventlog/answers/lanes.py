"""The answer as a time line: a lane for each instrument, operations as bars, events as ticks, or counts when many."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Min
from django.db.models.functions import Trunc

from eventlog.models import Log, Operation

MOST_TICKS, MOST_BARS, MOST_LANES = 2500, 2000, 60
# The counts are made by the hour or the day, whichever gives a lane fewer than this.
MOST_BINS = 400
BINS = {"minute": dt.timedelta(minutes=1), "hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1)}


@dataclass(slots=True)
class Lane:
    """One instrument: `ticks` are (time, event), `bins` are (time, how many), `bars` are operations."""

    name: str
    count: int
    first: dt.datetime
    last: dt.datetime
    ticks: list[dict[str, Any]] = field(default_factory=list)
    bins: list[tuple[dt.datetime, int]] = field(default_factory=list)
    bars: list[Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lanes:
    """All lanes, in the order of their first event; `bin` is the width of a count, None where each event is told."""

    lanes: list[Lane]
    first: dt.datetime | None
    last: dt.datetime | None
    bin: dt.timedelta | None
    left_out: int


def lanes(found: Any, log: Log) -> Lanes:
    """The lanes of what was found. At most 60 instruments; `left_out` says how many events others have."""
    found = found.order_by()
    rows = found.values("instrument").annotate(n=Count("pk"), begins=Min("observed_at"), ends=Max("observed_at"))
    every = [Lane(row["instrument"], row["n"], row["begins"], row["ends"]) for row in rows]
    kept = sorted(sorted(every, key=lambda lane: -lane.count)[:MOST_LANES], key=lambda lane: (lane.first, lane.name))
    by_name = {lane.name: lane for lane in kept}
    if not kept:
        return Lanes([], None, None, None, 0)
    first, last = min(lane.first for lane in kept), max(lane.last for lane in kept)
    total = sum(lane.count for lane in kept)
    width = None
    if total <= MOST_TICKS:
        _ticks(found, by_name)
    else:
        width = _bins(found, by_name, first, last)
    last = max([last, *_bars(found, log, by_name)])
    return Lanes(kept, first, last, width, sum(lane.count for lane in every) - total)


def _ticks(found: Any, by_name: dict[str, Lane]) -> None:
    names = ("uuid", "observed_at", "ended_at", "instrument", "action", "station", "cast", "struck_at", "number")
    for row in found.order_by("observed_at", "number").values(*names):
        if lane := by_name.get(row["instrument"]):
            lane.ticks.append(row)


def _bins(found: Any, by_name: dict[str, Lane], first: dt.datetime, last: dt.datetime) -> dt.timedelta:
    unit = next((name for name, width in BINS.items() if (last - first) / width <= MOST_BINS), "day")
    binned = found.annotate(bin=Trunc("observed_at", unit, tzinfo=dt.UTC)).values("instrument", "bin")
    for row in binned.annotate(n=Count("pk")).order_by("instrument", "bin"):
        if lane := by_name.get(row["instrument"]):
            lane.bins.append((row["bin"], row["n"]))
    return BINS[unit]


def _bars(found: Any, log: Log, by_name: dict[str, Lane]) -> list[dt.datetime]:
    """Puts the operations into their lanes; says when they end."""
    if not Operation.objects.filter(log=log).exists():
        return []
    operations = Operation.objects.filter(
        pk__in=found.values("operation"), instrument__in=by_name, started_at__isnull=False
    ).order_by("started_at")[:MOST_BARS]
    ends = []
    for operation in operations:
        by_name[operation.instrument].bars.append(operation)
        ends += [operation.ended_at] if operation.ended_at else []
    return ends
