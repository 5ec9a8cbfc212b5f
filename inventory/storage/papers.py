"""The papers beside the copies: lists that sha256sum and md5sum read, files.csv for us, and what the shipment was.

files.csv is the truth about a deposit: checks and recoveries read it, not the inventory, which may be read anew.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings

from inventory import listing, paths
from inventory.models import Deposit, File
from inventory.storage import names
from inventory.storage.backend import Beat, Piece, Storage, Unreachable

LIST = "files.csv"
COLUMNS = ("path", "stored_as", "bytes", "md5", "sha256", "changed_at")
FIELDS = ("pk", "path", "size", "md5", "sha256", "changed_at")
MOST_BYTES = 8 * 1024**3
KEPT = ("matched", "changed", "moved", "new")
README = """This is a copy of what a research ship delivered of one cruise, kept by Leadline.

data/                 the files. A byte of a name that is no plain sign is written =XX (hexadecimal), so =20 is a blank;
                      a name that would be too long lies in data/=long/ under the SHA-256 of its path; a file that
                      was mended later lies in data/=mended/.
files.csv             every file: its path, the name it is stored as, bytes, MD5, SHA-256, when it was changed (UTC).
manifest-sha256.txt   to be checked here, with nothing but this copy: sha256sum --check --quiet manifest-sha256.txt
manifest-md5.txt      the same with md5sum.
delivered/            the manifest as the ship delivered it.
record.json           cruise, vessel, shipment, and which files were not stored, with the reason.

To restore the names of a copy by hand: read files.csv and copy data/<stored_as> to <path>, undoing =XX.
"""


def piece(row: tuple[Any, ...]) -> Piece:
    """A row of FIELDS as a piece."""
    pk, path, size, md5, sha256, changed_at = row
    return Piece(pk, path, names.stored(paths.to_bytes(path)), size or 0, md5, sha256, changed_at)


def some(left: Iterable[Piece], most: int) -> list[Piece]:
    """The next pieces of an iterator: `most` of them, or fewer of large files, so that a stop costs little."""
    chosen, size = [], 0
    for one in islice(left, most):
        chosen.append(one)
        if (size := size + one.size) >= MOST_BYTES:
            break
    return chosen


def kept_files(deposit: Deposit) -> Any:
    """The files of the distribution that were read and can be stored, as rows of FIELDS in the order of their keys."""
    rows = File.objects.filter(distribution_id=deposit.distribution_id, state__in=KEPT).exclude(sha256="")
    return rows.order_by("pk").values_list(*FIELDS)


def own_copy(deposit: Deposit) -> Path:
    """Where we keep a copy of the deposit's list, so that reading it does not wait for a deep storage."""
    return Path(settings.HOME) / "deposits" / f"{deposit.uuid}.csv"


class Written(NamedTuple):
    """What was written: SHA-256 of files.csv, how many files it lists, and their bytes."""

    sha256: str
    files: int
    bytes: int


def write(deposit: Deposit, storage: Storage, beat: Beat, listed: Iterable[Piece]) -> Written:
    """Writes all papers of a deposit that holds these files. Raises Unreachable, OSError."""
    folder = own_copy(deposit).parent
    folder.mkdir(parents=True, exist_ok=True)
    drafts = {name: folder / f".{deposit.uuid}-{secrets.token_hex(4)}-{name}" for name in (LIST, *SUMS)}
    other = folder / f".{deposit.uuid}-{secrets.token_hex(4)}"
    try:
        files, size = _write_lists(drafts, listed, beat)
        with drafts[LIST].open("rb") as made:
            digest = hashlib.file_digest(made, "sha256").hexdigest()
        for name, content in (("README.txt", README.encode()), ("record.json", _record(deposit, files, size))):
            other.write_bytes(content)
            storage.write(f"{deposit.prefix}/{name}", other, beat)
        if listing.manifest_there(deposit.distribution):
            delivered = Path(deposit.distribution.root) / deposit.distribution.manifest_name
            name = names.stored(os.fsencode(delivered.name))
            storage.write(f"{deposit.prefix}/delivered/{name}", delivered, beat)
        for name, draft in drafts.items():
            storage.write(f"{deposit.prefix}/{name}", draft, beat)
        if not own_copy(deposit).exists():
            drafts[LIST].replace(own_copy(deposit))
    finally:
        for draft in (*drafts.values(), other):
            draft.unlink(missing_ok=True)
    return Written(digest, files, size)


SUMS = ("manifest-sha256.txt", "manifest-md5.txt")


def _write_lists(drafts: dict[str, Path], pieces: Iterable[Piece], beat: Beat) -> tuple[int, int]:
    files = size = 0
    sha256_list, md5_list = (drafts[name] for name in SUMS)
    with (
        drafts[LIST].open("x", encoding="utf-8", newline="") as list_file,
        sha256_list.open("x", encoding="ascii") as sha256,
        md5_list.open("x", encoding="ascii") as md5,
    ):
        table = csv.writer(list_file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # CR in a name
        table.writerow(COLUMNS)
        for one in pieces:
            files, size = files + 1, size + one.size
            moment = one.changed_at.astimezone(dt.UTC).isoformat() if one.changed_at else ""
            table.writerow([one.path, one.name, one.size, one.md5, one.sha256, moment])
            sha256.write(f"{one.sha256}  data/{one.name}\n")
            md5.write(f"{one.md5}  data/{one.name}\n")
            if not files % 1000:
                beat()
    return files, size


def _record(deposit: Deposit, files: int, size: int) -> bytes:
    distribution, cruise = deposit.distribution, deposit.cruise
    facts = {
        "cruise": cruise.cruise_id,
        "vessel": str(cruise.vessel),
        "shipment": distribution.number,
        "received_at": distribution.received_at.isoformat(),
        "verified_at": deposit.basis.isoformat(),
        "files": files,
        "bytes": size,
        "manifest": distribution.manifest_name,
        "manifest_sha256": distribution.manifest_sha256,
        "not_stored": [{"path": entry["path"], "why": entry["why"]} for entry in deposit.refused],
    }
    return json.dumps(facts, indent=2, ensure_ascii=True).encode() + b"\n"


def open_list(deposit: Deposit, storage: Storage, beat: Beat) -> IO[str]:
    """The deposit's list, our own copy of it or the one in the storage. Raises Unreachable when neither is right."""
    place = own_copy(deposit)
    if not _right(place, deposit.manifest_sha256):
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
        try:
            found = storage.fetch(f"{deposit.prefix}/{LIST}", draft, beat)
            if not (found and _right(draft, deposit.manifest_sha256)):
                raise Unreachable(
                    f"The list of the {deposit}, {LIST}, is damaged in the storage and here. Its manifest-sha256.txt "
                    "may still be right: see docs/deep-storage.md for restoring by hand."
                )
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    return place.open(encoding="utf-8", newline="")


def _right(place: Path, sha256: str) -> bool:
    try:
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def pieces(listed: IO[str], after: int = 0) -> Iterator[Piece]:
    """The entries of a list from the one numbered `after` on; each has its number, from 1, for a key."""
    rows = csv.reader(listed)
    next(rows, None)
    for number, (path, name, size, md5, sha256, moment) in enumerate(rows, 1):
        if number > after:
            changed_at = dt.datetime.fromisoformat(moment) if moment else None
            yield Piece(number, path, name, int(size), md5, sha256, changed_at)
