"""The board: which operations are open and for how long, what comes next, and which instruments are idle."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Max

from eventlog import machines
from eventlog.machines.kinds import BEGIN
from eventlog.models import Log, Operation, Template
from eventlog.operations.joining import current_station
from eventlog.operations.shown import expected_age, iso, shown, steps

MOST = 200


def board(log: Log, now: dt.datetime) -> dict[str, Any]:
    """What is under way, as JSON holds it.

    `open`: operations as in `shown`, the longest first, with `elapsed_s` since their beginning, `in_state_s` since
    their last step, `expected_s` (or None) and `asks`: older than that, so somebody is asked. `next` names first what
    has a button. `resting`: gear that was left out on purpose. `idle`: [{instrument, kind, kind_name, next, last}] of
    instruments with buttons and nothing open. `station`: where the ship was last said to be.
    """
    templates = list(log.templates.filter(is_hidden=False))
    buttons = {(t.instrument, machines.key(t.action)): t for t in templates}
    rows = list(
        log.operations.filter(is_open=True).annotate(last_at=Max("events__observed_at")).order_by("started_at", "pk")
    )
    found = [_row(operation, now, buttons) for operation in rows[:MOST]]
    busy = {operation.instrument for operation in rows}
    return {
        "at": iso(now),
        "open": [row for row in found if not row["rests"]],
        "resting": [row for row in found if row["rests"]],
        "more": max(0, len(rows) - MOST),
        "idle": _idle(log, templates, busy),
        "station": current_station(log, now),
    }


def _row(operation: Any, now: dt.datetime, buttons: dict[tuple[str, str], Template]) -> dict[str, Any]:
    row = shown(operation)
    began = operation.started_at or operation.last_at or now
    last, expected = operation.last_at or began, expected_age(operation)
    row["elapsed_s"] = round((now - began).total_seconds())
    row["in_state_s"] = round((now - last).total_seconds())
    row["expected_s"] = round(expected.total_seconds()) if expected else None
    row["asks"] = expected is not None and now - last > expected
    for step in row["next"]:
        template = buttons.get((operation.instrument, machines.key(step["action"])))
        step["template"] = str(template.uuid) if template else None
        step["label"] = template.label or step["label"] if template else step["label"]
    row["next"].sort(key=lambda step: step["template"] is None)
    return row


def _idle(log: Log, templates: list[Template], busy: set[str]) -> list[dict[str, Any]]:
    classes: dict[str, str] = {}
    for template in templates:
        classes.setdefault(template.instrument, template.kind)
    idle = [name for name in classes if name not in busy]
    last: dict[str, Operation] = {}
    for operation in log.operations.filter(instrument__in=idle, ended_at__isnull=False).order_by("ended_at"):
        last[operation.instrument] = operation
    rows = []
    for name in idle:
        kind = machines.class_of(name, classes[name])
        if kind == "ship":
            continue  # its buttons begin operations of several kinds
        machine = machines.MACHINES[kind]
        rows.append(
            {
                "instrument": name,
                "kind": kind,
                "kind_name": machine.name,
                "next": steps(machine, BEGIN),
                "last": shown(last[name]) if name in last else None,
            }
        )
    return rows
