"""State tables: which verb leads from which state to which, and who may say it. Pure.

`docs/states.md` is generated from the tables; a verb asks its table and gets the new state or a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.refusals import NotNow


class Role(StrEnum):
    """What a person is to the system or to one cruise."""

    ADMINISTRATOR = "administrator"
    DATA_MANAGER = "data manager"
    OPERATOR = "operator"
    CHIEF_SCIENTIST = "chief scientist"
    SCIENCE_STAFF = "science staff"
    QC_EXPERT = "QC expert"
    PUBLIC = "public"


OFFICE = frozenset({Role.ADMINISTRATOR, Role.DATA_MANAGER})
EVERYONE = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Step:
    """`verb` leads from any of `sources` to `target`; people in `who` may say it (nobody: only the system)."""

    verb: str
    sources: frozenset[str]
    target: str
    who: frozenset[Role]


_tables: dict[str, Table] = {}


def tables() -> list[Table]:
    """Every state table that was made, in the order of their making."""
    return list(_tables.values())


class Table:
    """The life of one kind of thing: its states, each with a sentence, and its steps."""

    def __init__(self, thing: str, states: Mapping[str, str], steps: Iterable[Step]) -> None:
        self.thing = thing
        self.states = dict(states)
        self.steps = {step.verb: step for step in steps}
        _tables[thing] = self
        for step in self.steps.values():
            unknown = (step.sources | {step.target}) - set(self.states)
            if unknown:
                raise ValueError(f"{step.verb}: no such state: {', '.join(sorted(unknown))}")

    @property
    def first(self) -> str:
        """The state in which a thing begins."""
        return next(iter(self.states))

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(stored, shown) pairs for a model field."""
        return [(state, state) for state in self.states]

    def allows(self, state: str, verb: str) -> bool:
        """Whether `verb` is possible in `state`."""
        return state in self.steps[verb].sources

    def step(self, state: str, verb: str) -> str:
        """The state that `verb` leads to from `state`. Raises NotNow, naming the states where it is possible."""
        step = self.steps[verb]
        if state not in step.sources:
            possible = " or ".join(sorted(step.sources))
            raise NotNow(
                f"The {self.thing} is {state!r} ({self.states[state]}). "
                f"To {verb.partition('.')[2].replace('_', ' ')} it must be {possible!r}."
            )
        return step.target


def step(verb: str, sources: str | Iterable[str], target: str, who: Iterable[Role] = ()) -> Step:
    """A Step, with one source or several."""
    return Step(verb, frozenset([sources] if isinstance(sources, str) else sources), target, frozenset(who))


CRUISE = Table(
    "cruise",
    {
        "planned": "the sailing orders are in, the ship has not left",
        "at sea": "the event log is open",
        "ended": "the ship is back and the log is closed",
        "cancelled": "the cruise did not take place",
    },
    [
        step("cruise.depart", "planned", "at sea", {Role.OPERATOR, *OFFICE}),
        step("cruise.end", ("planned", "at sea"), "ended", {Role.OPERATOR, *OFFICE}),
        step("cruise.cancel", "planned", "cancelled", {Role.OPERATOR, *OFFICE}),
        step("cruise.reinstate", "cancelled", "planned", {Role.OPERATOR, *OFFICE}),
    ],
)
