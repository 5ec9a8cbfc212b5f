"""A log for each cruise: its buttons, what was imported, its final copy and its seals."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from eventlog.states import LOG
from portal import access
from portal.models import Cruise, Person

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
    """A button of the log page: an instrument, an action, and what is asked for afterwards."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    log = models.ForeignKey(Log, models.CASCADE, related_name="templates")
    instrument = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, blank=True, help_text="kind of operation that the action is a step of")
    label = models.CharField(max_length=60, blank=True, help_text="on the button; empty: the action")
    key = models.CharField(max_length=1, blank=True, help_text="key that presses it, on a keyboard or number pad")
    fields = models.JSONField(
        default=list, blank=True, help_text="what is asked after the press: [{name, label, type, unit, choices, when}]"
    )
    order = models.PositiveIntegerField(default=0)
    is_hidden = models.BooleanField(default=False, help_text="not offered; events that used it keep it")

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint("log", "instrument", "action", name="template_once"),
            # A key presses one button.
            models.UniqueConstraint("log", "key", condition=~Q(key=""), name="template_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.action}"


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
    number = models.PositiveIntegerField(help_text="1, 2, 3 … in its log")
    spans = models.JSONField(default=list, blank=True, help_text="[[first, last]…]: sequences of the revisions it made")
    report = models.BinaryField(default=b"", help_text="what came of each row: JSON, a row a line, gzip")
    options = models.JSONField(default=dict, blank=True, help_text="format, mapping and reason, as they were given")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="empty: it was interrupted")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by_name = models.CharField(max_length=200, blank=True)
    undone_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint("log", "number", name="import_numbered_once")]

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


class Seal(models.Model):
    """What closing a log fixed: how many, which checksums, and the last link of the chain of revisions."""

    log = models.ForeignKey(Log, models.PROTECT, related_name="seals")
    at = models.DateTimeField()
    by_name = models.CharField(max_length=200)
    sequence = models.PositiveBigIntegerField(help_text="of the last revision that it covers")
    head = models.CharField(max_length=64, help_text="digest of that revision")
    counts = models.JSONField(default=dict)
    checksums = models.JSONField(default=dict, help_text="{name of a final copy: its SHA-256}")

    class Meta:
        ordering = ["log", "sequence"]
        constraints = [models.UniqueConstraint("log", "sequence", name="seal_once")]

    def __str__(self) -> str:
        return f"seal of {self.log} at {self.sequence}"

    @property
    def cruise(self) -> Cruise:
        """The cruise whose log it seals."""
        return self.log.cruise
