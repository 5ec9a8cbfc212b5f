"""The bytes of a manifest as lines, in blocks, so that a list of a million files needs little memory.
Takes off what editors and shells put around it: byte order marks, UTF-16 of PowerShell, CR LF."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final

from inventory.manifests.entry import ManifestRefused, Problem, complain

LONGEST: Final = 64 * 1024  # bytes of one line; the longest path has 4,096
BLOCK: Final = 256 * 1024


class Source:
    """A manifest's bytes as UTF-8 (or whatever 8-bit form it has), with a look at the beginning.

    `head` is the first part (up to 256 KiB) and is not lost for reading; `whole` says that it is everything.
    Raises ManifestRefused for an empty stream and for UTF-16 that cannot be decoded.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder: codecs.IncrementalDecoder | None = None
        first = _fill(stream, BLOCK)
        if not first.strip():
            raise ManifestRefused(1, "The manifest is empty; send the list of the files and their checksums.")
        if first.startswith(codecs.BOM_UTF8):
            first = first[3:]
        elif first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._decoder = codecs.getincrementaldecoder("utf-16")()
            first = self._decoded(first)
        self.whole = len(first) < BLOCK and self._decoder is None
        self.head = self._next = first

    def read(self, size: int = -1) -> bytes:
        """The next block, at most about `size` bytes; empty at the end. Shaped for lxml's iterparse."""
        block, self._next = self._next, b""
        while not block:
            raw = self._stream.read(BLOCK if size < 0 else size)
            block = self._decoded(raw) if self._decoder else raw
            if not raw:
                break
        return block

    def blocks(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block

    def _decoded(self, raw: bytes) -> bytes:
        assert self._decoder is not None
        try:
            return self._decoder.decode(raw, final=not raw).encode()
        except UnicodeError:
            raise ManifestRefused(
                1, "The list begins as UTF-16 but does not go on so; save it as UTF-8 and send it again."
            ) from None


def _fill(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes unless the stream ends before: a pipe may give less at a time."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Framing:
    """How the lines of one list end, judged by its head.

    `separator` is NUL for lists made with md5deep -0. `crlf` holds only when every line of the head ends in
    CR LF: a name may end in CR itself (the "Icon\\r" files of macOS), and then it must keep it.
    """

    def __init__(self, source: Source) -> None:
        self.separator = b"\0" if b"\0" in source.head else b"\n"
        lines = source.head.split(self.separator)
        if len(lines) > 1 and not (source.whole and lines[-1]):
            lines.pop()  # empty after the last line end, or cut by the end of the head
        self.crlf = self.separator == b"\n" and all(line.endswith(b"\r") for line in lines if line)
        self.sample = [line.removesuffix(b"\r") if self.crlf else line for line in lines[:500]]


def lines(source: Source, framing: Framing, on_problem: Problem | None) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line without its end.

    A line of more than 64 KiB is refused (ManifestRefused or `on_problem`) and skipped, never kept in memory.
    """
    number, rest, skipping = 0, b"", False
    for block in source.blocks():
        parts = (rest + block).split(framing.separator)
        rest = parts.pop()
        for part in parts:
            number += 1
            if skipping or len(part) > LONGEST:
                if not skipping:
                    _too_long(on_problem, number)
                skipping = False
                continue
            yield number, part[:-1] if framing.crlf and part.endswith(b"\r") else part
        if len(rest) > LONGEST:
            if not skipping:
                _too_long(on_problem, number + 1)
            rest, skipping = b"", True
    if rest and not skipping:
        yield number + 1, rest[:-1] if framing.crlf and rest.endswith(b"\r") else rest


def _too_long(on_problem: Problem | None, number: int) -> None:
    complain(
        on_problem,
        number,
        f"The line is longer than {LONGEST // 1024} KiB; it is no list of files or has lost its line ends.",
    )
