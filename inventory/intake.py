"""Receives a distribution: its manifest and its directory become an inventory. Reading the files: verification."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inventory import manifests, paths, scan
from inventory.manifests import Entry, ManifestRefused
from inventory.models import Distribution
from inventory.staging import Staging, fingerprint_of
from inventory.states import DISTRIBUTION
from portal import access, accounts, journal, voyage
from portal.access import Actor
from portal.models import Appointment, Cruise
from portal.refusals import Fault, NotLikeThis, NotNow

MOST_FAULTS = 50
MANIFEST_LIMIT = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Receipt:
    """What receiving led to: "received", "received again" (nothing new) or "redelivered", and remarks."""

    outcome: str
    distribution: Distribution
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A directory and its manifest, read into the staging tables and not yet written down."""

    root: Path
    manifest_name: str
    manifest_sha256: str
    dialect: str
    problems: list[dict[str, str]]


class _NotBelow(Exception):
    """An entry of the list does not begin with the name of the directory, as the first did."""


def receive(*, cruise: Cruise, root: Path, by: Actor, manifest: Path | None = None) -> Receipt:
    """Lists every file of a delivered directory beside what its manifest says. Reading the files follows.

    The same distribution a second time changes nothing; a different one is a new shipment and supersedes the last.
    Memory does not grow with the number of files. Raises NotYou, NotNow (cruise not back, record approved), NotLikeThis
    for a directory without manifest or a manifest that cannot be trusted, with the line.
    """
    access.require(by, "distribution.receive", cruise)
    with Staging() as staging:
        delivery = _look(cruise, root, manifest, staging)
        return _write_down(cruise, delivery, staging, by)


def _look(cruise: Cruise, root: Path, manifest: Path | None, staging: Staging) -> _Delivery:
    """Reads the manifest and lists the directory, outside any transaction: both can be long."""
    problems: list[dict[str, str]] = []

    def problem(path: str, why: str) -> None:
        if len(problems) < scan.MOST_PROBLEMS:
            problems.append({"path": paths.display(path), "why": why})

    root = root.resolve()
    try:
        manifest = manifest or _manifest_in(root, cruise)
        digest, dialect = _read_manifest(manifest, root, staging)
        own = _text(manifest.name) if manifest.resolve().parent == root else None
        staging.take_found(file for file in scan.walk(root, problem) if file.path != own)
    except OSError as error:
        raise NotLikeThis(f"The directory {root} cannot be received: {error}.") from error
    faults = [
        Fault(
            manifest.name,
            f"{paths.display(path)} is listed a second time with another hash (first in line {first})",
            line,
        )
        for path, first, line in staging.repeated(MOST_FAULTS)
    ]
    if faults:
        raise NotLikeThis("The manifest is refused; nothing was taken in.", faults)
    return _Delivery(root, manifest.name, digest, dialect, problems)


def _manifest_in(root: Path, cruise: Cruise) -> Path:
    """The manifest in the root of a delivery. Raises NotLikeThis with what to do where there is none, OSError."""
    with os.scandir(root) as listing:
        names = [entry.name for entry in listing if entry.is_file(follow_symlinks=False)]
    name = manifests.find(names)
    if name is None:
        raise NotLikeThis(
            f"There is no manifest in {root}. Go there and make one: md5deep -r -l -z . > {cruise.cruise_id}.md5"
        )
    return root / name


def _text(name: str) -> str:
    """A name that the system told, as the inventory writes it."""
    return paths.to_text(name.encode("utf-8", "surrogateescape"))


def _read_manifest(manifest: Path, root: Path, staging: Staging) -> tuple[str, str]:
    """SHA-256 and dialect of a manifest; its entries go into the staging tables, relative to the root.

    Raises NotLikeThis naming the lines that cannot be trusted.
    """
    faults: list[Fault] = []

    def refused(refusal: ManifestRefused) -> None:
        if len(faults) < MOST_FAULTS:
            faults.append(Fault(manifest.name, refusal.reason, refusal.line))

    try:
        if manifest.stat().st_size > MANIFEST_LIMIT:
            raise NotLikeThis(f"The manifest {manifest.name} is larger than {MANIFEST_LIMIT:,} bytes.")
        with manifest.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            for prefix in (f"{_text(root.name)}/", ""):
                stream.seek(0)
                faults.clear()
                staging.restart()
                reading = manifests.read(stream, on_problem=refused)
                try:
                    staging.take_listed(_below(reading.entries, root, prefix, _text(manifest.name)))
                except _NotBelow:
                    continue
                break
    except ManifestRefused as error:
        raise NotLikeThis("The manifest is refused.", [Fault(manifest.name, error.reason, error.line)]) from error
    except OSError as error:
        raise NotLikeThis(f"The manifest {manifest} cannot be read: {error.strerror}.") from error
    if faults:
        raise NotLikeThis("The manifest is refused; nothing was taken in.", faults)
    return digest, reading.dialect


def _below(entries: Iterable[Entry], root: Path, prefix: str, own: str) -> Iterator[Entry]:
    """The entries relative to the root, without the manifest itself.

    With a `prefix`, the list may have been made one directory further up: then all of its paths begin with it, and the
    root holds nothing of that name. Raises _NotBelow where only some do.
    """
    strip: bool | None = None if prefix and not (root / root.name).exists() else False
    for entry in entries:
        below = entry.path.startswith(prefix)
        if strip is None:
            strip = below
        elif strip and not below:
            raise _NotBelow
        if strip:
            entry = entry._replace(path=entry.path.removeprefix(prefix))
        if entry.path != own:
            yield entry


@transaction.atomic
def _write_down(cruise: Cruise, delivery: _Delivery, staging: Staging, by: Actor) -> Receipt:
    cruise = Cruise.objects.select_for_update(of=("self",)).select_related("vessel__operator").get(pk=cruise.pk)
    if cruise.state == "cancelled":
        raise NotNow(f"{cruise} is cancelled: it can deliver nothing.")
    fingerprint = staging.fingerprint
    before = cruise.distributions.current().first()
    if before is not None and fingerprint_of(before) == fingerprint:
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
    staging.write(distribution)
    counts = distribution.counts()["all"]
    journal.record(by, "distribution.receive", distribution, changes={k: [None, v] for k, v in counts.items()})
    voyage.make_public(cruise, by=by)
    _notify(distribution)
    remarks = [f"{p['path']} {p['why']}" for p in delivery.problems[:20]]
    return Receipt("received" if before is None else "redelivered", distribution, tuple(remarks))


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
