"""Roles and the one question: may(actor, verb, thing)?

A verb's name, as in "eventlog.open", is the same in the state table, here, and in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from django.contrib.auth.models import AnonymousUser

from portal.lifecycle import CRUISE, EVERYONE, OFFICE, Role, Table
from portal.refusals import NotYou

if TYPE_CHECKING:
    from portal.models import Cruise, Person


@dataclass(frozen=True, slots=True)
class System:
    """The machine itself, or somebody at its console: a command, a worker. It may everything and is named."""

    name: str = "Leadline"

    def __str__(self) -> str:
        return self.name


Actor: TypeAlias = "Person | AnonymousUser | System"


class OfCruise(Protocol):
    """Whatever belongs to a cruise."""

    @property
    def cruise(self) -> Any: ...


CONSOLE = System("command line")
WORKER = System("worker")
_rights: dict[str, frozenset[Role]] = {}


def grant(verb: str, who: Iterable[Role]) -> None:
    """Says who may say `verb`. A verb is granted once."""
    if verb in _rights:
        raise ValueError(f"{verb} is granted twice")
    _rights[verb] = frozenset(who)


def grant_table(table: Table) -> None:
    """Grants every verb of a state table to the roles named in it."""
    for step in table.steps.values():
        grant(step.verb, step.who)


def rights() -> dict[str, frozenset[Role]]:
    """All verbs and who may say them."""
    return dict(_rights)


def is_system(actor: Actor) -> bool:
    """Whether it is the machine itself."""
    return isinstance(actor, System)


def is_office(actor: Actor) -> bool:
    """Whether the actor is the system, an administrator or a data manager: those who see everything."""
    return is_system(actor) or bool(standing_roles(actor) & OFFICE)


def standing_roles(actor: Actor) -> frozenset[Role]:
    """The roles that do not depend on a cruise. Operators are told by `roles`."""
    if isinstance(actor, System):
        return EVERYONE
    if not actor.is_authenticated or not actor.is_active:
        return frozenset({Role.PUBLIC})
    found = {Role.PUBLIC}
    if actor.is_superuser:
        found.add(Role.ADMINISTRATOR)
    found |= {Role(appointment.role) for appointment in _appointments(actor)}
    return frozenset(found - {Role.OPERATOR})


def remember(actor: Actor) -> None:
    """From now on this very object reads only once what it is aboard a cruise; for the length of one request."""
    if not isinstance(actor, System):
        actor.__dict__.setdefault("_leadline_aboard", {})


def roles(actor: Actor, cruise: Cruise) -> frozenset[Role]:
    """What the actor is to this cruise."""
    return _ashore(actor, cruise) | _aboard(actor, cruise)


def _ashore(actor: Actor, cruise: Cruise) -> frozenset[Role]:
    """What the actor is to this cruise by appointments."""
    found = standing_roles(actor)
    return found | {Role.OPERATOR} if cruise.vessel.operator_id in operators_of(actor) else found


def _aboard(actor: Any, cruise: Cruise) -> frozenset[Role]:
    """What the actor is to this cruise by its party."""
    if isinstance(actor, System) or not (actor.is_authenticated and actor.is_active):
        return frozenset()
    memory: dict[Any, frozenset[Role]] = getattr(actor, "_leadline_aboard", {})
    if cruise.pk not in memory:
        found: set[Role] = set()
        for party in cruise.parties.filter(person=actor.pk):
            if party.role in ("scientist_chief", "scientist_co-chief"):
                found |= {Role.CHIEF_SCIENTIST, Role.SCIENCE_STAFF}
            if party.may_log:
                found.add(Role.SCIENCE_STAFF)
        memory[cruise.pk] = frozenset(found)
    return memory[cruise.pk]


def operators_of(actor: Actor) -> frozenset[str]:
    """Ids of the operators whose vessels the actor operates."""
    if isinstance(actor, System) or not (actor.is_authenticated and actor.is_active):
        return frozenset()
    return frozenset(a.operator_id for a in _appointments(actor) if a.role == Role.OPERATOR and a.operator_id)


def forget(person: Any) -> None:
    """Drops what is remembered of a person's appointments, after one was made or taken back."""
    person.__dict__.pop("_leadline_appointments", None)


def _appointments(person: Any) -> list[Any]:
    """The person's appointments, read once for each object in memory."""
    if not hasattr(person, "_leadline_appointments"):
        person._leadline_appointments = list(person.appointments.all())
    found: list[Any] = person._leadline_appointments
    return found


def may(actor: Actor, verb: str, thing: OfCruise | None = None) -> bool:
    """Whether the actor may say `verb` about `thing` (a cruise, or what belongs to one; none: a verb without one)."""
    if isinstance(actor, System):
        return True
    who = _rights[verb]
    if thing is None:
        held = standing_roles(actor) | ({Role.OPERATOR} if operators_of(actor) else set())
    else:  # appointments are looked up only where the party does not tell already
        held = who & _aboard(actor, thing.cruise) or _ashore(actor, thing.cruise)
    return bool(who & held)


def require(actor: Actor, verb: str, thing: OfCruise | None = None) -> None:
    """Raises NotYou, naming who may, unless the actor may say `verb` about `thing`."""
    if may(actor, verb, thing):
        return
    who = ", ".join(sorted(_rights[verb])) or "the system itself"
    about = f" for cruise {thing.cruise}" if thing is not None else ""
    raise NotYou(f"To {verb.partition('.')[2].replace('_', ' ')}{about} takes the role: {who}.")


grant_table(CRUISE)
grant("orders.submit", {Role.OPERATOR, *OFFICE})
grant("orders.amend", {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE})
grant("party.designate", {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE})
grant("party.see_private", {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE})
grant("journal.read", {Role.OPERATOR, Role.CHIEF_SCIENTIST, Role.SCIENCE_STAFF, Role.QC_EXPERT, *OFFICE})
grant("token.issue", {Role.OPERATOR, Role.CHIEF_SCIENTIST, Role.SCIENCE_STAFF, *OFFICE})
grant("work.watch", {Role.OPERATOR, *OFFICE})
