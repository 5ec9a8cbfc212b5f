"""NMEA 0183: the feeds of two ships, each sentence by itself, and whatever else may arrive."""

import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog import nmea
from eventlog.nmea import DBT, DPT, GGA, GLL, GNS, HDT, RMC, VTG, ZDA, Checksum, Fix, Refused


def summed(body: str) -> str:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}"


def parse(line: str | bytes) -> Any:
    return nmea.parse(line)  # of whatever kind it is


def reason(line: str | bytes) -> str:
    refusal = nmea.parse(line)
    assert isinstance(refusal, Refused)
    return refusal.reason


# Real feeds


def feed(real_data: Path, sensor: str) -> list[tuple[datetime, Any, list[str]]]:
    """(stamp, sentence, fields as written) of every line of a feed of 2014-08-01."""
    path = real_data / "nbp1406" / "data" / sensor / "raw" / f"NBP1406_{sensor}-2014-08-01"
    lines = [nmea.stamped(line) for line in path.read_bytes().splitlines()]
    return [(at, nmea.parse(rest), re.split("[,*]", rest)) for at, rest in lines if at]


def kinds(lines: list[tuple[datetime, Any, list[str]]]) -> Counter[str]:
    return Counter(type(sentence).__name__ for _, sentence, _ in lines)


def plain_degrees(text: str, side: str) -> float:
    degrees, minutes = divmod(float(text), 100)
    return (degrees + minutes / 60) * (-1 if side in "SW" else 1)


@pytest.mark.parametrize(
    ("sensor", "counts", "checksum", "age"),
    [
        (
            "s330",
            {"ZDA": 625, "GGA": 625, "VTG": 625, "RMC": 625, "HDT": 625, "NoneType": 1875},
            "valid",
            0.12,
        ),
        ("gp02", {"ZDA": 1667, "GLL": 1667, "VTG": 1666}, "absent", None),
        ("PCOD", {"ZDA": 1000, "GGA": 1000, "GLL": 1000, "VTG": 1000, "RMC": 1000}, "valid", 1.02),
        ("seap", {"ZDA": 715, "GGA": 715, "VTG": 714, "HDT": 714, "NoneType": 2142}, "valid", 0.12),
    ],
)
def test_a_real_feed(real_data, sensor, counts, checksum, age):
    lines = feed(real_data, sensor)
    assert len(lines) == 5000
    assert kinds(lines) == counts
    ages = []
    for at, sentence, said in lines:
        assert at.date() == date(2014, 8, 1)
        if sentence is None:
            assert said[0] == "$PSXN"
            continue
        assert (sentence.talker, sentence.checksum) == (said[0][1:3], checksum)
        if isinstance(sentence, Fix):
            place = {"GGA": 2, "GLL": 1, "RMC": 3}[said[0][3:]]
            assert sentence.latitude == pytest.approx(plain_degrees(*said[place : place + 2]), abs=1e-9)
            assert sentence.longitude == pytest.approx(plain_degrees(*said[place + 2 : place + 4]), abs=1e-9)
            assert sentence.valid is (None if sensor == "gp02" else True)
        if said[0].endswith("GGA"):
            ages.append((at - nmea.place_in_day(sentence.time_of_day, at)).total_seconds())
    if age:
        assert median(ages) == pytest.approx(age, abs=0.02)


def test_a_first_fix_before_midnight_belongs_to_the_day_before(real_data):
    at, fix = next((at, sentence) for at, sentence, _ in feed(real_data, "PCOD") if isinstance(sentence, GGA))
    assert fix.time_of_day == time(23, 59, 59, 226_000)
    assert nmea.place_in_day(fix.time_of_day, at) == datetime(2014, 7, 31, 23, 59, 59, 226_000, tzinfo=UTC)


def test_a_receiver_whose_weeks_rolled_over_says_1994(real_data):
    lines = feed(real_data, "PCOD")
    assert {sentence.at.date() for _, sentence, said in lines if said[0] == "$GPZDA"} == {date(1994, 12, 16)}
    days = {sentence.day for _, sentence, said in lines if said[0] == "$GPRMC"}
    assert date(2014, 8, 1) - date(1994, 12, 16) == timedelta(weeks=1024)
    assert days <= {date(1994, 12, 15), date(1994, 12, 16)}


def test_values_of_real_sentences_are_those_written(real_data):
    lines = [*feed(real_data, "s330"), *feed(real_data, "seap")]
    for at, sentence, said in lines:
        if isinstance(sentence, GGA):
            assert (sentence.quality, sentence.satellites) == (int(said[6]), int(said[7]))
            assert (sentence.hdop, sentence.altitude_m) == (float(said[8]), float(said[9]))
            assert sentence.geoid_m == (float(said[11]) if said[11] else None)
        elif isinstance(sentence, VTG):
            assert sentence.course_deg == float(said[1])
            assert sentence.course_magnetic_deg == (float(said[3]) if said[3] else None)
            assert sentence.speed_mps == pytest.approx(float(said[5]) * 0.514444, rel=1e-5)
        elif isinstance(sentence, RMC):
            assert sentence.speed_mps == pytest.approx(float(said[7]) * 0.514444, rel=1e-5)
            assert (sentence.course_deg, sentence.day) == (float(said[8]), date(2014, 8, 1))
            assert sentence.variation_deg == -float(said[10])
        elif isinstance(sentence, HDT):
            assert sentence.heading_deg == float(said[1])
        elif said[0].endswith("ZDA"):
            assert timedelta(0) < at - sentence.at < timedelta(seconds=1)


def test_real_heading_and_depth_feeds(real_data):
    headings, depths = feed(real_data, "gyr1"), feed(real_data, "mbdp")
    assert kinds(headings) == {"HDT": 5000}
    assert kinds(depths) == {"DPT": 5000}
    assert {sentence.checksum for _, sentence, _ in headings + depths} == {Checksum.VALID}
    for _, sentence, said in depths:
        assert (sentence.depth_m, sentence.offset_m, sentence.range_m) == tuple(map(float, said[1:4]))


def test_the_real_log_of_another_ship(real_data):
    data = (real_data / "nav" / "nav03_NEMA-Serial_20101005-122347.Raw").read_bytes()
    lines = [(at, parse(rest)) for at, rest in map(nmea.stamped, data.splitlines()) if at]
    assert len(lines) == 18_981
    counts = Counter(type(sentence).__name__ for _, sentence in lines)
    assert counts == {"GLL": 10_386, "VTG": 7_742, "GGA": 516, "ZDA": 335, "RMC": 1, "Refused": 1}
    assert lines[0][0] == datetime(2010, 10, 5, 12, 23, 48, 531_000, tzinfo=UTC)
    assert [(at.isoformat(), sentence.line) for at, sentence in lines if isinstance(sentence, Refused)] == [
        ("2010-10-05T12:26:53.578000+00:00", "$GPGLL,46ad48.568,N,09201.058,W")
    ]
    fixes = [fix for _, fix in lines if hasattr(fix, "latitude")]
    assert all(46 < fix.latitude < 49 and -93 < fix.longitude < -84 for fix in fixes)
    behind = [(at - clock.at).total_seconds() for at, clock in lines if hasattr(clock, "at")]
    assert median(behind) == pytest.approx(41.7, abs=1)


@pytest.mark.parametrize("sensor", ["knud", "adcp", "twnc", "mwx1", "pco2", "eng1"])
def test_other_real_feeds_are_nothing_of_ours(real_data, sensor):
    path = real_data / "nbp1406" / "data" / sensor / "raw" / f"NBP1406_{sensor}-2014-08-01"
    for line in path.read_bytes().splitlines():
        at, rest = nmea.stamped(line)
        assert at
        assert nmea.parse(rest) is None


# Each sentence by itself


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "GNGGA,101530.25,1230.6000,N,02015.3000,W,4,11,0.8,15.5,M,-20.5,M,1.0,0001",
            GGA(
                *("GN", Checksum.VALID, time(10, 15, 30, 250_000), 12.51, -20.255, True),
                *(4, 11, 0.8, 15.5, -20.5),
            ),
        ),
        ("GPGGA,,,,,,0,,,,M,,M,,", GGA("GP", Checksum.VALID, *(None,) * 3, False, 0, *(None,) * 4)),
        ("GPGGA,,,,,,", GGA("GP", Checksum.VALID, *(None,) * 9)),
        (
            "GNGNS,101530,1230.6000,S,02015.3000,E,ANN,11,0.8,15.5,-20.5,,",
            GNS("GN", Checksum.VALID, time(10, 15, 30), -12.51, 20.255, True, "ANN", 11, 0.8, 15.5, -20.5),
        ),
        ("GPGLL,1230.6000,N,02015.3000,W", GLL("GP", Checksum.VALID, None, 12.51, -20.255, None)),
        ("GPGLL,,,,,101530,V,N", GLL("GP", Checksum.VALID, time(10, 15, 30), None, None, False)),
        (
            "INRMC,101530,A,1230.6000,N,02015.3000,W,10,359.9,050324,1.5,E,A",
            RMC(
                *("IN", Checksum.VALID, time(10, 15, 30), 12.51, -20.255, True),
                *(10 * 1852 / 3600, 359.9, date(2024, 3, 5), 1.5),
            ),
        ),
        ("GPRMC,,V,,,,,,,,,", RMC("GP", Checksum.VALID, None, None, None, False, None, None, None, None)),
        ("GPVTG,90.5,T,91.5,M,10,N,18.52,K,A", VTG("GP", Checksum.VALID, 90.5, 91.5, 10 * 1852 / 3600)),
        ("GPVTG,0,T,360,M,0,N,9,K", VTG("GP", Checksum.VALID, 0, 360, 0)),
        ("GPVTG,,T,,M,,N,36,K", VTG("GP", Checksum.VALID, None, None, 10)),
        ("GPVTG,,T,,M,,N,,K", VTG("GP", Checksum.VALID, None, None, None)),
        ("GPZDA,101530.5,05,03,2024,00,00",
         ZDA("GP", Checksum.VALID, datetime(2024, 3, 5, 10, 15, 30, 500_000, tzinfo=UTC))),
        ("GPZDA,,05,03,2024,,", ZDA("GP", Checksum.VALID, None)),
        ("GPZDA,101530,,,,,", ZDA("GP", Checksum.VALID, None)),
        ("HEHDT,359.5,T", HDT("HE", Checksum.VALID, 359.5)),
        ("HEHDT,,T", HDT("HE", Checksum.VALID, None)),
        ("SDDBT,32.8,f,10.0,M,5.5,F", DBT("SD", Checksum.VALID, 10)),
        ("SDDBT,100,f,,M,,F", DBT("SD", Checksum.VALID, 30.48)),
        ("SDDBT,,f,,M,10,F", DBT("SD", Checksum.VALID, 18.288)),
        ("SDDBT,,f,,M,,F", DBT("SD", Checksum.VALID, None)),
        ("SDDPT,10.5,-2.5", DPT("SD", Checksum.VALID, 10.5, -2.5, None)),
        ("SDDPT,,,", DPT("SD", Checksum.VALID, None, None, None)),
    ],
)  # fmt: skip
def test_each_kind_of_sentence_and_its_blanks(body, expected):
    assert parse(summed(body)) == expected
    assert parse((summed(body) + "\r\n").encode()) == expected
    assert parse(f"${body}").checksum is Checksum.ABSENT


@pytest.mark.parametrize(("quality", "valid"), [(0, False), (1, True), (2, True), (5, True), (6, False), (8, False)])
def test_which_qualities_are_fixes_from_satellites(quality, valid):
    assert parse(f"$GPGGA,101530,1230.6,N,02015.3,W,{quality},9").valid is valid


@pytest.mark.parametrize(
    ("status", "mode", "valid"),
    [
        ("A", "", True),
        ("A", "D", True),
        ("A", "E", False),
        ("A", "N", False),
        ("V", "A", False),
        ("", "R", True),
    ],
)
def test_which_status_and_mode_are_fixes_from_satellites(status, mode, valid):
    assert parse(f"$GPGLL,1230.6,N,02015.3,W,101530,{status},{mode}").valid is valid


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ("46ad48.568,N,09201.058,W", "latitude '46ad48.568'"),
        ("1260.0,N,02015.3,W", "out of range"),
        ("9000.1,N,02015.3,W", "out of range"),
        ("1230.6,N,18000.1,W", "out of range"),
        ("1230.6,X,02015.3,W", "N or S"),
        ("1230.6,,02015.3,W", "N or S"),
        ("1230.6,N,,", "longitude"),
        ("-1230.6,N,02015.3,W", "latitude"),
        ("1230.6,N,2015.3,W", "longitude"),
        ("12.30.6,N,02015.3,W", "latitude"),
        ("١٢30.6,N,02015.3,W", "characters"),
        ("1230.6,N,020", "3 fields and needs 4"),
        ("1230.6,N,02015.3,W,256060,A", "no time of day"),
        ("1230.6,N,02015.3,W,235960,A", "no time of day"),
        ("1230.6,N,02015.3,W,1015,A", "no time of day"),
        ("1230.6,N,02015.3,W,101530,X", "status"),
        ("1230.6,N,$GPGLL,1230.6,N,02015.3,W", "ran into each other"),
        ("1230.6,N,02015.3,W" + "," * 300, "longer than 256"),
    ],
)
def test_nonsense_in_a_position_is_refused_with_a_reason(fields, word):
    assert word in reason(f"$GPGLL,{fields}")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("$GPGGA,101530,1230.6,N,02015.3,W,x,9", "quality"),
        ("$GPGGA,101530,1230.6,N,02015.3,W,1,9,0.8,15,F,,", "unit M"),
        ("$GPGGA,101530,1230.6,N,02015.3,W,1,9,-1", "dilution"),
        ("$GPRMC,101530,A,1230.6,N,02015.3,W,-1,0,050324", "speed"),
        ("$GPRMC,101530,A,1230.6,N,02015.3,W,1,361,050324", "course"),
        ("$GPRMC,101530,A,1230.6,N,02015.3,W,1,1,310224", "no day"),
        ("$GPRMC,101530,A,1230.6,N,02015.3,W,1,1,3102", "no date"),
        ("$GPRMC,101530,A,1230.6,N,02015.3,W,1,1,050324,1.5,", "E or W"),
        ("$GPVTG,90,T,90,M,nan,N,1,K", "speed"),
        ("$GPVTG,90,90,10,18,,,,", "unit T"),
        ("$GPZDA,101530,30,02,2024", "no day"),
        ("$GPZDA,101530,1.5,02,2024", "day"),
        ("$HEHDT,360.5,T", "heading"),
        ("$HEHDT,10,M", "unit T"),
        ("$SDDPT,-5,0", "depth"),
        ("$SDDPT,1e5,0", "depth"),
    ],
)
def test_nonsense_elsewhere_is_refused_with_a_reason(line, word):
    assert word in reason(line)


def test_years_of_two_digits_begin_with_gps():
    assert [parse(f"$GPRMC,,V,,,,,,,0101{year},,").day.year for year in (79, 80, 99, "00")] == [
        *(2079, 1980, 1999, 2000)
    ]


@pytest.mark.parametrize("tail", ["*", "*4", "*00", "*4G", "*123", "*+4", "**12"])
def test_a_checksum_that_is_wrong_or_cut_is_refused(tail):
    refusal = parse("$HEHDT,218.53,T" + tail)
    assert refusal == Refused(f"$HEHDT,218.53,T{tail}", refusal.reason, Checksum.INVALID)
    assert "checksum should be 12" in refusal.reason or "ran into" in refusal.reason


def test_a_checksum_may_be_in_small_letters():
    body = next(f"HEHDT,{tenth / 10},T" for tenth in range(3600) if summed(f"HEHDT,{tenth / 10},T")[-1].isalpha())
    assert parse(summed(body).lower().replace("hehdt", "HEHDT").replace(",t", ",T")).checksum is Checksum.VALID


@pytest.mark.parametrize(
    "line", ["", "$", "$GP", "$GPXXX,1", "$PSXN,20,1", "!AIVDM,1", "GPGGA,1", "$gpgga,1", "$GPGGA"]
)
def test_other_lines_are_nothing_of_ours(line):
    assert parse(line) is None
    assert parse(line.encode()) is None


def test_a_megabyte_without_an_end_is_dropped_at_once():
    assert parse("x" * 1_000_000) is None
    assert "longer" in reason(b"$GPGLL," + b"1" * 1_000_000)


BODY = "GPGGA,101530.25,1230.6000,N,02015.3000,W,4,11,0.8,15.5,M,-20.5,M,1.0,0001"


@given(st.integers(0, len(BODY) - 1), st.characters())
@settings(max_examples=300, deadline=None)
def test_one_wrong_character_is_never_believed(at, character):
    damaged = summed(BODY)
    damaged = damaged[: at + 1] + character + damaged[at + 2 :]
    sentence = parse(damaged)
    assert isinstance(sentence, GGA) == (character == BODY[at])


@given(
    st.text(max_size=80) | st.binary(max_size=80),
    st.sampled_from(["", "$GPGGA,", "$GPZDA,", "$SDDBT,", "$GPRMC,"]),
)
@settings(max_examples=300, deadline=None)
def test_nothing_makes_it_raise(noise, start):
    line = start.encode() + noise if isinstance(noise, bytes) else start + noise
    sentence = parse(line)
    assert sentence is None or sentence.checksum in Checksum
    at, rest = nmea.stamped(line)
    assert at is None or at.tzinfo is UTC
    assert isinstance(rest, str)


@given(st.integers(0, 90 * 600_000), st.integers(0, 180 * 600_000), st.sampled_from("NS"), st.sampled_from("EW"))
@settings(max_examples=200, deadline=None)
def test_degrees_and_minutes_come_back(north, east, ns, ew):
    """In units of a ten-thousandth of a minute, which is what most receivers send."""
    latitude = f"{north // 600_000:02}{north % 600_000 / 10_000:07.4f}"
    longitude = f"{east // 600_000:03}{east % 600_000 / 10_000:07.4f}"
    fix = parse(summed(f"GPGLL,{latitude},{ns},{longitude},{ew}"))
    assert abs(fix.latitude) * 600_000 == pytest.approx(north, abs=1e-6)
    assert abs(fix.longitude) * 600_000 == pytest.approx(east, abs=1e-6)
    assert (fix.latitude > 0) == (ns == "N" and north > 0)
    assert (fix.longitude > 0) == (ew == "E" and east > 0)


# Stamps and days


@pytest.mark.parametrize(
    ("line", "at", "rest"),
    [
        ("2014-08-01T00:00:00.285000Z $A,1\r\n", datetime(2014, 8, 1, 0, 0, 0, 285_000, UTC), "$A,1"),
        ("2014-08-01T00:00:00Z\t x ", datetime(2014, 8, 1, tzinfo=UTC), "x "),
        ("10/05/2010,12:23:48.531,$A,1", datetime(2010, 10, 5, 12, 23, 48, 531_000, UTC), "$A,1"),
        ("10/05/2010,12:23:48,", datetime(2010, 10, 5, 12, 23, 48, tzinfo=UTC), ""),
        ("13/05/2010,12:23:48.531,$A,1", None, "13/05/2010,12:23:48.531,$A,1"),
        ("2014-02-30T00:00:00Z $A", None, "2014-02-30T00:00:00Z $A"),
        ("$A,1\n", None, "$A,1"),
        ("", None, ""),
    ],
)
def test_stamps(line, at, rest):
    assert nmea.stamped(line) == nmea.stamped(line.encode()) == (at, rest)


def test_a_fix_belongs_to_the_day_nearest_to_its_stamp():
    midnight = datetime(2024, 3, 1, tzinfo=UTC)
    place = nmea.place_in_day
    assert place(time(23, 59, 59), midnight) == datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert place(time(0, 0, 1), midnight - timedelta(seconds=1)) == datetime(2024, 3, 1, 0, 0, 1, tzinfo=UTC)
    assert place(time(12), midnight) == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert place(time(0), midnight + timedelta(hours=12)) == midnight
    with pytest.raises(ValueError):
        place(time(0), datetime(2024, 3, 1))  # noqa: DTZ001 - the point of it
    assert place(time(23), datetime(1, 1, 1, tzinfo=UTC)) == datetime(1, 1, 1, 23, tzinfo=UTC)
    assert place(time(0), datetime(9999, 12, 31, 23, tzinfo=UTC)) == datetime(9999, 12, 31, tzinfo=UTC)


@given(st.times(), st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001
def test_the_day_is_always_the_nearest(clock, near, hours):
    near = near.replace(tzinfo=timezone(timedelta(hours=hours)))
    at = nmea.place_in_day(clock, near)
    assert (at.tzinfo, at.time()) == (UTC, clock)
    assert abs(at - near) <= timedelta(hours=12)
