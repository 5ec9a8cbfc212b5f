"""The question which files were measured in an area and a period, as people and programs put it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.gis.geos import GEOSException, GEOSGeometry, MultiPolygon, Polygon

from inventory.areas import AreaField
from inventory.outline import WORLD, polygons
from inventory.states import DEVICE_CLASSES, UNTIMED
from portal.models import Vessel
from portal.refusals import Fault, NotLikeThis

VERTICES: Final = 500
LONGEST: Final = 20_000  # signs of a polygon


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
