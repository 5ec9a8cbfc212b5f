"""Loads the demonstration: its accounts and ships, and its cruises taken through every floor that is installed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal import accounts, fleet, floor
from portal.access import CONSOLE
from portal.demo.clock import as_of
from portal.demo.geography import REGIONS, Region
from portal.demo.people import ACCOUNTS, DOMAIN, PASSWORD
from portal.demo.voyage import Voyage
from portal.floor import Plan
from portal.lifecycle import Role
from portal.models import Cruise, Operator, Person, Vessel
from portal.orders import intake
from portal.orders.document import Device, Grant, Member, Orders, SurveyTarget
from portal.refusals import NotNow

VESSEL_ID, OPERATOR_ID = "ZZFA", "example.leadline"
DAYS = 10

DEVICES = (
    Device("CTD", "ctd", "Sea-Bird", "SBE 911plus"),
    Device("Multinet", "net", "Hydro-Bios", "MultiNet Midi"),
    Device("Multibeam", "multibeam", "Kongsberg", "EM 122"),
    Device("ADCP", "adcp", "Teledyne RDI", "OS75"),
    Device("XBT", "xbt", "Lockheed Martin", "T-7"),
    Device("Underway water", "underway"),
)


@dataclass(frozen=True, slots=True)
class Outline:
    """A demonstration cruise: id, region, first day, and how far it is."""

    cruise_id: str
    region: Region
    begins: dt.datetime
    stage: str  # "planned", "running", "finished"
    seed: int

    @property
    def ends(self) -> dt.datetime:
        """Its last moment."""
        return self.begins + dt.timedelta(days=DAYS, hours=-4)


def outlines(today: dt.date) -> list[Outline]:
    """One finished, one running and one planned cruise, around `today`."""
    day = dt.datetime(today.year, today.month, today.day, 8, tzinfo=dt.UTC)
    year = day.year % 100
    return [
        Outline(f"FA{year:02d}01", REGIONS[0], day - dt.timedelta(days=47), "finished", 1),
        Outline(f"FA{year:02d}02", REGIONS[1], day - dt.timedelta(days=4), "running", 2),
        Outline(f"FA{year:02d}03", REGIONS[3], day + dt.timedelta(days=24), "planned", 3),
    ]


def load(today: dt.date, say: Callable[[str], None]) -> None:
    """Loads everything; what is there already is left as it is, so that a stopped loading goes on.

    Raises NotNow in production.
    """
    if settings.MODE == "production":
        raise NotNow("Demonstration accounts and cruises are not loaded in production.")
    people = make_people()
    say(f"{len(people)} demonstration accounts")
    for outline in outlines(today):
        _take_through(outline, people, say)


@transaction.atomic
def make_people() -> dict[str, Person]:
    """The accounts, the operator and its ship."""
    vessel, _ = fleet.register(
        code=VESSEL_ID,
        name="Fathom",
        operator_id=OPERATOR_ID,
        operator_name="Leadline Demonstration Fleet",
        prefix="FA",
        by=CONSOLE,
    )
    people = {}
    for account in ACCOUNTS:
        person = Person.objects.filter(email=account.email).first()
        if person is None:
            person = Person.objects.create_user(
                account.email,
                PASSWORD,
                given_name=account.given_name,
                family_name=account.family_name,
                institution="Institute of Sounding",
                is_staff=account.role is Role.ADMINISTRATOR,
                is_superuser=account.role is Role.ADMINISTRATOR,
            )
            accounts.verify_address(person)
        people[account.name] = person
    operator = Operator.objects.get(pk=vessel.operator_id)
    fleet.appoint(person=people["manager"], role=Role.DATA_MANAGER, by=CONSOLE)
    fleet.appoint(person=people["expert"], role=Role.QC_EXPERT, by=CONSOLE)
    fleet.appoint(person=people["operator"], role=Role.OPERATOR, operator=operator, by=CONSOLE)
    return people


def _take_through(outline: Outline, people: dict[str, Person], say: Callable[[str], None]) -> None:
    """One cruise from its orders as far as it is."""
    vessel = Vessel.objects.get(pk=VESSEL_ID)
    sooner = min(outline.begins - dt.timedelta(days=40), timezone.now() - dt.timedelta(days=3))
    with as_of(sooner):
        outcome = intake.submit(orders_of(outline, vessel), by=people["operator"], source="form")
    cruise = Cruise.objects.get(pk=outcome.cruise.pk)
    with as_of(sooner + dt.timedelta(hours=2)):
        for party in cruise.parties.filter(email=people["watch"].email, may_log=False):
            accounts.designate(party=party, may_log=True, by=people["chief"])
    say(f"{cruise}: {outline.stage}")
    if outline.stage == "planned":
        return
    plan = Plan(
        cruise=cruise,
        voyage=Voyage(outline.region, outline.begins, outline.ends, outline.seed),
        finished=outline.stage == "finished",
        folder=Path(settings.DELIVERY_ROOTS[0]) / outline.cruise_id,
        people=people,
        say=say,
    )
    for app in floor.floors():
        app.demonstrate(plan)


def orders_of(outline: Outline, vessel: Vessel) -> Orders:
    """The sailing orders of a demonstration cruise."""
    region = outline.region
    chief, watch = (next(a for a in ACCOUNTS if a.name == name) for name in ("chief", "watch"))
    home = "Institute of Sounding"
    party = (
        Member(chief.family_name, chief.given_name, "scientist_chief", home, chief.email, "0000-0002-1825-0097"),
        Member(watch.family_name, watch.given_name, "technician", home, watch.email),
        Member("Ferreira", "Inês", "scientist_co-chief", "University of the Atlantic", f"ines@{DOMAIN}"),
        Member("Haugen", "Per", "scientist", "University of the Atlantic"),
        Member("Okonkwo", "Ada", "student_graduate", "University of the Atlantic"),
        Member("Silva", "Rui", "observer_foreign", "Hydrographic Service"),
    )
    return Orders(
        id=outline.cruise_id,
        title=region.title,
        summary=region.summary,
        vessel_id=vessel.pk,
        operator_id=vessel.operator_id,
        scheduler_id=f"LDF-{outline.seed:04d}",
        depart_date=outline.begins.date(),
        depart_port=region.depart,
        arrive_date=outline.ends.date(),
        arrive_port=region.arrive,
        party=party,
        awards=(Grant("OCE-2604711", "National Science Foundation", "10.13039/100000001", region.title),),
        targets=tuple(SurveyTarget(name, "", longitude, latitude) for name, latitude, longitude in region.targets),
        instruments=DEVICES,
    )
