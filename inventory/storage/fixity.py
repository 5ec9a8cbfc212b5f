"""Fixity: every byte of a copy is read again in due time and compared with what was stored."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from inventory import paths
from inventory.models import Deposit
from inventory.states import DEPOSIT
from inventory.storage import papers, places
from inventory.storage.backend import Piece, Storage
from portal import access, journal, mail
from portal.access import WORKER, Actor
from portal.lifecycle import OFFICE
from portal.models import Person
from portal.work import Lost, Progress

DOOR = "inventory.fixity"
BATCH = 500
AT_ONCE = 4
MOST_DAMAGES = 1000


def waiting() -> list[str]:
    """Copies whose check was begun, then those that are due: the longest unread first, a few at a time."""
    whole = Deposit.objects.whole()
    due = timezone.now() - dt.timedelta(days=settings.FIXITY_DAYS)
    old = Q(checked_at__lt=due) | Q(checked_at__isnull=True, stored_at__lt=due)
    asked = whole.annotate(read_at=Coalesce(F("checked_at"), F("stored_at")))
    begun = asked.filter(checked_line__gt=0).order_by("read_at")
    rest = asked.filter(old, checked_line=0).order_by("read_at")
    return [str(pk) for found in (begun, rest) for pk in found.values_list("pk", flat=True)[:AT_ONCE]][:AT_ONCE]


def run(key: str, progress: Progress) -> None:
    """What the door does: checks one copy for a while; the rest is taken up later."""
    check_fixity(deposit=Deposit.objects.get(pk=key), by=WORKER, progress=progress)


def check_fixity(*, deposit: Deposit, by: Actor, progress: Progress) -> Deposit:
    """Reads the copies of a deposit and compares their SHA-256; at the end says whether it is sound or damaged.

    Goes on where an earlier check was stopped; once its turn is over it keeps its place and returns.
    Raises NotYou, NotNow where nothing is stored yet, and Unreachable.
    """
    deposit = Deposit.objects.select_related("distribution__cruise__vessel").get(pk=deposit.pk)
    access.require(by, "deposit.check", deposit)
    DEPOSIT.step(deposit.state, "deposit.check")
    storage = places.opened(deposit.address)
    found: dict[str, Any] = deposit.checking or {"damaged": 0, "damages": [], "began": timezone.now().isoformat()}
    before = min(deposit.checked_line, deposit.files)
    progress.describe(f"Checking the {deposit}", deposit.cruise, total=deposit.files, before=before)
    with papers.open_list(deposit, storage, progress.beat) as listed:
        left = papers.pieces(listed, deposit.checked_line)
        while batch := papers.some(left, BATCH):
            found = _read(deposit, storage, batch, found, progress)
            if progress.gives_way():
                return deposit
    if storage.digest(f"{deposit.prefix}/{papers.LIST}", progress.beat) != deposit.manifest_sha256:
        found = _damage(found, papers.LIST, "the list of the copies is damaged or gone")
    return _finish(deposit, found, by)


def _read(
    deposit: Deposit, storage: Storage, batch: list[Piece], before: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    found = before
    for outcome in storage.check(f"{deposit.prefix}/data", batch, progress.beat):
        if outcome.fault:
            found = _damage(found, paths.display(outcome.piece.path), outcome.fault)
        progress.advance(size=outcome.piece.size)
    mine = Deposit.objects.whole().filter(pk=deposit.pk, checked_line=deposit.checked_line)
    if not mine.update(checking=found, checked_line=batch[-1].pk):
        raise Lost(str(deposit))
    deposit.checking, deposit.checked_line = found, batch[-1].pk
    return found


def _damage(found: dict[str, Any], path: str, why: str) -> dict[str, Any]:
    damages = [*found["damages"], {"path": path, "why": why}][:MOST_DAMAGES]
    return found | {"damaged": found["damaged"] + 1, "damages": damages}


@transaction.atomic
def _finish(deposit: Deposit, found: dict[str, Any], by: Actor) -> Deposit:
    fresh = Deposit.objects.select_for_update(of=("self",)).get(pk=deposit.pk)
    if fresh.manifest_sha256 != deposit.manifest_sha256:
        raise Lost(str(deposit))  # it was repaired meanwhile
    before, now = fresh.state, timezone.now()
    verb = "deposit.damage" if found["damaged"] else "deposit.check"
    deposit.state = DEPOSIT.step(before, verb)
    deposit.since = fresh.since if before == deposit.state else now
    deposit.damaged, deposit.damages = found["damaged"], sorted(found["damages"], key=lambda one: str(one["path"]))
    deposit.checking, deposit.checked_line, deposit.checked_at = {}, 0, now
    began = dt.datetime.fromisoformat(found["began"]) if "began" in found else None
    told = {"files": deposit.files, "bytes": deposit.bytes, "damaged": deposit.damaged, "damages": deposit.damages}
    deposit.checks.create(began_at=began, ended_at=now, checked_by=str(by), **told)
    deposit.save(update_fields=["state", "since", "damaged", "damages", "checking", "checked_line", "checked_at"])
    counts = {"files": deposit.files, "damaged": deposit.damaged}
    journal.record(by, verb, deposit, changes={name: [None, count] for name, count in counts.items()})
    if deposit.damaged:
        _tell(deposit)
    return deposit


def _tell(deposit: Deposit) -> None:
    """A letter to the office: which copies are damaged."""
    office = Person.objects.filter(Q(appointments__role__in=OFFICE) | Q(is_superuser=True), is_active=True)
    lines = [f"  {one['path']}: {one['why']}" for one in deposit.damages[:50]]
    text = (
        f"{deposit.damaged:,} files in the {deposit} in deep storage are damaged or gone. The first:\n\n"
        + "\n".join(lines)
        + f"\n\nThe delivery was received from {deposit.distribution.root}.\n"
    )
    for email in sorted(set(office.values_list("email", flat=True))):
        key = f"damaged-{deposit.uuid}-{deposit.checked_at:%Y%m%dT%H%M%S}-{email}"
        mail.write(to=email, subject=f"Damaged: {deposit}", body=text, key=key, cruise=deposit.cruise)
