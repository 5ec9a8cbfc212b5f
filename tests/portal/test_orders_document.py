"""Sailing orders as a document: read, written, compared, and refused with line and element."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.orders import document
from portal.orders.document import Change, Device, Grant, Member, Orders, PortCall, SurveyTarget
from portal.refusals import NotLikeThis

CHIEF = Member("Rahman", "Noor", "scientist_chief", "Institute of Sounding", "chief@example.org")
ORDERS = Orders(
    id="TS2601",
    title="A section across the front",
    vessel_id="ZZTS",
    operator_id="org.example.ships",
    depart_date=dt.date(2026, 3, 2),
    depart_port=PortCall("PTPDL", "Ponta Delgada", "PT", "", -25.66, 37.735),
    arrive_date=dt.date(2026, 3, 11),
    arrive_port=PortCall("PTFNC", "Funchal", "PT"),
    party=(CHIEF, Member("Keane", "Sam", "technician")),
)


def xml(**changes: object) -> str:
    return document.render(dataclasses.replace(ORDERS, **changes))


def refusal(data: bytes | str) -> NotLikeThis:
    with pytest.raises(NotLikeThis) as caught:
        document.parse(data.encode() if isinstance(data, str) else data)
    return caught.value


def line_of(text: str, element: str) -> int:
    return text[: text.index(f"<{element}>")].count("\n") + 1


# --- what is written can be read ------------------------------------------------------------------------------------

WORDS = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=40)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
DEGREES = st.floats(-90, 90, allow_nan=False)
PORTS = st.builds(PortCall, WORDS.map(lambda t: t[:20].strip()), WORDS, st.sampled_from(["", "PT", "USA"]))
PLACES = st.one_of(st.builds(SurveyTarget, WORDS, WORDS, DEGREES, DEGREES), st.builds(SurveyTarget, WORDS, st.just("")))


def distinct(records: st.SearchStrategy, name: str) -> st.SearchStrategy:
    return st.lists(records, max_size=3, unique_by=lambda record: getattr(record, name)).map(tuple)


MANY_ORDERS = st.builds(
    Orders,
    id=st.from_regex(r"\A[A-Za-z0-9-]{3,32}\Z"),
    title=WORDS,
    vessel_id=st.just("ZZTS"),
    operator_id=st.just("org.example.ships"),
    depart_date=st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1)),
    depart_port=PORTS,
    arrive_date=st.just(dt.date(2040, 1, 1)),
    arrive_port=PORTS,
    party=distinct(st.builds(Member, WORDS, WORDS, st.just("student"), WORDS), "family_name").map(
        lambda p: (CHIEF, *p)
    ),
    type=st.sampled_from(["research", "transit"]),
    summary=st.lists(WORDS, max_size=3).map("\n".join),
    awards=distinct(st.builds(Grant, WORDS, WORDS), "number"),
    targets=distinct(PLACES, "name"),
    instruments=distinct(st.builds(Device, WORDS, WORDS), "name"),
).map(lambda made: dataclasses.replace(made, arrive_date=made.depart_date + dt.timedelta(days=9)))


@settings(max_examples=60, deadline=None, database=None)
@given(MANY_ORDERS)
def test_what_is_written_reads_the_same(orders: Orders):
    assert document.parse(document.render(orders).encode()) == orders


def test_a_tiny_number_is_written_without_an_exponent():
    target = SurveyTarget("Null Island", "", 0.00001, -0.0000002)
    assert "1e-05" not in xml(targets=(target,))
    assert document.parse(xml(targets=(target,)).encode()).targets == (target,)


def test_the_digest_tells_what_orders_mean_and_not_how_they_were_written():
    other_hand = xml().replace("  ", "\t").replace("<cruise>", "<!-- by hand --><cruise>")
    assert other_hand != xml()
    assert document.digest(document.parse(other_hand.encode())) == document.digest(ORDERS)
    assert document.digest(dataclasses.replace(ORDERS, title="Another")) != document.digest(ORDERS)


def test_control_characters_do_not_break_the_document():
    assert document.parse(xml(title="A\x0b section\x01").encode()).title == "A section"


# --- faults with their place ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "element"),
    [
        ("<vessel_id>ZZTS<", "<vessel_id>Tester<", "vessel_id"),
        ("<depart_date>2026-03-02<", "<depart_date>2 March<", "depart_date"),
        ("<longitude>-25.66<", "<longitude>-255.66<", "longitude"),
        ("<role>technician<", "<role>cook<", "role"),
        ("<email>chief@example.org<", "<email>chief at example<", "email"),
        ("<id>TS2601<", "<id>TS/2601<", "id"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_line_and_element(right: str, wrong: str, element: str):
    assert right in xml()
    broken = xml().replace(right, wrong)
    faults = refusal(broken).faults
    line = broken[: broken.index(wrong)].count("\n") + 1
    assert (element, line) in [(fault.where, fault.line) for fault in faults]
    assert all("urn:leadline" not in fault.what for fault in faults)


def test_an_element_that_is_missing_is_named():
    faults = refusal(xml().replace("  <title>A section across the front</title>\n", "").replace("<title>", "")).faults
    assert any("title" in fault.what for fault in faults)


def test_every_fault_is_told_at_once():
    broken = xml().replace("ZZTS", "Tester").replace("2026-03-02", "soon").replace("technician", "cook")
    assert {fault.where for fault in refusal(broken).faults} >= {"vessel_id", "depart_date", "role"}


def test_dates_reversed():
    broken = xml().replace("2026-03-11", "2026-02-11")
    (fault,) = refusal(broken).faults
    assert (fault.where, fault.line) == ("arrive_date", line_of(broken, "arrive_date"))
    assert "2026-02-11" in fault.what


def test_a_cruise_of_years_is_a_typing_error():
    assert "400 days" in str(refusal(xml(arrive_date=dt.date(2028, 3, 2))))


@pytest.mark.parametrize(("role", "count"), [("scientist", 0), ("scientist_chief", 2)])
def test_one_chief_scientist_and_not_another_number(role: str, count: int):
    party = (dataclasses.replace(CHIEF, role=role), Member("Second", "A", role, "Elsewhere"))
    broken = xml(party=party)
    (fault,) = refusal(broken).faults
    assert (fault.where, fault.line) == ("party", line_of(broken, "party"))
    assert f"names {count} chief" in fault.what


def test_a_chief_scientist_without_an_institution():
    assert "needs an institution" in str(refusal(xml(party=(dataclasses.replace(CHIEF, institution=""),))))


def test_names_given_twice():
    twice = (Device("CTD", "ctd"), Device("CTD", "ctd"))
    assert "CTD is given twice" in str(refusal(xml(instruments=twice)))


def test_half_a_position_is_refused():
    assert "half of a position" in str(refusal(xml(arrive_port=PortCall("PTFNC", "Funchal", latitude=32.6))))


# --- hostile and foreign documents ----------------------------------------------------------------------------------

BOMB = "<!DOCTYPE b [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10 if n else '&a;'}'>" for n in range(12)
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    ("declaration", "entity"),
    [(BOMB + "]>", "&a11;"), ('<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"), ("<!DOCTYPE x>", "A")],
    ids=["entity bomb", "external entity", "empty"],
)
def test_a_dtd_is_refused_before_it_is_read(encoding: str, declaration: str, entity: str):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n{declaration}{xml(title="TITLE")}'
    started = time.monotonic()
    refused = refusal(text.replace("TITLE", entity).encode(encoding))
    assert "DTD" in refused.reason
    assert [fault.line for fault in refused.faults] == [2]
    assert time.monotonic() - started < 2
    assert "root:" not in str(refused)


def test_a_dtd_hidden_by_its_encoding_is_refused():
    hidden = b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x [+ADwAIQ-ENTITY a "b">]>'
    refused = refusal(hidden + xml(title="TITLE").replace("TITLE", "+ACY-a+ADs-").encode())
    assert refused.reason.startswith("The document declares a DTD") or "not well-formed" in refused.reason


def test_a_hundred_megabytes_are_refused_without_being_read():
    data = b"<" + b" " * (100 * 1024 * 1024)
    started = time.monotonic()
    assert "bytes" in refusal(data).reason
    assert time.monotonic() - started < 0.5


def test_the_size_limit_lies_where_it_is_said():
    padding = document.SIZE_LIMIT - len(xml().encode())
    assert document.parse(xml().encode() + b" " * padding).id == "TS2601"
    assert "bytes" in refusal(xml().encode() + b" " * (padding + 1)).reason


def test_too_many_elements_and_too_deep_ones_are_refused():
    assert "elements" in refusal("<a>" + "<b/>" * document.NODE_LIMIT + "</a>").reason
    assert "not well-formed" in refusal("<a>" * 100_000).reason


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04zip", b"\xff\xfe\x00", b"Dear all, we sail", b"<a><b></a>"])
def test_what_is_not_xml_is_refused(data: bytes):
    refused = refusal(data)
    assert "XML" in refused.reason
    assert refused.faults[0].line


def test_another_documents_root_is_named():
    assert refusal("<rss/>").faults[0].where == "rss"
    other = xml().replace(document.NAMESPACE, "urn:leadline:sailing-orders:9")
    assert document.NAMESPACE in refusal(other).faults[0].what


# --- amendments -----------------------------------------------------------------------------------------------------


def test_the_same_orders_have_no_changes():
    assert document.compare(ORDERS, document.parse(xml().encode())) == []


def test_changes_are_told_field_by_field():
    after = dataclasses.replace(
        ORDERS,
        title="Two sections",
        arrive_port=PortCall("PTLIS", "Funchal", "PT"),
        party=(CHIEF, Member("Haugen", "Per", "scientist")),
    )
    assert document.compare(ORDERS, after) == [
        Change("title", "A section across the front", "Two sections"),
        Change("arrive_port/port_id", "PTFNC", "PTLIS"),
        Change("party/Sam Keane/family_name", "Keane", None),
        Change("party/Sam Keane/given_name", "Sam", None),
        Change("party/Sam Keane/role", "technician", None),
        Change("party/Per Haugen/family_name", None, "Haugen"),
        Change("party/Per Haugen/given_name", None, "Per"),
        Change("party/Per Haugen/role", None, "scientist"),
    ]
