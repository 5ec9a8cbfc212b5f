"""The R2R CSV of real cruises, against a plain reading of the same files."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventlog.exchange import r2r

from .test_exchange_r2r import lines
from .test_exchange_r2r_writing import fields

REAL = {
    "R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv": 40,
    "R2R_ELOG_AR63.csv": 64,
    "R2R_ELOG_en720.csv": 249,
}


def plain(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="ascii") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module", params=REAL)
def real(request, real_data):
    path = real_data / "r2r-elog" / request.param
    return request.param, plain(path), r2r.read(path.read_bytes())


def test_every_real_event_is_read_without_a_problem(real):
    name, rows, reading = real
    assert len(reading.events) == len(rows) - 1 == REAL[name]
    assert reading.problems == ()
    assert reading.encoding == "utf-8"


def test_there_are_353_real_events(real_data):
    folder = real_data / "r2r-elog"
    assert sum(len(r2r.read(path.read_bytes()).events) for path in folder.glob("*.csv")) == 353


def test_originals_hold_every_real_value(real):
    _, (header, *rows), reading = real
    assert list(reading.columns) == header
    for event, row in zip(reading.events, rows, strict=True):
        assert list(event.original.values()) == row
        assert list(event.original)[: len(header)] == header


def test_fields_say_what_the_real_columns_say(real):
    _, (header, *rows), reading = real
    for event, row in zip(reading.events, rows, strict=True):
        said = dict(zip(header, row, strict=False))
        assert event.observed_at == datetime.strptime(said["dateTime8601"], "%Y-%m-%dT%H:%M:%S%z")
        typed = said["Date"].split(" ", 1)[1].strip()
        assert event.logged_at == datetime.strptime(typed, "%d %b %Y %H:%M:%S %z")
        assert event.observed_at.tzinfo is UTC
        assert (event.latitude, event.longitude) == (float(said["Latitude"]), float(said["Longitude"]))
        assert event.seafloor_m == (float(said["Seafloor"].rstrip("m")) if said["Seafloor"] else None)
        assert event.number == said["R2R_Event"]
        assert (event.instrument, event.action) == (said["Instrument"], said["Action"])
        assert (event.author, event.comment) == (said["Author"], said["Comment"])
        for field in ("Transect", "Station", "Cast"):
            assert getattr(event, field.lower()) == ("" if said[field] == "NaN" else said[field])
        assert len(event.revised_at) == said["Revisions"].count("&")
        assert event.measurements == ()


def test_real_lines_are_where_the_events_stand(real, real_data):
    name, _, reading = real
    text = (real_data / "r2r-elog" / name).read_text(encoding="ascii").splitlines()
    for event in reading.events:
        assert event.original["Event"] in text[event.line - 1]


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        (
            "R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv",
            [
                "21 values under 19 headers (40 rows); kept as +20 to +21",
                "Coordinates begin with a blank (40 rows)",
                'An empty transect, station or cast is written "NaN" (35 rows)',
                "Events are not in order of time: 6 happened before the one above them",
            ],
        ),
        (
            "R2R_ELOG_AR63.csv",
            [
                'An empty transect, station or cast is written "NaN" (62 rows)',
                "dateTimeUTC is cut short or rounded, as a spreadsheet does on saving (64 rows)",
                "GPS_Time is not of the form YYYY/MM/DD HH:MM:SS (64 rows)",
                "Seafloor carries its unit (1 row)",
                "Events are not in order of time: 3 happened before the one above them",
            ],
        ),
        (
            "R2R_ELOG_en720.csv",
            [
                "Date has no comma after the weekday (249 rows)",
                "Coordinates begin with a blank (249 rows)",
                'An empty transect, station or cast is written "NaN" (249 rows)',
                "R2R_Event has two forms: 180 rows without, 69 with the cruise in front",
                "Events are not in order of time: 44 happened before the one above them",
            ],
        ),
    ],
)
def test_notes_name_the_quirks_of_each_real_file(real_data, name, notes):
    assert list(r2r.read((real_data / "r2r-elog" / name).read_bytes()).notes) == notes


def test_real_events_survive_being_written(real):
    _, _, reading = real
    again = r2r.read(r2r.write(reading.events, "xx01").encode())
    assert fields(again.events) == fields(reading.events)
    assert again.problems == ()


def test_a_real_log_cut_anywhere_gives_all_events_before_the_cut(real_data):
    data = (real_data / "r2r-elog" / "R2R_ELOG_en720.csv").read_bytes()
    whole = r2r.read(data).events
    for cut in range(5000, 7000, 37):
        rows = data[:cut].count(b"\n") - 1
        part = r2r.read(data[:cut])
        assert part.events[:rows] == whole[:rows]
        complete = data[:cut].endswith(b"\n")
        assert complete or len(part.events) == rows + 1 or any(problem.fatal for problem in part.problems)


def test_a_real_log_with_its_event_times_removed_is_timed_within_seconds(real_data):
    header, *rows = plain(real_data / "r2r-elog" / "R2R_ELOG_en720.csv")
    at = [header.index("dateTime8601"), header.index("dateTimeUTC")]
    bare = [["" if place in at else value for place, value in enumerate(row)] for row in rows]
    reading = r2r.read(lines(*bare, columns=header).encode())
    for event, row in zip(reading.events, rows, strict=True):
        happened = datetime.strptime(row[at[0]], "%Y-%m-%dT%H:%M:%S%z")
        assert abs(event.observed_at - happened) <= timedelta(seconds=3)
