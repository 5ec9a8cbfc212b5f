"""The cruise pack: what a ship needs to know of a planned cruise, with the same ids as ashore. A private file.

It holds the sailing orders as they came, who takes part and may log (with their addresses, for the invitations), and
what was prepared of the log: its buttons, words and planned stations with their revisions, which the ship continues.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid as uuids
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from eventlog import chain, ledger, logbook, verify
from eventlog.exchange import boundedjson, finalcopy
from eventlog.exchange.record import Unreadable
from eventlog.logbook import sections
from eventlog.models import Log, Seal
from eventlog.shore.writing import Writer
from portal import access, accounts, fleet, journal
from portal.access import Actor
from portal.lifecycle import Role
from portal.models import Appointment, Cruise, Operator, Party, Person
from portal.orders import document, intake
from portal.refusals import Fault, NotLikeThis, NotNow, NotYou

FORMAT, VERSION = "leadline-cruise-pack", 1
MOST_BYTES = 50_000_000
PREPARED = ("revisions", "places", "terms", "templates")
TOLD = ("given_name", "family_name", "institution", "orcid")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack as text, for UTF-8, and the SHA-256 that both sides compare."""

    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a pack led to: "created", "amended" or "unchanged" orders, who is new here, and remarks."""

    outcome: str
    cruise: Cruise
    people: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def export_cruise(*, cruise: Cruise, by: Actor) -> Packed:
    """The pack of a cruise. The same cruise is always the same text. Raises NotYou, NotNow for one without orders."""
    access.require(by, "eventlog.pack", cruise)
    orders = cruise.orders.order_by("-number").first()
    if orders is None:
        raise NotNow(f"{cruise} has no sailing orders to pack.")
    log = logbook.log_of(cruise)
    if log.state != "not opened":
        raise NotNow(f"The {log} is {log.state} here; a pack is made before the ship leaves.")
    vessel = cruise.vessel
    words = {
        "format": FORMAT,
        "version": VERSION,
        "cruise": {"uuid": cruise.uuid, "cruise_id": cruise.cruise_id},
        "vessel": {
            "code": vessel.pk,
            "name": vessel.name,
            "prefix": vessel.cruise_prefix,
            "operator_id": vessel.operator_id,
            "operator_name": vessel.operator.name,
        },
        "orders": {
            "source": orders.source,
            "sha256": orders.sha256,
            "delivered": base64.b64encode(bytes(orders.delivered)).decode(),
            "document": orders.document,
        },
        "people": list(_people(cruise)),
        "log": {name: list(rows) for name, rows in _prepared(log).items()},
    }
    words["sha256"] = _sum(words)
    # Indented by hand: a person may read what goes on board.
    text = "{\n" + ",\n".join(f"{json.dumps(k)}: {chain.canonical(chain.plain(v))}" for k, v in words.items()) + "\n}\n"
    return Packed(text, str(words["sha256"]))


def _sum(words: Row) -> str:
    covered = {name: value for name, value in words.items() if name != "sha256"}
    return hashlib.sha256(chain.canonical(chain.plain(covered)).encode()).hexdigest()


def _people(cruise: Cruise) -> Iterator[Row]:
    """Accounts of the party and of the operator; those who may log come with the right to."""
    parties = {p.person_id: p for p in cruise.parties.select_related("person").order_by("pk") if p.person_id}
    operators = Appointment.objects.filter(operator=cruise.vessel.operator_id).values_list("person", flat=True)
    for person in Person.objects.filter(Q(pk__in=parties) | Q(pk__in=operators), is_active=True).order_by("uuid"):
        yield {
            "uuid": str(person.uuid),
            "email": person.email,
            "operates": person.pk in set(operators),
            **{name: getattr(person, name) for name in TOLD},
        }


def _prepared(log: Log) -> dict[str, list[Row]]:
    rows = sections.sections_of(log, Seal(log=log))
    found = {name: list(rows[name]) for name in PREPARED}
    found["may_log"] = [
        {"given_name": p.given_name, "family_name": p.family_name, "role": p.role}
        for p in log.cruise.parties.filter(may_log=True).order_by("family_name", "given_name", "role")
    ]
    return found


def import_cruise(*, data: bytes, by: Actor) -> Unpacked:
    """Takes a pack in on board: vessel, orders, people with their invitations, what was prepared of the log.

    The same pack twice changes nothing. Raises NotYou for anybody but the office, NotLikeThis for a pack that is
    altered or none, NotNow where the log here was begun already and differs.
    """
    if not access.is_office(by):
        raise NotYou("A cruise pack brings accounts with it; an administrator or a data manager takes it in.")
    words = _words(data)
    try:
        with transaction.atomic():
            return _unpack(words, by)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise NotLikeThis("The pack lacks something.", [Fault("pack", repr(error)[:300])]) from error


def _words(data: bytes) -> Row:
    try:
        words, _ = boundedjson.load(data, most_bytes=MOST_BYTES)
    except Unreadable as error:
        raise NotLikeThis(f"This is no cruise pack: {error}.") from error
    if not isinstance(words, dict) or words.get("format") != FORMAT:
        raise NotLikeThis("This is no cruise pack.", [Fault("format", "make one with manage.py export_cruise")])
    if words.get("version") != VERSION:
        raise NotLikeThis(f"The pack is of version {words.get('version')!r}; only {VERSION} is understood.")
    if _sum(words) != words.get("sha256"):
        raise NotLikeThis("The pack is not as it was made: its SHA-256 does not fit. Copy it again.")
    return words


def _unpack(words: Row, by: Actor) -> Unpacked:
    vessel, uuid = words["vessel"], uuids.UUID(words["cruise"]["uuid"])
    fleet.register(**vessel, by=by)
    remarks: list[str] = []
    new = [_person(row, vessel["operator_id"], by, remarks) for row in words["people"]]
    given = words["orders"]
    delivered = base64.b64decode(given["delivered"], validate=True)
    if hashlib.sha256(delivered).hexdigest() != given["sha256"]:
        raise NotLikeThis("The orders in the pack are not those that were delivered ashore.")
    outcome = intake.submit(
        document.parse(given["document"].encode()), by=by, source=given["source"], delivered=delivered
    )
    cruise = outcome.cruise
    if cruise.uuid != uuid:
        if logbook.log_of(cruise).revisions.exists():
            raise NotNow(
                f"The log of {cruise} was begun here without this pack; ship and shore would not fit together."
            )
        Cruise.objects.filter(pk=cruise.pk).update(uuid=uuid)
        cruise.uuid = uuid
    _log(cruise, words["log"])
    remarks += _party(cruise, words, by)
    if outcome.outcome != "unchanged" or any(new):
        journal.record(by, "eventlog.unpack", cruise, changes={"sha256": [None, words["sha256"]]})
    return Unpacked(outcome.outcome, cruise, tuple(name for name in new if name), (*outcome.warnings, *remarks))


def _person(row: Row, operator: str, by: Actor, remarks: list[str]) -> str:
    """An account as ashore, still without a password; the name of one that is new here, else nothing."""
    uuid = uuids.UUID(row["uuid"])
    known = Person.objects.filter(Q(uuid=uuid) | Q(email__iexact=row["email"])).first()
    made = ""
    if known is None:
        known = Person.objects.create_user(row["email"], uuid=uuid, **{name: row[name] for name in TOLD})
        made = str(known)
    elif known.uuid != uuid:
        if known.events.exists():
            remarks.append(f"{known} has logged here under another id; ashore the events will carry the name alone")
        else:
            Person.objects.filter(pk=known.pk).update(uuid=uuid)
    if row["operates"]:
        fleet.appoint(person=known, role=Role.OPERATOR, operator=Operator.objects.get(pk=operator), by=by)
    return made


def _party(cruise: Cruise, words: Row, by: Actor) -> list[str]:
    """Who may log; and letters by which those without a password set one."""
    remarks = []
    for row in words["log"]["may_log"]:
        party = Party.objects.filter(
            cruise=cruise, **{n: row[n] for n in ("given_name", "family_name", "role")}
        ).first()
        if party is None:
            remarks.append(f"{row['given_name']} {row['family_name']} may log ashore and is not in the orders")
        else:
            accounts.designate(party=party, may_log=True, by=by, note="from the cruise pack")
    emails = {row["email"].lower(): row for row in words["people"]}
    for party in cruise.parties.exclude(email=""):
        if party.email.lower() in emails and not accounts.link(party) and party.person_id is None:
            accounts.invite(
                cruise=cruise,
                email=party.email,
                subject=f"The event log of {cruise} on board",
                text=f"The event log of cruise {cruise} runs on board. Set a password for it before you log.",
                key=f"pack-{cruise.uuid}-{party.email.lower()}",
                party=party,
            )
    return remarks


def _log(cruise: Cruise, prepared: Row) -> None:
    """What was prepared of the log, with its revisions: the ship's chain goes on where that of the shore stands."""
    log = ledger.locked(logbook.log_of(cruise))
    here = log.revisions.order_by("-sequence").values_list("sequence", "digest").first()
    rows = prepared["revisions"]
    follower = chain.Follower(cruise.cruise_id)
    digests = {}
    for row in rows:
        if faults := list(follower.follow(row)):
            raise NotLikeThis("The chain in the pack does not hold.", [Fault("log", faults[0].why)])
        digests[row["sequence"]] = row["digest"]
    if here is not None:
        if here[0] >= follower.sequence and (
            not rows or log.revisions.get(sequence=follower.sequence).digest == follower.head
        ):
            return
        if digests.get(here[0]) != here[1]:
            raise NotNow(f"The {log} was begun here already and went another way than the pack.")
    writer = Writer(log)
    for name in finalcopy.SECTIONS:
        if name in PREPARED and name != "revisions":
            writer.section(name, iter(prepared[name]))
    writer.tie()
    writer.section("revisions", (row for row in rows if here is None or row["sequence"] > here[0]))
    if findings := verify.check(log).findings:
        raise NotLikeThis("The log in the pack does not hold.", [Fault(f.where, f.says) for f in findings[:20]])
