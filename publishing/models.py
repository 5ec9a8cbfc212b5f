"""What was published: releases of cruise records, identifiers, OAI-PMH records, submissions and accessions."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from inventory.models import Dataset, Review
from portal.models import Cruise
from publishing.states import IDENTIFIER, SUBMISSION


class Release(models.Model):
    """An approved cruise record as it was published: frozen, with the canonical XML."""

    cruise = models.ForeignKey(Cruise, models.PROTECT, related_name="releases")
    review = models.OneToOneField(Review, models.PROTECT, related_name="release")
    number = models.PositiveIntegerField()
    record = models.TextField(help_text="the canonical cruise record at that moment")
    sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField()

    class Meta:
        ordering = ["cruise", "-number"]
        constraints = [models.UniqueConstraint("cruise", "number", name="release_numbered_once")]

    def __str__(self) -> str:
        return f"{self.cruise} release {self.number}"


class Identifier(models.Model):
    """A DOI of a cruise or of a data set. Reserved by us first, so that a repeated registration is the same one."""

    doi = models.CharField(max_length=120, unique=True)
    cruise = models.ForeignKey(Cruise, models.PROTECT, related_name="identifiers")
    dataset = models.OneToOneField(Dataset, models.PROTECT, null=True, blank=True, related_name="identifier")
    state = models.CharField(max_length=12, choices=IDENTIFIER.choices, default=IDENTIFIER.first)
    since = models.DateTimeField()
    registrar = models.CharField(max_length=200, blank=True, help_text="where it is registered")
    metadata_sha256 = models.CharField(max_length=64, blank=True, help_text="of what the registrar was told last")
    registered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["doi"]
        constraints = [
            # A cruise has one DOI of its own.
            models.UniqueConstraint("cruise", condition=Q(dataset__isnull=True), name="identifier_cruise_once"),
        ]

    def __str__(self) -> str:
        return self.doi


class OaiRecord(models.Model):
    """An item of the OAI-PMH repository. A withdrawn one stays for good, as deleted."""

    identifier = models.CharField(max_length=200, unique=True)
    cruise = models.ForeignKey(Cruise, models.PROTECT, related_name="oai_records")
    dataset = models.OneToOneField(Dataset, models.PROTECT, null=True, blank=True, related_name="oai_record")
    datestamp = models.DateTimeField(help_text="of the last change that harvesters must see, in whole seconds")
    deleted = models.BooleanField(default=False)

    class Meta:
        ordering = ["datestamp", "pk"]
        indexes = [models.Index(fields=["datestamp", "id"])]

    def __str__(self) -> str:
        return self.identifier


class OaiRendering(models.Model):
    """The metadata of an item in one format, rendered when it changed."""

    record = models.ForeignKey(OaiRecord, models.CASCADE, related_name="renderings")
    prefix = models.CharField(max_length=40)
    xml = models.TextField()

    class Meta:
        ordering = ["record", "prefix"]
        constraints = [models.UniqueConstraint("record", "prefix", name="oai_rendering_once")]

    def __str__(self) -> str:
        return f"{self.record} as {self.prefix}"


class OaiMembership(models.Model):
    """An item's place in a set; an item of a:b is in a too. Carries the datestamp, so that lists stay fast."""

    record = models.ForeignKey(OaiRecord, models.CASCADE, related_name="memberships")
    spec = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    datestamp = models.DateTimeField()

    class Meta:
        ordering = ["spec", "record"]
        indexes = [models.Index(fields=["spec", "datestamp", "record"])]
        constraints = [models.UniqueConstraint("record", "spec", name="oai_membership_once")]

    def __str__(self) -> str:
        return f"{self.record} in {self.spec}"


class Submission(models.Model):
    """A data set on its way to an archive: its bag, and what came back."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dataset = models.OneToOneField(Dataset, models.PROTECT, related_name="submission")
    state = models.CharField(max_length=12, choices=SUBMISSION.choices, default=SUBMISSION.first)
    since = models.DateTimeField()
    bag = models.TextField(blank=True, help_text="directory of the bag, under the staging directory")
    files = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    tagmanifest_sha256 = models.CharField(max_length=64, blank=True)
    staged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-since"]

    def __str__(self) -> str:
        return f"submission of {self.dataset}"

    @property
    def cruise(self) -> Cruise:
        """The cruise of its data set."""
        return self.dataset.cruise

    @property
    def accession(self) -> Accession | None:
        """The archive's latest word."""
        return max(self.accessions.all(), key=lambda accession: accession.pk, default=None)


class Accession(models.Model):
    """An archive's answer: under which number and version it keeps the data, and where. Later versions are added."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="accessions")
    archive = models.CharField(max_length=120)
    number = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    landing_url = models.URLField(max_length=500)
    direct_url = models.URLField(max_length=500, blank=True)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of tagmanifest-sha256.txt, as verified")
    accessioned_at = models.DateTimeField()
    told_at = models.DateTimeField()
    told_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["submission", "pk"]
        constraints = [
            # The same version of an accession is told once, however often it is repeated.
            models.UniqueConstraint("submission", "number", "version", name="accession_once"),
        ]

    def __str__(self) -> str:
        return f"{self.archive} {self.number} version {self.version}"
