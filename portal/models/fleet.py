"""Operators, their vessels, and ports."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

REVERSE_DNS = RegexValidator(r"\A[a-z][a-z0-9-]*(\.[a-z0-9-]+)+\Z", "write it as edu.ucsd.sio")
ICES_CODE = RegexValidator(r"\A[A-Z0-9]{4}\Z", "an ICES platform code has four letters or figures, as 33RR")
LATITUDE = [MinValueValidator(-90), MaxValueValidator(90)]
LONGITUDE = [MinValueValidator(-180), MaxValueValidator(180)]


class Operator(models.Model):
    """An institution that operates vessels; its id is its domain name turned round, as edu.ucsd.sio."""

    id = models.CharField(primary_key=True, max_length=60, validators=[REVERSE_DNS])
    name = models.CharField(max_length=200)
    orders_email = models.EmailField(
        blank=True, help_text="sailing orders are taken by e-mail from this address alone; none when empty"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Vessel(models.Model):
    """A research vessel; its id is the ICES/SeaDataNet C17 platform code, as 33RR for Roger Revelle."""

    id = models.CharField(primary_key=True, max_length=4, validators=[ICES_CODE])
    name = models.CharField(max_length=120, unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="vessels")
    cruise_prefix = models.CharField(max_length=12, blank=True, help_text="how its cruise ids begin, as RR")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Port(models.Model):
    """A port as sailing orders name it. Position in degrees, north and east positive."""

    id = models.CharField(primary_key=True, max_length=20)
    name = models.CharField(max_length=120)
    country = models.CharField("country code", max_length=3, blank=True)
    state = models.CharField("state or province code", max_length=10, blank=True)
    latitude = models.FloatField(null=True, blank=True, validators=LATITUDE)
    longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE)

    class Meta:
        ordering = ["name"]
        constraints = [
            # A position has both halves or none, and lies on the globe.
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="port_position_on_globe",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.country}" if self.country else self.name
