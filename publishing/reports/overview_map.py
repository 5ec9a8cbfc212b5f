"""Draws the overview map of a report: the track over land, a graticule, both ends; as SVG, without network. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Point = tuple[float, float]
WIDTH = 720.0
MARGIN = 0.18  # of the extent, so that a coast near by is seen
LEAST_DEGREES = 1.5


def draw(lines: Sequence[str], folder: Path) -> str:
    """An SVG of the track. `lines` are posLists, longitude latitude pairs in degrees, cut at ±180.

    `folder` holds the land as GeoJSON, made at set-up; without it the map has no land. Equirectangular, longitudes
    shortened by the cosine of the middle latitude.
    """
    track = [_unwrapped(line) for line in lines]
    track = _joined(track)
    west, south, east, north = _window(track)
    squeeze = max(math.cos(math.radians((south + north) / 2)), 0.1)
    scale = WIDTH / ((east - west) * squeeze)
    height = (north - south) * scale

    def place(point: Point) -> str:
        return f"{(point[0] - west) * squeeze * scale:.1f},{(north - point[1]) * scale:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="Map of the ship&#8217;s track" class="overview-map">',
        f'<rect class="sea" width="{WIDTH:.0f}" height="{height:.0f}"/>',
    ]
    land = "".join(f"M{' '.join(map(place, ring))}Z" for ring in _land(folder, west, south, east, north))
    if land:
        parts.append(f'<path class="land" fill-rule="evenodd" d="{land}"/>')
    parts += _graticule(west, south, east, north, place, height)
    parts += [f'<polyline class="track" fill="none" points="{" ".join(map(place, line))}"/>' for line in track]
    for name, (x, y) in (("start", track[0][0]), ("end", track[-1][-1])):
        px, py = place((x, y)).split(",")
        parts.append(f'<circle class="{name}" cx="{px}" cy="{py}" r="5"/>')
    return "".join([*parts, "</svg>"])


def _unwrapped(line: str) -> list[Point]:
    values = [float(word) for word in line.split()]
    return list(zip(values[::2], values[1::2], strict=True))


def _joined(track: list[list[Point]]) -> list[list[Point]]:
    """The pieces in one turn of longitude: a piece that goes on across 180° is shifted to where the last one ended."""
    moved: list[list[Point]] = []
    shift = 0.0
    for line in track:
        if moved:
            shift += 360 * round((moved[-1][-1][0] - (line[0][0] + shift)) / 360)
        moved.append([(x + shift, y) for x, y in line])
    return moved


def _window(track: list[list[Point]]) -> tuple[float, float, float, float]:
    """West, south, east, north of what is drawn, in a shape that suits a page."""
    xs = [x for line in track for x, _ in line]
    ys = [y for line in track for _, y in line]
    south, north = _wider(min(ys), max(ys), LEAST_DEGREES)
    squeeze = max(math.cos(math.radians((south + north) / 2)), 0.1)
    west, east = _wider(min(xs), max(xs), LEAST_DEGREES / squeeze)
    wide, high = (east - west) * squeeze, north - south
    if high > wide * 0.8:
        west, east = _wider(west, east, high / 0.8 / squeeze, margin=0)
    elif high < wide * 0.45:
        south, north = _wider(south, north, wide * 0.45, margin=0)
    return west, max(south, -90.0), east, min(north, 90.0)


def _wider(low: float, high: float, least: float, margin: float = MARGIN) -> tuple[float, float]:
    half = max((high - low) * (0.5 + margin), least / 2)
    middle = (low + high) / 2
    return middle - half, middle + half


@lru_cache(maxsize=2)
def _rings(path: Path) -> list[tuple[tuple[float, float, float, float], list[Point]]]:
    """Every ring of the land with its box."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    found = []
    for polygon in _polygons(document):
        for ring in polygon:
            points = [(float(x), float(y)) for x, y, *_ in ring]
            xs, ys = [x for x, _ in points], [y for _, y in points]
            found.append(((min(xs), min(ys), max(xs), max(ys)), points))
    return found


def _polygons(document: Any) -> Iterable[Any]:
    """The polygons of any GeoJSON object."""
    kind = document.get("type")
    if kind == "FeatureCollection":
        for feature in document["features"]:
            yield from _polygons(feature)
    elif kind == "Feature":
        yield from _polygons(document["geometry"])
    elif kind == "GeometryCollection":
        for geometry in document["geometries"]:
            yield from _polygons(geometry)
    elif kind == "MultiPolygon":
        yield from document["coordinates"]
    elif kind == "Polygon":
        yield document["coordinates"]


def _land(folder: Path, west: float, south: float, east: float, north: float) -> Iterable[list[Point]]:
    """Rings that touch the window, in every turn of longitude that it shows; clipped to it with some room."""
    name = "land-50m.json" if east - west < 60 else "land-110m.json"
    room = (east - west) * 0.1
    for turn in (-360.0, 0.0, 360.0):
        for (w, s, e, n), ring in _rings(folder / name):
            if w + turn > east or e + turn < west or s > north or n < south:
                continue
            clipped = _clip([(x + turn, y) for x, y in ring], west - room, south - room, east + room, north + room)
            if len(clipped) > 2:
                yield clipped


def _clip(ring: list[Point], west: float, south: float, east: float, north: float) -> list[Point]:
    """Sutherland and Hodgman's clipping of a ring to a box (1974)."""
    for axis, bound, keep_above in ((0, west, True), (0, east, False), (1, south, True), (1, north, False)):
        inside = [(p[axis] >= bound) == keep_above or p[axis] == bound for p in ring]
        clipped: list[Point] = []
        for index, point in enumerate(ring):
            before, was_in = ring[index - 1], inside[index - 1]
            if inside[index] != was_in:
                share = (bound - before[axis]) / (point[axis] - before[axis])
                other = before[1 - axis] + share * (point[1 - axis] - before[1 - axis])
                clipped.append((bound, other) if axis == 0 else (other, bound))
            if inside[index]:
                clipped.append(point)
        ring = clipped
        if not ring:
            break
    return ring


def _graticule(west: float, south: float, east: float, north: float, place: Any, height: float) -> Iterable[str]:
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 30, 45, 90) if (east - west) / s <= 8 or s == 90)
    for x in _ticks(west, east, step):
        px = place((x, north)).split(",")[0]
        yield f'<line class="graticule" x1="{px}" y1="0" x2="{px}" y2="{height:.0f}"/>'
        yield f'<text class="label" x="{px}" y="{height - 6:.0f}" dx="3">{escape(_degrees(x, "E", "W"))}</text>'
    for y in _ticks(south, north, step):
        py = place((west, y)).split(",")[1]
        yield f'<line class="graticule" x1="0" y1="{py}" x2="{WIDTH:.0f}" y2="{py}"/>'
        yield f'<text class="label" x="4" y="{py}" dy="-3">{escape(_degrees(y, "N", "S"))}</text>'


def _ticks(low: float, high: float, step: float) -> Iterable[float]:
    first = math.ceil(low / step)
    return (n * step for n in range(first, math.floor(high / step) + 1))


def _degrees(value: float, positive: str, negative: str) -> str:
    value = (value + 180) % 360 - 180 if positive == "E" else value
    side = "" if value == 0 else positive if value > 0 else negative
    return f"{abs(value):g}°{side}"
