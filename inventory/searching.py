"""Which files were measured in an area and a period: the question as people put it, and the rows that answer it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django import forms
from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon, Polygon
from django.core.cache import cache
from django.db import connection
from django.db.models import BooleanField, Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from inventory.areas import AreaField
from inventory.models import Coverage, File
from inventory.navigation.extent import extent
from inventory.outline import WORLD, polygons
from inventory.states import DEVICE_CLASSES, UNTIMED
from portal import access
from portal.access import Actor
from portal.models import Cruise, Vessel
from portal.refusals import Fault, NotLikeThis

# Overlapping periods by the index `coverage_during`, which holds both ends of each.
_DURING: Final = (
    "inventory_coverage.first_at IS NOT NULL"
    " AND tstzrange(inventory_coverage.first_at, inventory_coverage.last_at, '[]')"
    " && tstzrange(%s::timestamptz, %s::timestamptz, '[]')"
)
KEPT_FOR: Final = 300  # s that the files found are kept for the pages that follow
LISTED: Final = 2_000  # files that a page counts and lists
MOST: Final = 10_000  # files that the API counts and lists; downloads give all
SHARE: Final = 0.2  # of the cruises, in which a period lies for which its index is asked
MARGIN: Final = dt.timedelta(days=30)  # around a cruise
VERTICES: Final = 500
LONGEST: Final = 20_000  # signs of a polygon
BOXES: Final = 20  # in which SpatiaLite is asked to look; an area of more parts is asked by its halves of the world


@dataclass(frozen=True, slots=True)
class Question:
    """Where (None: anywhere), from and to when (None: open), of which class and vessel ("": any).

    `unplaced`: also files of the period of which no position is known.
    """

    area: MultiPolygon | None = None
    begins: dt.datetime | None = None
    ends: dt.datetime | None = None
    device_class: str = ""
    vessel: str = ""
    unplaced: bool = False


class SearchForm(forms.Form):
    """The question, with what is wrong beside its field. At least an area or a period."""

    bbox = forms.CharField(
        label="Box",
        required=False,
        max_length=200,
        help_text="west, south, east, north, as 170, -20, -170, 10; west may be greater than east, across 180°",
    )
    polygon = forms.CharField(
        label="Or a polygon",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"WKT or GeoJSON, longitude before latitude, at most {VERTICES} points",
    )
    area = AreaField(label="Or a named area", required=False, empty_label="No named area")
    vessel = forms.ModelChoiceField(Vessel.objects.all(), required=False, empty_label="All vessels")
    unplaced = forms.BooleanField(label="Also files without a known position", required=False)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        kinds = [(name, says) for name, says in DEVICE_CLASSES.items() if name not in UNTIMED]
        self.fields["class"] = forms.ChoiceField(label="Device", choices=[("", "All devices"), *kinds], required=False)
        for name, label in (("from", "From"), ("to", "To")):
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=40,
                help_text="day or time, UTC, as 2026-03-02 or 2026-03-02T12:00",
            )
        self.order_fields(["bbox", "polygon", "area", "from", "to", "class", "vessel", "unplaced"])

    def clean_bbox(self) -> MultiPolygon | None:
        text = self.cleaned_data["bbox"]
        return box(text) if text.strip() else None

    def clean_polygon(self) -> MultiPolygon | None:
        text = self.cleaned_data["polygon"]
        return polygon(text) if text.strip() else None

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        for name in ("from", "to"):
            try:
                values[name] = _moment(values.get(name, ""), end=name == "to")
            except forms.ValidationError as error:
                self.add_error(name, error)
        begins, ends = values.get("from"), values.get("to")
        if begins and ends and begins > ends:
            self.add_error("to", "The period ends before it begins.")
        areas = [name for name in ("bbox", "polygon", "area") if values.get(name)]
        for name in areas[1:]:
            self.add_error(name, "Give a box, a polygon or a named area, not both.")
        if not (self.errors or areas or begins or ends):
            raise forms.ValidationError("Tell an area, a period, or both.")
        return values

    @property
    def question(self) -> Question:
        """What is asked; of a valid form."""
        values = self.cleaned_data
        return Question(
            values["bbox"] or values["polygon"] or (values["area"].geometry if values["area"] else None),
            values["from"],
            values["to"],
            values["class"],
            values["vessel"].pk if values["vessel"] else "",
            values["unplaced"],
        )


def asked(data: Mapping[str, Any]) -> Question:
    """The question of a program. Raises NotLikeThis with every fault."""
    form = SearchForm(data)
    if not form.is_valid():
        faults = [
            Fault("" if name == "__all__" else name, str(what)) for name, all_ in form.errors.items() for what in all_
        ]
        raise NotLikeThis("The question cannot be answered.", faults)
    return form.question


def _moment(text: str, *, end: bool) -> dt.datetime | None:
    """A day (for the end: its last moment) or a time, UTC where no zone is told."""
    text = text.strip()
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise forms.ValidationError(f"{text[:40]} is no day or time; write 2026-03-02 or 2026-03-02T12:00.") from None
    if len(text) <= 10 and end:
        found += dt.timedelta(days=1, microseconds=-1) if found < dt.datetime(9999, 12, 31) else dt.timedelta()  # noqa: DTZ001
    try:
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except OverflowError:
        raise forms.ValidationError(f"{text[:40]} is outside the calendar.") from None


def box(text: str) -> MultiPolygon:
    """West, south, east, north in degrees; in two parts where west is greater than east. Raises ValidationError."""
    try:
        west, south, east, north = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise forms.ValidationError("A box is four numbers: west, south, east, north.") from None
    if not (-90 <= south < north <= 90):
        raise forms.ValidationError("South must lie below north, both between -90 and 90.")
    if not (-180 <= west <= 180 and -180 <= east <= 180) or west == east:
        raise forms.ValidationError("West and east must differ, both between -180 and 180.")
    parts = [(west, east)] if west < east else [(one, two) for one, two in ((west, 180), (-180, east)) if one < two]
    return MultiPolygon([Polygon.from_bbox((one, south, two, north)) for one, two in parts], srid=4326)


def polygon(text: str) -> MultiPolygon:
    """A polygon or several, as WKT or GeoJSON, cut at 180 degrees; longitudes may go on beyond, as 170 to 190.

    Raises ValidationError with what is wrong: no polygon, too many points, outside the world, crossing itself.
    """
    rings = _rings(text.strip())
    points = sum(len(ring) for part in rings for ring in part)
    if points > VERTICES:
        raise forms.ValidationError(f"It has {points:,} points; at most {VERTICES} are taken. Simplify it first.")
    if any(not (-360 <= x <= 360 and -90 <= y <= 90) for part in rings for ring in part for x, y in ring):
        raise forms.ValidationError("It leaves the world; give longitude before latitude, in degrees.")
    found: list[Polygon] = []
    try:
        for turn in (-360, 0, 360):
            for part in rings:
                moved = Polygon(*[[(x + turn, y) for x, y in ring] for ring in part])
                if not moved.valid:
                    raise forms.ValidationError(f"It is not a valid polygon: {moved.valid_reason}.")
                found += polygons(moved.intersection(WORLD))
    except (GEOSException, ValueError, TypeError) as error:
        raise forms.ValidationError(f"It is not a valid polygon: {error}.") from None
    if not found:
        raise forms.ValidationError("It has no area.")
    return MultiPolygon(found, srid=4326)


Rings = list[list[list[tuple[float, float]]]]


def _rings(text: str) -> Rings:
    """The rings of each polygon of a text."""
    try:
        if text.startswith("{"):
            return _of_geojson(json.loads(text))
        if not text.upper().startswith(("POLYGON", "MULTIPOLYGON")):
            raise forms.ValidationError("It is neither WKT (POLYGON …) nor GeoJSON.")
        made: Any = GEOSGeometry(text)
        parts = made.coords if made.geom_type == "MultiPolygon" else (made.coords,)
        return [[[(float(p[0]), float(p[1])) for p in ring] for ring in part] for part in parts]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, GEOSException):
        raise forms.ValidationError("It cannot be read as a polygon: a bracket or a number is missing.") from None


def _of_geojson(value: Any) -> Rings:
    if value["type"] == "FeatureCollection":
        return [part for feature in value["features"] for part in _of_geojson(feature)]
    if value["type"] == "Feature":
        return _of_geojson(value["geometry"])
    if value["type"] not in ("Polygon", "MultiPolygon"):
        raise forms.ValidationError(f"It is a {str(value['type'])[:30]}, not a polygon.")
    parts = value["coordinates"] if value["type"] == "MultiPolygon" else [value["coordinates"]]
    return [[[(float(p[0]), float(p[1])) for p in ring] for ring in part] for part in parts]


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


def _first(question: Question, by: Actor, most: int) -> Answer:
    found: list[tuple[int, int, Any, Any]] = []
    for rows in answers(question, by):
        found += rows.order_by().values_list("pk", "file", "first_at", "last_at")[: most + 1 - len(found)]
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
    ordered = sorted(groups.values(), key=lambda row: -row["files"])
    return Answer([row[0] for row in shown], ordered, len(found) > most)


def _one_of(keys: list[int]) -> Any:
    """Files of these keys. PostgreSQL takes them as one value: ten thousand by themselves are slow to read."""
    if connection.vendor == "postgresql":
        return RawSQL("inventory_file.id = ANY(%s)", [keys], output_field=BooleanField())
    return Q(pk__in=keys)


def rows_of(keys: Sequence[int], by: Actor) -> list[Coverage]:
    """The rows of these keys in their order, with file, data set and cruise; those that may be seen still."""
    rows = Coverage.objects.visible_to(by).select_related("file__dataset__cruise__vessel").in_bulk(keys)
    return [rows[key] for key in keys if key in rows]


def in_full(found: list[QuerySet[Coverage]]) -> Iterator[Coverage]:
    """Every row that answers, with its file, data set and cruise, a few thousand at a time."""
    for rows in found:
        rows = rows.filter(file__dataset__isnull=False)
        yield from rows.select_related("file__dataset__cruise__vessel").order_by("pk").iterator(chunk_size=2000)


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
