"""Texts larger than memory, in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def whole_lines(pieces: Iterable[bytes], longest: int) -> Iterator[bytes]:
    """The same bytes in blocks that end with a line.

    A last line without an end gets one; a line of more than `longest` bytes is cut where a piece ends.
    """
    rest = b""
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield rest + piece[:cut]
            rest = piece[cut:]
        else:
            rest += piece
        if len(rest) > longest:
            yield rest + b"\n"
            rest = b""
    if rest:
        yield rest + b"\n"
