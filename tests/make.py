"""Plain builders for tests: people, cruises, deliveries, data sets, in the state that a test wants to begin with.

They say our own verbs wherever that is cheap, so that what they build is what the program builds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
from pathlib import Path
from typing import Any

from django.utils import timezone

from eventlog import logbook
from eventlog.models import Event, Log
from inventory import classify, intake, profiles, review, track
from inventory.models import Dataset, Distribution, Review
from inventory.profiles import RuleText
from portal import accounts, fleet, jobs
from portal.access import CONSOLE
from portal.lifecycle import Role
from portal.models import Cruise, Operator, Party, Person, Vessel
from portal.orders import intake as orders_intake
from portal.orders.document import Device, Grant, Member, Orders, PortCall, SurveyTarget

_numbers = itertools.count(1)
NAMES = {
    "admin": ("Ada", "Larsen"),
    "manager": ("Mateo", "Okafor"),
    "operator": ("Ingrid", "Solheim"),
    "rival": ("Olga", "Petrova"),  # operates somebody else's vessels
    "chief": ("Noor", "Rahman"),
    "watch": ("Sam", "Keane"),
    "expert": ("Lena", "Fuchs"),
    "stranger": ("Eve", "Nobody"),
}
PASSWORD = "correct horse battery staple"


def person(name: str) -> Person:
    """One of the named people, with the standing role of that name; made once in a test."""
    email = f"{name}@example.org"
    known = Person.objects.filter(email=email).first()
    if known is not None:
        return known
    given, family = NAMES[name]
    made = Person.objects.create_user(email, PASSWORD, given_name=given, family_name=family)
    accounts.verify_address(made)
    if name == "admin":
        made.is_staff = made.is_superuser = True
        made.save()
    elif name == "manager":
        fleet.appoint(person=made, role=Role.DATA_MANAGER, by=CONSOLE)
    elif name == "expert":
        fleet.appoint(person=made, role=Role.QC_EXPERT, by=CONSOLE)
    elif name == "operator":
        fleet.appoint(person=made, role=Role.OPERATOR, operator=vessel().operator, by=CONSOLE)
    elif name == "rival":
        fleet.appoint(person=made, role=Role.OPERATOR, operator=rival_vessel().operator, by=CONSOLE)
    return made


def people() -> dict[str, Person]:
    """Everybody."""
    return {name: person(name) for name in NAMES}


def vessel() -> Vessel:
    """The vessel of these tests."""
    return _vessel("ZZTS", "Tester", "org.example.ships", "Example Ships", "TS")


def rival_vessel() -> Vessel:
    """Somebody else's vessel."""
    return _vessel("ZZRV", "Rival", "org.example.rival", "Rival Ships", "RV")


def _vessel(code: str, name: str, operator: str, operator_name: str, prefix: str) -> Vessel:
    made, _ = fleet.register(
        code=code, name=name, operator_id=operator, operator_name=operator_name, prefix=prefix, by=CONSOLE
    )
    return Vessel.objects.select_related("operator").get(pk=made.pk)


def orders(cruise_id: str = "", **changes: Any) -> Orders:
    """Sailing orders with everything in them; `changes` replace fields."""
    made = Orders(
        id=cruise_id or f"TS{next(_numbers):04d}",
        title="A section across the front",
        summary="Stations every thirty miles.\nMultibeam throughout.",
        vessel_id=vessel().pk,
        operator_id=vessel().operator_id,
        scheduler_id="SCH-1",
        depart_date=dt.date(2026, 3, 2),
        depart_port=PortCall("PTPDL", "Ponta Delgada", "PT", "", -25.66, 37.735),
        arrive_date=dt.date(2026, 3, 11),
        arrive_port=PortCall("PTFNC", "Funchal", "PT", "", -16.91, 32.64),
        party=(
            Member(
                "Rahman", "Noor", "scientist_chief", "Institute of Sounding", "chief@example.org", "0000-0002-1825-0097"
            ),
            Member("Keane", "Sam", "technician", "Institute of Sounding", "watch@example.org"),
            Member("Haugen", "Per", "scientist", "University of the Atlantic"),
        ),
        awards=(Grant("OCE-1", "National Science Foundation", "10.13039/100000001", "The front"),),
        targets=(SurveyTarget("Front", "", -24.5, 35.0),),
        instruments=(Device("CTD", "ctd", "Sea-Bird", "SBE 911plus"), Device("Multibeam", "multibeam")),
    )
    return dataclasses.replace(made, **changes)


def cruise(cruise_id: str = "", state: str = "planned", **changes: Any) -> Cruise:
    """A cruise of the test vessel; chief and watch have their accounts, and watch may log."""
    for name in ("operator", "chief", "watch"):
        person(name)
    outcome = orders_intake.submit(orders(cruise_id, **changes), by=CONSOLE, source="form")
    made = outcome.cruise
    for party in Party.objects.filter(cruise=made, email="watch@example.org"):
        accounts.designate(party=party, may_log=True, by=CONSOLE)
    if state in ("at sea", "ended"):
        logbook.open_log(cruise=made, by=CONSOLE)
    if state == "ended":
        logbook.close_log(cruise=made, by=CONSOLE)
    if state == "cancelled":
        from portal import voyage

        voyage.cancel(cruise=made, by=CONSOLE)
    return Cruise.objects.select_related("vessel__operator").get(pk=made.pk)


def log(state: str = "open", **changes: Any) -> Log:
    """The event log of a new cruise."""
    stage = {"not opened": "planned", "open": "at sea", "closed": "ended"}[state]
    return logbook.log_of(cruise(state=stage, **changes))


def event(in_log: Log | None = None, **fields: Any) -> Event:
    """An event, recorded by watch."""
    values = {
        "observed_at": timezone.now(),
        "instrument": "CTD",
        "action": "deploy",
        "station": "001",
        "cast": "001",
        "latitude": 36.5,
        "longitude": -25.0,
        "seafloor_m": 3120.0,
        "comment": "calm",
    }
    made, _ = logbook.record(log=in_log or log(), by=person("watch"), fields=values | fields)
    return made


# --- deliveries -----------------------------------------------------------------------------------------------------

FILES = {
    "data/gnss/raw/day1": b"".join(
        b"2026-03-02T10:%02d:00.100000Z $GPGGA,10%02d00.00,36%07.4f,N,02500.0000,W,1,09,0.9,10.0,M,0.0,M,,\n"
        % (minute, minute, minute * 0.2)
        for minute in range(60)
    ),
    "data/ctd/raw/cast001.hex": b"00FF" * 400,
    "data/ctd/raw/cast001.hdr": b"* header\r\n*END*\r\n",
    "data/adcp/raw/a.raw": bytes(range(256)) * 8,
    "docs/report.txt": b"all well\n",
    "science/notes.txt": b"mine\n",
    "misc/forgotten.bin": b"\x00\x01",
}
RULES = [
    RuleText("science/**", exclude=True),
    RuleText("data/gnss/**", device_class="gnss", make="Furuno", model="GP-170", label="gnss", navigation_rank=1),
    RuleText(
        "data/ctd/**", device_class="ctd", make="Sea-Bird", model="SBE 911plus", label="ctd", file_format="seasoft"
    ),
    RuleText("data/adcp/**", device_class="adcp", make="Teledyne RDI", model="OS75", label="adcp"),
    RuleText("docs", device_class="documents", label="docs"),
]


def delivery(folder: Path, files: dict[str, bytes] | None = None, manifest: str = "delivery.md5") -> Path:
    """A delivered directory with its manifest in the root, as md5deep -z writes it."""
    lines = []
    for path, content in (FILES if files is None else files).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        lines.append(f"{len(content):10d}  {hashlib.md5(content).hexdigest()}  ./{path}\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / manifest).write_text("".join(lines))
    return folder


def distribution(
    folder: Path, state: str = "received", of: Cruise | None = None, files: dict[str, bytes] | None = None
) -> Distribution:
    """A distribution of a cruise that is back, received from `folder`, and taken as far as `state`."""
    made_for = of or cruise(state="ended")
    root = delivery(folder / made_for.cruise_id, files)
    made = intake.receive(cruise=made_for, root=root, by=CONSOLE).distribution
    if state in ("verified", "classified"):
        assert jobs.perform("inventory.verify", str(made.pk))
    if state == "classified":
        profiles.save(vessel=made_for.vessel, rules=RULES, by=CONSOLE)
        classify.classify(distribution=made, by=CONSOLE)
        made.refresh_from_db()
        track.make(distribution=made, by=CONSOLE)
    return Distribution.objects.select_related("cruise__vessel__operator").get(pk=made.pk)


def dataset(folder: Path, device_class: str = "ctd") -> Dataset:
    """A data set in draft, of a classified distribution."""
    made = distribution(folder, "classified")
    return Dataset.objects.select_related("cruise__vessel__operator").get(cruise=made.cruise, device_class=device_class)


def round_of_review(folder: Path, state: str = "open") -> Review:
    """A review: open, or approved by operator and chief scientist."""
    made = distribution(folder, "classified")
    found = review.open_review(cruise=made.cruise, by=CONSOLE)
    if state == "approved":
        found = review.approve(review=found, role=Role.OPERATOR, by=person("operator"))
        found = review.approve(review=found, role=Role.CHIEF_SCIENTIST, by=person("chief"))
    return Review.objects.select_related("cruise__vessel__operator", "distribution").get(pk=found.pk)


def operator() -> Operator:
    """The operator of the test vessel."""
    return vessel().operator
