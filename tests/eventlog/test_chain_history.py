"""Any past state is shown: of an event, and of the whole log."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog import chain, history, logbook, replay
from eventlog.models import Event
from tests import make

pytestmark = pytest.mark.django_db


def test_every_past_state_of_an_event_is_shown():
    event, chief, watch = make.event(), make.person("chief"), make.person("watch")
    event = logbook.revise(event=event, by=chief, fields={"station": "002"}, reason="miscounted")
    event = logbook.strike(event=event, by=watch)
    event = logbook.restore(event=event, by=watch)
    event = logbook.revise(event=event, by=watch, fields={"station": "003", "latitude": None, "longitude": None})
    sequences = [revision.sequence for revision in history.revisions_of(event)]
    states = [history.as_of(event, sequence) for sequence in sequences]
    assert [s["station"] for s in states] == ["001", "002", "002", "002", "003"]
    assert [s["struck"] for s in states] == [False, False, True, False, False]
    assert [s["latitude"] for s in states] == [36.5] * 4 + [None]
    assert history.as_of(event, sequences[0] - 1) == {}
    assert states[-1] == history.content("event", Event.objects.get(pk=event.pk))


def test_the_whole_log_as_it_was():
    first = make.event()
    log, watch = first.log, make.person("watch")
    before = history.revisions_of(first)[0]
    second = make.event(log, instrument="Net")
    logbook.revise(event=first, by=watch, fields={"comment": "rough"})
    then = {uuid: told for kind, uuid, told in history.log_as_of(log, before.sequence) if kind == "event"}
    assert set(then) == {first.uuid}
    assert then[first.uuid]["comment"] == "calm"
    now = {uuid: told for kind, uuid, told in history.log_as_of(log, 10**9) if kind == "event"}
    assert now[first.uuid]["comment"] == "rough"
    assert now[second.uuid]["instrument"] == "Net"
    assert history.sequence_at(log, before.at) >= before.sequence
    assert history.sequence_at(log, before.at - dt.timedelta(days=1)) == 0


def test_what_was_never_told_has_the_value_of_a_new_row():
    blank = history.content("event", Event(), measurements=[])
    assert blank == replay.CONTENT["event"]
    for kind, table in history.TABLES.items():
        if kind != "event":
            row = table()
            fresh = history.content(kind, row)
            told = {name: value for name, value in replay.CONTENT[kind].items() if value not in (None, "", 0)}
            assert {name: fresh[name] for name in told} == told


def test_what_an_import_of_old_brought_is_known_from_its_adoption():
    rows = [
        {"verb": "import", "number": 1, "sequence": 1, "changes": {}},
        {"verb": "revise", "number": 2, "sequence": 4, "changes": {"station": ["1", "2"]}},
        {"verb": "adopt", "number": 3, "sequence": 7, "changes": {"station": [None, "2"], "cast": [None, "9"]}},
        {"verb": "revise", "number": 4, "sequence": 8, "changes": {"cast": ["9", "10"]}},
    ]
    assert replay.state(rows, 0) == {}
    assert replay.state(rows, 1) == {"station": "1", "cast": "9"}
    assert replay.state(rows, 6) == {"station": "2", "cast": "9"}
    assert replay.state(rows) == {"station": "2", "cast": "10"}


NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25)


@given(NUMBER)
def test_a_number_reads_the_same_however_a_database_returns_it(value):
    """PostgreSQL keeps JSON numbers as decimals, written without exponent; SQLite keeps the text."""
    import json
    from decimal import Decimal

    text = f"{Decimal(json.dumps(value)):f}"
    assert chain.canonical(json.loads(text)) == chain.canonical(value)
