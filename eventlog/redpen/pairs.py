"""Rules about operations: what was begun and not ended, ended and not begun; and the numbers of casts. Pure.

An aborted operation is left alone.
"""

from __future__ import annotations

import bisect
import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from eventlog import machines
from eventlog.redpen.finding import Finding, Row, Run, clock, revise, span

GRACE = dt.timedelta(minutes=15)
MOST_GAPS = 20
_NUMBER = re.compile(r"([^0-9]{0,20})([0-9]{1,9})", re.ASCII)


def open_ended(runs: Sequence[Run], now: dt.datetime, *, closing: bool = False) -> Iterator[Finding]:
    """Operations that run although the next one of the instrument began, or for longer than they should.

    `closing`: the log is to be closed, so that whatever still runs is named.
    """
    later: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in sorted((run for run in runs if run.started_at), key=lambda run: run.started_at or now):
        later[run.instrument, run.kind].append(run)
    for run in runs:
        machine = machines.MACHINES.get(run.kind)
        if not run.is_open or machine is None or run.begin is None:
            continue
        begin = run.begin
        mine = later[run.instrument, run.kind]
        here = bisect.bisect_right(mine, begin, key=lambda other: other.started_at or begin)
        after = mine[here] if here < len(mine) else None
        last = max((row.at for row in run.rows), default=begin)
        expected = machine.expected.get(run.state)
        if after is not None:
            sentence = f"{run}, begun {clock(begin)}, has no end, and the next one began {clock(after.begin or begin)}."
        elif run.state in machine.resting:
            continue
        elif expected is not None and now - last > expected:
            sentence = f"{run} is {run.state} since {clock(last)}, {span((now - last).total_seconds())}. Has it ended?"
        elif closing:
            sentence = f"{run}, begun {clock(begin)}, still runs."
        else:
            continue
        # What runs under names of its own, as incubations do, may overlap by design.
        beside = after is not None and run.kind == "run" and run.cast != after.cast
        fixes = _ends(run, machine, after.begin if after else None)
        severity = "hint" if beside and not closing else "warning"
        yield Finding("no-end", severity, sentence, [run.rows[0].uuid], [run.uuid], fixes)


def _ends(run: Run, machine: machines.Machine, after: dt.datetime | None) -> list[dict[str, Any]]:
    """The ends that can be logged; when they happened, a person must say."""
    fixes = []
    for step in machine.next(run.state):
        if step.closes:
            fields = {"instrument": run.rows[0].instrument, "action": step.action, "operation": run.uuid}
            fields |= {"station": run.station if machine.on_station else "", "cast": run.cast}
            before = {"before": after.isoformat()} if after else {}
            fix = {"label": f"Log {step.action}", "verb": "record", "fields": fields, "asks": ["observed_at"]}
            fixes.append(fix | before)
    return fixes


def no_beginning(runs: Sequence[Run]) -> Iterator[Finding]:
    """Operations of which only the end, or the middle, is in the log."""
    for run in runs:
        machine = machines.MACHINES.get(run.kind)
        if run.started_at is not None or run.aborted or machine is None or not run.rows:
            continue
        wanted = "deploy" if run.state == "recovered" else ""
        begins = [step for step in machine.steps if step.opens]
        opens = next((step for step in begins if step.action == wanted), begins[0] if begins else None)
        if opens is None or run.state not in machine.states:
            continue
        row = run.rows[0]
        fields = {"instrument": row.instrument, "action": opens.action, "operation": run.uuid, "cast": run.cast}
        fields["station"] = run.station if machine.on_station else ""
        fix = {"label": f"Log {opens.action}", "verb": "record", "fields": fields, "asks": ["observed_at"]}
        yield Finding("no-start", "warning", f"{row} has no beginning before it.", [row.uuid], [run.uuid], [fix])


def outside_operation(run: Run, device_class: str = "") -> Iterator[Finding]:
    """Events of an operation that lie before its beginning or after its end."""
    if run.aborted or len(run.rows) < 2:
        return
    for row in run.rows:
        early = run.started_at is not None and row.at < run.started_at
        late = not run.is_open and run.ended_at is not None and row.at > run.ended_at + GRACE
        if early or late:
            side = "before the beginning" if early else "after the end"
            step = machines.read(row.instrument, row.action, device_class).step
            ends = early and step is not None and step.closes
            sentence = f"{row} lies {side} of {run}, to which it belongs."
            fix = revise(row, f"It does not belong to {run}", operation=None)
            code, severity = ("end-before-start", "error") if ends else ("outside-operation", "warning")
            yield Finding(code, severity, sentence, [row.uuid], [run.uuid], [fix])


def casts(runs: Sequence[Run]) -> Iterator[Finding]:
    """Numbers that two casts of an instrument share, that are left out, or on which the events of a cast differ."""
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        machine = machines.MACHINES.get(run.kind)
        if machine is None or not machine.counts:
            continue
        yield from _differing(run)
        if run.cast and not run.aborted:
            groups[run.kind, run.instrument].append(run)
    for (_, instrument), mine in groups.items():
        yield from _shared(mine)
        yield from _left_out(instrument, mine)


def _differing(run: Run) -> Iterator[Finding]:
    said = Counter(row.cast for row in run.rows if row.cast)
    if len(said) > 1:
        words = " and ".join(sorted(said))
        fixes = [
            {"label": f"All are {cast}", "verb": "recast", "operation": run.uuid, "cast": cast} for cast in sorted(said)
        ]
        sentence = f"The events of {run} call it {words}."
        yield Finding("cast-differs", "warning", sentence, [r.uuid for r in run.rows if r.cast], [run.uuid], fixes)


def _number(cast: str) -> tuple[str, int] | None:
    found = _NUMBER.fullmatch(cast.strip())
    return (found[1], int(found[2])) if found else None


def _shared(runs: Sequence[Run]) -> Iterator[Finding]:
    seen: dict[tuple[str, int] | str, Run] = {}
    taken = [run.cast for run in runs]
    for run in runs:
        key = _number(run.cast) or run.cast
        first = seen.setdefault(key, run)
        if first is not run and run.rows and first.rows:
            free = machines.next_cast(run.cast, taken)
            fix = {"label": f"The later one is {free}", "verb": "recast", "operation": run.uuid, "cast": free}
            sentence = f"Two casts are called {run}: {clock(first.rows[0].at)} and {clock(run.rows[0].at)}."
            about = [first.rows[0].uuid, run.rows[0].uuid]
            yield Finding("cast-twice", "warning", sentence, about, [first.uuid, run.uuid], [fix])


def _left_out(instrument: str, runs: Sequence[Run]) -> Iterator[Finding]:
    numbers: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        if found := _number(run.cast):
            numbers[found[0]].add(found[1])
    for prefix, known in numbers.items():
        top = max(known)
        if top - min(known) >= 2 * len(known):
            continue  # no count of casts, but a number with a meaning of its own, as that of the station
        gaps = [n for n in range(min(known), top) if n not in known]
        if gaps:
            words = ", ".join(f"{prefix}{n:03d}" for n in gaps[:MOST_GAPS]) + (" …" if len(gaps) > MOST_GAPS else "")
            sentence = f"Casts of {instrument} skip {words}."
            yield Finding("cast-gap", "hint", sentence, about=f"{instrument} {words}")


def second_start(running: Run, row: Row) -> Finding:
    """A beginning that is typed while the last operation still runs."""
    machine = machines.MACHINES[running.kind]
    sentence = f"{running} is still {running.state}. This begins another one; log the end of the first as well."
    return Finding("no-end", "warning", sentence, (), [running.uuid], _ends(running, machine, row.at))
