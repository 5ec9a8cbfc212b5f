"""Rows out of delimited text that came from outside, with bounds, line numbers and a way past broken quotes.
Quoting is that of RFC 4180; one bad row costs that row and no other."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .record import MOST_BYTES, Unreadable

LONGEST_ROW = 131_072  # characters, line breaks within quotes included; also the csv module's own limit for a cell
MOST_VALUES = 1_000
MOST_LINES = 1_000_000
MOST_FAULTS = 1_000  # each may be looked at to the length of a row, so many of them would take minutes
_LOST = "\ufffd"  # stands where a character could not be kept; NUL has no place in a PostgreSQL text


@dataclass(frozen=True, slots=True)
class Row:
    """The values that began on `line` (1-based). Blank line: no values.

    With a `fault` (a sentence) the row breaks the rules of quoting; its values are then a guess from its
    first line alone, to be believed only if their number fits, and the next row begins on the next line.
    """

    line: int
    values: tuple[str, ...]
    fault: str = ""


def decode(data: bytes, most_bytes: int = MOST_BYTES) -> tuple[str, str, list[str]]:
    """The text, its encoding, and notes on what was odd. Raises Unreadable if too large or not text.

    A byte order mark decides; else UTF-8 if it fits; else latin-1, or Windows-1252 where bytes 80 to 9F
    (which latin-1 leaves to control characters) show that a Windows program wrote it.
    """
    if len(data) > most_bytes:
        raise Unreadable(f"The file has {len(data):,} bytes; more than {most_bytes:,} are not read")
    text, encoding, notes = _characters(data)
    if nuls := text.count("\0"):
        if nuls * 10 > len(text):
            raise Unreadable("The file is not text: more than a tenth of it is NUL bytes")
        line = text.count("\n", 0, text.index("\0")) + 1
        notes.append(f"{nuls} NUL bytes (the first on line {line}) were replaced by U+FFFD")
        text = text.replace("\0", _LOST)
    return text, encoding, notes


def _characters(data: bytes) -> tuple[str, str, list[str]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), "utf-16", ["The file is UTF-16, not UTF-8"]
        except UnicodeDecodeError as error:
            raise Unreadable("The file begins like UTF-16 text but is not") from error
    notes = []
    encoding = "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        data, encoding = data[len(codecs.BOM_UTF8) :], "utf-8-sig"
        notes.append("The file begins with a byte order mark")
    try:
        return data.decode("utf-8"), encoding, notes
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.reason == "unexpected end of data" and error.start:
            notes.append("The file is cut off within its last character")
            return data[: error.start].decode("utf-8") + _LOST, encoding, notes
    notes.append("The file is not UTF-8; it was read as an older Western encoding, so check names with accents")
    if re.search(rb"[\x80-\x9f]", data):
        try:
            return data.decode("cp1252"), "cp1252", notes
        except UnicodeDecodeError:
            pass  # five bytes mean nothing in Windows-1252; latin-1 knows all 256
    return data.decode("latin-1"), "latin-1", notes


def unique(names: Iterable[str]) -> list[str]:
    """The names with a number behind those that come again, so that each can be a key."""
    taken: dict[str, None] = {}
    for name in names:
        key, count = name, 1
        while key in taken:
            count += 1
            key = f"{name} ({count})"
        taken[key] = None
    return list(taken)


class _TooLong(Exception):
    pass


class _Feed(Iterator[str]):
    """Hands lines to the csv reader, but no more characters for one row than allowed; can be set back."""

    def __init__(self, lines: list[str], longest: int) -> None:
        self.lines = lines
        self.longest = longest
        self.at = 0
        self.held = 0

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        line = self.lines[self.at]
        self.held += len(line)
        if self.held > self.longest:
            raise _TooLong
        self.at += 1
        return line


def rows(
    text: str, delimiter: str = ",", widths: set[int] | None = None, longest_row: int = LONGEST_ROW
) -> Iterator[Row]:
    """Every row of the text, blank lines included. Raises Unreadable for too many lines or too many faults.

    `widths`, if given, are the numbers of values seen in sound rows; the caller may add to it on the way. A
    row of several lines with fewer values is a quote left open that swallowed its neighbours.
    """
    if text.count("\n") + text.count("\r") - text.count("\r\n") > MOST_LINES:
        raise Unreadable(f"The file has more than {MOST_LINES:,} lines")
    feed = _Feed(list(io.StringIO(text, newline="")), longest_row)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    faults = 0
    while feed.at < len(feed.lines):
        start = feed.at
        feed.held = 0
        fault = ""
        try:
            values = next(reader)
        except _TooLong:
            fault = f"The row is longer than {longest_row:,} characters, or a quote in it is never closed"
        except csv.Error:
            fault = "A quote in this row is not closed, or stands within a value without being doubled"
        else:
            if len(values) > MOST_VALUES:
                fault = f"The row has more than {MOST_VALUES:,} values"
            elif widths and feed.at > start + 1 and len(values) < max(widths) and len(values) not in widths:
                fault = "A quote in this row is not closed where its value ends"
            else:
                yield Row(start + 1, tuple(values) if any(value.strip() for value in values) else ())
        if fault:
            faults += 1
            if faults > MOST_FAULTS:
                raise Unreadable(f"More than {MOST_FAULTS:,} rows have broken quotes; is this CSV?", start + 1)
            yield Row(start + 1, _mended(feed.lines[start], delimiter, longest_row), fault)
            feed.at = start + 1
            reader = csv.reader(feed, delimiter=delimiter, strict=True)


def _mended(line: str, delimiter: str, longest_row: int) -> tuple[str, ...]:
    """A guess at the values of one line: only a quote before a delimiter or the end closes a value."""
    if len(line) > longest_row or line.count(delimiter) >= MOST_VALUES:
        return ()
    line = line.rstrip("\r\n")
    closing = re.compile(rf'"(?={re.escape(delimiter)}|\Z)')
    values = []
    at = 0
    while at <= len(line):
        if line.startswith('"', at):
            end = closing.search(line, at + 1)
            if not end:  # none follows, so none will: asking again for each value would take quadratic time
                values.extend(line[at:].split(delimiter))
                break
            values.append(line[at + 1 : end.start()].replace('""', '"'))
            at = end.end() + 1
        else:
            stop = line.find(delimiter, at)
            stop = len(line) if stop < 0 else stop
            values.append(line[at:stop])
            at = stop + 1
    return tuple(values)
