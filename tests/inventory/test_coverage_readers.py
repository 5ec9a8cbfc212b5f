"""Readers of periods and places: what they read of real feeds and of written files, and that nothing breaks them."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import logged, moments, reading, seabird, tables
from inventory.coverage.along import Course
from inventory.coverage.readers import READERS, reader_of
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.coverage.shape import MOST, Shape, shape
from inventory.navigation.sentences import NEVER

EVER = (-(10**15), 10**15)
AUGUST = (moments.moment(2014, 7, 1), moments.moment(2014, 9, 1))
HEADER = (
    b"* Sea-Bird SBE 9 Data File:\r\n* FileName = C:\\data\\ctd\\at3712001.hex\r\n* Temperature SN = 4303\r\n"
    b"* Conductivity SN = 3009\r\n* Number of Bytes Per Scan = 40\r\n"
    b"* Number of Scans Averaged by the Deck Unit = 1\r\n* System UpLoad Time = Apr 25 2017 14:19:59\r\n"
    b"* NMEA Latitude = 14 01.97 N\r\n* NMEA Longitude = 104 20.66 W\r\n"
    b"* NMEA UTC (Time) = Apr 25 2017 14:19:00\r\n** Op\xe9rateur: Zo\xeb\r\n*END*\r\n"
)


def source_of(data: bytes, name: str = "a.txt", **beside: bytes) -> Source:
    def memory(content: bytes) -> int:
        file = os.memfd_create("test")
        os.write(file, content)
        return file

    return Source(memory(data), name, beside=lambda n: memory(beside[n[-3:]]) if n[-3:] in beside else None)


def read(data: bytes, name: str = "a.txt", **beside: bytes) -> Reading:
    source = source_of(data, name, **beside)
    try:
        reader = reader_of(source)
        assert reader is not None
        return reader.read(source)
    finally:
        os.close(source.file)


def at(ms: int | None) -> str:
    assert ms is not None
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def drawn(path: Path, window: tuple[int, int] = AUGUST) -> tuple[Reading, Shape]:
    found = read(path.read_bytes(), path.name)
    return found, shape(found, window)


# --- real feeds -----------------------------------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.parametrize(("feed", "placed"), [("s330", True), ("gp02", True), ("seap", True), ("PCOD", True)])
def test_the_palmers_receivers_have_a_track(real_data: Path, feed: str, placed: bool):
    found, made = drawn(real_data / f"nbp1406/data/{feed}/raw/NBP1406_{feed}-2014-08-01")
    assert found.format == "NMEA 0183 log"
    assert at(made.first)[:10] in ("2014-08-01", "2014-07-31")
    assert at(made.last)[:10] == "2014-08-01"
    assert made.lines
    x, y = made.lines[0][0]
    assert (x, y) == pytest.approx((-17.939, -22.0018), abs=0.002)
    assert not made.outside


@pytest.mark.real_data
@pytest.mark.parametrize("feed", ["mwx1", "tsg1", "knud", "gyr1", "pco2", "adcp", "twnc", "hdas", "svp1", "grv1"])
def test_the_palmers_other_feeds_have_a_period(real_data: Path, feed: str):
    path = real_data / f"nbp1406/data/{feed}/raw/NBP1406_{feed}-2014-08-01"
    _, made = drawn(path)
    lines = path.read_bytes().splitlines()
    assert at(made.first) == lines[0][:19].decode()
    assert at(made.last) == lines[-1][:19].decode()
    assert (made.lines, made.point) == ((), None)


@pytest.mark.real_data
def test_a_receiver_that_lost_the_date_is_told(real_data: Path):
    found, _ = drawn(real_data / "nbp1406/data/PCOD/raw/NBP1406_PCOD-2014-08-01")
    assert "wrong by -7168 days" in found.remarks[0]


@pytest.mark.real_data
def test_scs_and_geocsv(real_data: Path):
    _, made = drawn(real_data / "nav/nav03_NEMA-Serial_20101005-122347.Raw", EVER)
    assert (at(made.first), at(made.last)[:10]) == ("2010-10-05T12:23:48", "2010-10-07")
    assert 2 <= sum(map(len, made.lines)) <= MOST
    found, made = drawn(real_data / "nav/RR2402_control.geoCSV", EVER)
    assert (found.format, made.points) == ("GeoCSV", 336)
    assert at(made.first) == "2024-02-16T23:59:59"
    assert (-117.236072, 32.70652) in [line[0] for line in made.lines]  # alone before a pause


# --- Sea-Bird -------------------------------------------------------------------------------------------------------


def test_a_header_with_its_raw_file():
    found = read(HEADER, "c.hdr")
    assert at(int(found.moments.min())) == "2017-04-25T14:19:00"  # the receiver's time before the computer's
    assert (found.longitude[0], found.latitude[0]) == pytest.approx((-104 - 20.66 / 60, 14 + 1.97 / 60))
    assert found.instrument == "SBE 9, temperature 4303, conductivity 3009"
    scans = b"0" * 80 + b"\r\n"
    raw = read(scans * 24 * 60, "c.hex", hdr=HEADER)
    assert at(int(raw.moments.max())) == "2017-04-25T14:20:00"
    both = read(HEADER + scans * 24 * 60, "c.hex")
    assert at(int(both.moments.max())) == "2017-04-25T14:20:00"


def test_a_converted_cast_and_its_bottles():
    rows = (
        b"# nvalues = 241\n# interval = seconds: 0.5\n# start_time = Apr 25 2017 14:00:00 [System UTC]\n*END*\n 1 2\n"
    )
    cnv = read(HEADER.replace(b"*END*\r\n", b"").replace(b"NMEA UTC", b"NMEA XTC") + rows, "c.cnv")
    assert [at(int(m)) for m in cnv.moments] == ["2017-04-25T14:00:00", "2017-04-25T14:02:00"]
    bottles = (
        b"    Bottle        Date      Sal00\n  Position        Time\n"
        b"      1    Apr 25 2017    34.6   (avg)\n              15:03:11     0.1   (sdev)\n"
        b"      2    Apr 25 2017    34.6   (avg)\n              15:41:02     0.1   (sdev)\n"
    )
    btl = read(HEADER + bottles, "c.btl")
    assert at(int(btl.moments.max())) == "2017-04-25T15:41:02"


def test_positions_as_people_write_them():
    def place(line: bytes) -> tuple[list[float], list[float]]:
        head = HEADER.replace(b"* NMEA Latitude = 14 01.97 N\r\n* NMEA Longitude = 104 20.66 W\r\n", line)
        found = read(head, "c.hdr")
        return found.longitude.tolist(), found.latitude.tolist()

    assert place(b"** Latitude: 22 45.0 S\r\n** Longitude: 158 30.0 W\r\n") == ([-158.5], [-22.75])
    assert place(b"** Latitude: -22.75\r\n** Longitude: 158.5\r\n") == ([158.5], [-22.75])
    assert place(b"** Latitude: 22.75 N\r\n** Longitude: 158.5 E\r\n") == ([158.5], [22.75])
    assert place(b"** Latitude: near the buoy\r\n** Longitude: 158.5\r\n") == ([], [])
    assert place(b"") == ([], [])


def test_a_header_without_a_time_is_told():
    with pytest.raises(Unreadable, match="tells no time"):
        read(b"* Sea-Bird SBE 9 Data File:\r\n*END*\r\n", "c.hdr")


# --- tables and logs ------------------------------------------------------------------------------------------------


def test_a_table_with_names_of_its_own():
    found = read(
        b'"Date_Time";"Lon (deg)";Lat\n2026-03-02T10:00:00Z;-25.0;36.0\nodd;x;y\n2026-03-02 10:01;-25.1;36.1\n'
    )
    assert found.format == "CSV"
    assert found.longitude.tolist() == [-25.0, -25.1]
    assert found.remarks == ("1 rows could not be read",)
    with pytest.raises(Unreadable):
        read(b"time,lat,lon\nnone,of,these\n")


def test_a_delimiter_between_quotes_is_none():
    found = read(b'time,note,lat,lon\n2026-03-02T10:00:00Z,"deep, and cold",36.0,-25.0\n2026-03-02T10:01:00Z,"x,36,1\n')
    assert (found.latitude.tolist(), found.longitude.tolist()) == ([36.0], [-25.0])
    assert found.remarks == ("1 rows could not be read",)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv", "2018-11", "2018-11"),
        ("R2R_ELOG_AR63.csv", "2021-11", "2021-11"),
        ("R2R_ELOG_en720.csv", "2024-09", "2024-09"),
    ],
)
def test_event_logs_of_r2r(real_data: Path, name: str, first: str, last: str):
    _, made = drawn(real_data / "r2r-elog" / name, EVER)
    assert (at(made.first)[:7], at(made.last)[:7]) == (first, last)
    assert all(-75 < x < -69 and 38 < y < 42 for line in made.lines for x, y in line)


def test_stamps_of_every_kind():
    def first(line: bytes) -> str:
        return at(moments.stamps(line + b"\n")[0])

    assert first(b"2014-08-01T00:00:00.285000Z x") == "2014-08-01T00:00:00"
    assert first(b"10/05/2010,12:23:48.531,x") == "2010-10-05T12:23:48"
    assert first(b"cnav\t2010:258:01:05:34.0656\tx") == "2010-09-15T01:05:34"
    assert first(b"NAV 2013/11/20 05:00:04.561 GPS") == "2013-11-20T05:00:04"
    assert first(b"2016-12-31T23:59:60Z x") == "2017-01-01T00:00:00"
    assert moments.stamps(b"2014-13-01T00:00:00Z x\n2014:367:00:00:00 x\nword\n") == []


def test_a_large_log_is_read_at_both_ends_and_between(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "WHOLE", 256 * 1024)
    monkeypatch.setattr(reading, "BLOCK", 64 * 1024)
    begin = moments.moment(2026, 3, 2)
    lines = [
        b"%sZ $GPGGA,%02d%02d%02d.00,36%07.4f,N,02500.0000,W,1,09,0.9,10.0,M,0.0,M,,\n"
        % (at(begin + s * 1000).encode(), s // 3600, s // 60 % 60, s % 60, s / 86400 * 59)
        for s in range(0, 86400, 5)
    ]
    data = b"".join(lines)
    assert len(data) > 4 * 256 * 1024
    made = shape(read(data), EVER)
    assert (at(made.first), at(made.last)) == ("2026-03-02T00:00:00", "2026-03-02T23:59:55")
    assert 100 < made.points < len(lines) / 2
    assert made.lines[0][-1][1] == pytest.approx(36 + 59 / 60, abs=0.001)


def test_what_no_reader_takes():
    for data in (b"", b"\0" * 100, b"hello\nworld\n", bytes(range(256)) * 8, b"MET,1,2\nMET,1,2\n"):
        source = source_of(data)
        assert reader_of(source) is None
        os.close(source.file)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=3000),
    st.sampled_from(["", "* Sea-Bird SBE 9\n", "time,lat,lon\n", "2014-08-01T00:00:00Z $GPGGA,", "$GPRMC,"]),
    st.sampled_from(["a.hex", "b.cnv", "c.btl", "d", "e.csv"]),
)
def test_any_bytes_are_read_or_refused(data: bytes, start: str, name: str):
    source = source_of(start.encode() + data, name)
    try:
        for reader in READERS:
            if reader.takes(source):
                try:
                    made = shape(reader.read(source), AUGUST)
                except Unreadable:
                    continue
                assert made.first is None or made.first <= made.last
                assert sum(map(len, made.lines)) <= MOST
    finally:
        os.close(source.file)


# --- shapes ---------------------------------------------------------------------------------------------------------


def way(xs: list[float], ys: list[float], step: int = 60_000) -> Reading:
    time = np.arange(len(xs), dtype=np.int64) * step
    return Reading("test", time=time, longitude=np.array(xs), latitude=np.array(ys))


def test_a_leap_is_left_out_and_a_voyage_across_180_is_cut():
    spike = shape(way([1.0, 1.001, 40.0, 1.003, 1.004], [50.0, 50.001, 10.0, 50.003, 50.004]), EVER)
    assert spike.points == 4
    assert max(x for line in spike.lines for x, _ in line) < 2
    over = shape(way([179.9, 179.95, -179.99, -179.9], [10.0] * 4, 3_600_000), EVER)
    assert [line[0][0] for line in over.lines] == [179.9, -180.0]
    assert shape(way([359.0, 359.1], [10.0, 10.0], 3_600_000), EVER).lines[0][0] == (-1.0, 10.0)


def test_places_that_are_none_and_a_ship_that_lies_still():
    still = shape(way([0.0, np.nan, 5.0, 5.0, 5.0, 500.0], [0.0, 1.0, 50.0, 50.0, 50.0, 1.0]), EVER)
    assert (still.lines, still.point, still.points) == ((), (5.0, 50.0), 3)


def test_times_outside_the_cruise():
    window = (moments.moment(2014, 7, 1), moments.moment(2014, 9, 1))
    good, wrong = moments.moment(2014, 8, 1), moments.moment(1994, 8, 1)
    some = shape(Reading("x", np.array([good, wrong, NEVER, good + 5])), window)
    assert (some.first, some.last, some.outside) == (good, good + 5, False)
    assert "1 times outside" in some.remarks[0]
    none = shape(Reading("x", np.array([wrong])), window)
    assert (none.first, none.outside) == (wrong, True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats(), st.integers(-(2**62), 2**62)), max_size=60))
def test_any_places_make_a_shape(rows: list[tuple[float, float, int]]):
    x, y, t = (np.array([row[n] for row in rows]) for n in range(3))
    made = shape(Reading("x", time=t.astype(np.int64), longitude=x.astype(float), latitude=y.astype(float)), EVER)
    for line in made.lines:
        assert all(-180 <= a <= 180 and -90 <= b <= 90 for a, b in line)


def test_along_the_track():
    hour = np.arange(0, 3_600_000, 60_000, dtype=np.int64)
    course = Course(hour, np.linspace(10, 10.6, 60), np.full(60, 50.0))
    part = course.between(600_000, 1_200_000)
    assert part.lines[0][0][0] == pytest.approx(10.6 * 9 / 59 + 10 * 50 / 59, abs=0.001)
    assert course.between(605_000, 606_000).points <= 3
    assert course.between(3_600_000 + 300_000, 3_600_000 + 310_000).point is not None
    assert course.between(10**9, 10**9 + 5) is None
    assert Course().between(0, 1) is None


def test_every_reader_has_a_version():
    assert {r.version for r in READERS} >= {logged.VERSION, seabird.VERSION, tables.VERSION}
    assert len({r.name for r in READERS}) == len(READERS)
