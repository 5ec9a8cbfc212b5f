"""The logbook's tables: a log for each cruise, its events, every revision of them, and the final copy."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from eventlog.exchange.record import LoggedEvent
from eventlog.exchange.record import Measurement as Measured
from eventlog.states import LOG
from portal import access
from portal.models import Cruise, Person
from portal.models.fleet import LATITUDE, LONGITUDE

if TYPE_CHECKING:
    from portal.access import Actor


class LogQuerySet(models.QuerySet["Log"]):
    """Which logs."""

    def visible_to(self, actor: Actor) -> LogQuerySet:
        """One's own cruises' logs, and closed logs of public cruises."""
        cruises = Cruise.objects.visible_to(actor)
        if access.is_office(actor):
            return self
        own = cruises.filter(public_at__isnull=True)
        if isinstance(actor, Person) and actor.is_active:
            own = cruises.filter(
                Q(vessel__operator__in=access.operators_of(actor)) | Q(pk__in=actor.parties.values("cruise"))
            )
        return self.filter(Q(cruise__in=own) | Q(cruise__in=cruises, state="closed"))


class Log(models.Model):
    """The event log of a cruise."""

    cruise = models.OneToOneField(Cruise, models.PROTECT, related_name="log")
    state = models.CharField(max_length=12, choices=LOG.choices, default=LOG.first)
    since = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = LogQuerySet.as_manager()

    class Meta:
        ordering = ["-since"]
        constraints = [
            # A closed log was opened, and knows when it was closed.
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(opened_at__isnull=False, closed_at__isnull=False),
                name="log_closed_knows_when",
            ),
        ]

    def __str__(self) -> str:
        return f"event log of {self.cruise}"


class Template(models.Model):
    """A button of the log page: one instrument and one action."""

    log = models.ForeignKey(Log, models.CASCADE, related_name="templates")
    instrument = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    order = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [models.UniqueConstraint("log", "instrument", "action", name="template_once")]

    def __str__(self) -> str:
        return f"{self.instrument} {self.action}"


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


class Event(models.Model):
    """Something that happened, as it stands now; its revisions tell how it came to stand so."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, help_text="made where the event was logged")
    log = models.ForeignKey(Log, models.PROTECT, related_name="events")
    number = models.CharField(max_length=60, help_text="as the R2R event logger numbers: YYYYMMDD.HHMM.NNN")
    observed_at = models.DateTimeField(help_text="when it happened")
    logged_at = models.DateTimeField(null=True, blank=True, help_text="when it was typed, where that is known")
    instrument = models.CharField(max_length=120)
    action = models.CharField(max_length=120, blank=True)
    transect = models.CharField(max_length=80, blank=True)
    station = models.CharField(max_length=80, blank=True)
    cast = models.CharField(max_length=40, blank=True)
    latitude = models.FloatField(null=True, blank=True, validators=LATITUDE, help_text="degrees north")
    longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE, help_text="degrees east")
    seafloor_m = models.FloatField("seafloor depth", null=True, blank=True, help_text="metres")
    author = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="events")
    author_name = models.CharField(max_length=120)
    comment = models.TextField(blank=True)
    source = models.CharField(max_length=20, help_text="web, api, or the format it was imported from")
    original = models.JSONField(default=dict, blank=True, help_text="the whole row it was imported from")
    revised_at = models.JSONField(default=list, blank=True, help_text="times of edits before the import")
    struck_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-observed_at", "-number"]
        indexes = [models.Index(fields=["log", "-observed_at", "-number"])]
        constraints = [
            # The number is how people and other data sets refer to an event.
            models.UniqueConstraint("log", "number", name="event_numbered_once"),
            # A position has both halves or none, and lies on the globe.
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="event_position_on_globe",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.instrument} {self.action}".strip()

    @property
    def cruise(self) -> Cruise:
        """The cruise whose log it is in."""
        return self.log.cruise

    def logged(self, *, names: bool = True) -> LoggedEvent:
        """The event for exchange; without `names` for those who are not told who wrote it."""
        return LoggedEvent(
            number=self.number,
            observed_at=self.observed_at.astimezone(UTC),
            logged_at=self.logged_at.astimezone(UTC) if self.logged_at else None,
            instrument=self.instrument,
            action=self.action,
            transect=self.transect,
            station=self.station,
            cast=self.cast,
            latitude=self.latitude,
            longitude=self.longitude,
            seafloor_m=self.seafloor_m,
            author=self.author_name if names else "",
            comment=self.comment,
            revised_at=tuple(self._edits()),
            measurements=tuple(Measured(m.source, m.name, m.value, m.unit) for m in self.measurements.all()),
            original=dict(self.original) if names else {},
        )

    def _edits(self) -> list[datetime]:
        before = [datetime.fromisoformat(text) for text in self.revised_at]
        return before + [r.at.astimezone(UTC) for r in self.revisions.all() if r.number > 1]


class Revision(models.Model):
    """One edit of an event: who, when, why, and field by field what was and what is. Never altered."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=200)
    verb = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    changes = models.JSONField(default=dict, help_text="{field: [before, after]}; a new event has no before")
    after_close = models.BooleanField(default=False, help_text="made after the log was closed")

    class Meta:
        ordering = ["event", "number"]
        constraints = [models.UniqueConstraint("event", "number", name="revision_numbered_once")]

    def __str__(self) -> str:
        return f"{self.event} revision {self.number}"


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


class Import(models.Model):
    """A log file taken in from another program: its bytes, never changed, and what came of each row."""

    log = models.ForeignKey(Log, models.PROTECT, related_name="imports")
    name = models.CharField(max_length=200)
    data = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=40)
    counts = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    at = models.DateTimeField()
    by_name = models.CharField(max_length=200)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.name} into {self.log}"

    @property
    def cruise(self) -> Cruise:
        """The cruise whose log it went into."""
        return self.log.cruise


class FinalCopy(models.Model):
    """A file of the log as it was when it was closed, with its checksums. Goes into the distribution."""

    log = models.ForeignKey(Log, models.PROTECT, related_name="final_copies")
    name = models.CharField(max_length=120)
    format = models.CharField(max_length=20)
    data = models.BinaryField()
    size = models.BigIntegerField()
    md5 = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    events = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "final copies"
        ordering = ["log", "name"]
        constraints = [models.UniqueConstraint("log", "name", name="final_copy_once")]

    def __str__(self) -> str:
        return self.name
