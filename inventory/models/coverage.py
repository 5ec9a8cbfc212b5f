"""When and where each file was measured, as read from the file itself, and how far a distribution is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.gis.db import models as gis
from django.db import models
from django.db.models import F, Q

from inventory.models.distribution import Distribution, File
from portal.models import Cruise

if TYPE_CHECKING:
    from portal.access import Actor


class CoverageQuerySet(models.QuerySet["Coverage"]):
    """Which files."""

    def visible_to(self, actor: Actor) -> CoverageQuerySet:
        """Files of data sets in shipments in force, of cruises that one may see, also where the data are held."""
        visible = self.filter(distribution__cruise__in=Cruise.objects.visible_to(actor), file__dataset__isnull=False)
        return visible.exclude(distribution__state="superseded")


class Coverage(models.Model):
    """Period and track of a file. A row without either tells why the file could not be read."""

    file = models.OneToOneField(File, models.CASCADE, related_name="coverage")
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="coverages")
    reader = models.CharField(max_length=20, blank=True, help_text="nothing: no reader takes such a file")
    reader_version = models.PositiveIntegerField()
    content = models.UUIDField(null=True, blank=True, help_text="first half of the SHA-256 of what was read")
    format = models.CharField(max_length=60, blank=True)
    instrument = models.CharField(max_length=80, blank=True)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    geometry = gis.GeometryField(srid=4326, null=True, blank=True, help_text="lines cut at 180°, or a point")
    derived = models.BooleanField(default=False, help_text="placed by the cruise's track, not by the file itself")
    points = models.PositiveIntegerField(default=0, help_text="places behind the geometry")
    tolerance_deg = models.FloatField(default=0, help_text="how far a place may lie from the line")
    remark = models.TextField(blank=True)
    read_at = models.DateTimeField()

    objects = CoverageQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["first_at", "last_at"], condition=Q(first_at__isnull=False), name="coverage_period")
        ]
        constraints = [
            # A period has both ends, in their order.
            models.CheckConstraint(
                condition=Q(first_at__isnull=True, last_at__isnull=True) | Q(first_at__lte=F("last_at")),
                name="coverage_first_before_last",
            ),
        ]

    def __str__(self) -> str:
        return f"coverage of {self.file}"

    @property
    def cruise(self) -> Cruise:
        """The cruise of its file."""
        return self.distribution.cruise


class Covered(models.Model):
    """That the files of a distribution are read: after which classification, by which readers, along which track."""

    distribution = models.OneToOneField(Distribution, models.CASCADE, related_name="covered")
    classification = models.PositiveIntegerField()
    edition = models.PositiveIntegerField(help_text="of the readers")
    track_made_at = models.DateTimeField(null=True, blank=True)
    files = models.PositiveIntegerField(default=0)
    timed = models.PositiveIntegerField(default=0, help_text="files with a period")
    placed = models.PositiveIntegerField(default=0, help_text="files with a position")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "covered"

    def __str__(self) -> str:
        return f"coverage of {self.distribution}"

    @property
    def cruise(self) -> Cruise:
        """The cruise of its distribution."""
        return self.distribution.cruise
