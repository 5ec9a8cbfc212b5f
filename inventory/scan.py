"""Walks a delivered directory and reads its files; changes nothing there and follows no link out of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inventory import paths

BLOCK = 1024 * 1024
MOST_PROBLEMS = 1000


class RootGone(OSError):
    """The directory of the distribution is not there, or not any more."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: path inside the root (text form of inventory.paths), bytes, time of change in UTC."""

    path: str
    size: int
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Read:
    """What reading a file gave: size in bytes and lower-case hex digests."""

    size: int
    md5: str
    sha256: str


def walk(root: Path, problem: Callable[[str, str], None]) -> Iterator[Found]:
    """Every regular file below `root`, directories in order of their names.

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
                yield Found(text, status.st_size, dt.datetime.fromtimestamp(status.st_mtime, dt.UTC))
            else:
                kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
                problem(text, f"is {kind} and is not taken in")
        waiting += reversed(below)


def location(root: Path, path: str) -> bytes:
    """Where a file of a distribution lies. The path was made safe when it was taken in."""
    return os.path.join(os.fsencode(root), paths.to_bytes(paths.inside(path)))


def open_inside(root: Path, path: str) -> int:
    """A file descriptor of a regular file, opened without following a link at any part of its path.

    Raises OSError when it is not there, not a regular file, or reached through a link.
    """
    parts = paths.to_bytes(paths.inside(path)).split(b"/")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = deeper
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(0, "is not a regular file")
    return file


def read(root: Path, path: str, beat: Callable[[], None] = lambda: None) -> Read:
    """MD5 and SHA-256 of a file in one reading; `beat` is called after each block. Raises OSError."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with os.fdopen(open_inside(root, path), "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            md5.update(block)
            sha256.update(block)
            size += len(block)
            beat()
    return Read(size, md5.hexdigest(), sha256.hexdigest())
