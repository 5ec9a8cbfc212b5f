"""The HASHDEEP-1.0 list: a header names the columns, sizes and several hashes stand before each path.
Nothing is quoted in it; surplus commas belong to the name (jessek/hashdeep: FILEFORMAT)."""

import re
from collections.abc import Iterator

from inventory.manifests.entry import DIGITS, Entry, Problem, Root, complain
from inventory.manifests.lines import Framing, Source
from inventory.manifests.records import AGAIN, HASH, entry, explain, records, shown
from inventory.paths import display

_MARK = b"%%%%"


def columns(header: bytes) -> tuple[str, ...]:
    """The column names of a `%%%% size,md5,…,filename` line, "sha-1" written as "sha1"."""
    words = header.removeprefix(_MARK).decode("ascii", "replace").split(",")
    return tuple(word.strip().lower().replace("-", "") for word in words)


class _Columns:
    """The grammar of a list whose columns its header has named."""

    def __init__(self, on_problem: Problem | None) -> None:
        self.record: re.Pattern[bytes] | None = None
        self.names: tuple[str, ...] = ()
        self._on_problem = on_problem

    def aside(self, number: int, line: bytes) -> bool:
        if line.startswith(_MARK) and b"," in line:
            self._name(number, line)
        return line.startswith((_MARK, b"#"))

    def _name(self, number: int, line: bytes) -> None:
        self.record, self.names = None, columns(line)
        hashes = self.names[1:-1]
        sound = hashes and DIGITS.keys() >= set(hashes) and len(set(hashes)) == len(hashes)
        if self.names[0] != "size" or self.names[-1] != "filename" or not sound:
            complain(
                self._on_problem,
                number,
                "The columns of a hashdeep list are size, hashes and, last, filename; this line says "
                f"{display(','.join(self.names))}. {AGAIN}",
            )
            return
        fields = [b"(?P<%s>" % name.encode() + HASH % (DIGITS[name], DIGITS[name]) + b")" for name in hashes]
        self.record = re.compile(b",".join([rb"(?P<size>\d{1,19})", *fields, b"(?P<filename>.+)"]), re.DOTALL)

    def explain(self, line: bytes) -> str | None:
        if self.record is None:
            return f"No line '%%%% size,…,filename' that can be used stands before this one. {AGAIN}"
        if not line[:1].isdigit():
            return explain(line, self.names[1])
        fields = line.split(b",", len(self.names) - 1)
        if len(fields) < len(self.names):
            return f"The line has {len(fields)} of {len(self.names)} columns: it is cut. {AGAIN}"
        for name, field in zip(self.names[1:-1], fields[1:-1], strict=True):
            if len(field) != DIGITS[name]:
                return f"The {name} has {len(field)} digits, not {DIGITS[name]}. {AGAIN}"
            if not re.fullmatch(rb"[0-9A-Fa-f]+|\*+", field):
                return f"The {name} {shown(field)} is not hexadecimal; the line is damaged. {AGAIN}"
        return f"{shown(line)} does not have the columns {', '.join(self.names)}. {AGAIN}"


def hashdeep_entries(source: Source, framing: Framing, root: Root, on_problem: Problem | None) -> Iterator[Entry]:
    """The entries of the list, or of several laid one behind the other, each with its own columns.

    Raises ManifestRefused unless `on_problem` takes the refusals.
    """
    for number, found in records(source, framing, _Columns(on_problem), on_problem):
        facts = found.groupdict()  # by name: the header may have changed since this record was found
        size, raw = facts.pop("size"), facts.pop("filename")
        hashes = {name: digest.decode("ascii").lower() for name, digest in facts.items() if digest[:1] != b"*"}
        made = entry(number, raw, size, None, hashes, root, on_problem)
        if made is not None:
            yield made


def starts_like_a_record(line: bytes) -> bool:
    """Whether a reader could take this line for a record or a comment, not for the rest of a name."""
    return line[:1].isdigit() or line.startswith((b"#", _MARK)) or explain(line, "md5") is not None
