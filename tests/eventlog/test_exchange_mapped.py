"""A plain table with a mapping: proposed by its header, read exactly as the mapping says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import detect, mapped
from eventlog.exchange.mapped import Columns
from eventlog.exchange.record import Unreadable

TEXT = (
    "# made by hand\n"
    "Gear;What;Date;Time (UTC);Lat;Lon;Depth (m);Stn;Wire out\n"
    'Bongo;"out; in";27.03.2026;0907;43 19.702 N;69 06.380 W;1500;L1;120\n'
    "Bongo;in;28.03.2026;1015;43 19.8 N;69 06.4 W;;L1;\n"
)
MAPPING = {
    "instrument": "Gear",
    "action": "What",
    "date": "Date",
    "time": "Time (UTC)",
    "latitude": "Lat",
    "longitude": "Lon",
    "seafloor_m": "Depth (m)",
    "station": "Stn",
    "date_format": "dmy",
}


def read(text: str = TEXT, **changes: Any):
    return mapped.read(text.encode(), Columns.of(MAPPING | changes))


def test_rows_become_events():
    reading = read()
    first, second = reading.events
    assert first.observed_at == datetime(2026, 3, 27, 9, 7, tzinfo=UTC)
    assert (first.instrument, first.action, first.station, first.seafloor_m) == ("Bongo", "out; in", "L1", 1500)
    assert (first.latitude, first.longitude) == pytest.approx((43.3283667, -69.1063333))
    assert [(m.name, m.value) for m in first.measurements] == [("Wire out", "120")]
    assert first.original["Wire out"] == "120"
    assert (first.number, first.line, second.line) == ("row-20260327.090700-001", 3, 4)
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 9), ("+02:00", 7), ("-0330", 12), ("Europe/Oslo", 8), ("America/New_York", 13)]
)
def test_time_zones(zone, hour):
    assert read(time_zone=zone).events[0].observed_at.hour == hour


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "2026-03-27T09:07:00Z"),
        ("iso", "2026-03-27 09:07"),
        ("ymd", "2026/3/27 9:07"),
        ("dmy", "27-Mar-2026 09:07:00"),
        ("mdy", "3/27/26 9:07 AM"),
        ("epoch", "1774602420"),
        ("%d %b %Y, %Hh%M", "27 Mar 2026, 09h07"),
    ],
)
def test_forms_of_time(form, text):
    mapping = {"observed_at": "t", "instrument": "i", "date_format": form}
    (event,) = mapped.read(f"t\ti\n{text}\tCTD\n".encode(), Columns.of(mapping)).events
    assert event.observed_at == datetime(2026, 3, 27, 9, 7, tzinfo=UTC)


def test_a_time_that_is_not_understood_refuses_its_row_alone():
    reading = read(TEXT.replace("28.03", "28.13"))
    assert len(reading.events) == 1
    ((line, column, fatal),) = [(p.line, p.column, p.fatal) for p in reading.problems]
    assert (line, column, fatal) == (4, "Date", True)


def test_values_for_all_rows_and_ends():
    mapping = {"observed_at": "from", "ended_at": "to", "values": {"instrument": "Trawl", "action": "tow"}}
    data = b"from,to\n2026-03-27T09:00Z,2026-03-27T10:00Z\n2026-03-27T09:00Z,2026-03-26T10:00Z\n"
    reading = mapped.read(data, Columns.of(mapping))
    assert [event.ended_at for event in reading.events] == [datetime(2026, 3, 27, 10, tzinfo=UTC), None]
    assert [event.instrument for event in reading.events] == ["Trawl", "Trawl"]
    assert ["end lies before" in problem.message for problem in reading.problems] == [True]
    assert [event.number for event in reading.events] == ["row-20260327.090000-001", "row-20260327.090000-002"]


def test_the_proposal_can_be_read_as_it_is():
    proposal = mapped.propose(TEXT.replace("What", "Action").encode())
    assert proposal.mapping["date_format"] == "dmy"
    assert len(proposal.rows) == 2
    reading = mapped.read(TEXT.replace("What", "Action").encode(), Columns.of(dict(proposal.mapping)))
    assert [event.observed_at.day for event in reading.events] == [27, 28]
    assert reading.events[0].station == "L1"


@pytest.mark.parametrize(
    ("samples", "form"),
    [
        (["03/04/2026 10:00"], ""),
        (["03/14/2026 10:00", "03/04/2026"], "mdy"),
        (["14/03/2026 10:00", "03/04/2026"], "dmy"),
        (["2026-03-04T10:00"], "iso"),
        (["1774602420.5"], "epoch"),
    ],
)
def test_the_order_of_a_date_is_proposed_only_where_it_is_certain(samples, form):
    data = "time,gear\n" + "".join(f"{sample},CTD\n" for sample in samples)
    assert mapped.propose(data.encode()).mapping["date_format"] == form


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ([], "object"),
        ({"observed_at": "t"}, "instrument"),
        ({"instrument": "i"}, "observed_at"),
        ({"instrument": "i", "observed_at": 3}, "not a text"),
        ({"instrument": "i", "observed_at": "t", "colour": "c"}, "no field"),
        ({"instrument": "i", "observed_at": "t", "date_format": "soon"}, "date_format"),
        ({"instrument": "i", "observed_at": "t", "time_zone": "../../etc/passwd"}, "time_zone"),
        ({"instrument": "i", "observed_at": "t", "time_zone": "+99:00"}, "time_zone"),
        ({"instrument": "i", "observed_at": "t", "position_style": "x"}, "position_style"),
        ({"instrument": "i", "observed_at": "t", "values": {"x": "y"}}, "values"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(mapping, word):
    with pytest.raises(Unreadable, match=word):
        Columns.of(mapping)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(Unreadable, match="no column 'Gears'"):
        read(instrument="Gears")


def test_a_mapping_is_json_again():
    columns = Columns.of(MAPPING)
    assert Columns.of(columns.as_json()) == columns


def test_a_table_without_a_mapping_asks_for_one():
    with pytest.raises(detect.NeedsMapping) as caught:
        detect.read_any("x.csv", TEXT.encode())
    assert caught.value.proposal.columns[0] == "Gear"
    assert len(detect.read_any("x.csv", TEXT.encode(), columns=Columns.of(MAPPING)).events) == 2


@pytest.mark.parametrize(("form", "word"), [("xlsx", "no format"), ("r2r", "no column"), ("elog", "no line begins")])
def test_the_format_can_be_forced(form, word):
    with pytest.raises(Unreadable, match=word):
        detect.read_any("x.csv", TEXT.encode(), form=form)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_bytes_of_any_kind_are_read_or_refused(data):
    try:
        proposal = mapped.propose(b"time,gear\n" + data)
        mapped.read(b"time,gear\n" + data, Columns.of(dict(proposal.mapping) | {"date_format": "dmy"}))
    except Unreadable:
        pass


@given(st.text(max_size=20), st.sampled_from(mapped.DATE_FORMATS), st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_row_is_an_event_or_a_refusal(time, form, place):
    mapping = {"observed_at": "t", "latitude": "p", "longitude": "q", "instrument": "i", "date_format": form}
    cells = [
        cell.translate(dict.fromkeys(map(ord, ',;\t|"\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029'))) for cell in (time, place)
    ]
    data = f"t,p,q,i\n{cells[0]},{cells[1]},10 30.5 W,CTD\n".encode("utf-8", "replace")
    reading = mapped.read(data, Columns.of(mapping))
    assert len(reading.events) + sum(problem.fatal for problem in reading.problems) == 1
