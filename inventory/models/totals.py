"""What the files of a distribution come to. All of it is counted from their rows, may be thrown away, and is made again
by `inventory.totals`."""

from __future__ import annotations

from django.db import models

from inventory.models.dataset import Dataset
from inventory.models.distribution import Distribution
from inventory.states import FILE_STATES


class Total(models.Model):
    """When the files of a distribution were counted, and what is true of all of them."""

    distribution = models.OneToOneField(Distribution, models.CASCADE, related_name="total")
    counted_at = models.DateTimeField(help_text="what is told is as of then")
    seconds = models.FloatField(default=0, help_text="that the count took")
    files = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    first = models.BigIntegerField(default=0, help_text="key of its first file")
    last = models.BigIntegerField(default=0, help_text="key of its last file")
    listed = models.PositiveIntegerField(default=0, help_text="files in the manifest")
    listed_size = models.PositiveIntegerField(default=0, help_text="of these, files with a size")
    listed_md5 = models.PositiveIntegerField(default=0, help_text="of these, files with an MD5")
    listed_sha256 = models.PositiveIntegerField(default=0, help_text="of these, files with a SHA-256")
    of_two_lines = models.PositiveIntegerField(default=0, help_text="files with a line break in their path")

    def __str__(self) -> str:
        return f"{self.distribution}: {self.files} files"


class Part(models.Model):
    """The files of a distribution of one state and one data set: how many, how large, and where their keys lie."""

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="parts")
    state = models.CharField(max_length=10, choices=[(s, s) for s in FILE_STATES])
    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, blank=True, related_name="parts")
    excluded = models.BooleanField(default=False)
    files = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    first = models.BigIntegerField(help_text="key of the first of them")
    last = models.BigIntegerField(help_text="key of the last of them")
    first_changed_at = models.DateTimeField(null=True, blank=True)
    last_changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.distribution}: {self.files} files {self.state}"


class Directory(models.Model):
    """A directory of a distribution, with what lies directly in it (`own_…`) and with everything below it.

    The rows of a distribution are written in the order of their paths, so their keys are in that order.
    """

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="directories", db_index=False)
    path = models.TextField(blank=True, help_text="empty for the root")
    key = models.UUIDField(help_text="MD5 of the path: an index for names of any length")
    parent = models.UUIDField(null=True, blank=True, help_text="key of the directory above; none of the root")
    first = models.BigIntegerField(default=0, help_text="key of the first of its own files")
    last = models.BigIntegerField(default=0, help_text="key of the last of its own files")
    files = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    states = models.JSONField(default=dict, help_text="files by state")
    own_files = models.PositiveIntegerField()
    own_bytes = models.BigIntegerField()
    own_states = models.JSONField(default=dict, help_text="its own files by state")

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "directories"
        indexes = [models.Index(fields=["distribution", "parent", "id"])]
        constraints = [models.UniqueConstraint("distribution", "key", name="directory_once")]

    def __str__(self) -> str:
        return f"{self.distribution}: {self.path or '.'}"


class Stretch(models.Model):
    """A thousand files that follow each other, and the text in which a search sees whether one of them may fit.

    The text holds their names, then their directories, in small letters. What is not in it is in none of their paths;
    what is in it may be.
    """

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="stretches", db_index=False)
    first = models.BigIntegerField(help_text="key of its first file")
    last = models.BigIntegerField(help_text="key of its last file")
    files = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        ordering = ["first"]
        verbose_name_plural = "stretches"
        constraints = [models.UniqueConstraint("distribution", "first", name="stretch_once")]

    def __str__(self) -> str:
        return f"{self.distribution}: files {self.first} to {self.last}"
