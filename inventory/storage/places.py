"""Which storage: the one of the settings, or the one that a deposit lies in."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from inventory.models import Deposit
from inventory.storage.backend import Storage
from inventory.storage.local import Local
from inventory.storage.rclone import Rclone
from portal.refusals import NotNow


def configured() -> Storage | None:
    """The storage that new copies go to; None where the settings say "off"."""
    return None if settings.DEEP_STORAGE == "off" else at(settings.DEEP_STORAGE)


def at(address: str) -> Storage:
    """The storage at an address, as in LEADLINE_DEEP_STORAGE. Raises NotNow for one that we cannot reach."""
    kind, _, where = address.partition(":")
    if kind == "local":
        return Local(Path(where), address)
    remote, _, path = where.partition(":")
    if kind == "rclone" and remote and path:
        return Rclone(remote, path, address)
    raise NotNow(f"Leadline cannot reach a storage at {address}.")


def opened(address: str) -> Storage:
    """The storage at an address, found there and fit for use. Raises Unreachable."""
    storage = at(address)
    storage.ready(used=Deposit.objects.filter(address=address, cursor__gt=0).exists())
    return storage
