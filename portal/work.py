"""Work rows: the claim on a piece of long work, its progress, and its end. People watch them.

A running row is the claim: the database allows one for a door and a key. Its beat tells that the worker lives.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Final

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from portal.models import Cruise, Work
from portal.refusals import Refusal

logger = structlog.stdlib.get_logger("leadline.work")
STALE = dt.timedelta(seconds=90)
BEAT_SECONDS = 1.0
REST_LIMIT = dt.timedelta(hours=1)
GAVE_WAY: Final = "It gave way to other work, and goes on where it stopped."


class Lost(Exception):
    """The claim was taken back, because no beat was heard, and somebody else may be at it."""


class Taken(Exception):
    """Somebody else is working on it."""


class Progress:
    """The claim on one piece of work, as a context manager; `advance` tells how far it is and keeps the claim.

    `until`: the end of its turn on the clock of `time.monotonic`, for a worker that has other work to do as well.
    """

    def __init__(self, row: Work) -> None:
        self.row = row
        self.until = math.inf
        self._told = time.monotonic()
        self._remark = ""

    @classmethod
    def claim(cls, door: str, key: str, *, label: str = "", cruise: Cruise | None = None) -> Progress:
        """Claims `key` of `door`. Raises Taken while another worker's claim is alive."""
        now = timezone.now()
        attempt = (Work.objects.filter(door=door, key=key).aggregate(Max("attempt"))["attempt__max"] or 0) + 1
        try:
            with transaction.atomic():
                Work.objects.filter(door=door, key=key, state="running", beat_at__lt=now - STALE).update(
                    state="interrupted",
                    ended_at=now,
                    message="The worker stopped; the work was taken up again.",
                )
                row = Work.objects.create(
                    door=door,
                    key=key,
                    label=label or door,
                    cruise=cruise,
                    attempt=attempt,
                    started_at=now,
                    beat_at=now,
                )
        except IntegrityError as error:
            raise Taken(f"{door} {key}") from error
        return cls(row)

    def describe(
        self,
        label: str,
        cruise: Cruise | None = None,
        *,
        total: int | None = None,
        unit: str = "",
        before: int | None = None,
    ) -> None:
        """Names the work for those who watch it; `total` counts in `unit`, and so much of it was done `before`."""
        self.row.label, self.row.cruise, self.row.total = label[:200], cruise, total
        self.row.unit = unit or self.row.unit
        if before is not None:
            self.row.done = self.row.before = before
        told = ("label", "cruise", "total", "unit", "done", "before")
        self._tell(**{name: getattr(self.row, name) for name in told})

    def advance(self, by: int = 1, size: int = 0) -> None:
        """Counts `by` more done, and `size` more bytes. Written at most once a second.

        Raises Lost when the claim was taken back.
        """
        self.row.done += by
        self.row.bytes += size
        if time.monotonic() - self._told >= BEAT_SECONDS:
            self._tell(done=self.row.done, bytes=self.row.bytes)

    def gives_way(self) -> bool:
        """Whether the turn is over, which is then noted. What can keep its place asks, and returns."""
        over = time.monotonic() > self.until
        if over:
            self.note(GAVE_WAY)
        return over

    def note(self, remark: str) -> None:
        """A remark that stays on the row once the work is done."""
        self._remark = remark

    def beat(self) -> None:
        """Keeps the claim during a step that has no count. Raises Lost when it was taken back."""
        if time.monotonic() - self._told >= BEAT_SECONDS:
            self._tell()

    def _tell(self, **values: object) -> None:
        self._told = time.monotonic()
        alive = Work.objects.filter(pk=self.row.pk, state="running").update(beat_at=timezone.now(), **values)
        if not alive:
            raise Lost(self.row.label)

    def _end(self, state: str, message: str = "") -> None:
        Work.objects.filter(pk=self.row.pk, state="running").update(
            state=state,
            done=self.row.done,
            bytes=self.row.bytes,
            message=message[:4000],
            ended_at=timezone.now(),
            beat_at=timezone.now(),
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Ends the row. A refusal or a fault is written on it and goes no further: the next sweep tries again."""
        if error is None:
            self._end("done", self._remark)
            return True
        if isinstance(error, Lost):
            return True
        if isinstance(error, Refusal):
            self._end("failed", str(error))
            logger.warning("work refused", door=self.row.door, key=self.row.key, reason=str(error))
            return True
        if not isinstance(error, Exception):
            self._end("interrupted", "The worker was stopped; the work will be taken up again.")
            return False
        self._end("failed", f"Unexpected fault: {type(error).__name__}: {error}")
        logger.exception("work failed", door=self.row.door, key=self.row.key)
        return True


def running(door: str, key: str) -> bool:
    """Whether a living worker is at it."""
    return Work.objects.filter(door=door, key=key, state="running", beat_at__gte=timezone.now() - STALE).exists()


def latest(door: str, key: str) -> Work | None:
    """The last time that somebody was at it, or is."""
    return Work.objects.filter(door=door, key=key).order_by("-pk").first()


def gave_way(door: str, key: str) -> bool:
    """Whether its last turn was over before it was done."""
    last = latest(door, key)
    return last is not None and last.message == GAVE_WAY


def resting(door: str, key: str) -> bool:
    """Whether it failed lately: each failure doubles the pause, from one minute up to an hour."""
    last = latest(door, key)
    if last is None or last.state != "failed" or last.ended_at is None:
        return False
    failures = Work.objects.filter(door=door, key=key, state="failed").count()
    pause = min(dt.timedelta(minutes=2 ** min(failures - 1, 10)), REST_LIMIT)
    return timezone.now() < last.ended_at + pause


def fresh_first(door: str, keys: Iterable[str], most: int) -> list[str]:
    """The first so many keys, those that failed within the longest pause behind the others: they hold up nobody."""
    since = timezone.now() - REST_LIMIT
    failed = set(Work.objects.filter(door=door, state="failed", ended_at__gt=since).values_list("key", flat=True))
    fresh: list[str] = []
    tired: list[str] = []
    for key in keys:
        (tired if key in failed else fresh).append(key)
        if len(fresh) == most:
            break
    return (fresh + tired)[:most]


def take_back(older_than: dt.timedelta = STALE) -> int:
    """Marks as interrupted what no living worker is at; returns how many."""
    now = timezone.now()
    return Work.objects.filter(state="running", beat_at__lt=now - older_than).update(
        state="interrupted", ended_at=now, message="The worker stopped; the work will be taken up again."
    )


def wake(door: str, key: str) -> None:
    """Forgets the failures of a piece of work, so that the next sweep tries it at once."""
    Work.objects.filter(door=door, key=key, state="failed").update(state="interrupted")


def lately() -> dt.datetime:
    """Since when failures are shown as news: a week."""
    return timezone.now() - dt.timedelta(days=7)
