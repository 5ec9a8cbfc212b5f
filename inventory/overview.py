"""What the inventory tells the other pages: steps and panels of a cruise, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from eventlog.models import Event
from inventory import totals
from inventory import track as tracks
from inventory.models import Arrival, Dataset, Deposit, Distribution, Flag, Recovery, Review, Track
from portal import access
from portal.access import Actor
from portal.floor import Panel, Stage, Waiting
from portal.lifecycle import Role
from portal.models import Cruise, Person

HOLDS_END_SOON_DAYS = 60
WORDS = 200  # letters of a reason in a line of what waits


def stages(cruise: Cruise) -> Iterable[Stage]:
    """Received, inventoried, classified, reviewed."""
    distribution = cruise.distributions.current().first()
    review = cruise.reviews.current().first()
    yield from _delivery_stages(cruise, distribution)
    url = reverse("review", args=[cruise.cruise_id])
    if review is None:
        ready = distribution is not None and distribution.state == "classified"
        yield Stage(
            "reviewed",
            "now" if ready else "waiting",
            url if ready else "",
            act="Open the review" if ready else "",
            right="review.open",
        )
    elif review.state == "approved":
        yield Stage("reviewed", "done", url, review.since, right="review.see")
    else:
        signed = review.signatures.filter(decision="approved").count()
        note = f"{signed} of 2 signed" if review.state == "open" else "returned"
        act = "Review this cruise record" if review.state == "open" else "Mend the record"
        yield Stage("reviewed", "now", url, review.since, note, act, "review.see")


def _delivery_stages(cruise: Cruise, distribution: Distribution | None) -> Iterator[Stage]:
    if distribution is None:
        waiting = "now" if cruise.state == "ended" else "waiting"
        url = reverse("receive", args=[cruise.cruise_id]) if waiting == "now" else ""
        act = "Receive the distribution" if waiting == "now" else ""
        yield Stage("received", waiting, url, act=act, right="distribution.receive")
        yield Stage("inventoried", "waiting")
        yield Stage("classified", "waiting")
        return
    if distribution.state == "announced":
        url, note = reverse("receive", args=[cruise.cruise_id]), "its manifest came ahead of the disk"
        act = "Receive the distribution"
        yield Stage("received", "now", url, distribution.since, note, act, "distribution.receive")
        yield Stage("inventoried", "waiting")
        yield Stage("classified", "waiting")
        return
    url = reverse("inventory", args=[cruise.cruise_id])
    note = f"shipment {distribution.number}" if distribution.number > 1 else ""
    yield Stage("received", "done", url, distribution.received_at, note)
    if distribution.verified_at is None:
        yield Stage("inventoried", "now", url, distribution.since, "files are being read")
    else:
        yield Stage("inventoried", "done", url, distribution.verified_at)
    sorting = distribution.classifications.order_by("-number").first()
    url = reverse("classification", args=[cruise.cruise_id])
    if distribution.state == "classified" and sorting is not None:
        left = f"{sorting.unmatched} unmatched" if sorting.unmatched else ""
        yield Stage("classified", "done", url, sorting.at, left)
    else:
        now = distribution.state == "verified"
        act = "Classify the files" if now else ""
        yield Stage("classified", "now" if now else "waiting", url, act=act, right="distribution.classify")


def panels(request: HttpRequest, cruise: Cruise) -> Iterable[Panel]:
    """Map, distribution and data sets."""
    track = tracks.in_force(cruise)
    distribution = cruise.distributions.current().select_related("total").first()
    arriving = list(Arrival.objects.visible_to(request.user).filter(cruise=cruise).unsettled()[:20])
    if arriving:
        yield Panel("arrivals", "inventory/_arrivals.html", {"arrivals": arriving}, order=5)
    yield Panel("map", "inventory/_map.html", _map(request, cruise, track), order=10)
    if distribution is not None:
        context = {
            "cruise": cruise,
            "distribution": distribution,
            "counts": distribution.counts(),
            "copy": distribution.deposits.best_first().first(),
            "may_recover": access.may(request.user, "recovery.request", cruise),
            "may_flag": access.may(request.user, "file.flag", cruise),
        }
        yield Panel("distribution", "inventory/_distribution.html", context, order=50)
        rows = dataset_rows(cruise)
        yield Panel("datasets", "inventory/_datasets.html", {"cruise": cruise, "rows": rows}, order=30)


def _map(request: HttpRequest, cruise: Cruise, track: Track | None) -> dict[str, Any]:
    """What the map shows, and the same in words for those who do not see it."""
    events = Event.objects.visible_to(request.user).filter(log__cruise=cruise).placed().exists()
    words = f"From {cruise.depart_port.name} to {cruise.arrive_port.name}."
    if track is not None and track.geometry is not None:
        words += f" The track has {track.control_points} control points, {track.first_fix_at} to {track.last_fix_at}."
    return {
        "cruise": cruise,
        "track": track,
        "events_url": reverse("event-points", args=[cruise.cruise_id]) if events else "",
        "label": f"Track of {cruise} from {cruise.depart_port.name} to {cruise.arrive_port.name}",
        "words": words,
    }


def dataset_rows(cruise: Cruise) -> list[dict[str, Any]]:
    """Data sets of a cruise with files, bytes, and the hold in force."""
    today = timezone.now().date()
    distribution = cruise.distributions.current().select_related("total").first()
    sizes = totals.by_dataset(distribution) if distribution else {}
    rows = []
    for dataset in Dataset.objects.filter(cruise=cruise).standing().prefetch_related("holds"):
        files, size = sizes.get(dataset.pk, (0, 0))
        hold = dataset.hold_in_force(today)
        state = "held" if hold and dataset.state in ("draft", "approved") else dataset.state
        rows.append({"dataset": dataset, "files": files, "bytes": size, "hold": hold, "state": state})
    return rows


def waits_for(actor: Actor) -> Iterator[Waiting]:
    """Work lines for operators, chief scientists and the office."""
    if not isinstance(actor, Person):
        return
    yield from _reviews(actor)
    yield from _arrivals(actor)
    if access.is_office(actor):
        yield from _office(actor)
    operators = access.operators_of(actor)
    if operators:
        ended = Cruise.objects.filter(vessel__operator__in=operators, state="ended", distributions__isnull=True)
        for cruise in ended[:10]:
            yield Waiting(
                f"{cruise} is back: deliver its distribution",
                reverse("receive", args=[cruise.cruise_id]),
                since=cruise.since,
                verb="Deliver",
            )
    yield from _holds(actor)


def _arrivals(actor: Person) -> Iterator[Waiting]:
    """Deliveries that go no further unless a person does something."""
    found = Arrival.objects.visible_to(actor).for_people().order_by("since")
    for arrival in found[:5]:
        tone = "bad" if arrival.state == "refused" else "warn"
        why = Truncator(arrival.reason).chars(WORDS)
        yield Waiting(
            f"Delivery {arrival}: {arrival.state}" + (f". {why}" if why else ""),
            reverse("arrival", args=[arrival.uuid]),
            since=arrival.since,
            verb="Look",
            tone=tone,
        )
    if (more := found.count() - 5) > 0:
        yield Waiting("More deliveries that go no further", reverse("arrivals"), more, verb="Look", tone="warn")


def _reviews(actor: Person) -> Iterator[Waiting]:
    """Rounds that wait for this person's signature."""
    mine = Q(cruise__vessel__operator__in=access.operators_of(actor)) | Q(cruise__parties__person=actor)
    for review in Review.objects.filter(mine, state="open").select_related("cruise__vessel").distinct()[:20]:
        held = access.roles(actor, review.cruise)
        signed = set(review.signatures.values_list("role", flat=True))
        open_roles = [
            role for role in (Role.OPERATOR, Role.CHIEF_SCIENTIST) if role in held and role.value not in signed
        ]
        if open_roles:
            yield Waiting(
                f"The record of {review.cruise} waits for your approval as {open_roles[0].value}",
                reverse("review", args=[review.cruise.cruise_id]),
                since=review.since,
                verb="Review",
            )


def _office(actor: Person) -> Iterator[Waiting]:
    lists: list[tuple[str, Any, str, str, str]] = [
        (
            "Verified distributions without a profile",
            Distribution.objects.filter(state="verified"),
            "classification",
            "Classify",
            "waiting",
        ),
        (
            "Files flagged by operators and chief scientists",
            Flag.objects.filter(answered_at__isnull=True),
            "inventory",
            "Answer",
            "warn",
        ),
        (
            "Requests for files from deep storage",
            Recovery.objects.filter(state="requested").select_related("deposit__distribution__cruise"),
            "copies",
            "Decide",
            "waiting",
        ),
        ("Damaged copies in deep storage", Deposit.objects.filter(state="damaged"), "copies", "Look", "bad"),
        ("Reviews returned to us", Review.objects.filter(state="returned"), "review", "Mend", "warn"),
        (
            "Cruises ready for review",
            Distribution.objects.filter(
                state="classified", cruise__state="ended", cruise__approved_at__isnull=True
            ).exclude(cruise__reviews__state__in=("open", "returned")),
            "review",
            "Open review",
            "waiting",
        ),
    ]
    for text, rows, page, verb, tone in lists:
        if count := rows.count():
            first = rows.order_by("pk").first()
            cruise = first.cruise
            since = getattr(first, "since", None) or getattr(first, "at", None)
            yield Waiting(text, reverse(page, args=[cruise.cruise_id]), count, since, verb, tone)


def _holds(actor: Person) -> Iterator[Waiting]:
    """Holds on data of the chief scientist's cruises that end soon."""
    today = timezone.now().date()
    mine = Dataset.objects.filter(cruise__parties__person=actor, cruise__parties__role__startswith="scientist_")
    for dataset in mine.held(today).select_related("cruise").prefetch_related("holds")[:20]:
        hold = dataset.hold_in_force(today)
        if hold is not None and (hold.until - today).days <= HOLDS_END_SOON_DAYS:
            yield Waiting(
                f"Your hold on {dataset} ends on {hold.until}",
                reverse("dataset", args=[dataset.cruise.cruise_id, dataset.uuid]),
                since=hold.asserted_at,
                verb="Look",
            )
