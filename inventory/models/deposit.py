"""Copies of distributions in deep storage, and what people ask back from them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models

from inventory.models.dataset import Dataset
from inventory.models.distribution import Distribution
from inventory.states import DEPOSIT, RECOVERY
from portal.models import Cruise, Person

if TYPE_CHECKING:
    from portal.access import Actor


class DepositQuerySet(models.QuerySet["Deposit"]):
    """Which deposits."""

    def whole(self) -> DepositQuerySet:
        """Those that were stored to the end."""
        return self.filter(state__in=("stored", "damaged"))

    def best_first(self) -> DepositQuerySet:
        """Those that files are had from: of the last shipment, sound before damaged, archived before the others."""
        return self.whole().order_by("-distribution__number", "-state", "-permanent", "pk")


class Deposit(models.Model):
    """A copy of a distribution in a storage. Which files it holds is told by its own list, whose hash is here."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    distribution = models.ForeignKey(Distribution, models.PROTECT, related_name="deposits")
    address = models.CharField(max_length=500, help_text="the storage, as in LEADLINE_DEEP_STORAGE")
    prefix = models.CharField(max_length=200, help_text="where in the storage it lies")
    state = models.CharField(max_length=12, choices=DEPOSIT.choices, default=DEPOSIT.first)
    since = models.DateTimeField()
    basis = models.DateTimeField(help_text="when the distribution was verified that is copied here")
    cursor = models.BigIntegerField(default=0, help_text="key of the last file that was handled")
    files = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    refused = models.JSONField(default=list, help_text="files that were not stored: key, path and why")
    manifest_sha256 = models.CharField(max_length=64, blank=True, help_text="of files.csv")
    stored_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="when it was last read from end to end")
    damages = models.JSONField(default=list, help_text="what the last check found: path and why")
    damaged = models.BigIntegerField(default=0, help_text="how many files the last check found damaged")
    checked_line = models.BigIntegerField(default=0, help_text="entries of its list that a check under way has read")
    checking = models.JSONField(default=dict, help_text="what a check under way has found")

    permanent = models.BooleanField(default=False, help_text="in the permanent archive, not in deep storage")
    repair_asked_at = models.DateTimeField(null=True, blank=True, help_text="when somebody asked for its repair")

    objects = DepositQuerySet.as_manager()

    class Meta:
        ordering = ["distribution", "pk"]
        constraints = [
            # A storage holds one copy of a distribution.
            models.UniqueConstraint("distribution", "address", name="deposit_once"),
        ]

    def __str__(self) -> str:
        return f"archived copy of {self.distribution}" if self.permanent else f"copy of {self.distribution}"

    @property
    def cruise(self) -> Cruise:
        """The cruise whose files it holds."""
        return self.distribution.cruise


class FixityCheck(models.Model):
    """One reading of a deposit from end to end, and what it found."""

    deposit = models.ForeignKey(Deposit, models.CASCADE, related_name="checks")
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField()
    files = models.BigIntegerField()
    bytes = models.BigIntegerField()
    damaged = models.BigIntegerField(default=0)
    damages = models.JSONField(default=list, help_text="the first of them: path and why")
    checked_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"check of the {self.deposit} on {self.ended_at:%Y-%m-%d}"


class RecoveryQuerySet(models.QuerySet["Recovery"]):
    """Which recoveries."""

    def visible_to(self, actor: Actor) -> RecoveryQuerySet:
        """Those of the cruises that one may see; the pages ask besides who may ask for one at all."""
        return self.filter(deposit__distribution__cruise__in=Cruise.objects.visible_to(actor))


class Recovery(models.Model):
    """What somebody asked back from deep storage: all of a deposit, a data set, or a directory."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    deposit = models.ForeignKey(Deposit, models.PROTECT, related_name="recoveries")
    dataset = models.ForeignKey(Dataset, models.PROTECT, null=True, blank=True, related_name="recoveries")
    under = models.TextField(blank=True, help_text="a directory of the distribution, in the text form of paths")
    reason = models.TextField()
    state = models.CharField(max_length=12, choices=RECOVERY.choices, default=RECOVERY.first)
    since = models.DateTimeField()
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="recoveries")
    requested_by_name = models.CharField(max_length=200)
    decided_by = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True, help_text="what the office says to it")
    place = models.TextField(blank=True, help_text="the directory into which it is delivered")
    line = models.BigIntegerField(default=0, help_text="how many entries of the deposit's list were handled")
    files = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    faults = models.JSONField(default=list, help_text="files that could not be recovered: path and why")
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = RecoveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.what} of {self.deposit.distribution}"

    @property
    def cruise(self) -> Cruise:
        """The cruise whose files are asked for."""
        return self.deposit.cruise

    @property
    def what(self) -> str:
        """What was asked for, in words."""
        if self.dataset is not None:
            return f"data set {self.dataset}"
        return f"directory {self.under}" if self.under else "all files"
