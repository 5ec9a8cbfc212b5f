"""An inventory written out: CSV, and manifests that md5deep, hashdeep and readers of DFXML understand."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Q

from inventory import hashes, listing, manifests, scan
from inventory.listing import DELIVERED, DISK, FOUND
from inventory.manifests import Entry
from inventory.models import Distribution
from portal.refusals import NotFound, NotLikeThis

COLUMNS = {
    "path": "path",
    "size": "size",
    "changed_at": "changed_at",
    "state": "state",
    "md5": "md5",
    "sha256": "sha256",
    "delivered_size": "delivered_size",
    "delivered_md5": "delivered_md5",
    "delivered_sha256": "delivered_sha256",
    "dataset": "dataset__uuid",
}
ALGORITHMS = hashes.KEPT


@dataclass(frozen=True, slots=True)
class Export:
    """An inventory on its way out: its parts in order, what they are, and a name for the file."""

    parts: Iterator[bytes | str]
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class _Format:
    write: Callable[[Distribution, str], Iterator[bytes | str]]
    content_type: str
    ending: str


def export(distribution: Distribution, form: str, said: str = FOUND) -> Export:
    """A shipment as `form`, one of FORMATS.

    `said`: "found" (as read by us), "delivered" (as the ship told it), or "disk" (as found, and the manifest in the
    root as well: an audit of the disk by hashdeep meets it). Raises NotFound for another form, and NotLikeThis, before
    anything is sent, when the form cannot say it: a hashdeep list takes sizes and hashes of every file, both lists take
    no name that would read as two files, and a disk that is not there shows no manifest.
    """
    if form not in FORMATS:
        raise NotFound(f"The inventory is not given as {form}; there are {', '.join(FORMATS)}.")
    if said == DISK and form == "csv":
        raise NotLikeThis(
            "The CSV tells the inventory, in which the manifest has no row. Take hashdeep, md5deep or DFXML."
        )
    if said == DISK and not scan.there(Path(distribution.root)):
        raise NotLikeThis(
            f"The disk of {distribution} is not there, and the manifest on it cannot be listed. Mount it, or take the "
            "list without the manifest."
        )
    format_ = FORMATS[form]
    told = "" if said == FOUND else f"-{said}"
    name = f"{distribution.cruise.cruise_id}-{distribution.number}{told}.{format_.ending}"
    return Export(format_.write(distribution, said), f"{format_.content_type}; charset=utf-8", name)


def _md5deep(distribution: Distribution, said: str) -> Iterator[bytes | str]:
    """As `md5deep -r -l -z` prints it; `sha256deep` where the ship told no MD5, no sizes where it told none."""
    algorithm, sizes = "md5", True
    if said == DELIVERED:
        listed = distribution.files.filter(in_manifest=True)
        hashed = listed.exclude(delivered_md5="", delivered_sha256="", delivered_hashes=None)
        sizes = not hashed.filter(delivered_size=None).exists()
        told = (a for a in listing.algorithms(distribution) if listed.filter(_told(a)).exists())
        algorithm = next(told, algorithm)

    def write(entries: Iterable[Entry]) -> Iterator[bytes]:
        return manifests.write_md5deep(entries, algorithm, sizes=sizes)

    return _checked(write, distribution, said)


def _hashdeep(distribution: Distribution, said: str) -> Iterator[bytes | str]:
    """As HASHDEEP-1.0, against which `hashdeep -r -l -a -k` audits a disk."""
    algorithms: tuple[str, ...] = ALGORITHMS
    if said == DELIVERED:
        listed = distribution.files.filter(in_manifest=True)
        known = (a for a in listing.algorithms(distribution) if a in manifests.OF_HASHDEEP)
        algorithms = tuple(a for a in known if not listed.exclude(_told(a)).exists())
        if not algorithms or listed.filter(delivered_size=None).exists():
            raise NotLikeThis(
                f"The manifest of {distribution} does not tell size and hash of every file, which a hashdeep list "
                "must have. Take CSV, DFXML or md5deep."
            )
    return _checked(lambda entries: manifests.write_hashdeep(entries, algorithms), distribution, said)


def _told(algorithm: str) -> Q:
    """Of which files the manifest tells this hash."""
    if algorithm in ALGORITHMS:
        return ~Q(**{f"delivered_{algorithm}": ""})
    return Q(delivered_hashes__contains=f"{algorithm}:")


def _checked(
    write: Callable[[Iterable[Entry]], Iterator[bytes]], distribution: Distribution, said: str
) -> Iterator[bytes]:
    """The list, after the few names with a line break were tried: a download must not break off in the middle."""
    broken = distribution.files.filter(path__contains="\n").values_list("path", flat=True)
    try:
        for _ in write(Entry(path, 0, None, dict.fromkeys(manifests.DIGITS, "0"), 0) for path in broken):
            pass
    except ValueError as error:
        raise NotLikeThis(f"This list cannot be written: {error}. CSV and DFXML can say every name.") from error
    return write(listing.entries(distribution, said))


def _dfxml(distribution: Distribution, said: str) -> Iterator[bytes | str]:
    algorithms = listing.algorithms(distribution) if said == DELIVERED else ALGORITHMS
    return manifests.write_dfxml(listing.entries(distribution, said), algorithms)


def _csv(distribution: Distribution, said: str) -> Iterator[bytes | str]:
    """Every row, also of missing files; as delivered: path, size and hashes of the manifest."""
    if said == DELIVERED:
        names = listing.algorithms(distribution)
        told = ((e.path, e.size, *map(e.hashes.get, names)) for e in listing.entries(distribution, said))
        return table(("path", "size", *names), told)
    rows: Any = distribution.files.order_by("path").values_list(*COLUMNS.values())
    return table(COLUMNS, rows.iterator(chunk_size=5000))


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """A CSV of these columns in blocks; a path stands in its text form (see inventory.paths)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > 65536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> str:
    """A value for a CSV: times in UTC, nothing for the unknown."""
    if value is None:
        return ""
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else str(value)


FORMATS = {
    "csv": _Format(_csv, "text/csv", "csv"),
    "md5deep": _Format(_md5deep, "text/plain", "md5"),
    "hashdeep": _Format(_hashdeep, "text/plain", "hashdeep"),
    "dfxml": _Format(_dfxml, "application/xml", "xml"),
}
