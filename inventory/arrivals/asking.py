"""What people say about an arrival: receive this, receive it now, leave it out, look again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from inventory import paths, unpacking
from inventory.models import Arrival
from inventory.models.arrival import DROP
from inventory.staging import path_key
from inventory.states import ARRIVAL
from portal import access, journal
from portal.access import Actor
from portal.models import Cruise, Person
from portal.refusals import NotFound, NotLikeThis, NotNow


@transaction.atomic
def ask(*, cruise: Cruise, what: Path, source: str, by: Actor) -> Arrival:
    """Asks the worker to receive a directory, an archive or a manifest for a cruise, as this person.

    Raises NotYou; NotNow for a cruise that can deliver nothing and while another delivery of it is being received.
    """
    access.require(by, "distribution.receive", cruise)
    cruise = Cruise.objects.select_for_update(of=("self",)).select_related("vessel").get(pk=cruise.pk)
    if cruise.state == "cancelled":
        raise NotNow(f"{cruise} is cancelled: it can deliver nothing.")
    refuse_second(cruise)
    now = timezone.now()
    path = text_of(what)
    made = Arrival.objects.create(
        source=source,
        path=path,
        path_key=path_key(path),
        shape=shape_of(what),
        cruise=cruise,
        operator_id=cruise.vessel.operator_id,
        state=ARRIVAL.step(ARRIVAL.first, "arrival.complete"),
        since=now,
        seen_at=now,
        asked_by=by if isinstance(by, Person) else None,
    )
    journal.record(by, "arrival.ask", made, changes={"path": [None, made.shown]})
    return made


def refuse_second(cruise: Cruise) -> None:
    """Raises NotNow while a delivery of this cruise is being received."""
    other = Arrival.objects.filter(cruise=cruise, state="complete").first()
    if other is not None:
        raise NotNow(
            f"Another delivery of {cruise}, {other}, is being received since {other.since:%Y-%m-%d %H:%M} UTC. "
            "Wait until it is done, and look then whether this one is still needed."
        )


@transaction.atomic
def receive_now(*, arrival: Arrival, by: Actor, note: str = "") -> Arrival:
    """Has it received without more waiting, whatever else of the cruise is there; as this person.

    Raises NotFound, NotYou, NotNow, also while another delivery of the cruise is being received, and NotLikeThis
    where its cruise is not known.
    """
    arrival = _mine(arrival, "arrival.receive_now", by)
    if arrival.cruise is None:
        raise NotLikeThis(f"The cruise of {arrival} is not known. {arrival.reason}".strip())
    Cruise.objects.select_for_update(of=("self",)).get(pk=arrival.cruise.pk)
    state = ARRIVAL.step(arrival.state, "arrival.receive_now")
    refuse_second(arrival.cruise)
    asked_by = by if isinstance(by, Person) else None
    return change(arrival, "arrival.receive_now", by, state, note=note, asked_by=asked_by, reason="", faults=[])


@transaction.atomic
def leave_out(*, arrival: Arrival, by: Actor, note: str = "") -> Arrival:
    """Says that it is not to be received. Nothing is deleted. Raises NotFound, NotYou, NotNow."""
    arrival = _mine(arrival, "arrival.leave_out", by)
    state = ARRIVAL.step(arrival.state, "arrival.leave_out")
    return change(arrival, "arrival.leave_out", by, state, note=note, reason=note, due_at=None)


@transaction.atomic
def look_again(*, arrival: Arrival, by: Actor, note: str = "") -> Arrival:
    """Has what lies in a drop folder looked at anew, as if it were just seen. Raises NotFound, NotYou, NotNow."""
    arrival = _mine(arrival, "arrival.look_again", by)
    if arrival.source != DROP:
        raise NotNow(f"{arrival} is not watched. Have it received again instead.")
    state = ARRIVAL.step(arrival.state, "arrival.look_again")
    return change(
        arrival, "arrival.look_again", by, state, note=note, reason="", faults=[], due_at=None, mark="", looked_at=None
    )


def _mine(arrival: Arrival, verb: str, by: Actor) -> Arrival:
    found = locked(arrival.pk) if Arrival.objects.visible_to(by).filter(pk=arrival.pk).exists() else None
    if found is None:
        raise NotFound("There is no such arrival, or none that you may see.")
    access.require(by, verb, found.cruise)
    return found


def locked(pk: int) -> Arrival:
    """The arrival, its row locked for the transaction."""
    rows = Arrival.objects.select_for_update(of=("self",))
    return rows.select_related("cruise__vessel__operator", "operator", "asked_by", "distribution").get(pk=pk)


def change(arrival: Arrival, verb: str, by: Actor, state: str, *, note: str = "", **values: Any) -> Arrival:
    """Changes state and values of a locked arrival and writes the journal."""
    before, arrival.state, arrival.since = arrival.state, state, timezone.now()
    for name, value in values.items():
        setattr(arrival, name, value)
    arrival.save(update_fields=["state", "since", *values])
    journal.record(by, verb, arrival, note=note, changes={"state": [before, state]})
    return arrival


def text_of(place: Path) -> str:
    """A place on the disk as text that a database can hold."""
    return paths.of_system(place)


def shape_of(what: Path) -> str:
    """What it is by its look: directory, bag, archive or manifest."""
    if what.is_dir():
        return "bag" if (what / "bagit.txt").is_file() else "directory"
    return "archive" if unpacking.is_archive(what) else "manifest"
