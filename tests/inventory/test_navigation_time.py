"""The time of a fix: its own on the right day, that of its burst, or the logger's; the same in blocks of any size."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.navigation import read as reading
from inventory.navigation.fixes import ReadReport
from tests.inventory.test_navigation_read import PLACE, feed, nbp, osvdm, sentence, times


@pytest.mark.parametrize(
    ("stamp", "clock", "expected"),
    [
        ("2014-08-01T00:00:00.241000", "235959.226", "2014-07-31T23:59:59.226"),
        ("2014-07-31T23:59:59.900000", "000000.10", "2014-08-01T00:00:00.100"),
        ("2014-12-31T23:59:59.900000", "000000", "2015-01-01T00:00:00.000"),
        ("2014-08-01T11:00:00", "230000", "2014-08-01T23:00:00.000"),
        ("2014-08-01T10:59:59", "230000", "2014-07-31T23:00:00.000"),
        ("2016-12-31T23:59:59.5", "235960.50", "2017-01-01T00:00:00.500"),  # a leap second
        ("2016-02-29T12:00:00.123456", "120000.999", "2016-02-29T12:00:00.999"),
    ],
)
def test_the_day_is_the_one_nearest_to_the_stamp(stamp: str, clock: str, expected: str) -> None:
    fixes, _ = feed(osvdm(stamp, f"GPGGA,{clock},{PLACE},1,6,1.3,33.6,M,-2.6,M,,"))
    assert times(fixes) == [expected]


def test_a_zda_serves_one_position_of_its_burst_only() -> None:
    text = (
        osvdm("2014-08-01T00:00:00.30", "GPZDA,000000.00,01,08,2014,,", f"GPGLL,{PLACE}")
        + osvdm("2014-08-01T00:00:00.40", f"GPGLL,{PLACE}")
        + osvdm("2014-08-01T00:00:01.30", "GPZDA,000001.00,01,08,2014,,")
        + osvdm("2014-08-01T00:00:02.30", f"GPGLL,{PLACE}", "GPZDA,000002.00,01,08,2014,,")
        + osvdm("2014-08-01T00:00:03.30", "GPZDA,000003.00,16,12,1994,,", f"GPGLL,{PLACE}")
    )
    fixes, report = feed(text + text.replace("T00:00:0", "T00:01:0").replace(",00000", ",00010"))
    assert report.by_stamp == len(fixes) == 8  # most have only the stamp, so all get it
    served = osvdm("2014-08-01T00:00:00.30", "GPZDA,000000.00,01,08,2014,,", f"GPGLL,{PLACE}")
    served += osvdm("2014-08-01T00:00:01.30", "GPZDA,000001.00,01,08,2014,,", f"GPGLL,{PLACE}")
    fixes, report = feed(served + osvdm("2014-08-01T00:00:01.40", f"GPGLL,{PLACE}"))
    assert [text[17:] for text in times(fixes)] == ["00.000", "01.000"]
    assert (report.by_stamp, report.superseded) == (0, 1)


def test_a_zda_that_is_not_believed_does_not_date_positions() -> None:
    fixes, report = feed(osvdm("2014-08-01T00:00:03.30", "GPZDA,000003.00,16,12,1994,,", f"GPGLL,{PLACE}"))
    assert times(fixes) == ["2014-08-01T00:00:03.300"]
    assert (report.date_faults, report.date_offset_days, report.by_stamp) == (1, -7168, 1)


def test_without_stamps_the_receiver_dates_itself() -> None:
    lines = [
        "GPGGA,235958,{}",
        "GPZDA,235959,31,12,2013,,",
        "GPGGA,235959,{}",
        "GPGGA,000000,{}",
        "GPGLL,{},000001,A",
    ]
    text = "".join(
        sentence(line.format(PLACE + ",1,8,1.0,3.0,M,,M,," if "GGA" in line else PLACE)) + "\r\n" for line in lines
    )
    fixes, report = feed(text)
    assert times(fixes) == ["2013-12-31T23:59:59.000", "2014-01-01T00:00:00.000", "2014-01-01T00:00:01.000"]
    assert report.no_time == 1
    assert report.clock_offset_s is None
    bare = sentence("GPGLL,0300.0,N,00300.0,E")
    text = "\n".join([sentence(lines[1]), sentence("GPGLL,0100.0,N,00100.0,E,000000.5,A"), bare, bare])
    fixes, report = feed(text)
    assert times(fixes) == ["2014-01-01T00:00:00.500", "2013-12-31T23:59:59.000"]
    assert (fixes.latitude.tolist(), report.same_epoch) == ([1.0, 3.0], 1)


def test_what_is_known_of_time_is_carried_from_block_to_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 40)  # less than a line: every line is a block
    gll, zda = sentence(f"GPGLL,{PLACE}"), sentence("GPZDA,235959,31,12,2013,,")
    later = [sentence(f"GPGLL,{PLACE},{clock},A") for clock in ("235959.5", "000001")]
    fixes, _ = feed("\n".join([zda, *later]))
    assert times(fixes) == ["2013-12-31T23:59:59.500", "2014-01-01T00:00:01.000"]
    stamp = "2014-01-01T00:00:00.1Z "
    fixes, report = feed("\n".join([stamp + zda, stamp + gll, stamp + "$PGRME,1", stamp + later[1]]))
    assert times(fixes) == ["2013-12-31T23:59:59.000", "2014-01-01T00:00:01.000"]
    assert (report.lines, report.superseded) == (4, 0)


def test_stamps_that_are_none() -> None:
    for stamp in ("2014-13-01T00:00:00Z", "2014-08-01T0x:00:00Z", "31/12/2014,00:00:00.0,", "yesterday", ""):
        fixes, report = feed(f"{stamp} {sentence('GPGLL,' + PLACE + ',000000,A')}\n")
        assert (len(fixes), report.no_time) == (0, 1), stamp
    fixes, _ = feed(f"12/31/2014,00:00:00,{sentence('GPGLL,' + PLACE)}\n")
    assert times(fixes) == ["2014-12-31T00:00:00.000"]


def test_blocks_do_not_change_the_result(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PCOD", "gp02"):
        whole, report = nbp(real_data, name)
        with monkeypatch.context() as patch:
            patch.setattr(reading, "BLOCK", 1000)
            small, again = nbp(real_data, name)
        assert times(whole) == times(small)
        assert whole.latitude.tolist() == small.latitude.tolist()
        assert again.clock_offset_s == pytest.approx(report.clock_offset_s, abs=0.02)
        assert {**vars_of(report), "clock_offset_s": 0} == {**vars_of(again), "clock_offset_s": 0}


parts = st.sampled_from(
    [
        f"GPGLL,{PLACE}",
        f"GPGLL,{PLACE},00000%d,A",
        f"GPGGA,00000%d,{PLACE},1,6,1.3,33.6,M,-2.6,M,,",
        "GPZDA,00000%d,01,08,2014,,",
        "GPZDA,00000%d,16,12,1994,,",
        "PGRME,1",
    ]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), parts, st.booleans()), min_size=1, max_size=14), st.booleans())
def test_any_mixture_reads_the_same_in_blocks_of_one_line(rows: list[tuple[int, str, bool]], stamped: bool) -> None:
    text = ""
    for second, part, near in sorted(rows):
        stamp = f"2014-08-01T00:00:0{second}.{1 if near else 9}Z " if stamped else ""
        text += stamp + sentence(part % second if "%d" in part else part) + "\n"
    whole, report = feed(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", 30)
        small, again = feed(text)
    assert times(whole) == times(small)
    assert {**vars_of(report), "clock_offset_s": 0} == {**vars_of(again), "clock_offset_s": 0}


def vars_of(report: ReadReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__dataclass_fields__}
