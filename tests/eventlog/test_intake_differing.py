"""Rows that differ, imports that are taken back, and buttons out of an import."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from eventlog import chain, intake, ledger, logbook
from eventlog.exchange.mapped import Columns
from eventlog.intake import verbs, writing
from eventlog.models import Event, Import, Log
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
MAPPING = Columns.of(
    {
        "number": "id",
        "observed_at": "time",
        "instrument": "gear",
        "action": "what",
        "latitude": "lat",
        "longitude": "lon",
        "comment": "note",
        "cast": "cast",
        "ended_at": "end",
        "author": "who",
    }
)
HEADER = "id,time,end,gear,what,lat,lon,cast,who,note,salinity\n"
FIRST = "a1,2026-03-04T10:00Z,,CTD,deploy,36.5,-25.0,001,mt,calm,35.1\n"
SECOND = "a2,2026-03-04T11:00Z,,CTD,recover,36.6,-25.1,001,mt,,\n"


def take(log: Log, text: str, **more: Any) -> intake.Report:
    return intake.import_events(
        log=log, name="hand.csv", data=text.encode(), columns=MAPPING, by=more.pop("by", CONSOLE), **more
    )


@pytest.fixture
def log():
    made = make.log()
    assert take(made, HEADER + FIRST + SECOND).counts == {"new": 2}
    return made


def event(log: Log, number: str) -> Event:
    return log.events.get(number=number)


def intact(log: Log) -> bool:
    """Whether the chain of revisions holds, without a hole."""
    previous = ""
    for place, row in enumerate(log.revisions.order_by("sequence"), start=1):
        words = ledger.words(row, log.cruise.cruise_id)
        if (row.sequence, row.previous, row.digest) != (place, previous, chain.digest(words)):
            return False
        previous = row.digest
    return bool(previous)


def test_events_are_whole(log):
    first = event(log, "a1")
    assert (first.instrument, first.author_name, first.author, first.source) == ("CTD", "mt", None, "table")
    assert [(m.name, m.value) for m in first.measurements.all()] == [("salinity", "35.1")]
    assert first.original["salinity"] == "35.1"
    revision = first.revisions.get()
    assert revision.changes["measurements"][1] == [["file", "salinity", "35.1", ""]]
    assert revision.reason == "import 1: hand.csv"
    assert log.operations.get().cast == "001"
    assert first.operation == event(log, "a2").operation == log.operations.get()


def test_differing_rows_become_revisions_on_request_only(log):
    changed = HEADER + FIRST.replace("calm", "rough").replace("36.5", "36.75") + SECOND
    kept = take(log, changed)
    assert kept.counts == {"differs": 1, "same": 1}
    (row,) = [row for row in kept.rows if row.result == "differs"]
    assert row.differs == {"comment": ("calm", "rough"), "latitude": (36.5, 36.75), "longitude": (-25.0, -25.0)}
    assert event(log, "a1").revision == 1
    tried = take(log, changed, differing="revise", dry_run=True)
    assert tried.counts == {"revised": 1, "same": 1}
    assert event(log, "a1").revision == 1
    report = take(log, changed, differing="revise")
    assert report.counts == {"revised": 1, "same": 1}
    stands = event(log, "a1")
    assert (stands.comment, stands.latitude, stands.revision) == ("rough", 36.75, 2)
    revision = stands.revisions.get(number=2)
    assert (revision.verb, revision.reason) == ("revise", "import 3: hand.csv")
    assert revision.changes["comment"] == ["calm", "rough"]
    assert set(revision.changes) == {"comment", "latitude"}
    assert take(log, changed).counts == {"same": 2}
    assert intact(log)


def test_a_new_time_of_an_event_moves_its_operation(log):
    take(log, HEADER + FIRST.replace("10:00Z", "09:30Z"), differing="revise")
    assert log.operations.get().started_at == dt.datetime(2026, 3, 4, 9, 30, tzinfo=dt.UTC)


def test_what_a_file_cannot_say_or_leaves_out_does_not_differ(log):
    first = event(log, "a1")
    logbook.revise(event=first, by=CONSOLE, fields={"extra": {"wire_m": 12}})
    loose = HEADER + FIRST.replace(",mt,", ",,").replace("001", "1").replace("36.5,", "36.5000001,")
    assert take(log, loose).counts == {"same": 1}


def test_a_derived_position_counts_as_said():
    log = make.log()
    take(log, HEADER + FIRST.replace("36.5,-25.0", ","))
    log.events.update(nav_latitude=36.5, nav_longitude=-25.0, nav_method="exact")
    assert take(log, HEADER + FIRST).counts == {"same": 1}
    assert take(log, HEADER + FIRST.replace("36.5,-25.0", ",")).counts == {"same": 1}
    assert take(log, HEADER + FIRST.replace("36.5", "36.9")).counts == {"differs": 1}


def test_a_struck_event_is_not_brought_back(log):
    logbook.strike(event=event(log, "a1"), by=CONSOLE)
    report = take(log, HEADER + FIRST.replace("calm", "rough") + SECOND, differing="revise")
    assert [(row.result, row.message) for row in report.rows] == [("differs", "it is struck in the log"), ("same", "")]
    assert event(log, "a1").struck_at


def test_two_rows_with_one_number_are_both_kept():
    log = make.log()
    text = HEADER + FIRST + FIRST.replace("calm", "rough") + FIRST + FIRST.replace("calm", "rough")
    report = take(log, text)
    assert [(row.number, row.result) for row in report.rows] == [
        ("a1", "new"),
        ("a1-2", "new"),
        ("a1", "same"),
        ("a1", "same"),
    ]
    assert take(log, text).counts == {"same": 4}
    assert log.events.count() == 2


def test_a_row_without_a_number_is_the_same_when_it_comes_again():
    data = b"Instrument,Action,Event,dateTime8601\nCTD,deploy,,2026-03-04T10:00:00Z\nCTD,deploy,,2026-03-04T10:00:00Z\n"
    log = make.log()
    for expected in ({"new": 1, "same": 1}, {"same": 2}):
        report = intake.import_events(log=log, name="r2r.csv", data=data, by=CONSOLE)
        assert report.counts == expected


def test_refused_rows_name_their_column_and_the_rest_comes_in():
    log = make.log()
    report = take(log, HEADER + FIRST.replace("2026-03-04T10:00Z", "soon") + SECOND)
    assert report.counts == {"refused": 1, "new": 1}
    assert (report.rows[0].column, report.rows[0].line) == ("time", 2)


def test_an_import_in_pieces_is_one_import(monkeypatch):
    monkeypatch.setattr(verbs, "PIECE", 7)
    monkeypatch.setattr(verbs, "MOST_GATHERED", 30)
    log = make.log()
    rows = [f"n{n},2026-03-04T10:{n:02d}Z,,CTD,other,,,,,,\n" for n in range(50)]
    assert take(log, HEADER + "".join(rows)).counts == {"new": 50}
    (made,) = log.imports.all()
    ((first, last),) = made.spans
    assert last - first == 49
    assert len(intake.report_of(made).rows) == 50
    assert intact(log)


def test_an_interrupted_import_goes_on_when_it_is_sent_again(monkeypatch):
    monkeypatch.setattr(verbs, "PIECE", 1)
    log = make.log()
    real = writing.record
    calls = []

    def failing(*args: Any, **more: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return real(*args, **more)

    monkeypatch.setattr(writing, "record", failing)
    with pytest.raises(RuntimeError):
        take(log, HEADER + FIRST + SECOND)
    assert (log.events.count(), log.imports.get().finished_at) == (1, None)
    assert take(log, HEADER + FIRST + SECOND).counts == {"same": 1, "new": 1}
    intake.undo_import(imported=log.imports.get(number=1), by=CONSOLE, reason="half")
    assert event(log, "a1").struck_at
    assert event(log, "a2").struck_at is None


# --- taking back ----------------------------------------------------------------------------------------------------


def test_an_import_is_taken_back_as_a_whole(log):
    take(log, HEADER + FIRST.replace("calm", "rough").replace("001", "007"), differing="revise")
    second = log.imports.get(number=2)
    assert intake.undo_import(imported=second, by=CONSOLE, reason="wrong file") == {
        "struck": 0,
        "given back": 1,
        "left": 0,
    }
    first = event(log, "a1")
    assert (first.comment, first.cast, first.revision) == ("calm", "001", 3)
    counts = intake.undo_import(imported=log.imports.get(number=1), by=CONSOLE, reason="wrong cruise")
    assert counts["struck"] == 2
    assert not log.events.standing().exists()
    assert log.events.count() == 2
    assert {row.reason for row in log.revisions.filter(verb="strike")} == {"wrong cruise"}
    with pytest.raises(NotNow, match="already"):
        intake.undo_import(imported=Import.objects.get(pk=second.pk), by=CONSOLE, reason="again")
    assert intact(log)


def test_what_somebody_revised_after_the_import_is_left(log):
    take(log, HEADER + FIRST.replace("calm", "rough"), differing="revise")
    logbook.revise(event=event(log, "a1"), by=CONSOLE, fields={"comment": "a swell"})
    counts = intake.undo_import(imported=log.imports.get(number=2), by=CONSOLE, reason="no")
    assert counts == {"struck": 0, "given back": 0, "left": 1}
    assert event(log, "a1").comment == "a swell"


@pytest.mark.parametrize(("name", "allowed"), [("chief", True), ("operator", True), ("watch", False), ("rival", False)])
def test_who_may_take_back(log, name, allowed):
    imported = log.imports.get()
    if allowed:
        assert intake.undo_import(imported=imported, by=make.person(name), reason="no")["struck"] == 2
    else:
        with pytest.raises(NotYou):
            intake.undo_import(imported=imported, by=make.person(name), reason="no")


def test_taking_back_needs_a_reason(log):
    with pytest.raises(NotLikeThis, match="stays"):
        intake.undo_import(imported=log.imports.get(), by=CONSOLE, reason=" ")


# --- buttons and reports --------------------------------------------------------------------------------------------


def test_buttons_of_what_an_import_brought(log):
    take(log, HEADER + "b1,2026-03-04T12:00Z,,Bongo,deploy,,,,,,\n")
    made = intake.templates_from_import(imported=log.imports.get(number=1), by=make.person("chief"))
    known = {("CTD", action) for action in ("deploy", "maxDepth", "recover", "abort")}
    assert made == []  # the orders gave the CTD its buttons already
    assert known <= set(log.templates.values_list("instrument", "action"))
    made = intake.templates_from_import(imported=log.imports.get(number=2), by=make.person("chief"))
    assert [(one.instrument, one.action) for one in made] == [("Bongo", "deploy")]
    assert intake.templates_from_import(imported=log.imports.get(number=2), by=CONSOLE) == []
    with pytest.raises(NotYou):
        intake.templates_from_import(imported=log.imports.get(number=2), by=make.person("watch"))


def test_the_report_is_kept_as_it_was_told(log):
    report = take(log, HEADER + FIRST.replace("calm", "rough").replace("11:00Z", "soon") + SECOND)
    kept = intake.report_of(log.imports.get(number=report.imported))
    assert kept.as_json() == json.loads(json.dumps(report.as_json()))
    lines = kept.as_csv().splitlines()
    assert lines[0] == "line,number,result,column,message,differs"
    assert "comment: log 'calm', file 'rough'" in lines[1]
