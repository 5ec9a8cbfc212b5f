"""When and where files and data sets were measured, as read from the files, and how far a distribution is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from django.contrib.gis.db import models as gis
from django.db import models
from django.db.models import F, Q

from inventory.models.dataset import Dataset
from inventory.models.distribution import Distribution, File
from inventory.navigation.extent import extent
from portal.models import Cruise

if TYPE_CHECKING:
    from portal.access import Actor


class CoverageQuerySet(models.QuerySet["Coverage"]):
    """Which files."""

    def visible_to(self, actor: Actor) -> CoverageQuerySet:
        """Files of data sets in shipments in force, of cruises that one may see, also where the data are held."""
        return self.in_force(actor).filter(file__dataset__isnull=False)

    def in_force(self, actor: Actor) -> CoverageQuerySet:
        """The same, and files that lost their data set since they were read."""
        return self.filter(
            distribution__in=Distribution.objects.current().filter(cruise__in=Cruise.objects.visible_to(actor))
        )


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


class Footprint(models.Model):
    """Where the files of a data set were measured, all together. A data set none of whose files is placed has none."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="footprint")
    # Files are looked for in an area, not data sets.
    geometry = gis.GeometryField(srid=4326, spatial_index=False, help_text="lines cut at 180°, and places")
    files = models.PositiveIntegerField(help_text="that are placed")
    derived = models.PositiveIntegerField(help_text="of them placed by the cruise's track")
    tolerance_deg = models.FloatField(help_text="how far a place of a file may lie from the geometry")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"footprint of {self.dataset}"

    @property
    def cruise(self) -> Cruise:
        """The cruise of its data set."""
        return self.dataset.cruise

    @property
    def extent(self) -> tuple[float, ...] | None:
        """The box around it: west, south, east, north; west greater than east across 180 degrees."""
        shapes = [self.geometry] if self.geometry.geom_type != "GeometryCollection" else self.geometry
        points = [point for shape in shapes for point in _points(shape.coords)]
        around = extent(np.array([p[0] for p in points]), np.array([p[1] for p in points]))
        return tuple(around) if around else None


def _points(coords: Any) -> Iterator[tuple[float, float]]:
    """The points of whatever coordinates."""
    if coords and isinstance(coords[0], float):
        yield coords
    else:
        for part in coords:
            yield from _points(part)
