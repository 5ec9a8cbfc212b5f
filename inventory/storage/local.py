"""A storage that is a directory: files are written beside their name, hashed on the way, synced, and then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from inventory import paths, scan
from inventory.storage import crew
from inventory.storage.backend import MARKED, MARKER, Beat, Outcome, Piece, Unreachable
from portal.refusals import NotNow

BLOCK = 1024 * 1024
PARTIAL = ".leadline-partial-"
CHANGED = "is not any more what was verified"
FULL = (errno.ENOSPC, errno.EDQUOT)


class Local:
    """A directory of this machine, or a mounted one. What lies in it is read-only once it is written."""

    def __init__(self, root: Path, address: str) -> None:
        self.root, self.address = root, address

    def ready(self, *, used: bool) -> None:
        marker = self.root / MARKER
        try:
            if marker.is_file():
                return
            if used:
                raise Unreachable(
                    f"The storage directory {self.root} is not there, or is not the one that was used before "
                    f"({MARKER} is missing). Mount the disk again."
                )
            self.root.mkdir(parents=True, exist_ok=True)
            marker.write_bytes(MARKED)
        except OSError as error:
            raise self._failed(error) from error

    def put(self, root: Path, prefix: str, pieces: Sequence[Piece], beat: Beat, *, resumed: bool) -> Iterator[Outcome]:
        self._room(sum(piece.size for piece in pieces))
        target = self.root / prefix
        known: set[Path] = set()
        yield from self._each(pieces, partial(self._put, root, target, known, resumed), beat)
        try:
            for folder in sorted(known):
                _sync(folder)
        except OSError as error:
            raise self._failed(error) from error

    def _put(
        self, root: Path, target: Path, known: set[Path], resumed: bool, piece: Piece, go_on: Callable[[], None]
    ) -> Outcome:
        place = target / piece.name
        if place.parent not in known:
            place.parent.mkdir(parents=True, exist_ok=True)
            known.add(place.parent)
        if resumed and _kept(place, piece):
            return Outcome(piece)
        try:
            file = scan.open_inside(root, piece.path)
        except OSError as error:
            if not scan.there(root):
                raise scan.RootGone(str(root)) from error
            return Outcome(piece, f"cannot be read: {error.strerror or error}")
        with os.fdopen(file, "rb", buffering=0) as source:
            return _copy(source, place, piece, 0o444, go_on)

    def get(self, prefix: str, pieces: Sequence[Piece], root: Path, beat: Beat) -> Iterator[Outcome]:
        def bring(piece: Piece, go_on: Callable[[], None]) -> Outcome:
            place = root / os.fsdecode(paths.to_bytes(paths.inside(piece.path)))
            try:
                file = scan.open_inside(self.root / prefix, piece.name)
            except OSError as error:
                return Outcome(piece, missing(error))
            place.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(file, "rb", buffering=0) as source:
                return _copy(source, place, piece, 0o644, go_on)

        try:
            yield from crew.each(pieces, bring, beat)
        except OSError as error:
            why = "is full" if error.errno in FULL else f"cannot be written: {error.strerror or error}"
            raise NotNow(f"The directory {root} {why}. Make room; it goes on where it stopped.") from error

    def check(self, prefix: str, pieces: Sequence[Piece], beat: Beat) -> Iterator[Outcome]:
        def look(piece: Piece, go_on: Callable[[], None]) -> Outcome:
            try:
                return Outcome(piece, compare(piece, *digest_of(self.root / prefix, piece.name, go_on)))
            except OSError as error:
                return Outcome(piece, missing(error))

        yield from self._each(pieces, look, beat)

    def _each(
        self, pieces: Sequence[Piece], work: Callable[[Piece, Callable[[], None]], Outcome], beat: Beat
    ) -> Iterator[Outcome]:
        try:
            yield from crew.each(pieces, work, beat)
        except scan.RootGone:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def write(self, name: str, paper: Path, beat: Beat) -> None:
        place = self.root / name
        partial_name = place.with_name(PARTIAL + secrets.token_hex(8))
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                with paper.open("rb") as source, partial_name.open("xb") as copy:
                    while block := source.read(BLOCK):
                        copy.write(block)
                        beat()
                    copy.flush()
                    os.fsync(copy.fileno())
                partial_name.chmod(0o444)
                partial_name.replace(place)
            finally:
                partial_name.unlink(missing_ok=True)
            _sync(place.parent)
        except OSError as error:
            raise self._failed(error) from error

    def fetch(self, name: str, to: Path, beat: Beat) -> bool:
        try:
            source = os.fdopen(scan.open_inside(self.root, name), "rb")
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise self._failed(error) from error
        with source, to.open("xb") as copy:
            while block := source.read(BLOCK):
                copy.write(block)
                beat()
        return True

    def digest(self, name: str, beat: Beat) -> str:
        try:
            return digest_of(self.root, name, beat)[1]
        except OSError:
            return ""

    def _room(self, needed: int) -> None:
        """Refuses before anything is written where it is plain that the files do not fit."""
        try:
            disk = os.statvfs(self.root)
        except OSError as error:
            raise self._failed(error) from error
        if needed > disk.f_bavail * disk.f_frsize:
            raise Unreachable(
                f"The storage {self.root} is full: {needed:,} bytes are to be written and "
                f"{disk.f_bavail * disk.f_frsize:,} are free. Make room; storing goes on where it stopped."
            )

    def _failed(self, error: OSError) -> Unreachable:
        if error.errno in FULL:
            return Unreachable(f"The storage {self.root} is full. Make room; storing goes on where it stopped.")
        return Unreachable(f"The storage {self.root} cannot be used: {error.strerror or error}.")


def _kept(place: Path, piece: Piece) -> bool:
    """Whether the right file lies there already, from a copying that was broken off."""
    try:
        if place.lstat().st_size != piece.size:
            return False
        return digest_of(place.parent, place.name, lambda: None)[1] == piece.sha256
    except OSError:
        return False


def _copy(source: BinaryIO, place: Path, piece: Piece, mode: int, go_on: Callable[[], None]) -> Outcome:
    """Copies an open file to its place unless it differs from what was verified. Raises OSError for faults there."""
    name = place.with_name(PARTIAL + secrets.token_hex(8))
    digest, size = hashlib.sha256(), 0
    copy = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        try:
            while True:
                try:
                    block = source.read(BLOCK)
                except OSError as error:
                    return Outcome(piece, f"cannot be read: {error.strerror or error}")
                if not block:
                    break
                go_on()
                digest.update(block)
                size += len(block)
                if size > piece.size:
                    break
                _write(copy, block)
            if fault := compare(piece, size, digest.hexdigest(), CHANGED):
                return Outcome(piece, fault)
            if piece.changed_at is not None:
                moment = piece.changed_at.timestamp()
                os.utime(copy, (moment, moment))
            os.fchmod(copy, mode)
            os.fsync(copy)
        finally:
            os.close(copy)
        name.replace(place)
    finally:
        name.unlink(missing_ok=True)
    return Outcome(piece)


def _write(file: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]


def compare(piece: Piece, size: int, sha256: str, says: str = "is damaged") -> str:
    """Why what was read is not the piece; nothing where it is."""
    if size != piece.size:
        seen = f"more than {piece.size:,}" if size > piece.size else f"{size:,}"
        return f"{says}: it has {seen} bytes, and had {piece.size:,}"
    return "" if sha256 == piece.sha256 else f"{says}: its SHA-256 is {sha256}"


def missing(error: OSError) -> str:
    """Why a file could not be had from a storage."""
    return "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror or error}"


def digest_of(root: Path, name: str, go_on: Callable[[], None]) -> tuple[int, str]:
    """Bytes and SHA-256 of a file below a root; no link is followed. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(scan.open_inside(root, name), "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            go_on()
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
