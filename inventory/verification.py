"""Verification: every delivered file is read once, and what was found is compared with what the manifest says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from inventory import scan
from inventory.models import Distribution, File
from inventory.states import DISTRIBUTION
from portal import access, journal
from portal.access import Actor
from portal.refusals import NotNow
from portal.work import Progress


def waiting() -> list[str]:
    """Distributions whose files are not all read: the verifier's work list."""
    return [str(pk) for pk in Distribution.objects.filter(state="received").values_list("pk", flat=True)]


def run(key: str, progress: Progress) -> None:
    """Reads every file that is not read yet, compares it, and names what moved; may be stopped and called again.

    Raises NotNow when the directory is gone: what was read stays, the rest waits until it is there again.
    """
    distribution = Distribution.objects.select_related("cruise").get(pk=key)
    if distribution.state != "received":
        return
    root = Path(distribution.root)
    unread = distribution.files.filter(verified_at__isnull=True, state__in=("listed", "found", "unreadable"))
    total = distribution.files.exclude(state="missing").count()
    progress.describe(f"Reading {distribution}", distribution.cruise, total=total)
    progress.advance(total - unread.count())
    for pk in list(unread.order_by("pk").values_list("pk", flat=True)):
        _verify_file(File.objects.get(pk=pk), root, progress.beat)
        progress.advance()
    _finish(distribution)


def _verify_file(file: File, root: Path, beat: Callable[[], None]) -> None:
    """Reads one file and notes what became of it. A file that vanished is missing; a vanished root stops the work."""
    try:
        read = scan.read(root, file.path, beat)
    except OSError as error:
        if not root.is_dir():
            raise NotNow(
                f"The directory {root} is not there any more. Mount the disk again; reading goes on where it stopped."
            ) from error
        if isinstance(error, FileNotFoundError):
            file.state, file.note = "missing", "was there when the directory was listed, and is not any more"
        else:
            file.state, file.note = "unreadable", str(error.strerror or error)
    else:
        file.size, file.md5, file.sha256 = read.size, read.md5, read.sha256
        file.verified_at = timezone.now()
        file.state, file.note = _verdict(file)
    file.save(update_fields=["size", "md5", "sha256", "verified_at", "state", "note"])


def _verdict(file: File) -> tuple[str, str]:
    """The word for a file that was read, and a remark. By hash where the manifest has one, else by size."""
    if not file.in_manifest:
        return "new", ""
    for ours, theirs in ((file.md5, file.delivered_md5), (file.sha256, file.delivered_sha256)):
        if theirs and ours != theirs:
            return "changed", "its content is not what the manifest says"
    if file.delivered_size is not None and file.size != file.delivered_size:
        return "changed", f"has {file.size:,} bytes; the manifest says {file.delivered_size:,}"
    return "matched", "" if file.delivered_md5 or file.delivered_sha256 else "the manifest has no hash for it"


@transaction.atomic
def _finish(distribution: Distribution) -> None:
    """Pairs what is new with what is missing, and closes the verification."""
    distribution = Distribution.objects.select_for_update(of=("self",)).select_related("cruise").get(pk=distribution.pk)
    new = {f.md5: f for f in distribution.files.filter(state="new").exclude(md5="")}
    for gone in distribution.files.filter(state="missing").exclude(delivered_md5=""):
        if (here := new.pop(gone.delivered_md5, None)) is not None:
            here.state, here.note = "moved", f"from {gone.path}"
            here.save(update_fields=["state", "note"])
            gone.note = f"moved to {here.path}"
            gone.save(update_fields=["note"])
    if distribution.files.filter(state="unreadable").exists():
        # Kept among the results: a disk with bad blocks must not hold up the rest for ever.
        distribution.files.filter(state="unreadable").update(verified_at=timezone.now())
    distribution.state = DISTRIBUTION.step(distribution.state, "distribution.verify")
    distribution.since = distribution.verified_at = timezone.now()
    distribution.save(update_fields=["state", "since", "verified_at"])
    counts = {state: [None, row["files"]] for state, row in distribution.counts().items()}
    journal.record(access.WORKER, "distribution.verify", distribution, changes=counts)


@transaction.atomic
def reread(*, distribution: Distribution, by: Actor, note: str = "") -> Distribution:
    """Has every file read again, for a disk that was mended. Raises NotNow while it is being read."""
    distribution = (
        Distribution.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=distribution.pk)
    )
    access.require(by, "distribution.reread", distribution)
    distribution.state = DISTRIBUTION.step(distribution.state, "distribution.reread")
    distribution.since = timezone.now()
    distribution.save(update_fields=["state", "since"])
    distribution.files.filter(in_manifest=True).update(state="listed", verified_at=None, note="")
    distribution.files.filter(in_manifest=False).update(state="found", verified_at=None, note="")
    journal.record(by, "distribution.reread", distribution, note=note)
    return distribution
