"""Taking in sailing orders: created, amended, unchanged, refused; and the command that does it."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal import voyage
from portal.access import CONSOLE
from portal.models import Cruise, JournalEntry, Party, Person, SailingOrders
from portal.orders import document, intake
from portal.orders.document import Member, Orders
from portal.orders.intake import Outcome
from portal.refusals import NotLikeThis, NotNow, NotYou, Refusal
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Half a second of hashing for each of the people would be most of the time of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def submit(orders: Orders, by: Person | None = None) -> Outcome:
    return intake.submit(orders, by=by or CONSOLE, source="form")


def counts() -> tuple[int, int]:
    return SailingOrders.objects.count(), JournalEntry.objects.count()


def test_first_orders_make_the_cruise_with_all_that_they_say():
    outcome = submit(make.orders("TS2601"))
    cruise = outcome.cruise
    assert (outcome.outcome, outcome.number, outcome.changes, outcome.warnings) == ("created", 1, (), ())
    assert (cruise.state, cruise.public_at, str(cruise.depart_port)) == ("planned", None, "Ponta Delgada, PT")
    assert [party.name for party in cruise.chief_scientists] == ["Noor Rahman"]
    assert cruise.parties.count() == 3
    assert [award.number for award in cruise.awards.all()] == ["OCE-1"]
    assert [target.longitude for target in cruise.targets.all()] == [-24.5]
    assert [instrument.name for instrument in cruise.instruments.all()] == ["CTD", "Multibeam"]
    assert JournalEntry.objects.filter(verb="orders.submit", cruise=cruise).count() == 1


def test_what_was_delivered_is_kept_byte_for_byte():
    data = b"<!-- mine -->" + document.render(make.orders("TS2601")).encode()
    outcome = intake.submit_xml(data, by=make.person("operator"))
    kept = outcome.cruise.orders.get()
    assert bytes(kept.delivered) == data
    assert document.parse(kept.document.encode()) == make.orders("TS2601") == intake.current(outcome.cruise)
    assert (kept.received_by, kept.source) == (make.person("operator"), "xml")


def test_the_same_orders_twice_change_nothing():
    submit(make.orders("TS2601"))
    before = counts()
    again = submit(make.orders("TS2601"))
    assert (again.outcome, again.number, again.changes) == ("unchanged", 1, ())
    assert counts() == before


def test_the_id_is_the_same_whatever_its_capitals():
    first = submit(make.orders("TS2601"))
    before = counts()
    again = submit(make.orders("ts2601"))
    assert (again.outcome, again.cruise.pk) == ("unchanged", first.cruise.pk)
    assert counts() == before
    amended = submit(make.orders("ts2601", title="Two sections"))
    assert [change.field for change in amended.changes] == ["title"]
    assert Cruise.objects.get().cruise_id == intake.current(amended.cruise).id == "TS2601"


def test_an_amendment_lists_what_it_changes_and_keeps_account_and_right_to_log():
    cruise = make.cruise("TS2601")
    first = make.orders("TS2601")
    chief, watch, _ = first.party
    party = (chief, dataclasses.replace(watch, institution="Elsewhere"), Member("New", "Nora"))
    outcome = submit(dataclasses.replace(first, title="Two sections", party=party, awards=()))
    assert (outcome.outcome, outcome.number) == ("amended", 2)
    told = {change.field: (change.before, change.after) for change in outcome.changes}
    assert told["title"] == ("A section across the front", "Two sections")
    assert told["party/Sam Keane/institution"] == ("Institute of Sounding", "Elsewhere")
    assert told["party/Per Haugen/family_name"] == ("Haugen", None)
    assert told["awards/OCE-1/number"] == ("OCE-1", None)
    assert cruise.orders.get(number=2).changes[0] == dataclasses.asdict(outcome.changes[0])
    assert JournalEntry.objects.get(verb="orders.amend").changes["title"][1] == "Two sections"
    kept = Party.objects.get(cruise=cruise, family_name="Keane")
    assert (kept.person, kept.may_log, kept.institution) == (make.person("watch"), True, "Elsewhere")
    assert sorted(cruise.parties.values_list("family_name", flat=True)) == ["Keane", "New", "Rahman"]
    assert cruise.awards.count() == 0


def test_a_member_without_account_gets_it_when_the_next_orders_come():
    cruise = submit(make.orders("TS2601")).cruise
    assert cruise.parties.get(family_name="Keane").person is None
    make.person("watch")
    submit(make.orders("TS2601", title="Two sections"))
    assert cruise.parties.get(family_name="Keane").person == make.person("watch")


def test_an_address_that_was_not_proved_is_not_linked():
    Person.objects.create_user("watch@example.org", make.PASSWORD)
    cruise = submit(make.orders("TS2601")).cruise
    assert cruise.parties.get(family_name="Keane").person is None


def test_oddities_are_warned_of():
    submit(make.orders("TS2601"))
    port = dataclasses.replace(make.orders().depart_port, port_name="Horta")
    warnings = submit(make.orders("XX1", depart_port=port)).warnings
    assert "usually begin with TS" in warnings[0]
    assert "registered as Ponta Delgada" in warnings[1]
    assert len(warnings) == 2


def test_an_unknown_vessel_is_refused_and_the_known_ones_are_named():
    with pytest.raises(NotLikeThis) as refused:
        submit(make.orders(vessel_id="ZZXX"))
    assert "ZZTS Tester" in refused.value.faults[0].what
    assert Cruise.objects.count() == 0


def test_the_wrong_operator_is_refused_with_its_line():
    text = document.render(make.orders(operator_id="org.example.other"))
    with pytest.raises(NotLikeThis) as refused:
        intake.submit_xml(text.encode(), by=CONSOLE)
    (fault,) = refused.value.faults
    assert fault.where == "operator_id"
    assert fault.line == text[: text.index("<operator_id>")].count("\n") + 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("party", (Member("Rahman", "Noor", "scientist_chief", "Institute", "chief@localhost"),)),
        ("type", "pleasure"),
    ],
)
def test_what_the_schema_would_not_read_again_is_not_taken_in(field: str, value: Any):
    with pytest.raises(NotLikeThis) as refused:
        submit(make.orders("TS2601", **{field: value}))
    assert refused.value.faults
    assert all(fault.line is None for fault in refused.value.faults)
    assert counts()[0] == 0


@pytest.mark.parametrize("name", ["admin", "manager", "operator"])
def test_office_and_operator_may_submit(name: str):
    assert submit(make.orders(), make.person(name)).outcome == "created"


@pytest.mark.parametrize("name", ["rival", "chief", "watch", "expert", "stranger"])
def test_others_may_not_submit(name: str):
    with pytest.raises(NotYou):
        submit(make.orders(), make.person(name))
    assert counts()[0] == 0


@pytest.mark.parametrize("name", ["admin", "manager", "operator", "chief"])
def test_office_operator_and_chief_may_amend(name: str):
    make.cruise("TS2601")
    assert submit(make.orders("TS2601", title="Two"), make.person(name)).outcome == "amended"


@pytest.mark.parametrize("name", ["rival", "watch", "expert", "stranger"])
def test_others_may_not_amend_nor_learn_whether_orders_are_the_same(name: str):
    make.cruise("TS2601")
    for title in ("Two", make.orders("TS2601").title):
        with pytest.raises(NotYou):
            submit(make.orders("TS2601", title=title), make.person(name))
    assert Cruise.objects.get().title != "Two"


def test_nobody_but_the_office_takes_a_cruise_to_another_operators_ship():
    make.cruise("TS2601")
    other = make.rival_vessel()
    moved = make.orders("TS2601", vessel_id=other.pk, operator_id=other.operator_id)
    for name in ("operator", "chief", "rival"):
        with pytest.raises(NotYou):
            submit(moved, make.person(name))
    assert submit(moved, make.person("manager")).cruise.vessel == other


def test_a_cancelled_cruise_is_not_amended_before_it_is_reinstated():
    cruise = make.cruise("TS2601", state="cancelled")
    with pytest.raises(NotNow, match="reinstate"):
        submit(make.orders("TS2601", title="Two"))
    assert submit(make.orders("TS2601")).outcome == "unchanged"
    voyage.reinstate(cruise=cruise, by=CONSOLE)
    assert submit(make.orders("TS2601", title="Two")).outcome == "amended"


def test_an_approved_record_is_not_amended():
    cruise = make.cruise("TS2601")
    Cruise.objects.filter(pk=cruise.pk).update(approved_at=timezone.now())
    with pytest.raises(NotNow, match="approved"):
        submit(make.orders("TS2601", title="Two"))
    assert Cruise.objects.get().title != "Two"


# --- the command ----------------------------------------------------------------------------------------------------


def ingest(*words: str) -> str:
    out = io.StringIO()
    call_command("ingest_orders", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.xml"
    path.write_text(document.render(make.orders("TS2601")))
    return path


def test_the_command_tells_created_unchanged_and_amended(file: Path):
    assert ingest(str(file)) == "TS2601: created (orders 1)\n"
    before = counts()
    assert ingest(str(file)) == "TS2601: unchanged (orders 1)\n"
    assert counts() == before
    file.write_text(document.render(make.orders("TS2601", title="Two sections")))
    assert "  title: A section across the front -> Two sections\n" in ingest(str(file))


def test_the_command_reads_standard_input_and_answers_json(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    answer = json.loads(ingest("-", "--json", "--by", make.person("operator").email))
    assert answer == {"outcome": "created", "cruise": "TS2601", "orders": 1, "changes": [], "warnings": []}
    assert SailingOrders.objects.get().received_by == make.person("operator")


def test_the_command_names_line_and_element_of_a_fault(file: Path):
    file.write_text(file.read_text().replace("ZZTS", "Tester"))
    with pytest.raises(CommandError, match=r"line \d+, vessel_id"):
        ingest(str(file))


def test_the_command_answers_a_refusal_as_json_with_status_1(file: Path):
    file.write_text(file.read_text().replace("ZZTS", "ZZXX"))
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("ingest_orders", str(file), "--json", stdout=out)
    body = json.loads(out.getvalue())
    assert (ended.value.code, body["status"], body["errors"][0]["field"]) == (1, 422, "vessel_id")
    assert body["errors"][0]["line"] > 1


def test_the_command_acts_with_the_rights_of_a_person(file: Path):
    with pytest.raises(CommandError, match="operate its vessels"):
        ingest(str(file), "--by", make.person("stranger").email)
    with pytest.raises(CommandError, match="no active account"):
        ingest(str(file), "--by", "nobody@example.org")


def test_the_command_says_that_a_file_cannot_be_read(tmp_path: Path):
    with pytest.raises(CommandError, match="cannot be read"):
        ingest(str(tmp_path / "none.xml"))


def test_a_cruise_without_orders_says_so():
    cruise = make.cruise()
    cruise.orders.all().delete()
    with pytest.raises(Refusal, match="no sailing orders"):
        intake.current(cruise)
