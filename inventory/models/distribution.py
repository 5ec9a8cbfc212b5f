"""A delivery of a cruise's files and every file in it, as delivered and as verified."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from inventory import paths
from inventory.states import DISTRIBUTION, FILE_STATES
from portal.models import Cruise, Person, Work

if TYPE_CHECKING:
    from inventory.models.totals import Part
    from portal.access import Actor


class DistributionQuerySet(models.QuerySet["Distribution"]):
    """Which distributions."""

    def visible_to(self, actor: Actor) -> DistributionQuerySet:
        """Those of the cruises that one may see."""
        return self.filter(cruise__in=Cruise.objects.visible_to(actor))

    def current(self) -> DistributionQuerySet:
        """Those in force: the last shipment of each cruise."""
        return self.exclude(state="superseded")


class Distribution(models.Model):
    """A shipment: what a ship delivered of a cruise, with its manifest. The files stay where they are."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cruise = models.ForeignKey(Cruise, models.PROTECT, related_name="distributions")
    number = models.PositiveIntegerField(help_text="shipment: 1, then one for each redelivery")
    state = models.CharField(max_length=12, choices=DISTRIBUTION.choices, default=DISTRIBUTION.first)
    since = models.DateTimeField()
    root = models.TextField(help_text="the directory that holds it")
    manifest_name = models.CharField(max_length=255)
    manifest_sha256 = models.CharField(max_length=64)
    manifest_dialect = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 over path, size and delivered hash of every file")
    problems = models.JSONField(default=list, help_text="what was found in the directory and not taken in")
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=200)
    verified_at = models.DateTimeField(null=True, blank=True)
    asked_profile = models.ForeignKey(
        "inventory.Profile",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="which the worker was asked to apply, and has not yet",
    )
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = DistributionQuerySet.as_manager()

    class Meta:
        ordering = ["cruise", "-number"]
        constraints = [
            models.UniqueConstraint("cruise", "number", name="distribution_numbered_once"),
            # One shipment is in force; the others are history.
            models.UniqueConstraint("cruise", condition=~Q(state="superseded"), name="distribution_current_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cruise} shipment {self.number}"

    @property
    def counted(self) -> bool:
        """Whether its totals are there; until then each page counts for itself."""
        return hasattr(self, "total")

    def sums(self) -> list[Part]:
        """Its files by state, data set and exclusion: from the totals, or counted now where there are none yet."""
        if self.counted:
            return list(self.parts.all())
        rows: Any = self.files.order_by().values("state", "dataset", "excluded")
        rows = rows.annotate(
            files=Count("pk"),
            bytes=Coalesce(Sum("size"), 0),
            first=Min("pk"),
            last=Max("pk"),
            first_changed_at=Min("changed_at"),
            last_changed_at=Max("changed_at"),
        )
        part = self.parts.model
        return [part(distribution=self, dataset_id=row.pop("dataset"), **row) for row in rows]

    @property
    def as_of(self) -> dt.datetime | None:
        """When the totals were counted, while they fall behind because files are being read; None where they are so."""
        return self.total.counted_at if self.state == "received" and self.counted else None

    def counts(self) -> dict[str, dict[str, int]]:
        """Files and bytes by state, in the order of FILE_STATES, then "all". From the totals, where they are there."""
        found: dict[str, dict[str, int]] = {}
        for part in self.sums():
            row = found.setdefault(part.state, {"files": 0, "bytes": 0})
            row["files"] += part.files
            row["bytes"] += part.bytes
        counts = {state: found[state] for state in FILE_STATES if state in found}
        counts["all"] = {name: sum(row[name] for row in counts.values()) for name in ("files", "bytes")}
        return counts


class File(models.Model):
    """A file of a distribution. What the manifest says and what we found are kept apart."""

    # Found by the indexes below, which begin with it. Neither it nor the data set nor the rule is checked by the
    # database, which would ask for every file once more at the end of a delivery or a classification: whoever writes
    # files holds the rows of their distribution and data sets meanwhile, and none of these is ever deleted.
    distribution = models.ForeignKey(
        Distribution, models.CASCADE, related_name="files", db_index=False, db_constraint=False
    )
    path = models.TextField(help_text="inside the distribution, in the text form of inventory.paths")
    path_key = models.UUIDField(help_text="MD5 of the path: an index for names of any length")
    directory = models.TextField(blank=True)
    name = models.TextField()
    size = models.BigIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField("modified", null=True, blank=True)
    in_manifest = models.BooleanField(default=True)
    delivered_size = models.BigIntegerField(null=True, blank=True)
    delivered_md5 = models.CharField(max_length=32, blank=True)
    delivered_sha256 = models.CharField(max_length=64, blank=True)
    # Null and not "": such a column is added without writing the table anew.
    delivered_hashes = models.TextField(
        null=True, blank=True, help_text="other hashes that the manifest tells; see inventory.hashes"
    )
    md5 = models.CharField(max_length=32, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=[(s, s) for s in FILE_STATES])
    note = models.TextField(blank=True, help_text="where it moved to or from, or why it could not be read")
    dataset = models.ForeignKey(
        "inventory.Dataset",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="files",
        db_index=False,
        db_constraint=False,
    )
    rule = models.ForeignKey(
        "inventory.Rule",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    excluded = models.BooleanField(default=False, help_text="a rule keeps it out of all data sets")

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["distribution", "state"]),
            models.Index(fields=["dataset", "distribution"]),
        ]
        constraints = [
            # A path is one file.
            models.UniqueConstraint("distribution", "path_key", name="file_path_once"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def cruise(self) -> Cruise:
        """The cruise it was delivered for."""
        return self.distribution.cruise

    @property
    def shown(self) -> str:
        """The path for people: what cannot be printed made visible."""
        return paths.display(self.path)

    @property
    def shown_name(self) -> str:
        """The name for people."""
        return paths.display(self.name)


class Chunk(models.Model):
    """A stretch of a distribution's files that a worker reads at one go, for as long as it is not all read.

    Its claim is the work row of the worker: while that runs and beats, nobody else touches these files.
    """

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="chunks")
    first = models.BigIntegerField(help_text="key of its first file")
    last = models.BigIntegerField(help_text="key of its last file")
    files = models.PositiveIntegerField(help_text="files not read yet")
    bytes = models.BigIntegerField(help_text="bytes not read yet")
    work = models.ForeignKey(Work, models.SET_NULL, null=True, blank=True, related_name="chunks")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.distribution}: files {self.first} to {self.last}"
