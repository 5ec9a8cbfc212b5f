"""Outlines of areas as people draw them, made into valid polygons that are cut at 180 degrees. Pure but for GEOS."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.gis.geos import GEOSException, MultiPolygon, Polygon

WORLD: Final = Polygon.from_bbox((-180, -90, 180, 90))
MOST: Final = 10_000  # points of one area; its outline is made simpler until it has so many
MENDED: Final = 50_000  # points up to which one that crosses itself is mended; that takes long
FINEST: Final = 0.0001  # degrees, to begin with
COARSEST: Final = 0.2  # degrees; what still has more points is too much for one area

Ring = list[tuple[float, float]]
Rings = list[list[Ring]]


class Wrong(Exception):
    """Why something is no area, in words for people."""


@dataclass(frozen=True, slots=True)
class Outline:
    """An area that may be asked for: its geometry, the degrees by which it was made simpler, what was mended."""

    geometry: MultiPolygon
    tolerance: float = 0.0
    remark: str = ""


def features(text: bytes) -> list[tuple[dict[str, Any], Any]]:
    """Properties and geometry of each feature of a GeoJSON text. Raises Wrong for what is no GeoJSON in degrees."""
    try:
        value = json.loads(text.decode("utf-8-sig"))
        kind = value["type"]
        if "crs" in value and not any(name in json.dumps(value["crs"]) for name in ("CRS84", "4326")):
            raise Wrong("Its coordinates are not degrees on WGS 84; convert it to EPSG:4326 first.")
        rows = value["features"] if kind == "FeatureCollection" else [value]
        found = []
        for row in rows:
            whole = row["type"] == "Feature"
            properties = row.get("properties") or {} if whole else {}
            found.append((properties if isinstance(properties, dict) else {}, row.get("geometry") if whole else row))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        what = f" {error}" if isinstance(error, ValueError) else ""
        raise Wrong(f"It is no GeoJSON.{what[:200]}") from None
    return found


def outline(geometry: Any) -> Outline:
    """The area of a Polygon or MultiPolygon of GeoJSON. Raises Wrong.

    A ring may cross 180 degrees by going on (170 to 190) or by changing sign. What crosses itself is mended and told.
    """
    try:
        mended: list[str] = []
        parts = [part for rings in _rings(geometry) for part in _cut(rings, mended)]
        if not parts:
            raise Wrong("it has no area")
        made = MultiPolygon(parts, srid=4326)
        if len(parts) > 1:
            made = _together(made.unary_union)
        made, tolerance = _simpler(made)
    except (GEOSException, ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise Wrong(f"it cannot be read as polygons: {str(error)[:100] or type(error).__name__}") from None
    return Outline(made, tolerance, "; ".join(dict.fromkeys(mended))[:500])


def united(one: Outline, other: Outline) -> Outline:
    """Two areas as one."""
    made, tolerance = _simpler(_together(one.geometry.union(other.geometry)))
    remark = "; ".join(dict.fromkeys(part for part in (one.remark, other.remark) if part))
    return Outline(made, max(tolerance, one.tolerance, other.tolerance), remark[:500])


def polygons(made: Any) -> Iterator[Polygon]:
    """The polygons of whatever GEOS made."""
    for part in made if made.geom_type in ("MultiPolygon", "GeometryCollection") else [made]:
        if isinstance(part, Polygon) and not part.empty:
            yield part


def _together(made: Any) -> MultiPolygon:
    return MultiPolygon(list(polygons(made)), srid=4326)


def _rings(geometry: Any) -> Rings:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        kind = str(geometry.get("type"))[:30] if isinstance(geometry, dict) else "nothing"
        raise Wrong(f"it is {kind}, not a polygon")
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    found = [[[(float(p[0]), float(p[1])) for p in ring] for ring in part] for part in parts]
    for part in found:
        for ring in part:
            if any(not (-360 <= x <= 360 and -90 <= y <= 90) for x, y in ring):
                raise Wrong("it leaves the world; longitude comes before latitude, in degrees")
    return found


def _cut(rings: list[Ring], mended: list[str]) -> Iterator[Polygon]:
    """The parts of one polygon between -180 and 180 degrees."""
    if not rings:
        return
    shell, *holes = (_going_on(ring) for ring in rings)
    low, high = min(x for x, _ in shell), max(x for x, _ in shell)
    holes = [_beside(hole, (low + high) / 2) for hole in holes]
    whole: Any = Polygon(shell, *holes)
    if not whole.valid:
        if whole.num_points > MENDED:
            raise Wrong(f"it crosses itself and has more than {MENDED:,} points; mend it or make it simpler first")
        mended.append(f"it was mended: {whole.valid_reason[:80]}")
        whole = whole.make_valid()
    for turn in (0.0, -360.0, 360.0):
        if low + turn >= 180 or high + turn <= -180:
            continue
        for part in polygons(whole):
            moved = Polygon(*[[(x + turn, y) for x, y in ring] for ring in part.coords]) if turn else part
            yield from polygons(moved) if low + turn >= -180 and high + turn <= 180 else polygons(moved & WORLD)


def _going_on(ring: Ring) -> Ring:
    """A ring without leaps over 180 degrees: its longitudes go on beyond. An edge along both ends of the map stays."""
    made, turn = ring[:1], 0.0
    for (before, _), (x, y) in itertools.pairwise(ring):
        step = x - before
        if 180 < abs(step) < 359.999:
            turn -= math.copysign(360, step)
        made.append((x + turn, y))
    if turn:
        raise Wrong("it goes around a pole; draw it to the pole and back along 180 degrees")
    return made


def _beside(hole: Ring, middle: float) -> Ring:
    """A hole on the same turn as the middle of its polygon."""
    turn = round((middle - hole[0][0]) / 360) * 360.0 if hole else 0.0
    return [(x + turn, y) for x, y in hole]


def _simpler(made: MultiPolygon) -> tuple[MultiPolygon, float]:
    """The area with at most MOST points, and the degrees that it took. Raises Wrong where that would spoil it."""
    tolerance = 0.0
    found: Any = made
    while found.num_points > MOST:
        tolerance = max(tolerance * 2, FINEST)
        if tolerance > COARSEST:
            raise Wrong(f"it has {made.num_points:,} points in {len(made):,} parts, too many for one area")
        found = made.simplify(tolerance)  # islands and holes smaller than that go
    if tolerance:
        found = _together(found if found.valid else found.make_valid())
    if not found:
        raise Wrong(f"it has {made.num_points:,} points in parts that are too small")
    return found, tolerance
