"""Takes the final copy of a log ashore: verified first, then the same rows, history and seals included, and once."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from eventlog import filestore, ledger, logbook, verify
from eventlog import seal as seal_counts
from eventlog.exchange import finalcopy
from eventlog.exchange.finalcopy import Checked
from eventlog.exchange.moments import iso
from eventlog.exchange.record import Unreadable
from eventlog.logbook import bundle
from eventlog.models import FinalCopy, Import, Log, Seal
from eventlog.shore import writing
from eventlog.shore.writing import Row, Writer
from portal import access, journal, voyage
from portal.access import Actor
from portal.lifecycle import CRUISE
from portal.models import Cruise
from portal.refusals import Fault, NotLikeThis, NotNow

MOST_BYTES = 4_000_000_000
MOST_IMPORT = 250_000_000  # a log and its auxiliary file, as one import takes them
CSV = re.compile(r"\AR2R_ELOG_(?P<cruise>.+)_FINAL_EVENTLOG(?P<again>(_\d+)?)\.csv\Z")
# What may still be missing ashore and is told as a remark: bytes that were not delivered.
LATER = ("missing file", "missing copy")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: "taken", "known" (nothing new) or "continued" (sealed again on board); and remarks."""

    outcome: str
    log: Log
    remarks: tuple[str, ...] = ()


def names(cruise_id: str) -> re.Pattern[str]:
    """Which files of a distribution are the final copy of a cruise's log, sealed once or again."""
    return re.compile(rf"LEADLINE_{re.escape(cruise_id)}_FINAL_EVENTLOG(_\d+)?\.json", re.IGNORECASE)


def take_final_copy(*, cruise: Cruise, file: BufferedReader, by: Actor, beside: Path | None = None) -> Taken:
    """Makes the rows of a log from its final copy, an open file. Repeated, it changes nothing.

    `beside` is a folder with the other final copies: attachments and the CSV are taken from there where they are.
    Raises NotYou; NotLikeThis with reasons for a copy that is altered, cut off or of another cruise; NotNow where the
    log here went another way.
    """
    access.require(by, "eventlog.take", cruise)
    digest = hashlib.sha256()
    try:
        checked = finalcopy.check(_read(file, digest))
    except Unreadable as error:
        raise NotLikeThis(f"This is not a whole final copy of a log: {error}.") from error
    _fitting(cruise, checked)
    try:
        with transaction.atomic():
            return _take(cruise, file, checked, digest.hexdigest(), by, beside)
    except DatabaseError as error:
        raise NotLikeThis("The copy contradicts itself.", [Fault("database", str(error)[:500])]) from error
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise NotLikeThis("A row of the copy lacks what it must have.", [Fault("row", repr(error)[:300])]) from error


def _read(file: BufferedReader, digest: Any) -> Iterator[bytes]:
    """The lines of the file, digested on the way, none longer than the reader takes."""
    size = 0
    file.seek(0)
    while line := file.readline(finalcopy.LONGEST_LINE + 1):
        size += len(line)
        if size > MOST_BYTES:
            raise NotLikeThis(f"The file has more than {MOST_BYTES:,} bytes.")
        digest.update(line)
        yield line


def _fitting(cruise: Cruise, checked: Checked) -> None:
    """Raises NotLikeThis for a copy that was altered, or that is of another cruise."""
    header = checked.header
    faults = [Fault("final copy", text) for text in checked.faults[:50]]
    if faults:
        more = len(checked.faults) + checked.unnamed - len(faults)
        raise NotLikeThis(
            f"The final copy is not as it was sealed; nothing was taken{f' ({more} more faults)' if more else ''}.",
            faults,
        )
    if header.get("cruise_id") != cruise.cruise_id or header.get("vessel_id") != cruise.vessel_id:
        says = f"is of {header.get('cruise_id')} on {header.get('vessel_id')}, not of {cruise} on {cruise.vessel_id}"
        raise NotLikeThis("This is the log of another cruise.", [Fault("header", says)])
    if header.get("state") != "closed":
        raise NotLikeThis("The log was not closed when this copy was made.", [Fault("state", str(header.get("state")))])


def _take(cruise: Cruise, file: BufferedReader, checked: Checked, sha256: str, by: Actor, beside: Path | None) -> Taken:
    log = ledger.locked(logbook.log_of(cruise))
    last = log.revisions.order_by("-sequence").values_list("sequence", "digest").first()
    sequence, head = last or (0, "")
    remarks: list[str] = []
    outcome = "known"
    if sequence > checked.sequence:
        here = log.revisions.filter(sequence=checked.sequence).values_list("digest", flat=True).first()
        if here != checked.head:
            raise _parted(log, checked)
    elif sequence and checked.digests.get(sequence) != head:
        raise _parted(log, checked)
    if sequence < checked.sequence:
        outcome = "continued" if log.state == "closed" else "taken"
        remarks += _write(log, file, sequence)
        _close(log, checked.header)
    seals = _seals(log, checked, sha256)
    _whole_copy(log, checked, file, sha256)
    remarks += _delivered(log, file, seals, beside)
    if outcome != "known":
        remarks += _proved(log)
        changes = {"revisions": [sequence, checked.sequence], "head": [head, checked.head], "sha256": [None, sha256]}
        journal.record(by, "eventlog.take", log, changes=changes)
        _is_back(cruise, by)
    return Taken(outcome, log, tuple(remarks))


def _parted(log: Log, checked: Checked) -> NotNow:
    return NotNow(
        f"The {log} is here already and went another way than the copy ({checked.sequence} revisions there). Nothing "
        "was taken. Compare both with verify_log, and ask the data manager which of them stands."
    )


def _write(log: Log, file: BufferedReader, after: int) -> list[str]:
    """The things first, then the revisions after `after`, which name them."""
    writer = Writer(log)
    for name, rows in writing.rows_of(_again(file), lambda name: name == "people" or name in finalcopy.KINDS):
        if name == "people":
            writer.know(rows)
        else:
            writer.section(name, rows)
    remarks = writer.tie()
    for name, rows in writing.rows_of(_again(file), lambda name: name == "revisions"):
        writer.section(name, (row for row in rows if row["sequence"] > after))
    return remarks


def _again(file: BufferedReader) -> BufferedReader:
    file.seek(0)
    return file


def _close(log: Log, header: Row) -> None:
    log.state = "closed"
    log.opened_at, log.closed_at = iso(str(header.get("opened_at"))), iso(str(header.get("closed_at")))
    if log.opened_at is None or log.closed_at is None:
        raise NotLikeThis("The copy does not say when the log was opened and closed.")
    log.since = log.closed_at
    log.save()


def _seals(log: Log, checked: Checked, sha256: str) -> list[Seal]:
    """The seals of the log, the last one with the checksum of this document, which it could not hold itself."""
    for place, row in enumerate(checked.seals, start=1):
        if iso(str(row["at"])) is None or set(row["counts"]) - set(seal_counts.COUNTED):
            raise NotLikeThis("A seal of the copy is not whole.", [Fault(f"seal {place}", "lacks time or counts")])
        sums = dict(row["checksums"])
        if place == len(checked.seals):
            sums[_own_name(log, sums)] = sha256
        Seal.objects.get_or_create(
            log=log,
            sequence=row["sequence"],
            defaults={
                "at": iso(row["at"]),
                "by_name": str(row["by_name"])[:200],
                "head": row["head"],
                "counts": row["counts"],
                "checksums": sums,
            },
        )
    return list(log.seals.order_by("sequence"))


def _own_name(log: Log, sums: dict[str, str]) -> str:
    """The name of the document itself: numbered as the CSV beside it."""
    again = next((found["again"] for name in sums if (found := CSV.match(name))), "")
    return f"LEADLINE_{log.cruise.cruise_id}_FINAL_EVENTLOG{again}.json"


def _whole_copy(log: Log, checked: Checked, file: BufferedReader, sha256: str) -> None:
    """The document itself, kept as a final copy."""
    if log.final_copies.filter(sha256=sha256).exists():
        return
    row, seal = checked.seals[-1], log.seals.get(sequence=checked.seals[-1]["sequence"])
    kept = filestore.keep(filestore.blocks(_again(file)), most=MOST_BYTES)
    FinalCopy.objects.create(
        log=log,
        name=_own_name(log, dict(row["checksums"])),
        format="json",
        data=b"",
        size=kept.size,
        md5=kept.md5,
        sha256=kept.sha256,
        events=seal.counts["events"],
        made_at=seal.at,
    )


def _delivered(log: Log, file: BufferedReader, seals: list[Seal], beside: Path | None) -> list[str]:
    """The other final copies, where they lie beside the document and have the bytes that the seal names."""
    remarks = []
    imports = [row for _, rows in writing.rows_of(_again(file), lambda name: name == "imports") for row in rows]
    for seal in seals:
        for name, sha256 in seal.checksums.items():
            if log.final_copies.filter(name=name).exists():
                continue
            path = beside / name if beside is not None and Path(name).name == name else None
            if path is None or path.is_symlink() or not path.is_file():
                remarks.append(f"{name} was not delivered beside the document")
                continue
            form = "zip" if name.endswith(".zip") else "r2r-csv"
            with path.open("rb") as other:
                kept = _digests(other) if form == "zip" else filestore.keep(filestore.blocks(other), most=MOST_BYTES)
                if kept.sha256 != sha256:
                    remarks.append(f"{name} is not the file that was sealed; it was left where it is")
                    continue
                if form == "zip":
                    other.seek(0)
                    remarks += _unpack(log, other, imports)
            FinalCopy.objects.create(
                log=log,
                name=name,
                format=form,
                data=b"",
                size=kept.size,
                md5=kept.md5,
                sha256=sha256,
                events=seal.counts["events"],
                made_at=seal.at,
            )
    return remarks


def _digests(file: BufferedReader) -> filestore.Kept:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for block in filestore.blocks(file):
        sha256.update(block)
        md5.update(block)
        size += len(block)
    return filestore.Kept(sha256.hexdigest(), md5.hexdigest(), size, b"")


def _unpack(log: Log, file: BufferedReader, imports: list[Row]) -> list[str]:
    """Takes attachments and imported files out of the ZIP: those that the log names, if they are what it says."""
    remarks = []
    with zipfile.ZipFile(file) as archive:
        for attachment in log.attachments.order_by("pk").iterator():
            if filestore.place(attachment.sha256).exists():
                continue
            try:
                with archive.open(bundle.path_of(attachment)) as member:
                    kept = filestore.keep(_parts(member), most=attachment.size)
            except (KeyError, zipfile.BadZipFile, NotLikeThis, OSError) as error:
                remarks.append(f"attachment {attachment.name} ({attachment.uuid}): {error!s:.200}")
                continue
            if kept.sha256 != attachment.sha256:
                remarks.append(f"attachment {attachment.name} ({attachment.uuid}) is not the file that the log names")
        for row in imports:
            if not log.imports.filter(number=row["number"]).exists():
                remarks += _import(log, archive, row)
    return remarks


def _import(log: Log, archive: zipfile.ZipFile, row: Row) -> list[str]:
    try:
        path = bundle.path_of_import(Import(number=row["number"], name=row["name"]))
        # An import was taken in whole in memory on board, and is no larger here.
        if archive.getinfo(path).file_size > MOST_IMPORT:
            return [f"import {row['name']} has more than {MOST_IMPORT:,} bytes"]
        with archive.open(path) as member:
            data = b"".join(_parts(member))
        writing.taken_import(log, row, data)
    except (KeyError, ValueError, zipfile.BadZipFile, OSError) as error:
        return [f"import {row.get('name')}: {error!s:.200}"]
    return []


def _parts(member: IO[bytes]) -> Iterator[bytes]:
    while block := member.read(filestore.BLOCK):
        yield block


def _proved(log: Log) -> list[str]:
    """Verifies what was written; remarks on bytes that are not here. Raises NotLikeThis for anything else."""
    findings = verify.check(log).findings
    wrong = [Fault(f.where, f"{f.field} {f.says}".strip()) for f in findings if f.what not in LATER]
    if wrong:
        raise NotLikeThis("The rows would not stand as the copy tells; nothing was taken.", wrong[:50])
    return [f"{f.where}: {f.says}" for f in findings]


def _is_back(cruise: Cruise, by: Actor) -> None:
    for verb, act in (("cruise.depart", voyage.depart), ("cruise.end", voyage.end)):
        cruise = Cruise.objects.get(pk=cruise.pk)
        if CRUISE.allows(cruise.state, verb):
            act(cruise=cruise, by=by, note="the final copy of the event log was taken ashore")
