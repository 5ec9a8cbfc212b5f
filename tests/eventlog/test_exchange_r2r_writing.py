"""The R2R CSV as written: what it says, that it reads back equal, and that it is always the same bytes."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import r2r
from eventlog.exchange.record import LoggedEvent

from .test_exchange_r2r import only, read, with_

ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NASTY = st.sampled_from(["=1+1", "+1", "-1", "@x", "a,b", 'say "no"', "a\nb", "\r", "\r\n", '"', '""', "船, ñ", ","])
TEXT = (ANY | NASTY).map(str.strip)
WORD = TEXT.filter(lambda text: text.casefold() not in ("nan", "no_gps"))
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])
BOUNDS = (datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - the zone is drawn beside it
MOMENT = st.datetimes(*BOUNDS, timezones=ZONES)
SECOND = MOMENT.map(lambda at: at.replace(microsecond=0))
PLACE = st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@st.composite
def events(draw: st.DrawFn) -> LoggedEvent:
    place = draw(PLACE)
    return LoggedEvent(
        number=draw(TEXT),
        observed_at=draw(MOMENT),
        logged_at=draw(st.none() | SECOND),
        instrument=draw(TEXT),
        action=draw(TEXT),
        transect=draw(WORD),
        station=draw(WORD),
        cast=draw(WORD),
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        seafloor_m=draw(st.none() | st.floats(-1e5, 1e5)),
        author=draw(TEXT),
        comment=draw(ANY | NASTY),
        revised_at=tuple(draw(st.lists(SECOND, max_size=3))),
    )


def fields(events: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """The events without what belongs to the file they came from."""
    return [dataclasses.replace(event, original={}, line=0) for event in events]


@given(st.lists(events().filter(lambda event: event.number), max_size=4))
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_equal_and_writes_the_same_bytes(logged):
    text = r2r.write(logged, "xx01")
    reading = r2r.read(text.encode())
    assert fields(reading.events) == logged
    assert not any(problem.fatal for problem in reading.problems)
    assert r2r.write(reading.events, "xx01") == text == r2r.write(iter(logged), "xx01")


def test_the_columns_as_written():
    event = dataclasses.replace(
        only(read(with_(Comment='=1+1, "so"', Revisions=" & Wed May  3 18:02:43 2023"))), seafloor_m=1e-7
    )
    assert r2r.write([event, dataclasses.replace(event, latitude=None, logged_at=None)], "yy02").split("\n") == [
        '"Message ID","Date","Event","Instrument","Action","Transect","Station","Cast","Latitude",'
        '"Longitude","Seafloor","Author","Comment","Cruise","R2R_Event","dateTimeUTC","GPS_Time","dateTime8601",'
        '"Revisions"',
        '"1","Tue, 05 Mar 2024 10:15:00 +0000","20240305.1014.001","Winch","deploy","NaN","S1","003","10.5",'
        '"-20.25","0.0000001","somebody","=1+1, ""so""","yy02","xx01-SE-20240305.1014.001","20240305.1010",'
        '"2024/03/05 10:10:05","2024-03-05T10:10:05+00:00"," & Wed May  3 18:02:43 2023"',
        '"2","","20240305.1014.001","Winch","deploy","NaN","S1","003","NaN",'
        '"NaN","0.0000001","somebody","=1+1, ""so""","yy02","xx01-SE-20240305.1014.001","20240305.1010",'
        '"","2024-03-05T10:10:05+00:00"," & Wed May  3 18:02:43 2023"',
        "",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"observed_at": datetime(2024, 1, 1)},  # noqa: DTZ001 - the point of it
        {"logged_at": datetime(2024, 1, 1)},  # noqa: DTZ001
        {"latitude": float("nan")},
        {"seafloor_m": float("inf")},
    ],
)
def test_what_cannot_be_written_is_refused(change):
    with pytest.raises(ValueError):
        r2r.write([dataclasses.replace(only(read(with_())), **change)], "xx01")
