"""Accounts: linking people to parties, designating who may log, inviting those who have no account yet."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from portal import access, journal, mail
from portal.access import Actor
from portal.demo.people import DOMAIN
from portal.models import Cruise, Invitation, Party, Person
from portal.refusals import Fault, NotFound, NotLikeThis, NotNow

INVITATION_DAYS = 60


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's account rules, with sign-up closed unless the settings open it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Demonstration accounts open nothing in production, whatever database it was started on."""
        email = str(credentials.get("email") or credentials.get("username") or "").lower()
        if settings.MODE == "production" and email.endswith(f"@{DOMAIN}"):
            return None
        return super().authenticate(request, **credentials)

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There is no user name; the address is the name."""


def verified_person(email: str) -> Person | None:
    """The active person who has proved to read this mailbox, or None."""
    if not email:
        return None
    address = EmailAddress.objects.filter(email__iexact=email, verified=True, user__is_active=True).first()
    return address.user if address else None


def link(party: Party) -> bool:
    """Gives a member of a party the account of the same verified address; says whether it did."""
    if party.person_id is None and (person := verified_person(party.email)):
        if Party.objects.filter(cruise=party.cruise, person=person, role=party.role).exists():
            return False
        party.person = person
        party.save(update_fields=["person"])
        return True
    return False


@transaction.atomic
def designate(*, party: Party, may_log: bool, by: Actor, note: str = "") -> Party:
    """Says that a member of the party may log events, or may no longer. Raises NotYou."""
    party = Party.objects.select_for_update().select_related("cruise__vessel").get(pk=party.pk)
    access.require(by, "party.designate", party)
    if party.may_log != may_log:
        party.may_log = may_log
        party.save(update_fields=["may_log"])
        journal.record(by, "party.designate", party, note=note, changes={"may_log": [not may_log, may_log]})
    return party


def verify_address(person: Person) -> None:
    """Notes that the person's mailbox is theirs, as an administrator or an accepted invitation tells."""
    EmailAddress.objects.update_or_create(user=person, email=person.email, defaults={"verified": True, "primary": True})


@transaction.atomic
def invite(*, cruise: Cruise, email: str, subject: str, text: str, key: str, party: Party | None = None) -> None:
    """Writes a letter about a cruise; somebody without an account gets a link to make one.

    `key` says what the letter is about: a letter with the same key is not written twice.
    """
    page = settings.SITE_URL + reverse("cruise", args=[cruise.cruise_id])
    if verified_person(email):
        mail.write(to=email, subject=subject, body=f"{text}\n\n{page}\n", key=key, cruise=cruise)
        return
    if mail.written(key):
        return
    secret = secrets.token_urlsafe(32)
    Invitation.objects.create(
        cruise=cruise,
        party=party,
        email=email.lower(),
        digest=_digest(secret),
        expires_at=timezone.now() + dt.timedelta(days=INVITATION_DAYS),
    )
    accept = settings.SITE_URL + reverse("invitation", args=[secret])
    body = (
        f"{text}\n\nYou do not have an account yet. Make one with this link, which is yours alone and works for "
        f"{INVITATION_DAYS} days:\n\n{accept}\n"
    )
    mail.write(to=email, subject=subject, body=body, key=key, cruise=cruise)


def invitation(secret: str) -> Invitation:
    """The open invitation of a link. Raises NotFound, or NotNow when it was used or is too old."""
    found = Invitation.objects.select_related("cruise", "party").filter(digest=_digest(secret)).first()
    if found is None:
        raise NotFound("There is no such invitation. Check that the whole link was copied.")
    if found.accepted_at:
        raise NotNow("This invitation has been used. Sign in with the account you made.")
    if found.expires_at < timezone.now():
        raise NotNow("This invitation is too old. Ask the data manager for a new one.")
    return found


@transaction.atomic
def accept(*, secret: str, given_name: str, family_name: str, password: str) -> Person:
    """Makes the account that an invitation offers and links it to the party.

    Raises NotLikeThis for a weak password, and what `invitation` raises.
    """
    found = Invitation.objects.select_for_update().get(pk=invitation(secret).pk)
    if found.accepted_at:
        raise NotNow("This invitation has just been used.")
    person = Person(email=found.email, given_name=given_name, family_name=family_name)
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise NotLikeThis("The password is too weak.", [Fault("password", text) for text in error.messages]) from error
    known = Person.objects.filter(email__iexact=found.email).first()
    if known is not None and known.has_usable_password():
        raise NotNow("There is an account with this address already. Sign in, and prove the address if asked.")
    if known is None:
        person = Person.objects.create_user(found.email, password, given_name=given_name, family_name=family_name)
    else:
        person = known
        person.given_name, person.family_name = given_name, family_name
        person.set_password(password)
        person.save()
    verify_address(person)
    found.accepted_at = timezone.now()
    found.save(update_fields=["accepted_at"])
    for party in Party.objects.filter(email__iexact=found.email, person__isnull=True):
        link(party)
    journal.record(person, "invitation.accept", found.cruise)
    return person


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
