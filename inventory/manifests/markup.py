"""Manifests in XML: DFXML of md5deep -d and hashdeep -d, and the submission manifest of NCEI.
Names in DFXML are raw bytes between tags: they are made safe for the parser and restored after it."""

import codecs
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from lxml import etree

from inventory.manifests.entry import BY_DIGITS, DIGITS, LARGEST, Entry, Problem, Root, complain
from inventory.manifests.lines import Source
from inventory.paths import PathRefused

DIALECTS = ("dfxml", "ncei")

# While in the parser, U+EF00 + b stands for the byte b that XML cannot hold: control characters, bytes that
# are not UTF-8, and each byte of the characters that would read as one of these.
_ALIEN = [*range(0x01, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20)]
_INTO: dict[int, int | str] = {
    **{code: 0xEF00 + code for code in _ALIEN},
    **{0xDC00 + byte: 0xEF00 + byte for byte in range(0x80, 0x100)},
    **{
        code: "".join(chr(0xEF00 + byte) for byte in chr(code).encode())
        for code in [*range(0xEF00, 0xF000), 0xFFFE, 0xFFFF]
    },
}
_INTO_WITH_CR: dict[int, int | str] = {**_INTO, 0x0D: 0xEF0D}
_BACK = {0xEF00 + byte: (byte if byte < 0x80 else 0xDC00 + byte) for byte in range(0x01, 0x100)}

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|\+00:00)")


class _Safe:
    """A reader for the parser: the source with every byte that XML cannot hold replaced by its stand-in."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        # Line ends CR LF are the parser's business; a CR alone belongs to a name and would become LF.
        self._table = _INTO if b"\r\n" in source.head else _INTO_WITH_CR

    def read(self, size: int = -1) -> bytes:
        text = ""
        while not text:
            block = self._source.read(size)
            text = self._decoder.decode(block, final=not block)
            if not block:
                break
        return text.translate(self._table).encode()


def _raw(text: str | None) -> bytes:
    return (text or "").translate(_BACK).encode("utf-8", "surrogateescape")


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def xml_entries(source: Source, dialect: str, root: Root, on_problem: Problem | None) -> Iterator[Entry]:
    """The entries of a DFXML or NCEI manifest, one element in memory at a time.

    Entities are not expanded, nothing is fetched, and a document type is refused. XML that breaks off is
    refused at the line where it does (or told to `on_problem`, after which nothing more is read).
    A file that md5deep could not read has an entry without size and hashes. `changed_at` is the time of the
    last change of the content (mtime) or, without it, of the file's record (ctime).
    """
    wanted = "fileobject" if dialect == "dfxml" else "File"
    parser = etree.iterparse(
        _Safe(source),
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    first = True
    try:
        for event, element in parser:
            if first:
                first = False
                if element.getroottree().docinfo.doctype:
                    complain(on_problem, 1, "The XML has a document type (DOCTYPE); send it without one.")
                    return
            if event == "end" and _local(element) == wanted:
                line = element.sourceline or 0
                yield from (
                    _dfxml(element, line, root, on_problem)
                    if dialect == "dfxml"
                    else _ncei(element, line, root, on_problem)
                )
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
    except etree.XMLSyntaxError as error:
        complain(
            on_problem,
            error.lineno or 0,
            f"The XML is not well formed ({error.msg}); the file is cut or damaged. Send it again.",
        )


def _dfxml(element: etree._Element, line: int, root: Root, on_problem: Problem | None) -> Iterator[Entry]:
    facts: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for child in element:
        name = _local(child)
        if name == "hashdigest":
            hashes[child.get("type", "").lower().replace("-", "")] = (child.text or "").strip().lower()
        elif len(child) == 0:
            facts[name] = child.text or ""
        elif name == "filename":  # an entity inside, left unexpanded: the name would be wrong
            complain(on_problem, line, "A file name holds an XML entity; write the character itself.")
            return
    if facts.get("name_type", "r").strip() not in ("r", "-", ""):
        return  # other writers of DFXML list folders and links too
    time = facts.get("mtime") or facts.get("ctime")
    yield from _entry(facts.get("filename"), facts.get("filesize"), time, hashes, line, root, on_problem)


def _ncei(element: etree._Element, line: int, root: Root, on_problem: Problem | None) -> Iterator[Entry]:
    facts = {str(name).rpartition("}")[2].lower(): str(value) for name, value in element.attrib.items()}
    facts |= {_local(child).lower(): child.text or "" for child in element if len(child) == 0}
    hashes = {
        name.replace("-", ""): value.strip().lower() for name, value in facts.items() if name.replace("-", "") in DIGITS
    }
    yield from _entry(facts.get("zippath"), None, None, hashes, line, root, on_problem)


def _entry(
    name: str | None,
    size: str | None,
    time: str | None,
    hashes: dict[str, str],
    line: int,
    root: Root,
    on_problem: Problem | None,
) -> Iterator[Entry]:
    if name is None:
        complain(on_problem, line, "A file has no name in this manifest; make the manifest again.")
        return
    for algorithm, digest in hashes.items():
        if algorithm not in DIGITS:
            complain(on_problem, line, f"'{algorithm[:20]}' is no hash known here ({', '.join(DIGITS)}).")
            return
        if not re.fullmatch(r"[0-9a-f]*", digest) or len(digest) != DIGITS[algorithm]:
            why = f"has {len(digest)} digits of {DIGITS[algorithm]} or is not hexadecimal"
            complain(on_problem, line, f"The {algorithm} {why}; make the manifest again.")
            return
    octets: int | None = None
    if size is not None:
        if not re.fullmatch(r"\s*\d{1,19}\s*", size, re.ASCII) or int(size) > LARGEST:
            complain(on_problem, line, f"'{size[:30]}' is no size of a file; make the manifest again.")
            return
        octets = int(size)
    try:
        path = root.path(_raw(name))
        changed_at = _moment(time) if time else None
    except PathRefused as refusal:
        complain(on_problem, line, refusal.reason)
        return
    except ValueError:
        complain(on_problem, line, f"'{(time or '')[:40]}' is no time in UTC; make the manifest again.")
        return
    yield Entry(path, octets, changed_at, hashes, line)


def _moment(time: str) -> datetime:
    found = _MOMENT.fullmatch(time.strip())
    if found is None:
        raise ValueError(time)
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def hash_names(head: bytes) -> tuple[str, ...]:
    """The algorithms that the first part of the XML uses, in the order in which they appear."""
    found: dict[str, None] = {}
    for pattern in (
        rb"<algorithm name='([^']+)' enabled='1'",
        rb"hashdigest type=['\"]([\w-]+)",
        rb"\s(\w+)=",
    ):
        for name in re.findall(pattern, head):
            known = name.decode("ascii", "replace").lower().replace("-", "")
            if known in BY_DIGITS.values() or known == "whirlpool":
                found[known] = None
        if found:
            break
    return tuple(found)
