"""Receives a distribution: its manifest and its directory become an inventory. Reading the files: verification."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inventory import manifests, paths, scan
from inventory.manifests import Entry, ManifestRefused
from inventory.models import Distribution, File
from inventory.states import DISTRIBUTION
from portal import access, accounts, journal, voyage
from portal.access import Actor
from portal.models import Appointment, Cruise
from portal.refusals import Fault, NotLikeThis, NotNow

BATCH = 2000
MANIFEST_LIMIT = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Receipt:
    """What receiving led to: "received", "received again" (nothing new) or "redelivered", and remarks."""

    outcome: str
    distribution: Distribution
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A directory and its manifest, read and not yet written down."""

    root: Path
    manifest_name: str
    manifest_sha256: str
    dialect: str
    entries: dict[str, Entry]
    found: dict[str, scan.Found]
    problems: list[dict[str, str]]


def receive(*, cruise: Cruise, root: Path, by: Actor, manifest: Path | None = None) -> Receipt:
    """Lists every file of a delivered directory beside what its manifest says. Reading the files follows.

    The same distribution a second time changes nothing; a different one is a new shipment and supersedes the last.
    Raises NotYou, NotNow (cruise not back, record approved), NotLikeThis for a directory without manifest or a
    manifest that cannot be trusted, with the line.
    """
    access.require(by, "distribution.receive", cruise)
    delivery = _look(cruise, root, manifest)
    return _write_down(cruise, delivery, by)


def _look(cruise: Cruise, root: Path, manifest: Path | None) -> _Delivery:
    """Reads the manifest and lists the directory, outside any transaction: both can be long."""
    problems: list[dict[str, str]] = []

    def problem(path: str, why: str) -> None:
        if len(problems) < scan.MOST_PROBLEMS:
            problems.append({"path": paths.display(path), "why": why})

    root = root.resolve()
    try:
        found = {file.path: file for file in scan.walk(root, problem)}
    except OSError as error:
        raise NotLikeThis(f"The directory {root} cannot be received: {error}.") from error
    if manifest is None:
        name = manifests.find(path for path in found if "/" not in path)
        if name is None:
            raise NotLikeThis(
                f"There is no manifest in {root}. Go there and make one: md5deep -r -l -z . > {cruise.cruise_id}.md5"
            )
        manifest = Path(_fs(root, name))
    digest, dialect, entries = _read_manifest(manifest, root)
    if manifest.resolve().parent == root:
        found.pop(paths.to_text(manifest.name.encode("utf-8", "surrogateescape")), None)
        entries.pop(manifest.name, None)
    return _Delivery(root, manifest.name, digest, dialect, entries, found, problems)


def _fs(root: Path, name: str) -> str:
    return str(root / paths.to_bytes(name).decode("utf-8", "surrogateescape"))


def _read_manifest(manifest: Path, root: Path) -> tuple[str, str, dict[str, Entry]]:
    """SHA-256, dialect and entries of a manifest. Raises NotLikeThis naming the line that cannot be trusted."""
    faults: list[Fault] = []

    def refused(refusal: ManifestRefused) -> None:
        if len(faults) < 50:
            faults.append(Fault(manifest.name, refusal.reason, refusal.line))

    try:
        if manifest.stat().st_size > MANIFEST_LIMIT:
            raise NotLikeThis(f"The manifest {manifest.name} is larger than {MANIFEST_LIMIT:,} bytes.")
        with manifest.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            reading = manifests.read(stream, on_problem=refused)
            entries = {entry.path: entry for entry in manifests.unique(reading.entries, on_problem=refused)}
    except ManifestRefused as error:
        raise NotLikeThis("The manifest is refused.", [Fault(manifest.name, error.reason, error.line)]) from error
    except OSError as error:
        raise NotLikeThis(f"The manifest {manifest} cannot be read: {error.strerror}.") from error
    if faults:
        raise NotLikeThis("The manifest is refused; nothing was taken in.", faults)
    return digest, reading.dialect, _below(root, entries)


def _below(root: Path, entries: dict[str, Entry]) -> dict[str, Entry]:
    """The entries relative to the root, where the list was made one directory further up."""
    prefix = f"{paths.to_text(root.name.encode('utf-8', 'surrogateescape'))}/"
    if not entries or (root / root.name).exists() or not all(path.startswith(prefix) for path in entries):
        return entries
    return {path.removeprefix(prefix): entry for path, entry in entries.items()}


@transaction.atomic
def _write_down(cruise: Cruise, delivery: _Delivery, by: Actor) -> Receipt:
    cruise = Cruise.objects.select_for_update(of=("self",)).select_related("vessel__operator").get(pk=cruise.pk)
    if cruise.state == "cancelled":
        raise NotNow(f"{cruise} is cancelled: it can deliver nothing.")
    fingerprint = _fingerprint(delivery)
    before = cruise.distributions.current().first()
    if before is not None and before.fingerprint == fingerprint:
        if Path(before.root) != delivery.root:
            journal.record(by, "distribution.relocate", before, changes={"root": [before.root, str(delivery.root)]})
            before.root = str(delivery.root)
            before.save(update_fields=["root"])
        return Receipt(
            "received again",
            before,
            ("This is the distribution that was received before; nothing is doubled.",),
        )
    if cruise.approved_at:
        raise NotNow(f"The record of {cruise} is approved. Open a new review before receiving another shipment.")
    now = timezone.now()
    if before is not None:
        before.state = DISTRIBUTION.step(before.state, "distribution.supersede")
        before.since = now
        before.save(update_fields=["state", "since"])
        journal.record(by, "distribution.supersede", before)
    number = (cruise.distributions.aggregate(Max("number"))["number__max"] or 0) + 1
    distribution = Distribution.objects.create(
        cruise=cruise,
        number=number,
        since=now,
        root=str(delivery.root),
        manifest_name=delivery.manifest_name,
        manifest_sha256=delivery.manifest_sha256,
        manifest_dialect=delivery.dialect,
        fingerprint=fingerprint,
        problems=delivery.problems,
        received_at=now,
        received_by=str(by),
    )
    for batch in _batches(_rows(distribution, delivery)):
        File.objects.bulk_create(batch)
    counts = distribution.counts()["all"]
    journal.record(by, "distribution.receive", distribution, changes={k: [None, v] for k, v in counts.items()})
    voyage.make_public(cruise, by=by)
    _notify(distribution)
    remarks = [f"{p['path']} {p['why']}" for p in delivery.problems[:20]]
    return Receipt("received" if before is None else "redelivered", distribution, tuple(remarks))


def _fingerprint(delivery: _Delivery) -> str:
    """What the delivery is, whatever disk it lies on: path, size and delivered hash of every file, in order."""
    digest = hashlib.sha256()
    for path in sorted(delivery.entries.keys() | delivery.found.keys()):
        entry, found = delivery.entries.get(path), delivery.found.get(path)
        hashes = sorted(entry.hashes.items()) if entry else []
        digest.update(f"{path}\0{found.size if found else '-'}\0{hashes}\n".encode())
    return digest.hexdigest()


def _rows(distribution: Distribution, delivery: _Delivery) -> Iterator[File]:
    for path, found in delivery.found.items():
        entry = delivery.entries.get(path)
        yield _row(distribution, path, "listed" if entry else "found", entry, found)
    for path, entry in delivery.entries.items():
        if path not in delivery.found:
            yield _row(distribution, path, "missing", entry, None)


def _row(distribution: Distribution, path: str, state: str, entry: Entry | None, found: scan.Found | None) -> File:
    directory, _, name = path.rpartition("/")
    hashes = entry.hashes if entry else {}
    return File(
        distribution=distribution,
        path=path,
        path_key=path_key(path),
        directory=directory,
        name=name,
        size=found.size if found else None,
        changed_at=found.changed_at if found else None,
        delivered_size=entry.size if entry else None,
        delivered_md5=hashes.get("md5", ""),
        delivered_sha256=hashes.get("sha256", ""),
        in_manifest=entry is not None,
        state=state,
    )


def path_key(path: str) -> uuid.UUID:
    """The index key of a path: MD5 as a UUID; not a matter of security."""
    return uuid.UUID(bytes=hashlib.md5(path.encode(), usedforsecurity=False).digest())


def _batches(rows: Iterable[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _notify(distribution: Distribution) -> None:
    """Letters to the operator's people and to the chief scientist: the inventory is posted, flag what is missing."""
    cruise = distribution.cruise
    text = (
        f"The distribution of cruise {cruise} ({cruise.vessel}) was received and its inventory is posted. "
        "Please look at it and flag files that are missing or wrong."
    )
    for email in sorted(addresses(cruise)):
        accounts.invite(
            cruise=cruise,
            email=email,
            subject=f"Inventory of {cruise} is posted",
            text=text,
            key=f"inventory-{distribution.uuid}-{email}",
            party=cruise.parties.filter(email__iexact=email).first(),
        )


def addresses(cruise: Cruise) -> set[str]:
    """Where operator and chief scientist of a cruise are reached."""
    appointments = Appointment.objects.filter(operator=cruise.vessel.operator, person__is_active=True)
    operators = set(appointments.values_list("person__email", flat=True))
    chiefs = {p.person.email if p.person else p.email for p in cruise.chief_scientists}
    return {address for address in operators | chiefs if address}


def allowed_roots() -> list[Path]:
    """Directories that the web page offers: those inside the drop folders named in the settings."""
    found: list[Path] = []
    for drop in settings.DELIVERY_ROOTS:
        if drop.is_dir():
            found += sorted(path for path in drop.iterdir() if path.is_dir() and not path.is_symlink())
    return found
