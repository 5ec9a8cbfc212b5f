"""`events:batch`: a result for each item, nothing twice, nothing lost, and no broken item keeps the others."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog import items, logbook
from eventlog.live import presence
from eventlog.models import Device, Event, Log, Revision
from portal.access import CONSOLE
from portal.models import Party
from portal.refusals import Fault, NotLikeThis
from tests import make
from tests.eventlog.test_api import speaker

pytestmark = pytest.mark.django_db
DEVICE = {"uuid": "7b4a4b9e-7f0a-4c2c-9d3c-0a5f7d3f0001", "name": "wet lab tablet", "waiting": 3, "page": "log"}


@pytest.fixture(autouse=True)
def _nobody_was_heard_before() -> None:
    presence._lately.clear()


def post(log: Log, values: Any, client: Any = None, device: Any = None, status: int = 200) -> Any:
    body = {"items": values} | ({"device": device} if device is not None else {})
    response = (client or speaker()).post(address(log), json.dumps(body), content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def address(log: Log) -> str:
    return f"/api/v1/cruises/{log.cruise.cruise_id}/events:batch"


def record(**changes: Any) -> dict[str, Any]:
    at = timezone.now().isoformat()
    fields = {"observed_at": at, "instrument": "Bucket", "action": "sample"} | changes.pop("fields", {})
    return {
        "id": str(uuid.uuid4()),
        "verb": "record",
        "uuid": str(uuid.uuid4()),
        "logged_at": at,
        "fields": fields,
    } | changes


def change(event: Event, verb: str = "revise", **changes: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "verb": verb, "uuid": str(event.uuid)} | changes


def results(answer: Any) -> list[str]:
    return [result["result"] for result in answer["results"]]


def test_items_are_done_in_their_order_and_known_when_they_come_again():
    log, client = make.log(), speaker()
    begun = Revision.objects.count()
    first = record(fields={"station": "L1"})
    second = {"id": str(uuid.uuid4()), "verb": "revise", "uuid": first["uuid"], "seen": 1, "fields": {"station": "L2"}}
    third = {"id": str(uuid.uuid4()), "verb": "strike", "uuid": first["uuid"], "reason": "wrong button"}
    fourth = {"id": str(uuid.uuid4()), "verb": "undo", "uuid": first["uuid"]}
    answer = post(log, [first, second, third, fourth], client)
    assert results(answer) == ["done"] * 4
    sequences = [r["sequence"] for r in answer["results"]]
    assert begun < sequences[0] < sequences[1] < sequences[2] < sequences[3] <= answer["sequence"]
    assert answer["results"][3]["event"] == client.get(f"/api/v1/events/{first['uuid']}").json()
    assert (answer["results"][3]["event"]["station"], answer["results"][3]["event"]["struck"]) == ("L2", False)
    again = post(log, [first, second, third, fourth], client)
    assert results(again) == ["known"] * 4
    assert again["sequence"] == answer["sequence"]
    made = Revision.objects.filter(sequence__gt=begun, thing="event")
    assert {str(r.uuid) for r in made} == {i["id"] for i in (first, second, third, fourth)}


def test_a_broken_item_keeps_nobody():
    log = make.log()
    broken = record(fields={"observed_at": "yesterday", "latitude": 95})
    answer = post(log, [record(), broken, 17, {"id": "x"}, record(fields={"action": "recover"})])
    assert results(answer) == ["done", "refused", "refused", "refused", "done"]
    assert answer["results"][1]["id"] == broken["id"]
    assert answer["results"][1]["problem"]["status"] == 422
    assert [e["field"] for e in answer["results"][1]["problem"]["errors"]] == ["items[1].fields.observed_at"]
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fields": {"instrment": "CTD"}}, "fields.instrment"),
        ({"fields": {"latitude": 95, "longitude": 1}}, "fields.latitude"),
        ({"fields": {"latitude": "95"}}, "fields.latitude"),
        ({"fields": {"latitude": True}}, "fields.latitude"),
        ({"fields": {"instrument": ""}}, "fields.instrument"),
        ({"fields": {"comment": "x" * 20_001}}, "fields.comment"),
        ({"fields": {"observed_at": "2026-03-04T03:14:07"}}, "fields.observed_at"),
        ({"fields": {"observed_at": "0001-01-01T00:00:00+14:00"}}, "fields.observed_at"),
        ({"fields": {"observed_at": 17}}, "fields.observed_at"),
        ({"fields": {"operation": "x"}}, "fields.operation"),
        ({"fields": {"extra": {"a": {"b": 1}}}}, "fields.extra"),
        ({"fields": {"extra": [1]}}, "fields.extra"),
        ({"id": "x"}, "id"),
        ({"uuid": None}, "uuid"),
        ({"verb": "delete"}, "verb"),
        ({"press": "yes"}, "press"),
        ({"logged_at": "noon"}, "logged_at"),
        ({"verb": "revise"}, "seen"),
        ({"verb": "revise", "seen": 0}, "seen"),
        ({"verb": "strike"}, "fields"),
        ({"clock": {"offset_s": "1"}}, "clock.offset_s"),
        ({"clock": {"offset_s": 1e300}}, "clock.offset_s"),
        ({"clock": 7}, "clock"),
        ({"mine": ["x"]}, "mine"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_faults_name_the_field(changes, field):
    answer = post(make.log(), [record(**changes)])
    assert results(answer) == ["refused"]
    assert f"items[0].{field}" in [e["field"] for e in answer["results"][0]["problem"]["errors"]]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" ", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"items": {}}', 422),
        (b'{"items": [], "itmes": []}', 422),
        (b"[" * 100_000, 422),
        (b'{"items": [' + b"[" * 5000 + b"]" * 5000 + b"]}", 422),
        (b"\xff\xfe", 422),
        (json.dumps({"items": [{}] * 201}).encode(), 422),
        (b'{"items": ["' + b"x" * 2_000_001 + b'"]}', 413),
        (b'{"items": [], "device": 7}', 422),
        (b'{"items": [], "device": {"uuid": "x", "name": "", "waiting": -1, "page": 3}}', 422),
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(body, status):
    response = speaker().post(address(make.log()), body, content_type="application/json")
    assert response.status_code == status
    assert response["Content-Type"].startswith("application/problem+json")


def test_other_content_is_415():
    log, client = make.log(), speaker()
    assert client.post(address(log), {"items": "[]"}).status_code == 415
    assert client.post(address(log), "<a/>", content_type="text/xml").status_code == 415


def test_a_key_told_twice_and_too_deep_spoil_their_item_alone():
    log = make.log()
    good = json.dumps(record())
    twice = '{"id": "1", "verb": "record", "verb": "strike"}'
    deep = json.dumps(record())[:-1] + ', "reason": ' + "[" * 40 + "]" * 40 + "}"
    body = f'{{"items": [{twice}, {deep}, {good}]}}'
    response = speaker().post(address(log), body, content_type="application/json")
    assert results(response.json()) == ["refused", "refused", "done"]


def test_texts_that_databases_cannot_hold_are_made_storable():
    answer = post(make.log(), [record(fields={"comment": "a\0b\ud800c"})])
    assert answer["results"][0]["event"]["comment"] == "a\ufffdb\ufffdc"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(items.KEYS)), json_values, max_size=10)
    | st.fixed_dictionaries(
        {
            "id": st.uuids().map(str),
            "uuid": st.uuids().map(str),
            "verb": st.sampled_from(items.VERBS),
            "seen": st.integers(),
            "fields": st.dictionaries(st.sampled_from(logbook.FIELDS), json_values, max_size=6),
        }
    )
)
def test_reading_an_item_never_fails_otherwise_than_by_naming_faults(value):
    sent = json.dumps({"items": [value]}).encode()
    faults: tuple[Fault, ...] = ()
    try:
        read = items.read(items.load(sent)["items"][0], "items[0]", logbook.FIELDS)
    except NotLikeThis as refusal:
        faults = refusal.faults
    assert faults or read.verb in items.VERBS
    assert all(fault.where.startswith("items[0]") for fault in faults)


def test_a_press_within_two_seconds_is_one_event_and_its_details_go_there():
    log = make.log()
    first, second = record(press=True), record(press=True)
    details = {"id": str(uuid.uuid4()), "verb": "revise", "uuid": second["uuid"], "seen": 1, "fields": {"cast": "7"}}
    answer = post(log, [first, second, details])
    assert results(answer) == ["done", "bounced", "done"]
    assert answer["results"][1]["event"]["uuid"] == first["uuid"]
    assert Event.objects.get().cast == "7"


def test_both_versions_are_shown_where_two_changed_the_same_field():
    log = make.log()
    event = make.event(log, station="L1", comment="")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"})
    answer = post(
        log,
        [
            change(event, seen=1, fields={"station": "L3", "comment": "mine"}),
            change(event, seen=1, fields={"comment": "mine"}),
        ],
    )
    assert results(answer) == ["conflict", "done"]
    problem = answer["results"][0]["problem"]
    assert problem["status"] == 409
    assert problem["versions"]["station"] == {
        "base": "L1",
        "theirs": "L2",
        "mine": "L3",
        "by": "Noor Rahman",
        "at": problem["versions"]["station"]["at"],
    }
    assert problem["event"]["station"] == "L2"
    event.refresh_from_db()
    assert (event.station, event.comment) == ("L2", "mine")


def test_a_strike_of_an_event_that_others_changed_is_a_conflict():
    log = make.log()
    event = make.event(log, station="L1")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"})
    answer = post(log, [change(event, "strike", seen=1), change(event, "strike", seen=2)])
    assert results(answer) == ["conflict", "done"]
    assert answer["results"][0]["problem"]["versions"]["station"]["theirs"] == "L2"


def test_the_own_changes_of_a_tablet_are_no_conflict():
    """Made without a network, all are told with the revision that the tablet saw last."""
    log = make.log()
    event = make.event(log, station="L1")
    first, second = (change(event, seen=1, fields={"station": name}) for name in ("L2", "L3"))
    assert results(post(log, [first, second])) == ["done", "done"]
    third = change(event, seen=1, mine=[first["id"], second["id"]], fields={"station": "L4"})
    stranger = change(event, seen=1, fields={"station": "L5"})
    assert results(post(log, [stranger])) == ["conflict"]
    assert results(post(log, [third])) == ["done"]
    event.refresh_from_db()
    assert event.station == "L4"


def test_an_id_of_another_change_is_refused():
    log = make.log()
    one, other = make.event(log, station="1"), make.event(log, station="2")
    done = change(one, seen=1, fields={"cast": "7"})
    stolen = change(other, seen=1, fields={"cast": "8"}, id=done["id"])
    born = record(id=done["id"])
    answer = post(log, [done, stolen, born])
    assert results(answer) == ["done", "refused", "refused"]
    assert answer["results"][2]["problem"]["errors"][0]["field"] == "items[2].id"


def test_events_of_another_log_are_not_found():
    event = make.event()
    answer = post(make.log(), [change(event, seen=1, fields={"cast": "7"}), record(uuid=str(event.uuid))])
    assert results(answer) == ["refused", "refused"]
    assert [r["problem"]["status"] for r in answer["results"]] == [404, 422]


def test_what_was_made_before_closing_and_arrives_after_is_taken_and_labelled():
    log = make.log()
    event = make.event(log, station="L1")
    before = (timezone.now() - dt.timedelta(minutes=5)).isoformat()
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    after = (timezone.now() + dt.timedelta(seconds=5)).isoformat()
    answer = post(
        log,
        [
            record(fields={"observed_at": before}, logged_at=before),
            change(event, seen=1, fields={"station": "L2"}, logged_at=before),
            record(fields={"observed_at": after}, logged_at=after),
            record(fields={"observed_at": before}, logged_at=after),
            change(event, seen=2, fields={"station": "L3"}, logged_at=after),
        ],
    )
    assert results(answer) == ["done", "done", "refused", "refused", "refused"]
    assert [r["problem"]["status"] for r in answer["results"][2:]] == [409, 403, 403]
    late = Revision.objects.filter(after_close=True, thing="event").order_by("sequence")
    assert [r.verb for r in late] == ["record", "revise"]
    assert late[1].reason == "made before the log was closed, received after"
    assert Event.objects.get(source="late").author_name == "Sam Keane"
    chief = post(log, [record(fields={"observed_at": before}, logged_at=after)], speaker("chief"))
    assert results(chief) == ["done"]


def test_a_log_that_is_not_open_yet_takes_nothing():
    log = make.log("not opened")
    assert post(log, [record()], speaker("operator"))["results"][0]["problem"]["status"] == 409


def test_who_may_not_log_is_refused_as_a_whole():
    log = make.log()
    post(log, [record()], speaker("stranger"), status=404)
    post(log, [record()], speaker("watch", scopes=["read"]), status=403)
    assert Client().post(address(log), "{}", content_type="application/json").status_code == 401
    Party.objects.filter(email="watch@example.org").update(may_log=False)
    post(log, [record()], status=403)
    assert not Event.objects.exists()


def test_a_session_needs_its_csrf_token(browse):
    log = make.log()
    client = browse("watch")
    assert results(post(log, [record()], client)) == ["done"]
    assert Event.objects.get().source == "web"
    client.handler.enforce_csrf_checks = True
    post(log, [record()], client, status=403)


def test_the_tablet_is_kept_and_its_clock_measured():
    log = make.log()
    fast = (timezone.now() + dt.timedelta(seconds=259)).isoformat()
    post(log, [record()], device=DEVICE | {"now": fast})
    device = Device.objects.get()
    assert (device.name, device.waiting, device.page, device.seen_by) == ("wet lab tablet", 3, "log", "Sam Keane")
    assert device.clock_offset_s == pytest.approx(259, abs=2)
    event = Event.objects.get()
    assert event.device == "wet lab tablet"
    assert event.clock_offset_s == pytest.approx(259, abs=2)
    post(log, [], device=DEVICE | {"waiting": 0, "now": timezone.now().isoformat()})
    device.refresh_from_db()
    assert device.waiting == 0
    assert device.clock_offset_s == pytest.approx(0, abs=2)


def test_a_tablet_that_corrected_its_presses_says_by_how_much():
    log = make.log()
    post(log, [record(clock={"offset_s": 12.5, "corrected": True})], device=DEVICE | {"now": "2026-01-01T00:00:00Z"})
    assert Event.objects.get().clock_offset_s == 12.5
