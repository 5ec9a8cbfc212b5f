"""What a storage can do, in words that a local directory and an object store share; no database here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from portal.refusals import NotNow

MARKER: Final = "leadline-storage.txt"
MARKED: Final = b"Copies of research cruises' distributions, kept by Leadline. See the README.txt of each.\n"
Beat = Callable[[], None]


class Piece(NamedTuple):
    """A file to be kept: its key here, its path as the inventory writes it, its name in the storage, and what it is."""

    pk: int
    path: str
    name: str
    size: int
    md5: str
    sha256: str
    changed_at: dt.datetime | None


class Outcome(NamedTuple):
    """What became of a piece: nothing to say, or why it is not (or no longer) as it was verified."""

    piece: Piece
    fault: str = ""


class Unreachable(NotNow):
    """The storage does not answer, is not mounted, is full, or does not let us in; `reason` says what to do."""


class Storage(Protocol):
    """A place that keeps files by name. Names are plain ASCII paths below the storage's root.

    The many-file verbs yield one outcome for each piece, in any order, call `beat` about once a second in the caller's
    thread, and may be broken off at any time and said again. They raise Unreachable where the storage itself fails.
    """

    address: str

    def ready(self, *, used: bool) -> None:
        """Makes sure that it is there; `used`: it held something before, and must not be begun anew."""

    def put(self, root: Path, prefix: str, pieces: Sequence[Piece], beat: Beat, *, resumed: bool) -> Iterator[Outcome]:
        """Copies files from below `root` to `prefix`; one that is not what was verified is not kept.

        `resumed`: some of them may be there already, from a copying that was broken off.
        """

    def get(self, prefix: str, pieces: Sequence[Piece], root: Path, beat: Beat) -> Iterator[Outcome]:
        """Copies files back to below `root`, under the names and with the times they came with."""

    def check(self, prefix: str, pieces: Sequence[Piece], beat: Beat) -> Iterator[Outcome]:
        """Reads every byte of these and compares it with the SHA-256."""

    def write(self, name: str, paper: Path, beat: Beat) -> None:
        """Writes one of our own papers (a manifest, a record), in the place of an earlier one."""

    def fetch(self, name: str, to: Path, beat: Beat) -> bool:
        """Copies a paper to a new file here; says whether there is one."""

    def digest(self, name: str, beat: Beat) -> str:
        """SHA-256 of a paper as it lies there now; empty where there is none."""
