"""Unpacks a delivered archive (tar, tar.gz, tar.bz2, tar.xz, zip) into a directory of ours; the archive is not changed.

An archive is hostile until shown otherwise: only regular files come out of it, inside the directory, within bounds.
"""

from __future__ import annotations

import calendar
import errno
import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from inventory import paths
from portal.refusals import Fault, NotLikeThis

ENDINGS: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
MOST_FILES: Final = 5_000_000
# Text logs shrink to a fiftieth at the best; a bomb to a thousandth. Small archives may do as they like.
MOST_RATIO, ALWAYS_BYTES = 200, 1_000_000_000
SPARE: Final = 0.05  # of the disk, that stays free
BLOCK: Final = 1024 * 1024
Problem = Callable[[str, str], None]
Told = Callable[[int], None]  # hears how many more bytes were read or written


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file of an archive: its name's bytes, time of change in seconds since 1970, and how to read it."""

    name: bytes
    changed_at: float
    open: Callable[[], IO[bytes]]


def is_archive(path: Path) -> bool:
    """Whether the name says that it is an archive we unpack."""
    return path.name.lower().endswith(ENDINGS)


def unpack(archive: Path, into: Path, problem: Problem, told: Told = lambda count: None) -> Path:
    """Unpacks the archive below `into`, in a directory named by its SHA-256; gives the directory that is the delivery.

    Unpacked once already, it is not unpacked again. Where the archive holds one directory and nothing beside it, that
    one is the delivery. Links, devices and names that lead outside are told to `problem(name, why)` and left out.
    Raises NotLikeThis for what is no archive, is damaged, holds more than its size allows, or does not fit the disk.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        digest = _digest(archive, "sha256", told)
        _beside(archive, digest, told)
        target = into / digest[:32]
        if not target.is_dir():
            with tempfile.TemporaryDirectory(prefix="unpacking-", dir=into) as folder:
                root = Path(folder) / "in"
                root.mkdir()
                _take(archive, root, problem, told)
                root.rename(target)
    except OSError as error:
        raise NotLikeThis(f"The archive {archive.name} cannot be unpacked: {error.strerror or error}.") from error
    names = list(target.iterdir())
    return names[0] if len(names) == 1 and names[0].is_dir() else target


def _digest(archive: Path, kind: str, told: Told) -> str:
    digest = hashlib.new(kind, usedforsecurity=False)
    with archive.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            told(len(block))
    return digest.hexdigest()


def _beside(archive: Path, sha256: str, told: Told) -> None:
    """Looks at the checksum beside the archive, `x.tar.gz.sha256` or `.md5`. Raises NotLikeThis where it is another."""
    for name in ("sha256", "md5"):
        beside = archive.with_name(f"{archive.name}.{name}")
        if not beside.is_file() or beside.stat().st_size > 10_000:
            continue
        words = beside.read_text("ascii", "replace").split()
        ours = _digest(archive, "md5", told) if name == "md5" else sha256
        if words and words[0].lower() != ours:
            raise NotLikeThis(
                f"The archive {archive.name} is not the one that was sent: fetch it again.",
                [Fault(beside.name, f"says {words[0][:64]}; the archive has {ours}", 1)],
            )


@dataclass(slots=True)
class _Bounds:
    """How much may come out of an archive."""

    name: str
    most: int
    free: int
    taken: int = 0

    def count(self, more: int) -> None:
        """Raises NotLikeThis once it is too much."""
        self.taken += more
        if self.taken > self.most:
            raise NotLikeThis(
                f"The archive {self.name} unpacks to more than {self.most:,} bytes. That is a trap, or very empty "
                "data: deliver the directory as it is."
            )
        if self.taken > self.free:
            room = f"{max(0, self.free):,} bytes are free"
            raise NotLikeThis(f"The archive {self.name} does not fit: {room}. Make room for it first.")


def _take(archive: Path, root: Path, problem: Problem, told: Told) -> None:
    disk = shutil.disk_usage(root)
    most = max(ALWAYS_BYTES, archive.stat().st_size * MOST_RATIO)
    bounds = _Bounds(archive.name, most, disk.free - int(disk.total * SPARE))
    with _members(archive, problem) as members:
        for number, member in enumerate(members, 1):
            if number > MOST_FILES:
                raise NotLikeThis(f"The archive {archive.name} holds more than {MOST_FILES:,} files. Send several.")
            try:
                path = paths.to_bytes(paths.inside(paths.to_text(member.name)))
            except paths.PathRefused as refused:
                problem(repr(member.name), refused.reason)
            else:
                _write(root, path, member, bounds, problem, told)


def _write(root: Path, path: bytes, member: Member, bounds: _Bounds, problem: Problem, told: Told) -> None:
    where = root / os.fsdecode(path)
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        out = where.open("xb")  # a name that comes twice is not overwritten
    except (FileExistsError, NotADirectoryError):
        problem(repr(path), "is in the archive twice; the first one was taken")
        return
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        problem(repr(path), "has a name too long for this disk")
        return
    with out, member.open() as stream:
        while block := stream.read(BLOCK):
            bounds.count(len(block))
            out.write(block)
            told(len(block))
    os.utime(where, (member.changed_at, member.changed_at))


@contextmanager
def _members(archive: Path, problem: Problem) -> Iterator[Iterator[Member]]:
    refused = f"The archive {archive.name} is damaged or none"
    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as zipped:
                yield _of_zip(zipped, problem)
        else:
            with tarfile.open(archive, "r|*", errorlevel=1) as tape:
                yield _of_tar(tape, problem)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise NotLikeThis(f"{refused}: {error}. Nothing was taken in.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise NotLikeThis(f"{refused}: {error}. Nothing was taken in.") from error  # of gzip, bz2 and lzma
    except Exception as error:
        if type(error).__module__ in ("zlib", "_lzma"):
            raise NotLikeThis(f"{refused}: {error}. Nothing was taken in.") from error
        raise


def _of_tar(tape: tarfile.TarFile, problem: Problem) -> Iterator[Member]:
    for entry in tape:
        name = entry.name.encode("utf-8", "surrogateescape")
        if entry.isreg():
            yield Member(name, float(entry.mtime), partial(_extracted, tape, entry))
        elif not entry.isdir():
            problem(entry.name.encode("utf-8", "replace").decode(), "is a link or a device and is not taken in")


def _extracted(tape: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    stream = tape.extractfile(entry)
    assert stream is not None  # a regular file has content
    return stream


def _of_zip(zipped: zipfile.ZipFile, problem: Problem) -> Iterator[Member]:
    for entry in zipped.infolist():
        # Without the flag for UTF-8 the standard says code page 437, of which zipfile made text: back to its bytes.
        name = entry.filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437", "surrogateescape")
        mode = entry.external_attr >> 16
        if entry.is_dir():
            continue
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            problem(entry.filename, "is a link or a device and is not taken in")
        elif entry.flag_bits & 1:
            raise NotLikeThis(f"{entry.filename} in the archive is encrypted. Send it without a password.")
        else:
            yield Member(name, _moment(entry), partial(zipped.open, entry))


def _moment(entry: zipfile.ZipInfo) -> float:
    """The time of a member; zip tells none of the zone, and UTC is what ships keep."""
    return float(calendar.timegm((*entry.date_time, 0, 0, 0)))
