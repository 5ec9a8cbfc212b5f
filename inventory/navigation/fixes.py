"""Positions of a ship as parallel arrays, and the account of what a raw file held.
Arrays and not objects, because a month at 1 Hz is 2.6 million fixes."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Times = NDArray[np.datetime64]

UNKNOWN = -1  # quality or number of satellites where the sentence says nothing


@dataclass(frozen=True, slots=True)
class Fixes:
    """Fixes in the order of the files; all arrays have shape (n,).

    `time` datetime64[ms] UTC; `longitude`, `latitude` float64 degrees east and north (WGS 84);
    `quality` int16 NMEA GGA indicator; `nsv` int16 satellites in use; both -1 where unknown;
    `hdop` float32; `altitude` float32 metres of the antenna above mean sea level; both NaN where unknown.
    """

    time: Times
    longitude: Floats
    latitude: Floats
    quality: NDArray[np.int16]
    nsv: NDArray[np.int16]
    hdop: NDArray[np.float32]
    altitude: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, which: NDArray[np.intp] | Bools) -> Self:
        """The fixes at these indices, or where the mask is true."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def of(cls, time: Times, longitude: NDArray[Any], latitude: NDArray[Any]) -> Self:
        """Fixes of which nothing but time and place is known."""
        size = len(time)
        return cls(
            time.astype("datetime64[ms]"),
            np.asarray(longitude, np.float64),
            np.asarray(latitude, np.float64),
            np.full(size, UNKNOWN, np.int16),
            np.full(size, UNKNOWN, np.int16),
            np.full(size, np.nan, np.float32),
            np.full(size, np.nan, np.float32),
        )


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What was read: counts over all files of one feed.

    `lines` all lines; `foreign` those without an NMEA sentence; `sentences` how many of each address
    ("GPGGA"); `fixes` the fixes returned. Of the sentences used (GGA, GNS, GLL, RMC, ZDA):
    `checksum_invalid` were dropped, `checksum_absent` were used all the same, `malformed` could not be parsed
    (`malformed_at`: number of the file from 0, line from 1, of the first few), `no_position` were empty
    (no fix yet), `no_time` could not be dated, `same_epoch` repeated the epoch of a better sentence,
    `superseded` had no time of their own in a file whose other sentences have one.
    `clock_offset_s` seconds (median) by which the logger's stamps are later than the receiver's times, None
    if they cannot be compared; `by_stamp` fixes whose time is the logger's, hence off by as much.
    `date_faults` ZDA or RMC dates that differ from the logger's by more than a day, and were not believed;
    `date_offset_days` how far the first of them was off (-7168: one GPS week roll-over), None if none.
    """

    lines: int
    foreign: int
    sentences: dict[str, int]
    fixes: int
    checksum_invalid: int
    checksum_absent: int
    malformed: int
    malformed_at: tuple[tuple[int, int], ...]
    no_position: int
    no_time: int
    same_epoch: int
    superseded: int
    by_stamp: int
    clock_offset_s: float | None
    date_faults: int
    date_offset_days: int | None
