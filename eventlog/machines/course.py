"""The course of one operation through its machine, and to which operation an event belongs. Pure.

Everything follows from the standing events in the order of their times, so that late and struck events need no care.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventlog.machines.kinds import BEGIN, Machine
from eventlog.machines.words import Reading, read

# The end said a second time within this time is the same end.
SAME_END = dt.timedelta(minutes=15)
# A beginning typed late is joined to an end that stands without one, up to this long after it.
LATE_BEGINNING = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Moment:
    """What of an event matters to its operation. Times are aware."""

    at: dt.datetime
    instrument: str
    action: str
    ended_at: dt.datetime | None = None
    cast: str = ""
    station: str = ""


@dataclass(slots=True)
class Course:
    """How far an operation has come. `first_at` and `last_at` are of any event, `started_at` of one that begins it."""

    machine: Machine
    state: str = BEGIN
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    is_open: bool = False
    cast: str = ""
    station: str = ""
    thing: Any = None
    past: list[tuple[dt.datetime, str]] = field(default_factory=list)

    @classmethod
    def of(cls, machine: Machine, moments: Iterable[Moment], device_class: str = "", thing: Any = None) -> Course:
        """The course of these moments, which are in the order of their times."""
        course = cls(machine, thing=thing)
        for moment in moments:
            course.take(moment, read(moment.instrument, moment.action, device_class))
        return course

    def take(self, moment: Moment, reading: Reading) -> None:
        """Goes on with the next moment."""
        self.first_at = self.first_at or moment.at
        self.last_at = max(self.last_at or moment.at, moment.ended_at or moment.at)
        self.cast = self.cast or moment.cast
        self.station = self.station or moment.station
        step = self.machine.step(reading.step.action) if reading.step else None
        if step is None:
            return
        # What was said to end before it began has not: the end is asked about, the beginning counts.
        began = self.state == BEGIN or (step.opens and self.started_at is None and not self.is_open)
        if step.opens and began:
            self.started_at, self.ended_at = moment.at, None
        if step.closes:
            if began or self.state in step.sources or self._again(step.target, moment.at):
                self.ended_at = max(moment.at, moment.ended_at or moment.at)
                self.state = self.state if self.state == "aborted" else step.target
                self.is_open = False
        elif began or self.state in step.sources:
            self.state, self.is_open = step.target, True
            if moment.ended_at is not None and step.opens:
                # An event with a duration that begins an operation is the whole of it.
                self.state, self.is_open, self.ended_at = "ended", False, moment.ended_at
        self.past.append((moment.at, self.state))

    def _again(self, target: str, at: dt.datetime) -> bool:
        if self.ended_at is None:
            return False
        if self.state == "aborted" and target == "recovered":
            return True
        return self.state == target and self._just_ended(at)

    def _just_ended(self, at: dt.datetime) -> bool:
        return self.ended_at is not None and at - self.ended_at <= SAME_END

    def begin(self) -> dt.datetime | None:
        """When it began, as far as that is known."""
        return self.started_at or self.first_at

    def state_at(self, at: dt.datetime) -> str:
        """The state at a moment."""
        return next((state for when, state in reversed(self.past) if when <= at), BEGIN)

    def runs_at(self, at: dt.datetime) -> bool:
        """Whether it had begun and not ended at a moment."""
        begin = self.begin()
        if begin is None or at < begin:
            return False
        return self.is_open or (self.ended_at is not None and at <= self.ended_at)

    def takes(self, reading: Reading, at: dt.datetime) -> bool:
        """Whether an event of this reading at this moment belongs to it rather than to another one."""
        step = reading.step
        if step is None:
            return self.runs_at(at)
        state = self.state_at(at)
        if self.runs_at(at):
            if state in step.sources and state != BEGIN:
                return True
            return not step.opens or step.soft
        if not step.closes:
            return False
        again = not step.opens and self._again(step.target, at)
        return again or (state in step.sources and self._just_ended(at))


def choose(reading: Reading, at: dt.datetime, courses: Sequence[Course]) -> Course | None:
    """The operation to which an event belongs, of those of its subject and kind; None: it begins one, or has none.

    `courses` may come in any order. An event that is no step belongs to what ran at its time. A step belongs to the
    last operation that had begun and can take it; a beginning, else, to the next one that stands without its own.
    """
    before, after = None, None
    for course in courses:
        begin = course.begin()
        if begin is None:
            continue
        if begin <= at:
            if before is None or begin >= (before.begin() or begin):
                before = course
        elif after is None or begin < (after.begin() or begin):
            after = course
    if before is not None and before.takes(reading, at):
        return before
    step = reading.step
    if step and step.opens and after is not None and after.started_at is None:
        begin = after.begin()
        if begin is not None and begin - at <= LATE_BEGINNING:
            return after
    return None
