"""Opening the log at departure and closing it at the end."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from eventlog import buttons, gazetteer, ledger, redpen, seal, vocabulary
from eventlog.models import Log
from eventlog.states import LOG
from portal import access, journal, voyage
from portal.access import Actor
from portal.lifecycle import CRUISE
from portal.models import Cruise
from portal.refusals import Fault, NotLikeThis


def log_of(cruise: Cruise) -> Log:
    """The log of a cruise; one that was never opened is made, in its first state."""
    log, _ = Log.objects.get_or_create(cruise=cruise, defaults={"since": timezone.now()})
    return log


@transaction.atomic
def open_log(*, cruise: Cruise, by: Actor, note: str = "") -> Log:
    """Opens the log at departure: buttons from the instruments of the orders, its targets as planned stations."""
    log = ledger.locked(log_of(cruise))
    access.require(by, "eventlog.open", cruise)
    before, log.state = log.state, LOG.step(log.state, "eventlog.open")
    log.since = log.opened_at = timezone.now()
    log.save()
    changes = {"state": [before, log.state], "opened_at": [None, log.opened_at]}
    ledger.append(log, [ledger.about(log, "open", changes, note)], by=by)
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
    """Closes the log, makes its final copies with checksums and seals it; the ship is back.

    Raises NotYou, NotNow, and NotLikeThis where something is unfinished and a person says nothing of it in `note`.
    """
    log = ledger.locked(log_of(cruise))
    access.require(by, "eventlog.close", cruise)
    before, state = log.state, LOG.step(log.state, "eventlog.close")
    open_ends = [] if access.is_system(by) or note.strip() else redpen.unfinished(log)
    if open_ends:
        faults = [Fault("note", finding.sentence) for finding in open_ends[:50]]
        raise NotLikeThis(
            f"{len(open_ends)} things are unfinished. Finish them, or close the log with a note on why they stay so.",
            faults,
        )
    now = timezone.now()
    changes = {"state": [before, state], "closed_at": [None, now], "seals": [0, 1]}
    ledger.append(log, [ledger.about(log, "close", changes, note)], by=by)
    log.state, log.since, log.closed_at = state, now, now
    log.save()
    row = seal.seal(log, by=by)
    journal.record(by, "eventlog.close", log, note=note, changes={n: [None, d] for n, d in row.checksums.items()})
    cruise = Cruise.objects.get(pk=cruise.pk)
    if CRUISE.allows(cruise.state, "cruise.end"):
        voyage.end(cruise=cruise, by=by, note="the event log was closed")
    return log
