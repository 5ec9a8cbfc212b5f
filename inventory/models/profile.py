"""Distribution profiles: versioned, ordered rules that say which files belong to which device."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from inventory.models.distribution import Distribution
from inventory.states import DEVICE_CLASSES, EXCLUSIONS
from portal.models import Vessel


class Profile(models.Model):
    """The rules of a vessel, in one version. A version that was used is never changed: edits make the next one."""

    vessel = models.ForeignKey(Vessel, models.PROTECT, related_name="profiles")
    version = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["vessel", "-version"]
        constraints = [
            models.UniqueConstraint("vessel", "version", name="profile_version_once"),
            # A vessel has one profile in force.
            models.UniqueConstraint("vessel", condition=Q(active=True), name="profile_active_once"),
        ]

    def __str__(self) -> str:
        return f"{self.vessel} profile {self.version}"


class Rule(models.Model):
    """Files whose directory and name fit belong to this device; the first rule that fits wins."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="rules")
    order = models.PositiveIntegerField()
    directory = models.CharField(max_length=300, help_text="glob, as data/s330/**, or re: and an expression")
    name = models.CharField(
        "file name", max_length=300, default="*", help_text="glob, as *.raw, or re: and an expression"
    )
    exclude = models.BooleanField(default=False, help_text="keep these files out of all data sets")
    device_class = models.CharField(max_length=20, choices=list(DEVICE_CLASSES.items()), blank=True)
    make = models.CharField("vendor", max_length=80, blank=True)
    model = models.CharField(max_length=80, blank=True)
    label = models.CharField(max_length=60, blank=True, help_text="what the ship calls it, as s330")
    location = models.CharField(max_length=60, blank=True, help_text="where on board it stands, as port")
    file_format = models.CharField(max_length=60, blank=True)
    reason = models.CharField(
        max_length=10, choices=list(EXCLUSIONS.items()), blank=True, help_text="why the files are kept out"
    )
    signature = models.CharField(
        max_length=200, blank=True, help_text="bytes that the file must hold, as offset:hex: 0:43444601"
    )
    navigation_rank = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="1 for the feed that the track is made of, 2 for the next choice"
    )

    class Meta:
        ordering = ["profile", "order"]
        constraints = [
            models.UniqueConstraint("profile", "order", name="rule_order_once"),
            # A rule names a device or excludes; one that does neither hides files.
            models.CheckConstraint(condition=Q(exclude=True) | ~Q(device_class=""), name="rule_says_what"),
        ]

    def __str__(self) -> str:
        return f"{self.directory}/{self.name}"


class Classification(models.Model):
    """One application of a profile to a distribution, and what it came to."""

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="classifications")
    profile = models.ForeignKey(Profile, models.PROTECT, related_name="classifications")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    by_name = models.CharField(max_length=200)
    matched = models.PositiveIntegerField()
    excluded = models.PositiveIntegerField()
    unmatched = models.PositiveIntegerField()
    changes = models.JSONField(default=dict, help_text="{data set: [files before, files after]}")
    sizes = models.JSONField(default=dict, help_text="{data set: files}, as this classification left them")

    class Meta:
        ordering = ["distribution", "-number"]
        constraints = [models.UniqueConstraint("distribution", "number", name="classification_numbered_once")]

    def __str__(self) -> str:
        return f"{self.distribution} by {self.profile}"
