"""The change feed as a query: what changed in a log after a number, each change with its thing as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from eventlog import rows
from eventlog.models import Log, Revision

MOST = 1000  # changes in one answer
# What tells of people; left out for those who are not told who wrote what.
PERSONAL = ("author_name", "by_name", "device", "original")


def sequence_of(log: Log) -> int:
    """The number of the last change of a log; 0 when nothing happened yet."""
    last = Revision.objects.filter(log=log).order_by("-sequence").values_list("sequence", flat=True).first()
    return last or 0


def after(log: Log, sequence: int, *, limit: int = MOST) -> list[Revision]:
    """The next revisions after a number, in order; at most `limit`."""
    return list(Revision.objects.filter(log=log, sequence__gt=sequence).order_by("sequence")[: min(limit, MOST)])


def shown(log: Log, revisions: Sequence[Revision], *, names: bool) -> list[dict[str, Any]]:
    """The revisions as changes of the feed, each with `row`: the thing as it stands, None where it is no more."""
    found = {
        kind: rows.things(kind, {r.thing_uuid for r in revisions if r.thing == kind}, names=names)
        for kind in {r.thing for r in revisions}
    }
    of_log = rows.log_row(log) if "log" in found else None
    return [
        change(revision, of_log if revision.thing == "log" else found[revision.thing].get(revision.thing_uuid), names)
        for revision in revisions
    ]


def change(revision: Revision, row: rows.Row | None, names: bool) -> dict[str, Any]:
    """One change; `row` is its thing as it stands."""
    return {
        "sequence": revision.sequence,
        "uuid": str(revision.uuid),
        "thing": revision.thing,
        "thing_uuid": str(revision.thing_uuid),
        "number": revision.number,
        "verb": revision.verb,
        "at": rows.iso(revision.at),
        "by": revision.by_name if names else "",
        "device": revision.device if names else "",
        "reason": revision.reason,
        "changes": revision.changes if names else _impersonal(revision.changes.items()),
        "after_close": revision.after_close,
        "row": row,
    }


def _impersonal(changes: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: pair for name, pair in changes if name not in PERSONAL}
