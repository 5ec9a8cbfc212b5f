"""What stands on deck and in the labs: tablets, the people who change over on them, photos, and data files."""

from __future__ import annotations

import uuid

from django.db import models

from eventlog.models.event import Event
from eventlog.models.log import Log
from eventlog.models.operation import Operation
from portal.models import Cruise, Person


class Device(models.Model):
    """A tablet or program that logs: it is enrolled by somebody who may log, and its clock is measured."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, help_text="made on the device")
    log = models.ForeignKey(Log, models.CASCADE, related_name="devices")
    name = models.CharField(max_length=60, help_text="as in: wet lab tablet")
    clock_offset_s = models.FloatField(null=True, blank=True, help_text="seconds its clock runs ahead of the server's")
    clock_at = models.DateTimeField(null=True, blank=True, help_text="when that was measured")
    waiting = models.PositiveIntegerField(default=0, help_text="items it held back when it was last heard of")
    seen_at = models.DateTimeField()
    seen_by = models.CharField(max_length=200, blank=True, help_text="who used it last")
    page = models.CharField(max_length=20, blank=True, help_text="what it showed last")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def cruise(self) -> Cruise:
        """The cruise in whose log it writes."""
        return self.log.cruise


class Pin(models.Model):
    """The short number with which a person takes over a shared tablet. Only its slow hash is kept."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="pin")
    digest = models.CharField(max_length=200)
    set_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"PIN of {self.person}"


class Attachment(models.Model):
    """A photo, a voice note or another file that belongs to an event. Its bytes are never changed."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, help_text="made where it was taken")
    log = models.ForeignKey(Log, models.PROTECT, related_name="attachments")
    event = models.ForeignKey(Event, models.PROTECT, null=True, blank=True, related_name="attachments")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=80)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    caption = models.CharField(max_length=500, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    by_name = models.CharField(max_length=200)
    struck_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["received_at", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def cruise(self) -> Cruise:
        """The cruise in whose log it is."""
        return self.log.cruise


class Watch(models.Model):
    """A folder in which an instrument leaves its files; new ones are linked to the running operation."""

    log = models.ForeignKey(Log, models.CASCADE, related_name="watches")
    path = models.CharField(max_length=500, help_text="absolute, below one of the folders that the server allows")
    pattern = models.CharField(max_length=120, default="*", help_text="of file names, as *.hex")
    instrument = models.CharField(max_length=120)
    is_enabled = models.BooleanField(default=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "watches"
        ordering = ["path", "pattern"]
        constraints = [models.UniqueConstraint("log", "path", "pattern", name="watch_once")]

    def __str__(self) -> str:
        return f"{self.path}/{self.pattern}"

    @property
    def cruise(self) -> Cruise:
        """The cruise whose files come there."""
        return self.log.cruise


class DataFile(models.Model):
    """A file that an instrument left in a watched folder, as last seen, with its checksum once it has settled."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    log = models.ForeignKey(Log, models.PROTECT, related_name="data_files")
    watch = models.ForeignKey(Watch, models.SET_NULL, null=True, blank=True, related_name="files")
    path = models.CharField(max_length=1000)
    size = models.BigIntegerField()
    modified_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True, help_text="empty: still growing")
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, blank=True, related_name="data_files")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-first_seen_at", "path"]
        constraints = [models.UniqueConstraint("log", "path", name="data_file_once")]

    def __str__(self) -> str:
        return self.path

    @property
    def cruise(self) -> Cruise:
        """The cruise to which it belongs."""
        return self.log.cruise
