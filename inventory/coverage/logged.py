"""Logs of lines with a time stamp: positions where the lines hold NMEA sentences, else the period alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import cast

import numpy as np

from inventory.coverage import moments
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.navigation import read

VERSION = 1
_POSITION = re.compile(rb"\$[A-OQ-Z][A-Z0-9](?:GGA|GLL|RMC|GNS),")
_STAMPED = 3  # stamps that a head must have, or all of its lines


class _Lines(io.RawIOBase):
    """The blocks of a file as a stream, which keeps the stamps that go by."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.stamps: list[int] = []
        self.positions = False

    def read(self, size: int = -1) -> bytes:
        block = next(self._blocks, b"")
        self.stamps += moments.stamps(block)
        self.positions = self.positions or bool(_POSITION.search(block))
        return block


def takes(source: Source) -> bool:
    """A text with NMEA positions or with time stamps at the beginnings of its lines."""
    if not source.is_text:
        return False
    head = source.head[:8192]
    return bool(_POSITION.search(source.head)) or len(moments.stamps(head)) >= min(_STAMPED, head.count(b"\n") or 1)


def read_log(source: Source) -> Reading:
    """Period and positions of a log. Raises Unreadable where no line tells its day.

    The stamps of the logger and the times of the receiver count for the period. Of a file larger than 16 MiB places
    all over it are read, and both ends.
    """
    stream = _Lines(source.blocks())
    fixes, report = read.read([cast(io.BufferedReader, stream)])
    time = fixes.time.astype("datetime64[ms]").astype(np.int64)
    usable = fixes.quality != 0
    remarks = []
    if report.date_faults:
        remarks.append(f"its receiver was wrong by {report.date_offset_days} days; the logger's day was taken")
    if report.checksum_invalid:
        remarks.append(f"{report.checksum_invalid:,} sentences with a wrong checksum were left out")
    if not len(time) and not stream.stamps:
        raise Unreadable("no line of it tells its day")
    name = "NMEA 0183 log" if report.sentences and stream.positions else "log with time stamps"
    return Reading(
        name,
        moments.known(stream.stamps),
        time[usable],
        fixes.longitude[usable],
        fixes.latitude[usable],
        remarks=tuple(remarks),
    )
