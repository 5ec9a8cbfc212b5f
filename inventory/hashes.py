"""Hashes of a manifest besides MD5 and SHA-256, as one text: `sha1:<hex> tiger:<hex>`, in the order of their names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

KEPT: Final = ("md5", "sha256")  # these have columns of their own
# Those that we can compute, the strongest first. (Tiger and Whirlpool are kept as they were told.)
READABLE: Final = tuple(name for name in ("sha512", "sha384", "sha224", "sha1") if name in hashlib.algorithms_available)


def pack(hashes: Mapping[str, str]) -> str | None:
    """The other hashes as one text; None where there are none."""
    return " ".join(f"{name}:{hashes[name]}" for name in sorted(hashes) if name not in KEPT) or None


def unpack(text: str | None) -> dict[str, str]:
    """What `pack` made into a text."""
    return dict(word.split(":", 1) for word in text.split()) if text else {}


def told(md5: str, sha256: str, others: str | None) -> dict[str, str]:
    """All hashes that a manifest tells of a file."""
    return {name: digest for name, digest in (("md5", md5), ("sha256", sha256)) if digest} | unpack(others)


def proven(md5: str, sha256: str, others: str | None) -> str | None:
    """Of the hashes told of a file that matched, the other one that was computed; None where there was none."""
    name = to_read(md5, sha256, others)
    return f"{name}:{unpack(others)[name]}" if name else None


def to_read(md5: str, sha256: str, others: str | None) -> str:
    """The algorithm that is to be computed besides MD5 and SHA-256, because the manifest has neither; else ""."""
    if md5 or sha256 or not others:
        return ""
    known = unpack(others)
    return next((name for name in READABLE if name in known), "")
