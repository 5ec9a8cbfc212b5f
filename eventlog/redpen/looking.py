"""Looks a whole log over: reads its events once and holds the rules against them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import timezone

from eventlog import asked, gazetteer, machines, vocabulary
from eventlog.models import Log
from eventlog.operations.following import STRUCK, classes_of
from eventlog.redpen import pairs, samples, times, track, words
from eventlog.redpen.dismissing import dismissed
from eventlog.redpen.finding import SEVERITIES, Finding, Row, Run
from portal.refusals import NotFound

COLUMNS = (
    "uuid",
    "number",
    "observed_at",
    "instrument",
    "action",
    "station",
    "cast",
    "latitude",
    "longitude",
    "nav_latitude",
    "nav_longitude",
    "nav_uncertainty_m",
    "logged_at",
    "operation_id",
    "author_name",
    "device",
    "clock_offset_s",
    "comment",
    "revision",
)
RUN = ("uuid", "pk", "kind", "instrument", "cast", "station", "state", "started_at", "ended_at", "is_open")
SHOWN = 50


def look(
    log: Log, *, now: dt.datetime | None = None, closing: bool = False, all_of_them: bool = False
) -> list[Finding]:
    """What is still to be looked at in a log, the gravest first; within that by code and time.

    Findings that were dismissed are left out, unless `all_of_them`. `closing` names also what runs by design. A log of
    100,000 events takes a few seconds.
    """
    now = now or log.closed_at or timezone.now()
    rows = rows_of(log.events.standing())
    runs = runs_of(log, rows)
    found = [*_by_event(log, rows, now), *_by_operation(log, runs, now, closing)]
    found += [*track.jumps(rows), *track.missing(rows), *times.duplicates(rows), *times.clocks(rows)]
    found += [*_words(log, rows), *_places(log), *_answers(log, rows, runs)]
    if not all_of_them:
        hidden = dismissed(log)
        found = [finding for finding in found if finding.key not in hidden]
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))


def finding_of(log: Log, key: str) -> Finding:
    """The finding of this key, as it stands now. Raises NotFound when it is gone: somebody may have fixed it."""
    for closing in (False, True):
        for finding in look(log, closing=closing, all_of_them=True):
            if finding.key == key:
                return finding
    raise NotFound("There is no such finding any more; it may have been fixed meanwhile.")


def unfinished(log: Log, *, now: dt.datetime | None = None) -> list[Finding]:
    """What a log that is to be closed has begun and not ended: quick, since it looks at open operations alone."""
    operations = log.operations.filter(is_open=True)
    rows = rows_of(log.events.standing().filter(operation__in=operations))
    runs = runs_of(log, rows, only_open=True)
    hidden = dismissed(log)
    found = pairs.open_ended(runs, now or timezone.now(), closing=True)
    return [finding for finding in found if finding.key not in hidden]


def rows_of(events: Any) -> list[Row]:
    """The rows of a QuerySet of events, in the order of their times."""
    return [Row(str(uuid), *rest) for uuid, *rest in events.in_order().values_list(*COLUMNS)]


def runs_of(log: Log, rows: Iterable[Row], *, only_open: bool = False) -> list[Run]:
    """The operations of a log with their rows, in the order of their beginnings."""
    operations = log.operations.exclude(state=STRUCK)
    if only_open:
        operations = operations.filter(is_open=True)
    runs = {values[1]: Run(str(values[0]), *values[1:]) for values in operations.values_list(*RUN)}
    for row in rows:
        if row.operation in runs:
            runs[row.operation].rows.append(row)
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted((run for run in runs.values() if run.rows), key=lambda run: (run.begin or never, run.pk))


def _by_event(log: Log, rows: Iterable[Row], now: dt.datetime) -> Iterator[Finding]:
    first, last = log.cruise.depart_date, log.cruise.arrive_date
    outside: list[Finding] = []
    for row in rows:
        yield from times.future(row, now)
        outside += times.outside_cruise(row, first, last)
        yield from track.far_from_navigation(row)
    yield from times.together(outside, first, last)


def _by_operation(log: Log, runs: list[Run], now: dt.datetime, closing: bool) -> Iterator[Finding]:
    classes = classes_of(log)
    yield from pairs.open_ended(runs, now, closing=closing)
    yield from pairs.no_beginning(runs)
    yield from pairs.casts(runs)
    for run in runs:
        yield from pairs.outside_operation(run, classes.get(run.instrument, ""))


def _words(log: Log, rows: Iterable[Row]) -> Iterator[Finding]:
    pairs_said: set[tuple[str, str]] = set()
    uses: dict[str, dict[str, list[str]]] = {"instrument": defaultdict(list), "action": defaultdict(list)}
    for row in rows:
        uses["instrument"][row.instrument].append(row.uuid)
        if row.action:
            uses["action"][row.action].append(row.uuid)
            pairs_said.add((row.instrument, row.action))
    understood = {action for instrument, action in pairs_said if machines.read(instrument, action).step is not None}
    for kind, said in uses.items():
        known = vocabulary.known(log, kind)
        yield from words.unknown(kind, said, known, understood if kind == "action" else set())
        yield from words.spellings(kind, said, known)


def _places(log: Log) -> Iterator[Finding]:
    for kind in ("station", "transect"):
        for lesser, better, likeness in gazetteer.duplicates(log, kind):
            fixes = [
                {
                    "label": f"{one.name} is {other.name}",
                    "verb": "merge",
                    "place": str(one.uuid),
                    "into": str(other.uuid),
                }
                for one, other in ((lesser, better), (better, lesser))
            ]
            sentence = f"The {kind}s {lesser.name} and {better.name} may be one: {lesser.name} {likeness.why}."
            about = " ".join(sorted((str(lesser.uuid), str(better.uuid))))
            yield Finding(f"near-{kind}", "warning", sentence, fixes=fixes, about=about)


def _answers(log: Log, rows: list[Row], runs: list[Run]) -> Iterator[Finding]:
    """Sample numbers, and what buttons ask for and was not said; aborted operations are left alone."""
    given_up = {run.pk for run in runs if run.aborted}
    by_id = {row.uuid: row for row in rows if row.operation not in given_up}
    extras = {
        str(uuid): extra
        for uuid, extra in log.events.standing().exclude(extra={}).values_list("uuid", "extra")
        if isinstance(extra, dict)
    }
    yield from samples.overlaps((by_id[uuid], extra) for uuid, extra in extras.items() if uuid in by_id)
    templates = {(t.instrument, t.action): t.fields for t in log.templates.exclude(fields=[])}
    for row in by_id.values() if templates else ():
        if fields := templates.get((row.instrument, row.action)):
            for fault in asked.lacking(fields, extras.get(row.uuid, {})):
                yield Finding(
                    "not-answered", "hint", f"{row}: {fault.what}.", [row.uuid], about=f"{row.uuid} {fault.where}"
                )
    deep = [
        row
        for row in by_id.values()
        if machines.class_of(row.instrument) == "ctd" and machines.key(row.action) == "deploy"
    ]
    if deep:
        dry = set(
            map(
                str,
                log.events.standing()
                .filter(uuid__in=[row.uuid for row in deep][:5000], seafloor_m=None, nav_depth_m=None)
                .values_list("uuid", flat=True),
            )
        )
        if dry:
            count = f"{len(dry)} CTD cast{'s have' if len(dry) > 1 else ' has'}"
            yield Finding("no-depth", "hint", f"{count} no water depth.", sorted(dry)[:SHOWN], about="all")
