"""Sealog's JSON: a real cruise against a plain reading of it, the rules one by one, hostile input."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import boundedjson, sealog
from eventlog.exchange.record import LoggedEvent, Measurement, Reading, Unreadable

ID = "65e6f0c8aaaaaaaaaaaaaaaa"
OTHER = "65e6f0c8bbbbbbbbbbbbbbbb"


def event(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": ID,
        "ts": "2024-03-05T10:10:05.250Z",
        "event_author": "deck",
        "event_value": "CTD",
        "event_free_text": "first cast",
        "event_options": [{"event_option_name": "status", "event_option_value": "Deployed"}],
    }
    return {**row, **changes}


def options(**named: Any) -> list[dict[str, Any]]:
    return [{"event_option_name": name, "event_option_value": value} for name, value in named.items()]


def aux(source: str = "vesselRealtimeNavData", event_id: str = ID, own: str = "1", **values: str) -> dict[str, Any]:
    units = {"latitude": "ddeg", "longitude": "deg", "heading": "deg"}
    data = [
        {"data_name": name, "data_value": value, "data_uom": units.get(name, "m")} for name, value in values.items()
    ]
    return {"id": own, "event_id": event_id, "data_source": source, "data_array": data}


def read(events: Any, records: Any = None) -> Reading:
    return sealog.read(json.dumps(events).encode(), None if records is None else json.dumps(records).encode())


def only(reading: Reading) -> LoggedEvent:
    assert len(reading.events) == 1, reading.problems
    return reading.events[0]


def told(reading: Reading) -> list[tuple[int, str, bool]]:
    return [(problem.line, problem.column, problem.fatal) for problem in reading.problems]


# A real cruise


@pytest.fixture(scope="module")
def real(real_data):
    names = ("FKt230303_eventOnlyExport.json", "FKt230303_auxDataExport.json")
    data = [(real_data / "sealog" / name).read_bytes() for name in names]
    return *[json.loads(part) for part in data], sealog.read(*data)


def test_all_real_events_and_auxiliary_records_are_read(real):
    events, records, reading = real
    assert (len(events), len(records)) == (525, 511)
    assert len(reading.events) == 525
    assert sum(len(event.original.get("aux_data", [])) for event in reading.events) == 511
    assert reading.problems == ()


def test_fourteen_real_events_have_no_position_and_get_none(real):
    _, records, reading = real
    assert [event.number for event in reading.events if event.latitude is None] == [
        event.number for event in reading.events if event.number not in {record["event_id"] for record in records}
    ]
    assert sum(event.longitude is None for event in reading.events) == 14
    assert reading.notes == (
        "Position from vesselRealtimeNavData in 511 events",
        "14 events have no position",
    )


def test_originals_hold_every_real_value(real):
    events, records, reading = real
    beside = {record["event_id"]: record for record in records}
    for row, event in zip(events, reading.events, strict=True):
        expected = {**row, "aux_data": [beside[row["id"]]]} if row["id"] in beside else row
        assert event.original == expected
    assert reading.columns == tuple(events[0])


def test_fields_say_what_the_real_records_say(real):
    events, records, reading = real
    beside = {record["event_id"]: {value["data_name"]: value for value in record["data_array"]} for record in records}
    for row, event in zip(events, reading.events, strict=True):
        values = beside.get(row["id"], {})
        chosen = {option["event_option_name"]: option["event_option_value"] for option in row["event_options"]}
        assert event.number == row["id"]
        assert event.observed_at == datetime.fromisoformat(row["ts"])
        assert (event.instrument, event.author) == (row["event_value"], row["event_author"])
        assert event.action == chosen.get("status", chosen.get("activity", "")).strip()
        remark = chosen.get("event_comment", "")
        assert event.comment == "\n".join(text for text in (row["event_free_text"], remark) if text)
        if values:
            place = (float(values["latitude"]["data_value"]), float(values["longitude"]["data_value"]))
            assert (event.latitude, event.longitude) == place
        heading = [values["heading"]["data_value"]] if "heading" in values else []
        assert [measurement.value for measurement in event.measurements] == heading


def test_real_events_typed_late_are_those_that_were_counted(real):
    """29 of 525 (5.5 %) were typed more than two minutes after they happened: told by the ids alone."""
    *_, reading = real
    assert sum((event.logged_at - event.observed_at).total_seconds() > 120 for event in reading.events) == 29


def test_the_real_cruise_record(real_data):
    data = (real_data / "sealog" / "FKt230303_cruiseRecord.json").read_bytes()
    cruise = sealog.read_cruise(data)
    assert cruise.cruise_id == "FKt230303"
    assert cruise.starts_at == datetime(2023, 3, 3, tzinfo=UTC)
    assert cruise.ends_at == datetime(2023, 4, 11, 23, 59, 59, tzinfo=UTC)
    assert cruise.vessel == "R/V Falkor (too)"
    assert cruise.departure_port == cruise.arrival_port == "San Juan, PR"
    assert cruise.location.endswith("Mid-Atlantic Ridge")
    assert [cruise.original] == json.loads(data)
    for text in (cruise.name, cruise.chief_scientist, cruise.description):
        assert text in cruise.original["cruise_additional_meta"].values()
        assert text


# The rules, one by one


def test_a_plain_event():
    logged = only(read([event()]))
    assert logged.observed_at == datetime(2024, 3, 5, 10, 10, 5, 250_000, tzinfo=UTC)
    assert logged.logged_at == datetime.fromtimestamp(0x65E6F0C8, UTC)
    assert (logged.number, logged.instrument, logged.action) == (ID, "CTD", "Deployed")
    assert (logged.author, logged.comment, logged.line) == ("deck", "first cast", 1)
    assert logged.original == event()


@pytest.mark.parametrize(
    ("named", "action"),
    [
        ({"start/stop": "START", "milestone": "m", "activity": "a", "action": "b", "status": "c"}, "c"),
        ({"start/stop": "START", "milestone": "m", "activity": "a", "Action": "b"}, "b"),
        ({"start/stop": "START", "milestone": "m", "activity": "a", "action": " "}, "a"),
        ({"start/stop": "START", "milestone": "m"}, "m"),
        ({"start/stop": "START"}, "START"),
        ({"system": "EM"}, ""),
    ],
)
def test_the_action_is_the_first_option_of_the_list(named, action):
    assert only(read([event(event_options=options(**named))])).action == action


def test_options_fill_transect_station_and_cast_and_a_comment_is_added():
    named = {"Station": " S1 ", "cast": 3, "transect": "T", "event_comment": "later"}
    logged = only(read([event(event_options=options(**named))]))
    assert (logged.transect, logged.station, logged.cast) == ("T", "S1", "3")
    assert logged.comment == "first cast\nlater"


def test_an_id_that_is_no_object_id_tells_no_time():
    assert only(read([event(id="17")])).logged_at is None


def test_the_position_is_the_one_of_the_best_source_and_the_rest_is_kept():
    records = [
        aux("another", own="0", latitude="0.5", longitude="0.5"),
        aux("vesselRealtimeNavData", own="1", latitude="1", longitude="2", heading="3"),
        aux("vehicleRealtimeNavData", own="2", latitude="5", longitude="6", depth="7"),
        aux("vesselReNavData", own="3", latitude="8", longitude="9"),
        aux("vehicleReNavData", own="4", latitude="10", heading="11"),
    ]
    logged = only(read([event()], records))
    assert (logged.latitude, logged.longitude) == (5, 6)
    assert Measurement("vehicleRealtimeNavData", "depth", "7", "m") in logged.measurements
    assert Measurement("vesselReNavData", "latitude", "8", "ddeg") in logged.measurements
    assert not [one for one in logged.measurements if one.source == "vehicleRealtimeNavData" and one.name == "latitude"]
    assert len(logged.measurements) == 10
    assert logged.original["aux_data"] == records
    ship = sealog.from_rows([event()], records, position_sources=["vesselReNavData"])
    assert (only(ship).latitude, only(ship).longitude) == (8, 9)
    unknown = sealog.from_rows([event()], records, position_sources=[])
    assert (only(unknown).latitude, only(unknown).longitude) == (0.5, 0.5)


@pytest.mark.parametrize(("latitude", "longitude"), [("91", "0"), ("x", "1"), ("1", "")])
def test_a_position_that_cannot_be_gives_way_to_the_next_source(latitude, longitude):
    records = [
        aux("vesselReNavData", own="1", latitude=latitude, longitude=longitude),
        aux(own="2", latitude="1", longitude="2"),
    ]
    reading = read([event()], records)
    assert (only(reading).latitude, only(reading).longitude) == (1, 2)
    assert told(reading) == [(1, "aux_data", False)]
    assert only(reading).measurements[0].value == latitude


def test_a_position_in_other_units_is_not_taken_for_degrees():
    record = aux(latitude="1030.5", longitude="2015.0")
    record["data_array"][0]["data_uom"] = "ddmm"
    reading = read([event()], [record])
    assert only(reading).latitude is None
    assert told(reading) == [(1, "aux_data", False)]


def test_names_and_units_of_a_position_may_be_spelled_otherwise():
    record = aux(Latitude="1", LONGITUDE="2")
    record["data_array"][0]["data_uom"], record["data_array"][1]["data_uom"] = "", " DEG "
    assert only(read([event()], [record])).longitude == 2


def test_a_joined_export_has_the_auxiliary_records_within_each_event():
    record = aux(latitude="1", longitude="2", heading="3")
    joined = event(aux_data=[record])
    for reading in (read([joined]), read([joined], [record]), read(joined)):
        logged = only(reading)
        assert (logged.latitude, logged.longitude) == (1, 2)
        assert logged.original == joined
        assert logged.measurements == (Measurement("vesselRealtimeNavData", "heading", "3", "deg"),)


def test_duplicates_and_strays_are_told():
    records = [
        aux(latitude="1", longitude="2"),
        aux(latitude="3", longitude="4"),
        aux(event_id="nowhere", own="2", latitude="1", longitude="2"),
    ]
    reading = read([event(), event(event_value="ROV"), event(id=OTHER)], records)
    assert [logged.instrument for logged in reading.events] == ["CTD", "ROV", "CTD"]
    assert (reading.events[0].latitude, reading.events[2].latitude) == (1, None)
    messages = [problem.message for problem in reading.problems]
    assert len(messages) == 5
    assert "Auxiliary record 2 has the id 1 of auxiliary record 1" in messages
    assert sum("has 2 auxiliary records of vesselRealtimeNavData" in message for message in messages) == 2
    assert f"The id {ID} was already used by entry 1; both events are kept" in messages
    stray = "Auxiliary record 3 (vesselRealtimeNavData) points at event 'nowhere', which is not in this log"
    assert stray in messages
    assert not any(problem.fatal for problem in reading.problems)


# Hostile input


@pytest.mark.parametrize("ts", [None, "", "yesterday", 17, "2024-13-01T00:00:00Z", []])
def test_an_event_without_time_is_refused_and_the_rest_goes_on(ts):
    reading = read([event(ts=ts), event(id=OTHER)], [aux(latitude="1", longitude="2")])
    assert [(logged.number, logged.line) for logged in reading.events] == [(OTHER, 2)]
    assert told(reading) == [(1, "ts", True)]


def test_rows_of_other_shapes_are_refused_or_passed_over():
    odd = event(event_options=["x", {"a": 1}, {"event_option_name": None}], aux_data="none", event_author=None)
    reading = read([7, odd, event(id="", event_value="")], ["x", {**aux(), "data_array": 7}])
    assert len(reading.events) == 2
    assert told(reading) == [
        (1, "aux_data", True),
        (1, "", True),
        (3, "id", False),
        (3, "event_value", False),
    ]
    assert reading.events[0].author == ""


def test_a_truncated_export_is_unreadable_with_its_line(real_data):
    data = (real_data / "sealog" / "FKt230303_eventOnlyExport.json").read_bytes()
    for cut in (1, 100, 1000, len(data) - 1):
        with pytest.raises(Unreadable) as fault:
            sealog.read(data[:cut])
        assert fault.value.line == 1


def test_json_may_be_as_deep_as_allowed():
    def nested(depth: int) -> bytes:
        return json.dumps([event(more="@")]).replace('"@"', "[" * depth + "]" * depth).encode()

    assert only(sealog.read(nested(boundedjson.DEEPEST - 2)))
    with pytest.raises(Unreadable, match="deep"):
        sealog.read(nested(boundedjson.DEEPEST - 1))


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 40 + b"]" * 40])
def test_deep_json_is_refused(data):
    for way in (sealog.read, sealog.read_cruise, lambda aux: sealog.read(b"[]", aux)):
        with pytest.raises(Unreadable, match="deep"):
            way(data)


def test_huge_json_is_refused_before_it_is_parsed():
    data = json.dumps([event()]).encode()
    assert only(sealog.read(data, most_bytes=len(data)))
    with pytest.raises(Unreadable, match="bytes"):
        sealog.read(data, most_bytes=len(data) - 1)
    with pytest.raises(Unreadable, match="values"):
        sealog.read(b"[" + b"[]," * boundedjson.MOST_PARTS + b"]")


def test_a_wrong_byte_is_told_with_its_line():
    with pytest.raises(Unreadable, match="UTF-8") as fault:
        sealog.read(b'[\n{"event_value":\n"\xff"}]')
    assert fault.value.line == 3


NO_EVENTS = [b"", b"\x00", b"\xff\xfe[]", b"[] []", b"[1,2", b'{"a":1}', b"7", b'"x"', b'[{"a": 1}]']


@pytest.mark.parametrize("data", NO_EVENTS)
def test_other_json_and_no_json_are_unreadable(data):
    with pytest.raises(Unreadable):
        sealog.read(data)


def test_what_a_database_cannot_keep_is_replaced_and_told():
    row = event(event_free_text="a@b", event_author="half %", event_options=options(depth=1, wire=2, weight=3))
    text = json.dumps([row]).replace("@", "\\u0000").replace("%", "\\ud800")
    text = text.replace(": 1}", ": 1e999}").replace(": 2}", f": {'9' * 5000}}}").replace(": 3}", ": NaN}")
    reading = sealog.read(text.encode())
    logged = only(reading)
    assert (logged.comment, logged.author) == ("a\ufffdb", "half \ufffd")
    values = [option["event_option_value"] for option in logged.original["event_options"]]
    assert values == ["1e999", "9" * 5000, "NaN"]
    assert "2 texts held characters that cannot be kept, now U+FFFD" in reading.notes
    json.dumps(logged.original, allow_nan=False).encode()


def test_a_key_told_twice_is_refused():
    with pytest.raises(Unreadable, match="'id' more than once"):
        sealog.read(json.dumps([event()]).replace('"ts"', '"id"').encode())


@pytest.mark.parametrize("data", [b"[]", b"[{},{}]", b"{}", b'[{"cruise_id": ""}]', b'[{"cruise_id": null}]', b"[1]"])
def test_what_is_no_cruise_record_is_unreadable(data):
    with pytest.raises(Unreadable):
        sealog.read_cruise(data)


def test_a_sparse_cruise_record():
    cruise = sealog.read_cruise(b'{"cruise_id": "xx01", "cruise_tags": ["a", 1], "start_ts": "soon"}')
    assert (cruise.cruise_id, cruise.starts_at, cruise.vessel, cruise.tags) == ("xx01", None, "", ("a", "1"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROW = st.fixed_dictionaries(
    {"event_value": JSON},
    optional={"id": JSON, "ts": JSON, "event_options": JSON, "aux_data": JSON, "event_free_text": JSON},
)
RECORD = st.fixed_dictionaries({"data_array": JSON}, optional={"event_id": JSON, "data_source": JSON, "id": JSON})


@given(st.lists(ROW | JSON, max_size=3), st.lists(RECORD | JSON, max_size=3))
@settings(max_examples=150, deadline=None)
def test_no_json_makes_it_raise_anything_else(rows, records):
    rows.append(event())
    try:
        reading = read(rows, records)
    except Unreadable:
        return
    assert reading.events[-1].line == len(rows)
    assert len(reading.events) + sum(p.fatal and p.column != "aux_data" for p in reading.problems) == len(rows)
