"""Bytes that are kept for good below MEDIA_ROOT, named by their SHA-256. Written once, never changed or executed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from django.conf import settings

from portal.refusals import NotLikeThis, NotNow

SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written: its name, MD5 (as manifests want it), size in bytes, and first bytes."""

    sha256: str
    md5: str
    size: int
    head: bytes


def place(sha256: str) -> Path:
    """Where the bytes of this digest lie, if they are kept. Raises ValueError for what is no digest."""
    if not SHA256.match(sha256):
        raise ValueError(f"{sha256!r:.80} is no SHA-256 in hex")
    return Path(settings.MEDIA_ROOT) / "kept" / sha256[:2] / sha256[2:4] / sha256


def keep(parts: Iterable[bytes], *, most: int | None = None, head: int = 4096) -> Kept:
    """Writes the parts while digesting them; the same bytes are stored once.

    Raises NotLikeThis beyond `most` bytes, NotNow when the disk does not take them (nothing is left behind then).
    """
    folder = Path(settings.MEDIA_ROOT) / "kept"
    sha256, md5, size, first = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0, b""
    name = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="new-", dir=folder)
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                size += len(part)
                if most is not None and size > most:
                    raise NotLikeThis(f"The file has more than {most:,} bytes, which is the most that is taken.")
                if len(first) < head:
                    first += part[: head - len(first)]
                sha256.update(part)
                md5.update(part)
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        target = place(sha256.hexdigest())
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(name).chmod(0o440)
        Path(name).replace(target)
    except OSError as error:
        raise NotNow(f"The server could not store the file ({error.strerror}). Keep it and send it again.") from error
    finally:
        Path(name).unlink(missing_ok=True) if name else None
    return Kept(sha256.hexdigest(), md5.hexdigest(), size, first)


def opened(sha256: str) -> BufferedReader:
    """The kept bytes, for reading. Raises FileNotFoundError where they are not."""
    return place(sha256).open("rb")


def blocks(file: BufferedReader, size: int | None = None) -> Iterable[bytes]:
    """The bytes of a file from where it stands, block by block, at most `size` of them."""
    left = size
    while block := file.read(BLOCK if left is None else min(BLOCK, left)):
        yield block
        if left is not None:
            left -= len(block)


def digest(sha256: str) -> str:
    """The SHA-256 of what lies there now; empty where nothing can be read."""
    try:
        with opened(sha256) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
