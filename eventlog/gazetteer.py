"""The stations and transects that a log knows: looked up while one types, and noted when an event names a new one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from eventlog import ledger, naming
from eventlog.models import Event, Log, Place
from eventlog.navigation import positions
from portal.access import Actor

Position = tuple[float, float]
MOST_PLACES, SHOWN, MOST_PAIRS = 5000, 8, 200
FIELDS = ("latitude", "longitude", "end_latitude", "end_longitude", "depth_m")


def near(
    log: Log, text: str, position: Position | None = None, kind: str = "station", most: int = SHOWN
) -> list[dict[str, Any]]:
    """Known places that `text` may mean, the likeliest first: [{place, name, score, why, distance_m}].

    `place` is the Place; `position` is (degrees north, degrees east) of the event, where it is known. Names that begin
    with the text come with score 0.4, so that the list also completes what one types.
    """
    found: list[dict[str, Any]] = []
    for place in _standing(log, kind):
        where = _position(place)
        distance = naming.metres(position, where) if position and where else None
        ranked = [(naming.near(text, distance, name), name) for name in (place.name, *place.aliases)]
        likeness, name = max(ranked, key=lambda pair: pair[0].score)
        if not likeness.score and text and place.name.casefold().startswith(text.casefold()):
            likeness = naming.Likeness(0.4, "begins so")
        if likeness.score:
            row: dict[str, Any] = {"place": place, "name": place.name, "score": likeness.score, "why": likeness.why}
            if name != place.name:
                row["why"] = f"is also called {name}, which {likeness.why}"
            found.append(row | {"distance_m": None if distance is None else round(distance)})
    found.sort(key=lambda row: (-row["score"], row["distance_m"] or 0, row["name"]))
    return found[:most]


def canonical(log: Log, name: str, kind: str = "station") -> str:
    """The name under which a log knows a place, for one of its names; what is unknown stays as it is."""
    wanted = name.casefold()
    for place in log.places.filter(kind=kind).select_related("merged_into")[:MOST_PLACES]:
        if wanted in (place.name.casefold(), *(alias.casefold() for alias in place.aliases)):
            return (place.merged_into or place).name
    return name


def duplicates(log: Log, kind: str = "station") -> list[tuple[Place, Place, naming.Likeness]]:
    """Pairs of places that are probably one: (the lesser, the better known, why)."""
    places = list(_standing(log, kind))
    events = _counts(log, kind)
    pairs = []
    for index, one in enumerate(places[:400]):
        for other in places[index + 1 : 400]:
            a, b = _position(one), _position(other)
            likeness = naming.near(one.name, naming.metres(a, b) if a and b else None, other.name)
            if likeness.score >= 0.5:
                lesser, better = sorted((one, other), key=lambda p: (p.is_planned, events.get(p.name, 0)))
                if one.is_planned != other.is_planned:
                    lesser, better = (other, one) if one.is_planned else (one, other)
                pairs.append((lesser, better, likeness))
    pairs.sort(key=lambda pair: (-pair[2].score, pair[0].name))
    return pairs[:MOST_PAIRS]


def note(log: Log, values: Mapping[str, Any], by: Actor, device: str = "") -> None:
    """Notes the station and the transect of an event that is being recorded, where the log does not know them yet.

    The position is that of the event, typed or derived. The caller holds the lock of the log.
    """
    named = {kind: values[kind] for kind in ("station", "transect") if values.get(kind)}
    if not named:
        return
    at = (values.get("latitude"), values.get("longitude"))
    for kind, name in named.items():
        known = log.places.filter(kind=kind, name=name).first()
        if known is not None and not known.is_planned:
            continue
        if known is None and canonical(log, name, kind) != name:
            continue
        if at[0] is None:
            at = _derived(log, values.get("observed_at"))
        if known is None:
            _add(log, [(kind, name, at)], by, device)
        else:
            _visited(log, known, at, by, device)


def note_all(log: Log, events: Iterable[Event], by: Actor, device: str = "") -> list[Place]:
    """Notes the places that many events name, as of an import, each with the first position that was given."""
    wanted: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    for event in events:
        for kind, name in (("station", event.station), ("transect", event.transect)):
            if name and wanted.get((kind, name), (None, None))[0] is None:
                wanted[kind, name] = event.place or (None, None)
    known: set[tuple[str, str]] = set()
    for place in log.places.all():
        known |= {(place.kind, name) for name in (place.name, *place.aliases)}
    rows = [(kind, name, at) for (kind, name), at in wanted.items() if (kind, name) not in known]
    return _add(log, rows, by, device)


def plan(log: Log, by: Actor) -> list[Place]:
    """Notes the targets of the sailing orders as planned stations; the caller holds the lock of the log."""
    known = set(log.places.filter(kind="station").values_list("name", flat=True))
    places = [
        Place(
            log=log,
            name=target.name[:80],
            latitude=target.latitude,
            longitude=target.longitude,
            comment=target.description,
            is_planned=True,
        )
        for target in log.cruise.targets.all()
        if target.name[:80] not in known
    ]
    return _write(log, places, "plan", by)


def told(place: Place) -> dict[str, list[Any]]:
    """The changes that the first revision of a place tells."""
    values = {name: getattr(place, name) for name in ("kind", "name", "aliases", *FIELDS, "is_planned", "comment")}
    return {name: [None, value] for name, value in values.items() if value not in ("", None, [])}


def _add(
    log: Log, rows: Iterable[tuple[str, str, tuple[float | None, float | None]]], by: Actor, device: str
) -> list[Place]:
    places = [Place(log=log, kind=kind, name=name, latitude=at[0], longitude=at[1]) for kind, name, at in rows]
    return _write(log, places, "add", by, device)


def _write(log: Log, places: list[Place], verb: str, by: Actor, device: str = "") -> list[Place]:
    made = Place.objects.bulk_create(places)
    ledger.append(log, [ledger.Entry("place", place, verb, told(place)) for place in made], by=by, device=device)
    return made


def _visited(log: Log, place: Place, at: tuple[float | None, float | None], by: Actor, device: str) -> None:
    changes: dict[str, list[Any]] = {"is_planned": [True, False]}
    place.is_planned = False
    if place.latitude is None and at[0] is not None:
        changes |= {"latitude": [None, at[0]], "longitude": [None, at[1]]}
        place.latitude, place.longitude = at
    place.revision += 1
    place.save()
    ledger.append(log, [ledger.Entry("place", place, "visit", changes)], by=by, device=device)


def _derived(log: Log, at: Any) -> tuple[float | None, float | None]:
    if not isinstance(at, dt.datetime):
        return None, None
    found = positions.at(log.cruise.vessel_id, at)
    return found["nav_latitude"], found["nav_longitude"]


def _standing(log: Log, kind: str) -> Iterable[Place]:
    return log.places.filter(kind=kind, merged_into__isnull=True)[:MOST_PLACES]


def _position(place: Place) -> Position | None:
    if place.latitude is None or place.longitude is None:
        return None
    return place.latitude, place.longitude


def _counts(log: Log, kind: str) -> dict[str, int]:
    from django.db.models import Count

    rows = log.events.standing().exclude(**{kind: ""}).values_list(kind).annotate(n=Count("pk")).order_by(kind)
    return dict(rows)
