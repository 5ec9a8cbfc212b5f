"""Where the ship was: the feeds of a vessel and every fix and sample that they brought, apart from the events."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from portal.models import Vessel


class Feed(models.Model):
    """A source of navigation on a vessel: a socket, a serial line behind a bridge, or files.

    `rank` 1 is preferred. `health` is what the watch over the feeds found last; see `eventlog.navigation`.
    """

    KINDS = [("udp", "UDP port"), ("tcp", "TCP server that we read from"), ("file", "files"), ("api", "sent by API")]
    vessel = models.ForeignKey(Vessel, models.PROTECT, related_name="feeds")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=4, choices=KINDS)
    address = models.CharField(max_length=300, blank=True, help_text="host:port to read from, or :port to listen on")
    rank = models.PositiveSmallIntegerField(default=100, help_text="1 is preferred")
    is_enabled = models.BooleanField(default=True)
    clock_offset_s = models.FloatField(
        null=True, blank=True, help_text="seconds by which the stamping clock runs ahead of the voted time"
    )
    health = models.JSONField(default=dict, blank=True)
    last_at = models.DateTimeField(null=True, blank=True, help_text="when something last came of it")

    class Meta:
        ordering = ["vessel", "rank", "name"]
        constraints = [models.UniqueConstraint("vessel", "name", name="feed_once")]

    def __str__(self) -> str:
        return self.name


class Fix(models.Model):
    """A position of a feed. Kept small: a cruise has millions.

    Degrees are kept as whole ten-millionths (1.1 cm); `quality` is that of GGA, or 1 valid, 0 not, -1 not told.
    """

    pk = models.CompositePrimaryKey("feed_id", "at_us")
    feed = models.ForeignKey(Feed, models.PROTECT, related_name="fixes", db_index=False)
    at_us = models.BigIntegerField(help_text="microseconds since 1970-01-01 UTC, by the fix's own time")
    latitude_e7 = models.IntegerField(help_text="degrees north times 10,000,000")
    longitude_e7 = models.IntegerField(help_text="degrees east times 10,000,000")
    quality = models.SmallIntegerField(default=-1)
    speed_cmps = models.SmallIntegerField(null=True, blank=True, help_text="over ground, cm/s")
    course_cdeg = models.IntegerField(null=True, blank=True, help_text="over ground, hundredths of degrees true")

    class Meta:
        verbose_name_plural = "fixes"
        ordering = ["feed_id", "at_us"]
        constraints = [
            # A fix lies on the globe.
            models.CheckConstraint(
                condition=Q(
                    latitude_e7__range=(-900_000_000, 900_000_000), longitude_e7__range=(-1_800_000_000, 1_800_000_000)
                ),
                name="fix_on_globe",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.latitude_e7 / 1e7:.5f} {self.longitude_e7 / 1e7:.5f}"


class Sample(models.Model):
    """A scalar of a feed at a moment: depth below the transducer in metres, or heading in degrees true."""

    DEPTH, HEADING = 1, 2
    pk = models.CompositePrimaryKey("feed_id", "quantity", "at_us")
    feed = models.ForeignKey(Feed, models.PROTECT, related_name="samples", db_index=False)
    quantity = models.SmallIntegerField(choices=[(DEPTH, "depth"), (HEADING, "heading")])
    at_us = models.BigIntegerField(help_text="microseconds since 1970-01-01 UTC")
    value = models.FloatField()

    class Meta:
        ordering = ["feed_id", "quantity", "at_us"]

    def __str__(self) -> str:
        return f"{self.get_quantity_display()} {self.value}"
