"""An operation as pages and programs get it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from eventlog import machines
from eventlog.models import Operation

NAMES = ("kind", "instrument", "cast", "station", "state", "started_at", "ended_at", "is_open", "comment", "revision")


def shown(operation: Operation) -> dict[str, Any]:
    """The operation as JSON: its columns, the name of its kind, and `next`, what can be done with it.

    `next` is [{action, label, closes}], the likeliest first; times are ISO 8601 in UTC.
    """
    machine = machines.MACHINES.get(operation.kind)
    row: dict[str, Any] = {"uuid": str(operation.uuid), "kind_name": machine.name if machine else operation.kind}
    row |= {name: getattr(operation, name) for name in NAMES}
    row |= {name: iso(getattr(operation, name)) for name in ("started_at", "ended_at")}
    row["next"] = steps(machine, operation.state) if machine and operation.is_open else []
    row["rests"] = bool(machine and operation.state in machine.resting)
    return row


def iso(at: dt.datetime | None) -> str | None:
    """A time as ISO 8601 in UTC with Z; None stays None."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if at else None


def steps(machine: machines.Machine, state: str) -> list[dict[str, Any]]:
    """What can be done in a state, the likeliest first."""
    return [{"action": s.action, "label": s.label, "closes": s.closes} for s in machine.next(state)]


def expected_age(operation: Operation) -> dt.timedelta | None:
    """How long it may be in its state before somebody is asked; None: as long as it likes."""
    machine = machines.MACHINES.get(operation.kind)
    return machine.expected.get(operation.state) if machine else None
