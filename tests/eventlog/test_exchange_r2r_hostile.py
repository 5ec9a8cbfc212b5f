"""R2R CSV that is broken, cut, or made to do harm: it costs a row or the file, never more."""

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import r2r
from eventlog.exchange.record import Unreadable

from .test_exchange_r2r import lines, only, read, with_


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a,b,c\n1,2,3\n", b"\x00" * 5000, bytes(range(256)) * 20])
def test_what_is_no_log_is_unreadable(data):
    with pytest.raises(Unreadable):
        r2r.read(data)


def test_unreadable_says_what_is_missing():
    with pytest.raises(Unreadable, match="no column Action, no column dateTime8601 or dateTimeUTC or Date") as told:
        r2r.read(b"\nR2R_Event,Instrument\n1,2\n")
    assert told.value.line == 2


def test_a_file_beyond_the_limit_is_unreadable():
    data = lines(with_()).encode()
    assert only(r2r.read(data, most_bytes=len(data)))
    with pytest.raises(Unreadable, match="bytes"):
        r2r.read(data, most_bytes=len(data) - 1)


def test_a_million_characters_in_one_cell_cost_that_row_only():
    reading = read(with_(Comment="x" * 1_000_000), with_(Comment="next"))
    assert only(reading).comment == "next"
    assert [(problem.line, problem.fatal) for problem in reading.problems] == [(2, True)]


def test_a_row_may_be_as_long_as_allowed():
    row = with_(Comment="x" * 1000)
    longest = len(lines(row)) - len(lines())
    reading = r2r.read(lines(row).encode(), longest_row=longest)
    assert (len(only(reading).comment), reading.problems) == (1000, ())
    assert r2r.read(lines(row).encode(), longest_row=longest - 1).events == ()


def test_a_row_of_a_thousand_values_is_the_widest():
    wide = with_() + ["x"] * (1_000 - 19)
    reading = read(wide, [*wide, "x"])
    assert len(only(reading).original) == 1_000
    assert [(problem.line, problem.fatal) for problem in reading.problems] == [(3, True)]


def test_nul_bytes_are_replaced_and_told():
    reading = r2r.read(lines(with_(Comment="a@b")).replace("@", "\0").encode())
    assert only(reading).comment == only(reading).original["Comment"] == "a\ufffdb"
    assert "1 NUL bytes (the first on line 2) were replaced by U+FFFD" in reading.notes


@pytest.mark.parametrize("place", ["Instrument", "Comment", "Revisions"])
def test_a_quote_that_is_never_closed_costs_that_row_only(place):
    bad = ",".join(with_(**{"Date": "", place: '"open'}))
    text = lines(with_(R2R_Event="before")) + bad + "\n" + lines(with_(R2R_Event="after")).split("\n", 1)[1]
    reading = r2r.read(text.encode())
    numbers = [event.number for event in reading.events]
    assert numbers[0] == "before"
    assert numbers[-1] == "after"
    assert {problem.line for problem in reading.problems} == {3}


def test_quotes_within_a_value_that_were_not_doubled_are_mended_and_told():
    quoted = [value and f'"{value}"' for value in with_(Message_ID="", Comment='the "big" net, 5" hose')]
    reading = r2r.read((lines() + ",".join(quoted) + "\n").encode())
    assert only(reading).comment == 'the "big" net, 5" hose'
    assert list(only(reading).original) == list(r2r.COLUMNS)
    assert [(problem.line, problem.fatal) for problem in reading.problems] == [(2, False)]


def test_a_mended_row_may_have_the_surplus_of_the_rows_above_it():
    quoted = [f'"{value}"' for value in [*with_(R2R_Event="n", Comment='a "big" net'), "", "plain"]]
    text = lines([*with_(), "", "plain"]) + ",".join(quoted) + "\n"
    reading = r2r.read(text.encode())
    assert [event.original["+21"] for event in reading.events] == ["plain", "plain"]
    assert [(problem.line, problem.fatal) for problem in reading.problems] == [(3, False)]


@pytest.mark.parametrize("filling", ['"\n', 'a,"\n', '"a,' * 30_000 + "\n", '",,"\n'])
def test_a_file_of_broken_quotes_ends_soon(filling):
    text = lines(with_()) + filling * (2_000 // len(filling) or 1)
    reading = r2r.read(text.encode())
    assert len(reading.events) == 1
    assert any(problem.fatal for problem in reading.problems)


def test_a_file_in_which_everything_fails_is_unreadable():
    with pytest.raises(Unreadable, match="More than 10,000 rows"):
        r2r.read((lines(with_()) + "a,b\n" * 10_001).encode())


def test_more_broken_quotes_than_anyone_will_mend_are_unreadable():
    row = ",".join(with_(Date="", Revisions='"open'))
    assert len(r2r.read((lines() + (row + "\n") * 1_000).encode()).events) == 1_000
    with pytest.raises(Unreadable, match="More than 1,000 rows"):
        r2r.read((lines() + (row + "\n") * 1_001).encode())


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_too_many_lines_are_refused_before_they_take_memory(end):
    with pytest.raises(Unreadable, match="lines"):
        r2r.read(lines(with_()).encode() + end * 1_000_001)


def test_the_ends_of_lines_of_three_systems():
    for end in ("\n", "\r", "\r\n"):
        reading = r2r.read(lines(with_(), with_(R2R_Event="second")).replace("\n", end).encode())
        assert [event.line for event in reading.events] == [2, 3]


@given(st.binary(max_size=400), st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_within_a_log_make_it_raise_anything_else(noise, at):
    data = lines(with_(), with_(R2R_Event="second")).encode()
    try:
        reading = r2r.read(data[: at + 200] + noise + data[at + 200 :])
    except Unreadable:
        return
    assert all(event.observed_at.tzinfo is UTC for event in reading.events)
