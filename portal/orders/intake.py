"""Makes cruises of sailing orders, and amendments of changed ones; the same orders twice change nothing."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from portal import access, accounts, journal
from portal.access import Actor
from portal.lifecycle import CRUISE
from portal.models import (
    Award,
    Cruise,
    Instrument,
    Party,
    Person,
    Port,
    SailingOrders,
    Target,
    Vessel,
)
from portal.orders import document
from portal.orders.document import Change, Orders, PortCall
from portal.refusals import Fault, NotLikeThis, NotNow, NotYou


@dataclass(frozen=True, slots=True)
class Outcome:
    """What taking in orders led to: "created", "amended" or "unchanged"; what changed; what looks odd."""

    outcome: str
    cruise: Cruise
    number: int
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def submit_xml(data: bytes, *, by: Actor, source: str = "xml") -> Outcome:
    """Takes in orders written as our XML. Raises NotLikeThis with line and element of every fault."""
    orders = document.parse(data)
    try:
        return submit(orders, delivered=data, by=by, source=source)
    except NotLikeThis as refusal:
        raise NotLikeThis(refusal.reason, document.located(refusal.faults, data)) from None


def submit(orders: Orders, *, by: Actor, source: str, delivered: bytes | None = None) -> Outcome:
    """Creates the cruise of these orders or amends it.

    Raises NotYou for somebody who does not operate the vessel, NotNow once the record is approved, and NotLikeThis
    where the orders contradict what is registered.
    """
    if faults := document.check(orders):
        raise NotLikeThis("The sailing orders contradict themselves.", faults)
    orders = document.settled(orders)
    vessel = _vessel(orders)
    delivered = document.render(orders).encode() if delivered is None else delivered
    try:
        return _take_in(orders, vessel, delivered, by=by, source=source)
    except IntegrityError:
        # Two people sent the first orders of a cruise in the same moment: the second finds the first's cruise.
        return _take_in(orders, vessel, delivered, by=by, source=source)


@transaction.atomic
def _take_in(orders: Orders, vessel: Vessel, delivered: bytes, *, by: Actor, source: str) -> Outcome:
    cruise = Cruise.objects.select_for_update().filter(cruise_id__iexact=orders.id).first()
    warnings = _warnings(orders, vessel)
    if cruise is None:
        if not (access.is_office(by) or vessel.operator_id in access.operators_of(by)):
            raise NotYou(f"To submit sailing orders for {vessel} you must operate its vessels ({vessel.operator}).")
        cruise = Cruise.objects.create(
            cruise_id=orders.id, state=CRUISE.first, since=timezone.now(), **_fields(orders, vessel)
        )
        changes: list[Change] = []
        outcome, number, verb = "created", 1, "orders.submit"
    else:
        orders = replace(orders, id=cruise.cruise_id)  # whatever its capitals, it is this cruise
        access.require(by, "orders.amend", cruise)
        if not access.is_office(by) and vessel.operator_id != cruise.vessel.operator_id:
            raise NotYou(f"{cruise} sails on {cruise.vessel}; only the office can move it to another operator's ship.")
        latest = cruise.orders.order_by("-number").first()
        before = document.parse(latest.document.encode()) if latest else None
        if before is not None and document.digest(before) == document.digest(orders):
            return Outcome("unchanged", cruise, latest.number if latest else 0, (), tuple(warnings))
        _refuse_closed(cruise)
        changes = document.compare(before, orders) if before else []
        for name, value in _fields(orders, vessel).items():
            setattr(cruise, name, value)
        cruise.save()
        outcome, number, verb = "amended", (latest.number if latest else 0) + 1, "orders.amend"
    _people(cruise, orders)
    _lists(cruise, orders)
    SailingOrders.objects.create(
        cruise=cruise,
        number=number,
        source=source,
        delivered=delivered,
        sha256=hashlib.sha256(delivered).hexdigest(),
        document=document.render(orders),
        changes=[asdict(change) for change in changes],
        received_at=timezone.now(),
        received_by=by if isinstance(by, Person) else None,
        received_from=str(by),
    )
    journal.record(by, verb, cruise, changes={change.field: [change.before, change.after] for change in changes})
    return Outcome(outcome, cruise, number, tuple(changes), tuple(warnings))


def current(cruise: Cruise) -> Orders:
    """The orders in force. Raises NotNow for a cruise that never had any."""
    latest = cruise.orders.order_by("-number").first()
    if latest is None:
        raise NotNow(f"{cruise} has no sailing orders.")
    return document.parse(latest.document.encode())


def _refuse_closed(cruise: Cruise) -> None:
    if cruise.state == "cancelled":
        raise NotNow(f"{cruise} is cancelled; reinstate it before amending its orders.")
    if cruise.approved_at:
        raise NotNow(
            f"The record of {cruise} was approved on {cruise.approved_at:%Y-%m-%d}. "
            "Ask the data manager to open a new review before amending it."
        )


def _vessel(orders: Orders) -> Vessel:
    vessel = Vessel.objects.select_related("operator").filter(pk=orders.vessel_id).first()
    if vessel is None:
        known = ", ".join(f"{v.pk} {v.name}" for v in Vessel.objects.filter(is_active=True)[:40]) or "none yet"
        fault = Fault("vessel_id", f"{orders.vessel_id} is not registered here; registered: {known}")
        raise NotLikeThis("The sailing orders name an unknown vessel.", [fault])
    if orders.operator_id != vessel.operator_id:
        fault = Fault("operator_id", f"{vessel} is operated by {vessel.operator_id}, not by {orders.operator_id}")
        raise NotLikeThis("The sailing orders name the wrong operator.", [fault])
    return vessel


def _warnings(orders: Orders, vessel: Vessel) -> list[str]:
    found = []
    if vessel.cruise_prefix and not orders.id.upper().startswith(vessel.cruise_prefix.upper()):
        found.append(f"Cruise ids of {vessel} usually begin with {vessel.cruise_prefix}; this one is {orders.id}.")
    for call in (orders.depart_port, orders.arrive_port):
        port = Port.objects.filter(pk=call.port_id).first()
        if port is not None and port.name != call.port_name:
            found.append(f"Port {call.port_id} is registered as {port.name}; the orders say {call.port_name}.")
    return found


def _port(call: PortCall) -> Port:
    """The registered port; a new one is registered as the orders describe it."""
    port, _ = Port.objects.get_or_create(
        pk=call.port_id,
        defaults={
            "name": call.port_name,
            "country": call.country_id,
            "state": call.state_id,
            "latitude": call.latitude,
            "longitude": call.longitude,
        },
    )
    return port


def _fields(orders: Orders, vessel: Vessel) -> dict[str, Any]:
    return {
        "vessel": vessel,
        "title": orders.title,
        "summary": orders.summary,
        "kind": orders.type,
        "scheduler_id": orders.scheduler_id,
        "depart_date": orders.depart_date,
        "depart_port": _port(orders.depart_port),
        "arrive_date": orders.arrive_date,
        "arrive_port": _port(orders.arrive_port),
    }


def _people(cruise: Cruise, orders: Orders) -> None:
    """Brings the party up to the orders; accounts and the right to log stay with those who stay."""
    kept = []
    for member in orders.party:
        party, _ = Party.objects.update_or_create(
            cruise=cruise,
            family_name=member.family_name,
            given_name=member.given_name,
            role=member.role,
            defaults={"institution": member.institution, "email": member.email, "orcid": member.orcid},
        )
        accounts.link(party)
        kept.append(party.pk)
    cruise.parties.exclude(pk__in=kept).delete()


def _lists(cruise: Cruise, orders: Orders) -> None:
    """Awards, targets and instruments, as the orders list them."""
    cruise.awards.all().delete()
    Award.objects.bulk_create(Award(cruise=cruise, **asdict(grant)) for grant in orders.awards)
    cruise.targets.all().delete()
    Target.objects.bulk_create(Target(cruise=cruise, **asdict(target)) for target in orders.targets)
    cruise.instruments.all().delete()
    Instrument.objects.bulk_create(Instrument(cruise=cruise, **asdict(device)) for device in orders.instruments)
