"""Walks a delivered directory and reads its files; changes nothing there and follows no link out of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from inventory import paths

BLOCK = 512 * 1024  # read from the disk once, still in the processor's cache for the second hash
MOST_PROBLEMS = 1000


class RootGone(OSError):
    """The directory of the distribution is not there, or not any more."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: path inside the root (text form of inventory.paths), bytes, time of change in UTC.

    A time before the year 1 or after 9999, which a disk can say, is none.
    """

    path: str
    size: int
    changed_at: dt.datetime | None


class Read(NamedTuple):
    """What reading a file gave: size in bytes and lower-case hex digests; `other` by the algorithm asked for, or ""."""

    size: int
    md5: str
    sha256: str
    other: str = ""


def walk(root: Path, problem: Callable[[str, str], None]) -> Iterator[Found]:
    """Every regular file below `root`, as `statuses` finds them. Raises RootGone."""
    for path, status in statuses(root, problem):
        yield Found(path, status.st_size, _moment(status.st_mtime))


def _moment(seconds: float) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def statuses(root: Path, problem: Callable[[str, str], None]) -> Iterator[tuple[str, os.stat_result]]:
    """Path (text form) and status of every regular file below `root`, directories in order of their names.

    Links, sockets and unreadable directories are told to `problem(path, why)` and left out.
    Raises RootGone when `root` itself cannot be listed.
    """
    top = os.fsencode(root)
    waiting: list[bytes] = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(top, folder) if folder else top) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not folder or not root.is_dir():
                raise RootGone(f"{root} cannot be read: {error.strerror}") from error
            problem(paths.to_text(folder), f"directory cannot be read: {error.strerror}")
            continue
        below = []
        for entry in entries:
            inner = os.path.join(folder, entry.name) if folder else entry.name
            text = paths.to_text(inner)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                problem(text, f"cannot be read: {error.strerror}")
                continue
            if stat.S_ISDIR(status.st_mode):
                below.append(inner)
            elif stat.S_ISREG(status.st_mode):
                yield text, status
            else:
                kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
                problem(text, f"is {kind} and is not taken in")
        waiting += reversed(below)


def location(root: Path, path: str) -> bytes:
    """Where a file of a distribution lies. The path was made safe when it was taken in."""
    return os.path.join(os.fsencode(root), paths.to_bytes(paths.inside(path)))


class Opener:
    """Opens files below a root; the directory of the last one stays open for the next. No link is followed anywhere.

    A context manager, for one thread. Opening raises OSError when the file is not there, is not a regular file, or is
    reached through a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directory: bytes | None = None
        self._folder = -1

    def open(self, path: str) -> tuple[int, int]:
        """The file's descriptor, which is the caller's to close, and its size in bytes now."""
        directory, _, name = paths.to_bytes(paths.inside(path)).rpartition(b"/")
        if directory != self._directory:
            self._enter(directory)
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._folder)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            os.close(file)
            raise OSError(0, "is not a regular file")
        return file, status.st_size

    def _enter(self, directory: bytes) -> None:
        self.close()
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in directory.split(b"/") if directory else ():
                deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = deeper
        except OSError:
            os.close(folder)
            raise
        self._folder, self._directory = folder, directory

    def close(self) -> None:
        """Lets the kept directory go."""
        if self._directory is not None:
            os.close(self._folder)
        self._directory = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_inside(root: Path, path: str) -> int:
    """A file descriptor of a regular file, opened without following a link at any part of its path.

    Raises OSError when it is not there, not a regular file, or reached through a link.
    """
    with Opener(root) as opener:
        return opener.open(path)[0]


def there(root: Path) -> bool:
    """Whether the root can be listed and holds something: where a disk was unplugged its empty place may remain."""
    try:
        with os.scandir(root) as listing:
            return next(listing, None) is not None
    except OSError:
        return False


def read(root: Path, path: str, told: Callable[[int], None] = lambda count: None) -> Read:
    """MD5 and SHA-256 of a file in one reading; `told` hears of each block how many bytes it had. Raises OSError."""
    with Opener(root) as opener:
        return read_with(opener, path, told)


def read_with(opener: Opener, path: str, told: Callable[[int], None] = lambda count: None, *, other: str = "") -> Read:
    """As `read`, for many files of one directory. Small files take four calls of the system: open, stat, read, close.

    `other` names one more algorithm of hashlib to compute in the same reading.

    hashlib lets other threads run while it works on more than 2 KB, so that threads use all cores for large files.
    """
    file, size = opener.open(path)
    try:
        if size < BLOCK:
            data = os.read(file, size + 1)
            if len(data) == size:  # no more than was said: this is all
                told(size)
                md5 = hashlib.md5(data, usedforsecurity=False)
                more = hashlib.new(other, data, usedforsecurity=False).hexdigest() if other else ""
                return Read(size, md5.hexdigest(), hashlib.sha256(data, usedforsecurity=False).hexdigest(), more)
            os.lseek(file, 0, os.SEEK_SET)
        elif hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        return _read_blocks(file, told, other)
    finally:
        os.close(file)


def _read_blocks(file: int, told: Callable[[int], None], other: str) -> Read:
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(usedforsecurity=False), 0
    more = hashlib.new(other, usedforsecurity=False) if other else None
    buffer = memoryview(bytearray(BLOCK))
    while count := os.readv(file, [buffer]):
        block = buffer[:count]
        md5.update(block)
        sha256.update(block)
        if more is not None:
            more.update(block)
        size += count
        told(count)
    return Read(size, md5.hexdigest(), sha256.hexdigest(), more.hexdigest() if more is not None else "")
