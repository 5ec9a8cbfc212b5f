"""The door behind which arrivals are received: one of each cruise at a time, with progress; its end is kept."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from inventory import intake
from inventory.arrivals import layout
from inventory.arrivals.asking import change, locked
from inventory.models import Arrival
from inventory.models.arrival import DROP
from inventory.states import ARRIVAL
from portal import mail
from portal.access import WORKER, Actor, System
from portal.models import Appointment
from portal.refusals import NotLikeThis, Refusal
from portal.work import Progress

DOOR = "inventory.receive"
MOST_TOLD = 50


def waiting() -> list[str]:
    """Arrivals that are complete and not received yet."""
    return [str(pk) for pk in Arrival.objects.filter(state="complete").order_by("since").values_list("pk", flat=True)]


def run(key: str, progress: Progress) -> None:
    """Receives one arrival as the person who asked for it, else as its operator; may be called again.

    A refusal is kept on the arrival, with the lines, until somebody has read it; the next sweep does not try again.
    """
    arrival = Arrival.objects.select_related("cruise__vessel", "asked_by", "operator").get(pk=int(key))
    if arrival.state != "complete" or arrival.cruise is None:
        return
    progress.describe(f"Receiving {arrival}", arrival.cruise)

    def told(what: str, more: int) -> None:
        if progress.row.unit != what[:20]:
            progress.describe(f"Receiving {arrival}", arrival.cruise, unit=what[:20], before=0)
        progress.advance(more)

    try:
        aside = _aside(arrival)
        receipt = intake.take(cruise=arrival.cruise, what=arrival.place, by=_as_whom(arrival), aside=aside, told=told)
    except Refusal as refusal:
        refuse(arrival, refusal)
        progress.note(refusal.reason)
    else:
        _accept(arrival, receipt)
        progress.note(f"{receipt.distribution}: {receipt.outcome}")


def _aside(arrival: Arrival) -> frozenset[str]:
    """What in it is no part of it. Raises NotLikeThis for what was put in the place of a delivery meanwhile."""
    if arrival.source != DROP:
        return frozenset()
    drop = settings.DROP_FOLDER
    if drop is None or not layout.reached(drop, arrival.place):
        raise NotLikeThis("It lies in the drop folder no more, or is reached through a link, which is not followed.")
    return frozenset({layout.MARKER})


def _as_whom(arrival: Arrival) -> Actor:
    return arrival.asked_by or System(f"delivery of {arrival.operator}")


@transaction.atomic
def _accept(arrival: Arrival, receipt: intake.Receipt) -> None:
    arrival = locked(arrival.pk)
    if arrival.state != "complete":  # another worker was quicker
        return
    state = ARRIVAL.step(arrival.state, "arrival.accept")
    change(
        arrival,
        "arrival.accept",
        WORKER,
        state,
        note=receipt.outcome,
        distribution=receipt.distribution,
        remarks=list(receipt.remarks[:MOST_TOLD]),
        reason="",
        faults=[],
    )


@transaction.atomic
def refuse(arrival: Arrival, refusal: Refusal) -> None:
    """Keeps why it was not taken in, and writes to those who can mend it."""
    arrival = locked(arrival.pk)
    if not ARRIVAL.allows(arrival.state, "arrival.refuse"):
        return
    faults = [str(fault) for fault in refusal.faults[:MOST_TOLD]] if isinstance(refusal, NotLikeThis) else []
    reason = refusal.reason.replace(str(arrival.place), arrival.shown)  # who sends to the drop folder knows no more
    state = ARRIVAL.step(arrival.state, "arrival.refuse")
    change(arrival, "arrival.refuse", WORKER, state, note=reason, reason=reason, faults=faults)
    write(arrival, f"{arrival} was not received", "\n".join([reason, *(f"  {fault}" for fault in faults)]))


def write(arrival: Arrival, subject: str, text: str) -> None:
    """A letter to the operator's people and to who asked: what is with this arrival, once for each time it happens."""
    held = Appointment.objects.filter(operator=arrival.operator, operator__isnull=False, person__is_active=True)
    to = set(held.values_list("person__email", flat=True))
    if arrival.asked_by is not None:
        to.add(arrival.asked_by.email)
    page = settings.SITE_URL + reverse("arrival", args=[arrival.uuid])
    for email in sorted(filter(None, to)):
        key = f"arrival-{arrival.uuid.hex}-{arrival.since.timestamp():.0f}-{email}"
        mail.write(to=email, subject=subject, body=f"{text}\n\n{page}\n", key=key, cruise=arrival.cruise)
