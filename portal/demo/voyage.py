"""A voyage by rule: where the ship is at every moment, which stations it works. Pure; the same for the same seed."""

from __future__ import annotations

import datetime as dt
import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from portal.demo.geography import Place, Region

EARTH_M = 6_371_008.8
KNOT = 0.514444
SPEED_MS = 10.5 * KNOT
STATION = dt.timedelta(hours=3, minutes=12)
PORT_CLEAR = 0.08  # of the course: no stations so near to a port


@dataclass(frozen=True, slots=True)
class Position:
    """Where the ship is. Degrees, m/s over ground, degrees clockwise from north, metres of water."""

    latitude: float
    longitude: float
    speed: float
    course: float
    depth: float


@dataclass(frozen=True, slots=True)
class Station:
    """A CTD station: its number, place, and when the ship lies there."""

    number: int
    latitude: float
    longitude: float
    begins: dt.datetime
    ends: dt.datetime
    depth: float


@dataclass(frozen=True)
class Voyage:
    """A voyage along a region's course: it sails at SPEED_MS and stops for stations until `ends`."""

    region: Region
    begins: dt.datetime
    ends: dt.datetime
    seed: int
    stations: tuple[Station, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "stations", tuple(self._stations()))

    @cached_property
    def _course(self) -> list[Place]:
        """The corners, longitudes without leaps at 180°."""
        corners = [self.region.course[0]]
        for latitude, longitude in self.region.course[1:]:
            turns = round((corners[-1][1] - longitude) / 360)
            corners.append((latitude, longitude + 360 * turns))
        return corners

    @cached_property
    def _along(self) -> list[float]:
        """Metres from the beginning to each corner."""
        along = [0.0]
        for a, b in pairwise(self._course):
            along.append(along[-1] + distance(a, b))
        return along

    @property
    def length(self) -> float:
        """Metres of the course."""
        return self._along[-1]

    def _stations(self) -> list[Station]:
        """As many stations as there is time for, at even distances between the ports."""
        spare = (self.ends - self.begins).total_seconds() - self.length / SPEED_MS
        count = max(0, int(spare // STATION.total_seconds()))
        found = []
        for number in range(1, count + 1):
            share = PORT_CLEAR + (1 - 2 * PORT_CLEAR) * (number - 0.5) / count
            metres = share * self.length
            begins = self.begins + dt.timedelta(seconds=metres / SPEED_MS) + STATION * (number - 1)
            latitude, longitude, _ = self._place(metres)
            found.append(Station(number, latitude, wrapped(longitude), begins, begins + STATION, self._depth(metres)))
        return found

    @cached_property
    def _station_begins(self) -> list[dt.datetime]:
        return [station.begins for station in self.stations]

    def _place(self, metres: float) -> tuple[float, float, float]:
        """Latitude, longitude (not wrapped) and course at a distance along."""
        metres = min(max(metres, 0.0), self.length)
        leg = min(bisect_right(self._along, metres), len(self._along) - 1)
        a, b = self._course[leg - 1], self._course[leg]
        whole = self._along[leg] - self._along[leg - 1]
        share = (metres - self._along[leg - 1]) / whole if whole else 0.0
        latitude, longitude = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
        east = (b[1] - a[1]) * math.cos(math.radians(latitude))
        return latitude, longitude, math.degrees(math.atan2(east, b[0] - a[0])) % 360

    def _depth(self, metres: float) -> float:
        """Metres of water: shelves at both ends, abyssal hills between."""
        share = metres / self.length
        shelf = min(share, 1 - share) / PORT_CLEAR
        hills = 3600 + 700 * math.sin(metres / 61_000 + self.seed) + 260 * math.sin(metres / 9_700)
        return max(18.0, hills * min(1.0, shelf))

    def at(self, moment: dt.datetime) -> Position:
        """Where the ship is at a moment; before and after the voyage it lies in port."""
        past = bisect_right(self._station_begins, moment)
        last = self.stations[past - 1] if past else None
        stopped = STATION * (past - 1) + (min(moment, last.ends) - last.begins) if last else dt.timedelta()
        on_station = last is not None and moment < last.ends
        metres = ((moment - self.begins) - stopped).total_seconds() * SPEED_MS
        latitude, longitude, course = self._place(metres)
        moving = 0 < metres < self.length and not on_station
        if last and on_station:  # drifts round its place
            minutes = (moment - last.begins).total_seconds() / 60
            latitude += 0.0012 * math.sin(minutes / 23)
            longitude += 0.0015 * math.sin(minutes / 31)
            course = (200 + 40 * math.sin(minutes / 17)) % 360
        speed = SPEED_MS if moving else 0.25 if on_station else 0.0
        return Position(latitude, wrapped(longitude), speed, course, self._depth(min(max(metres, 0), self.length)))

    def random(self, name: str) -> random.Random:
        """Chance that is the same every time, one stream for each name."""
        return random.Random(f"{self.seed}:{name}")  # noqa: S311  not for secrets


def distance(a: Place, b: Place) -> float:
    """Great-circle distance in metres (haversine, mean earth radius)."""
    lat1, lat2 = math.radians(a[0]), math.radians(b[0])
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(half))


def wrapped(longitude: float) -> float:
    """A longitude between -180 and 180."""
    return (longitude + 180) % 360 - 180
