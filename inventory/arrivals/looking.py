"""One look at a delivery that lies in the drop folder: how much is there, did it change, is it whole. Nothing is read
but names, sizes and times, and its manifest as long as it arrives."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inventory import manifests, paths, scan
from inventory.arrivals.layout import MARKER
from inventory.manifests import ManifestRefused

MOST_FILES: Final = 5_000_000
MOST_NAMED: Final = 20
STRIDE: Final = 1000  # files between two signs of life
_MASK: Final = (1 << 248) - 1
# What programs call a file that is still on its way: rsync, WinSCP and other SFTP clients, browsers, ProFTPD.
_PARTIAL: Final = re.compile(
    r"\..+\.[A-Z0-9]{6}|.+\.(part|partial|filepart|crdownload)|\.in\..+\.", re.DOTALL | re.IGNORECASE
)
_PARTIAL_FOLDERS: Final = ("/.~tmp~/", "/.rsync-partial/")
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was there: files and bytes, markers not counted; `mark` changes with any path, size or time.

    `partial` are files still on their way and `problems` what is left out, at most MOST_NAMED of each; `told` where a
    marker says that it is whole; `unread` where parts could not be listed; `fault` why it cannot be looked at at all.
    """

    files: int = 0
    bytes: int = 0
    mark: str = ""
    partials: int = 0
    partial: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    told: bool = False
    unread: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a manifest promises: files, bytes (none where not all sizes are told), and how many are not there whole."""

    files: int
    bytes: int | None
    absent: int
    examples: tuple[str, ...]


def look(place: Path, shape: str, told: Told) -> Seen:
    """Looks at a delivery once. `told` hears how many more files were seen."""
    return _at_archive(place) if shape == "archive" else _at_directory(place, told)


def _at_archive(place: Path) -> Seen:
    total = size = 0
    for one in (place, *(place.with_name(f"{place.name}.{kind}") for kind in ("md5", "sha256"))):
        try:
            status = os.lstat(one)
        except OSError as error:
            if one == place:
                return Seen(fault=f"The archive cannot be read: {error.strerror}.")
            continue
        size = size or status.st_size
        total += _digest(one.name, status)
    return Seen(files=1, bytes=size, mark=_hex(total))


def _at_directory(root: Path, told: Told) -> Seen:
    files = size = total = partials = 0
    partial: list[str] = []
    problems: list[str] = []
    marked = unread = False

    def problem(path: str, why: str) -> None:
        nonlocal unread
        unread = unread or "cannot be read" in why
        if len(problems) < MOST_NAMED:
            problems.append(f"{paths.display(path)} {why}")

    try:
        for path, status in scan.statuses(root, problem):
            if path == MARKER:
                marked = True
                continue
            files += 1
            size += status.st_size
            total += _digest(path, status)
            if is_partial(path):
                partials += 1
                if len(partial) < MOST_NAMED:
                    partial.append(paths.display(path))
            if files % STRIDE == 0:
                told(STRIDE)
            if files > MOST_FILES:
                return Seen(fault=f"It holds more than {MOST_FILES:,} files. Send several deliveries.")
    except scan.RootGone as error:
        why = getattr(error.__cause__, "strerror", None) or "it is gone"
        return Seen(fault=f"The directory cannot be read: {why}. Let the account of Leadline list it.")
    told(files % STRIDE)
    return Seen(files, size, _hex(total), partials, tuple(partial), tuple(problems), marked, unread)


def is_partial(path: str) -> bool:
    """Whether the name is one that a program gives to a file that is still on its way."""
    return _PARTIAL.fullmatch(path.rpartition("/")[2]) is not None or any(f in f"/{path}" for f in _PARTIAL_FOLDERS)


def _digest(path: str, status: os.stat_result) -> int:
    row = f"{path}\0{status.st_size}\0{status.st_mtime_ns}".encode()
    return int.from_bytes(hashlib.blake2b(row, digest_size=31).digest())


def _hex(total: int) -> str:
    return f"{total & _MASK:062x}"


def listed(root: Path, manifest: Path, told: Told) -> Listed | None:
    """Compares a manifest with what is there, by presence and size. None where a line cannot be trusted (yet)."""
    files = size = absent = 0
    sized = True
    examples: list[str] = []
    top, prefix = os.fsencode(root), f"{paths.of_system(root.name)}/"
    try:
        with manifest.open("rb") as stream:
            for entry in manifests.read(stream).entries:
                files += 1
                size += entry.size or 0
                sized = sized and entry.size is not None
                if not _there(top, entry.path, prefix, entry.size):
                    absent += 1
                    if len(examples) < MOST_NAMED:
                        examples.append(paths.display(entry.path))
                if files % STRIDE == 0:
                    told(0)
                if files > MOST_FILES:
                    return None
    except (ManifestRefused, OSError):
        return None
    return Listed(files, size if sized else None, absent, tuple(examples))


def _there(top: bytes, path: str, prefix: str, size: int | None) -> bool:
    """Whether a file of the list is there with its size; the list may have been made one directory further up."""
    for name in (path, path.removeprefix(prefix)):
        try:
            status = os.lstat(os.path.join(top, paths.to_bytes(name)))
        except (OSError, paths.PathRefused):
            continue
        return size is None or status.st_size == size
    return False
