"""Control points: the few fixes that keep the shape of a track, and the lines drawn through them.
Planar in degrees, as R2R's own are, but never wrong across the date line."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory.navigation.fixes import Floats, Times
from inventory.navigation.geodesic import seconds

TOLERANCE: Final = 0.01  # degrees; rvdata/NavManager navsimplifier.java, confirmed on the product RR2402

Line = list[tuple[float, float]]


def simplify(
    longitude: Floats, latitude: Floats, tolerance: float = TOLERANCE, *, scaled: bool = False
) -> NDArray[np.intp]:
    """Indices, ascending, of the points to keep; no dropped one is farther than `tolerance` from their line.

    Douglas-Peucker (D. H. Douglas and T. K. Peucker, 1973) with the distance to the segment, in degrees, on
    longitudes unwrapped first; first and last are kept. `scaled` shortens differences of longitude by the
    cosine of latitude (the largest within each segment, so that the tolerance holds everywhere): fewer
    points in high latitudes, but not R2R's. Coordinates have shape (n,); memory is a few times theirs.
    Raises ValueError for a coordinate that is not finite, arrays of unequal length, a tolerance below 0.
    """
    if len(longitude) != len(latitude) or not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        raise ValueError("a track needs as many longitudes as latitudes, all of them finite")
    if not tolerance >= 0:
        raise ValueError(f"a tolerance of {tolerance} degrees is not possible")
    x, y = unwrap(longitude), np.asarray(latitude, np.float64)
    size = len(x)
    keep = np.zeros(size, bool)
    keep[[0, -1] if size else []] = True
    cosine = np.maximum(np.cos(np.radians(y)), 0.0) if scaled else None
    waiting = [(0, size - 1)] if size > 2 else []
    while waiting:
        first, last = waiting.pop()
        inner = slice(first + 1, last)
        factor = 1.0 if cosine is None else float(cosine[first : last + 1].max())
        across, along = (x[last] - x[first]) * factor, y[last] - y[first]
        dx, dy = (x[inner] - x[first]) * factor, y[inner] - y[first]
        length = across * across + along * along
        if length > 0:
            share = np.clip((dx * across + dy * along) / length, 0.0, 1.0)
            dx, dy = dx - share * across, dy - share * along
        distance = dx * dx + dy * dy
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance * tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            if middle - first > 1:
                waiting.append((first, middle))
            if last - middle > 1:
                waiting.append((middle, last))
    return np.flatnonzero(keep)


def unwrap(longitude: Floats) -> Floats:
    """The longitudes, shape (n,), without leaps at 180 degrees: each within half a turn of the one before."""
    return np.asarray(np.unwrap(np.asarray(longitude, np.float64), period=360.0), np.float64)


def pieces(time: Times, max_gap_s: float | None) -> list[slice]:
    """The stretches of a track, shape (n,), between pauses of more than `max_gap_s` seconds (None: one)."""
    if not len(time):
        return []
    cuts = np.flatnonzero(seconds(time) > max_gap_s) + 1 if max_gap_s is not None else np.zeros(0, np.intp)
    bounds = [0, *cuts.tolist(), len(time)]
    return [slice(begin, end) for begin, end in pairwise(bounds)]


def split(longitude: Floats, latitude: Floats, time: Times | None = None, max_gap_s: float | None = None) -> list[Line]:
    """The lines (lon, lat) of a MultiLineString: cut at ±180 degrees and, with `max_gap_s`, at pauses.

    At the date line both pieces get the point where they cross it, interpolated, one at 180 and one at -180.
    Repeated places are left out, and a line of a single place is never made: a ship that never moved, or a
    lone fix between two pauses, gives no line. Pauses are those between the points given, so look for them
    in the full track (`control_lines`), not between control points.
    Raises ValueError for `max_gap_s` without `time`.
    """
    if max_gap_s is not None and time is None:
        raise ValueError("pauses cannot be found without the times")
    stretches = pieces(time, max_gap_s) if time is not None else [slice(0, len(longitude))]
    lines: list[Line] = []
    for stretch in stretches:
        lines += _cut_at_dateline(unwrap(longitude[stretch]), np.asarray(latitude[stretch], np.float64))
    return lines


def _cut_at_dateline(x: Floats, y: Floats) -> list[Line]:
    turn = np.floor((x + 180) / 360)
    place = x - 360 * turn
    place = np.where(place >= 180, -180.0, place)  # rounding in the subtraction
    crossings = np.flatnonzero(turn[1:] != turn[:-1])
    lines: list[Line] = []
    line: Line = []
    begin = 0
    for before in crossings.tolist():
        line += zip(place[begin : before + 1].tolist(), y[begin : before + 1].tolist(), strict=True)
        edge = 360 * max(turn[before], turn[before + 1]) - 180
        share = (edge - x[before]) / (x[before + 1] - x[before])
        crossing = float(y[before] + share * (y[before + 1] - y[before]))
        side = 180.0 if turn[before + 1] > turn[before] else -180.0
        lines.append([*line, (side, crossing)])
        line, begin = [(-side, crossing)], before + 1
    line += zip(place[begin:].tolist(), y[begin:].tolist(), strict=True)
    lines.append(line)
    distinct = [[point for number, point in enumerate(one) if not number or point != one[number - 1]] for one in lines]
    return [one for one in distinct if len(one) > 1]


def control_lines(
    longitude: Floats,
    latitude: Floats,
    time: Times,
    tolerance: float = TOLERANCE,
    *,
    scaled: bool = False,
    max_gap_s: float | None = None,
) -> list[Line]:
    """The lines of a track between its pauses, each simplified with its ends kept, cut at ±180 degrees.

    Raises ValueError as `simplify` does.
    """
    lines: list[Line] = []
    for stretch in pieces(time, max_gap_s):
        x, y = longitude[stretch], latitude[stretch]
        kept = simplify(x, y, tolerance, scaled=scaled)
        lines += split(x[kept], y[kept])
    return lines
