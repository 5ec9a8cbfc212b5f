"""Where the ship was at a time, by its track: for files that tell only when they were measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from inventory.coverage.reading import Reading, nothing, nowhere
from inventory.coverage.shape import Shape, shape
from inventory.navigation.fixes import Floats, Ints

NEAR: Final = 10 * 60_000  # ms; a fix that is farther from the period does not place it
EDGE: Final = 60_000  # ms; the fix just before and just after belong to the way


@dataclass(frozen=True, slots=True)
class Course:
    """Fixes of a clean track in the order of time, shape (n,): ms since 1970 UTC, degrees east and north."""

    time: Ints = field(default_factory=nothing)
    longitude: Floats = field(default_factory=nowhere)
    latitude: Floats = field(default_factory=nowhere)

    def between(self, first: int, last: int) -> Shape | None:
        """The way in a period, both ends included; the nearest place where it is shorter than the steps of the track.

        None where the track has no fix within ten minutes.
        """
        begin, end = np.searchsorted(self.time, (first - EDGE, last + EDGE + 1))
        if begin == end:
            middle = (first + last) // 2
            near = [n for n in (begin - 1, begin) if 0 <= n < len(self.time)]
            nearest = min(near, key=lambda n: abs(int(self.time[n]) - middle), default=None)
            if nearest is None or min(abs(int(self.time[nearest]) - edge) for edge in (first, last)) > NEAR:
                return None
            begin, end = nearest, nearest + 1
        some = slice(int(begin), int(end))
        reading = Reading("", nothing(), self.time[some], self.longitude[some], self.latitude[some])
        return shape(reading, (first - NEAR, last + NEAR))
