"""Raw navigation files: one fix per epoch, the right day, and an account of what was not used."""

import io
from functools import reduce
from itertools import pairwise
from operator import xor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.navigation.fixes import Fixes, ReadReport
from inventory.navigation.geodesic import DEGREE, steps
from inventory.navigation.read import read

PLACE = "2200.110899,S,01756.359432,W"


def sentence(body: str, *, checksum: bool = True) -> str:
    return f"${body}*{reduce(xor, body.encode()):02X}" if checksum else f"${body}"


def osvdm(stamp: str, *bodies: str) -> str:
    return "".join(f"{stamp}Z {sentence(body)}\n" for body in bodies)


def feed(*texts: str | bytes) -> tuple[Fixes, ReadReport]:
    return read(io.BytesIO(text.encode() if isinstance(text, str) else text) for text in texts)


def times(fixes: Fixes) -> list[str]:
    return [str(time) for time in np.datetime_as_string(fixes.time, unit="ms")]


def nbp(real_data: Path, name: str) -> tuple[Fixes, ReadReport]:
    return read([real_data / f"nbp1406/data/{name}/raw/NBP1406_{name}-2014-08-01"])


def test_s330_gga_zda_rmc(real_data: Path) -> None:
    fixes, report = nbp(real_data, "s330")
    assert len(fixes) == report.fixes == report.sentences["INGGA"] == 625
    assert report.same_epoch == report.sentences["INRMC"] == 625
    assert (report.lines, report.foreign, report.sentences["PSXN"]) == (5000, 0, 1875)
    assert (report.checksum_invalid, report.checksum_absent, report.malformed) == (0, 0, 0)
    assert times(fixes)[:2] == ["2014-08-01T00:00:00.160", "2014-08-01T00:00:01.160"]
    assert fixes.longitude[0] == pytest.approx(-(17 + 56.359432 / 60), abs=1e-13)
    assert fixes.latitude[0] == pytest.approx(-(22 + 0.110899 / 60), abs=1e-13)
    assert (fixes.quality[0], fixes.nsv[0]) == (1, 12)
    assert (fixes.hdop[0], fixes.altitude[0]) == (np.float32(0.7), np.float32(-2.76))
    assert report.date_faults == 0
    assert report.clock_offset_s == pytest.approx(0.125, abs=0.05)


def test_gp02_has_no_time_in_gll_and_takes_that_of_its_burst(real_data: Path) -> None:
    fixes, report = nbp(real_data, "gp02")
    assert len(fixes) == report.sentences["GPGLL"] == 1667
    assert (np.diff(fixes.time) == np.timedelta64(1, "s")).all()
    assert times(fixes)[0] == "2014-08-01T00:00:00.000"
    assert report.by_stamp == 0
    assert report.checksum_absent == 3334
    assert (fixes.quality == -1).all()
    assert np.isnan(fixes.hdop).all()


def test_pcod_lost_1024_weeks_and_begins_before_midnight(real_data: Path) -> None:
    fixes, report = nbp(real_data, "PCOD")
    assert len(fixes) == 1000
    assert times(fixes)[:2] == ["2014-07-31T23:59:59.226", "2014-08-01T00:00:00.226"]
    assert report.date_faults == report.sentences["GPZDA"] + report.sentences["GPRMC"]
    assert report.date_offset_days == -1024 * 7
    assert report.same_epoch == 2000


def test_four_receivers_of_one_ship_agree(real_data: Path) -> None:
    reference, _ = nbp(real_data, "seap")
    for name, metres in (("s330", 20), ("gp02", 60), ("PCOD", 20)):
        fixes, _ = nbp(real_data, name)
        clock = fixes.time.astype(np.int64).astype(float)
        inside = (reference.time > fixes.time[0]) & (reference.time < fixes.time[-1])
        at = reference.time[inside].astype(np.int64).astype(float)
        east = (np.interp(at, clock, fixes.longitude) - reference.longitude[inside]) * DEGREE * np.cos(np.radians(22))
        north = (np.interp(at, clock, fixes.latitude) - reference.latitude[inside]) * DEGREE
        apart = np.hypot(east, north)
        assert inside.sum() > 600
        assert apart.max() < metres, name
        assert np.median(apart) > 0.1, name  # different antennas: equal would mean the wrong file


def test_scs_style_with_a_logger_clock_42_s_fast(real_data: Path) -> None:
    fixes, report = read([real_data / "nav/nav03_NEMA-Serial_20101005-122347.Raw"])
    assert len(fixes) == report.by_stamp == 10_903
    assert report.lines == 18_981
    assert times(fixes)[0] == "2010-10-05T12:23:48.531"
    assert (fixes.time[-1] - fixes.time[0]) / np.timedelta64(1, "h") == pytest.approx(52.7, abs=0.02)
    assert (np.diff(fixes.time) > np.timedelta64(0)).all()
    assert report.malformed_at == ((0, 20),)  # $GPGLL,46ad48.568
    assert report.clock_offset_s == pytest.approx(42, abs=1)
    assert (fixes.quality >= 0).sum() == report.sentences["GPGGA"] == 516
    assert (np.hypot(*steps(fixes.longitude, fixes.latitude)) < 20_000).all()


def test_preference_among_sentences_of_one_epoch() -> None:
    bodies = {
        "RMC": "GPRMC,000000.0,A,0400.0,N,00400.0,E,,,010814,,,A",
        "GLL": "GPGLL,0300.0,N,00300.0,E,000000.0,A",
        "GNS": "GNGNS,000000.0,0200.0,N,00200.0,E,AAN,12,0.9,10.0,,,",
        "GGA": "GPGGA,000000.0,0100.0,N,00100.0,E,1,6,1.3,33.6,M,,M,,",
    }
    order = list(bodies)
    for number, name in enumerate(order):
        fixes, report = feed(osvdm("2014-08-01T00:00:00.1", *(bodies[kind] for kind in order[: number + 1])))
        assert fixes.latitude.tolist() == [4.0 - number], name
        assert report.same_epoch == number
        reverse, _ = feed(osvdm("2014-08-01T00:00:00.1", *(bodies[kind] for kind in reversed(order[: number + 1]))))
        assert reverse.latitude.tolist() == [4.0 - number]


def test_status_and_modes_become_qualities() -> None:
    text = osvdm(
        "2014-08-01T00:00:00.1",
        f"GPGLL,{PLACE},000001,V",
        f"GPGLL,{PLACE},000002,A",
        f"GPRMC,000003,V,{PLACE},,,010814,,",
        f"GNGNS,000004,{PLACE},NN,00,,,,,",
        f"GNGNS,000005,{PLACE},AN,07,1.5,-3.5,,,",
        f"GNGNS,000006,{PLACE},ADRN,07,1.5,-3.5,,,",
        f"GNGNS,000007,{PLACE},EN,07,1.5,-3.5,,,",
        f"GPGGA,000008,{PLACE},0,,,,M,,M,,",
    )
    fixes, _ = feed(text)
    assert fixes.quality.tolist() == [0, -1, 0, 0, 1, 4, 6, 0]
    assert fixes.nsv.tolist() == [-1, -1, -1, 0, 7, 7, 7, -1]
    assert fixes.altitude[4] == np.float32(-3.5)


def test_checksums() -> None:
    good = f"2014-08-01T00:00:01Z {sentence('GPGLL,' + PLACE + ',000001,A')}\n"
    wrong = good.replace("000001", "000002").replace(":01Z", ":02Z")
    bare = f"2014-08-01T00:00:03Z {sentence('GPGLL,' + PLACE + ',000003,A', checksum=False)}\n"
    cut = good.replace("000001", "000004").rstrip()[:-1] + "\n"
    lower = good[: good.index("*")] + good[good.index("*") :].lower()
    fixes, report = feed(good + wrong + bare + cut)
    assert [text[17:19] for text in times(fixes)] == ["01", "03"]
    assert (report.checksum_invalid, report.checksum_absent) == (2, 1)
    assert len(feed(lower)[0]) == 1


@pytest.mark.parametrize(
    "body",
    [
        "GPGGA,000001",
        f"GPGGA,000061,{PLACE},1,6,1.3,33.6,M,-2.6,M,,",
        f"GPGGA,250001,{PLACE},1,6,1.3,33.6,M,-2.6,M,,",
        f"GPGGA,0001,{PLACE},1,6,1.3,33.6,M,-2.6,M,,",
        "GPGGA,000001,22a0.110899,S,01756.359432,W,1,6,1.3,,,,,,",
        "GPGGA,000001,2260.110899,S,01756.359432,W,1,6,1.3,,,,,,",
        "GPGGA,000001,2200.110899,X,01756.359432,W,1,6,1.3,,,,,,",
        "GPGGA,000001,2200.110899,N,01756.359432,N,1,6,1.3,,,,,,",
        "GPGGA,000001,2200.110899,N,,,1,6,1.3,,,,,,",
        "GPGGA,000001,-2200.110899,N,01756.359432,W,1,6,1.3,,,,,,",
        "GPGGA,000001,2200.11.0899,N,01756.359432,W,1,6,1.3,,,,,,",
        "GPGGA,000001,.,N,01756.359432,W,1,6,1.3,,,,,,",
        "GPGGA,000001,2200.1108990000000000000000,N,01756.359432,W,1,6,1.3,,,,,,",
        "GPZDA,000001,31,02,2014,,",
        "GPZDA,,01,02,2014,,",
    ],
)
def test_malformed_sentences_are_counted_with_their_lines(body: str) -> None:
    good = osvdm("2014-08-01T00:00:00.1", f"GPGLL,{PLACE},000000,A")
    fixes, report = feed(good, good + osvdm("2014-08-01T00:00:01.1", body) + good)
    assert report.malformed == 1
    assert report.malformed_at == ((1, 2),)
    assert len(fixes) == 1


def test_only_the_first_lines_are_named() -> None:
    _, report = feed(osvdm("2014-08-01T00:00:00.1", *["GPGGA,x"] * 40))
    assert report.malformed == 40
    assert report.malformed_at == tuple((0, line) for line in range(1, 11))


def test_empty_positions_are_no_fixes_and_no_faults() -> None:
    fixes, report = feed(osvdm("2014-08-01T00:00:00.1", "GPGGA,000000,,,,,0,00,99.9,,,,,,"))
    assert (len(fixes), report.no_position, report.malformed) == (0, 1, 0)


def test_optional_fields_that_are_empty_or_wrong_are_unknown() -> None:
    fixes, report = feed(osvdm("2014-08-01T00:00:00.1", f"GPGGA,000000,{PLACE},x,999999,-,-12.5,M,,M,,"))
    assert report.malformed == 0
    assert (fixes.quality[0], fixes.nsv[0]) == (-1, 32_767)
    assert np.isnan(fixes.hdop[0])
    assert fixes.altitude[0] == np.float32(-12.5)


def test_both_styles_and_strange_lines_in_one_file() -> None:
    text = (
        "# a comment\n\nno sentence, here\n"
        + osvdm("2014-08-01T00:00:01", f"GPGLL,{PLACE},000001,A")
        + f"08/01/2014,00:00:02.5,{sentence('GPGLL,' + PLACE + ',000002,A')}\r\n"
        + "2014-08-01T00:00:03Z $PGRME,1*00 $GPGLL,x\n"
        + f"2014-08-01T00:00:04Z {sentence('GPGLL,' + PLACE + ',000004,A')}"  # the last line has no end
    )
    fixes, report = feed(text)
    assert [one[17:19] for one in times(fixes)] == ["01", "02", "04"]
    assert (report.lines, report.foreign) == (7, 3)
    assert report.sentences == {"GPGLL": 3, "PGRME": 1}


def test_nothing_at_all() -> None:
    for sources in ([], [b""], [b"\n\n"], [b"\0" * 300_000], [b"$" * 300_000]):
        fixes, report = feed(*sources)
        assert len(fixes) == report.fixes == 0
        assert fixes.time.dtype == np.dtype("datetime64[ms]")
        assert [fixes.quality.dtype, fixes.hdop.dtype] == [np.dtype(np.int16), np.dtype(np.float32)]


def test_several_files_are_one_feed(real_data: Path) -> None:
    whole, _ = nbp(real_data, "s330")
    raw = (real_data / "nbp1406/data/s330/raw/NBP1406_s330-2014-08-01").read_bytes().splitlines(keepends=True)
    bounds = [0, 1234, 4000, len(raw)]
    parts = [b"".join(raw[begin:end]) for begin, end in pairwise(bounds)]
    fixes, report = feed(*parts)
    assert times(fixes) == times(whole)
    assert report.lines == 5000
    twice, report = feed(*parts, parts[1])
    assert times(twice) == times(whole)
    assert report.same_epoch > 625


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(-90_000_000, 90_000_000),
            st.integers(-180_000_000, 179_999_999),
            st.integers(2, 7),
            st.integers(0, 40),
            st.one_of(st.none(), st.integers(-999, 999)),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_positions_written_in_any_precision_come_back(
    rows: list[tuple[int, int, int, int, int | None]],
) -> None:
    lines = []
    for number, (latitude, longitude, decimals, satellites, altitude) in enumerate(rows):
        place = []
        for value, width, letters in ((latitude, 2, "NS"), (longitude, 3, "EW")):
            minutes = abs(value) * 60 // 1_000_000  # whole minutes, so that no rounding reaches 60
            text = f"{minutes // 60:0{width}d}{minutes % 60:02d}.{abs(value) % 10**decimals:0{decimals}d}"
            place += [text, letters[value < 0]]
        height = "" if altitude is None else f"{altitude / 10}"
        body = f"GPGGA,{number // 60:04d}{number % 60:02d},{','.join(place)},1,{satellites},0.9,{height},M,,M,,"
        lines.append(osvdm(f"2014-08-01T00:{number // 60:02d}:{number % 60:02d}", body))
    fixes, report = feed("".join(lines))
    assert report.malformed == 0
    assert len(fixes) == len(rows)
    for number, (latitude, longitude, decimals, satellites, altitude) in enumerate(rows):
        for value, found in ((latitude, fixes.latitude[number]), (longitude, fixes.longitude[number])):
            minutes = abs(value) * 60 // 1_000_000 + abs(value) % 10**decimals / 10**decimals
            assert abs(found) == pytest.approx(minutes / 60, abs=1e-12)
            assert found == 0 or (found < 0) == (value < 0)
        assert fixes.nsv[number] == satellites
        assert np.isnan(fixes.altitude[number]) == (altitude is None)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=90),
            st.sampled_from([b"\n", b"$GPGGA,", b"$GPZDA,0,", b"2014-08-01T00:00:00Z $GPGLL,", b"*", b",", b"\r\n"]),
        ),
        max_size=20,
    ).map(b"".join)
)
def test_any_bytes_are_read(raw: bytes) -> None:
    fixes, report = feed(raw)
    assert report.fixes == len(fixes)
    assert report.lines == len((raw + b"\n" if raw and not raw.endswith(b"\n") else raw).split(b"\n")) - 1
