"""The R2R CSV, one quirk at a time, and the rows that its other tests build on."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from eventlog.exchange import r2r
from eventlog.exchange.record import LoggedEvent, Reading

GOOD = {
    "Message ID": "1",
    "Date": "Tue, 05 Mar 2024 10:15:00 +0000",
    "Event": "20240305.1014.001",
    "Instrument": "Winch",
    "Action": "deploy",
    "Transect": "NaN",
    "Station": "S1",
    "Cast": "003",
    "Latitude": " 10.500000",
    "Longitude": " -20.250000",
    "Seafloor": "4000",
    "Author": "somebody",
    "Comment": "all well",
    "Cruise": "xx01",
    "R2R_Event": "xx01-SE-20240305.1014.001",
    "dateTimeUTC": "20240305.1010",
    "GPS_Time": "2024/03/05 10:10:02",
    "dateTime8601": "2024-03-05T10:10:05+0000",
    "Revisions": "",
}


def lines(*rows: Sequence[str], columns: Sequence[str] = r2r.COLUMNS) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def with_(**changes: str) -> list[str]:
    """The values of the good row, some changed; "Message ID" is spelled Message_ID."""
    named = {name.replace("_", " ") if name == "Message_ID" else name: value for name, value in changes.items()}
    assert named.keys() <= GOOD.keys()
    return [{**GOOD, **named}[column] for column in r2r.COLUMNS]


def read(*rows: Sequence[str]) -> Reading:
    return r2r.read(lines(*rows).encode())


def only(reading: Reading) -> LoggedEvent:
    assert len(reading.events) == 1, reading.problems
    return reading.events[0]


def test_a_plain_row():
    event = only(read(with_()))
    assert event.observed_at == datetime(2024, 3, 5, 10, 10, 5, tzinfo=UTC)
    assert event.logged_at == datetime(2024, 3, 5, 10, 15, tzinfo=UTC)
    assert (event.latitude, event.longitude, event.seafloor_m) == (10.5, -20.25, 4000)
    assert (event.transect, event.station, event.cast) == ("", "S1", "003")
    assert event.original == GOOD
    assert event.line == 2


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("Señor Müller", "latin-1", "latin-1"),
        ("it’s “fine”", "cp1252", "cp1252"),
        ("Señor Müller", "utf-8", "utf-8"),
        ("Señor Müller", "utf-8-sig", "utf-8-sig"),
        ("船長", "utf-16", "utf-16"),
    ],
)
def test_encodings(text, encoding, said):
    reading = r2r.read(lines(with_(Author=text)).encode(encoding))
    assert only(reading).author == text
    assert reading.encoding == said
    assert reading.columns == r2r.COLUMNS
    assert (encoding == "utf-8") == (
        reading.notes
        == (
            "Coordinates begin with a blank (1 row)",
            'An empty transect, station or cast is written "NaN" (1 row)',
        )
    )


@pytest.mark.parametrize("empty", ["NaN", "NO_GPS", "", " ", "nan", "no_gps"])
def test_no_position_is_none_and_never_zero(empty):
    reading = read(with_(Latitude=empty, Longitude=empty))
    event = only(reading)
    assert (event.latitude, event.longitude) == (None, None)
    assert event.original["Latitude"] == empty
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("10.5", "NaN"),
        ("91", "0"),
        ("10", "-180.5"),
        ("12 30.5N", "20"),
        ("inf", "1"),
        ("1e999", "1"),
        ("١", "1"),
    ],
)
def test_half_or_impossible_positions_are_left_out_and_told(latitude, longitude):
    reading = read(with_(Latitude=latitude, Longitude=longitude))
    event = only(reading)
    assert (event.latitude, event.longitude) == (None, None)
    assert [(problem.line, problem.column, problem.fatal) for problem in reading.problems] == [(2, "Latitude", False)]


def test_null_island_is_kept_but_told():
    reading = read(with_(Latitude="0.000000", Longitude="0.000000"))
    assert (only(reading).latitude, only(reading).longitude) == (0, 0)
    assert "0, 0" in reading.problems[0].message


@pytest.mark.parametrize(("latitude", "longitude"), [("90", "180"), ("-90.0", "-180.0"), ("+1e1", ".5")])
def test_the_ends_of_the_world_are_positions(latitude, longitude):
    reading = read(with_(Latitude=latitude, Longitude=longitude))
    assert (only(reading).latitude, only(reading).longitude) == (float(latitude), float(longitude))
    assert reading.problems == ()


def test_blanks_around_names_and_values_do_not_matter():
    spaced = [f" {value} " for value in with_(GPS_Time="2024/03/05 10:10:02")]
    reading = r2r.read(lines(spaced, columns=[f" {name.upper()} " for name in r2r.COLUMNS]).encode())
    event = only(reading)
    plain = only(read(with_()))
    for field in ("number", "instrument", "action", "transect", "station", "cast", "author", "observed_at"):
        assert getattr(event, field) == getattr(plain, field)
    assert (event.latitude, event.longitude, event.logged_at) == (10.5, -20.25, plain.logged_at)
    assert list(event.original.values()) == spaced
    assert reading.problems == ()
    assert reading.notes == read(with_()).notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue  05 Mar 2024 10:15:07 +0000", datetime(2024, 3, 5, 10, 15, 7, tzinfo=UTC)),
        ("5 mar 2024 10:15 GMT", datetime(2024, 3, 5, 10, 15, tzinfo=UTC)),
        ("Tue, 05 Mar 2024 10:15:00 -0130", datetime(2024, 3, 5, 11, 45, tzinfo=UTC)),
        ("2024-03-05T10:15:00Z", datetime(2024, 3, 5, 10, 15, tzinfo=UTC)),
        (" ", None),
    ],
)
def test_styles_of_the_date_of_typing(text, expected):
    reading = read(with_(Date=text))
    assert only(reading).logged_at == expected
    assert reading.problems == ()


@pytest.mark.parametrize("text", ["soon", "Tue, 05 Mai 2024 10:15:00 +0000", "Tue, 35 Mar 2024 10:15:00 +0000"])
def test_a_date_of_typing_that_is_not_understood_is_told(text):
    reading = read(with_(Date=text))
    assert only(reading).logged_at is None
    assert [(problem.column, problem.fatal) for problem in reading.problems] == [("Date", False)]


def test_an_event_without_instrument_or_action_is_told():
    reading = read(with_(Instrument="", Action=" "))
    assert [problem.column for problem in reading.problems] == ["Instrument", "Action"]
    assert not any(problem.fatal for problem in reading.problems)


def test_events_can_be_kept_in_sets():
    assert len({only(read(with_())), only(read(with_())), only(read(with_(Cast="004")))}) == 2


@pytest.mark.parametrize("word", ["NaN", "NO_GPS", "", "nan"])
def test_empty_words(word):
    event = only(read(with_(Transect=word, Station=word, Cast=word, Seafloor=word)))
    assert (event.transect, event.station, event.cast, event.seafloor_m) == ("", "", "", None)


def test_a_comment_is_kept_to_the_last_blank_and_may_say_nan():
    assert only(read(with_(Comment="  see below ", Author=" me "))).comment == "  see below "
    assert only(read(with_(Comment="NaN"))).comment == "NaN"


@pytest.mark.parametrize(("text", "depth"), [("70m", 70), ("70 m", 70), ("70 metres", 70), ("70.5", 70.5)])
def test_depth_in_metres(text, depth):
    reading = read(with_(Seafloor=text))
    assert only(reading).seafloor_m == depth
    assert reading.problems == ()


@pytest.mark.parametrize("text", ["70 ft", "deep", "70-80"])
def test_depth_that_is_no_number_of_metres(text):
    reading = read(with_(Seafloor=text))
    assert only(reading).seafloor_m is None
    assert [(problem.column, problem.fatal) for problem in reading.problems] == [("Seafloor", False)]


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-05T10:10:05+0000",
        "2024-03-05T10:10:05+00:00",
        "2024-03-05T10:10:05Z",
        "2024-03-05 10:10:05",
        "2024-03-05T12:10:05+02:00",
        "2024-03-05T05:40:05-0430",
    ],
)
def test_styles_of_the_event_time(text):
    reading = read(with_(dateTime8601=text))
    assert only(reading).observed_at == datetime(2024, 3, 5, 10, 10, 5, tzinfo=UTC)
    assert reading.problems == ()


@pytest.mark.parametrize("lost", ["", "yesterday", "2024-02-30T10:00:00Z", "2024-03-05", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({}, datetime(2024, 3, 5, 10, 10, tzinfo=UTC)),
        ({"dateTimeUTC": "20240305.1"}, datetime(2024, 3, 5, 10, 10, 2, tzinfo=UTC)),
        (
            {"dateTimeUTC": "20240305.10", "GPS_Time": "05-03-24 10:10"},
            datetime(2024, 3, 5, 10, 15, tzinfo=UTC),
        ),
        (
            {"dateTimeUTC": "", "GPS_Time": "", "Date": "Tue  05 Mar 2024 10:15:00 +0000"},
            datetime(2024, 3, 5, 10, 15, tzinfo=UTC),
        ),
    ],
)
def test_a_missing_event_time_falls_back_and_says_so(lost, others, expected):
    reading = read(with_(dateTime8601=lost, **others))
    assert only(reading).observed_at == expected
    assert [(problem.line, problem.column, problem.fatal) for problem in reading.problems] == [
        (2, "dateTime8601", False)
    ]


def test_a_row_without_any_time_is_refused_and_the_rest_goes_on():
    nothing = with_(dateTime8601="", dateTimeUTC="", GPS_Time="", Date="")
    reading = read(nothing, with_(Comment="next"))
    assert only(reading).comment == "next"
    assert [(problem.line, problem.fatal) for problem in reading.problems] == [(2, True)]


def test_revisions():
    text = " & Wed May  3 18:02:43 2023 & Fri May 15 00:00:01 2023"
    assert only(read(with_(Revisions=text))).revised_at == (
        datetime(2023, 5, 3, 18, 2, 43, tzinfo=UTC),
        datetime(2023, 5, 15, 0, 0, 1, tzinfo=UTC),
    )
    reading = read(with_(Revisions=" & Wed May  3 18:02:43 2023 & some day"))
    assert len(only(reading).revised_at) == 1
    assert reading.problems[0].column == "Revisions"


def test_blank_lines_a_second_header_and_rows_of_commas_are_no_events():
    text = lines(with_()).replace("\n", "\n\n") + lines(with_(R2R_Event="other")) + "," * 18 + "\n"
    reading = r2r.read(text.encode())
    assert [(event.number, event.line) for event in reading.events] == [(GOOD["R2R_Event"], 3), ("other", 6)]
    assert "Blank lines between rows (3 rows)" in reading.notes
    assert "The header comes again (1 row)" in reading.notes


def test_surplus_and_missing_values():
    reading = read([*with_(), "", "plain"], with_(R2R_Event="second")[:18])
    first, second = reading.events
    assert first.original == {**GOOD, "+20": "", "+21": "plain"}
    assert "Revisions" not in second.original
    assert [(problem.line, problem.column, problem.fatal) for problem in reading.problems] == [(3, "Revisions", False)]


def test_a_column_name_that_comes_twice_loses_nothing():
    text = lines([*with_(), "more"], columns=[*r2r.COLUMNS, "Comment"])
    event = only(r2r.read(text.encode()))
    assert event.comment == "all well"
    assert event.original["Comment (2)"] == "more"


def test_columns_in_another_order_or_absent():
    columns = ["R2R_Event", "dateTime8601", "Instrument", "Action", "Station", "Wire"]
    row = ["n1", "2024-03-05T10:10:05Z", "Winch", "deploy", "S1", "400"]
    reading = r2r.read(lines(row, columns=columns).encode())
    event = only(reading)
    assert (event.number, event.station, event.cast, event.latitude) == ("n1", "S1", "", None)
    assert event.original["Wire"] == "400"
    assert reading.columns == tuple(columns)
    assert any(note.startswith("Columns absent: Message ID, Date, Event") for note in reading.notes)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(delimiter):
    text = delimiter.join(r2r.COLUMNS) + "\n" + delimiter.join(with_(Comment="a, b")) + "\n"
    reading = r2r.read(text.replace("Tue, ", "Tue  ").encode())
    assert only(reading).comment == "a, b"
    assert any(note.startswith("Values are parted by") for note in reading.notes)


def test_numbers_missing_or_used_twice():
    reading = read(with_(R2R_Event=""), with_(), with_(Comment="again"))
    assert [event.number for event in reading.events] == [GOOD["Event"], GOOD["R2R_Event"], GOOD["R2R_Event"]]
    assert [(problem.line, problem.column, problem.fatal) for problem in reading.problems] == [
        (2, "R2R_Event", False),
        (4, "R2R_Event", False),
    ]
    assert "line 3" in reading.problems[1].message


def test_two_cruises_in_one_file_are_noted():
    assert read(with_(), with_(R2R_Event="n", Cruise="xx02")).notes[-1] == "More than one cruise: xx01, xx02"


def test_an_event_time_without_seconds():
    assert only(read(with_(dateTime8601="2024-03-05T10:10Z"))).observed_at.second == 0


def test_line_breaks_in_a_comment_and_line_numbers_after_it():
    reading = read([*with_(Comment="one\ntwo\r\nthree"), "", "plain"], with_(R2R_Event="second"))
    assert [(event.comment, event.line) for event in reading.events] == [
        ("one\ntwo\r\nthree", 2),
        ("all well", 5),
    ]


@pytest.mark.parametrize(
    ("typed", "event", "moment"),
    [
        ("4/3/2022 9:07", "20220403.0906.001", datetime(2022, 4, 3, 9, 7, tzinfo=UTC)),
        ("03-04-22 09:07", "20220403.0906.001", datetime(2022, 4, 3, 9, 7, tzinfo=UTC)),
        ("4/5/2022 9:07", "20220403.0906.001", None),  # April 5 and 4 May are both too far off
        ("3/3/2022 9:07", "20220303.0906.001", datetime(2022, 3, 3, 9, 7, tzinfo=UTC)),
        ("4/3/2022 9:07", "", None),
    ],
)
def test_a_date_that_a_spreadsheet_wrote_is_settled_by_the_minute_in_event(typed, event, moment):
    reading = read(with_(Date=typed, Event=event))
    assert only(reading).logged_at == moment
    assert any("re-written" in note for note in reading.notes) == (moment is not None)
    assert any(problem.column == "Date" for problem in reading.problems) == (moment is None)


@pytest.mark.parametrize("short", ["xx01-SE-20240305.1014.1", "xx01-SE-20240305.1014.01"])
def test_a_number_that_lost_zeros_gets_them_back(short):
    reading = read(with_(R2R_Event=short))
    assert only(reading).number == "xx01-SE-20240305.1014.001"
    assert only(reading).original["R2R_Event"] == short
    assert any("zeros" in note for note in reading.notes)
