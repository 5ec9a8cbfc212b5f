"""Opens a manifest of any known dialect: the head shows which one it is, then its entries are streamed.
The head alone decides; a list that changes its shape later is refused line by line, never guessed at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from inventory.manifests import markup
from inventory.manifests.entry import BY_DIGITS, Entry, ManifestRefused, Problem, Root
from inventory.manifests.hashdeep import columns, hashdeep_entries
from inventory.manifests.lines import Framing, Source
from inventory.manifests.lists import LISTS, list_entries
from inventory.manifests.records import TIME

DIALECTS: Final = (*sorted(LISTS), "hashdeep", *markup.DIALECTS)

_LIST = re.compile(rb"(\\?)( *\d{1,19}  )?([0-9A-Fa-f]+|\*+)( " + TIME + rb")?(  | \*| |\t[ \t]*)(.+)", re.DOTALL)
_CSV = re.compile(rb"( *\d{1,19}, )?([0-9A-Fa-f]+|\*+),(" + TIME + rb",)?(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest being read: `entries` can be gone through once, while the stream is open.

    `dialect` is one of DIALECTS; `algorithms` are the hashes that its head announces or shows.
    """

    dialect: str
    algorithms: tuple[str, ...]
    entries: Iterator[Entry]


def read(
    stream: BinaryIO,
    *,
    dialect: str | None = None,
    root: str | None = None,
    backslashes: bool | None = None,
    on_problem: Problem | None = None,
) -> Manifest:
    """The manifest in `stream`, its dialect found from the content unless it is given.

    `root` is the folder before every path, where the tool was not told to write relative paths; `backslashes`
    says whether the list was made on Windows (None: judged by the head). Memory is bounded by one block of
    256 KiB, whatever the length. Repeated paths are passed on; see `unique`.

    Raises ManifestRefused with line and reason: at once when the content is empty or of no known dialect;
    while going through `entries`, for the first line that cannot be trusted, or, with `on_problem`, never
    then: each such line is told to it and left out. Raises ValueError for an unknown `dialect`.
    Formats: jessek/hashdeep man/md5deep.1 and FILEFORMAT and the output of version 4.4, RFC 8493 for bags.
    """
    if dialect is not None and dialect not in DIALECTS:
        raise ValueError(f"{dialect!r} is none of {', '.join(DIALECTS)}")
    source = Source(stream)
    framing = Framing(source)
    dialect = dialect or detect(source, framing)
    windows = _made_on_windows(framing, dialect, source.head) if backslashes is None else backslashes
    place = Root(root, backslashes=windows)
    if dialect in markup.DIALECTS:
        names = markup.hash_names(source.head)
        return Manifest(dialect, names, markup.xml_entries(source, dialect, place, on_problem))
    if dialect == "hashdeep":
        return Manifest(dialect, _announced(framing), hashdeep_entries(source, framing, place, on_problem))
    algorithm = _algorithm(framing, dialect)
    entries = list_entries(source, framing, dialect, algorithm, place, on_problem)
    return Manifest(dialect, (algorithm,), entries)


def detect(source: Source, framing: Framing) -> str:
    """The dialect that the head is written in; raises ManifestRefused when it is none of DIALECTS."""
    head = source.head.lstrip()
    if head.startswith(b"%%%%"):
        return "hashdeep"
    if head.startswith(b"<"):
        return _detect_xml(head)
    found = [record for record in map(_first_look, framing.sample) if record is not None]
    if not found:
        raise ManifestRefused(
            1,
            "This is no list of checksums known here. Send the output of md5deep -r -l -z, hashdeep -r -l, "
            "md5sum or sha256sum, or a bag's manifest.",
        )
    if sum(isinstance(record, _Comma) for record in found) * 2 > len(found):
        return "md5deep-csv"
    records = [record for record in found if isinstance(record, _Blank)]
    decorated = any(record.size or record.time for record in records)
    if not decorated and all(record.path.startswith(b"data/") for record in records):
        return "bagit"
    if not decorated and sum(record.between == b" " for record in records) * 2 > len(records):
        return "openvdm"
    dotted = any(record.path.startswith((b"./", b".\\")) or record.digest[:1] == b"*" for record in records)
    starred = any(record.escape or record.between == b" *" for record in records)
    return "md5deep" if decorated or (dotted and not starred) else "md5sum"


@dataclass(frozen=True, slots=True)
class _Blank:
    """A line of the shape "hash, blanks, path"."""

    escape: bytes
    size: bytes | None
    digest: bytes
    time: bytes | None
    between: bytes
    path: bytes


@dataclass(frozen=True, slots=True)
class _Comma:
    """A line of the shape "hash, comma, path"."""

    digest: bytes
    path: bytes


def _first_look(line: bytes) -> _Blank | _Comma | None:
    if (found := _LIST.fullmatch(line)) and len(found[3]) in BY_DIGITS:
        return _Blank(*found.groups())
    if (found := _CSV.fullmatch(line)) and len(found[2]) in BY_DIGITS:
        return _Comma(found[2], found[4])
    return None


def _detect_xml(head: bytes) -> str:
    if b"<dfxml" in head or b"<fileobject" in head:
        return "dfxml"
    if b"ZipPath" in head or b"SubmissionManifest" in head:
        return "ncei"
    raise ManifestRefused(
        1, "This XML is neither DFXML (md5deep -d) nor a submission manifest with ZipPath; send one of these."
    )


def _algorithm(framing: Framing, dialect: str) -> str:
    """The algorithm of a list, by the digits of its first record; md5deep's own 128 digits are whirlpool."""
    for line in framing.sample:
        record = _first_look(line)
        if record is not None:
            name = BY_DIGITS[len(record.digest)]
            decorated = isinstance(record, _Comma) or bool(record.size or record.time)
            return "whirlpool" if name == "sha512" and decorated and dialect.startswith("md5deep") else name
    raise ManifestRefused(1, f"No line at the beginning is a record of {dialect}; send the list whole.")


def _announced(framing: Framing) -> tuple[str, ...]:
    """The hash columns of a hashdeep list, from its second header line."""
    for line in framing.sample:
        if line.startswith(b"%%%%") and b"," in line:
            return columns(line)[1:-1]
    return ()


def _made_on_windows(framing: Framing, dialect: str, head: bytes) -> bool:
    """Whether backslashes part folders: certain in NCEI's ZipPath, else only if the head shows it.

    A backslash is a legal character of a POSIX name, so one alone proves nothing: wanted is ".\\" or a drive
    before a path, or CR LF line ends and backslashes but not a single slash.
    """
    if dialect == "ncei":
        return True
    if dialect == "dfxml":
        return re.search(rb"<filename>(?:\.|[A-Za-z]:)\\", head) is not None
    paths = [_path(line, dialect) for line in framing.sample]
    if any(re.match(rb"(?:\.|[A-Za-z]:)\\", path) for path in paths):
        return True
    return framing.crlf and any(b"\\" in path for path in paths) and not any(b"/" in path for path in paths)


def _path(line: bytes, dialect: str) -> bytes:
    if dialect == "hashdeep":
        return b"" if line.startswith((b"%%%%", b"#")) else line.rpartition(b",")[2]
    record = _first_look(line)
    if record is None or (isinstance(record, _Blank) and record.escape):
        return b""
    return record.path
