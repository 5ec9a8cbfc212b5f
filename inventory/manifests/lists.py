"""Lists with a hash before each path: md5deep with its options, md5sum and its kin, OpenVDM, bags.
They differ in what parts hash and path, and in how a name with a line break is written."""

import re
from collections.abc import Iterator
from typing import Final

from inventory.manifests.entry import DIGITS, Entry, Problem, Root
from inventory.manifests.lines import Framing, Source
from inventory.manifests.records import HASH, TIME, entry, explain, records

# Groups: backslash before an escaped line, size, hash, time, path.
_SHAPES: Final[dict[str, bytes]] = {
    "md5deep": rb"(\\)?(?: *(\d{1,19})  )?(HASH)(?: (TIME))?(?:  | \*)(.+)",
    "md5sum": rb"(\\)?(?: *(\d{1,19})  )?(HASH)(?: (TIME))?(?:  | \*)(.+)",
    "md5deep-csv": rb"(\\)?(?: *(\d{1,19}), )?(HASH)(?:,(TIME))?,(.+)",
    "openvdm": rb"(\\)?()(HASH)() (.+)",
    "bagit": rb"(\\)?()(HASH)()[ \t]+\*?(.+)",
}
LISTS: Final = frozenset(_SHAPES)

_BAG_ESCAPE = re.compile(rb"%(0[AaDd]|25)")  # RFC 8493, 2.1.3: CR, LF and %, nothing else
_SUM_ESCAPE = re.compile(rb"\\([\\nr])")  # GNU coreutils, md5sum: such a line begins with a backslash
_SUM_PLAIN = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}


class _List:
    """The grammar of one list; it has neither header nor comments."""

    def __init__(self, dialect: str, algorithm: str) -> None:
        digits = DIGITS[algorithm]
        pattern = _SHAPES[dialect].replace(b"HASH", HASH % (digits, digits)).replace(b"TIME", TIME)
        self.record: re.Pattern[bytes] | None = re.compile(pattern, re.DOTALL)
        self._algorithm = algorithm

    def aside(self, number: int, line: bytes) -> bool:
        return False

    def explain(self, line: bytes) -> str | None:
        return explain(line, self._algorithm)


def list_entries(
    source: Source, framing: Framing, dialect: str, algorithm: str, root: Root, on_problem: Problem | None
) -> Iterator[Entry]:
    """The entries of a list of `dialect` (one of LISTS) with hashes of `algorithm`.

    The size beside asterisks is not taken: md5deep -z -I prints 0 for every file that it did not hash.
    Raises ManifestRefused unless `on_problem` takes the refusals.
    """
    for number, found in records(source, framing, _List(dialect, algorithm), on_problem):
        escaped, size, digest, time, raw = found.groups()
        if dialect == "bagit":
            raw = _BAG_ESCAPE.sub(lambda code: bytes([int(code[1], 16)]), raw)
        elif escaped:
            raw = _SUM_ESCAPE.sub(lambda code: _SUM_PLAIN[code[1]], raw)
        hashed = not digest.startswith(b"*")
        hashes = {algorithm: digest.decode("ascii").lower()} if hashed else {}
        made = entry(number, raw, size if hashed else None, time, hashes, root, on_problem)
        if made is not None:
            yield made
