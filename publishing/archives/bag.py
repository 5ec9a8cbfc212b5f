"""Writes a BagIt bag (RFC 8493, layout 0.97 as NCEI receives it) with MD5 and SHA-256 manifests. Pure.

Files are copied and hashed in one reading; a copy that differs from what was verified before is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ALGORITHMS = ("md5", "sha256")
BLOCK = 1024 * 1024
# Percent signs, controls, what Python's readers take for a line end, and blanks at the end of a name.
_AWKWARD = re.compile(r"[%\x00-\x1f\x7f-\x9f\u2028\u2029]|\s+\Z")
_LOOKS_ESCAPED = re.compile(r"=(?=[0-9A-F]{2})")


class Unfaithful(Exception):
    """A file is not what was verified, or cannot be read; `path` and `reason` say which and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@dataclass(frozen=True, slots=True)
class Payload:
    """A file for a bag: its path as bytes, its lines in file-info, and what it must hash to ("": not known)."""

    path: bytes
    shown: str
    md5: str
    sha256: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: payload files and bytes, and SHA-256 of tagmanifest-sha256.txt, which seals all the rest."""

    files: int
    bytes: int
    tagmanifest_sha256: str


def payload_name(path: bytes) -> str:
    """The name of a file inside data/: its own, unless manifests could not carry it.

    Readers disagree on percent signs, line ends and closing blanks in manifests, and manifests are UTF-8. Such
    bytes are written =XX, and so is an = before two hexadecimal digits, so that no two names meet. file-info.txt
    gives the delivered name.
    """
    text = path.decode("utf-8", "surrogateescape")
    text = _LOOKS_ESCAPED.sub("=3D", text)
    text = _AWKWARD.sub(lambda found: "".join(f"={byte:02X}" for byte in found[0].encode()), text)
    return "".join(f"={ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in text)


def write(
    folder: Path,
    payload: Iterable[Payload],
    info: Iterable[tuple[str, str]],
    *,
    beat: Callable[[int], None] = lambda size: None,
) -> Written:
    """Writes a bag into `folder`, which must not exist. `info` are bag-info lines; Payload-Oxum is added.

    `beat` is told the bytes of every block copied. Raises Unfaithful for the first file that is not what it should be,
    OSError when the disk is full or not writable; what was written until then stays and is the caller's to remove.
    """
    folder.mkdir(parents=True)
    data = folder / "data"
    data.mkdir()
    lines: dict[str, list[str]] = {name: [] for name in ALGORITHMS}
    listing = ["md5\tsha256\tsize\tpath"]
    files = size = 0
    for item in payload:
        name = payload_name(item.path)
        digests, length = _copy(item, data / name, beat)
        for algorithm, digest in digests.items():
            lines[algorithm].append(f"{digest}  data/{name}\n")
        listing.append(f"{digests['md5']}\t{digests['sha256']}\t{length}\t{item.shown}")
        files, size = files + 1, size + length
    (folder / "bagit.txt").write_text("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n", encoding="utf-8")
    (folder / "file-info.txt").write_text("\n".join(listing) + "\n", encoding="utf-8")
    tags = [*info, ("Payload-Oxum", f"{size}.{files}")]
    (folder / "bag-info.txt").write_text("".join(_tag(name, value) for name, value in tags), encoding="utf-8")
    for algorithm, rows in lines.items():
        (folder / f"manifest-{algorithm}.txt").write_text("".join(rows), encoding="utf-8")
    return Written(files, size, _seal(folder))


def _copy(item: Payload, target: Path, beat: Callable[[int], None]) -> tuple[dict[str, str], int]:
    """Copies one file, hashing it; compares with what was verified."""
    target.parent.mkdir(parents=True, exist_ok=True)
    hashes = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    length = 0
    try:
        source = item.open()
    except OSError as error:
        raise Unfaithful(item.shown, f"cannot be read: {error.strerror or error}") from error
    with source, target.open("xb") as copy:
        while block := source.read(BLOCK):
            for digest in hashes.values():
                digest.update(block)
            copy.write(block)
            length += len(block)
            beat(len(block))
        copy.flush()
        os.fsync(copy.fileno())
    found = {name: digest.hexdigest() for name, digest in hashes.items()}
    for name, wanted in (("md5", item.md5), ("sha256", item.sha256)):
        if wanted and found[name] != wanted:
            raise Unfaithful(item.shown, f"has changed since it was verified ({name} {found[name]}, was {wanted})")
    return found, length


def _tag(name: str, value: str) -> str:
    """One line of bag-info; line ends inside a value would begin another tag."""
    return f"{name}: {' '.join(value.split())}\n"


def _seal(folder: Path) -> str:
    """Writes the tag manifests; returns SHA-256 of the SHA-256 one."""
    tags = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("tagmanifest-"))
    for algorithm in ALGORITHMS:
        rows = [f"{hashlib.new(algorithm, tag.read_bytes()).hexdigest()}  {tag.name}\n" for tag in tags]
        (folder / f"tagmanifest-{algorithm}.txt").write_text("".join(rows), encoding="utf-8")
    return hashlib.sha256((folder / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
