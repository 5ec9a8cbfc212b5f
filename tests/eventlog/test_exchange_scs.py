"""SCS event files: the PC's clock beside GPS time, positions in two styles, commas at the ends of rows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import detect, scs
from eventlog.exchange.record import Unreadable

START = datetime(2019, 7, 4, 22, 0, tzinfo=UTC)


def elg(rows: int = 200, offset: float = -259.0, drift: float = 0.0, stuck: range = range(0)) -> str:
    """A file as SEA's ships write it: a row a minute, the PC's clock `offset` seconds ahead of GPS time."""
    lines = ["Date,Time,GPS-nav-Time,GPS-nav-Lat,GPS-nav-Lon,Chirp-Depth,Tsal-Temp,"]
    for at in range(rows):
        gps = START + timedelta(minutes=at)
        pc = gps + timedelta(seconds=round(offset + drift * at))
        shown = START + timedelta(minutes=stuck.start) if at in stuck else gps
        lines.append(f"{pc:%m/%d/%Y},{pc:%H:%M:%S},{shown:%H%M%S}.00,4130.{at:04d}N,07040.5000W,3120.5,18.{at % 10},")
    return "\n".join(lines) + "\n"


def test_events_have_gps_time_over_midnight_and_the_offset_is_noted():
    reading = scs.read(elg().encode(), "dir/Hourly_001.elg")
    assert [event.observed_at for event in reading.events] == [START + timedelta(minutes=at) for at in range(200)]
    assert reading.problems == ()
    (clock,) = [note for note in reading.notes if "clock" in note]
    assert "259 s behind GPS time" in clock
    first = reading.events[0]
    assert (first.instrument, first.action, first.seafloor_m) == ("Hourly", "record", 3120.5)
    assert (first.latitude, first.longitude) == pytest.approx((41.5, -70.675))
    assert {m.name: m.value for m in first.measurements} == {"GPS-nav-Time": "220000.00", "Tsal-Temp": "18.0"}
    assert first.original["Date"] == "07/04/2019"
    assert first.number == "scs-Hourly-20190704.215541"


def test_a_clock_that_drifts_and_gps_that_stands_still():
    reading = scs.read(elg(rows=400, offset=-264, drift=11 / 400, stuck=range(100, 130)).encode(), "x.elg")
    off = [abs((e.observed_at - START - timedelta(minutes=at)).total_seconds()) for at, e in enumerate(reading.events)]
    assert max(off) <= 2
    assert any("in 29 rows" in note for note in reading.notes)


def test_decimal_degrees_and_buttons():
    text = (
        "Date,Time,Button,FURUNO_TIME,FURUNO_LAT,FURUNO_LON,GYRO,\n"
        "11/10/2008,03:56:18,In Water,035638.00,-18.46156,-70.37274,274.3,\n"
        "11/10/2008,03:56:18,In Water,035638.00,-18.46156,-70.37274,274.3,\n"
        "11/10/2008,04:56:18.500,On Deck,,,,,\n"
    )
    reading = detect.read_any("BONGO_002.elg", text.encode())
    assert reading.format == "scs"
    assert [(e.instrument, e.action) for e in reading.events] == [
        ("BONGO", "In Water"),
        ("BONGO", "In Water"),
        ("BONGO", "On Deck"),
    ]
    assert len({e.number for e in reading.events}) == 3
    assert reading.events[0].observed_at == datetime(2008, 11, 10, 3, 56, 38, tzinfo=UTC)
    assert (reading.events[0].latitude, reading.events[2].latitude) == (-18.46156, None)
    assert reading.events[2].observed_at == datetime(2008, 11, 10, 4, 56, 18, 500_000, tzinfo=UTC)


def test_bad_lines_cost_only_themselves():
    lines = elg(4).splitlines()
    text = "\n".join([*lines[:3], "garbage", lines[0], '07/04/2019,"22', lines[3] + "$DERIV,1,", lines[4]])
    reading = scs.read(text.encode(), "x.elg")
    assert len(reading.events) == 4
    assert [(problem.line, problem.fatal) for problem in reading.problems] == [(4, True), (6, True)]
    assert reading.events[2].original["+8"] == "$DERIV"
    assert any("header comes again" in note for note in reading.notes)


def test_what_is_none_is_refused():
    with pytest.raises(Unreadable, match="Date,Time"):
        scs.read(b"a,b,c\n1,2,3\n")


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=9), max_size=8))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_the_rows_nothing_is_lost(rows):
    text = "Date,Time,GPS-Time,Lat,Lon\n" + "\n".join(",".join(row) for row in rows)
    reading = scs.read(text.encode("utf-8", "replace"), "x.elg")
    assert all(event.original for event in reading.events)
