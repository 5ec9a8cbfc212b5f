"""Reads files and says what it found: here, or as a program of its own, which is called with the root.

The program takes a task a line, `[[path, other], …]` as JSON, and answers each with lines of
`[bytes, [[size, md5, sha256, other] or [errno, why], …], end]`: the bytes that were read and the files that were found
since the last line, in the order of the task; `end` is one of GOES_ON, ENDED and ROOT_GONE. Told to end by SIGTERM it
says what it has and leaves. A file that is being read when its caller is gone is the last that it reads.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":  # python -I knows nothing of where we are
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from inventory import scan

EVERY: Final = 0.25  # seconds between two lines, at least
GOES_ON, ENDED, ROOT_GONE = range(3)

Task = Iterable[tuple[str, str]]


class Stopped(Exception):
    """It was told to stop; what was read so far counts."""


def each(root: Path, task: Task, told: Callable[[int], None]) -> Iterator[scan.Read | OSError]:
    """What was found of each file of a task: a path in text form, and one more algorithm of hashlib or "".

    `told` hears how many bytes were read, and may raise. Raises RootGone where the whole root is not there any more.
    """
    with scan.Opener(root) as opener:
        for path, other in task:
            try:
                found: scan.Read | OSError = scan.read_with(opener, path, told, other=other)
            except OSError as error:
                if not scan.there(root):
                    raise scan.RootGone(str(root)) from error
                found = error
            yield found


def _said(found: scan.Read | OSError) -> list[Any]:
    if isinstance(found, scan.Read):
        return [found.size, found.md5, found.sha256, found.other]
    return [found.errno or 0, str(found.strerror or found)]


def heard(said: list[Any]) -> scan.Read | OSError:
    """What the program found, from what it said."""
    return scan.Read(*said) if len(said) == 4 else OSError(*said)


class _Teller:
    """Writes lines for the caller, not more often than it wants them."""

    def __init__(self) -> None:
        self.stop = False
        self._bytes = 0
        self._found: list[list[Any]] = []
        self._at = time.monotonic()

    def read(self, count: int) -> None:
        if self.stop:
            raise Stopped
        self._bytes += count
        if time.monotonic() - self._at > EVERY:
            self.say(GOES_ON)

    def found(self, found: scan.Read | OSError) -> None:
        self._found.append(_said(found))

    def say(self, end: int) -> None:
        sys.stdout.write(json.dumps([self._bytes, self._found, end], separators=(",", ":")) + "\n")
        sys.stdout.flush()
        self._bytes, self._found, self._at = 0, [], time.monotonic()


def main() -> None:
    root, teller = Path(sys.argv[1]), _Teller()

    def stop(number: int, frame: object) -> None:
        if waiting:
            sys.exit()
        teller.stop = True

    waiting = True
    signal.signal(signal.SIGTERM, stop)
    for line in sys.stdin:
        waiting = False
        try:
            for found in each(root, json.loads(line), teller.read):
                teller.found(found)
            teller.say(ENDED)
        except scan.RootGone:
            teller.say(ROOT_GONE)
        except Stopped:
            teller.say(GOES_ON)
            return
        except BrokenPipeError:
            return
        waiting = True


if __name__ == "__main__":
    main()
