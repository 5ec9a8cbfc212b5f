"""Operations: what events of one instrument belong to. Their state follows from their standing events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eventlog.models import Log, Operation
from portal.access import Actor


def join(*, log: Log, values: Mapping[str, Any], by: Actor, device: str = "") -> Operation | None:
    """The operation to which an event with these fields belongs, made if its action begins one.

    `values["operation"]` is the id that the tablet gave it, or None. The caller holds the lock of the log.
    """
    return None


def follow(*, log: Log, operations: Iterable[Operation | None], by: Actor, device: str = "") -> None:
    """Brings the state, times and cast of these operations in line with their standing events."""
