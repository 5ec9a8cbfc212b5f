"""The journal of every act, the work that machines do, and the letters that go out."""

from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.db.models import Q

from portal.models.cruise import Cruise
from portal.models.people import Person


class JournalEntry(models.Model):
    """One act. Written in the transaction of the change; the database refuses to alter or delete it."""

    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=200, help_text="what the person was called at the time")
    verb = models.CharField(max_length=60)
    cruise = models.ForeignKey(
        Cruise, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="journal"
    )
    kind = models.CharField(max_length=40, help_text="of the thing it happened to")
    key = models.CharField(max_length=64, help_text="of the thing it happened to")
    label = models.CharField(max_length=200, help_text="of the thing it happened to, as it was called then")
    note = models.TextField(blank=True)
    changes = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "journal entries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["cruise", "-id"]),
            models.Index(fields=["kind", "key", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by_name}: {self.verb} {self.label}"


SETTLED: Final = 3.0  # seconds after which a rate says something


class Work(models.Model):
    """A piece of long work that people can watch: what, how far, how fast, and why it stopped."""

    STATES = [(s, s) for s in ("running", "done", "failed", "interrupted")]
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    door = models.CharField(max_length=60, help_text="what is done")
    key = models.CharField(max_length=64, help_text="with what")
    label = models.CharField(max_length=200)
    cruise = models.ForeignKey(Cruise, models.CASCADE, null=True, blank=True, related_name="works")
    state = models.CharField(max_length=12, choices=STATES, default="running")
    done = models.BigIntegerField(default=0)
    before = models.BigIntegerField(default=0, help_text="how much of what is done was done in earlier turns")
    total = models.BigIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=20, default="files")
    bytes = models.BigIntegerField(default=0, help_text="read or written, where that is counted")
    message = models.TextField(blank=True)
    attempt = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["state", "-started_at"]), models.Index(fields=["door", "key"])]
        constraints = [
            # One thing is worked on by one worker at a time.
            models.UniqueConstraint("door", "key", condition=Q(state="running"), name="work_running_once"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.state}"

    @property
    def seconds(self) -> float:
        """From its beginning to its last beat."""
        return (self.beat_at - self.started_at).total_seconds()

    @property
    def _now(self) -> int:
        """What was done in this turn."""
        return self.done - self.before

    @property
    def rate(self) -> str:
        """How fast it has been, in words: 12.3 MB/s where bytes are counted, else 450 files/s; "" in the beginning."""
        if self.seconds < SETTLED or not self._now:
            return ""
        if self.bytes:
            return f"{self.bytes / self.seconds / 1e6:,.1f} MB/s"
        return f"{self._now / self.seconds:,.0f} {self.unit.partition(' ')[0]}/s"

    @property
    def left(self) -> str:
        """How long it takes yet at this pace, in words; "" where nobody can say."""
        if self.seconds < SETTLED or not self._now or not self.total or self.done > self.total:
            return ""
        minutes = self.seconds * (self.total - self.done) / self._now / 60
        if minutes < 1.5:
            return "about a minute left"
        return f"about {minutes:.0f} min left" if minutes < 90 else f"about {minutes / 60:.0f} h left"


class Letter(models.Model):
    """An e-mail, written in the transaction of what it tells and sent by the worker afterwards."""

    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    cruise = models.ForeignKey(Cruise, models.CASCADE, null=True, blank=True, related_name="letters")
    key = models.CharField(max_length=120, unique=True, help_text="says what it is about, so that it is sent once")
    written_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-written_at"]
        indexes = [models.Index(fields=["sent_at", "written_at"])]

    def __str__(self) -> str:
        return f"{self.subject} to {self.to}"
