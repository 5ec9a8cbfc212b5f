"""What a person may say about an event, how it is checked, and what happens when two said different things."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid as uuids
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models.functions import Length

from eventlog import chain, rows
from eventlog.models import Event, Log, Revision
from eventlog.replay import BY_THEMSELVES
from portal.refusals import Fault, NotLikeThis, NotNow

# What a person may set; the rest follows. `operation` is its UUID as text.
FIELDS = (
    "observed_at",
    "ended_at",
    "instrument",
    "action",
    "transect",
    "station",
    "cast",
    "operation",
    "latitude",
    "longitude",
    "seafloor_m",
    "comment",
    "extra",
)
LONGEST = {"instrument": 120, "action": 120, "transect": 80, "station": 80, "cast": 40, "comment": 20_000}
MOST_EXTRA = 20_000  # characters of JSON
FUTURE = dt.timedelta(hours=24)


class Conflict(NotNow):
    """Two people changed the same fields of an event. Nothing was overwritten.

    `versions` has for each such field `base` (what both had seen), `theirs` (what stands now), `mine` (what was
    sent), and `by` and `at` of the change that stands; `event` is the event as it stands.
    """

    title = "Changed in two places"

    def __init__(self, event: Event, versions: Mapping[str, Mapping[str, Any]]) -> None:
        who = ", ".join(sorted({str(version["by"]) for version in versions.values()}))
        fields = ", ".join(versions)
        super().__init__(
            f"Event {event.number} was changed by {who} after you opened it: {fields}. Both versions are shown; "
            "choose for each field, then change it again."
        )
        self.event = event
        self.versions = {name: dict(version) for name, version in versions.items()}

    def members(self) -> dict[str, Any]:
        return {"versions": self.versions, "event": rows.event_row(self.event)}


def standing(event: Event) -> dict[str, Any]:
    """The fields of an event as they stand."""
    values = {name: getattr(event, name) for name in FIELDS if name != "operation"}
    values["operation"] = str(event.operation.uuid) if event.operation else None
    return values


def merged(
    event: Event, fields: Mapping[str, Any], seen: int | None, own: Collection[uuids.UUID] = ()
) -> dict[str, Any]:
    """The fields that a person changed, having looked at revision `seen`; what others changed since is kept.

    A field that was sent as it was seen was not changed by this person. Raises Conflict where both changed a field
    to different values.
    """
    if seen is None or seen >= event.revision:
        return dict(fields)
    since = _since(event, seen, own)
    now, mine, versions = standing(event), {}, {}
    for name, value in fields.items():
        said, stands = chain.plain(value), chain.plain(now.get(name))
        if name not in since or said == stands:
            mine[name] = value
            continue
        base, revision = since[name]
        if said == base or (said in ("", None) and base in ("", None)):
            continue  # sent as it was seen
        versions[name] = _version(base, stands, said, revision)
    if versions:
        raise Conflict(event, versions)
    return mine


def require_unchanged(event: Event, seen: int, own: Collection[uuids.UUID] = ()) -> None:
    """Raises Conflict, with what is different, where people changed the event after revision `seen`."""
    now = standing(event)
    since = {name: found for name, found in _since(event, seen, own).items() if name in now or name == "struck"}
    if since:
        now["struck"] = event.struck_at is not None
        raise Conflict(
            event, {name: _version(base, chain.plain(now[name]), base, last) for name, (base, last) in since.items()}
        )


def _since(event: Event, seen: int, own: Collection[uuids.UUID]) -> dict[str, tuple[Any, Revision]]:
    """What others changed after revision `seen`, by field: what it was then, and the last revision that changed it.

    `own` are the ids of changes that the same tablet made meanwhile, and so has seen.
    """
    since: dict[str, tuple[Any, Revision]] = {}
    for revision in event.revisions.filter(number__gt=seen).exclude(verb__in=BY_THEMSELVES).order_by("number"):
        for name, (before, _) in revision.changes.items() if revision.uuid not in own else ():
            base = since[name][0] if name in since else before
            since[name] = (base, revision)
    return since


def _version(base: Any, theirs: Any, mine: Any, last: Revision) -> dict[str, Any]:
    return {"base": base, "theirs": theirs, "mine": mine, "by": last.by_name, "at": chain.plain(last.at)}


def checked(fields: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """The fields, trimmed. Raises NotLikeThis with every fault."""
    faults = []
    values: dict[str, Any] = {}
    for name in FIELDS:
        value = fields.get(name)
        if name in LONGEST:
            value = str(value or "").strip()
            if len(value) > LONGEST[name]:
                faults.append(Fault(name, f"has {len(value):,} characters; at most {LONGEST[name]:,}"))
            if "\0" in value:
                faults.append(Fault(name, "holds a NUL character"))
        values[name] = value
    faults += [Fault(name, "is needed") for name in ("instrument", "action") if not values[name]]
    faults += _times(values, now)
    for name, most in (("latitude", 90), ("longitude", 180), ("seafloor_m", 12_000)):
        value = values[name]
        if value is not None and not (-most <= value <= most):
            faults.append(Fault(name, f"{value} is not between -{most} and {most}"))
    if (values["latitude"] is None) != (values["longitude"] is None):
        faults.append(Fault("longitude", "a position needs latitude and longitude"))
    values["extra"] = values["extra"] or {}
    faults += _extra(values["extra"])
    values["operation"] = str(values["operation"]) if values["operation"] else None
    if faults:
        raise NotLikeThis("The event is not accepted.", faults)
    return values


def _times(values: Mapping[str, Any], now: dt.datetime) -> list[Fault]:
    at, end = values["observed_at"], values["ended_at"]
    if not isinstance(at, dt.datetime) or at.tzinfo is None:
        return [Fault("observed_at", "is needed, as a time in UTC")]
    faults = []
    if at > now + FUTURE:
        faults.append(Fault("observed_at", f"lies more than a day after now, {now:%Y-%m-%d %H:%M} UTC"))
    if end is not None:
        if not isinstance(end, dt.datetime) or end.tzinfo is None:
            faults.append(Fault("ended_at", "is not a time in UTC"))
        elif end < at:
            faults.append(Fault("ended_at", f"lies before the beginning, {at:%Y-%m-%d %H:%M:%S} UTC"))
    return faults


def _extra(extra: Any) -> list[Fault]:
    if not isinstance(extra, Mapping) or not all(
        isinstance(value, str | int | float | bool | None) for value in extra.values()
    ):
        return [Fault("extra", "holds names with a text, a number, or yes or no each")]
    try:
        text = json.dumps(extra, allow_nan=False)
    except ValueError:
        return [Fault("extra", "holds a number that is not finite")]
    if len(text) > MOST_EXTRA or "\\u0000" in text:
        return [Fault("extra", f"holds a NUL character or more than {MOST_EXTRA:,} characters")]
    return []


def next_number(log: Log, logged_at: dt.datetime) -> str:
    """YYYYMMDD.HHMM.NNN of the minute in which it was logged, NNN from 001 in each minute."""
    minute = f"{logged_at.astimezone(dt.UTC):%Y%m%d.%H%M}."
    numbers = log.events.filter(number__startswith=minute, number__regex=rf"^{re.escape(minute)}[0-9]+$")
    last = numbers.order_by(Length("number").desc(), "-number").values_list("number", flat=True).first()
    return f"{minute}{int(last.removeprefix(minute)) + 1 if last else 1:03d}"
