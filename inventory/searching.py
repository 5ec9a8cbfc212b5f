"""Which files were measured in an area and a period: the rows that answer the question."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.contrib.gis.geos import MultiPolygon
from django.core.cache import cache
from django.db import connection
from django.db.models import BooleanField, Count, F, FloatField, Func, Q, QuerySet
from django.db.models.expressions import RawSQL

from inventory.models import Coverage, File
from inventory.navigation.extent import extent
from inventory.questions import Question
from portal import access
from portal.access import Actor
from portal.models import Cruise

# Overlapping periods by the index `coverage_during`, which holds both ends of each.
_DURING: Final = (
    "inventory_coverage.first_at IS NOT NULL"
    " AND tstzrange(inventory_coverage.first_at, inventory_coverage.last_at, '[]')"
    " && tstzrange(%s::timestamptz, %s::timestamptz, '[]')"
)
KEPT_FOR: Final = 300  # s that the files found are kept for the pages that follow
LISTED: Final = 2_000  # files that a page counts and lists
MOST: Final = 5_000  # files that the API counts and lists; downloads give all
SHARE: Final = 0.2  # of the cruises, in which a period lies for which its index is asked
MARGIN: Final = dt.timedelta(days=30)  # around a cruise
BOXES: Final = 20  # in which SpatiaLite is asked to look; an area of more parts is asked by its halves of the world


def answers(question: Question, by: Actor) -> list[QuerySet[Coverage]]:
    """Rows that answer: those placed in the area, then those of the period without a position, where asked for.

    Whether a file has a data set still is asked later, of those found.
    """
    rows: Any = Coverage.objects.in_force(by)
    if question.begins:
        rows = rows.filter(last_at__gte=question.begins)
    if question.ends:
        rows = rows.filter(first_at__lte=question.ends)
    if connection.vendor == "postgresql" and _in_few(question):
        rows = rows.filter(RawSQL(_DURING, [question.begins, question.ends], output_field=BooleanField()))  # noqa: S611 - our own names
    if question.device_class:
        rows = rows.filter(file__dataset__device_class=question.device_class)
    if question.vessel:
        rows = rows.filter(distribution__cruise__vessel=question.vessel)
    if question.area is None:
        return [rows if question.unplaced else rows.filter(geometry__isnull=False)]
    found = [_touching(rows, question.area)]
    if question.unplaced and (question.begins or question.ends):
        found.append(rows.filter(geometry__isnull=True))
    return found


def _in_few(question: Question) -> bool:
    """Whether few cruises were at sea in the period. In many, the index would first list all of their files."""
    if not (question.begins or question.ends):
        return False
    during = Q()
    if question.begins:
        during &= Q(arrive_date__gte=max(question.begins.date(), dt.date(2, 1, 1)) - MARGIN)
    if question.ends:
        during &= Q(depart_date__lte=min(question.ends.date(), dt.date(9998, 1, 1)) + MARGIN)
    counts = Cruise.objects.aggregate(all=Count("pk"), then=Count("pk", filter=during))
    return bool(counts["then"] <= max(counts["all"] * SHARE, 10))


def _touching(rows: Any, area: MultiPolygon) -> Any:
    """Rows whose geometry meets the area. SpatiaLite's functions do not look into its R-tree by themselves."""
    if connection.vendor == "sqlite":
        boxes = _boxes(area)
        near = " OR ".join(["(xmax >= %s AND xmin <= %s AND ymax >= %s AND ymin <= %s)"] * len(boxes))
        sides = [side for west, south, east, north in boxes for side in (west, east, south, north)]
        rows = rows.filter(pk__in=RawSQL(f"SELECT pkid FROM idx_inventory_coverage_geometry WHERE {near}", sides))  # noqa: S608, S611 - our own names
        return rows.filter(geometry__intersects=area)
    # PostGIS looks into its index by the box around what is asked: around an area on both sides of 180 degrees that is
    # a belt around the world.
    touching = Q()
    for part in _halves(area):
        touching |= Q(geometry__intersects=part)
    return rows.filter(touching)


def _boxes(area: MultiPolygon) -> list[tuple[float, float, float, float]]:
    """Boxes that hold the area: of its parts where they are few, else of those west and those east of Greenwich."""
    return [part.extent for part in (area if len(area) <= BOXES else _halves(area))]


def _halves(area: MultiPolygon) -> list[MultiPolygon]:
    """The parts of an area that begin west of Greenwich, and those east of it; the area where all are on one side."""
    halves = [[part for part in area if (part.extent[0] < 0) is west] for west in (True, False)]
    return [MultiPolygon(parts, srid=area.srid) for parts in halves if parts] if all(halves) else [area]


@dataclass(frozen=True, slots=True)
class Answer:
    """The files that answer, so many at most, by the keys of their rows in the order of time.

    `groups`: what they come to by data set, those with most files first. `more`: there are others.
    """

    keys: list[int]
    groups: list[dict[str, Any]]
    more: bool


def first(question: Question, by: Actor, most: int) -> Answer:
    """The first files that answer a question, at most so many, found once and kept for a while for the next pages.

    Ask anew, of the rows that are shown, whether they may be seen.
    """
    office, person = access.is_office(by), getattr(by, "pk", None)
    area = question.area.wkb.tobytes() if question.area else b""
    asked = repr((office, person, most, replace(question, area=None))).encode()
    place = f"files:{hashlib.sha256(asked + area).hexdigest()}"
    kept: Answer | None = cache.get(place)
    if kept is None:
        kept = _first(question, by, most)
        cache.set(place, kept, KEPT_FOR)
    return kept


class _Seconds(Func):
    """A time as seconds since 1970: ten thousand times take psycopg a tenth of a second to read."""

    template = "extract(epoch FROM %(expressions)s)::float8"
    output_field = FloatField()


def _first(question: Question, by: Actor, most: int) -> Answer:
    found: list[tuple[int, int, Any, Any]] = []
    ends: tuple[Any, Any] = F("first_at"), F("last_at")
    if connection.vendor == "postgresql":
        ends = _Seconds("first_at"), _Seconds("last_at")
    for rows in answers(question, by):
        found += rows.order_by().values_list("pk", "file", *ends)[: most + 1 - len(found)]
    files = File.objects.filter(_one_of([row[1] for row in found]), dataset__isnull=False).order_by()
    of = {pk: (dataset, size) for pk, dataset, size in files.values_list("pk", "dataset", "size")}
    shown = sorted((row for row in found if row[1] in of), key=lambda row: (row[2] is None, row[2] or 0, row[0]))[:most]
    groups: dict[int, dict[str, Any]] = {}
    for _, file, begins, ends in shown:
        dataset, size = of[file]
        row = groups.setdefault(dataset, {"dataset": dataset, "files": 0, "bytes": 0, "first": None, "last": None})
        row["files"] += 1
        row["bytes"] += size or 0
        row["first"] = min(row["first"] or begins, begins) if begins else row["first"]
        row["last"] = max(row["last"] or ends, ends) if ends else row["last"]
    for row in groups.values():
        row |= {"first": _time(row["first"]), "last": _time(row["last"])}
    ordered = sorted(groups.values(), key=lambda row: -row["files"])
    return Answer([row[0] for row in shown], ordered, len(found) > most)


def _time(told: Any) -> dt.datetime | None:
    """The moment of seconds since 1970, to the microsecond."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=told) if isinstance(told, float) else told


def _one_of(keys: list[int]) -> Any:
    """Files of these keys. PostgreSQL takes them as one value: ten thousand by themselves are slow to read."""
    if connection.vendor == "postgresql":
        return RawSQL("inventory_file.id = ANY(%s)", [keys], output_field=BooleanField())
    return Q(pk__in=keys)


def rows_of(keys: Sequence[int], by: Actor) -> list[Coverage]:
    """The rows of these keys in their order, with file, data set and cruise; those that may be seen still."""
    rows = _whole(Coverage.objects.visible_to(by)).in_bulk(keys)
    return [rows[key] for key in keys if key in rows]


def in_full(found: list[QuerySet[Coverage]]) -> Iterator[Coverage]:
    """Every row that answers, with its file, data set and cruise, a few thousand at a time."""
    for rows in found:
        rows = rows.filter(file__dataset__isnull=False)
        yield from _whole(rows).order_by("pk").iterator(chunk_size=2000)


def _whole(rows: Any) -> Any:
    """Rows with what is told of their file, data set, cruise and vessel, and no more."""
    own = ("first_at", "last_at", "geometry", "derived", "format", "instrument", "remark")
    file = ("path", "name", "size", "sha256")
    cruise = ("cruise__cruise_id", "cruise__vessel__name")
    dataset = ("uuid", "device_class", "make", "model", "location", "label", *cruise)
    told = (*own, *(f"file__{name}" for name in file), *(f"file__dataset__{name}" for name in dataset))
    return rows.select_related("file__dataset__cruise__vessel").only(*told)


def geometry_of(row: Coverage) -> dict[str, Any] | None:
    """The geometry of a row as GeoJSON."""
    found: dict[str, Any] | None = json.loads(geojson_of(row))
    return found


def geojson_of(row: Coverage) -> str:
    """The same as text."""
    return str(row.geometry.json) if row.geometry else "null"


def sides(row: Coverage) -> tuple[float | None, ...]:
    """The box around a row's geometry: west, south, east, north; west greater than east across 180 degrees."""
    made = row.geometry
    if made is None:
        return (None, None, None, None)
    points = [made.coords] if made.geom_type == "Point" else [point for line in made.coords for point in line]
    around = extent(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
    return tuple(around) if around else (None, None, None, None)
