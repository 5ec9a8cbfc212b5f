"""The machines themselves. Actions are the words of the R2R event logger; other spellings are in `words`. Pure.

An age in `expected` is what a long but ordinary operation takes; an older one is asked about, never ended by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BEGIN = ""  # the state before the first event
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """`action` leads from any of `sources` to `target`.

    `opens`: it may be the first. `closes`: the operation ends with it. `soft`: said while the operation runs, it
    belongs to it and does not begin another.
    """

    action: str
    sources: frozenset[str]
    target: str
    label: str
    opens: bool = False
    closes: bool = False
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """The life of one kind of operation.

    `expected`: how long a state lasts before somebody is asked, by state. `counts`: each is a cast with a number.
    `on_station`: the ship stays, so that station and transect hold for all its events. `resting`: states in which
    gear is left alone on purpose, so that the operation is not unfinished.
    """

    kind: str
    name: str
    steps: tuple[Step, ...]
    expected: Mapping[str, dt.timedelta] = field(default_factory=dict)
    counts: bool = False
    on_station: bool = False
    resting: frozenset[str] = frozenset()

    def step(self, action: str) -> Step | None:
        """The step of an action in its own spelling; None when the action is none of this machine."""
        return next((step for step in self.steps if step.action == action), None)

    def next(self, state: str) -> list[Step]:
        """What can be done in a state, the likeliest first: that one is the lit button."""
        if state == BEGIN:
            return [step for step in self.steps if step.opens]
        return [step for step in self.steps if state in step.sources and step.target != state]

    @property
    def states(self) -> frozenset[str]:
        """Every state that an operation of this kind can be in."""
        return frozenset(step.target for step in self.steps)

    @property
    def ends(self) -> frozenset[str]:
        """The states in which it is over."""
        return frozenset(step.target for step in self.steps if step.closes)


def _step(action: str, sources: Iterable[str], target: str, label: str, **marks: bool) -> Step:
    return Step(action, frozenset(sources), target, label, **marks)


def _abort(*sources: str) -> Step:
    return _step("abort", sources, "aborted", "Abort", closes=True)


def _recover(*sources: str) -> Step:
    # What was aborted must still come on deck: the operation then ends there, and stays aborted.
    return _step("recover", sources, "recovered", "Recover", closes=True)


_ALL = [
    Machine(
        "ctd",
        "CTD cast",
        (
            _step("deploy", (BEGIN, "running"), "in water", "Deploy", opens=True),
            _step("maxDepth", ("in water", "at depth"), "at depth", "At depth"),
            _recover("in water", "at depth", "running"),
            _abort("in water", "at depth", "running"),
            # Some logs note the recording of data as well; it begins a cast where nobody says that it was deployed.
            _step("start", (BEGIN,), "running", "Start", opens=True, soft=True),
            _step("stop", ("running",), "ended", "Stop", closes=True),
        ),
        # A cast to 6,000 m takes 4 to 5 hours at the usual 60 m/min with stops for bottles.
        {"in water": 6 * HOUR, "at depth": 5 * HOUR, "running": 6 * HOUR},
        counts=True,
        on_station=True,
    ),
    Machine(
        "net",
        "net tow",
        (
            _step("deploy", (BEGIN, "running"), "in water", "Deploy", opens=True),
            _step("stopSample", ("sampling",), "in water", "Stop sample"),
            _recover("in water", "sampling", "at depth", "running"),
            _step("startSample", ("in water", "at depth"), "sampling", "Start sample"),
            _step("maxDepth", ("in water", "sampling", "at depth"), "at depth", "At depth"),
            _abort("in water", "sampling", "at depth", "running"),
            _step("start", (BEGIN,), "running", "Start", opens=True, soft=True),
            _step("stop", ("running",), "ended", "Stop", closes=True),
        ),
        # The longest ordinary tows are those of multiple nets from 1,000 m and of bottom trawls.
        {"in water": 6 * HOUR, "sampling": 6 * HOUR, "at depth": 6 * HOUR, "running": 6 * HOUR},
        counts=True,
        on_station=True,
    ),
    Machine(
        "core",
        "corer or grab",
        (
            _step("deploy", (BEGIN,), "in water", "Deploy", opens=True),
            _step("maxDepth", ("in water", "at depth"), "at depth", "At bottom"),
            _recover("in water", "at depth"),
            _abort("in water", "at depth"),
        ),
        {"in water": 6 * HOUR, "at depth": 4 * HOUR},
        counts=True,
        on_station=True,
    ),
    Machine(
        "dive",
        "dive",
        (
            _step("deploy", (BEGIN, "running"), "in water", "Launch", opens=True),
            _step("onBottom", ("in water", "ascending"), "on bottom", "On bottom"),
            _step("offBottom", ("on bottom",), "ascending", "Off bottom"),
            _recover("in water", "on bottom", "ascending", "running"),
            _abort("in water", "on bottom", "ascending", "running"),
            _step("start", (BEGIN,), "running", "Start", opens=True, soft=True),
            _step("stop", ("running",), "ended", "Stop", closes=True),
        ),
        # Vehicles on a cable stay down for days; those with a battery for about one.
        {"in water": 24 * HOUR, "on bottom": 72 * HOUR, "ascending": 8 * HOUR, "running": 72 * HOUR},
        counts=True,
    ),
    Machine(
        "tow",
        "towed body",
        (
            _step("deploy", (BEGIN,), "in water", "Deploy", opens=True),
            _recover("in water", "running", "at depth"),
            _step("start", (BEGIN, "in water"), "running", "Start", opens=True, soft=True),
            _step("maxDepth", ("in water", "running", "at depth"), "at depth", "At depth"),
            _step("stop", ("running",), "ended", "Stop", closes=True),
            _abort("in water", "running", "at depth"),
        ),
        {"in water": 48 * HOUR, "running": 48 * HOUR, "at depth": 48 * HOUR},
        counts=True,
    ),
    Machine(
        "mooring",
        "mooring",
        (
            _step("deploy", (BEGIN,), "deployed", "Deploy", opens=True),
            # Its deployment may be in the log of another cruise.
            _step("release", (BEGIN, "deployed"), "released", "Release", opens=True),
            _step("recover", (BEGIN, "deployed", "released"), "recovered", "Recover", opens=True, closes=True),
            _abort("deployed", "released"),
        ),
        # From the release to the last float on deck; a deployed mooring is left alone.
        {"released": 12 * HOUR},
        on_station=True,
        resting=frozenset({"deployed"}),
    ),
    Machine(
        "float",
        "float or drifter",
        (_step("deploy", (BEGIN,), "deployed", "Deploy", opens=True, closes=True),),
        counts=True,
    ),
    Machine(
        "instant",
        "expendable probe",
        (
            _step("deploy", (BEGIN,), "done", "Launch", opens=True, closes=True),
            _step("start", (BEGIN,), "done", "Launch", opens=True, closes=True),
            _step("abort", (BEGIN, "done"), "aborted", "Failed", opens=True, closes=True),
            _step("stop", ("done",), "done", "Stop", closes=True),
        ),
        counts=True,
    ),
    Machine(
        "line",
        "line",
        (
            _step("startLine", (BEGIN,), "on line", "Start line", opens=True),
            _step("endLine", ("on line",), "ended", "End line", closes=True),
            _abort("on line"),
        ),
        {"on line": 48 * HOUR},
    ),
    Machine(
        "station",
        "station",
        (
            _step("arriveStation", (BEGIN,), "on station", "Arrive", opens=True),
            _step("leaveStation", ("on station",), "left", "Leave station", closes=True),
        ),
        {"on station": 48 * HOUR},
        on_station=True,
    ),
    Machine(
        "cruise",
        "cruise",
        (
            _step("startCruise", (BEGIN,), "under way", "Start cruise", opens=True),
            _step("endCruise", ("under way",), "ended", "End cruise", closes=True),
        ),
    ),
    Machine(
        "run",
        "run",
        (
            # Both pairs: nobody knows yet what this instrument is, so either may be said of it.
            _step("start", (BEGIN, "in water"), "running", "Start", opens=True),
            _step("stop", ("running", "in water"), "ended", "Stop", closes=True),
            _step("deploy", (BEGIN,), "in water", "Deploy", opens=True),
            _recover("in water", "running"),
            _step("release", ("in water",), "ended", "Release", closes=True),
            _abort("running", "in water"),
        ),
        # Underway systems run for the whole cruise by design: no age is asked about.
    ),
]
MACHINES: Mapping[str, Machine] = {machine.kind: machine for machine in _ALL}

# Buttons of the log page for an instrument of a device class, most used first.
BUTTONS: Mapping[str, tuple[str, ...]] = {
    "ctd": ("deploy", "maxDepth", "recover", "abort"),
    "net": ("deploy", "recover", "abort"),
    "core": ("deploy", "maxDepth", "recover", "abort"),
    "dive": ("deploy", "onBottom", "offBottom", "recover", "abort"),
    "tow": ("deploy", "recover", "abort"),
    "mooring": ("deploy", "release", "recover"),
    "float": ("deploy",),
    "instant": ("deploy", "abort"),
    "line": ("startLine", "endLine"),
    "multibeam": ("start", "stop", "service"),
    "adcp": ("start", "stop"),
    "xbt": ("deploy",),
    "winch": ("start", "stop"),
    "ship": ("startCruise", "endCruise", "arriveStation", "leaveStation", "startLine", "endLine"),
}
OTHER_BUTTONS = ("start", "stop", "other")
