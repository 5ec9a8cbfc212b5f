"""The verbs about stations and transects: add, amend, merge. Each is a revision; events follow a merged name."""

from __future__ import annotations

import math
import uuid as uuids
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from eventlog import gazetteer, ledger, logbook
from eventlog.gazetteer import near
from eventlog.models import Log, Place
from portal import access
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

__all__ = ["add", "amend", "merge", "near"]
KINDS = ("station", "transect")
FIELDS = ("name", "aliases", "comment", *gazetteer.FIELDS)
LONGEST_NAME, MOST_ALIASES, LONGEST_COMMENT = 80, 50, 2000
# Most events that take a new name in one go; more are a task for the command line.
MOST_EVENTS = 20_000


@transaction.atomic
def add(
    *,
    log: Log,
    by: Actor,
    fields: Mapping[str, Any],
    kind: str = "station",
    uuid: uuids.UUID | None = None,
    reason: str = "",
    device: str = "",
) -> tuple[Place, bool]:
    """Adds a station or a transect; says whether it is new. The same `uuid` twice is one place.

    `fields` are of FIELDS: degrees north and east, metres, a list of texts for `aliases`. Raises NotYou, NotNow for
    a closed log without a reason, NotLikeThis with the faults by field, also for a name that is known.
    """
    log = _for_change(log, by, "eventlog.record", reason)
    if uuid is not None and (known := Place.objects.filter(uuid=uuid).first()):
        if known.log_id != log.pk:
            raise NotLikeThis("The place is not accepted.", [Fault("uuid", "is in use in another log")])
        return known, False
    values = _checked(log, kind, dict.fromkeys(FIELDS) | dict(fields), None)
    place = Place.objects.create(log=log, kind=kind, uuid=uuid or uuids.uuid4(), **values)
    ledger.append(log, [ledger.Entry("place", place, "add", gazetteer.told(place), reason)], by=by, device=device)
    return place, True


@transaction.atomic
def amend(
    *,
    place: Place,
    by: Actor,
    fields: Mapping[str, Any],
    reason: str = "",
    seen: int | None = None,
    device: str = "",
) -> Place:
    """Changes fields of a place. A new name is given to its events too, and the old one is kept as an alias.

    `seen` is the revision that one looked at. Raises NotYou, NotNow where it was changed since or is merged,
    NotLikeThis.
    """
    log = _for_change(place.log, by, "eventlog.revise", reason)
    place = _locked(place, log)
    if seen is not None and seen != place.revision:
        raise NotNow(f"{place.name} was changed after you opened it. Look at it again, then change it.")
    if place.merged_into is not None:
        raise NotNow(f"{place.name} is merged into {place.merged_into.name}; change that one.")
    before = {name: getattr(place, name) for name in FIELDS}
    values = _checked(log, place.kind, before | dict(fields), place)
    if values["name"] != before["name"] and before["name"] not in values["aliases"]:
        values["aliases"] = [*values["aliases"], before["name"]]
    changes = {name: [before[name], value] for name, value in values.items() if before[name] != value}
    if not changes:
        return place
    _save(log, place, values, "amend", changes, reason, by, device)
    if "name" in changes:
        _carry(log, place.kind, before["name"], place.name, by, f"{before['name']} is now called {place.name}", device)
    return place


@transaction.atomic
def merge(*, place: Place, into: Place, by: Actor, reason: str = "", device: str = "") -> Place:
    """Says that `place` is `into`: its events get that name as a revision each, its names become aliases there.

    Returns `into`. Said twice it is done once. Raises NotYou, NotNow, NotLikeThis for places that cannot be one.
    """
    log = _for_change(place.log, by, "eventlog.revise", reason)
    place, into = _locked(place, log), _locked(into, log)
    if place.merged_into_id == into.pk:
        return into
    faults = []
    if place.pk == into.pk:
        faults.append(Fault("into", "is the place itself"))
    if place.kind != into.kind:
        faults.append(Fault("into", f"is a {into.kind}, not a {place.kind}"))
    if place.merged_into is not None:
        faults.append(Fault("place", f"is merged into {place.merged_into.name} already"))
    if into.merged_into is not None:
        faults.append(Fault("into", f"is merged into {into.merged_into.name}; choose that one"))
    if faults:
        raise NotLikeThis("These places are not merged.", faults)
    aliases = [*into.aliases]
    aliases += [name for name in (place.name, *place.aliases) if name not in (into.name, *aliases)]
    values: dict[str, Any] = {"aliases": aliases}
    if into.latitude is None and place.latitude is not None:
        values |= {"latitude": place.latitude, "longitude": place.longitude}
    changes = {name: [getattr(into, name), value] for name, value in values.items() if getattr(into, name) != value}
    says = reason or f"{place.name} is {into.name}"
    _save(log, into, values, "merge", changes, says, by, device)
    _save(log, place, {"merged_into": into}, "merge", {"merged_into": [None, str(into.uuid)]}, says, by, device)
    for older in place.merged.all():
        link = {"merged_into": [str(place.uuid), str(into.uuid)]}
        _save(log, older, {"merged_into": into}, "merge", link, says, by, device)
    for name in (place.name, *place.aliases):
        _carry(log, place.kind, name, into.name, by, says, device)
    return into


def _for_change(log: Log, by: Actor, verb: str, reason: str) -> Log:
    log = ledger.locked(log)
    if log.state == "closed":
        access.require(by, "eventlog.correct", log)
        if not reason.strip():
            raise NotLikeThis("The log is closed.", [Fault("reason", "say why this late correction is made")])
    else:
        access.require(by, verb, log)
    return log


def _locked(place: Place, log: Log) -> Place:
    found = Place.objects.select_for_update(of=("self",)).select_related("merged_into").get(pk=place.pk)
    if found.log_id != log.pk:
        raise NotLikeThis("These places are not merged.", [Fault("into", "is in another log")])
    found.log = log
    return found


def _save(
    log: Log,
    place: Place,
    values: Mapping[str, Any],
    verb: str,
    changes: Mapping[str, Any],
    reason: str,
    by: Actor,
    device: str,
) -> None:
    for name, value in values.items():
        setattr(place, name, value)
    place.revision += 1
    place.save()
    ledger.append(log, [ledger.Entry("place", place, verb, changes, reason)], by=by, device=device)


def _carry(log: Log, kind: str, old: str, new: str, by: Actor, reason: str, device: str) -> None:
    """Gives the events that name the old place the new name."""
    if old == new:
        return
    events = log.events.standing().filter(**{kind: old}).in_order()
    if events.count() > MOST_EVENTS:
        raise NotNow(f"More than {MOST_EVENTS:,} events name {old}; they are too many to change at once.")
    for event in events:
        logbook.revise(event=event, by=by, fields={kind: new}, reason=reason, device=device)


def _checked(log: Log, kind: str, values: Mapping[str, Any], place: Place | None) -> dict[str, Any]:
    faults = [Fault("kind", f"is {' or '.join(KINDS)}")] if kind not in KINDS else []
    faults += [Fault(str(name), "is no field of a place") for name in values if name not in FIELDS]
    name = str(values.get("name") or "").strip()
    comment = str(values.get("comment") or "").strip()
    if not name or len(name) > LONGEST_NAME or "\0" in name + comment:
        faults.append(Fault("name", f"is needed, with at most {LONGEST_NAME} characters"))
    if len(comment) > LONGEST_COMMENT:
        faults.append(Fault("comment", f"has more than {LONGEST_COMMENT:,} characters"))
    others = log.places.filter(kind=kind, name=name)
    if place is not None:
        others = others.exclude(pk=place.pk)
    if name and others.exists():
        faults.append(Fault("name", f"{name} is known already; merge the two if they are one"))
    aliases, wrong = _aliases(values.get("aliases"), name)
    faults += wrong
    numbers, wrong = _numbers(values)
    faults += wrong
    if faults:
        raise NotLikeThis("The place is not accepted.", faults)
    return {"name": name, "comment": comment, "aliases": aliases, **numbers}


def _aliases(given: Any, name: str) -> tuple[list[str], list[Fault]]:
    rows = given or []
    if not isinstance(rows, list | tuple) or not all(isinstance(row, str) and len(row) <= LONGEST_NAME for row in rows):
        return [], [Fault("aliases", f"is a list of names of at most {LONGEST_NAME} characters")]
    if len(rows) > MOST_ALIASES:
        return [], [Fault("aliases", f"has more than {MOST_ALIASES} names")]
    return list(dict.fromkeys(row.strip() for row in rows if row.strip() and row.strip() != name)), []


def _numbers(values: Mapping[str, Any]) -> tuple[dict[str, float | None], list[Fault]]:
    found: dict[str, float | None] = {}
    faults = []
    for name in gazetteer.FIELDS:
        value = values.get(name)
        most = 12_000 if name == "depth_m" else 90 if name.endswith("latitude") else 180
        if value is not None and (not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > most):
            faults.append(Fault(name, f"is not a number between -{most} and {most}"))
            value = None
        found[name] = value
    for one, other in (("latitude", "longitude"), ("end_latitude", "end_longitude")):
        if (values.get(one) is None) != (values.get(other) is None):
            faults.append(Fault(other, "a position needs latitude and longitude"))
    return found, faults
