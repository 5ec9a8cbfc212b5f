"""The page of a cruise's copies in deep storage: asking for files back, the office's answer, and the download."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from inventory import scan, storage
from inventory.forms import RecoveryForm
from inventory.models import Deposit, Recovery
from inventory.models.deposit import DepositQuerySet
from inventory.storage import migrating
from portal import access, jobs, streaming
from portal.models import Cruise, Work
from portal.refusals import NotFound, NotLikeThis, NotNow
from portal.views.doors import attempt, needs

BLOCK = 256 * 1024
DOORS = (
    storage.STORE_DOOR,
    storage.REPAIR_DOOR,
    storage.FIXITY_DOOR,
    storage.MIGRATE_DOOR,
    storage.RECOVER_DOOR,
)


def _recovery(request: HttpRequest, cruise: Cruise, uuid: UUID) -> Recovery:
    found = Recovery.objects.visible_to(request.user).filter(deposit__distribution__cruise=cruise, uuid=uuid).first()
    if found is None:
        raise NotFound(f"There is no such recovery of {cruise}.")
    return found


@needs("recovery.request")
@require_safe
def copies(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Copies, when they were read last, and what was asked back from them."""
    asked = Recovery.objects.filter(deposit__distribution__cruise=cruise).select_related(
        "deposit__distribution__cruise", "dataset__cruise"
    )
    deposits = Deposit.objects.filter(distribution__cruise=cruise).select_related("distribution__cruise")
    deposits = deposits.prefetch_related("checks")
    context = {
        "cruise": cruise,
        "deposits": deposits.order_by("-distribution__number", "pk"),
        "recoveries": asked[:100],
        "form": RecoveryForm(cruise=cruise),
        "whole": deposits.whole().exists(),
        "may_grant": access.may(request.user, "recovery.grant", cruise),
        "may_repair": access.may(request.user, "deposit.repair", cruise),
        "archive": _archive(cruise, deposits) if access.may(request.user, "deposit.migrate", cruise) else None,
        "may_see_place": access.is_office(request.user),
        "work": Work.objects.filter(cruise=cruise, door__in=DOORS, state="running").order_by("pk"),
    }
    return render(request, "inventory/copies.html", context)


def _archive(cruise: Cruise, deposits: DepositQuerySet) -> dict[str, Any]:
    """How it stands with the permanent archive: what hinders it, whether it is under way, where it failed lately."""
    last: dict[str, Work] = {}
    keys = [str(pk) for pk in deposits.values_list("pk", flat=True)]
    for row in Work.objects.filter(door=storage.MIGRATE_DOOR, key__in=keys).order_by("pk"):
        last[row.key] = row
    return {
        "hindrance": migrating.hindrance(cruise),
        "running": any(row.state == "running" for row in last.values()),
        "failed": sorted({row.message for row in last.values() if row.state == "failed"}),
    }


@needs("deposit.migrate")
@require_POST
def archive(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The office has what is all public moved to the permanent archive now."""

    def ask() -> None:
        storage.ask_migrate(cruise=cruise, by=request.user)
        jobs.soon()

    return attempt(request, ask, "The worker copies it to the permanent archive.", "copies", cruise.cruise_id)


@needs("recovery.request")
@require_POST
def ask(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Asks for files back from the last shipment that was stored."""
    form = RecoveryForm(request.POST, cruise=cruise)

    def verb() -> None:
        if not form.is_valid():
            raise NotLikeThis("The request is not accepted: " + " ".join(str(e[0]) for e in form.errors.values()))
        best = Deposit.objects.filter(distribution__cruise=cruise).best_first()
        if (deposit := best.first()) is None:
            raise NotNow(f"There is no copy of {cruise} in deep storage yet.")
        storage.request_recovery(deposit=deposit, by=request.user, **form.cleaned_data)

    return attempt(request, verb, "The data manager's office decides about it.", "copies", cruise.cruise_id)


@needs("deposit.repair")
@require_POST
def repair(request: HttpRequest, cruise: Cruise, uuid: UUID) -> HttpResponse:
    """The office has a copy repaired."""
    deposit = Deposit.objects.filter(distribution__cruise=cruise, uuid=uuid).first()
    if deposit is None:
        raise NotFound(f"There is no such copy of {cruise}.")

    def ask() -> None:
        storage.ask_repair(deposit=deposit, by=request.user)
        jobs.soon()

    return attempt(request, ask, "The copy is being repaired.", "copies", cruise.cruise_id)


@needs("recovery.grant")
@require_POST
def decide(request: HttpRequest, cruise: Cruise, uuid: UUID) -> HttpResponse:
    """The office grants or refuses."""
    recovery, note = _recovery(request, cruise, uuid), request.POST.get("note", "")[:2000]
    if request.POST.get("do") == "grant":

        def grant() -> None:
            storage.grant(recovery=recovery, by=request.user, note=note)
            jobs.soon()

        return attempt(request, grant, "Granted; the files are being brought.", "copies", cruise.cruise_id)

    def refuse() -> None:
        storage.refuse(recovery=recovery, by=request.user, note=note)

    return attempt(request, refuse, "Refused; who asked gets a letter.", "copies", cruise.cruise_id)


@needs("recovery.request")
@require_safe
def download(request: HttpRequest, cruise: Cruise, uuid: UUID) -> StreamingHttpResponse:
    """The files of a recovery that is ready, with their lists, as one tar."""
    recovery = _recovery(request, cruise, uuid)
    if recovery.state != "ready" or (recovery.expires_at and recovery.expires_at < timezone.now()):
        raise NotNow(f"The {recovery} is {recovery.state}: there is nothing to download.")
    if not recovery.expires_at:
        raise NotNow(f"The {recovery} was brought to a directory of the office; ask there.")
    name = f"{cruise.cruise_id}-{recovery.uuid.hex[:8]}"
    return streaming.send(
        request, tar(Path(recovery.place), name), content_type="application/x-tar", name=f"{name}.tar"
    )


def tar(root: Path, top: str) -> Iterator[bytes]:
    """All files below a root as a tar, the names in their bytes. Breaks off where a file became shorter meanwhile."""
    for found in scan.walk(root, lambda path, why: None):
        with os.fdopen(scan.open_inside(root, found.path), "rb") as file:
            name = os.fsdecode(scan.location(Path(top), found.path))
            info = tarfile.TarInfo(name)
            status = os.fstat(file.fileno())
            info.size, info.mtime, info.mode = status.st_size, status.st_mtime, 0o644
            yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
            left = info.size
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise OSError(f"{found.path} became shorter while it was sent")
                left -= len(block)
                yield block
            if info.size % tarfile.BLOCKSIZE:
                yield bytes(tarfile.BLOCKSIZE - info.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
