"""The bounding box of a track on a round earth: west may be greater than east, across 180 degrees.
By quadrants, as GMT and R2R find it, so that our boxes agree with published ones."""

from typing import NamedTuple

import numpy as np

from inventory.navigation.fixes import Floats


class Extent(NamedTuple):
    """Degrees; -180 <= west, east <= 180; west > east when the box lies across 180 degrees."""

    west: float
    south: float
    east: float
    north: float


def extent(longitude: Floats, latitude: Floats) -> Extent | None:
    """The box around all places, shape (n,), but (0, 0), which receivers write for "unknown", and NaN.

    Which turn of longitude gives the box is decided by the quadrants that hold places: with both quadrants
    beside Greenwich, -180…180; else with both beside the date line, 0…360; with two opposite ones, the
    shorter box (Wessel and Smith, GMT minmax; used by rvdata/NavManager). None if no place is left.
    """
    x, y = np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
    known = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    if not known.any():
        return None
    south, north = float(y[known].min()), float(y[known].max())
    eastward = x[known] % 360
    signed = np.where(eastward > 180, eastward - 360, eastward)
    around_dateline = float(eastward.min()), float(eastward.max())
    around_greenwich = float(signed.min()), float(signed.max())

    held = np.isin(np.arange(4), np.minimum(eastward // 90, 3))
    if held[0] and held[3]:
        west, east = around_greenwich
    elif held[1] and held[2]:
        west, east = around_dateline
    else:
        west, east = min(around_greenwich, around_dateline, key=lambda box: box[1] - box[0])
    if west > 180 or (west == 180 and east > 180):
        west -= 360
    if east > 180:
        east -= 360
    return Extent(round(west, 9), south, round(east, 9), north)  # the turns cost the last digits
