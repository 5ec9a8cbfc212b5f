"""Changing over on a shared tablet: a person's PIN, and the pass that a tablet gets for it.

A PIN has few digits, so only its slow hash is kept and guessing is slowed down; a pass holds for one tablet and log,
while the log is open, the PIN is the same and the person may log.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid as uuids
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.db import transaction
from django.utils import timezone

from eventlog.models import Log, Pin
from portal import access, journal
from portal.access import Actor
from portal.models import Person
from portal.refusals import Fault, NotFound, NotLikeThis, NotNow, NotYou

PIN = re.compile(r"\A[0-9]{4,8}\Z")
# After so many wrong PINs in a row it is locked for a minute, then for two, four … up to an hour.
MOST_FAILURES = 5
FIRST_LOCK, LONGEST_LOCK = dt.timedelta(seconds=60), dt.timedelta(hours=1)
SALT = "eventlog.changeover.pass"


@transaction.atomic
def set_pin(*, person: Person, pin: str, by: Actor) -> Pin:
    """Sets one's own PIN: 4 to 8 digits. Passes for the old one end. Raises NotYou, NotLikeThis."""
    if person != by and not access.is_system(by):
        raise NotYou("Everybody sets their own PIN. The chief scientist can remove one that was forgotten.")
    if not PIN.match(pin):
        raise NotLikeThis("The PIN is not accepted.", [Fault("pin", "needs 4 to 8 digits")])
    values = {"digest": make_password(pin), "set_at": timezone.now(), "failures": 0, "locked_until": None}
    made, _ = Pin.objects.update_or_create(person=person, defaults=values)
    return made


@transaction.atomic
def remove_pin(*, person: Person, log: Log, by: Actor) -> bool:
    """Removes the PIN of oneself, or of somebody who may log, by those who say who may; whether there was one.

    Raises NotYou for others, NotFound for somebody who has nothing to do with this log.
    """
    if person != by:
        access.require(by, "party.designate", log)
        if not access.may(person, "eventlog.record", log):
            raise NotFound(f"{person} does not log on {log.cruise}.")
    count, _ = Pin.objects.filter(person=person).delete()
    if count:
        journal.record(by, "eventlog.remove_pin", log, note=str(person))
    return bool(count)


def give_pass(*, log: Log, person: Person, pin: str, device: uuids.UUID, by: Actor) -> str:
    """The pass with which a tablet logs as this person. `by` has signed the tablet in.

    Raises NotYou where either may not log, NotNow for a log that is not open or a PIN that is locked, NotLikeThis for
    a wrong PIN.
    """
    access.require(by, "eventlog.record", log)
    access.require(person, "eventlog.record", log)
    if log.state != "open":
        raise NotNow(f"The {log} is {log.state}; nobody changes over in it.")
    found = _checked(person, pin)
    words = {"p": str(person.uuid), "d": str(device), "l": log.pk, "s": found.set_at.isoformat()}
    return signing.dumps(words, salt=SALT)


def person_of(token: str, *, log: Log, device: uuids.UUID | None, made_at: dt.datetime | None = None) -> Person:
    """The person of a pass. `made_at`: when the tablet used it, for what arrives after the log was closed.

    Raises NotYou, with what to do, for a pass that does not hold (any more).
    """
    try:
        words: Any = signing.loads(token, salt=SALT)
        uuid, tablet, log_id, set_at = (words[name] for name in "pdls")
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        raise NotYou("This pass is not one of ours. Type your PIN again.") from None
    if log_id != log.pk or tablet != str(device):
        raise NotYou("This pass is for another tablet or another log. Type your PIN again.")
    before = log.closed_at is not None and made_at is not None and made_at <= log.closed_at
    if log.state != "open" and not before:
        raise NotYou(f"The {log} is {log.state}; its passes have ended.")
    person = Person.objects.filter(uuid=uuid).select_related("pin").first()
    pin: Pin | None = getattr(person, "pin", None)
    if person is None or pin is None or pin.set_at.isoformat() != set_at:
        raise NotYou("The PIN was changed since. Type your new PIN.")
    access.require(person, "eventlog.record", log)
    return person


def _checked(person: Person, pin: str) -> Pin:
    """The person's PIN, if this is it. The attempt is counted before it is looked at, so that none is free."""
    with transaction.atomic():
        found = Pin.objects.select_for_update().filter(person=person).first()
        if found is None:
            raise NotNow(f"{person} has not set a PIN yet: sign in as yourself, and set one on the page of the log.")
        now = timezone.now()
        if found.locked_until and found.locked_until > now:
            wait = int((found.locked_until - now).total_seconds()) + 1
            raise NotNow(f"Too many wrong PINs for {person}: wait {wait} seconds.")
        found.failures = min(found.failures + 1, 1000)
        if found.failures >= MOST_FAILURES:
            longer: dt.timedelta = FIRST_LOCK * 2 ** min(found.failures - MOST_FAILURES, 10)
            found.locked_until = now + min(longer, LONGEST_LOCK)
        found.save(update_fields=["failures", "locked_until"])
    if not (PIN.match(pin) and check_password(pin, found.digest)):
        left = MOST_FAILURES - found.failures
        says = f"is wrong; {left} more attempts" if left > 0 else "is wrong, and locked now for a while"
        raise NotLikeThis("The PIN is not accepted.", [Fault("pin", says)])
    Pin.objects.filter(pk=found.pk, set_at=found.set_at).update(failures=0, locked_until=None)
    return found
