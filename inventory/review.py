"""The review of a cruise record: opened by the data manager, signed or returned by operator and chief scientist."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inventory import datasets
from inventory.models import Distribution, Flag, Remark, Review, Signature
from inventory.states import REVIEW
from portal import access, accounts, journal, voyage
from portal.access import Actor
from portal.lifecycle import Role
from portal.models import Appointment, Cruise, Person
from portal.refusals import Fault, NotLikeThis, NotNow, NotYou

SIGNERS = (Role.OPERATOR, Role.CHIEF_SCIENTIST)


@transaction.atomic
def open_review(*, cruise: Cruise, by: Actor, note: str = "") -> Review:
    """Opens a round and invites operator and chief scientist. A record approved before is opened for amendments again.

    Raises NotYou, NotNow (cruise not ended, nothing classified, a round open), NotLikeThis where nobody can be invited.
    """
    cruise = Cruise.objects.select_for_update(of=("self",)).select_related("vessel__operator").get(pk=cruise.pk)
    access.require(by, "review.open", cruise)
    distribution = _reviewable(cruise)
    letters = _letters(cruise)
    before = cruise.reviews.current().first()
    now = timezone.now()
    if before is not None:
        if before.state == "open" and not before.is_outdated():
            raise NotNow(f"Round {before.round} of the review of {cruise} is open already.")
        if before.state == "approved" and not note.strip():
            raise NotLikeThis("The record is approved.", [Fault("note", "say why it must be reviewed again")])
        before.state = REVIEW.step(before.state, "review.supersede")
        before.since = now
        before.save(update_fields=["state", "since"])
        voyage.reopen_record(cruise, by=by)
        datasets.reopen_all(cruise, by=by)
    review = Review.objects.create(
        cruise=cruise,
        distribution=distribution,
        round=(cruise.reviews.aggregate(Max("round"))["round__max"] or 0) + 1,
        since=now,
        opened_at=now,
        opened_by=str(by),
    )
    journal.record(by, "review.open", review, note=note)
    for email in letters:
        accounts.invite(
            cruise=cruise,
            email=email,
            subject=f"Please review the record of cruise {cruise}",
            text=(
                f"The record of cruise {cruise} ({cruise.vessel}, {cruise.depart_date} to {cruise.arrive_date}) is "
                "ready for review. Look at it, remark on what is wrong, flag missing files, and approve it. "
                "It is published once the operator and the chief scientist have both approved."
            ),
            key=f"review-{review.uuid}-{email}",
            party=cruise.parties.filter(email__iexact=email).first(),
        )
    return review


def _reviewable(cruise: Cruise) -> Distribution:
    """The distribution under review. Raises NotNow where the record is not far enough."""
    if cruise.state != "ended":
        raise NotNow(f"{cruise} is {cruise.state}; its record is reviewed after its end.")
    distribution = cruise.distributions.current().first()
    if distribution is None:
        raise NotNow(f"No distribution of {cruise} was received yet.")
    if distribution.state != "classified":
        raise NotNow(f"{distribution} is {distribution.state}; classify its files first.")
    return distribution


def _letters(cruise: Cruise) -> list[str]:
    """Addresses of those who are to sign. Raises NotLikeThis where one of the two cannot be reached."""
    operators = Appointment.objects.filter(operator=cruise.vessel.operator, person__is_active=True)
    chiefs = {p.person.email if p.person else p.email for p in cruise.chief_scientists} - {""}
    faults = []
    if not operators:
        faults.append(Fault("operator", f"{cruise.vessel.operator} has no account; appoint somebody"))
    if not chiefs:
        faults.append(Fault("chief scientist", "has no address in the sailing orders; amend them"))
    if faults:
        raise NotLikeThis("The review cannot be opened: somebody could not be invited.", faults)
    return sorted({*operators.values_list("person__email", flat=True), *chiefs})


@transaction.atomic
def approve(*, review: Review, role: Role, by: Actor, note: str = "") -> Review:
    """Signs the record in one of the two roles; the second signature approves it. The same signature twice is one.

    Raises NotYou for anybody without that role, or who has signed in the other one; NotNow unless the round is open.
    """
    review, person = _for_signature(review, role, by)
    if review.signatures.filter(role=role.value, person=person, decision="approved").exists():
        return review
    state = REVIEW.step(review.state, "review.approve")
    if review.is_outdated():
        first = review.signatures.first()
        raise NotNow(
            f"The record changed after it was signed ({first.basis if first else ''}; now {review.basis()}). "
            "Ask the data manager to open a new round."
        )
    _sign(review, role, person, "approved", note)
    review.state = state
    signed = set(review.signatures.filter(decision="approved").values_list("role", flat=True))
    if signed >= {signer.value for signer in SIGNERS}:
        review.state = REVIEW.step(review.state, "review.complete")
        review.since = timezone.now()
        journal.record(by, "review.complete", review)
        voyage.approve_record(review.cruise, by=by)
        datasets.approve_all(review.cruise, by=by)
    review.save(update_fields=["state", "since"])
    return review


@transaction.atomic
def return_to_office(*, review: Review, role: Role, by: Actor, note: str) -> Review:
    """Sends the record back with a reason; the data manager puts it right and opens the next round."""
    review, person = _for_signature(review, role, by)
    if not note.strip():
        raise NotLikeThis("The record is returned with a reason.", [Fault("note", "say what must be put right")])
    review.state = REVIEW.step(review.state, "review.return")
    review.since = timezone.now()
    review.save(update_fields=["state", "since"])
    _sign(review, role, person, "returned", note)
    return review


def _for_signature(review: Review, role: Role, by: Actor) -> tuple[Review, Person]:
    """The review, locked, and the person who may sign it in that role."""
    review = Review.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=review.pk)
    if role not in SIGNERS:
        raise NotYou("A record is signed by the operator and by the chief scientist.")
    if not isinstance(by, Person) or role not in access.roles(by, review.cruise):
        raise NotYou(f"Only the {role.value} of {review.cruise} signs here.")
    if review.signatures.filter(person=by).exclude(role=role.value).exists():
        raise NotYou("You have signed this round in the other role; the second signature is somebody else's.")
    return review, by


def _sign(review: Review, role: Role, person: Person, decision: str, note: str) -> None:
    if review.signatures.filter(role=role.value).exists():
        raise NotNow(f"The {role.value} has signed round {review.round} already.")
    Signature.objects.create(
        review=review,
        role=role.value,
        person=person,
        name=str(person),
        decision=decision,
        note=note,
        basis=review.basis(),
        at=timezone.now(),
    )
    verb = "review.approve" if decision == "approved" else "review.return"
    journal.record(person, verb, review, note=note, changes={role.value: [None, decision]})


@transaction.atomic
def remark(*, review: Review, section: str, verdict: str, text: str, by: Actor) -> Remark:
    """Says of a section that it looks right, or what is wrong with it. Raises NotNow once the round is over."""
    review = Review.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=review.pk)
    access.require(by, "review.remark", review)
    if not isinstance(by, Person):
        raise NotYou("Remarks are made by people.")
    if review.state != "open":
        raise NotNow(f"The round is {review.state}: {REVIEW.states[review.state]}.")
    faults = []
    if section not in dict(Remark.SECTIONS):
        faults.append(Fault("section", f"{section!r} is no section of the record"))
    if verdict not in ("right", "wrong"):
        faults.append(Fault("verdict", "is right or wrong"))
    if verdict == "wrong" and not text.strip():
        faults.append(Fault("text", "say what is wrong"))
    if faults:
        raise NotLikeThis("The remark is not accepted.", faults)
    made = Remark.objects.create(
        review=review,
        section=section,
        verdict=verdict,
        text=text.strip(),
        by=by,
        by_name=str(by),
        at=timezone.now(),
    )
    journal.record(by, "review.remark", review, note=text, changes={section: [None, verdict]})
    return made


@transaction.atomic
def flag(*, distribution: Distribution, kind: str, path: str, comment: str, by: Actor) -> Flag:
    """Says that a file is missing or wrong. The data manager answers it."""
    distribution = Distribution.objects.select_related("cruise__vessel").get(pk=distribution.pk)
    access.require(by, "file.flag", distribution)
    if not isinstance(by, Person):
        raise NotYou("Flags are set by people.")
    faults = []
    if kind not in dict(Flag.KINDS):
        faults.append(Fault("kind", "is missing or wrong"))
    if not path.strip():
        faults.append(Fault("path", "name the file or directory, as far as you know it"))
    if len(path) > 500:
        faults.append(Fault("path", "has more than 500 characters"))
    if not comment.strip():
        faults.append(Fault("comment", "say what should be there"))
    if faults:
        raise NotLikeThis("The flag is not accepted.", faults)
    made = Flag.objects.create(
        distribution=distribution,
        kind=kind,
        path=path.strip(),
        comment=comment.strip(),
        by=by,
        by_name=str(by),
        at=timezone.now(),
    )
    journal.record(by, "file.flag", made, note=comment)
    return made


@transaction.atomic
def answer_flag(*, flag: Flag, answer: str, by: Actor) -> Flag:
    """The data manager's answer to a flag; who raised it gets it by letter too. Raises NotYou, NotLikeThis."""
    found = (
        Flag.objects.select_for_update(of=("self",))
        .select_related("by", "distribution__cruise__vessel")
        .get(pk=flag.pk)
    )
    access.require(by, "file.answer_flag", found)
    if not answer.strip():
        raise NotLikeThis("An answer needs words.", [Fault("answer", "is empty")])
    found.answer, found.answered_by, found.answered_at = answer.strip(), str(by), timezone.now()
    found.save(update_fields=["answer", "answered_by", "answered_at"])
    journal.record(by, "file.answer_flag", found, note=answer)
    if found.by.is_active:
        said = hashlib.sha256(found.answer.encode()).hexdigest()[:16]
        accounts.invite(
            cruise=found.cruise,
            email=found.by.email,
            subject=f"Your flag on {found.cruise} is answered",
            text=f"You flagged that {found} in {found.distribution}: {found.comment}\n\nThe answer: {found.answer}",
            key=f"flag-{found.pk}-{said}-{found.by.email}",
        )
    return found


def open_flags(distributions: Iterable[Distribution]) -> int:
    """How many flags wait for an answer."""
    return Flag.objects.filter(distribution__in=list(distributions), answered_at__isnull=True).count()
