"""The cruise itself: departs, ends, is cancelled or reinstated, becomes public, is closed to amendments."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal import access, journal
from portal.access import Actor
from portal.lifecycle import CRUISE
from portal.models import Cruise


def _change_state(cruise: Cruise, verb: str, by: Actor, note: str) -> Cruise:
    """Locks the cruise, asks the table and the roles, changes the state, writes the journal."""
    cruise = Cruise.objects.select_for_update().get(pk=cruise.pk)
    access.require(by, verb, cruise)
    before, cruise.state = cruise.state, CRUISE.step(cruise.state, verb)
    cruise.since = timezone.now()
    cruise.save(update_fields=["state", "since"])
    journal.record(by, verb, cruise, note=note, changes={"state": [before, cruise.state]})
    return cruise


@transaction.atomic
def depart(*, cruise: Cruise, by: Actor, note: str = "") -> Cruise:
    """The ship leaves. Raises NotNow unless the cruise is planned."""
    return _change_state(cruise, "cruise.depart", by, note)


@transaction.atomic
def end(*, cruise: Cruise, by: Actor, note: str = "") -> Cruise:
    """The ship is back. Raises NotNow for a cruise that is over or cancelled."""
    return _change_state(cruise, "cruise.end", by, note)


@transaction.atomic
def cancel(*, cruise: Cruise, by: Actor, note: str = "") -> Cruise:
    """The cruise does not take place. Raises NotNow once it has begun."""
    return _change_state(cruise, "cruise.cancel", by, note)


@transaction.atomic
def reinstate(*, cruise: Cruise, by: Actor, note: str = "") -> Cruise:
    """A cancelled cruise is planned again."""
    return _change_state(cruise, "cruise.reinstate", by, note)


def make_public(cruise: Cruise, *, by: Actor) -> None:
    """Lets everybody see the cruise, from now on for good. Called inside the verb that is the reason."""
    if Cruise.objects.filter(pk=cruise.pk, public_at__isnull=True).update(public_at=timezone.now()):
        journal.record(by, "cruise.make_public", cruise)


def approve_record(cruise: Cruise, *, by: Actor) -> None:
    """Closes the record to amendments. Called inside the verb that is the reason."""
    if Cruise.objects.filter(pk=cruise.pk, approved_at__isnull=True).update(approved_at=timezone.now()):
        journal.record(by, "cruise.close_to_amendments", cruise)


def reopen_record(cruise: Cruise, *, by: Actor) -> None:
    """Opens the record for amendments again. Called inside the verb that is the reason."""
    if Cruise.objects.filter(pk=cruise.pk, approved_at__isnull=False).update(approved_at=None):
        journal.record(by, "cruise.reopen_for_amendments", cruise)
