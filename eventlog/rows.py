"""The things of a log as JSON shows them: in the API, in the change feed and in the snapshot, always the same.

Times are ISO 8601 in UTC, positions degrees north and east. Names of people are for those who may read the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from eventlog import operations
from eventlog.models import Attachment, DataFile, Event, Log, Operation, Place, Template, Term
from eventlog.navigation.positions import COLUMNS

Row = dict[str, Any]
PLAIN = ("number", "instrument", "action", "transect", "station", "cast", "latitude", "longitude", "seafloor_m")


def iso(at: dt.datetime | None) -> str | None:
    """A time as ISO 8601 in UTC with Z; None stays None."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if at else None


def event_row(event: Event, *, names: bool = True) -> Row:
    """An event as it stands; without `names` nobody is named. Load it with `operation` and `measurements`."""
    row: Row = {"uuid": str(event.uuid)}
    row |= {name: getattr(event, name) for name in PLAIN}
    row |= {name: iso(getattr(event, name)) for name in ("observed_at", "ended_at", "logged_at")}
    row |= {
        "operation": str(event.operation.uuid) if event.operation else None,
        "author_name": event.author_name if names else "",
        "device": event.device if names else "",
        "clock_offset_s": event.clock_offset_s,
        "comment": event.comment,
        "extra": event.extra,
        "source": event.source,
        "revision": event.revision,
        "struck": event.struck_at is not None,
    }
    row |= {name: getattr(event, name) for name in COLUMNS}
    row["measurements"] = [
        {"source": m.source, "name": m.name, "value": m.value, "unit": m.unit} for m in event.measurements.all()
    ]
    return row


def operation_row(operation: Operation) -> Row:
    """An operation as it stands, with what can be done next."""
    return operations.shown(operation)


def place_row(place: Place) -> Row:
    """A station or transect. One that was merged tells into which."""
    names = ("kind", "name", "aliases", "latitude", "longitude", "end_latitude", "end_longitude", "depth_m")
    row: Row = {"uuid": str(place.uuid)} | {name: getattr(place, name) for name in names}
    into = place.merged_into
    return row | {
        "is_planned": place.is_planned,
        "comment": place.comment,
        "merged_into": str(into.uuid) if into else None,
        "revision": place.revision,
    }


def term_row(term: Term) -> Row:
    """A word for an instrument or an action."""
    names = ("kind", "name", "meaning", "uri", "aliases", "is_proposed")
    row: Row = {"uuid": str(term.uuid)} | {name: getattr(term, name) for name in names}
    return row | {"replaced_by": str(term.replaced_by.uuid) if term.replaced_by else None}


def template_row(template: Template) -> Row:
    """A button of the log page."""
    names = ("instrument", "action", "kind", "label", "key", "fields", "order", "is_hidden")
    return {"uuid": str(template.uuid)} | {name: getattr(template, name) for name in names}


def attachment_row(attachment: Attachment, *, names: bool = True) -> Row:
    """A photo, a voice note or another file of an event; its bytes have an address of their own."""
    plain = ("name", "media_type", "size", "sha256", "caption", "revision")
    row: Row = {"uuid": str(attachment.uuid)} | {name: getattr(attachment, name) for name in plain}
    return row | {
        "event": str(attachment.event.uuid) if attachment.event else None,
        "taken_at": iso(attachment.taken_at),
        "received_at": iso(attachment.received_at),
        "by_name": attachment.by_name if names else "",
        "struck": attachment.struck_at is not None,
    }


def file_row(file: DataFile) -> Row:
    """A file that an instrument left in a watched folder."""
    row: Row = {"uuid": str(file.uuid)} | {name: getattr(file, name) for name in ("path", "size", "sha256", "revision")}
    return row | {
        "modified_at": iso(file.modified_at),
        "first_seen_at": iso(file.first_seen_at),
        "operation": str(file.operation.uuid) if file.operation else None,
    }


def log_row(log: Log) -> Row:
    """The log itself."""
    cruise = log.cruise
    return {
        "cruise_id": cruise.cruise_id,
        "cruise": cruise.title,
        "vessel_id": cruise.vessel_id,
        "vessel": cruise.vessel.name,
        "state": log.state,
        "since": iso(log.since),
        "opened_at": iso(log.opened_at),
        "closed_at": iso(log.closed_at),
    }


def things(kind: str, uuids: Iterable[UUID], *, names: bool) -> dict[UUID, Row]:
    """The rows of the things of one kind, by id; one or two queries however many they are."""
    find = _FINDERS.get(kind)
    return find(list(uuids), names) if find else {}


def _events(uuids: list[UUID], names: bool) -> dict[UUID, Row]:
    found = Event.objects.filter(uuid__in=uuids).select_related("operation").prefetch_related("measurements")
    return {event.uuid: event_row(event, names=names) for event in found}


def _attachments(uuids: list[UUID], names: bool) -> dict[UUID, Row]:
    found = Attachment.objects.filter(uuid__in=uuids).select_related("event")
    return {attachment.uuid: attachment_row(attachment, names=names) for attachment in found}


_FINDERS: dict[str, Callable[[list[UUID], bool], dict[UUID, Row]]] = {
    "event": _events,
    "attachment": _attachments,
    "operation": lambda uuids, _: {o.uuid: operation_row(o) for o in Operation.objects.filter(uuid__in=uuids)},
    "place": lambda uuids, _: {
        p.uuid: place_row(p) for p in Place.objects.filter(uuid__in=uuids).select_related("merged_into")
    },
    "term": lambda uuids, _: {
        t.uuid: term_row(t) for t in Term.objects.filter(uuid__in=uuids).select_related("replaced_by")
    },
    "template": lambda uuids, _: {t.uuid: template_row(t) for t in Template.objects.filter(uuid__in=uuids)},
    "file": lambda uuids, _: {
        f.uuid: file_row(f) for f in DataFile.objects.filter(uuid__in=uuids).select_related("operation")
    },
}
