"""Operations: events join them by instrument and action, and their state follows from the events that stand."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from eventlog import intake, ledger, logbook, operations
from eventlog.models import Event, Log, Operation, Revision, Template
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotYou
from tests import make

pytestmark = pytest.mark.django_db
BEGIN = dt.datetime(2026, 3, 3, 10, tzinfo=dt.UTC)


def say(log: Log, minutes: float, action: str, instrument: str = "CTD", **fields: Any) -> Event:
    at = BEGIN + dt.timedelta(minutes=minutes)
    values = {"observed_at": at, "instrument": instrument, "action": action} | fields
    event, _ = logbook.record(log=log, by=make.person("watch"), fields=values)
    return Event.objects.select_related("operation", "log__cruise__vessel").get(pk=event.pk)


def row(operation: Operation | None) -> tuple[Any, ...]:
    assert operation is not None
    operation.refresh_from_db()
    times = [at and round((at - BEGIN).total_seconds() / 60) for at in (operation.started_at, operation.ended_at)]
    return operation.state, *times, operation.is_open


def test_a_cast_goes_from_deck_to_deck():
    log = make.log()
    first = say(log, 0, "deploy", station="L1")
    assert row(first.operation) == ("in water", 0, None, True)
    middle = say(log, 20, "maxDepth")
    assert row(first.operation) == ("at depth", 0, None, True)
    last = say(log, 45, "recover")
    assert row(first.operation) == ("recovered", 0, 45, False)
    assert first.operation == middle.operation == last.operation
    assert [e.cast for e in (first, middle, last)] == ["001", "001", "001"]
    assert (middle.station, last.station) == ("L1", "L1")


def test_casts_count_themselves_and_respect_what_was_typed():
    log = make.log()
    casts = []
    for number, typed in enumerate(["", "", "007", "", ""]):
        casts.append(say(log, number * 60, "deploy", cast=typed).cast)
        say(log, number * 60 + 30, "recover")
    assert casts == ["001", "002", "007", "008", "009"]
    assert say(log, 400, "deploy", "Bongo net", cast="B3").cast == "B3"
    say(log, 410, "recover", "Bongo net")
    assert say(log, 420, "deploy", "Bongo net").cast == "B4"
    assert say(log, 420, "deploy", "Second CTD").cast == "010"
    assert say(log, 430, "start", "Thermosalinograph").cast == ""


def test_a_second_start_begins_another_and_nothing_is_refused():
    log = make.log()
    one, two = say(log, 0, "deploy"), say(log, 60, "deploy")
    assert one.operation != two.operation
    assert row(one.operation) == ("in water", 0, None, True)
    # The end belongs to the cast that began last before it; one typed late to the cast of its time.
    assert say(log, 90, "recover").operation == two.operation
    assert say(log, 30, "recover").operation == one.operation
    assert row(one.operation) == ("recovered", 0, 30, False)


def test_a_beginning_typed_late_finds_its_end():
    log = make.log()
    end = say(log, 45, "recover")
    assert row(end.operation) == ("recovered", None, 45, False)
    begin = say(log, 0, "deploy")
    assert begin.operation == end.operation
    assert row(end.operation) == ("recovered", 0, 45, False)


def test_striking_steps_back_and_restoring_steps_on():
    log, watch = make.log(), make.person("watch")
    begin, end = say(log, 0, "deploy"), say(log, 45, "recover")
    logbook.strike(event=end, by=watch)
    assert row(begin.operation) == ("in water", 0, None, True)
    logbook.strike(event=begin, by=watch)
    assert row(begin.operation) == ("struck", None, None, False)
    logbook.restore(event=end, by=watch)
    logbook.restore(event=begin, by=watch)
    assert row(begin.operation) == ("recovered", 0, 45, False)
    verbs = list(Revision.objects.filter(thing="operation").order_by("sequence").values_list("verb", "number"))
    assert verbs == [("begin", 1), *(("follow", number) for number in range(2, 7))]


def test_changing_a_time_moves_the_operation():
    log = make.log()
    begin = say(log, 10, "deploy")
    say(log, 45, "recover")
    logbook.revise(event=begin, by=make.person("watch"), fields={"observed_at": BEGIN})
    assert row(begin.operation) == ("recovered", 0, 45, False)


def test_a_wrong_button_corrected_joins_the_right_operation():
    log, watch = make.log(), make.person("watch")
    begin = say(log, 0, "deploy")
    wrong = say(log, 45, "deploy")
    assert (wrong.cast, wrong.operation == begin.operation) == ("002", False)
    fixed = logbook.revise(event=wrong, by=watch, fields={"action": "recover"})
    assert (fixed.operation, fixed.cast) == (begin.operation, "001")
    assert row(begin.operation) == ("recovered", 0, 45, False)
    assert row(wrong.operation)[0] == "struck"


def test_an_abort_ends_it_and_the_gear_still_comes_on_deck():
    log = make.log()
    begin = say(log, 0, "deploy")
    say(log, 5, "Abort")
    assert row(begin.operation) == ("aborted", 0, 5, False)
    assert say(log, 25, "Recovered").operation == begin.operation
    assert row(begin.operation) == ("aborted", 0, 25, False)


def test_the_tablet_gives_the_id_in_whatever_order_its_events_arrive():
    log, key = make.log(), str(uuid.uuid4())
    end = say(log, 45, "recover", operation=key)
    begin = say(log, 0, "deploy", operation=key)
    assert str(begin.operation and begin.operation.uuid) == key
    assert row(end.operation) == ("recovered", 0, 45, False)
    remark = say(log, 500, "other", instrument="Winch", operation=key)
    assert remark.operation == end.operation


@pytest.mark.parametrize("given", ["no-uuid", "other"])
def test_an_id_that_cannot_be_is_refused(given):
    other = say(make.log(), 0, "deploy").operation
    value = given if given == "no-uuid" else str(other and other.uuid)
    with pytest.raises(NotLikeThis) as caught:
        say(make.log(), 0, "deploy", operation=value)
    assert [fault.where for fault in caught.value.faults] == ["operation"]


def test_an_event_may_be_taken_out_of_its_operation():
    log = make.log()
    event = say(log, 0, "deploy")
    logbook.revise(event=event, by=make.person("watch"), fields={"operation": None})
    assert Event.objects.get(pk=event.pk).operation is None
    assert row(event.operation)[0] == "struck"


def test_what_is_no_step_belongs_to_what_runs():
    log = make.log()
    run = say(log, 0, "start", "Seawater pump")
    assert say(log, 10, "discrete sample", "Seawater pump").operation == run.operation
    say(log, 20, "stop", "Seawater pump")
    assert say(log, 30, "discrete sample", "Seawater pump").operation is None
    assert say(log, 30, "other", "Unknown box").operation is None


def test_one_event_with_a_duration_is_a_whole_operation():
    log = make.log()
    event = say(log, 0, "deploy", ended_at=BEGIN + dt.timedelta(minutes=40))
    assert row(event.operation) == ("ended", 0, 40, False)


def test_lines_and_stations_of_the_ship_run_beside_each_other():
    log = make.log()
    line = say(log, 0, "startLine", "Ship", transect="T1")
    stop = say(log, 10, "arriveStation", "Ship", station="L4")
    assert [e.operation and e.operation.kind for e in (line, stop)] == ["line", "station"]
    assert operations.suggest(log, "CTD", BEGIN + dt.timedelta(minutes=15)) == {"cast": "001", "station": "L4"}
    say(log, 20, "leaveStation", "Ship")
    assert operations.suggest(log, "CTD", BEGIN + dt.timedelta(minutes=25))["station"] == ""
    assert row(line.operation)[-1] is True


def test_the_board_lights_the_next_action_and_asks_what_is_too_old():
    log = make.log()
    say(log, 0, "deploy")
    soon = operations.board(log, BEGIN + dt.timedelta(hours=1))
    (ctd,) = soon["open"]
    assert (ctd["instrument"], ctd["cast"], ctd["elapsed_s"], ctd["asks"]) == ("CTD", "001", 3600, False)
    assert [step["action"] for step in ctd["next"]] == ["maxDepth", "recover", "abort"]
    template = Template.objects.get(log=log, instrument="CTD", action="maxDepth")
    assert ctd["next"][0]["template"] == str(template.uuid)
    assert [idle["instrument"] for idle in soon["idle"]] == ["Multibeam"]
    assert operations.board(log, BEGIN + dt.timedelta(hours=7))["open"][0]["asks"] is True
    # An action without a button is not lit.
    template.is_hidden = True
    template.save()
    (ctd,) = operations.board(log, BEGIN)["open"]
    assert [step["action"] for step in ctd["next"]] == ["recover", "abort", "maxDepth"]


def test_a_mooring_left_out_rests():
    log = make.log()
    say(log, 0, "deploy", "Mooring 4")
    board = operations.board(log, BEGIN + dt.timedelta(days=8))
    assert (board["open"], [r["instrument"] for r in board["resting"]]) == ([], ["Mooring 4"])


# --- whole logs -----------------------------------------------------------------------------------------------------


def test_a_log_without_operations_gets_them_once():
    log = make.log()
    for minutes, action in ((0, "deploy"), (20, "maxDepth"), (45, "recover"), (90, "deploy")):
        say(log, minutes, action)
    # As an import without them would have left it.
    Event.objects.filter(log=log).update(operation=None)
    assert operations.from_events(log=log, by=CONSOLE) == 2
    assert operations.from_events(log=log, by=CONSOLE) == 0
    groups = [list(o.events.in_order().values_list("action", flat=True)) for o in log.operations.order_by("-pk")[:2]]
    assert groups == [["deploy"], ["deploy", "maxDepth", "recover"]]
    joined = Revision.objects.filter(verb="join", event__log=log)
    assert joined.count() == 4
    sequences = list(log.revisions.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


def test_building_operations_is_not_for_everybody():
    with pytest.raises(NotYou):
        operations.from_events(log=make.log(), by=make.person("watch"))


def test_following_again_changes_nothing():
    log = make.log()
    event = say(log, 0, "deploy")
    before = log.revisions.count()
    from django.db import transaction

    with transaction.atomic():
        operations.follow(log=ledger.locked(log), operations=[event.operation, None], by=CONSOLE)
    assert log.revisions.count() == before


# What the real logs come to, counted by hand in the files: (operations, open at the end).
REAL = {
    "R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv": (12, {"CTD911": 0, "Bongo Net": 7}),
    "R2R_ELOG_AR63.csv": (8, {"CTD911": 0, "Bongo Net": 0, "HZG radar": 0}),
    "R2R_ELOG_en720.csv": (24, {"CTD911": 23, "Bongo Net": 0, "Incubation Mixotrophy": 6}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_logs_come_to_operations(real_data, name):
    casts, still_open = REAL[name]
    log = make.log()
    intake.import_events(log=log, name=name, data=(real_data / "r2r-elog" / name).read_bytes(), by=CONSOLE)
    operations.from_events(log=log, by=CONSOLE)
    assert log.operations.filter(instrument="CTD911").count() == casts
    for instrument, count in still_open.items():
        found = log.operations.filter(instrument=instrument, is_open=True).count()
        assert found == count, instrument
    # Each deploy and each start begins one of its own, and no operation holds two of them.
    for operation in log.operations.prefetch_related("events"):
        begins = [e for e in operation.events.all() if e.action in ("deploy", "start", "deploy towed")]
        assert len(begins) <= 1, operation
