"""A delivery on its way in: seen in a drop folder, chosen on a page, or sent by browser; what became of it."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from inventory import paths
from inventory.models.distribution import Distribution
from inventory.states import ARRIVAL
from portal import access
from portal.models import Cruise, Operator, Person

if TYPE_CHECKING:
    from portal.access import Actor

DROP, CHOSEN, SENT = "drop folder", "directory", "upload"
SOURCES = {DROP: "seen in a drop folder", CHOSEN: "chosen on the page", SENT: "sent by browser"}
SHAPES = ("directory", "bag", "archive", "manifest")


class ArrivalQuerySet(models.QuerySet["Arrival"]):
    """Which arrivals."""

    def visible_to(self, actor: Actor) -> ArrivalQuerySet:
        """The office sees all, an operator's people those of their folders and cruises, others none."""
        if access.is_office(actor):
            return self
        return self.filter(operator__in=access.operators_of(actor))

    def unsettled(self) -> ArrivalQuerySet:
        """Those that wait for something: for files, for the worker, or for a person."""
        return self.filter(state__in=("arriving", "complete", "offered", "refused", "changed"))

    def for_people(self) -> ArrivalQuerySet:
        """Those that go no further unless a person does something."""
        stuck = Q(state="arriving") & ~Q(reason="")
        return self.filter(Q(state__in=("offered", "refused", "changed")) | stuck)


class Arrival(models.Model):
    """Something that is to become a shipment. The files stay where they are; nothing is written beside them.

    `path` is absolute, but of what was seen in the drop folder it is the path below that folder.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=12, choices=list(SOURCES.items()))
    path = models.TextField(help_text="where it lies, in the text form of inventory.paths")
    path_key = models.UUIDField(help_text="MD5 of the path")
    shape = models.CharField(max_length=12, choices=[(s, s) for s in SHAPES])
    cruise = models.ForeignKey(Cruise, models.CASCADE, null=True, blank=True, related_name="arrivals")
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, blank=True, related_name="arrivals")
    state = models.CharField(max_length=12, choices=ARRIVAL.choices, default=ARRIVAL.first)
    since = models.DateTimeField()
    reason = models.TextField(blank=True, help_text="why it is not further, as a sentence, and what to do")
    faults = models.JSONField(default=list, blank=True, help_text="what was wrong in it, each with its place")
    remarks = models.JSONField(default=list, blank=True)
    files = models.BigIntegerField(null=True, blank=True, help_text="seen at the last look")
    bytes = models.BigIntegerField(null=True, blank=True)
    listed_files = models.BigIntegerField(null=True, blank=True, help_text="in its manifest")
    listed_bytes = models.BigIntegerField(null=True, blank=True)
    rate = models.FloatField(null=True, blank=True, help_text="bytes a second between the last two looks")
    mark = models.CharField(max_length=64, blank=True, help_text="changes with any path, size or time in it")
    changed_at = models.DateTimeField("last changed", null=True, blank=True, help_text="seen by us, by our clock")
    looked_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="when it is looked at next")
    seen_at = models.DateTimeField("first seen")
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="arrivals")
    distribution = models.ForeignKey(Distribution, models.SET_NULL, null=True, blank=True, related_name="arrivals")

    objects = ArrivalQuerySet.as_manager()

    class Meta:
        ordering = ["-since"]
        indexes = [models.Index(fields=["state", "due_at"])]
        constraints = [
            # What lies in a drop folder is one thing, however often it is looked at.
            models.UniqueConstraint("path_key", condition=Q(source=DROP), name="arrival_path_once"),
            # One delivery of a cruise is received at a time.
            models.UniqueConstraint("cruise", condition=Q(state="complete"), name="arrival_received_once"),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def place(self) -> Path:
        """Where it lies: an absolute path, unless the drop folder that it was seen in is switched off."""
        path = Path(os.fsdecode(paths.to_bytes(self.path)))
        return settings.DROP_FOLDER / path if self.source == DROP and settings.DROP_FOLDER else path

    @property
    def whole_at(self) -> dt.datetime | None:
        """When it counts as whole if nothing changes till then; none where that is not what it waits for."""
        if self.source != DROP or self.state != "arriving" or self.reason or self.changed_at is None or not self.files:
            return None
        if self.awaited:
            return None
        return self.changed_at + dt.timedelta(minutes=settings.DROP_QUIET)

    @property
    def awaited(self) -> int:
        """How many files of its list are not here yet, or not whole."""
        return max(0, (self.listed_files or 0) - (self.files or 0)) if self.state == "arriving" else 0

    @property
    def shown(self) -> str:
        """Where it lies, for people."""
        return paths.display(self.path)

    @property
    def shown_name(self) -> str:
        """Its name, for people."""
        return paths.display(self.path.rpartition("/")[2])
