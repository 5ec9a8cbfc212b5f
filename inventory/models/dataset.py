"""Data sets, the holds on them, and the track that navigation became."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING

from django.contrib.gis.db import models as gis
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from inventory.models.distribution import Distribution, File
from inventory.states import DATASET, DEVICE_CLASSES, NEVER_HELD
from portal.models import Cruise, Person

if TYPE_CHECKING:
    from portal.access import Actor


# What else may be known of a data set, by its name in `details`, and what people call it. Lists hold texts; the last
# two hold JSON. The names are SciCat's, so that its interface can be served from them.
DETAILS = {
    "qualityFlags": "quality flags",
    "ownerGroup": "owner group",
    "accessGroups": "groups with access",
    "techniques": "techniques",
    "keywords": "keywords",
    "proposalId": "proposal",
    "sampleId": "sample",
    "instrumentId": "instrument",
    "dataFormat": "data format",
    "orcidOfOwner": "ORCID of the owner",
    "relationships": "related data sets",
    "scientificMetadata": "scientific metadata",
}


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Which data sets."""

    def visible_to(self, actor: Actor) -> DatasetQuerySet:
        """Those of the cruises that one may see: what there is is public, even where the data are held."""
        return self.filter(cruise__in=Cruise.objects.visible_to(actor))

    def standing(self) -> DatasetQuerySet:
        """Those that are not retired."""
        return self.exclude(state="retired")

    def held(self, on: dt.date) -> DatasetQuerySet:
        """Those with a hold in force on that day."""
        return self.filter(Exists(Hold.objects.in_force(on).filter(dataset=OuterRef("pk"))))

    def cleared(self, on: dt.date) -> DatasetQuerySet:
        """Approved and free of holds on that day: what publishing may release."""
        return self.filter(state="approved").exclude(Exists(Hold.objects.in_force(on).filter(dataset=OuterRef("pk"))))


class Dataset(models.Model):
    """The files of one device on one cruise."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cruise = models.ForeignKey(Cruise, models.PROTECT, related_name="datasets")
    device_class = models.CharField(max_length=20, choices=list(DEVICE_CLASSES.items()))
    make = models.CharField("vendor", max_length=80, blank=True)
    model = models.CharField(max_length=80, blank=True)
    label = models.CharField(max_length=60, blank=True)
    location = models.CharField(max_length=60, blank=True, help_text="where on board it stands")
    file_format = models.CharField(max_length=60, blank=True)
    navigation_rank = models.PositiveSmallIntegerField(null=True, blank=True)
    processing_level = models.CharField(max_length=20, default="raw")
    abstract = models.TextField(blank=True)
    licence = models.CharField(max_length=60, default="CC0-1.0", help_text="SPDX identifier")
    first_at = models.DateTimeField(null=True, blank=True, help_text="of the first measurement, where known")
    last_at = models.DateTimeField(null=True, blank=True, help_text="of the last measurement, where known")
    details = models.JSONField(default=dict, blank=True, help_text="more of it, by the names in DETAILS")
    state = models.CharField(max_length=12, choices=DATASET.choices, default=DATASET.first)
    since = models.DateTimeField()

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ["cruise", "device_class", "label"]
        indexes = [models.Index(fields=["state", "cruise"])]
        constraints = [
            # The same device is one data set of a cruise.
            models.UniqueConstraint(
                "cruise", "device_class", "make", "model", "label", "location", name="dataset_device_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cruise} {self.name}"

    @property
    def name(self) -> str:
        """What it is called beside its cruise: class, vendor and model, where it stands, and the ship's own word."""
        device = " ".join(part for part in (self.make, self.model, self.location) if part)
        label = f" ({self.label})" if self.label else ""
        return f"{self.get_device_class_display()}{': ' + device if device else ''}{label}"

    @property
    def may_be_held(self) -> bool:
        """Whether its class may be held at all."""
        return self.device_class not in NEVER_HELD

    def described(self) -> list[tuple[str, str]]:
        """What is filled in of `details`: what people call it, and its value as text; lists with commas."""
        told = []
        for name, value in self.details.items():
            if value in ("", None, [], {}):
                continue
            if isinstance(value, list) and all(isinstance(part, str) for part in value):
                value = ", ".join(value)
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            told.append((DETAILS.get(name, name), text))
        return told

    def files_now(self) -> models.QuerySet[File]:
        """Its files in the shipment that is in force."""
        return self.files.exclude(distribution__state="superseded")

    def hold_in_force(self, on: dt.date) -> Hold | None:
        """The hold on that day that ends last, or None."""
        holds = [hold for hold in self.holds.all() if hold.lifted_at is None and hold.until > on]
        return max(holds, key=lambda hold: hold.until, default=None)


class HoldQuerySet(models.QuerySet["Hold"]):
    """Which holds."""

    def in_force(self, on: dt.date) -> HoldQuerySet:
        """Not lifted, and not ended by that day: on the day `until` the data are free."""
        return self.filter(lifted_at__isnull=True, until__gt=on)


class Hold(models.Model):
    """A chief scientist's proprietary hold on a data set, until a day and for a reason."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="holds")
    until = models.DateField(help_text="on this day the data are free")
    reason = models.TextField()
    asserted_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asserted_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=200, blank=True)
    lift_note = models.TextField(blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-asserted_at"]
        constraints = [
            # A hold tells why.
            models.CheckConstraint(condition=~Q(reason=""), name="hold_has_reason"),
            # A data set is held once at a time; a longer hold takes the place of a shorter one.
            models.UniqueConstraint("dataset", condition=Q(lifted_at__isnull=True), name="hold_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} held until {self.until}"

    @property
    def cruise(self) -> Cruise:
        """The cruise of its data set."""
        return self.dataset.cruise


class Track(models.Model):
    """Where the ship went: control points as a line, with the figures of the navigation behind it."""

    cruise = models.ForeignKey(Cruise, models.CASCADE, related_name="tracks")
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="tracks")
    dataset = models.ForeignKey(Dataset, models.SET_NULL, null=True, blank=True, related_name="tracks")
    geometry = gis.MultiLineStringField(srid=4326, null=True, blank=True, help_text="control points, cut at 180°")
    classification = models.PositiveIntegerField(help_text="number of the classification that named the feed")
    control_points = models.PositiveIntegerField(default=0)
    tolerance_deg = models.FloatField(default=0.01)
    first_fix_at = models.DateTimeField(null=True, blank=True)
    last_fix_at = models.DateTimeField(null=True, blank=True)
    west = models.FloatField(null=True, blank=True)
    south = models.FloatField(null=True, blank=True)
    east = models.FloatField(null=True, blank=True)
    north = models.FloatField(null=True, blank=True)
    fixes = models.BigIntegerField(default=0)
    good_fixes = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict, help_text="what was read, what was flagged and why, the thresholds used")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            # A distribution has one track; making it anew replaces it.
            models.UniqueConstraint("distribution", name="track_once"),
            # West may lie east of east: a track across 180°. South never lies north of north.
            models.CheckConstraint(
                condition=Q(south__isnull=True) | Q(south__lte=F("north")), name="track_south_first"
            ),
        ]

    def __str__(self) -> str:
        return f"track of {self.cruise}"


class TrackProduct(models.Model):
    """A navigation product as a file: best resolution, one minute, control points."""

    KINDS = [("bestres", "best resolution"), ("1min", "one minute"), ("control", "control points")]
    track = models.ForeignKey(Track, models.CASCADE, related_name="products")
    kind = models.CharField(max_length=10, choices=KINDS)
    path = models.TextField(help_text="under LEADLINE_HOME")
    rows = models.BigIntegerField()
    size = models.BigIntegerField()
    md5 = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["track", "kind"]
        constraints = [models.UniqueConstraint("track", "kind", name="track_product_once")]

    def __str__(self) -> str:
        return f"{self.track.cruise}_{self.kind}.geoCSV"
