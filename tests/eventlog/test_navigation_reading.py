"""Lines of feeds become fixes and samples: times, bursts, dates, refusals; and the other formats of files."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.models import Feed, Fix, Sample
from eventlog.navigation import formats, positions, store, taking
from eventlog.navigation.reading import DEPTH, HEADING, Reader
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotYou
from tests import make

T0 = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)


def sentence(body: str) -> str:
    total = 0
    for character in body:
        total ^= ord(character)
    return f"${body}*{total:02X}"


def gga(clock: str, north: str = "3600.000", quality: int = 1) -> str:
    return sentence(f"GPGGA,{clock},{north},N,02500.000,W,{quality},09,0.9,1.0,M,0.0,M,,")


def read(*lines: str | tuple[str, dt.datetime]):
    reader = Reader()
    for line in lines:
        reader.read(*line) if isinstance(line, tuple) else reader.read(line)
    return reader.take()


def test_the_first_fix_after_a_midnight_stamp_is_of_the_day_before():
    batch = read((gga("235959.20"), dt.datetime(2026, 3, 3, 0, 0, 0, 200_000, dt.UTC)))
    assert positions.moment_of(batch.fixes[0][0]) == dt.datetime(2026, 3, 2, 23, 59, 59, 200_000, dt.UTC)


def test_sentences_of_one_second_are_one_fix():
    rmc = sentence("GPRMC,120000.00,A,3600.000,N,02500.000,W,10.0,090.0,030326,,,A")
    batch = read((gga("120000.00", quality=2), T0), (rmc, T0))
    assert len(batch.fixes) == 1
    assert batch.fixes[0][3:] == (2, 514, 9000)


def test_a_course_belongs_to_the_fix_of_its_second_alone():
    vtg = sentence("GPVTG,090.0,T,,M,010.0,N,018.5,K")
    near = read((gga("120000.00"), T0), (vtg, T0 + dt.timedelta(seconds=0.3)))
    late = read((gga("120000.00"), T0), (vtg, T0 + dt.timedelta(seconds=3)))
    assert near.fixes[0][4:] == (514, 9000)
    assert late.fixes[0][4:] == (None, None)


def test_a_fix_without_satellites_and_null_island_are_counted_and_not_stored():
    null = sentence("GPGGA,120001.00,0000.000,N,00000.000,W,1,09,0.9,1.0,M,0.0,M,,")
    batch = read((gga("120000.00", quality=0), T0), (null, T0), (gga("120002.00")[:-1] + "Z", T0))
    assert batch.fixes == []
    assert batch.tally.no_fix == 1
    assert batch.tally.refused == {
        "the position is …, …: a receiver without a fix": 1,
        "the checksum does not agree": 1,
    }


@pytest.mark.parametrize("times", [1, 2])
def test_a_rolled_over_date_is_noticed_and_not_believed(times):
    old = (T0 - times * dt.timedelta(weeks=1024)).date()
    zda = sentence(f"GPZDA,120000.00,{old:%d,%m,%Y},00,00")
    batch = read((zda, T0), (gga("120000.00"), T0))
    assert positions.moment_of(batch.fixes[0][0]) == T0
    assert batch.evidence["roll_overs"] == times
    assert batch.evidence["wrong_date"] == f"{old:%Y-%m-%d}"


def test_the_clock_that_stamps_is_measured_and_taken_off_what_has_no_time():
    ahead = dt.timedelta(seconds=259)
    lines = [(gga(f"1200{second:02d}.00"), T0 + ahead + dt.timedelta(seconds=second)) for second in range(20)]
    gll = sentence("GPGLL,3601.000,N,02500.000,W")
    batch = read(*lines, (gll, T0 + ahead + dt.timedelta(seconds=40)))
    assert batch.evidence["clock_s"] == 259
    assert positions.moment_of(batch.fixes[-1][0]) == T0 + dt.timedelta(seconds=40)


def test_without_stamps_the_date_comes_from_zda_or_it_is_refused():
    zda = sentence("GPZDA,120000.00,03,03,2026,00,00")
    assert read(gga("120001.00")).tally.refused.total() == 1
    batch = read(zda, gga("120001.00"))
    assert positions.moment_of(batch.fixes[0][0]) == T0 + dt.timedelta(seconds=1)


def test_soundings_and_headings():
    batch = read(
        (sentence("SDDPT,100.0,5.0,200.0"), T0),
        (sentence("SDDBT,,f,0.0,M,,F"), T0),
        (sentence("HEHDT,218.5,T"), T0),
        (sentence("HEHDT,219.5,T"), T0 + dt.timedelta(seconds=0.2)),
        ("3.5kHz,4396.03,1,,,,1500,-22.001868,-17.939337", T0 + dt.timedelta(seconds=2)),
        ("3.5kHz,4401.67,0,,,,1500,-22.002564,-17.939916", T0 + dt.timedelta(seconds=9)),
    )
    assert [(q, v) for q, _, v in batch.samples] == [(DEPTH, 105.0), (HEADING, 218.5), (DEPTH, 4396.03)]
    assert batch.tally.no_depth == 2


@given(st.lists(st.text(max_size=100) | st.sampled_from([gga("120000"), "$GPVTG", "01RD,9999-99-99T00:00:00,x"])))
def test_nothing_makes_the_reader_stumble(lines):
    reader = Reader()
    for line in lines:
        reader.read(line, T0)
        reader.read(line)
    batch = reader.take()
    assert batch.tally.lines == 2 * len(lines)


ELG = """\
Date,Time,GPS-nav-time,GPS-nav-Lat,GPS-nav-Lon,GPS-nav-SOG,GPS-nav-COG,GPS-lab-time,GPS-lab-Lat,GPS-lab-Lon,DBT-meters,
05/01/2019,18:45:27,184108,1643.9154S,15126.3005W,1.0,138.8,184109,1643.9236S,15126.2939W,3210.5,
05/01/2019,18:46:27,184208,1643.9358S,15126.3044W,1.3,169.3,,,,,
05/01/2019,18:47:28,xx4308,1643.9358S,15126.3044W,1.3,169.3,,,,,
"""


def test_an_event_file_of_scs_tells_two_receivers_and_the_clock_of_the_pc():
    batches = dict(formats.read(ELG.splitlines(keepends=True)))
    assert set(batches) == {"GPS-nav", "GPS-lab"}
    nav = batches["GPS-nav"]
    assert nav.evidence["clock_s"] == 259
    at_us, north, east, _, speed, course = nav.fixes[0]
    assert positions.moment_of(at_us) == dt.datetime(2019, 5, 1, 18, 41, 8, tzinfo=dt.UTC)
    assert (north / 1e7, east / 1e7) == pytest.approx((-16.7319233, -151.438342), abs=1e-6)
    assert (speed, course) == (51, 13880)
    assert nav.samples[0][2] == 3210.5
    assert nav.tally.refused.total() == 1
    assert len(batches["GPS-lab"].fixes) == 1


@pytest.mark.real_data
@pytest.mark.django_db
def test_published_products_come_in(real_data):
    files = [real_data / "nav" / "RR2402_control.geoCSV", real_data / "nav" / "HRS1506_bestres_excerpt.geoCSV"]
    control, best = taking.import_files(files, vessel=make.vessel(), feed="product")
    assert control["fixes"] == 336
    assert best["refused"]["its maker flagged the row"] > 0
    assert Fix.objects.filter(quality=2).exists()


@pytest.mark.django_db
def test_a_batch_twice_is_stored_once_and_a_late_course_fills_in():
    feed = Feed.objects.create(vessel=make.vessel(), name="gps")
    bare = read((gga("120000.00"), T0))
    assert store.keep(feed, bare).fixes == 1
    assert store.keep(feed, bare).fixes == 0
    whole = read((gga("120000.00"), T0), (sentence("GPVTG,090.0,T,,M,010.0,N,018.5,K"), T0))
    store.keep(feed, whole)
    assert Fix.objects.get().speed_cmps == 514
    feed.refresh_from_db()
    assert feed.health["counts"]["lines"] == 4
    assert feed.health["late"] == [bare.fixes[0][0]] * 2


@pytest.mark.django_db
def test_sent_lines_and_fixes():
    cruise = make.cruise(state="at sea")
    answer = taking.send(
        cruise=cruise,
        by=make.person("watch"),
        feed="buoy",
        lines=[gga("120000.00"), sentence("SDDPT,100.0,0.0"), "$GPGGA,garbage*00"],
        fixes=[{"at": T0 + dt.timedelta(seconds=5), "latitude": 36.0, "longitude": -25.0}],
        at=T0,
    )
    assert (answer["fixes"], answer["samples"], answer["refused"]) == (2, 1, {"the checksum does not agree": 1})
    assert Sample.objects.count() == 1
    with pytest.raises(NotYou):
        taking.send(cruise=cruise, by=make.person("stranger"), feed="buoy", lines=[], at=T0)
    with pytest.raises(NotLikeThis) as refusal:
        taking.send(
            cruise=cruise, by=CONSOLE, feed="buoy", fixes=[{"at": T0, "latitude": 95.0, "longitude": 0.0}], at=T0
        )
    assert refusal.value.faults[0].where == "fixes[0]"
