"""An open file as a reader sees it, and what the reader says of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from inventory.lines import whole_lines
from inventory.navigation.fixes import Floats, Ints

HEAD = 64 * 1024
LONGEST = 64 * 1024  # bytes of a line; more without a line end is no text
BLOCK = 512 * 1024
SPOT = 16 * 1024  # bytes looked at in one place of a file that is not read whole
WHOLE = 16 * 1024**2  # bytes up to which a text is read from its first line to its last
SECONDS = 60.0  # for one file


class Unreadable(Exception):
    """A reader knows the format, and cannot read this file. The message is for people: what is wrong with it."""


def nothing() -> Ints:
    """No times."""
    return np.zeros(0, np.int64)


def nowhere() -> Floats:
    """No coordinates."""
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: moments in ms since 1970 UTC, in any order; places in degrees east and north.

    `time`, `longitude` and `latitude` are of the same shape (n,), `time` NEVER where a place has none. `moments`, shape
    (m,), are further times of the file: its period is over both. Nothing is checked or thinned out yet.
    """

    format: str
    moments: Ints = field(default_factory=nothing)
    time: Ints = field(default_factory=nothing)
    longitude: Floats = field(default_factory=nowhere)
    latitude: Floats = field(default_factory=nowhere)
    instrument: str = ""
    remarks: tuple[str, ...] = ()


class Source:
    """An open regular file: read at any place, never moved about in. The descriptor stays the caller's to close.

    `beside` opens a file of the same directory by its name, and gives None where there is none; the descriptor that it
    gives is closed here. After `until` (of time.monotonic) a reader stops and says so. Reading raises OSError.
    """

    def __init__(
        self,
        file: int,
        name: str,
        *,
        beside: Callable[[str], int | None] = lambda name: None,
        until: float | None = None,
    ) -> None:
        self.file = file
        self.name = name
        self.size = os.fstat(file).st_size
        self.until = time.monotonic() + SECONDS if until is None else until
        self._beside = beside
        self.head = self.at(0, HEAD)

    @property
    def ending(self) -> str:
        """What follows the last point of the name, in small letters."""
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""

    @property
    def is_text(self) -> bool:
        """Whether it looks like lines of text: no NUL, and a line end before a line grows too long."""
        return bool(self.head) and b"\0" not in self.head and (b"\n" in self.head or self.size < HEAD)

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer at the end of the file."""
        return os.pread(self.file, count, offset)

    def in_time(self) -> bool:
        """Whether a reader may go on."""
        return time.monotonic() < self.until

    def beside(self, ending: str) -> bytes | None:
        """The head of the file of the same name with another ending, in small or capital letters, or None."""
        stem = self.name.rpartition(".")[0]
        for name in (f"{stem}.{ending}", f"{stem}.{ending.upper()}"):
            file = self._beside(name) if stem else None
            if file is not None:
                try:
                    return os.pread(file, HEAD, 0)
                finally:
                    os.close(file)
        return None

    def blocks(self) -> Iterator[bytes]:
        """Whole lines of a text, a block at a time: all of it, or places all over it where it is larger than WHOLE.

        A last line without an end gets one; a line longer than LONGEST is cut.
        """
        if self.size > WHOLE:
            yield from self._spots()
            return
        yield from whole_lines(self._pieces(), LONGEST)

    def _pieces(self) -> Iterator[bytes]:
        offset = 0
        while piece := self.at(offset, BLOCK):
            offset += len(piece)
            yield piece

    def _spots(self) -> Iterator[bytes]:
        """The first and the last block, and between them spots at even distances, cut to whole lines."""
        last = self.size - BLOCK
        places = np.linspace(BLOCK, last - SPOT, (WHOLE - 2 * BLOCK) // SPOT).astype(np.int64)
        gathered = self._lines(0, BLOCK)
        for place in places.tolist():
            if not self.in_time():
                break
            gathered += self._lines(place, SPOT)
            if len(gathered) >= BLOCK:
                yield gathered
                gathered = b""
        yield gathered + self._lines(last, BLOCK) + b"\n"

    def _lines(self, offset: int, count: int) -> bytes:
        piece = self.at(offset, count)
        begin = 0 if offset == 0 else piece.find(b"\n") + 1
        end = len(piece) if offset + count >= self.size else piece.rfind(b"\n") + 1
        return piece[begin:end] if begin or offset == 0 else b""
