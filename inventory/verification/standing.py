"""How far the reading of a distribution is, how fast it goes, and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from inventory.models import Distribution
from portal import work
from portal.models import Work

DOOR = "inventory.verify"
SOONEST = 0.5  # s of work that tell a rate


@dataclass(frozen=True, slots=True)
class Standing:
    """Files and bytes on the disk and how many of them are read; the rate of the living workers since they began."""

    files: int
    files_done: int
    bytes: int
    bytes_done: int
    workers: int
    files_per_second: float
    bytes_per_second: float

    @property
    def seconds_left(self) -> float | None:
        """The longer of what is left in files and what is left in bytes; None while nothing is known."""
        by_files = _time(self.files - self.files_done, self.files_per_second)
        by_bytes = _time(self.bytes - self.bytes_done, self.bytes_per_second)
        return None if by_files is None or by_bytes is None else max(by_files, by_bytes)

    @property
    def left(self) -> str:
        """The time left in words, or nothing."""
        seconds = self.seconds_left
        if seconds is None:
            return ""
        if seconds < 90:
            return f"{max(1, round(seconds))} s left"
        if seconds < 90 * 60:
            return f"{round(seconds / 60)} min left"
        return f"{seconds / 3600:.0f} h left" if seconds < 36 * 3600 else f"{seconds / 86400:.1f} days left"

    @property
    def rate(self) -> str:
        """The rate in words: 123.4 MB/s, 567 files/s; nothing while nobody reads."""
        if not self.workers:
            return ""
        return f"{self.bytes_per_second / 1e6:,.1f} MB/s, {self.files_per_second:,.0f} files/s"


def _time(left: float, rate: float) -> float | None:
    return 0.0 if left <= 0 else left / rate if rate else None


def standing(distribution: Distribution, counts: dict[str, dict[str, int]]) -> Standing | None:
    """How far a distribution is that is being read; None for one that is not. `counts`: its counts by state.

    What is left is the sum over its chunks, a thousandth of its files.
    """
    if distribution.state != "received":
        return None
    left: dict[str, Any] = distribution.chunks.aggregate(Count("pk"), Sum("files"), Sum("bytes"))
    if not left["pk__count"]:
        return None
    missing = counts.get("missing", {"files": 0, "bytes": 0})
    files = counts["all"]["files"] - missing["files"]
    size = counts["all"]["bytes"] - missing["bytes"]
    alive = list(workers(distribution))
    return Standing(
        files,
        files - left["files__sum"],
        size,
        max(size - left["bytes__sum"], 0),
        len(alive),
        sum(row.done / max(row.seconds, SOONEST) for row in alive),
        sum(row.bytes / max(row.seconds, SOONEST) for row in alive),
    )


def workers(distribution: Distribution) -> Any:
    """Work rows of the living workers at a distribution."""
    key = str(distribution.pk)
    fresh = timezone.now() - work.STALE
    rows = Work.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:"), door=DOOR, state="running")
    return rows.filter(beat_at__gte=fresh)
