"""People, what they are appointed to, and the tokens their programs use."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from portal.lifecycle import Role

if TYPE_CHECKING:
    from portal.models.fleet import Operator


class People(BaseUserManager["Person"]):
    """Makes people; an address is one person whatever its capitals."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        """A person who can sign in with `password`, or only after having set one."""
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Person:
        """An administrator."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. Names are public where the person signs; the address never is."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(unique=True)
    given_name = models.CharField(max_length=80, blank=True)
    family_name = models.CharField(max_length=80, blank=True)
    institution = models.CharField(max_length=200, blank=True)
    orcid = models.CharField("ORCID iD", max_length=19, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("may use the administration pages", default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[People] = People()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name_plural = "people"
        ordering = ["family_name", "given_name", "email"]
        constraints = [
            # One mailbox is one person: nobody gets a second account by writing the address in capitals.
            models.UniqueConstraint(Lower("email"), name="person_email_once"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email.partition("@")[0]

    def get_full_name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}".strip()

    def get_short_name(self) -> str:
        """The given name, or what stands before the @."""
        return self.given_name or str(self)


class Appointment(models.Model):
    """A role that does not depend on one cruise: data manager, QC expert, or operator of an operator's vessels."""

    ROLES = [(role.value, role.value) for role in (Role.DATA_MANAGER, Role.OPERATOR, Role.QC_EXPERT)]
    person = models.ForeignKey(Person, models.CASCADE, related_name="appointments")
    role = models.CharField(max_length=20, choices=ROLES)
    operator: models.ForeignKey[Operator | None, Operator | None] = models.ForeignKey(
        "portal.Operator", models.CASCADE, null=True, blank=True, related_name="appointments"
    )
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["person", "role"]
        constraints = [
            # An operator operates somebody's vessels; the other roles are the same for all vessels.
            models.CheckConstraint(
                condition=Q(role=Role.OPERATOR.value, operator__isnull=False)
                | (~Q(role=Role.OPERATOR.value) & Q(operator__isnull=True)),
                name="appointment_operator_has_vessels",
            ),
            # The same appointment is not made twice.
            models.UniqueConstraint("person", "role", "operator", name="appointment_once"),
            models.UniqueConstraint(
                "person", "role", condition=Q(operator__isnull=True), name="appointment_standing_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.role}" + (f" of {self.operator}" if self.operator else "")


class Token(models.Model):
    """An API token: only its hash is kept, it opens only its scopes, and it can be revoked."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, help_text="what will use it, as in: underway logger of the wet lab")
    scopes = models.JSONField(default=list)
    cruise = models.ForeignKey(
        "portal.Cruise",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="tokens",
        help_text="only for this cruise",
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # A token that ended before it began opens nothing and confuses everybody.
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="token_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class Invitation(models.Model):
    """A letter that lets somebody without an account make one and take up a role on a cruise; used once."""

    cruise = models.ForeignKey("portal.Cruise", models.CASCADE, related_name="invitations")
    party = models.ForeignKey("portal.Party", models.CASCADE, null=True, blank=True, related_name="invitations")
    email = models.EmailField()
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email} for {self.cruise}"
