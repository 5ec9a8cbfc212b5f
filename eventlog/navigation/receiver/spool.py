"""Lines that wait on disk while the database cannot be reached; in order, bounded, and never dropped in silence."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

logger = structlog.stdlib.get_logger("leadline.navigation")
MOST_BYTES: Final = 4 << 30  # some weeks of a ship's feeds
PART: Final = 4 << 20  # bytes taken up at a time


@dataclass(frozen=True, slots=True)
class Heard:
    """A line of a feed, when it was heard, and whether it brought its own stamp along, as lines of files do."""

    feed_id: int
    at: dt.datetime
    line: bytes


class Spool:
    """A file of lines and another that says how far it was taken up."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.mark, self.most = folder / "waiting.lines", folder / "waiting.taken", most_bytes
        self.dropped = 0

    def __bool__(self) -> bool:
        return self.size() > 0

    def size(self) -> int:
        """Bytes that wait."""
        return max(0, (self.file.stat().st_size if self.file.exists() else 0) - self._taken())

    def put(self, heard: Iterable[Heard]) -> None:
        """Adds lines and waits until the disk has them. What does not fit is counted and logged as an error."""
        text = b"".join(b"%d\t%s\t%s\n" % (h.feed_id, h.at.isoformat().encode(), _flat(h.line)) for h in heard)
        if not text:
            return
        if self.size() + len(text) > self.most:
            self.dropped += text.count(b"\n")
            logger.error("the spool of navigation is full; lines are lost", lines=self.dropped, folder=str(self.file))
            return
        with self.file.open("ab") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())

    def head(self) -> tuple[list[Heard], int]:
        """The oldest lines that wait, and where they end, for `taken`."""
        if not self.file.exists():
            return [], 0
        with self.file.open("rb") as stream:
            start = self._taken()
            stream.seek(start)
            block = stream.read(PART)
        whole = block[: block.rfind(b"\n") + 1]
        return list(_parsed(whole)), start + len(whole)

    def taken(self, end: int) -> None:
        """Notes that everything before `end` is in the database; an empty spool gives its room back."""
        if end >= self.file.stat().st_size:
            self.file.unlink(missing_ok=True)
            self.mark.unlink(missing_ok=True)
            return
        scratch = self.mark.with_suffix(".new")
        scratch.write_text(str(end))
        scratch.replace(self.mark)

    def _taken(self) -> int:
        try:
            return int(self.mark.read_text())
        except (OSError, ValueError):
            return 0


def _flat(line: bytes) -> bytes:
    return line.replace(b"\n", b" ").replace(b"\t", b" ")


def _parsed(text: bytes) -> Iterator[Heard]:
    for row in text.splitlines():
        feed, _, rest = row.partition(b"\t")
        at, _, line = rest.partition(b"\t")
        try:
            yield Heard(int(feed), dt.datetime.fromisoformat(at.decode("ascii")), line)
        except ValueError:  # half a line, of a machine that lost its power while it wrote
            logger.warning("a damaged line of the spool is left out", line=row[:200])
