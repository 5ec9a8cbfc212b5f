"""Operations with their casts, the places where they happen, and the words that a log uses."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from eventlog.models.log import Log
from portal.models import Cruise
from portal.models.fleet import LATITUDE, LONGITUDE


class Place(models.Model):
    """A station (one position) or a transect (from a position to another), as the log of a cruise names it.

    Events hold the name; a place that was merged into another keeps its name as an alias there.
    """

    KINDS = [(k, k) for k in ("station", "transect")]
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    log = models.ForeignKey(Log, models.PROTECT, related_name="places")
    kind = models.CharField(max_length=10, choices=KINDS, default="station")
    name = models.CharField(max_length=80)
    aliases = models.JSONField(default=list, blank=True, help_text="other names of the same place")
    latitude = models.FloatField(null=True, blank=True, validators=LATITUDE, help_text="degrees north")
    longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE, help_text="degrees east")
    end_latitude = models.FloatField(null=True, blank=True, validators=LATITUDE, help_text="of a transect")
    end_longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE, help_text="of a transect")
    depth_m = models.FloatField(null=True, blank=True, help_text="metres")
    is_planned = models.BooleanField(default=False, help_text="from the orders or the plan, before it was visited")
    comment = models.TextField(blank=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["log", "kind", "name"]
        constraints = [
            # A name is one place.
            models.UniqueConstraint("log", "kind", "name", name="place_once"),
            # A position has both halves or none, and lies on the globe.
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="place_position_on_globe",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def cruise(self) -> Cruise:
        """The cruise whose log names it."""
        return self.log.cruise


class Operation(models.Model):
    """A CTD cast, a net tow, a mooring, a dive, a line: what events of one instrument belong to.

    Its state, times and cast follow from its standing events; see `eventlog.operations`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, help_text="made where it was begun")
    log = models.ForeignKey(Log, models.PROTECT, related_name="operations")
    kind = models.CharField(max_length=20, help_text="names its state machine in eventlog.states")
    instrument = models.CharField(max_length=120)
    cast = models.CharField(max_length=40, blank=True)
    station = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=20)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    is_open = models.BooleanField(default=True, help_text="begun and not ended")
    comment = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["log", "is_open"]), models.Index(fields=["log", "instrument", "-started_at"])]
        constraints = [
            # Nothing ends before it begins.
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="operation_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.cast}".strip()

    @property
    def cruise(self) -> Cruise:
        """The cruise in whose log it is."""
        return self.log.cruise


class Term(models.Model):
    """A word for an instrument or an action. One without a log holds for every cruise."""

    KINDS = [(k, k) for k in ("instrument", "action")]
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    log = models.ForeignKey(Log, models.PROTECT, null=True, blank=True, related_name="terms")
    kind = models.CharField(max_length=10, choices=KINDS)
    name = models.CharField(max_length=120)
    meaning = models.CharField(max_length=300, blank=True)
    uri = models.CharField(max_length=200, blank=True, help_text="the same term in a published vocabulary")
    aliases = models.JSONField(default=list, blank=True)
    is_proposed = models.BooleanField(default=False, help_text="used at sea, not yet looked at ashore")
    replaced_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaces")

    class Meta:
        ordering = ["kind", "name"]
        constraints = [
            # A word is one term.
            models.UniqueConstraint("log", "kind", "name", name="term_of_log_once"),
            models.UniqueConstraint("kind", "name", condition=Q(log__isnull=True), name="term_of_all_once"),
        ]

    def __str__(self) -> str:
        return self.name
