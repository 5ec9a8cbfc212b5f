"""The fleet: registering operators and their vessels, and appointing people."""

from __future__ import annotations

from django.db import transaction

from portal import access, journal
from portal.access import Actor
from portal.lifecycle import Role
from portal.models import Appointment, Operator, Person, Vessel
from portal.refusals import NotYou


def _office_only(by: Actor) -> None:
    if not access.is_office(by):
        raise NotYou("The fleet and its people are looked after by administrators and data managers.")


@transaction.atomic
def register(
    *, code: str, name: str, operator_id: str, operator_name: str, by: Actor, prefix: str = ""
) -> tuple[Vessel, bool]:
    """Registers a vessel and its operator or brings them up to date; says whether the vessel is new.

    Raises ValidationError for codes that are none, NotYou for anybody but the office.
    """
    _office_only(by)
    operator = Operator.objects.filter(pk=operator_id).first() or Operator(pk=operator_id)
    operator.name = operator_name
    operator.full_clean(validate_unique=False)
    operator.save()
    vessel = Vessel.objects.filter(pk=code).first()
    created = vessel is None
    vessel = vessel or Vessel(pk=code)
    before = {} if created else {"name": vessel.name, "operator": vessel.operator_id, "prefix": vessel.cruise_prefix}
    vessel.name, vessel.operator, vessel.cruise_prefix = name, operator, prefix
    vessel.full_clean(validate_unique=False)
    vessel.save()
    after = {"name": name, "operator": operator_id, "prefix": prefix}
    if before != after:
        journal.record(by, "vessel.register", vessel, changes={k: [before.get(k), v] for k, v in after.items()})
    return vessel, created


@transaction.atomic
def appoint(*, person: Person, role: Role, by: Actor, operator: Operator | None = None) -> Appointment:
    """Gives a person a standing role. The same appointment twice changes nothing."""
    _office_only(by)
    appointment, created = Appointment.objects.get_or_create(person=person, role=role.value, operator=operator)
    if created:
        journal.record(by, "person.appoint", appointment)
        access.forget(person)
    return appointment
