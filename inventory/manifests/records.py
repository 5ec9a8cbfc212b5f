"""Finds the records among the lines of a list, and says of every other line what is wrong with it.
md5deep and hashdeep print a line break in a name as it is: such names are put together again here."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Protocol

from inventory.manifests.entry import BY_DIGITS, DIGITS, LARGEST, Entry, Problem, Root, complain
from inventory.manifests.lines import LONGEST, Framing, Source, lines
from inventory.paths import PathRefused, display, to_text

AGAIN: Final = "Make or send the list again."
TIME: Final = rb"\d{4}(?::\d\d){5}"  # md5deep -t prints the ctime, in UTC, as 2014:08:01:00:00:00
HASH: Final = rb"[0-9A-Fa-f]{%d}|\*{%d}"  # asterisks: not hashed, larger than the limit given with -I

_PIECE = re.compile(rb" offset \d+-\d+\Z")
_PIECES = "The hash is of a piece of the file (option -p), not of the file; make the list again without -p."
_TOOL_ERROR = re.compile(rb".+: [A-Z][a-z]+(?:[ /][a-z]+)*\.?")
_SIZE_FIRST = re.compile(rb"\s*\d+(?:  |, |\Z)")
_BEFORE_HASH = re.compile(rb"\A\\?\s*(?:\d+(?:  |, ))?")
_WORD = re.compile(rb"[0-9A-Za-z*]*")


class Grammar(Protocol):
    """What a record of one dialect looks like."""

    record: re.Pattern[bytes] | None

    def aside(self, number: int, line: bytes) -> bool:
        """Whether the line is a header or comment; a header may change `record`."""

    def explain(self, line: bytes) -> str | None:
        """Why the line is no record; None when it may be the rest of a name with a line break."""


def records(
    source: Source, framing: Framing, grammar: Grammar, on_problem: Problem | None
) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Each record with the number of the line where it begins.

    A line that is no record and does not look like a damaged one either is the rest of the name before it;
    anything doubtful is refused. In a list with NUL between the records (md5deep -0) nothing is put together.
    """
    held: tuple[int, re.Match[bytes]] | None = None
    breaks = 1
    for number, line in lines(source, framing, on_problem):
        found = grammar.record.fullmatch(line) if grammar.record else None
        if found is not None:
            if held is not None:
                yield held
            held, breaks = (number, found), 1
            continue
        if not line:
            breaks += 1
            continue
        if line[:1] in b"%#" and grammar.aside(number, line):
            if held is not None:
                yield held
            held = None
            continue
        reason = grammar.explain(line)
        longer = held[1].string + b"\n" * breaks + line if held and framing.separator == b"\n" else b""
        if reason is None and held and grammar.record and 0 < len(longer) < LONGEST:
            found = grammar.record.fullmatch(longer)
        if held and found is not None:
            held, breaks = (held[0], found), 1
        else:
            complain(on_problem, number, reason or f"{shown(line)} is no record of this list. {AGAIN}")
    if held is not None:
        yield held


def explain(line: bytes, algorithm: str) -> str | None:
    """What is wrong with a line of a list of `algorithm`, or None if it may be the rest of a name."""
    if _TOOL_ERROR.fullmatch(line):
        return f"{shown(line)} is a message of the tool: it could not read the file. Make it readable. {AGAIN}"
    bare = _BEFORE_HASH.sub(b"", line)
    found = _WORD.match(bare)
    word = found[0] if found else b""
    digits, wanted = len(word), DIGITS[algorithm]
    hexadecimal = sum(sign in b"0123456789abcdefABCDEF*" for sign in word)
    if digits == wanted and hexadecimal * 2 >= wanted:
        if hexadecimal < wanted:
            return f"The hash {shown(word)} is not hexadecimal; the line is damaged. {AGAIN}"
        if not bare[wanted:].strip():
            return f"The line ends after the hash: it is cut. {AGAIN}"
        return f"Hash and path are not parted as in the rest of the list: {shown(line)}. {AGAIN}"
    if digits in BY_DIGITS and hexadecimal == digits:
        return (
            f"The hash has {digits} digits ({BY_DIGITS[digits]}), {algorithm} has {wanted}. "
            "Keep lists of different hashes apart."
        )
    if (digits >= 6 and hexadecimal == digits) or (digits >= 20 and hexadecimal * 2 > digits):
        return f"The hash has {digits} digits, {algorithm} has {wanted}: the line is cut or damaged. {AGAIN}"
    if _SIZE_FIRST.match(line) or line[:1] in b" \t" or b"  " in line or b",./" in line:
        return f"No hash stands before the path in {shown(line)}: the line is cut or damaged. {AGAIN}"
    return None


def entry(
    number: int,
    raw: bytes,
    size: bytes | None,
    time: bytes | None,
    hashes: dict[str, str],
    root: Root,
    on_problem: Problem | None,
) -> Entry | None:
    """The entry made of one record, or None when a part of it is refused."""
    try:
        path = root.path(raw)
    except PathRefused as refusal:
        complain(on_problem, number, refusal.reason)
        return None
    if _PIECE.search(raw):
        complain(on_problem, number, _PIECES)
        return None
    octets = int(size) if size else None
    if octets is not None and octets > LARGEST:
        complain(on_problem, number, f"No file has {octets} bytes; the size is damaged. {AGAIN}")
        return None
    try:
        changed_at = _moment(time) if time else None
    except ValueError:
        complain(on_problem, number, f"{shown(time or b'')} is no date and time. {AGAIN}")
        return None
    return Entry(path, octets, changed_at, hashes, number)


def _moment(time: bytes) -> datetime:
    year, month, day, hour, minute, second = map(int, time.split(b":"))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def shown(raw: bytes) -> str:
    """The beginning of a line as a message may quote it."""
    text = display(to_text(raw[:100].replace(b"\0", b"")))
    return f"'{text[:60]}…'" if len(text) > 60 or len(raw) > 100 else f"'{text}'"
