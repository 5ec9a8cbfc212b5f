"""The red pen: each rule marks what it is for and no more, each fix mends it; afterwards, and while one types."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog import buttons, intake, logbook, redpen
from eventlog.models import Event, Log
from eventlog.redpen import finding, samples, times, track
from eventlog.redpen.finding import Row
from portal.access import CONSOLE
from portal.refusals import NotFound, NotLikeThis, NotYou
from tests import make
from tests.eventlog.test_api import send, speaker

BEGIN = dt.datetime(2026, 3, 3, 10, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 3, 4, tzinfo=dt.UTC)


def say(log: Log, minutes: float, action: str, instrument: str = "CTD", who: str = "watch", **fields: Any) -> Event:
    at = BEGIN + dt.timedelta(minutes=minutes)
    values = {"observed_at": at, "instrument": instrument, "action": action, "seafloor_m": 100.0} | fields
    values = {"latitude": 36.5, "longitude": -25.0} | values
    return logbook.record(log=log, by=make.person(who), fields=values)[0]


def codes(log: Log, **more: Any) -> list[str]:
    return [one.code for one in redpen.look(log, now=NOW, **more)]


def the(log: Log, code: str) -> Any:
    (one,) = [one for one in redpen.look(log, now=NOW) if one.code == code]
    return one


def mend(log: Log, code: str, which: int = 0, **said: Any) -> None:
    redpen.fix(log=log, call=the(log, code).fixes[which], by=make.person("watch"), said=said)
    assert code not in codes(log)


def row(seconds: float, latitude: float | None = 0.0, longitude: float | None = 0.0, **more: Any) -> Row:
    key = str(uuid.uuid4())
    at = BEGIN + dt.timedelta(seconds=seconds)
    return Row(key, key[:6], at, "CTD", "deploy", latitude=latitude, longitude=longitude, **more)


# --- rules alone ----------------------------------------------------------------------------------------------------


def test_nothing_is_said_of_a_sound_log():
    rows = [row(180 * n, 0.0, 0.02 * n) for n in range(20)]  # 1.2 nm in 3 min
    assert [*track.jumps(rows), *track.missing(rows), *times.duplicates(rows), *times.clocks(rows)] == []


def test_a_jump_as_of_ar66b_names_the_event_that_is_out():
    # Message 211 of AR66B: 9.5 nm in 2 minutes, and back again.
    out = row(240, 40.0 + 9.5 / 60, -70.0)
    (one,) = track.jumps([row(0, 40.0, -70.0), row(120, 40.002, -70.0), out, row(360, 40.004, -70.0)])
    assert out.uuid in one.events
    assert "9.4 nm in 2 min" in one.sentence
    assert one.severity == "error"


def test_a_sign_that_was_forgotten_can_be_put_back():
    wrong = row(600, 40.01, 70.0)
    (one,) = track.jumps([row(0, 40.0, -70.0), wrong, row(1200, 40.02, -70.0)])
    assert [fix["fields"] for fix in one.fixes] == [{"latitude": 40.01, "longitude": -70.0}]
    assert "no time at all" in next(iter(track.jumps([row(0), row(0, 1.0)]))).sentence


def test_a_first_position_that_is_out_is_named():
    out = row(0, 10.0, 0.0, nav_latitude=0.0, nav_longitude=0.0)
    known = [out, row(600), row(1200)]
    (one,) = track.jumps(known)
    assert out.uuid in one.events


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-90, 90), st.floats(-180, 180)), max_size=12))
def test_any_track_can_be_looked_at(points):
    rows = sorted((row(*point) for point in points), key=lambda one: one.at)
    for one in track.jumps(rows):
        assert one.sentence


def test_clocks_that_were_wrong():
    rows = [row(n, clock_offset_s=offset, device="lab") for n, offset in enumerate((259.0, 260.5, 3.0))]
    (one,) = times.clocks(rows)
    assert one.sentence == "The clock of lab ran 4 min ahead of the server's; 2 events may be moved by that."


def test_spans_of_time():
    assert [finding.span(s) for s in (12, 90, 3700, 90_000)] == ["12 s", "2 min", "1 h 2 min", "1 d 1 h"]


SAMPLES = [
    ({"sample_id": "101-124"}, {"sample_id": "120"}, 1),
    ({"samples_from": 1, "samples_to": 24}, {"samples_from": "24", "samples_to": "48"}, 1),
    ({"sample_id": "A-7"}, {"sample_id": "B-7"}, 0),
    ({"sample_id": "1, 2; 5"}, {"sample_id": "3–4"}, 0),
    ({"bottle": "1-24"}, {"bottle": "1-24"}, 0),  # bottles are those of each cast
    ({"bottle_id": "1-24"}, {"bottle_id": 24}, 1),
    ({"wire_out": 5}, {"wire_out": 5}, 0),
    ({"sample": True}, {"sample": True}, 0),
]


@pytest.mark.parametrize(("one", "other", "count"), SAMPLES)
def test_numbers_of_samples_overlap_or_not(one, other, count):
    found = [f for f in samples.overlaps([(row(0), one), (row(9), other)]) if f.code == "samples"]
    assert len(found) == count


ANSWERS = st.dictionaries(
    st.sampled_from(["sample", "bottle", "sample_from", "sample_to", "niskin_id"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
)


@given(st.lists(ANSWERS, max_size=4))
def test_any_answers_can_be_held_against_each_other(answers):
    for one in samples.overlaps([(row(n), extra) for n, extra in enumerate(answers)]):
        assert one.sentence


def test_more_bottles_than_a_rosette_has():
    (one,) = samples.overlaps([(row(0), {"bottle": "1-40"})])
    assert one.code == "bottles"


# --- over a log -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_log_that_is_well_kept_has_nothing_to_do():
    log = make.log()
    for minutes, action in ((0, "deploy"), (20, "maxDepth"), (45, "recover")):
        say(log, minutes, action, station="L1")
    assert codes(log) == []


@pytest.mark.django_db
def test_a_start_without_an_end_is_asked_about_and_its_end_logged():
    log = make.log()
    say(log, 0, "deploy", station="L1")
    say(log, 60, "deploy", station="L2")
    say(log, 90, "recover")
    one = the(log, "no-end")
    assert "has no end, and the next one began 2026-03-03 11:00:00 UTC" in one.sentence
    with pytest.raises(NotLikeThis):
        redpen.fix(log=log, call=one.fixes[0], by=make.person("watch"))
    mend(log, "no-end", observed_at=BEGIN + dt.timedelta(minutes=40))
    end = log.events.get(observed_at=BEGIN + dt.timedelta(minutes=40))
    assert (end.action, end.cast, end.station) == ("recover", "001", "L1")


@pytest.mark.django_db
def test_what_is_open_for_too_long_is_asked_about_and_all_that_runs_before_closing():
    log = make.log()
    say(log, 0, "deploy")
    say(log, 1, "start", "Multibeam")
    assert codes(log) == ["no-end"]
    assert "CTD 001 is in water since" in the(log, "no-end").sentence
    assert codes(log, closing=True) == ["no-end", "no-end"]
    assert len(redpen.unfinished(log, now=NOW)) == 2
    say(log, 2, "abort")
    assert codes(log) == []
    assert [one.code for one in redpen.unfinished(log, now=NOW)] == ["no-end"]


@pytest.mark.django_db
def test_an_end_without_a_beginning_gets_one():
    log = make.log()
    say(log, 45, "recover")
    assert "has no beginning before it" in the(log, "no-start").sentence
    mend(log, "no-start", observed_at=BEGIN)


@pytest.mark.django_db
def test_duplicates_of_two_people_and_their_striking():
    log = make.log()
    say(log, 0, "deploy")
    say(log, 0.2, "deploy", who="chief")
    one = the(log, "duplicate")
    assert "by Sam Keane and Noor Rahman, 12 s apart" in one.sentence
    mend(log, "duplicate")


@pytest.mark.django_db
def test_times_that_cannot_be():
    log = make.log()
    event = say(log, 0, "deploy", "Mooring")
    logbook.revise(event=event, by=CONSOLE, fields={"observed_at": NOW + dt.timedelta(hours=3)})
    assert "future" in codes(log)
    logbook.revise(event=event, by=CONSOLE, fields={"observed_at": BEGIN.replace(year=2025)})
    one = the(log, "outside-cruise")
    assert "lies outside the cruise, 2026-03-02 to 2026-03-11" in one.sentence


@pytest.mark.django_db
def test_events_of_an_operation_outside_its_time():
    log = make.log()
    begin = say(log, 0, "deploy")
    say(log, 45, "recover")
    operation = str(begin.operation and begin.operation.uuid)
    say(log, 300, "other", operation=operation)
    mend(log, "outside-operation")
    say(log, -60, "recover", operation=operation)
    assert the(log, "end-before-start").severity == "error"
    mend(log, "end-before-start")


@pytest.mark.django_db
def test_words_and_places_that_are_nearly_known():
    log = make.log()
    say(log, 0, "deploy", station="L1")
    say(log, 20, "Recover", station="L01")
    say(log, 60, "depoly", "Multibeam")
    say(log, 61, "wobble", "Multibeam")
    found = codes(log)
    assert {"spelling", "unknown-action", "near-station"} <= set(found)
    sentences = " ".join(one.sentence for one in redpen.look(log, now=NOW))
    assert "Did you mean deploy?" in sentences
    assert "wobble is no known action (1 event)." in sentences
    mend(log, "near-station")
    mend(log, "spelling")
    wobble = next(one for one in redpen.look(log, now=NOW) if one.about == "wobble")
    redpen.fix(log=log, call=wobble.fixes[-1], by=make.person("watch"))
    assert "wobble" not in " ".join(one.sentence for one in redpen.look(log, now=NOW))


@pytest.mark.django_db
def test_casts_that_share_or_skip_a_number():
    log = make.log()
    for number, cast in enumerate(("001", "002", "2", "005")):
        say(log, 60 * number, "deploy", cast=cast)
        say(log, 60 * number + 30, "recover", cast=cast)
    assert "skip 003, 004" in the(log, "cast-gap").sentence
    mend(log, "cast-twice")
    assert set(log.operations.values_list("cast", flat=True)) == {"001", "002", "6", "005"}
    event = log.events.filter(cast="005").first()
    logbook.revise(event=event, by=CONSOLE, fields={"cast": "05"})
    mend(log, "cast-differs")


@pytest.mark.django_db
def test_what_a_button_asks_for_and_samples_of_two_events():
    log = make.log()
    template = log.templates.get(instrument="CTD", action="recover")
    asked = [{"name": "sample_id", "label": "Samples", "type": "text", "required": True}]
    buttons.amend(template=template, by=CONSOLE, fields={"fields": asked})
    for n in range(2):
        say(log, 60 * n, "deploy")
        say(log, 60 * n + 30, "recover", extra={"sample_id": f"{n + 1}-24"})
    assert codes(log) == ["samples"]
    say(log, 120, "deploy")
    say(log, 150, "recover")
    assert "not-answered" in codes(log)
    say(log, 180, "deploy")
    say(log, 190, "abort", extra={"sample_id": "1"})
    assert codes(log).count("samples") == 1


@pytest.mark.django_db
def test_a_finding_is_dismissed_with_a_reason_and_recalled():
    log, watch = make.log(), make.person("watch")
    say(log, 45, "recover")
    one = the(log, "no-start")
    for who, reason, refusal in (("watch", " ", NotLikeThis), ("stranger", "x", NotYou)):
        with pytest.raises(refusal):
            redpen.dismiss(log=log, finding=one, by=make.person(who), reason=reason)
    for _ in range(2):
        redpen.dismiss(log=log, finding=one, by=watch, reason="put out by the ship before us")
    assert codes(log) == []
    assert codes(log, all_of_them=True) == ["no-start"]
    assert redpen.dismissed(log) == {one.key: "put out by the ship before us"}
    assert log.revisions.filter(thing="log", verb="dismiss").count() == 1
    redpen.recall(log=log, key=one.key, by=watch)
    assert codes(log) == ["no-start"]


# --- while typing ---------------------------------------------------------------------------------------------------


def typed(log: Log, minutes: float, **fields: Any) -> dict[str, Any]:
    at = BEGIN + dt.timedelta(minutes=minutes)
    values = {"observed_at": at, "instrument": "CTD", "action": "deploy"} | fields
    return {one.code: one for one in redpen.while_typing(log, values, now=NOW)}


@pytest.mark.django_db
def test_while_typing():
    log = make.log()
    say(log, 0, "deploy", station="LTER1")
    assert set(typed(log, 45, action="recover")) == set()
    assert "log the end of the first as well" in typed(log, 45)["no-end"].sentence
    assert typed(log, -45, action="recover").keys() == {"no-start"}
    near = typed(log, 45, action="recover", station="L1", latitude=36.5, longitude=-25.0)["near-station"]
    assert near.fixes == [{"label": "It is LTER1", "verb": "set", "fields": {"station": "LTER1"}}]
    assert typed(log, 45, action="recover", latitude=37.5, longitude=-25.0).keys() == {"jump"}
    assert "was logged by Sam Keane already" in typed(log, 0.1)["duplicate"].sentence
    assert "future" in typed(log, 60 * 40, action="recover")
    word = typed(log, 45, action="recoverd")["unknown-action"]
    assert word.fixes[0]["fields"] == {"action": "recover"}
    assert typed(log, 45, action="", instrument="") == {}


@pytest.mark.django_db
def test_while_an_event_is_changed_it_is_not_held_against_itself():
    log = make.log()
    event = say(log, 0, "deploy")
    values = {"observed_at": event.observed_at, "instrument": "CTD", "action": "deploy", "station": "L9"}
    assert redpen.while_typing(log, values, now=NOW, uuid=event.uuid) == []


@pytest.mark.django_db
def test_through_the_api():
    log = make.log()
    say(log, 45, "recover")
    client, start = speaker(), f"/api/v1/cruises/{log.cruise.cruise_id}"
    body = {"fields": {"observed_at": "2026-03-03T10:00:00Z", "instrument": "CTD", "action": "depoly"}}
    found = send(client, "post", f"{start}/events:check", body).json()["findings"]
    assert [one["code"] for one in found] == ["unknown-action"]
    wrong = send(client, "post", f"{start}/events:check", {"fields": {"observed_at": "yesterday", "colour": 1}})
    assert {fault["field"] for fault in wrong.json()["errors"]} == {"fields.observed_at", "fields.colour"}
    assert log.events.count() == 1
    (one,) = client.get(f"{start}/findings?code=no-start").json()["findings"]
    address = f"{start}/findings/{one['key']}"
    assert send(client, "post", f"{address}/fix", {"fix": 0}).status_code == 422
    fixed = send(client, "post", f"{address}/fix", {"fix": 0, "observed_at": "2026-03-03T10:00:00Z"})
    assert "CTD deploy is recorded" in fixed.json()["done"]
    assert send(client, "post", f"{address}/fix", {"fix": 0}).status_code == 404
    assert client.get(f"{start}/findings?code=no-start").json()["count"] == 0
    assert speaker("expert").get(f"{start}/findings").status_code == 404


@pytest.mark.django_db
def test_dismissing_through_the_api():
    log = make.log()
    say(log, 45, "recover")
    client, start = speaker(), f"/api/v1/cruises/{log.cruise.cruise_id}/findings"
    key = next(one["key"] for one in client.get(start).json()["findings"] if one["code"] == "no-start")
    assert send(client, "post", f"{start}/{key}/dismiss", {"reason": ""}).status_code == 422
    assert send(client, "post", f"{start}/{key}/dismiss", {"reason": "known"}).status_code == 200
    assert key not in [one["key"] for one in client.get(start).json()["findings"]]
    assert client.delete(f"{start}/{key}/dismiss").status_code == 200
    assert key in [one["key"] for one in client.get(start).json()["findings"]]
    with pytest.raises(NotFound):
        redpen.finding_of(log, "0" * 16)


# What the real logs hold, counted by hand.
REAL = {
    "R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv": {"no-end": 7, "no-start": 2, "near-station": 1, "jump": 0},
    "R2R_ELOG_AR63.csv": {"no-end": 3, "no-start": 3, "near-station": 2, "duplicate": 1, "jump": 0},
    "R2R_ELOG_en720.csv": {"jump": 0, "no-position": 0},
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.django_db
def test_real_logs(real_data, name):
    log = make.log()
    intake.import_events(log=log, name=name, data=(real_data / "r2r-elog" / name).read_bytes(), by=CONSOLE)
    found = [one.code for one in redpen.look(log)]
    assert {code: found.count(code) for code in REAL[name]} == REAL[name]
    # A position that is moved by 9.5 nm is found again, and no other.
    event = log.events.in_order().filter(latitude__isnull=False)[10]
    fields = {"latitude": event.latitude + 9.5 / 60, "longitude": event.longitude}
    logbook.revise(event=event, by=CONSOLE, fields=fields)
    jumps = [one for one in redpen.look(log) if one.code == "jump"]
    assert jumps
    assert all(str(event.uuid) in one.events for one in jumps)
