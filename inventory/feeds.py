"""What is new in the public inventories: shipments that came, flags that were answered, for the feeds.
Nothing personal goes out: who flagged, who answered and what they wrote stay with the cruise."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from inventory.models import Distribution, Flag
from portal.models import Cruise, Operator, Vessel
from portal.refusals import NotFound

MOST = 50


@dataclass(frozen=True, slots=True)
class News:
    """One entry: when it happened, what, and where to read on. `key` is a UUID and never changes."""

    key: str
    at: dt.datetime
    title: str
    text: str
    link: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a feed is about: a vessel, an operator, or everything."""

    name: str
    vessel: Vessel | None = None
    operator: Operator | None = None

    def cruises(self) -> Any:
        """The cruises that anybody may see."""
        cruises = Cruise.objects.visible_to(AnonymousUser())
        if self.vessel is not None:
            cruises = cruises.filter(vessel=self.vessel)
        if self.operator is not None:
            cruises = cruises.filter(vessel__operator=self.operator)
        return cruises


def subject(vessel: str = "", operator: str = "") -> Subject:
    """The subject of an address. Raises NotFound."""
    if vessel:
        ship = Vessel.objects.filter(pk=vessel).first()
        if ship is None:
            raise NotFound(f"There is no vessel {vessel}.")
        return Subject(f"vessel {ship}", vessel=ship)
    if operator:
        house = Operator.objects.filter(pk=operator).first()
        if house is None:
            raise NotFound(f"There is no operator {operator}.")
        return Subject(str(house), operator=house)
    return Subject("all vessels")


def news(about: Subject) -> list[News]:
    """The last MOST things that happened, the newest first."""
    cruises = about.cruises()
    shipments: Any = (
        Distribution.objects.filter(cruise__in=cruises).exclude(state="announced").select_related("cruise__vessel")
    )
    flags: Any = Flag.objects.filter(distribution__cruise__in=cruises, answered_at__isnull=False)
    found = [_received(shipment) for shipment in shipments.order_by("-received_at", "-pk")[:MOST]]
    found += [
        _answered(flag)
        for flag in flags.select_related("distribution__cruise__vessel").order_by("-answered_at", "-pk")[:MOST]
    ]
    return sorted(found, key=lambda item: (item.at, item.key), reverse=True)[:MOST]


def _received(shipment: Distribution) -> News:
    cruise = shipment.cruise
    again = f", shipment {shipment.number}" if shipment.number > 1 else ""
    return News(
        str(shipment.uuid),
        shipment.received_at,
        f"Inventory of {cruise} is posted{again}",
        f"The distribution of {cruise} ({cruise.vessel}) was received. Please flag files that are missing or wrong.",
        reverse("inventory", args=[cruise.cruise_id]),
    )


def _answered(flag: Flag) -> News:
    cruise = flag.distribution.cruise
    assert flag.answered_at is not None
    return News(
        str(uuid.uuid5(flag.distribution.uuid, f"flag {flag.pk}")),
        flag.answered_at,
        f"A flag on {cruise} is answered",
        f"A file of {cruise} ({cruise.vessel}) was flagged: it {flag.get_kind_display()}. The flag is answered.",
        reverse("inventory", args=[cruise.cruise_id]),
    )
