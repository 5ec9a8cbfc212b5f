"""The cruise and what its sailing orders say of it: people, awards, targets, instruments."""

from __future__ import annotations

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from portal import access
from portal.access import Actor
from portal.lifecycle import CRUISE, Role
from portal.models.fleet import LATITUDE, LONGITUDE, Port, Vessel
from portal.models.people import Person

CRUISE_ID = RegexValidator(r"\A[A-Za-z0-9-]{3,32}\Z", "a cruise id has 3 to 32 letters, figures and hyphens")

# Roles of people in a science party, as the field's vocabularies name them.
PARTY_ROLES = {
    "scientist_chief": "chief scientist",
    "scientist_co-chief": "co-chief scientist",
    "principal_investigator": "principal investigator",
    "co-principal_investigator": "co-principal investigator",
    "scientist": "scientist",
    "student_graduate": "graduate student",
    "student_undergraduate": "undergraduate student",
    "student": "student",
    "technician": "technician",
    "technician_resident": "resident technician",
    "technician_resident_lead": "lead resident technician",
    "educator": "educator",
    "observer": "observer",
    "observer_foreign": "foreign observer",
    "captain": "captain",
    "chief_engineer": "chief engineer",
    "other": "other",
}
CHIEFS = ("scientist_chief", "scientist_co-chief")
CRUISE_TYPES = ("research", "operational", "transit", "maintenance")


class CruiseQuerySet(models.QuerySet["Cruise"]):
    """Which cruises."""

    def visible_to(self, actor: Actor) -> CruiseQuerySet:
        """Public ones for everybody; besides, one's own: those of one's vessels, or on whose party one is."""
        if access.is_office(actor):
            return self
        seen = Q(public_at__isnull=False)
        if isinstance(actor, Person) and actor.is_active:
            operators = actor.appointments.filter(role=Role.OPERATOR.value).values("operator")
            seen |= Q(vessel__operator__in=operators) | Q(pk__in=actor.parties.values("cruise"))
        return self.filter(seen)

    def named(self, cruise_id: str) -> Cruise:
        """The cruise of this id, whatever its capitals. Raises Cruise.DoesNotExist."""
        return self.get(cruise_id__iexact=cruise_id)

    def search(self, words: str) -> CruiseQuerySet:
        """Those whose id, title, vessel, ports, chief scientist or summary hold every word."""
        found = self
        for word in words.split()[:8]:
            chiefs = Party.objects.filter(role__in=CHIEFS, family_name__icontains=word).values("cruise")
            found = found.filter(
                Q(cruise_id__icontains=word)
                | Q(title__icontains=word)
                | Q(summary__icontains=word)
                | Q(vessel__name__icontains=word)
                | Q(depart_port__name__icontains=word)
                | Q(arrive_port__name__icontains=word)
                | Q(pk__in=chiefs)
            )
        return found


class Cruise(models.Model):
    """A research cruise. Its id is the operator's and carries no meaning for us; it never changes."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cruise_id = models.CharField("cruise id", max_length=32, validators=[CRUISE_ID])
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    kind = models.CharField(max_length=20, default="research", choices=[(k, k) for k in CRUISE_TYPES])
    vessel = models.ForeignKey(Vessel, models.PROTECT, related_name="cruises")
    scheduler_id = models.CharField(max_length=60, blank=True)
    depart_date = models.DateField()
    depart_port = models.ForeignKey(Port, models.PROTECT, related_name="departures")
    arrive_date = models.DateField()
    arrive_port = models.ForeignKey(Port, models.PROTECT, related_name="arrivals")
    state = models.CharField(max_length=20, choices=CRUISE.choices, default=CRUISE.first)
    since = models.DateTimeField(help_text="in this state since")
    public_at = models.DateTimeField(null=True, blank=True, help_text="visible to everybody since")
    approved_at = models.DateTimeField(
        null=True, blank=True, help_text="the record is approved: amendments need a new review"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CruiseQuerySet.as_manager()

    class Meta:
        ordering = ["-depart_date", "cruise_id"]
        indexes = [models.Index(fields=["vessel", "-depart_date"])]
        constraints = [
            # KM1903 and km1903 are one cruise.
            models.UniqueConstraint(Lower("cruise_id"), name="cruise_id_once"),
            # A ship that is back before it left has a typing error in its orders.
            models.CheckConstraint(condition=Q(arrive_date__gte=F("depart_date")), name="cruise_returns_after_start"),
        ]

    def __str__(self) -> str:
        return self.cruise_id

    @property
    def cruise(self) -> Cruise:
        """Itself: so that a cruise can be asked about like the things that hang on it."""
        return self

    @property
    def days(self) -> int:
        """Length in days, the first and the last counted."""
        return (self.arrive_date - self.depart_date).days + 1

    @property
    def chief_scientists(self) -> list[Party]:
        """The chief scientist and the co-chiefs, the chief first."""
        chiefs = [party for party in self.parties.all() if party.role in CHIEFS]
        return sorted(chiefs, key=lambda party: (CHIEFS.index(party.role), party.family_name))


class Party(models.Model):
    """A person of the science party in a role on a cruise; the address is private, a chief scientist's name is not."""

    cruise = models.ForeignKey(Cruise, models.CASCADE, related_name="parties")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="parties")
    given_name = models.CharField(max_length=80, blank=True)
    family_name = models.CharField(max_length=80)
    institution = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    orcid = models.CharField("ORCID iD", max_length=19, blank=True)
    role = models.CharField(max_length=30, choices=list(PARTY_ROLES.items()))
    may_log = models.BooleanField("may log events", default=False)

    class Meta:
        verbose_name_plural = "parties"
        ordering = ["family_name", "given_name"]
        constraints = [
            # A person stands once in a role on a cruise.
            models.UniqueConstraint("cruise", "family_name", "given_name", "role", name="party_once"),
            # An account is one member of a party in a role, not two.
            models.UniqueConstraint("cruise", "person", "role", name="party_person_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def role_name(self) -> str:
        """The role in words."""
        return PARTY_ROLES[self.role]


class Award(models.Model):
    """A grant that pays for the cruise."""

    cruise = models.ForeignKey(Cruise, models.CASCADE, related_name="awards")
    number = models.CharField(max_length=60)
    funder = models.CharField(max_length=200)
    funder_id = models.CharField(
        max_length=120, blank=True, help_text="Crossref funder DOI or ROR, as 10.13039/100000001"
    )
    title = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint("cruise", "number", name="award_once")]

    def __str__(self) -> str:
        return f"{self.funder} {self.number}"


class Target(models.Model):
    """Where the survey wants to go. Degrees, north and east positive."""

    cruise = models.ForeignKey(Cruise, models.CASCADE, related_name="targets")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    latitude = models.FloatField(null=True, blank=True, validators=LATITUDE)
    longitude = models.FloatField(null=True, blank=True, validators=LONGITUDE)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint("cruise", "name", name="target_once"),
            # A position has both halves or none, and lies on the globe.
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="target_position_on_globe",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Instrument(models.Model):
    """An instrument that the orders announce; the event log makes its buttons of them."""

    cruise = models.ForeignKey(Cruise, models.CASCADE, related_name="instruments")
    name = models.CharField(max_length=80)
    device_class = models.CharField(max_length=40)
    make = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint("cruise", "name", name="instrument_once")]

    def __str__(self) -> str:
        return self.name


class SailingOrders(models.Model):
    """One delivery of sailing orders: the bytes as they came, what they mean, and what they changed."""

    SOURCES = [
        ("form", "web form"),
        ("xml", "XML file"),
        ("mail", "XML by e-mail"),
        ("offline", "offline form"),
    ]
    cruise = models.ForeignKey(Cruise, models.CASCADE, related_name="orders")
    number = models.PositiveIntegerField(help_text="1 for the first orders, then one for each amendment")
    source = models.CharField(max_length=10, choices=SOURCES)
    delivered = models.BinaryField(help_text="as it came, never changed")
    sha256 = models.CharField(max_length=64)
    document = models.TextField(help_text="the same as our XML, every element in its place")
    changes = models.JSONField(default=list, help_text="[{field, before, after}] against the orders before")
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    received_from = models.CharField(max_length=200, help_text="who sent it, as they were called then")

    class Meta:
        verbose_name_plural = "sailing orders"
        ordering = ["cruise", "-number"]
        constraints = [models.UniqueConstraint("cruise", "number", name="orders_numbered_once")]

    def __str__(self) -> str:
        return f"{self.cruise} orders {self.number}"
