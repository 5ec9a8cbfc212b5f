"""Leadline's own document of a log: equal after a round trip, always the same bytes, strict otherwise."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import document, r2r, sealog
from eventlog.exchange.record import LoggedEvent, Measurement, Unreadable

EVENT = LoggedEvent(
    number="n1",
    observed_at=datetime(2024, 3, 5, 10, 10, 5, 250_000, tzinfo=UTC),
    logged_at=None,
    instrument="Winch",
    action="deploy",
    transect="",
    station="S1",
    cast="",
    latitude=10.5,
    longitude=-20.25,
    seafloor_m=None,
    author="somebody",
    comment="船, ñ",
    revised_at=(datetime(2024, 3, 6, tzinfo=UTC),),
    measurements=(Measurement("gyro", "heading", "12.5", "deg"),),
    original={"b": "2", "a": ["1", {"d": None, "c": 1.5}]},
    line=7,
    ended_at=datetime(2024, 3, 5, 11, tzinfo=UTC),
    extra={"wire_m": 120.5, "by hand": True},
)


def changed(**changes: Any) -> bytes:
    """The bytes of a document whose one event says something else."""
    value = json.loads(document.write({}, [EVENT]))
    value["events"][0].update(changes)
    return json.dumps(value).encode()


def test_the_text_is_this():
    assert document.write({"cruise": "xx01", "a": {"z": 1, "y": 2}}, [EVENT, EVENT]).split("\n") == [
        "{",
        '"format": "leadline-eventlog",',
        '"version": 1,',
        '"header": {"a":{"y":2,"z":1},"cruise":"xx01"},',
        '"events": [',
        *[
            '{"number":"n1","observed_at":"2024-03-05T10:10:05.250000Z","logged_at":null,"instrument":"Winch",'
            '"action":"deploy","transect":"","station":"S1","cast":"","latitude":10.5,"longitude":-20.25,'
            '"seafloor_m":null,"author":"somebody","comment":"船, ñ","revised_at":["2024-03-06T00:00:00Z"],'
            '"measurements":[{"source":"gyro","name":"heading","value":"12.5","unit":"deg"}],'
            '"original":{"a":["1",{"c":1.5,"d":null}],"b":"2"},"line":7,"ended_at":"2024-03-05T11:00:00Z",'
            '"extra":{"by hand":true,"wire_m":120.5}}' + end
            for end in (",", "")
        ],
        "]",
        "}",
        "",
    ]


def test_a_document_from_before_an_event_had_an_end_is_read():
    value = json.loads(document.write({}, [EVENT]))
    for name in ("ended_at", "extra"):
        del value["events"][0][name]
    (event,) = document.read(json.dumps(value).encode()).events
    assert event == dataclasses.replace(EVENT, ended_at=None, extra={})


@pytest.mark.parametrize(
    ("name", "value"), [("ended_at", "2024-03-05T10:00:00Z"), ("ended_at", "soon"), ("extra", ["a"])]
)
def test_an_event_with_a_wrong_end_or_wrong_answers_is_refused(name, value):
    reading = document.read(changed(**{name: value}))
    assert reading.events == ()
    assert [(problem.column, problem.fatal) for problem in reading.problems] == [(name, True)]


def test_an_empty_log_is_a_document_too():
    reading = document.read(document.write({"cruise": "xx01"}, []).encode())
    assert (reading.events, reading.header) == ((), {"cruise": "xx01"})


def test_the_real_logs_come_back_equal(real_data):
    folder = real_data / "sealog"
    readings = [r2r.read(path.read_bytes()) for path in sorted((real_data / "r2r-elog").glob("*.csv"))]
    readings.append(
        sealog.read(
            (folder / "FKt230303_eventOnlyExport.json").read_bytes(),
            (folder / "FKt230303_auxDataExport.json").read_bytes(),
        )
    )
    assert [len(reading.events) for reading in readings] == [40, 64, 249, 525]
    for reading in readings:
        again = document.read(document.write({}, reading.events).encode())
        assert again.events == reading.events
        assert (again.problems, again.notes) == ((), ())


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=11))])
BOUNDS = (datetime(1000, 1, 2), datetime(9999, 1, 1))  # noqa: DTZ001 - the zone is drawn beside it
MOMENT = st.datetimes(*BOUNDS, timezones=ZONES)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**29), 10**29)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
EVENTS = st.builds(
    LoggedEvent,
    **dict.fromkeys(("number", "instrument", "action", "transect", "station", "cast", "author", "comment"), TEXT),
    observed_at=MOMENT,
    logged_at=st.none() | MOMENT,
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
    seafloor_m=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    revised_at=st.lists(MOMENT, max_size=2).map(tuple),
    measurements=st.lists(st.builds(Measurement, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    original=OBJECT,
    line=st.integers(0, 10**6),
    extra=st.dictionaries(TEXT, TEXT | st.booleans(), max_size=3),
)


def backwards(value: Any) -> Any:
    """The same JSON with every object's keys in the other order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(part) for part in value] if isinstance(value, list) else value


@given(OBJECT, st.lists(EVENTS, max_size=3))
@settings(max_examples=80, deadline=None)
def test_what_is_written_reads_back_equal_and_writes_the_same_bytes(header, logged):
    text = document.write(header, logged)
    reading = document.read(text.encode())
    assert reading.events == tuple(logged)
    assert reading.header == header
    assert (reading.format, reading.problems, reading.notes) == ("leadline-eventlog", (), ())
    turned = [dataclasses.replace(event, original=backwards(event.original)) for event in logged]
    assert document.write(reading.header, reading.events) == text == document.write(backwards(header), turned)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"observed_at": datetime(2024, 1, 1)}, ValueError),  # noqa: DTZ001 - the point of it
        ({"latitude": float("nan")}, ValueError),
        ({"comment": "\ud800"}, ValueError),
        ({"original": {1: "a"}}, TypeError),
        ({"original": {"a": object()}}, TypeError),
    ],
)
def test_what_cannot_be_written_is_refused(change, fault):
    with pytest.raises(fault):
        document.write({}, [dataclasses.replace(EVENT, **change)])


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"number": 1}, "number"),
        ({"comment": None}, "comment"),
        ({"observed_at": None}, "observed_at"),
        ({"observed_at": "soon"}, "observed_at"),
        ({"logged_at": 5}, "logged_at"),
        ({"revised_at": "2024-03-05T10:10:05Z"}, "revised_at"),
        ({"revised_at": [None]}, "revised_at"),
        ({"latitude": "10"}, "latitude"),
        ({"latitude": True}, "latitude"),
        ({"latitude": 90.5}, "latitude"),
        ({"longitude": -180.5}, "longitude"),
        ({"seafloor_m": []}, "seafloor_m"),
        ({"measurements": [{"source": "a"}]}, "measurements"),
        ({"measurements": [{"source": "a", "name": "b", "value": 1, "unit": ""}]}, "measurements"),
        ({"measurements": {}}, "measurements"),
        ({"original": []}, "original"),
        ({"line": 1.5}, "line"),
        ({"line": True}, "line"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_event_that_is_not_whole_is_refused_and_the_rest_goes_on(change, column):
    value = json.loads(changed(**change))
    value["events"].append(json.loads(changed())["events"][0])
    reading = document.read(json.dumps(value).encode())
    assert reading.events == (EVENT,)
    assert [(problem.line, problem.column, problem.fatal) for problem in reading.problems] == [(1, column, True)]


def test_a_missing_field_and_no_object_are_refused():
    value = json.loads(changed())
    del value["events"][0]["cast"]
    value["events"].append(7)
    reading = document.read(json.dumps(value).encode())
    assert [(problem.line, problem.column) for problem in reading.problems] == [(1, "cast"), (2, "")]
    assert reading.events == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "version 3"),
        ({"version": None}, "version None"),
        ({"format": "other"}, "not a document"),
        ({"header": []}, "header"),
        ({"events": {}}, "events"),
    ],
)
def test_another_kind_or_version_of_document_is_unreadable(change, message):
    value = {**json.loads(changed()), **change}
    with pytest.raises(Unreadable, match=message):
        document.read(json.dumps(value).encode())


def test_a_truncated_document_is_unreadable():
    data = document.write({}, [EVENT, EVENT]).encode()
    for cut in range(1, len(data) - 2, 50):
        with pytest.raises(Unreadable):
            document.read(data[:cut])


def test_an_original_as_deep_as_any_source_may_be_survives():
    deep: list[Any] = []
    for _ in range(30):
        deep = [deep]
    event = dataclasses.replace(EVENT, original={"deep": deep})
    assert document.read(document.write({}, [event]).encode()).events == (event,)
