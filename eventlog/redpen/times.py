"""Rules about time: in the future, outside the cruise, twice, and devices whose clock is wrong. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from eventlog import machines
from eventlog.redpen.finding import Finding, Row, clock, revise, span

# Clocks of tablets and server differ by this much without anybody being wrong.
SLACK = dt.timedelta(minutes=2)
# Ports keep their own days; the orders name dates, the log UTC.
AROUND = dt.timedelta(days=1)
# The same button pressed by two people for one thing.
TWICE = dt.timedelta(seconds=30)
# A clock that is off by more moves an event by 150 m at 10 knots.
CLOCK_OFF_S = 30.0
MOST_OUTSIDE = 20
# Words that say nothing of what happened: two of them are two things when their comments differ.
VAGUE = {"other", "sample", "service", "comment"}


def future(row: Row, now: dt.datetime) -> Iterator[Finding]:
    """An event that has not happened yet."""
    if row.at <= now + SLACK:
        return
    fixes = []
    if row.logged_at is not None and row.logged_at <= now:
        fixes.append(
            revise(row, f"It happened when it was typed, {clock(row.logged_at)}", observed_at=row.logged_at.isoformat())
        )
    ahead = span((row.at - now).total_seconds())
    yield Finding("future", "error", f"{row} lies {ahead} in the future.", [row.uuid], fixes=fixes)


def outside_cruise(row: Row, first: dt.date, last: dt.date) -> Iterator[Finding]:
    """An event before the ship left or after it was back, by the dates of the orders, a day of grace on each side."""
    begins = dt.datetime.combine(first, dt.time(), dt.UTC) - AROUND
    ends = dt.datetime.combine(last, dt.time(), dt.UTC) + 2 * AROUND
    if begins <= row.at < ends:
        return
    fixes = []
    if row.logged_at is not None and begins <= row.logged_at < ends:
        moved = row.at.replace(year=row.logged_at.year) if (row.at.month, row.at.day) != (2, 29) else row.logged_at
        for at, label in ((moved, "In the year it was typed"), (row.logged_at, "When it was typed")):
            if begins <= at < ends and abs(at - row.logged_at) < 30 * AROUND:
                fixes.append(revise(row, f"{label}: {clock(at)}", observed_at=at.isoformat()))
    sentence = f"{row} lies outside the cruise, {first} to {last}."
    yield Finding("outside-cruise", "warning", sentence, [row.uuid], fixes=fixes)


def together(found: Sequence[Finding], first: dt.date, last: dt.date) -> Iterator[Finding]:
    """Findings about single events outside the cruise; very many are one, since then the dates are wrong."""
    if len(found) <= MOST_OUTSIDE:
        yield from found
        return
    events = [event for finding in found for event in finding.events]
    sentence = f"{len(found):,} events lie outside the cruise, {first} to {last}. Are the dates of the orders right?"
    yield Finding("outside-cruise", "warning", sentence, events[:50], about="all")


def duplicates(rows: Sequence[Row]) -> Iterator[Finding]:
    """The same instrument and action within seconds; `rows` are in the order of their times."""
    latest: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = machines.key(row.instrument), machines.key(row.action)
        before = latest.get(key)
        latest[key] = row
        if before is not None and row.at - before.at <= TWICE and _same(before, row):
            yield twice(before, row)


def twice(before: Row, row: Row) -> Finding:
    """The finding about two events that may be one."""
    later = max(before, row, key=lambda one: (one.logged_at or one.at, one.number))
    who = f" by {before.author} and {row.author}" if before.author != row.author else ""
    apart = (row.at - before.at).total_seconds()
    sentence = f"{before} was logged twice{who}, {apart:.0f} s apart."
    fix = {"label": f"Strike {later.number}", "verb": "strike", "uuid": later.uuid, "seen": later.revision}
    return Finding("duplicate", "warning", sentence, [before.uuid, row.uuid], fixes=[fix])


def _same(one: Row, other: Row) -> bool:
    for name in ("cast", "station"):
        a, b = getattr(one, name), getattr(other, name)
        if a and b and a != b and name != "cast":
            return False
    if machines.key(one.action) in VAGUE or not one.action:
        return one.comment == other.comment
    reading = machines.read(one.instrument, one.action)
    if reading.step is None and one.comment != other.comment:
        return False
    return one.cast == other.cast or not (one.cast and other.cast) or one.operation != other.operation


def clocks(rows: Iterable[Row]) -> Iterator[Finding]:
    """Devices whose clock was far from the server's when events were logged on them."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.clock_offset_s is not None and abs(row.clock_offset_s) > CLOCK_OFF_S:
            found[row.device].append(row)
    for device, off in found.items():
        worst = max((row.clock_offset_s or 0.0 for row in off), key=abs)
        way = "ahead of" if worst > 0 else "behind"
        count = f"{len(off)} event{'s' * (len(off) > 1)}"
        name = device or "a device without a name"
        sentence = f"The clock of {name} ran {span(worst)} {way} the server's; {count} may be moved by that."
        yield Finding("clock", "warning", sentence, [row.uuid for row in off[:50]], about=device)
