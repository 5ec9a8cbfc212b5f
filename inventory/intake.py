"""Receives a distribution: its manifest and its directory become an inventory. Reading the files: verification."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inventory import manifests, paths, scan, totals, unpacking
from inventory.manifests import Entry, ManifestRefused
from inventory.models import Distribution
from inventory.staging import Staging, Told, fingerprint_of
from inventory.states import DISTRIBUTION
from portal import access, accounts, journal, voyage
from portal.access import Actor
from portal.models import Appointment, Cruise
from portal.refusals import Fault, NotLikeThis, NotNow

MOST_FAULTS = 50
BAG_HASHES = ("sha256", "md5", "sha512", "sha1")  # of several manifests of a bag the one whose hashes we keep
MANIFEST_LIMIT = 4 * 1024**3
HEAD_LINES = 2000  # of a manifest, looked at before the worker reads it all


@dataclass(frozen=True, slots=True)
class Receipt:
    """What receiving led to: "received", "received again" (nothing new) or "redelivered", and remarks."""

    outcome: str
    distribution: Distribution
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A directory and its manifest, read into the staging tables and not yet written down."""

    root: Path | None  # None: the manifest came alone
    manifest_name: str
    manifest_sha256: str
    dialect: str
    problems: list[dict[str, str]]


def _unheard(what: str, more: int) -> None:
    """Nobody listens how far it is."""


class _NotBelow(Exception):
    """An entry of the list does not begin with the name of the directory, as the first did."""


def receive(
    *,
    cruise: Cruise,
    root: Path,
    by: Actor,
    manifest: Path | None = None,
    aside: frozenset[str] = frozenset(),
    told: Told = _unheard,
) -> Receipt:
    """Lists every file of a delivered directory beside what its manifest says. Reading the files follows.

    The same distribution a second time changes nothing; a different one is a new shipment and supersedes the last.
    Files of the root that are named in `aside` are no part of it. `told` hears how many lines and files were taken in.
    Memory does not grow with the number of files. Raises NotYou, NotNow (cruise not back, record approved), NotLikeThis
    for a directory without manifest or a manifest that cannot be trusted, with the line.
    """
    access.require(by, "distribution.receive", cruise)
    with Staging(told) as staging:
        delivery = _look(cruise, root, manifest, staging, aside)
        return _write_down(cruise, delivery, staging, by)


def take(
    *,
    cruise: Cruise,
    what: Path,
    by: Actor,
    manifest: Path | None = None,
    aside: frozenset[str] = frozenset(),
    told: Told = _unheard,
) -> Receipt:
    """Takes in whatever a ship sends: a directory, a bag, an archive (tar or zip), or a manifest ahead of its disk.

    `aside` and `told` are as for `receive`. An archive is unpacked below LEADLINE_HOME and not changed. Raises as
    `receive`, `unpack` and `announce` do.
    """
    if not what.is_file():
        return receive(cruise=cruise, root=what, by=by, manifest=manifest, aside=aside, told=told)
    if not unpacking.is_archive(what):
        return announce(cruise=cruise, manifest=what, by=by, told=told)
    access.require(by, "distribution.receive", cruise)
    left_out: list[str] = []

    def problem(name: str, why: str) -> None:
        if len(left_out) < scan.MOST_PROBLEMS:
            left_out.append(f"{paths.display(name)} {why}")

    into = settings.HOME / "unpacked" / cruise.cruise_id
    root = unpacking.unpack(what, into, problem, lambda count: told("bytes of the archive", count))
    receipt = receive(cruise=cruise, root=root, by=by, manifest=manifest, told=told)
    return replace(receipt, remarks=(*left_out[:20], *receipt.remarks))


def announce(*, cruise: Cruise, manifest: Path, by: Actor, told: Told = _unheard) -> Receipt:
    """Takes in a manifest alone, ahead of its disk: the inventory shows what is to come.

    When the disk arrives, `receive` fills this shipment, and says how its manifest differs from the one announced.
    Raises NotYou, NotNow where a shipment is there already, NotLikeThis for a manifest that cannot be trusted.
    """
    access.require(by, "distribution.receive", cruise)
    with Staging(told) as staging:
        digest, dialect = _read_manifest(manifest, Path(cruise.cruise_id), staging, frozenset({_text(manifest.name)}))
        _refuse_contradictions(manifest, staging)
        if not staging.listed:
            raise NotLikeThis(f"The manifest {manifest.name} lists no file.")
        return _write_down(cruise, _Delivery(None, manifest.name, digest, dialect, []), staging, by)


def _look(cruise: Cruise, root: Path, manifest: Path | None, staging: Staging, aside: frozenset[str]) -> _Delivery:
    """Reads the manifest and lists the directory, outside any transaction: both can be long."""
    problems: list[dict[str, str]] = []

    def problem(path: str, why: str) -> None:
        if len(problems) < scan.MOST_PROBLEMS:
            problems.append({"path": paths.display(path), "why": why})

    root = root.resolve()
    try:
        manifest = manifest or manifest_in(root, cruise)
        digest, dialect = _read_manifest(manifest, root, staging, aside | {_text(manifest.name)})
        own = _own_lists(root, manifest) | aside
        if tags := _tag_list(root, manifest):
            _list(tags, staging, own)
        staging.take_found(file for file in scan.walk(root, problem) if file.path not in own)
    except OSError as error:
        raise NotLikeThis(f"The directory {root} cannot be received: {error}.") from error
    _refuse_contradictions(manifest, staging)
    return _Delivery(root, manifest.name, digest, dialect, problems)


def _refuse_contradictions(manifest: Path, staging: Staging) -> None:
    """Raises NotLikeThis, naming the lines, where the manifest says two things of one path."""
    again = "is listed a second time with another hash; find out which one is right, or make the list again"
    faults = [
        Fault(manifest.name, f"{paths.display(path)} {again} (first in line {first})", line)
        for path, first, line in staging.repeated(MOST_FAULTS)
    ]
    if faults:
        raise NotLikeThis("The manifest is refused; nothing was taken in.", faults)


def manifest_in(root: Path, cruise: Cruise) -> Path:
    """The manifest in the root of a delivery. Raises NotLikeThis with what to do where there is none, OSError."""
    with os.scandir(root) as listing:
        names = {entry.name for entry in listing if entry.is_file(follow_symlinks=False)}
    if "bagit.txt" in names:
        name = next((n for kind in BAG_HASHES if (n := f"manifest-{kind}.txt") in names), None)
    else:
        name = manifests.find(names)
    if name is None:
        raise NotLikeThis(
            f"There is no manifest in {root}. Go there and make one: md5deep -r -l -z . > {cruise.cruise_id}.md5"
        )
    return root / name


def _own_lists(root: Path, manifest: Path) -> set[str]:
    """The files in the root that are lists and no part of the inventory: the manifest; all those of a bag."""
    own = {_text(manifest.name)} if manifest.resolve().parent == root else set()
    if (root / "bagit.txt").is_file():
        own |= {_text(path.name) for path in root.glob("manifest-*.txt")}
        own |= {_text(path.name) for path in root.glob("tagmanifest-*.txt")}
    return own


def _tag_list(root: Path, manifest: Path) -> Path | None:
    """The list of a bag's own papers (RFC 8493, section 2.2.1), by the algorithm of its manifest."""
    tags = root / f"tag{manifest.name}"
    return tags if manifest.parent == root and (root / "bagit.txt").is_file() and tags.is_file() else None


def _list(tags: Path, staging: Staging, own: set[str]) -> None:
    with tags.open("rb") as stream:
        try:
            entries = manifests.read(stream, dialect="bagit").entries
            staging.take_listed(entry for entry in entries if entry.path not in own)
        except ManifestRefused as error:
            raise NotLikeThis("The manifest is refused.", [Fault(tags.name, error.reason, error.line)]) from error


def _text(name: str) -> str:
    """A name that the system told, as the inventory writes it."""
    return paths.of_system(name)


def _read_manifest(manifest: Path, root: Path, staging: Staging, aside: frozenset[str]) -> tuple[str, str]:
    """SHA-256 and dialect of a manifest; its entries but those `aside` go into the staging tables, below the root.

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
                    staging.take_listed(_below(reading.entries, root, prefix, aside))
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


def _below(entries: Iterable[Entry], root: Path, prefix: str, aside: frozenset[str]) -> Iterator[Entry]:
    """The entries relative to the root, without the manifest itself and what else is no part of the delivery.

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
        if entry.path not in aside:
            yield entry


@transaction.atomic
def _write_down(cruise: Cruise, delivery: _Delivery, staging: Staging, by: Actor) -> Receipt:
    cruise = Cruise.objects.select_for_update(of=("self",)).select_related("vessel__operator").get(pk=cruise.pk)
    if cruise.state == "cancelled":
        raise NotNow(f"{cruise} is cancelled: it can deliver nothing.")
    fingerprint = staging.fingerprint
    root = str(delivery.root) if delivery.root else ""
    before = cruise.distributions.current().first()
    if before is not None and fingerprint_of(before) == fingerprint:
        if root and before.root != root:
            journal.record(by, "distribution.relocate", before, changes={"root": [before.root, root]})
            before.root = root
            before.save(update_fields=["root"])
        again = "This is the distribution that was received before; nothing is doubled."
        return Receipt("received again", before, (again,))
    if cruise.approved_at:
        raise NotNow(f"The record of {cruise} is approved. Open a new review before receiving another shipment.")
    distribution, remarks = _shipment(cruise, before, staging, arrived=bool(root), by=by)
    now = timezone.now()
    values = {
        "since": now,
        "root": root,
        "manifest_name": delivery.manifest_name,
        "manifest_sha256": delivery.manifest_sha256,
        "manifest_dialect": delivery.dialect,
        "fingerprint": fingerprint,
        "problems": delivery.problems,
        "received_at": now,
        "received_by": str(by),
    }
    for name, value in values.items():
        setattr(distribution, name, value)
    distribution.save()
    staging.write(distribution, absent="missing" if root else "expected")
    total = totals.recount(distribution)
    counts = {"files": total.files, "bytes": total.bytes}
    verb = "distribution.receive" if root else "distribution.announce"
    journal.record(by, verb, distribution, changes={k: [None, v] for k, v in counts.items()})
    voyage.make_public(cruise, by=by)
    if root:
        _notify(distribution)
    remarks += [f"{p['path']} {p['why']}" for p in delivery.problems[:20]]
    outcome = "announced" if not root else "received" if distribution == before or before is None else "redelivered"
    return Receipt(outcome, distribution, tuple(remarks))


def _shipment(
    cruise: Cruise, before: Distribution | None, staging: Staging, *, arrived: bool, by: Actor
) -> tuple[Distribution, list[str]]:
    """The shipment to write into, without files, and remarks: a new one, or the one that was announced."""
    if before is not None and before.state == "announced":
        differs = staging.differs(before)
        rows = before.files.all()
        rows._raw_delete(rows.db)  # rows of a promise, to which nothing points yet; the delivery takes their place
        if arrived:
            before.state = DISTRIBUTION.step(before.state, "distribution.arrive")
        return before, [f"The manifest differs from the one announced: {differs}."] if differs else []
    if before is not None:
        if not arrived:
            raise NotNow(f"{before} is there already. A redelivery is received with its disk, not by a manifest alone.")
        before.state = DISTRIBUTION.step(before.state, "distribution.supersede")
        before.since = timezone.now()
        before.save(update_fields=["state", "since"])
        journal.record(by, "distribution.supersede", before)
    number = (cruise.distributions.aggregate(Max("number"))["number__max"] or 0) + 1
    return Distribution(cruise=cruise, number=number, state="received" if arrived else "announced"), []


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


def look_at_manifest(manifest: Path) -> None:
    """Reads the first lines of a manifest, so that what is none is told at once. Raises NotLikeThis with the lines."""
    faults: list[Fault] = []

    def refused(refusal: ManifestRefused) -> None:
        faults.append(Fault(manifest.name, refusal.reason, refusal.line))

    try:
        with manifest.open("rb") as stream:
            for number, _ in enumerate(manifests.read(stream, on_problem=refused).entries):
                if number >= HEAD_LINES or len(faults) >= MOST_FAULTS:
                    break
    except ManifestRefused as error:
        refused(error)
    except OSError as error:
        raise NotLikeThis(f"The manifest {manifest.name} cannot be read: {error.strerror}.") from error
    if faults:
        raise NotLikeThis("The manifest is refused; nothing was taken in.", faults)


def allowed_roots() -> list[Path]:
    """Directories that the web page offers: those inside the delivery folders named in the settings."""
    found: list[Path] = []
    for folder in settings.DELIVERY_ROOTS:
        if folder.is_dir():
            found += sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    return found
