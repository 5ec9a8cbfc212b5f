"""Where the files of a data set were measured, all together, in few points. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from inventory.navigation.control import Line, simplify

MOST: Final = 1000  # points that are kept
PLENTY: Final = 100_000  # points in memory; more are thinned out while they come
JOIN: Final = 0.02  # degrees; a line that begins so near to the end of the one before goes on from there
FINEST: Final = 0.0005  # degrees; doubled until MOST points do


@dataclass(slots=True)
class Gathering:
    """Lines in degrees east and north, cut at 180 degrees, that come in the order of time; a place is a line of one.

    `tolerance`: degrees by which what is kept may be off.
    """

    lines: list[Line] = field(default_factory=list)
    tolerance: float = 0.0
    _points: int = 0
    _seen: set[int] = field(default_factory=set)

    def add(self, lines: Iterable[Sequence[tuple[float, float]]]) -> None:
        """The lines of one more file. One that was there already, as of two files of the same hours, is left out."""
        for line in lines:
            mark = hash(np.array(line, np.float64).tobytes())  # of tuples, those of -1 and -2 are the same
            if not line or mark in self._seen:
                continue
            self._seen.add(mark)
            last = self.lines[-1] if self.lines else []
            if len(last) > 1 and len(line) > 1 and _near(last[-1], line[0]):
                last += line[1:] if last[-1] == line[0] else line
            else:
                self.lines.append(list(line))
            self._points += len(line)
        if len(self._seen) > PLENTY:
            self._seen.clear()
        if self._points > PLENTY:
            self._thin(PLENTY // 2)

    def done(self) -> tuple[list[Line], list[tuple[float, float]]]:
        """Lines and places, together at most MOST points."""
        if self._points > MOST or any(len(line) > 2 for line in self.lines):
            self._thin(MOST)
        rounded = [[(round(x, 5), round(y, 5)) for x, y in line] for line in self.lines]
        places = [line[0] for line in rounded if len(set(line)) == 1]
        return [line for line in rounded if len(set(line)) > 1], places

    def _thin(self, most: int) -> None:
        """Makes lines simpler, and one place of those that lie together, more and more until `most` points are left."""
        tolerance = max(self.tolerance, FINEST)
        while True:
            kept = _thinned(self.lines, tolerance)
            points = sum(map(len, kept))
            if points <= most or tolerance > 360:
                break
            tolerance *= 2
        self.lines, self._points, self.tolerance = kept, points, tolerance


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) <= JOIN and abs(one[1] - other[1]) <= JOIN


def _thinned(lines: list[Line], tolerance: float) -> list[Line]:
    kept: list[Line] = []
    cells: set[tuple[int, int]] = set()
    for line in lines:
        x, y = (np.array(column) for column in zip(*line, strict=True))
        if max(np.ptp(x), np.ptp(y)) < tolerance:
            cell = math.floor(line[0][0] / tolerance), math.floor(line[0][1] / tolerance)
            if cell not in cells:
                cells.add(cell)
                kept.append(line[:1])
        else:
            kept.append([line[n] for n in simplify(x, y, tolerance).tolist()])
    return kept
