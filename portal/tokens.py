"""API tokens: issued once in clear, kept as a hash, limited to scopes, revocable."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from portal import access, journal
from portal.access import Actor
from portal.models import Cruise, Person, Token
from portal.refusals import Fault, NotLikeThis, NotYou

# What a token can be allowed to do, beyond reading what everybody may read.
SCOPES = {
    "read": "read what its owner may see",
    "events:write": "record and revise events in the log",
    "navigation:write": "send navigation of the ship: NMEA lines or fixes",
    "archive:fetch": "fetch staged bags",
    "archive:accession": "tell that an archive has accessioned a data set",
}
PREFIX = "ll_"
_LAST_USE_STEP = dt.timedelta(minutes=1)


@transaction.atomic
def issue(
    *,
    person: Person,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    cruise: Cruise | None = None,
    expires_at: dt.datetime | None = None,
) -> tuple[Token, str]:
    """A new token and its secret, which is shown this once.

    Raises NotYou for a token in somebody else's name or for archives without the office, NotLikeThis for bad scopes.
    """
    wanted = sorted(set(scopes))
    if not wanted or (unknown := set(wanted) - set(SCOPES)):
        words = ", ".join(sorted(unknown)) if wanted else "none"
        raise NotLikeThis("The token needs scopes that exist.", [Fault("scopes", f"unknown or missing: {words}")])
    if not access.is_system(by):
        if person != by and not access.is_office(by):
            raise NotYou("A token acts in its owner's name; only the office issues one for somebody else.")
        if any(scope.startswith("archive:") for scope in wanted) and not access.is_office(by):
            raise NotYou("Tokens for archives are issued by a data manager.")
        if not access.is_office(by):
            access.require(by, "token.issue", cruise)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        person=person,
        name=name,
        scopes=wanted,
        cruise=cruise,
        digest=digest(secret),
        hint=secret[:8],
        expires_at=expires_at,
    )
    journal.record(by, "token.issue", token, changes={"scopes": wanted, "for": str(person)})
    return token, secret


@transaction.atomic
def revoke(*, token: Token, by: Actor, note: str = "") -> Token:
    """Closes a token for good. Its owner and the office may; one for a cruise also who designates people there."""
    answers = token.cruise is not None and access.may(by, "party.designate", token.cruise)
    if not access.is_office(by) and token.person != by and not answers:
        raise NotYou("Only its owner, who answers for its cruise, or a data manager can revoke a token.")
    token = Token.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        journal.record(by, "token.revoke", token, note=note)
    return token


def find(secret: str, now: dt.datetime) -> Token | None:
    """The live token of this secret, its last use noted to the minute; None when it opens nothing."""
    token = Token.objects.select_related("person", "cruise").filter(digest=digest(secret)).first()
    if token is None or not token.is_live(now) or not token.person.is_active:
        return None
    if token.last_used_at is None or now - token.last_used_at > _LAST_USE_STEP:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def digest(secret: str) -> str:
    """SHA-256: the secret has 256 random bits, so a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode()).hexdigest()
