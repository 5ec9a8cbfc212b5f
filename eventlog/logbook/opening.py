"""Opening the log at departure and closing it at the end."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from eventlog import buttons, gazetteer, ledger, vocabulary
from eventlog.logbook.copies import final_copies
from eventlog.models import Log
from eventlog.states import LOG
from portal import access, journal, voyage
from portal.access import Actor
from portal.lifecycle import CRUISE
from portal.models import Cruise


def log_of(cruise: Cruise) -> Log:
    """The log of a cruise; one that was never opened is made, in its first state."""
    log, _ = Log.objects.get_or_create(cruise=cruise, defaults={"since": timezone.now()})
    return log


@transaction.atomic
def open_log(*, cruise: Cruise, by: Actor, note: str = "") -> Log:
    """Opens the log at departure: buttons from the instruments of the orders, its targets as planned stations."""
    log = ledger.locked(log_of(cruise))
    access.require(by, "eventlog.open", cruise)
    log.state = LOG.step(log.state, "eventlog.open")
    log.since = log.opened_at = timezone.now()
    log.save()
    vocabulary.stock()
    buttons.from_orders(log, by)
    gazetteer.plan(log, by)
    journal.record(by, "eventlog.open", log, note=note)
    cruise = Cruise.objects.get(pk=cruise.pk)
    if CRUISE.allows(cruise.state, "cruise.depart"):
        voyage.depart(cruise=cruise, by=by, note="the event log was opened")
    return log


@transaction.atomic
def close_log(*, cruise: Cruise, by: Actor, note: str = "") -> Log:
    """Closes the log and makes its final copies with checksums; the ship is back. Raises NotYou, NotNow."""
    log = ledger.locked(log_of(cruise))
    access.require(by, "eventlog.close", cruise)
    log.state = LOG.step(log.state, "eventlog.close")
    log.since = log.closed_at = timezone.now()
    log.save()
    copies = final_copies(log)
    journal.record(by, "eventlog.close", log, note=note, changes={c.name: [None, c.sha256] for c in copies})
    cruise = Cruise.objects.get(pk=cruise.pk)
    if CRUISE.allows(cruise.state, "cruise.end"):
        voyage.end(cruise=cruise, by=by, note="the event log was closed")
    return log
