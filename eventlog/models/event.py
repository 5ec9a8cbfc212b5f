"""Events as they stand now, what instruments measured at the time, and the chain of revisions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from eventlog.exchange import position
from eventlog.exchange.record import LoggedEvent
from eventlog.exchange.record import Measurement as Measured
from eventlog.models.log import Log
from eventlog.replay import EDITS as EDITS
from portal.models import Cruise, Person
from portal.models.fleet import LATITUDE, LONGITUDE

if TYPE_CHECKING:
    from eventlog.models.operation import Operation
    from portal.access import Actor

METHODS = ("exact", "interpolated", "extrapolated", "none")


class EventQuerySet(models.QuerySet["Event"]):
    """Which events."""

    def visible_to(self, actor: Actor) -> EventQuerySet:
        """Events of the logs that one may see."""
        return self.filter(log__in=Log.objects.visible_to(actor))

    def standing(self) -> EventQuerySet:
        """Those that are not struck."""
        return self.filter(struck_at__isnull=True)

    def in_order(self) -> EventQuerySet:
        """In the order in which they happened."""
        return self.order_by("observed_at", "number")

    def with_place(self) -> EventQuerySet:
        """With `best_latitude` and `best_longitude`: the typed or imported position, else the derived one."""
        return self.annotate(
            best_latitude=Coalesce("latitude", "nav_latitude"), best_longitude=Coalesce("longitude", "nav_longitude")
        )

    def placed(self) -> EventQuerySet:
        """Those whose position is known, with it as `with_place` tells it."""
        known: EventQuerySet = self.with_place().filter(
            Q(latitude__isnull=False) | Q(nav_latitude__isnull=False, nav_longitude__isnull=False)
        )
        return known


class Event(models.Model):
    """Something that happened, as it stands now; its revisions tell how it came to stand so.

    `latitude`, `longitude` and `seafloor_m` are what a person typed or a file said; the `nav_` columns beside them
    are derived from the stored navigation.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, help_text="made where the event was logged")
    log = models.ForeignKey(Log, models.PROTECT, related_name="events")
    number = models.CharField(max_length=60, help_text="as the R2R event logger numbers: YYYYMMDD.HHMM.NNN")
    observed_at = models.DateTimeField(help_text="when it happened, or began")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when it ended, of an event with a duration")
    logged_at = models.DateTimeField(null=True, blank=True, help_text="when it was typed, where that is known")
    instrument = models.CharField(max_length=120)
    action = models.CharField(max_length=120, blank=True)
    transect = models.CharField(max_length=80, blank=True)
    station = models.CharField(max_length=80, blank=True)
    cast = models.CharField(max_length=40, blank=True)
    operation: models.ForeignKey[Operation | None, Operation | None] = models.ForeignKey(
        "eventlog.Operation", models.PROTECT, null=True, blank=True, related_name="events"
    )
    latitude = models.FloatField(null=True, blank=True, validators=LATITUDE, help_text="degrees north")
    longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE, help_text="degrees east")
    seafloor_m = models.FloatField("seafloor depth", null=True, blank=True, help_text="metres")
    author = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="events")
    author_name = models.CharField(max_length=120)
    device = models.CharField(max_length=60, blank=True, help_text="on which it was logged")
    clock_offset_s = models.FloatField(
        null=True, blank=True, help_text="seconds by which that device's clock ran ahead of the server's"
    )
    comment = models.TextField(blank=True)
    extra = models.JSONField(default=dict, blank=True, help_text="answers to the template's fields: {name: value}")
    source = models.CharField(max_length=20, help_text="web, api, or the format it was imported from")
    original = models.JSONField(default=dict, blank=True, help_text="the whole row it was imported from")
    revised_at = models.JSONField(default=list, blank=True, help_text="times of edits before the import")
    struck_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    nav_latitude = models.FloatField(null=True, blank=True, help_text="degrees north, derived from navigation")
    nav_longitude = models.FloatField(null=True, blank=True, help_text="degrees east, derived from navigation")
    nav_depth_m = models.FloatField(null=True, blank=True, help_text="water depth, metres, from a sounder's feed")
    nav_course_deg = models.FloatField(null=True, blank=True, help_text="course over ground, degrees true")
    nav_speed_mps = models.FloatField(null=True, blank=True, help_text="speed over ground, m/s")
    nav_method = models.CharField(max_length=12, blank=True, choices=[(m, m) for m in METHODS])
    nav_feed = models.CharField(max_length=60, blank=True)
    nav_gap_s = models.FloatField(null=True, blank=True, help_text="seconds between the fixes around it")
    nav_uncertainty_m = models.FloatField(null=True, blank=True, help_text="metres, 95 %")

    objects = EventQuerySet.as_manager()
    sequence: int | None = None  # number in the log of its last change, known of an object that was written just now

    class Meta:
        ordering = ["-observed_at", "-number"]
        indexes = [
            models.Index(fields=["log", "-observed_at", "-number"]),
            models.Index(fields=["log", "instrument", "action", "-observed_at"]),
        ]
        constraints = [
            # The number is how people and other data sets refer to an event.
            models.UniqueConstraint("log", "number", name="event_numbered_once"),
            # A position has both halves or none, and lies on the globe.
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="event_position_on_globe",
            ),
            # Nothing ends before it begins.
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("observed_at")), name="event_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.instrument} {self.action}".strip()

    @property
    def cruise(self) -> Cruise:
        """The cruise whose log it is in."""
        return self.log.cruise

    @property
    def place(self) -> tuple[float, float] | None:
        """(degrees north, degrees east): as typed or imported, else as derived from navigation; None: not known."""
        return position.best(self.latitude, self.longitude, self.nav_latitude, self.nav_longitude)

    @property
    def water_depth_m(self) -> float | None:
        """Metres: as typed or imported, else from the sounder's feed."""
        return self.seafloor_m if self.seafloor_m is not None else self.nav_depth_m

    def logged(self, *, names: bool = True) -> LoggedEvent:
        """The event for exchange; without `names` for those who are not told who wrote it."""
        latitude, longitude = self.place or (None, None)
        return LoggedEvent(
            number=self.number,
            observed_at=self.observed_at.astimezone(UTC),
            logged_at=self.logged_at.astimezone(UTC) if self.logged_at else None,
            instrument=self.instrument,
            action=self.action,
            transect=self.transect,
            station=self.station,
            cast=self.cast,
            latitude=latitude,
            longitude=longitude,
            seafloor_m=self.water_depth_m,
            author=self.author_name if names else "",
            comment=self.comment,
            revised_at=tuple(self._edits()),
            measurements=tuple(Measured(m.source, m.name, m.value, m.unit) for m in self.measurements.all()),
            original=dict(self.original) if names else {},
            ended_at=self.ended_at.astimezone(UTC) if self.ended_at else None,
            extra=dict(self.extra),
        )

    def _edits(self) -> list[datetime]:
        before = [datetime.fromisoformat(text) for text in self.revised_at]
        return before + [r.at.astimezone(UTC) for r in self.revisions.all() if r.number > 1 and r.verb in EDITS]


class Revision(models.Model):
    """One change in a log: of what, by whom, when, on which device, why, and field by field what was and what is.

    Never altered. The revisions of a log are numbered by `sequence` without a hole: that is its change feed. Each
    holds the digest of the one before: that is its chain.
    """

    THINGS = [(t, t) for t in ("event", "operation", "place", "term", "template", "attachment", "file", "log")]
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, help_text="made where the change was made")
    log = models.ForeignKey(Log, models.PROTECT, related_name="revisions")
    sequence = models.PositiveBigIntegerField()
    thing = models.CharField(max_length=12, choices=THINGS, default="event")
    thing_uuid = models.UUIDField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, blank=True, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=200)
    device = models.CharField(max_length=60, blank=True)
    verb = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    changes = models.JSONField(default=dict, help_text="{field: [before, after]}; a new event has no before")
    after_close = models.BooleanField(default=False, help_text="made after the log was closed")
    previous = models.CharField(max_length=64, blank=True, help_text="digest of the revision before; first: empty")
    digest = models.CharField(max_length=64, help_text="SHA-256 over this revision and `previous`")

    class Meta:
        ordering = ["log", "sequence"]
        constraints = [
            models.UniqueConstraint("log", "sequence", name="revision_in_order"),
            models.UniqueConstraint("thing_uuid", "number", name="revision_of_thing_once"),
        ]

    def __str__(self) -> str:
        return f"{self.thing} {self.thing_uuid} revision {self.number}"

    @property
    def cruise(self) -> Cruise:
        """The cruise whose log was changed."""
        return self.log.cruise


class Measurement(models.Model):
    """A value that an instrument gave at the time of an event, as the source wrote it."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="measurements")
    source = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    value = models.TextField()
    unit = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.value} {self.unit}".strip()
