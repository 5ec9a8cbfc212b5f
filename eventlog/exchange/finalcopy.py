"""The final copy of a log, whole: version 2 of our document. Everything that is in the log, its history and its seals.

One JSON text with one row a line, written canonically, so that the same log is always the same bytes and a copy of
any size is read, and verified without a database, line by line. Ship and shore exchange it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eventlog import chain, replay

from .boundedjson import load
from .record import Unreadable

FORMAT = "leadline-eventlog"
VERSION = 2
# In this order: revisions come before the things that they tell of, so that these can be compared in passing.
SECTIONS = (
    "people",
    "revisions",
    "places",
    "terms",
    "templates",
    "operations",
    "events",
    "attachments",
    "files",
    "imports",
    "seals",
)
KINDS = {
    "places": "place",
    "terms": "term",
    "templates": "template",
    "operations": "operation",
    "events": "event",
    "attachments": "attachment",
    "files": "file",
}
LONGEST_LINE = 20_000_000  # bytes of one row; the whole row of an import is in it twice
MOST_NAMED = 1000
Row = dict[str, Any]


def write(header: Mapping[str, Any], sections: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    """The document, bit by bit, for UTF-8. `sections` has the rows of each of SECTIONS; one not given is empty.

    Raises ValueError for a number that is not finite, TypeError for what JSON has no word for.
    """
    yield f'{{\n"format": "{FORMAT}",\n"version": {VERSION},\n"header": {chain.canonical(header)}'
    for name in SECTIONS:
        yield f',\n"{name}": ['
        mark = "\n"
        for row in sections.get(name, ()):
            yield mark + chain.canonical(row)
            mark = ",\n"
        yield "]" if mark == "\n" else "\n]"
    yield "\n}\n"


def rows(lines: Iterable[bytes]) -> Iterator[tuple[str, Row]]:
    """("header", row), then (section, row) of every row. Raises Unreadable, with the line, for any other text.

    `lines` are those of the file, each with its end. Strict: a row that is not written as `write` writes is refused.
    """
    reader = _Lines(lines)
    for words in (b"{", b'"format": "%b",' % FORMAT.encode(), b'"version": %d,' % VERSION):
        reader.expect(words)
    line = reader.next()
    if not line.startswith(b'"header": ') or not line.endswith(b","):
        raise Unreadable("The header of the document is not where it should be", reader.number)
    yield "header", _row(line[len(b'"header": ') : -1], reader.number)
    for place, name in enumerate(SECTIONS):
        after = b"" if place == len(SECTIONS) - 1 else b","
        line = reader.next()
        if line == b'"%b": []%b' % (name.encode(), after):
            continue
        if line != b'"%b": [' % name.encode():
            raise Unreadable(f"The list of {name} is not where it should be", reader.number)
        while True:
            line = reader.next()
            if line == b"]" + after:
                break
            yield name, _row(line.removesuffix(b","), reader.number)
    reader.expect(b"}")
    if next(reader.lines, None) is not None:
        raise Unreadable("Something follows after the end of the document", reader.number + 1)


def is_final_copy(start: bytes) -> bool:
    """Whether a file that starts like this says that it is such a document."""
    return start.startswith(b'{\n"format": "%b",\n"version": %d,\n' % (FORMAT.encode(), VERSION))


class _Lines:
    def __init__(self, lines: Iterable[bytes]) -> None:
        self.lines = iter(lines)
        self.number = 0

    def next(self) -> bytes:
        line = next(self.lines, None)
        self.number += 1
        if line is None or not line.endswith(b"\n"):
            raise Unreadable("The document ends too early: it is cut off", self.number)
        if len(line) > LONGEST_LINE:
            raise Unreadable(f"The line has more than {LONGEST_LINE:,} bytes", self.number)
        return line[:-1]

    def expect(self, words: bytes) -> None:
        if (line := self.next()) != words:
            raise Unreadable(f"This is no final copy of a log: {line[:60]!r} stands for {words!r}", self.number)


def _row(line: bytes, number: int) -> Row:
    """A row; what is written in any other way than ours is refused, and with it every trick that JSON allows."""
    try:
        text = line.decode("utf-8")
        # Ours escapes control characters alone; a line with escapes goes through the reader that looks at each text.
        value = load(line, deepest=48)[0] if b"\\u" in line else json.loads(text, parse_constant=str)
        if not isinstance(value, dict) or chain.canonical(value) != text:
            raise Unreadable("The row is not written as Leadline writes it", number)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The row is broken", number) from error
    except Unreadable as error:
        raise Unreadable(error.message, number) from error
    return value


class Checked:
    """What verifying a final copy found, without a database. `faults` name what was altered; empty: nothing was."""

    def __init__(self) -> None:
        self.header: Row = {}
        self.faults: list[str] = []
        self.unnamed = 0
        self.sequence = 0
        self.head = ""
        self.digests: dict[int, str] = {}
        self.rows: dict[str, int] = dict.fromkeys(SECTIONS, 0)
        self.seals: list[Row] = []

    def name(self, fault: str) -> None:
        """Adds a fault; beyond MOST_NAMED it is only counted."""
        if len(self.faults) < MOST_NAMED:
            self.faults.append(fault)
        else:
            self.unnamed += 1


def check(lines: Iterable[bytes]) -> Checked:
    """Follows the chain, replays every revision, and compares each row and the seals. Raises Unreadable.

    What each thing was is kept as a line of JSON: a log of 100,000 events takes about 200 MB of memory.
    """
    found = Checked()
    follower = chain.Follower("")
    told: dict[str, tuple[str, int, bytes]] = {}
    for section, row in rows(lines):
        if section == "header":
            found.header = row
            follower.cruise_id = str(row.get("cruise_id", ""))
            continue
        found.rows[section] += 1
        try:
            if section == "revisions":
                _follow(follower, row, told, found)
                found.digests[row["sequence"]] = row["digest"]
            elif section in KINDS:
                _compare(KINDS[section], row, told, found)
            elif section == "seals":
                found.seals.append(row)
                _sealed(row, found.digests, found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            found.name(f"{section[:-1]} {found.rows[section]} lacks what it must have: {error!r:.200}")
    found.sequence, found.head = follower.sequence, follower.head
    for uuid, (kind, _, _) in told.items():
        if kind != "log":
            found.name(f"{kind} {uuid}: its revisions are there and it is not")
    if not found.seals:
        found.name("the document has no seal")
    elif found.seals[-1]["sequence"] != found.sequence:
        found.name(f"the last seal covers revision {found.seals[-1]['sequence']}, the chain ends at {found.sequence}")
    return found


def _follow(follower: chain.Follower, row: Row, told: dict[str, tuple[str, int, bytes]], found: Checked) -> None:
    for fault in follower.follow(row):
        which = f"revision {fault.sequence}" if fault.what != "missing" else f"revisions {fault.sequence}…{fault.last}"
        found.name(f"{fault.what} {which} of {row['thing']} {row['thing_uuid']}: {fault.why}")
    kind, number, before = told.get(row["thing_uuid"], (row["thing"], 0, b""))
    if (kind, number + 1) != (row["thing"], row["number"]):
        found.name(f"revision {row['sequence']}: number {row['number']} of its {row['thing']} follows on {number}")
    state = json.loads(before) if before else {}
    state = replay.apply(state, row["changes"])
    told[row["thing_uuid"]] = (kind, row["number"], chain.canonical(state).encode())


def _compare(kind: str, row: Row, told: dict[str, tuple[str, int, bytes]], found: Checked) -> None:
    where = f"{kind} {row.get('number') or row.get('name') or ''} ({row['uuid']})".replace("  ", " ")
    kind_told, number, state = told.pop(row["uuid"], ("", 0, b""))
    if not number:
        # Words, buttons and unsettled files may stand without revisions; the rest never does.
        if kind in ("event", "operation", "attachment", "place") or (kind == "file" and row["sha256"]):
            found.name(f"{where}: no revision tells how it came into the log")
        return
    if kind_told != kind:
        found.name(f"{where}: its revisions are those of a {kind_told}")
        return
    if row.get("revision", number) != number:
        found.name(f"{where}: revision is {row['revision']}, its last revision is number {number}")
    for name, value in replay.whole(kind, json.loads(state)).items():
        if chain.canonical(row[name]) != chain.canonical(value):
            found.name(f"{where}: {name} is {chain.canonical(row[name])[:100]}, its revisions say {value!r:.100}")


def _sealed(row: Row, heads: Mapping[int, str], found: Checked) -> None:
    if heads.get(row["sequence"]) != row["head"]:
        found.name(f"seal at {row['sequence']}: its head is not the digest of that revision")
