"""The review of a cruise record: rounds, signatures, remarks, and flags on files."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from inventory.models.distribution import Distribution
from inventory.states import REVIEW
from portal.lifecycle import Role
from portal.models import Cruise, Person

if TYPE_CHECKING:
    from portal.access import Actor


class ReviewQuerySet(models.QuerySet["Review"]):
    """Which reviews."""

    def visible_to(self, actor: Actor) -> ReviewQuerySet:
        """Those of the cruises that one may see; the pages ask besides who may see reviews at all."""
        return self.filter(cruise__in=Cruise.objects.visible_to(actor))

    def current(self) -> ReviewQuerySet:
        """The last round of each cruise."""
        return self.exclude(state="superseded")


class Review(models.Model):
    """A round of review. Its record is the cruise with the distribution that is named here."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cruise = models.ForeignKey(Cruise, models.PROTECT, related_name="reviews")
    distribution = models.ForeignKey(Distribution, models.PROTECT, related_name="reviews")
    round = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=REVIEW.choices, default=REVIEW.first)
    since = models.DateTimeField()
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=200)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["cruise", "-round"]
        constraints = [
            models.UniqueConstraint("cruise", "round", name="review_round_once"),
            # One round is in force.
            models.UniqueConstraint("cruise", condition=~Q(state="superseded"), name="review_current_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cruise} review {self.round}"

    def basis(self) -> str:
        """What the record consists of now: a signature holds for this and nothing else."""
        orders = self.cruise.orders.order_by("-number").values_list("number", flat=True).first()
        shipment = self.cruise.distributions.current().first()
        sorting = shipment.classifications.order_by("-number").first() if shipment else None
        return (
            f"orders {orders or 0}, shipment {shipment.number if shipment else 0}, "
            f"classification {sorting.number if sorting else 0}"
        )

    def is_outdated(self) -> bool:
        """Whether the record changed after somebody signed it."""
        basis = self.basis()
        return any(signature.basis != basis for signature in self.signatures.all())


class Signature(models.Model):
    """The word of the operator or of the chief scientist on a record: approved or returned, by whom and when."""

    ROLES = [(role.value, role.value) for role in (Role.OPERATOR, Role.CHIEF_SCIENTIST)]
    review = models.ForeignKey(Review, models.PROTECT, related_name="signatures")
    role = models.CharField(max_length=20, choices=ROLES)
    person = models.ForeignKey(Person, models.PROTECT, related_name="signatures")
    name = models.CharField(max_length=200, help_text="what the person was called at the time")
    decision = models.CharField(max_length=10, choices=[("approved", "approved"), ("returned", "returned")])
    note = models.TextField(blank=True)
    basis = models.CharField(max_length=120, help_text="which orders, shipment and classification were signed")
    at = models.DateTimeField()

    class Meta:
        ordering = ["review", "at"]
        constraints = [
            # Each of the two signs a round once.
            models.UniqueConstraint("review", "role", name="signature_once"),
            # Two eyes see more than one: nobody signs in both roles.
            models.UniqueConstraint("review", "person", name="signature_person_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.name}: {self.decision}"


class Remark(models.Model):
    """What somebody says of a section of the record: it looks right, or something is wrong."""

    SECTIONS = [
        ("orders", "Cruise and sailing orders"),
        ("party", "People and awards"),
        ("log", "Event log"),
        ("inventory", "Inventory"),
        ("datasets", "Data sets"),
        ("track", "Navigation"),
    ]
    review = models.ForeignKey(Review, models.CASCADE, related_name="remarks")
    section = models.CharField(max_length=12, choices=SECTIONS)
    verdict = models.CharField(max_length=10, choices=[("right", "looks right"), ("wrong", "something is wrong")])
    text = models.TextField(blank=True)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["review", "at"]
        constraints = [
            # "Something is wrong" says what.
            models.CheckConstraint(condition=Q(verdict="right") | ~Q(text=""), name="remark_wrong_says_what"),
        ]

    def __str__(self) -> str:
        return f"{self.section}: {self.verdict}"


class Flag(models.Model):
    """Somebody of the cruise says that a file is missing or wrong; the data manager answers."""

    KINDS = [("missing", "is missing"), ("wrong", "is wrong")]
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="flags")
    kind = models.CharField(max_length=10, choices=KINDS)
    path = models.CharField(max_length=500, help_text="of the file or directory, as far as it is known")
    comment = models.TextField()
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_by = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.path} {self.get_kind_display()}"

    @property
    def cruise(self) -> Cruise:
        """The cruise of its distribution."""
        return self.distribution.cruise
