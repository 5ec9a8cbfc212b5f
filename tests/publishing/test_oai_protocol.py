"""OAI-PMH as a language: what is a request, what is an error, and what a token is worth. No database."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing.oai import protocol
from publishing.oai.protocol import Cursor, Fault

KEY = b"key"
NOW = dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
LIST = {"verb": ["ListRecords"], "metadataPrefix": ["oai_dc"]}
CURSOR = Cursor(
    "ListRecords", "oai_dc", "cruise", "", "2026-01-02T00:00:00+00:00", "2026-01-01T00:00:00+00:00", 7, 2, 9
)


def parse(arguments: dict[str, list[str]], now: dt.datetime = NOW) -> protocol.Request:
    return protocol.parse(arguments, key=KEY, now=now)


def code(arguments: dict[str, list[str]], now: dt.datetime = NOW) -> str:
    with pytest.raises(Fault) as caught:
        parse(arguments, now)
    assert caught.value.message
    return caught.value.code


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"verb": []},
        {"verb": [""]},
        {"verb": ["identify"]},
        {"verb": ["Identify", "Identify"]},
        {"verb": ["GetMetadata"], "identifier": ["oai:a:b"], "metadataPrefix": ["oai_dc"]},
        {"verb": ["Identify\0"]},
        {"verb": ["Identify "]},
    ],
)
def test_bad_verbs(arguments: dict[str, list[str]]) -> None:
    assert code(arguments) == "badVerb"


@pytest.mark.parametrize(
    "arguments",
    [
        {"verb": ["Identify"], "x": ["1"]},
        {"verb": ["Identify"], "identifier": ["oai:a:b"]},
        {"verb": ["Identify"], "resumptionToken": ["x"]},
        {"verb": ["ListRecords"]},
        {"verb": ["GetRecord"], "identifier": ["oai:a:b"]},
        {"verb": ["GetRecord"], "metadataPrefix": ["oai_dc"]},
        {"verb": ["GetRecord"], "identifier": ["a\0b"], "metadataPrefix": ["oai_dc"]},
        {"verb": ["GetRecord"], "identifier": ["a\x0bb"], "metadataPrefix": ["oai_dc"]},
        {"verb": ["GetRecord"], "identifier": ["a\ufffeb"], "metadataPrefix": ["oai_dc"]},
        {"verb": ["GetRecord"], "identifier": ["a\ud800b"], "metadataPrefix": ["oai_dc"]},
        {"verb": ["GetRecord"], "identifier": ["a" * 5000], "metadataPrefix": ["oai_dc"]},
        {"verb": ["GetRecord"], "identifier": ["a", "a"], "metadataPrefix": ["oai_dc"]},
        LIST | {"metadataPrefix": ["oai_dc", "oai_dc"]},
        LIST | {"metadataPrefix": [""]},
        LIST | {"metadataPrefix": ["oai dc"]},
        LIST | {"set": [""]},
        LIST | {"set": ["a:"]},
        LIST | {"set": ["a b"]},
        LIST | {"set": ["ä"]},
        LIST | {"from_": ["2020-01-01"]},
        LIST | {"x\x01": ["1"]},
        LIST | {"resumptionToken": ["x"]},
        LIST | {"from": ["2020-01-02"], "until": ["2020-01-01"]},
        LIST | {"from": ["2020-01-01"], "until": ["2020-01-02T00:00:00Z"]},
        LIST | {"from": ["2020-01-01T00:00:01Z"], "until": ["2020-01-01T00:00:00Z"]},
    ],
)
def test_bad_arguments(arguments: dict[str, list[str]]) -> None:
    assert code(arguments) == "badArgument"


@pytest.mark.parametrize("name", ["from", "until"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020",
        "2020-01",
        "2020-1-2",
        " 2020-01-02",
        "2020-01-02 ",
        "2020-01-02\n",
        "2020-13-01",
        "2020-02-30",
        "2021-02-29",
        "0000-01-01",
        "20200102",
        "+020-01-02",
        "1_9_9_9-01-01",
        "10000000000000000000-01-01",
        "٢٠٢٠-٠١-٠٢",
        "２０２０-01-02",
        "2020-01-02T03:04Z",
        "2020-01-02T03:04:05",
        "2020-01-02T03:04:05z",
        "2020-01-02t03:04:05Z",
        "2020-01-02 03:04:05Z",
        "2020-01-02T03:04:05.1Z",
        "2020-01-02T03:04:05+00:00",
        "2020-01-02T24:00:00Z",
        "2020-01-02T23:60:00Z",
        "2020-01-02T23:59:61Z",
    ],
)
def test_bad_dates(name: str, text: str) -> None:
    assert code(LIST | {name: [text]}) == "badArgument"


def test_good_dates() -> None:
    days = parse(LIST | {"from": ["2020-02-29"], "until": ["2020-02-29"]})
    assert days.since == dt.datetime(2020, 2, 29, tzinfo=dt.UTC)
    assert days.until == dt.datetime(2020, 2, 29, 23, 59, 59, tzinfo=dt.UTC), "a whole day is inside"
    second = parse(LIST | {"from": ["2020-01-02T03:04:05Z"], "until": ["2020-01-02T03:04:05Z"]})
    assert second.since == second.until == dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert parse(LIST | {"from": ["0001-01-01"], "until": ["9999-12-31"]}).until


@given(
    st.dictionaries(
        st.sampled_from(["verb", "identifier", "metadataPrefix", "from", "until", "set", "resumptionToken"])
        | st.text(),
        st.lists(
            st.sampled_from([*protocol.VERBS, "oai_dc", "2020-01-01", "2020-01-01T00:00:00Z"]) | st.text(), max_size=2
        ),
        max_size=5,
    )
)
def test_any_arguments_are_a_request_or_a_fault_of_the_protocol(arguments: dict[str, list[str]]) -> None:
    told = None
    try:
        parse(arguments)
    except Fault as fault:
        told = fault
    if told is not None:
        assert told.code in {"badVerb", "badArgument", "badResumptionToken"}
        assert not protocol.UNPRINTABLE.search(told.message)


# --- tokens ----------------------------------------------------------------------------------------------------------


def _resume(text: str, verb: str = "ListRecords") -> dict[str, list[str]]:
    return {"verb": [verb], "resumptionToken": [text]}


def test_a_token_brings_the_list_back() -> None:
    text, expires = protocol.token(CURSOR, key=KEY, now=NOW)
    found = parse(_resume(text))
    assert found.cursor == CURSOR
    assert (found.prefix, found.spec, found.since) == ("oai_dc", "cruise", None)
    assert found.until == dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert expires == NOW + protocol.TOKEN_LIFE
    assert parse(_resume(text), expires).cursor == CURSOR


def test_a_token_is_short_enough_for_an_address() -> None:
    long = replace(
        CURSOR,
        verb="ListIdentifiers",
        prefix="iso19115-2",
        spec="operator:org.example.ships.of.many",
        since="2026-01-01T00:00:00+00:00",
        key=10**9,
        seen=10**7,
        size=10**7,
    )
    assert len(protocol.token(long, key=KEY, now=NOW)[0]) < 400


def test_tokens_that_are_not_ours_not_any_more_or_of_another_list() -> None:
    text, expires = protocol.token(CURSOR, key=KEY, now=NOW)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    changed = raw.replace(b",7,2,9,", b",7,0,9,")
    assert changed != raw
    forged = [
        base64.urlsafe_b64encode(changed).decode().rstrip("="),
        base64.urlsafe_b64encode(raw[:16]).decode().rstrip("="),
        base64.urlsafe_b64encode(b"\0" * 16 + json.dumps(["ListRecords"]).encode()).decode(),
        protocol.token(CURSOR, key=b"another key", now=NOW)[0],
        text[:-3],
        "",
        "=",
        "a",
        "ä",
        "metadataPrefix%3Doai_dc%26cursor%3D-120",
    ]
    for one in forged:
        assert code(_resume(one)) == "badResumptionToken", one
    assert code(_resume(text, "ListIdentifiers")) == "badResumptionToken"
    assert code(_resume(text, "ListSets")) == "badResumptionToken"
    assert code(_resume(text), expires + dt.timedelta(seconds=1)) == "badResumptionToken"
    assert code({"verb": ["ListRecords"], "resumptionToken": [text, text]}) == "badArgument"


@given(st.binary(max_size=80) | st.text(max_size=80))
def test_no_made_up_token_is_taken(made_up: bytes | str) -> None:
    text = base64.urlsafe_b64encode(made_up).decode() if isinstance(made_up, bytes) else made_up
    assert code(_resume(text)) in {"badResumptionToken", "badArgument"}


def test_what_an_error_echoes() -> None:
    asked = {"verb": ["GetRecord"], "identifier": ["oai:a:b"], "metadataPrefix": ["<x>"], "other": ["1"]}
    assert protocol.echo_allowed(protocol.unknown_item("no"), asked) == {"identifier": "oai:a:b"}
    assert protocol.echo_allowed(protocol.bad_argument("no"), asked) == {}
    assert protocol.echo_allowed(protocol.bad_verb("no"), asked) == {}


def test_everything_is_escaped() -> None:
    answer = protocol.envelope("http://a/?b&c", NOW, "", verb="GetRecord", arguments={"identifier": "a\"'<>&"})
    assert b"http://a/?b&amp;c" in answer
    assert b"2026-05-04T03:02:01Z" in answer
    assert b"&lt;&gt;&amp;" in answer
    assert "&lt;" in protocol.header("<a>", NOW, [], deleted=False)
