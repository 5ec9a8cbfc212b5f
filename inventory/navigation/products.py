"""The three products of a clean track: best resolution, one minute, control points; and the track for a map.
Values are chosen, never interpolated; speed and course are those of the best-resolution track."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inventory.navigation.control import TOLERANCE, Line, simplify
from inventory.navigation.extent import extent
from inventory.navigation.fixes import Bools, Fixes, Floats
from inventory.navigation.geodesic import motion

MINUTE: Final = 60_000  # ms
NEAR: Final = 30_000  # ms; a fix stands for a whole minute from at most so far away


@dataclass(frozen=True, slots=True)
class Track:
    """Good fixes in the order of time with `speed` made good (m/s) and `course` (degrees), shape (n,).

    Both are from each fix to the next one of the best-resolution track, NaN where there is none.
    """

    fixes: Fixes
    speed: Floats
    course: Floats

    def __len__(self) -> int:
        return len(self.fixes)

    def take(self, which: NDArray[np.intp]) -> "Track":
        """The part of the track at these indices."""
        return Track(self.fixes.take(which), self.speed[which], self.course[which])


def best_resolution(fixes: Fixes, good: Bools) -> Track:
    """Every good fix at its native rate (product "bestres"); `good` is the mask of `clean`, shape (n,)."""
    chosen = fixes.take(good)
    speed, course = motion(chosen.time, chosen.longitude, chosen.latitude)
    return Track(chosen, speed, course)


def one_minute(track: Track) -> Track:
    """For each whole minute the nearest fix within 30 s, the earlier of two (product "1min").

    Times, speeds and courses stay those of the fix; a fix stands once even if it is nearest to two minutes.
    """
    time = track.fixes.time.astype("datetime64[ms]").astype(np.int64)
    if not len(time):
        return track
    minutes = np.unique(np.concatenate((time // MINUTE, time // MINUTE + 1))) * MINUTE
    after = np.searchsorted(time, minutes)
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, len(time) - 1)
    nearest = np.where(np.abs(time[before] - minutes) <= np.abs(time[after] - minutes), before, after)
    return track.take(np.unique(nearest[np.abs(time[nearest] - minutes) <= NEAR]))


def control_points(track: Track, tolerance: float = TOLERANCE, *, scaled: bool = False) -> Track:
    """The control points of a one-minute track (product "control"): see `control.simplify`."""
    return track.take(simplify(track.fixes.longitude, track.fixes.latitude, tolerance, scaled=scaled))


def to_geojson(lines: Sequence[Line], properties: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A GeoJSON feature (RFC 7946) of the lines that `control.split` made, six decimals of a degree.

    The geometry is a MultiLineString and null when there is no line; `bbox` has west > east across 180.
    """
    feature: dict[str, Any] = {"type": "Feature", "geometry": None, "properties": dict(properties or {})}
    if lines:
        points = np.array([point for line in lines for point in line])
        box = extent(points[:, 0], points[:, 1])
        if box is not None:
            feature["bbox"] = [round(side, 6) for side in box]
        coordinates = [[[round(x, 6), round(y, 6)] for x, y in line] for line in lines]
        feature["geometry"] = {"type": "MultiLineString", "coordinates": coordinates}
    return feature
