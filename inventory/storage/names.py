"""How the files of a deposit are named in a storage: any backend can hold the names, and a person can read them back.

Pure. A byte that is no plain sign is written =XX, its number in upper-case hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

# S3 takes keys up to 1,024 bytes and file systems names up to 255; what is longer is named by its hash.
LONGEST_NAME: Final = 200
LONGEST_PATH: Final = 700
LONG: Final = "=long/"  # no escape begins so

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+,@~()/")
_ESCAPES = {byte: chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in range(256)}
_ALL_PLAIN = re.compile(rb"[A-Za-z0-9._\-+,@~()/]*\Z")
_ESCAPED = re.compile(rb"=([0-9A-F]{2})")


def escape(path: bytes) -> str:
    """The path in plain signs, of whatever length; `unescape` undoes it exactly."""
    if _ALL_PLAIN.match(path):
        return path.decode("ascii")
    return "".join(_ESCAPES[byte] for byte in path)


def unescape(name: str) -> bytes:
    """The path's bytes of an escaped one. Raises ValueError for what `escape` never writes."""
    path = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), name.encode("ascii"))
    if escape(path) != name:
        raise ValueError(f"{name!r} is not an escaped path")
    return path


def stored(path: bytes) -> str:
    """The name in a storage of a file of a distribution, below data/; two paths never have the same.

    The escaped path, or "=long/" and the SHA-256 of the path where that is too long; files.csv tells which path it is.
    """
    name = escape(path)
    if len(name) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in name.split("/")):
        return LONG + hashlib.sha256(path).hexdigest()
    return name
