"""Writes manifests that the tools of the field read: md5deep's list, hashdeep's audit file and DFXML.
What is written is what the tools themselves would print, so that a reader need not know who wrote it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Final

from inventory.manifests.entry import DIGITS, Entry
from inventory.manifests.hashdeep import starts_like_a_record
from inventory.paths import display, to_bytes

OF_HASHDEEP: Final = ("md5", "sha1", "sha256", "tiger", "whirlpool")


def write_md5deep(entries: Iterable[Entry], algorithm: str = "md5", *, sizes: bool = True) -> Iterator[bytes]:
    """The lines that `md5deep -r -l -z .` prints (or sha256deep, …, for another `algorithm`), LF at the end.

    Without `sizes`, the lines of plain `md5deep -r -l .`. An entry without the hash gets asterisks and size 0, as
    md5deep -I prints it.
    Raises ValueError for a hashed entry without size, an unknown algorithm, and a name with a line break
    after which it would read as another record (or at its very end).
    """
    digits = DIGITS.get(algorithm)
    if digits is None:
        raise ValueError(f"{algorithm!r} is none of {', '.join(DIGITS)}")
    for entry in entries:
        digest = entry.hashes.get(algorithm)
        said = (digest or "*" * digits).encode("ascii")
        if sizes:
            yield b"%10d  %s  ./%s\n" % (_size(entry) if digest else 0, said, _name(entry))
        else:
            yield b"%s  ./%s\n" % (said, _name(entry))


def write_hashdeep(entries: Iterable[Entry], algorithms: Sequence[str] = ("md5", "sha256")) -> Iterator[bytes]:
    """The lines of a HASHDEEP-1.0 file (jessek/hashdeep: FILEFORMAT), which `hashdeep -r -l -a -k` audits.

    Raises ValueError when an entry lacks its size or one of the hashes, for an unknown or missing algorithm,
    and for a name with a line break after which it would read as another record.
    """
    unknown = [name for name in algorithms if name not in OF_HASHDEEP]
    if unknown or not algorithms:
        raise ValueError(f"hashdeep has no {', '.join(unknown) or 'list without a hash'}")
    yield b"%%%% HASHDEEP-1.0\n"
    yield b"%%%% " + ",".join(["size", *algorithms, "filename"]).encode("ascii") + b"\n"
    for entry in entries:
        missing = [name for name in algorithms if name not in entry.hashes]
        if missing:
            raise ValueError(f"{display(entry.path)} has no {', '.join(missing)}")
        digests = ",".join(entry.hashes[name] for name in algorithms)
        yield b"%d,%s,./%s\n" % (_size(entry), digests.encode("ascii"), _name(entry))


_DFXML_HEAD = b"""<?xml version='1.0' encoding='UTF-8'?>
<dfxml
  xmlns='http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML'
  xmlns:deep='http://md5deep.sourceforge.net/md5deep/'
  xmlns:dc='http://purl.org/dc/elements/1.1/' version='1.0'>
  <deep:configuration>
    <algorithms>
%s    </algorithms>
  </deep:configuration>
  <metadata>
    <dc:type>Hash List</dc:type>
  </metadata>
  <creator version='1.0'>
    <program>LEADLINE</program>
  </creator>
"""
_MARKUP = {b"&": b"&amp;", b"<": b"&lt;", b">": b"&gt;", b"'": b"&apos;", b'"': b"&quot;", b"\r": b"&#13;"}


def write_dfxml(entries: Iterable[Entry], algorithms: Sequence[str] = ("md5", "sha256")) -> Iterator[bytes]:
    """The DFXML that `md5deep -r -l -d .` or `hashdeep -d` prints, a part for each file.

    As those tools do, a name keeps its bytes, also where they are not UTF-8 and strict parsers refuse the file; only
    the signs of markup, and CR, which every parser would change, are written as references. What an entry does not
    know is left out. Raises ValueError for an unknown algorithm.
    """
    unknown = [name for name in algorithms if name not in DIGITS]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: none of {', '.join(DIGITS)}")
    yield _DFXML_HEAD % b"".join(b"      <algorithm name='%s' enabled='1'/>\n" % a.encode() for a in algorithms)
    for entry in entries:
        name = re.sub(rb"[&<>'\"\r]", lambda sign: _MARKUP[sign[0]], to_bytes(entry.path))
        part = [b"  <fileobject>\n    <filename>./%s</filename>\n" % name]
        if entry.size is not None:
            part.append(b"    <filesize>%d</filesize>\n" % entry.size)
        if entry.changed_at is not None:
            moment = entry.changed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            part.append(b"    <mtime>%s</mtime>\n" % moment.encode())
        for algorithm in algorithms:
            if digest := entry.hashes.get(algorithm):
                kind = algorithm.upper().encode()
                part.append(b"    <hashdigest type='%s'>%s</hashdigest>\n" % (kind, digest.encode()))
        yield b"".join([*part, b"  </fileobject>\n"])
    yield b"</dfxml>\n"


def _size(entry: Entry) -> int:
    if entry.size is None:
        raise ValueError(f"{display(entry.path)} has no size")
    return entry.size


def _name(entry: Entry) -> bytes:
    """The name's bytes. Neither tool quotes a line break; it is let pass only where it cannot deceive."""
    name = to_bytes(entry.path)
    _, *rest = name.split(b"\n")
    if rest and (not rest[-1] or any(line and starts_like_a_record(line) for line in rest)):
        raise ValueError(f"{display(entry.path)} would read as two files in this list; rename it or use DFXML")
    return name
