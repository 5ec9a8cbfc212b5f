"""Writes manifests that the tools of the field read: md5deep's list with sizes and hashdeep's audit file.
What is written is what the tools themselves would print, so that a reader need not know who wrote it."""

from collections.abc import Iterable, Iterator, Sequence

from inventory.manifests.entry import DIGITS, Entry
from inventory.manifests.hashdeep import starts_like_a_record
from inventory.paths import display, to_bytes


def write_md5deep(entries: Iterable[Entry], algorithm: str = "md5") -> Iterator[bytes]:
    """The lines that `md5deep -r -l -z .` prints (or sha256deep, …, for another `algorithm`), LF at the end.

    An entry without the hash gets asterisks and size 0, as md5deep -I prints it.
    Raises ValueError for a hashed entry without size, an unknown algorithm, and a name with a line break
    after which it would read as another record (or at its very end).
    """
    digits = DIGITS.get(algorithm)
    if digits is None:
        raise ValueError(f"{algorithm!r} is none of {', '.join(DIGITS)}")
    for entry in entries:
        digest = entry.hashes.get(algorithm)
        if digest is None:
            size, digest = 0, "*" * digits
        else:
            size = _size(entry)
        yield b"%10d  %s  ./%s\n" % (size, digest.encode("ascii"), _name(entry))


def write_hashdeep(entries: Iterable[Entry], algorithms: Sequence[str] = ("md5", "sha256")) -> Iterator[bytes]:
    """The lines of a HASHDEEP-1.0 file (jessek/hashdeep: FILEFORMAT), which `hashdeep -r -l -a -k` audits.

    Raises ValueError when an entry lacks its size or one of the hashes, for an unknown or missing algorithm,
    and for a name with a line break after which it would read as another record.
    """
    unknown = [name for name in algorithms if name not in ("md5", "sha1", "sha256", "tiger", "whirlpool")]
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
