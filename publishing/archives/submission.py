"""Submissions: a released data set is packed, checked, staged; the archive's answer is recorded, version by version."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import bagit
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from inventory import paths, scan
from inventory.models import Dataset, File
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow
from portal.work import Progress
from publishing import addresses, identifiers
from publishing.archives import bag
from publishing.models import Accession, Identifier, Submission
from publishing.oai import catalog
from publishing.states import SUBMISSION


def waiting_to_submit() -> list[str]:
    """Released data sets whose identifier is registered and that have no submission yet."""
    ready = Dataset.objects.filter(state="released", submission__isnull=True, identifier__registered_at__isnull=False)
    return [str(pk) for pk in ready.order_by("pk").values_list("pk", flat=True)]


def submit(key: str, progress: Progress) -> None:
    """Job: begins the submission of a data set."""
    with transaction.atomic():
        dataset = Dataset.objects.select_for_update(of=("self",)).select_related("cruise").get(pk=key)
        progress.describe(f"Submitting {dataset}", dataset.cruise)
        made, created = Submission.objects.get_or_create(dataset=dataset, defaults={"since": timezone.now()})
        if created:
            journal.record(access.WORKER, "submission.begin", made)


def waiting_to_pack() -> list[str]:
    """Submissions to be packed."""
    return [str(pk) for pk in Submission.objects.filter(state="waiting").order_by("pk").values_list("pk", flat=True)]


def pack(key: str, progress: Progress) -> None:
    """Job: packs the bag of a submission, has the bagit library validate it, and stages it.

    May be killed and called again: an unfinished bag is thrown away, a finished one is checked and kept.
    Raises NotNow naming the file that is not what was verified, or the disk that is full.
    """
    submission = Submission.objects.select_related("dataset__cruise__vessel__operator", "dataset__identifier").get(
        pk=key
    )
    if submission.state != "waiting":
        return
    dataset = submission.dataset
    files = _files(dataset)
    total = sum(file.size or 0 for file in files)
    progress.describe(f"Packing {dataset}", dataset.cruise, total=total, unit="bytes")
    if not files:
        raise NotNow(f"{dataset} has no file that could be packed: all are missing or unreadable.")
    staged = settings.STAGING / f"{submission.since:%Y-%m-%d}" / _bag_name(submission)
    written = _finished(staged, files)
    if written is None:
        making = settings.STAGING / ".packing" / staged.name
        for leftover in (making, staged):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            written = bag.write(making, _payload(files), _info(submission), beat=progress.advance)
            bagit.Bag(os.fspath(making)).validate()
        except bag.Unfaithful as error:
            shutil.rmtree(making, ignore_errors=True)
            raise NotNow(f"{error} Nothing was staged. Have the distribution read again.") from error
        except OSError as error:
            shutil.rmtree(making, ignore_errors=True)
            raise NotNow(f"The bag could not be written: {error.strerror or error}. Nothing was staged.") from error
        except bagit.BagError as error:
            raise NotNow(f"The bag is not valid: {error}") from error
        staged.parent.mkdir(parents=True, exist_ok=True)
        making.rename(staged)
    _stage(submission, staged, written)


def _files(dataset: Dataset) -> list[File]:
    """The files that go into the bag: all of the shipment in force that are here and could be read."""
    rows = dataset.files_now().select_related("distribution").exclude(state__in=("missing", "unreadable"))
    return list(rows.order_by("path"))


def _bag_name(submission: Submission) -> str:
    dataset = submission.dataset
    return f"{dataset.cruise.cruise_id}_{dataset.identifier.doi.rpartition('/')[2]}_{dataset.device_class}"


def _finished(staged: Path, files: list[File]) -> bag.Written | None:
    """What a staged bag holds, if there is one, valid and of these files: packed before the worker was stopped."""
    if not staged.is_dir():
        return None
    try:
        found = bagit.Bag(os.fspath(staged))
        found.validate()
    except (bagit.BagError, OSError):
        return None
    packed = sorted(hashes["sha256"] for hashes in found.payload_entries().values())
    if packed != sorted(file.sha256 for file in files):
        return None
    size, _, count = str(found.info["Payload-Oxum"]).partition(".")
    seal = scan.read(staged, "tagmanifest-sha256.txt").sha256
    return bag.Written(int(count), int(size), seal)


def _payload(files: list[File]) -> Iterator[bag.Payload]:
    for file in files:
        yield bag.Payload(
            paths.to_bytes(file.path), paths.display(file.path), file.md5, file.sha256, partial(_open, file)
        )


def _open(file: File) -> BinaryIO:
    return os.fdopen(scan.open_inside(Path(file.distribution.root), file.path), "rb")


def _info(submission: Submission) -> list[tuple[str, str]]:
    """bag-info lines, with the names that R2R's bags use."""
    dataset, cruise = submission.dataset, submission.dataset.cruise
    doi = Identifier.objects.filter(cruise=cruise, dataset__isnull=True).values_list("doi", flat=True).first()
    return [
        ("Source-Organization", addresses.repository_name()),
        ("Contact-Email", addresses.contact()),
        ("External-Description", f"{dataset.name} from cruise {cruise.cruise_id} on {cruise.vessel}"),
        ("Bagging-Date", f"{submission.since:%Y-%m-%d}"),
        ("External-Identifier", f"doi:{dataset.identifier.doi}"),
        ("Bag-Group-Identifier", cruise.cruise_id),
        ("Bag-Count", "1 of 1"),
        ("Internal-Sender-Identifier", str(submission.uuid)),
        (
            "Internal-Sender-Description",
            f"Fileset {dataset.uuid} ({dataset.device_class}) from cruise {cruise.cruise_id}",
        ),
        ("R2R-CruiseID", cruise.cruise_id),
        ("R2R-CruiseDOI", f"doi:{doi}"),
        ("R2R-FilesetID", str(dataset.uuid)),
        ("R2R-DeviceType", dataset.device_class),
        ("R2R-DeviceModel", f"{dataset.make} {dataset.model}".strip()),
        ("R2R-ProcessType", dataset.processing_level),
        ("R2R-License", dataset.licence),
        ("R2R-Manifest", "file-info.txt has md5,sha256,size(byte),path as delivered"),
    ]


@transaction.atomic
def _stage(submission: Submission, staged: Path, written: bag.Written) -> None:
    found = Submission.objects.select_for_update().get(pk=submission.pk)
    found.state = SUBMISSION.step(found.state, "submission.stage")
    found.since = found.staged_at = timezone.now()
    found.bag = str(staged.relative_to(settings.STAGING))
    found.files, found.bytes = written.files, written.bytes
    found.tagmanifest_sha256 = written.tagmanifest_sha256
    found.save()
    changes = {"bag": [None, found.bag], "tagmanifest-sha256": [None, written.tagmanifest_sha256]}
    journal.record(access.WORKER, "submission.stage", found, changes=changes)


def told(
    *,
    submission: Submission,
    archive: str,
    number: str,
    version: str,
    landing_url: str,
    by: Actor,
    direct_url: str = "",
    checksum: str = "",
    accessioned_at: dt.datetime | None = None,
) -> tuple[Accession, bool]:
    """Records that an archive has accessioned a submission; says whether that is news.

    The same number and version again changes nothing; a later version is added and takes over. Raises NotYou, NotNow
    for a bag that was never staged, NotLikeThis for a checksum that is not the bag's or a word against an earlier one.
    """
    with transaction.atomic():
        found = (
            Submission.objects.select_for_update(of=("self",))
            .select_related("dataset__cruise__vessel__operator")
            .get(pk=submission.pk)
        )
        access.require(by, "submission.accession", found)
        if checksum and checksum.lower() != found.tagmanifest_sha256:
            fault = Fault("checksum", f"is not that of the staged bag, {found.tagmanifest_sha256 or 'there is none'}")
            raise NotLikeThis("The archive holds something else than what was staged.", [fault])
        known = found.accessions.filter(number=number, version=version).first()
        if known is not None:
            if (known.landing_url, known.direct_url, known.archive) != (landing_url, direct_url, archive):
                fault = Fault("version", f"{version} of {number} was told with other addresses; tell a new version")
                raise NotLikeThis("This accession is known with other addresses.", [fault])
            return known, False
        before, found.state = found.state, SUBMISSION.step(found.state, "submission.accession")
        found.since = timezone.now()
        found.save(update_fields=["state", "since"])
        accession = Accession.objects.create(
            submission=found,
            archive=archive,
            number=number,
            version=version,
            landing_url=landing_url,
            direct_url=direct_url,
            checksum=checksum.lower(),
            accessioned_at=accessioned_at or found.since,
            told_at=found.since,
            told_by=str(by),
        )
        journal.record(
            by,
            "submission.accession",
            found,
            changes={"accession": [before, f"{archive} {number} version {version}"]},
        )
        identifiers.outdate(found.dataset)
        catalog.publish(found.dataset.cruise, found.dataset)
    return accession, True


@transaction.atomic
def repack(*, submission: Submission, by: Actor, note: str = "") -> Submission:
    """Has a staged bag packed anew. Raises NotYou, NotNow once it is accessioned."""
    found = (
        Submission.objects.select_for_update(of=("self",))
        .select_related("dataset__cruise__vessel")
        .get(pk=submission.pk)
    )
    access.require(by, "submission.repack", found)
    found.state = SUBMISSION.step(found.state, "submission.repack")
    found.since = timezone.now()
    found.save(update_fields=["state", "since"])
    journal.record(by, "submission.repack", found, note=note)
    return found
