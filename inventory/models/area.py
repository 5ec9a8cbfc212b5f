"""Named areas that files are looked for in: waters, sanctuaries, seas."""

from __future__ import annotations

import uuid

from django.contrib.gis.db import models as gis
from django.db import models
from django.db.models.functions import Lower


class Area(models.Model):
    """An area with a name, loaded by the office from somebody's data."""

    KINDS = [
        ("eez", "exclusive economic zone"),
        ("sanctuary", "sanctuary or protected area"),
        ("sea", "sea or ocean"),
        ("study", "study area"),
        ("other", "area"),
    ]
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=KINDS, default="other")
    # Areas are looked up by name and given to a search; nobody asks which of them lie somewhere.
    geometry = gis.MultiPolygonField(srid=4326, spatial_index=False, help_text="cut at 180°")
    points = models.PositiveIntegerField()
    tolerance_deg = models.FloatField(default=0, help_text="by how much its outline was made simpler")
    remark = models.TextField(blank=True, help_text="what was mended in what was loaded")
    source = models.CharField(max_length=300, help_text="who made the data")
    licence = models.CharField(max_length=120, help_text="under which they may be used")
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["kind", "name"]
        constraints = [
            # A name means one area of its kind, however it is written.
            models.UniqueConstraint("kind", Lower("name"), name="area_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
