"""The verbs of the logbook: each works, is refused by state and by role, and may be repeated."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from eventlog import logbook
from eventlog.exchange import document, r2r
from eventlog.models import Event, Log, Revision
from portal.access import CONSOLE
from portal.models import Cruise, JournalEntry
from portal.refusals import NotFound, NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db


def fields(**changes: Any) -> dict[str, Any]:
    return {"observed_at": timezone.now(), "instrument": "CTD", "action": "deploy"} | changes


def wheres(caught: Any) -> set[str]:
    return {fault.where for fault in caught.value.faults}


# --- opening and closing --------------------------------------------------------------------------------------------


def test_opening_makes_buttons_and_the_ship_is_at_sea():
    cruise = make.cruise()
    log = logbook.open_log(cruise=cruise, by=make.person("operator"))
    cruise.refresh_from_db()
    assert (log.state, cruise.state) == ("open", "at sea")
    assert log.opened_at is not None
    buttons = {(t.instrument, t.action) for t in log.templates.all()}
    assert {("Ship", "startCruise"), ("CTD", "maxDepth"), ("Multibeam", "start")} <= buttons
    assert JournalEntry.objects.filter(verb="eventlog.open", cruise=cruise).count() == 1


@pytest.mark.parametrize("name", ["rival", "chief", "watch", "expert", "stranger"])
def test_opening_and_closing_are_the_operators(name):
    planned, at_sea = make.cruise(), make.cruise(state="at sea")
    with pytest.raises(NotYou):
        logbook.open_log(cruise=planned, by=make.person(name))
    with pytest.raises(NotYou):
        logbook.close_log(cruise=at_sea, by=make.person(name))
    assert logbook.log_of(planned).state == "not opened"
    assert logbook.log_of(at_sea).state == "open"


def test_a_log_is_opened_once_and_closed_once():
    cruise = make.cruise(state="at sea")
    with pytest.raises(NotNow):
        logbook.open_log(cruise=cruise, by=CONSOLE)
    logbook.close_log(cruise=cruise, by=CONSOLE)
    with pytest.raises(NotNow):
        logbook.close_log(cruise=cruise, by=CONSOLE)
    with pytest.raises(NotNow):
        logbook.open_log(cruise=cruise, by=CONSOLE)


def test_a_log_that_was_never_opened_is_not_closed():
    with pytest.raises(NotNow):
        logbook.close_log(cruise=make.cruise(), by=CONSOLE)


def test_closing_ends_the_cruise_and_makes_final_copies_that_parse():
    log = make.log()
    kept = make.event(log, comment="calm, “quoted”\nand a second line; Ærø")
    struck = make.event(log, instrument="Net")
    logbook.strike(event=struck, by=make.person("watch"))
    log = logbook.close_log(cruise=log.cruise, by=make.person("operator"), note="the cast goes on")
    assert Cruise.objects.get(pk=log.cruise.pk).state == "ended"
    assert log.state == "closed"
    assert log.closed_at is not None
    copies = {copy.format: copy for copy in log.final_copies.all()}
    assert set(copies) == {"r2r-csv", "json"}
    for copy in copies.values():
        data = bytes(copy.data)
        assert copy.size == len(data)
        assert copy.md5 == hashlib.md5(data).hexdigest()
        assert copy.sha256 == hashlib.sha256(data).hexdigest()
        assert copy.events == 1
    for reading in (r2r.read(bytes(copies["r2r-csv"].data)), document.read(bytes(copies["json"].data))):
        assert reading.problems == ()
        (event,) = reading.events
        assert event.number == kept.number
        assert (event.instrument, event.station, event.author) == ("CTD", "001", "Sam Keane")
        assert (event.latitude, event.longitude, event.seafloor_m) == (36.5, -25.0, 3120.0)
    assert document.read(bytes(copies["json"].data)).events[0].comment == kept.comment


# --- recording ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["operator", "chief", "watch", "manager", "admin"])
def test_those_of_the_cruise_record(name):
    log, person = make.log(), make.person(name)
    event, new = logbook.record(log=log, by=person, fields=fields(comment="  trimmed  "))
    assert new
    assert (event.author, event.author_name, event.comment) == (person, str(person), "trimmed")
    assert event.revisions.get().verb == "record"


@pytest.mark.parametrize("name", ["rival", "expert", "stranger"])
def test_others_do_not_record(name):
    log = make.log()
    with pytest.raises(NotYou):
        logbook.record(log=log, by=make.person(name), fields=fields())
    assert not log.events.exists()


@pytest.mark.parametrize("state", ["not opened", "closed"])
def test_nothing_is_recorded_unless_the_log_is_open(state):
    log = make.log(state)
    with pytest.raises(NotNow):
        logbook.record(log=log, by=make.person("watch"), fields=fields())
    assert not log.events.exists()


def test_the_same_uuid_is_one_event_even_after_closing():
    log, key, watch = make.log(), uuid.uuid4(), make.person("watch")
    first, new = logbook.record(log=log, by=watch, fields=fields(), uuid=key)
    again, new_again = logbook.record(log=log, by=watch, fields=fields(comment="other"), uuid=key)
    assert (new, new_again, again.pk, again.comment) == (True, False, first.pk, "")
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    assert logbook.record(log=log, by=watch, fields=fields(), uuid=key) == (first, False)
    assert log.events.count() == Revision.objects.filter(event__log=log).count() == 1


def test_a_uuid_of_another_log_is_refused():
    known = make.event()
    with pytest.raises(NotLikeThis) as caught:
        logbook.record(log=make.log(), by=make.person("watch"), fields=fields(), uuid=known.uuid)
    assert wheres(caught) == {"uuid"}


def test_numbers_begin_anew_in_each_minute():
    log, watch = make.log(), make.person("watch")
    minute = dt.datetime(2026, 3, 2, 10, 5, 0, tzinfo=dt.UTC)
    seconds = (0, 30, 59, 60, 61)
    numbers = [
        logbook.record(log=log, by=watch, fields=fields(), logged_at=minute + dt.timedelta(seconds=s))[0].number
        for s in seconds
    ]
    assert numbers == [
        "20260302.1005.001",
        "20260302.1005.002",
        "20260302.1005.003",
        "20260302.1006.001",
        "20260302.1006.002",
    ]


def test_two_logs_number_apart():
    minute = dt.datetime(2026, 3, 2, 10, 5, tzinfo=dt.UTC)
    numbers = {
        logbook.record(log=make.log(), by=make.person("watch"), fields=fields(), logged_at=minute)[0].number
        for _ in range(2)
    }
    assert numbers == {"20260302.1005.001"}


@pytest.mark.parametrize(
    ("changes", "faulty"),
    [
        ({"latitude": 36.5}, {"longitude"}),
        ({"longitude": -25.0}, {"longitude"}),
        ({"latitude": 90.1, "longitude": 0}, {"latitude"}),
        ({"latitude": 0, "longitude": 180.1}, {"longitude"}),
        ({"latitude": float("nan"), "longitude": 0}, {"latitude"}),
        ({"seafloor_m": 12_001}, {"seafloor_m"}),
        ({"seafloor_m": float("inf")}, {"seafloor_m"}),
        ({"instrument": " "}, {"instrument"}),
        ({"action": None}, {"action"}),
        ({"instrument": "x" * 121}, {"instrument"}),
        ({"cast": "x" * 41, "station": "x" * 81}, {"cast", "station"}),
        ({"comment": "x" * 20_001}, {"comment"}),
        ({"comment": "a\0b"}, {"comment"}),
        ({"observed_at": None}, {"observed_at"}),
        ({"observed_at": dt.datetime(2026, 3, 2, 10, 5)}, {"observed_at"}),  # noqa: DTZ001
        ({"instrument": "", "action": "", "latitude": 91, "longitude": 181}, None),
    ],
)
def test_every_fault_of_an_event_is_named(changes, faulty):
    log = make.log()
    with pytest.raises(NotLikeThis) as caught:
        logbook.record(log=log, by=make.person("watch"), fields=fields(**changes))
    assert wheres(caught) == (faulty or {"instrument", "action", "latitude", "longitude"})
    assert not log.events.exists()


def test_the_future_is_refused_beyond_a_day():
    log, watch, now = make.log(), make.person("watch"), timezone.now()
    logbook.record(log=log, by=watch, fields=fields(observed_at=now + dt.timedelta(hours=23)))
    with pytest.raises(NotLikeThis) as caught:
        logbook.record(log=log, by=watch, fields=fields(observed_at=now + dt.timedelta(hours=25)))
    assert wheres(caught) == {"observed_at"}


# --- changing -------------------------------------------------------------------------------------------------------


def test_revising_keeps_what_was():
    event = make.event()
    event = logbook.revise(event=event, by=make.person("chief"), fields={"station": "002"}, reason="miscounted", seen=1)
    assert (event.station, event.instrument, event.revision) == ("002", "CTD", 2)
    last = event.revisions.get(number=2)
    assert last.changes == {"station": ["001", "002"]}
    assert (last.by_name, last.reason, last.verb, last.after_close) == ("Noor Rahman", "miscounted", "revise", False)


def test_revising_to_the_same_changes_nothing():
    event = make.event()
    logbook.revise(event=event, by=make.person("watch"), fields={"station": "001"})
    event.refresh_from_db()
    assert event.revision == event.revisions.count() == 1


def test_a_stale_revision_is_refused_by_every_change():
    event, watch = make.event(), make.person("watch")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "002"}, seen=1)
    with pytest.raises(NotNow, match="Noor Rahman"):
        logbook.revise(event=event, by=watch, fields={"station": "003"}, seen=1)
    with pytest.raises(NotNow):
        logbook.strike(event=event, by=watch, seen=1)
    with pytest.raises(NotNow):
        logbook.restore(event=event, by=watch, seen=1)
    event.refresh_from_db()
    assert (event.station, event.revision, event.struck_at) == ("002", 2, None)


def test_a_revision_with_faults_changes_nothing():
    event = make.event()
    with pytest.raises(NotLikeThis) as caught:
        logbook.revise(event=event, by=make.person("watch"), fields={"latitude": None, "action": ""})
    assert wheres(caught) == {"longitude", "action"}
    event.refresh_from_db()
    assert (event.latitude, event.revision) == (36.5, 1)


@pytest.mark.parametrize("verb", [logbook.strike, logbook.restore, logbook.revise])
@pytest.mark.parametrize("name", ["rival", "expert", "stranger"])
def test_others_change_nothing(name, verb):
    event = make.event()
    more = {"fields": {"station": "9"}} if verb is logbook.revise else {}
    with pytest.raises(NotYou):
        verb(event=event, by=make.person(name), **more)
    assert event.revisions.count() == 1


def test_a_struck_event_leaves_the_exports_and_comes_back():
    event, watch = make.event(), make.person("watch")
    before = logbook.export(event.log, "json")
    assert event.number in before
    event = logbook.strike(event=event, by=watch, reason="a slip")
    assert event.number not in logbook.export(event.log, "json")
    assert event.number not in logbook.export(event.log, "r2r-csv")
    logbook.strike(event=event, by=watch)
    with pytest.raises(NotNow):
        logbook.revise(event=event, by=watch, fields={"station": "2"})
    event = logbook.restore(event=event, by=watch)
    event = logbook.restore(event=event, by=watch)
    assert [r.verb for r in event.revisions.order_by("number")] == ["record", "strike", "restore"]
    assert event.number in logbook.export(event.log, "json")


def test_late_corrections_need_a_reason_and_are_labelled():
    event = make.event()
    logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    chief = make.person("chief")
    with pytest.raises(NotLikeThis) as caught:
        logbook.revise(event=event, by=chief, fields={"station": "7"}, reason="  ")
    assert wheres(caught) == {"reason"}
    with pytest.raises(NotYou):
        logbook.revise(event=event, by=make.person("watch"), fields={"station": "7"}, reason="why")
    logbook.revise(event=event, by=chief, fields={"station": "7"}, reason="read the paper log")
    logbook.strike(event=event, by=chief, reason="twice in the paper log")
    assert list(event.revisions.order_by("number").values_list("after_close", flat=True)) == [False, True, True]


def test_a_late_correction_leaves_the_final_copies_alone():
    event = make.event()
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    before = {c.name: bytes(c.data) for c in log.final_copies.all()}
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "777"}, reason="late")
    assert {c.name: bytes(c.data) for c in log.final_copies.all()} == before
    assert "777" in logbook.export(Log.objects.get(pk=log.pk), "json")


def test_revisions_are_only_added():
    event = make.event()
    with pytest.raises(DatabaseError), transaction.atomic():
        event.revisions.update(by_name="somebody else")
    with pytest.raises(DatabaseError), transaction.atomic():
        event.revisions.all().delete()
    assert event.revisions.get().by_name == "Sam Keane"


# --- exports --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["r2r-csv", "json"])
def test_exports_are_the_same_every_time_and_without_names_where_asked(form):
    event = make.event()
    make.event(event.log, instrument="Net", latitude=None, longitude=None)
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "2"})
    log = Log.objects.get(pk=event.log.pk)
    assert logbook.export(log, form) == logbook.export(log, form)
    assert "Keane" in logbook.export(log, form)
    assert "Keane" not in logbook.export(log, form, names=False)


def test_exports_are_in_the_order_of_what_happened():
    log, start = make.log(), dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    for hours in (5, 1, 3):
        make.event(log, observed_at=start + dt.timedelta(hours=hours), station=str(hours))
    assert [e.station for e in r2r.read(logbook.export(log, "r2r-csv").encode()).events] == ["1", "3", "5"]


def test_an_unknown_format_is_not_found():
    with pytest.raises(NotFound):
        logbook.export(make.log(), "xlsx")


# --- which ones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "open_seen"),
    [
        ("admin", True),
        ("manager", True),
        ("operator", True),
        ("chief", True),
        ("watch", True),
        ("rival", False),
        ("expert", False),
        ("stranger", False),
    ],
)
def test_open_logs_are_seen_by_their_own_alone(name, open_seen):
    event = make.event()
    Cruise.objects.filter(pk=event.log.cruise.pk).update(public_at=timezone.now())
    person = make.person(name)
    assert Log.objects.visible_to(person).filter(pk=event.log.pk).exists() is open_seen
    assert Event.objects.visible_to(person).filter(pk=event.pk).exists() is open_seen
    logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    assert Event.objects.visible_to(person).filter(pk=event.pk).exists()


def test_a_closed_log_of_a_private_cruise_is_not_seen():
    event = make.event()
    logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    assert not Log.objects.visible_to(make.person("stranger")).exists()
    assert not Event.objects.visible_to(make.person("stranger")).exists()
