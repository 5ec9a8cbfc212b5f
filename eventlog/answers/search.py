"""The filter against the database: one question, whatever shows the answer."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import ExpressionWrapper, F, FloatField, Q, QuerySet, Value
from django.db.models.functions import ASin, Coalesce, Collate, Cos, Least, Power, Radians, Sin, Sqrt
from django.db.models.lookups import IContains
from django.utils import timezone

from eventlog.answers.wanted import Wanted
from eventlog.models import Event, Log, Place
from portal.refusals import Fault, NotLikeThis

TEXTS = ("comment", "station", "cast", "transect")
EARTH_KM = 6371.0088  # mean radius, IUGG 1980 (Moritz, Geodetic Reference System 1980, R1)
MOST_FIXED = 500  # events that a station's position is made of, where the log's stations have none


def narrowed(events: QuerySet[Event], wanted: Wanted, *, log: Log, names: bool, now: dt.datetime | None) -> Any:
    """The events of `log` that the filter wants, with `best_latitude` and `best_longitude` where it asks for them.

    Without `names` one may not ask who wrote what. Raises NotLikeThis for an unknown station and for that.
    """
    if wanted.person and not names:
        raise NotLikeThis("The filter is not allowed.", [Fault("person", "who wrote what is told to the cruise alone")])
    found: Any = events.filter(log=log)
    if wanted.struck != "yes":
        found = found.filter(struck_at__isnull=wanted.struck == "no")
    if wanted.words:
        terms = log.events.order_by().values_list("instrument", "action").distinct()
        for condition in _worded(wanted.words, list(terms)):
            found = found.filter(condition)
    for name in ("instrument", "action", "transect", "cast"):
        if values := getattr(wanted, name):
            found = found.filter(**{f"{name}__in": spellings(values)})
    if wanted.station:
        found = found.filter(station__in=_stations(log, wanted.station))
    if wanted.person:
        found = found.filter(_holds("author_name", wanted.person))
    if wanted.operation:
        found = found.filter(operation__uuid=wanted.operation)
    return _placed(_dated(found, wanted, now or timezone.now()), wanted, log)


def _worded(words: list[str], terms: list[tuple[str, str]]) -> Iterator[Q]:
    """A condition for each word: some text of the event holds it, in any case.

    A log has few instruments and actions, which an index tells; they are looked through here, since looking through
    every text of every event costs a database more than all the rest.
    """
    for word in words:
        folded = word.casefold()
        instruments = {instrument for instrument, _ in terms if folded in instrument.casefold()}
        actions = {action for _, action in terms if folded in action.casefold()}
        condition = Q()
        if instruments:
            condition |= Q(instrument__in=sorted(instruments))
        if actions:
            condition |= Q(action__in=sorted(actions))
        for name in TEXTS:
            condition |= _holds(name, word)
        if any(character.isdigit() for character in word):
            condition |= Q(number__contains=word)
        yield condition


def _holds(name: str, word: str) -> Q:
    """The text of this name holds the word, in any case."""
    # PostgreSQL folds capitals of plain letters much faster where it need not think of any language.
    if word.isascii() and connection.vendor == "postgresql":
        return Q(IContains(Collate(F(name), "C"), word))
    return Q(**{f"{name}__icontains": word})


def spellings(values: tuple[str, ...]) -> list[str]:
    """The values as they are, and in capitals and small letters: an index can look these up."""
    return sorted({each for value in values for each in (value, value.upper(), value.lower(), value.capitalize())})


def _dated(found: Any, wanted: Wanted, now: dt.datetime) -> Any:
    if since := wanted.since(now):
        found = found.filter(observed_at__gte=since)
    # An event that lasted counts while it lasted.
    if wanted.after:
        found = found.filter(Q(observed_at__gte=wanted.after) | Q(ended_at__gte=wanted.after))
    if wanted.before:
        found = found.filter(observed_at__lt=wanted.before)
    if wanted.depth_min is not None or wanted.depth_max is not None:
        found = found.annotate(water_m=Coalesce("seafloor_m", "nav_depth_m"))
        if wanted.depth_min is not None:
            found = found.filter(water_m__gte=wanted.depth_min)
        if wanted.depth_max is not None:
            found = found.filter(water_m__lte=wanted.depth_max)
    return found


def _placed(found: Any, wanted: Wanted, log: Log) -> Any:
    if wanted.position in ("exact", "interpolated", "extrapolated"):
        found = found.filter(nav_method=wanted.position)
    elif wanted.position in ("typed", "derived"):
        found = found.filter(**{f"{'nav_' if wanted.position == 'derived' else ''}latitude__isnull": False})
    elif wanted.position == "any":
        found = found.filter(Q(latitude__isnull=False) | Q(nav_latitude__isnull=False))
    elif wanted.position == "none":
        found = found.filter(latitude__isnull=True, nav_latitude__isnull=True)
    if wanted.box or wanted.near:
        found = found.with_place()
    if wanted.box:
        found = found.filter(_inside(wanted.box))
    if wanted.near:
        found = _around(found, wanted.place or station_position(log, wanted.near), wanted.radius_km)
    return found


def _inside(box: tuple[float, float, float, float]) -> Q:
    west, south, east, north = box
    inside = Q(best_latitude__range=(south, north))
    if west <= east:
        return inside & Q(best_longitude__range=(west, east))
    return inside & (Q(best_longitude__gte=west) | Q(best_longitude__lte=east))


def _around(found: Any, place: tuple[float, float], km: float) -> Any:
    """Within so many km: first the box around the circle, which is quick, then the haversine distance."""
    latitude, longitude = place
    degrees = math.degrees(km / EARTH_KM)
    south, north = max(-90.0, latitude - degrees), min(90.0, latitude + degrees)
    if south > -90 and north < 90 and degrees < 90:
        wide = math.degrees(math.asin(min(1.0, math.sin(math.radians(degrees)) / math.cos(math.radians(latitude)))))
        west, east = (_turned(longitude + way * (wide + 1e-9)) for way in (-1, 1))
        if wide < 179:
            found = found.filter(_inside((west, south, east, north)))
    else:
        found = found.filter(best_latitude__range=(south, north))
    return found.annotate(far_km=_haversine(latitude, longitude)).filter(far_km__lte=km)


def _turned(longitude: float) -> float:
    return (longitude + 180) % 360 - 180


def _haversine(latitude: float, longitude: float) -> Any:
    """Great-circle distance in km (haversine formula: Sinnott, Sky and Telescope 68, 1984, p. 159)."""
    half = Value(0.5, output_field=FloatField())
    north = Radians(F("best_latitude"), output_field=FloatField())
    east = Radians(F("best_longitude"), output_field=FloatField())
    up = Sin((north - Value(math.radians(latitude))) * half, output_field=FloatField())
    across = Sin((east - Value(math.radians(longitude))) * half, output_field=FloatField())
    chord = Power(up, 2) + Cos(north) * Value(math.cos(math.radians(latitude))) * Power(across, 2)
    arc = ASin(Least(Value(1.0), Sqrt(ExpressionWrapper(chord, output_field=FloatField()))))
    return ExpressionWrapper(arc * Value(2 * EARTH_KM), output_field=FloatField())


def _places(log: Log, name: str) -> list[Place]:
    """The stations of a log with this name or alias, in any case; of a merged one the place it was merged into."""
    wanted = name.casefold()
    places = log.places.filter(kind="station").select_related("merged_into").only(
        "name", "aliases", "latitude", "longitude", "merged_into__name", "merged_into__aliases",
        "merged_into__latitude", "merged_into__longitude",
    )  # fmt: skip
    return [
        place.merged_into or place
        for place in places
        if wanted in (place.name.casefold(), *(str(alias).casefold() for alias in place.aliases))
    ]


def _stations(log: Log, values: tuple[str, ...]) -> list[str]:
    found = set(spellings(values))
    for value in values:
        for place in _places(log, value):
            found |= {place.name, *map(str, place.aliases)}
    return sorted(found)


def station_position(log: Log, name: str) -> tuple[float, float]:
    """(degrees north, degrees east) of a station: its own, else the middle of its events. Raises NotLikeThis."""
    for place in _places(log, name):
        if place.latitude is not None and place.longitude is not None:
            return place.latitude, place.longitude
    events: Any = log.events.filter(station__in=_stations(log, (name,)), struck_at__isnull=True).with_place()
    fixes = events.filter(best_latitude__isnull=False, best_longitude__isnull=False).order_by()
    fixes = list(fixes.values_list("best_latitude", "best_longitude")[:MOST_FIXED])
    if not fixes:
        raise NotLikeThis(
            "The filter is not understood.",
            [Fault("near", f"no station {name[:60]!r} of this log has a position; name another, or write 35.5,-25.1")],
        )
    # Around the first one, so that a station on the 180th meridian has its middle there.
    first = fixes[0][1]
    north = statistics.median(fix[0] for fix in fixes)
    east = first + statistics.median(_turned(fix[1] - first) for fix in fixes)
    return north, _turned(east)


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance in km of two (degrees north, degrees east), by the same formula as the search."""
    (a, b), (c, d) = ((math.radians(part) for part in place) for place in (one, other))
    chord = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))
