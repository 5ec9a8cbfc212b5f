"""Looks at one event while it is being typed: quick, since it reads only what lies around it."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone

from eventlog import asked, gazetteer, machines, vocabulary
from eventlog.models import Log
from eventlog.navigation import positions
from eventlog.operations.following import classes_of
from eventlog.operations.joining import candidates
from eventlog.redpen import pairs, samples, times, track
from eventlog.redpen.finding import SEVERITIES, Finding, Row, Run, clock
from eventlog.redpen.looking import RUN, rows_of

MOST_SAMPLES = 5000
NEW = "new"


def while_typing(
    log: Log, fields: Mapping[str, Any], *, now: dt.datetime | None = None, uuid: uuids.UUID | None = None
) -> list[Finding]:
    """What the red pen says of an event with these fields, which need not be complete; nothing is refused here.

    `fields` are those of `logbook.FIELDS`, times aware; `uuid` is that of an event that is being changed. Fixes with
    the verb "set" hold {field: value} for the form.
    """
    now = now or timezone.now()
    at = fields.get("observed_at") or now
    row = _row(log, fields, at, now, uuid)
    others = log.events.standing().exclude(uuid=uuid) if uuid else log.events.standing()
    found = [
        *times.future(row, now),
        *times.outside_cruise(row, log.cruise.depart_date, log.cruise.arrive_date),
        *_words(log, row),
        *_stations(log, row, fields),
        *_around(others, row),
        *_operation(log, row),
        *_asked(log, others, row, fields),
        *track.far_from_navigation(row),
    ]
    for finding in found:
        finding.events = [event for event in finding.events if event != NEW]
        finding.fixes = [_for_form(fix) for fix in finding.fixes if fix.get("uuid") in (None, row.uuid)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _row(log: Log, fields: Mapping[str, Any], at: dt.datetime, now: dt.datetime, uuid: uuids.UUID | None) -> Row:
    derived = positions.at(log.cruise.vessel_id, at)
    return Row(
        uuid=str(uuid) if uuid else NEW,
        number="",
        at=at,
        instrument=_text(fields, "instrument"),
        action=_text(fields, "action"),
        station=_text(fields, "station"),
        cast=_text(fields, "cast"),
        comment=_text(fields, "comment"),
        latitude=fields.get("latitude"),
        longitude=fields.get("longitude"),
        nav_latitude=derived["nav_latitude"],
        nav_longitude=derived["nav_longitude"],
        nav_uncertainty_m=derived["nav_uncertainty_m"],
        logged_at=now,
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    return str(fields.get(name) or "").strip()


def _for_form(fix: dict[str, Any]) -> dict[str, Any]:
    if fix["verb"] == "revise":
        return {"label": fix["label"], "verb": "set", "fields": fix["fields"]}
    return fix


def _set(label: str, **fields: Any) -> dict[str, Any]:
    return {"label": label, "verb": "set", "fields": fields}


def _words(log: Log, row: Row) -> Iterator[Finding]:
    for kind in ("instrument", "action"):
        word = getattr(row, kind)
        if not word:
            continue
        known = vocabulary.known(log, kind)
        if known.get(word) == word:
            continue
        near = vocabulary.nearest(known, word, 3)
        fixes = [_set(f"It is {one['name']}", **{kind: one["name"]}) for one in near]
        if word not in known and not any(one["score"] >= 0.9 for one in near):
            fixes.append({"label": f"Propose {word}", "verb": "propose", "kind": kind, "name": word})
        mean = f" Did you mean {near[0]['name']}?" if near else " It can be proposed and used at once."
        yield Finding(f"unknown-{kind}", "hint", f"{word[:80]} is no known {kind}.{mean}", [row.uuid], fixes=fixes)


def _stations(log: Log, row: Row, fields: Mapping[str, Any]) -> Iterator[Finding]:
    for kind in ("station", "transect"):
        name = str(fields.get(kind) or "").strip()
        if not name or log.places.filter(kind=kind, name=name, merged_into=None).exists():
            continue
        where = row.place if kind == "station" else None
        near = [one for one in gazetteer.near(log, name, where, kind, 3) if one["score"] >= 0.5]
        if near:
            fixes = [_set(f"It is {one['name']}", **{kind: one["name"]}) for one in near]
            sentence = f"{name} is new. {near[0]['name']} {near[0]['why']}."
            yield Finding(f"near-{kind}", "warning", sentence, [row.uuid], fixes=fixes)


def _around(others: Any, row: Row) -> Iterator[Finding]:
    """The events before and after: a jump of the ship, or the same thing logged already."""
    placed = others.with_place().filter(best_latitude__isnull=False)
    before = placed.filter(observed_at__lte=row.at).order_by("-observed_at", "-number")[:1]
    after = placed.filter(observed_at__gt=row.at).order_by("observed_at", "number")[:1]
    neighbours = [rows_of(log_events) for log_events in (_those(others, before), _those(others, after))]
    for one in (neighbour for rows in neighbours for neighbour in rows):
        first, second = sorted((one, row), key=lambda r: r.at)
        if track.too_fast(first, second):
            yield track.jump(first, second, row)
            break
    close = others.filter(observed_at__range=(row.at - times.TWICE, row.at + times.TWICE))
    for one in rows_of(close)[:50]:
        same = machines.key(one.instrument) == machines.key(row.instrument)
        if same and machines.key(one.action) == machines.key(row.action) and row.action:
            found = times.twice(*sorted((one, row), key=lambda r: r.at))
            found.sentence = f"{one} was logged by {one.author} already."
            yield found
            break


def _those(others: Any, found: Any) -> Any:
    return others.filter(pk__in=list(found.values_list("pk", flat=True)))


def _operation(log: Log, row: Row) -> Iterator[Finding]:
    """What the event does to its operation."""
    if not row.instrument or not row.action:
        return
    classes = classes_of(log)
    reading = machines.read(row.instrument, row.action, classes.get(row.instrument, ""))
    if reading.step is None:
        return
    known = log.events.filter(uuid=row.uuid).values_list("pk", flat=True).first() if row.uuid != NEW else None
    courses = candidates(log, reading, row.at, classes, known)
    chosen = machines.choose(reading, row.at, courses)
    if chosen is None and not reading.step.opens:
        sentence = f"{row.what} has no beginning before {clock(row.at)}."
        yield Finding("no-start", "warning", sentence, [row.uuid])
    if chosen is None and reading.step.opens and not reading.step.closes:
        for course in courses:
            if course.is_open and course.runs_at(row.at) and course.state not in course.machine.resting:
                operation = course.thing
                run = Run(str(operation.uuid), *(getattr(operation, name) for name in RUN[1:]))
                run.rows = rows_of(operation.events.standing())
                yield pairs.second_start(run, row)
                break


def _asked(log: Log, others: Any, row: Row, fields: Mapping[str, Any]) -> Iterator[Finding]:
    extra = fields.get("extra") or {}
    if not isinstance(extra, Mapping):
        return
    template = log.templates.filter(instrument=row.instrument, action=row.action).first()
    for fault in asked.lacking(template.fields, extra) if template else ():
        yield Finding("not-answered", "hint", f"{fault.what}.", [row.uuid], about=fault.where)
    if not samples.spans(extra):
        return
    operation = fields.get("operation")
    pk = log.operations.filter(uuid=operation).values_list("pk", flat=True).first() if operation else None
    row.operation = pk
    mine = {(one.name, one.letters) for one in samples.spans(extra)}
    held = {
        key: answers
        for key, answers in others.exclude(extra={})
        .order_by("-observed_at")
        .values_list("uuid", "extra")[:MOST_SAMPLES]
        if isinstance(answers, dict) and _touches(samples.spans(answers), samples.spans(extra), mine)
    }
    rows = {one.uuid: one for one in rows_of(others.filter(uuid__in=list(held)))} if held else {}
    known = [(rows[str(uuid)], answers) for uuid, answers in held.items() if str(uuid) in rows]
    for finding in samples.overlaps([*known, (row, extra)]):
        if row.uuid in finding.events:
            yield finding


def _touches(theirs: list[samples.Span], own: list[samples.Span], names: set[tuple[str, str]]) -> bool:
    return any(
        (a.name, a.letters) in names and a.name == b.name and a.first <= b.last and b.first <= a.last
        for a in theirs
        for b in own
    )
