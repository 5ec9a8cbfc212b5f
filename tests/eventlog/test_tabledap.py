"""The tabledap query: ERDDAP's texts read, its shapes written, and regular expressions that cannot run away."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from eventlog import logbook
from eventlog.models import Log
from eventlog.tabledap.patterns import Pattern, Unfit
from eventlog.tabledap.question import Edge, Wrong, read
from eventlog.tabledap.table import variables
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make

NOW = dt.datetime(2023, 5, 1, tzinfo=dt.UTC)
KNOWN = variables(names=True)


def asked(query: str) -> Any:
    return read(query, KNOWN, NOW)


# --- reading, without a database ------------------------------------------------------------------------------------


def test_the_query_of_an_erddap_page_works_as_it_is():
    found = asked(
        'time,latitude,longitude,instrument&time>=2023-04-29T00:00:00Z&time<=2023-04-30T23:59:59Z&instrument="CTD"'
    )
    assert [column.name for column in found.columns] == ["time", "latitude", "longitude", "instrument"]
    assert [(c.variable.name, c.operator, c.value) for c in found.constraints] == [
        ("time", ">=", dt.datetime(2023, 4, 29, tzinfo=dt.UTC).timestamp()),
        ("time", "<=", dt.datetime(2023, 4, 30, 23, 59, 59, tzinfo=dt.UTC).timestamp()),
        ("instrument", "=", "CTD"),
    ]


def test_percent_encoding_changes_nothing():
    query = 'time,instrument&time>=now-1day&instrument="a&b \\"c\\""&orderBy("instrument,time")&distinct()'
    plain, coded = asked(query), asked(quote(query, safe="&=,"))
    assert plain == coded
    assert plain.constraints[1].value == 'a&b "c"'
    assert (plain.order, plain.distinct) == (("orderBy", ("instrument", "time"), 0), True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-04-29", 1682726400), ("2023-04-29T10:43Z", 1682764980), ("1682726400", 1682726400),
        ("1.6827264E9", 1682726400),
        ("now", NOW.timestamp()), ("now-1day", NOW.timestamp() - 86400), ("now-2hours", NOW.timestamp() - 7200),
        ('"2023-04-29T00:00:00Z"', 1682726400),
    ],
)  # fmt: skip
def test_times(text, seconds):
    assert asked(f"time&time>={text}").constraints[0].value == seconds


def test_the_edges_of_the_data():
    assert asked("&time>=max(time)-1day").constraints[0].value == Edge("max", "time", -86400.0)
    assert asked("&latitude>min(latitude)").constraints[0].value == Edge("min", "latitude", 0.0)
    assert len(asked("").columns) == len(KNOWN)
    assert asked("time&.draw=markers&.bgColor=0xff").constraints == ()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour", 'Unrecognized variable="colour"'),
        ("time,time", "listed twice"),
        ("time&colour=1", "Unrecognized variable"),
        ("time&instrument=CTD", "double quotes"),
        ('time&instrument="CTD', "not closed"),
        ("time&latitude>north", "no number"),
        ("time&latitude>inf", "not finite"),
        ("time&time>=soon", "no time"),
        ('time&latitude=~"4.*"', "for text"),
        ('time&instrument=~"(C"', "not closed"),
        ('time&instrument=~"(?=C)"', "looking around"),
        ('time&instrument=~"(a)\\1"', "not offered"),
        ("time&time>=max(latitude)", "no time"),
        ("time&latitude>=max(latitude)-1day", "times alone"),
        ('time&orderBy("station")', "isn't in the list"),
        ("time&orderBy(time)", "double quotes"),
        ('time&orderByMean("time")', "no function"),
        ('time&orderByLimit("time")', "ends with a number"),
        ("time&what", "neither a constraint"),
        ("time>=2023-04-29", "first the variables"),
        ("&" * 100, "parts"),
        ("time" * 4000, "characters"),
    ],
)
def test_what_is_not_understood_is_said(query, words):
    with pytest.raises(Wrong) as wrong:
        asked(query)
    assert words in str(wrong.value)


@given(st.text(max_size=200) | st.text('time,latitude&<>=~!"()-1dayCTD\\%', max_size=80))
def test_any_text_is_read_or_refused(query):
    try:
        found = asked(query)
    except Wrong as wrong:
        found = None
        told = str(wrong)
    assert found is not None or told


# --- regular expressions --------------------------------------------------------------------------------------------

simple = st.text("abAB01 -_", max_size=12)


@given(
    st.sampled_from(
        ["a*b", "(ab|ba)+", "[a-b0-1]*", "[^a]*", "a{2,3}b?", "(?i)ab.*", "\\w+", "\\d{1,2}\\s?\\w*", "^a.*b$", ".*b.*",
         "(a|b)*0?", "a+?b*", "[\\w-]+", "(?:a|)(b|)", "x|y|", "a{0,2}", "(a{2}){2}", "(a{2,}b)*"]
    ),
    simple,
)  # fmt: skip
def test_patterns_match_as_pythons_do(pattern, text):
    assert Pattern(pattern).matches(text) is (re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize("evil", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)b", "(a|aa)+b", "([a-zA-Z]+)*b"])
def test_patterns_that_run_away_elsewhere_do_not_here(evil):
    began = time.perf_counter()
    assert not Pattern(evil).matches("a" * 20_000)
    # Linear: some milliseconds. Python's own engine would not be done in our lifetimes.
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "text",
    ["(", ")", "[a", "a**", "*a", "a{200}", "a{2,1}", "a{x}", "(?P<n>a)", "(?!a)", "\\b", "\\1", "((a{50}){50}){50}",
     "a^b", "[z-a]", "a\\"]
)  # fmt: skip
def test_what_cannot_be_matched_safely_is_refused(text):
    with pytest.raises(Unfit):
        Pattern(text)


@given(st.text(max_size=40), simple)
def test_any_pattern_is_compiled_or_refused(pattern, text):
    try:
        found = Pattern(pattern).matches(text)
    except Unfit as refusal:
        assert str(refusal)  # noqa: PT017 - either outcome is right
    else:
        assert found in (True, False)


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.fixture
def log(db: None) -> Log:
    log = make.log()
    at = dt.datetime(2023, 4, 29, 10, 43, tzinfo=dt.UTC)
    hour = dt.timedelta(hours=1)
    make.event(log, observed_at=at, station="L1", latitude=41.5, longitude=-70.5, comment='said "calm", twice')
    make.event(
        log, observed_at=at + hour, action="recover", station="L2", latitude=40.5, longitude=-70.5, seafloor_m=None
    )
    make.event(
        log, observed_at=at + 30 * hour, instrument="Bongo net", station="L2", latitude=None, longitude=None,
        comment="no\nposition",
    )  # fmt: skip
    struck = make.event(log, observed_at=at + 40 * hour, instrument="Struck")
    logbook.strike(event=struck, by=CONSOLE)
    return log


def get(client: Any, log: Log, form: str, query: str, status: int = 200) -> str:
    path = f"/api/v1/cruises/{log.cruise.cruise_id}/tabledap/events.{form}"
    response = client.get(path, QUERY_STRING=query)
    assert response.status_code == status, response.content
    return response.content.decode()


def test_shapes_are_erddaps(browse, log):
    client, query = browse("watch"), 'time,latitude,instrument,seafloor_depth&instrument="CTD"'
    assert get(client, log, "csv", query) == (
        "time,latitude,instrument,seafloor_depth\nUTC,degrees_north,,m\n"
        "2023-04-29T10:43:00Z,41.5,CTD,3120.0\n2023-04-29T11:43:00Z,40.5,CTD,NaN\n"
    )
    assert get(client, log, "csvp", query).startswith(
        "time (UTC),latitude (degrees_north),instrument,seafloor_depth (m)\n2023"
    )
    assert get(client, log, "csv0", query).startswith("2023-04-29T10:43:00Z,41.5,CTD,3120.0\n")
    assert get(client, log, "tsv", query).startswith(
        "time\tlatitude\tinstrument\tseafloor_depth\nUTC\tdegrees_north\t\tm\n"
    )
    told = json.loads(get(client, log, "json", query))["table"]
    assert told == {
        "columnNames": ["time", "latitude", "instrument", "seafloor_depth"],
        "columnTypes": ["String", "double", "String", "double"],
        "columnUnits": ["UTC", "degrees_north", None, "m"],
        "rows": [["2023-04-29T10:43:00Z", 41.5, "CTD", 3120.0], ["2023-04-29T11:43:00Z", 40.5, "CTD", None]],
    }


def test_geojson(browse, log):
    client = browse("watch")
    told = json.loads(get(client, log, "geoJson", "time,longitude,latitude,station"))
    assert told["propertyNames"] == ["time", "station"]
    assert [f["geometry"]["coordinates"] for f in told["features"]] == [[-70.5, 41.5], [-70.5, 40.5]]
    assert told["bbox"] == [-70.5, 40.5, -70.5, 41.5]
    bare = json.loads(get(client, log, "geoJson", "longitude,latitude"))
    assert bare == {
        "type": "MultiPoint",
        "coordinates": [[-70.5, 41.5], [-70.5, 40.5]],
        "bbox": [-70.5, 40.5, -70.5, 41.5],
    }
    assert "longitude" in get(client, log, "geoJson", "time,latitude", status=400)


def test_text_comes_back_from_csv_and_stays_in_its_line_in_tsv(browse, log):
    body = get(browse("watch"), log, "csv", "comment")
    assert [row[0] for row in csv.reader(io.StringIO(body))][2:] == ['said "calm", twice', "calm", "no\nposition"]
    assert get(browse("watch"), log, "tsv0", "comment").splitlines()[2] == "no\\nposition"


@pytest.mark.parametrize(
    ("query", "stations"),
    [
        ("&time>=2023-04-29T11:00:00Z", ["L2", "L2"]),
        ("&time>=1682766000", ["L2", "L2"]),
        ("&time>=max(time)-1day", ["L2"]),
        ("&time<min(time)%2B1hour", ["L1"]),
        ("&time>now", None),
        ("&time>9e11", None),
        ("&latitude>=41", ["L1"]),
        ("&latitude=NaN", ["L2"]),
        ("&latitude!=NaN", ["L1", "L2"]),
        ("&latitude>=max(latitude)", ["L1"]),
        ('&instrument!="CTD"', ["L2"]),
        ('&instrument=~"(?i)bongo.*|nothing"', ["L2"]),
        ('&instrument=~"Bongo"', None),
        ('&station>"L1"', ["L2", "L2"]),
        ('&station<="L1"&instrument="CTD"', ["L1"]),
        ("&seafloor_depth<4000", ["L1", "L2"]),
        ("&distinct()", ["L1", "L2"]),
        ('&orderByDescending("station")', ["L2", "L2", "L1"]),
        ('&orderByLimit("station,1")', ["L1", "L2"]),
        ('&orderByMax("station")', ["L2"]),
        ('&orderByMin("station")', ["L1"]),
    ],
)
def test_constraints_and_functions(browse, log, query, stations):
    text = get(browse("watch"), log, "csv0", "station" + query, status=200 if stations else 404)
    if stations is None:
        assert text == (
            "Error {\n    code=404;\n"
            '    message="Not Found: Your query produced no matching results. (nRows = 0)";\n}\n'
        )
    else:
        assert text.split() == stations


def test_an_event_is_found_by_its_ids(browse, log):
    event = log.events.get(station="L1")
    found = get(browse("watch"), log, "csv0", f'event,uuid&uuid="{event.uuid}"')
    assert found == f"{event.number},{event.uuid}\n"


def test_errors_are_told_as_erddap_tells_them(browse, log):
    text = get(browse("watch"), log, "csv", "time,colour", status=400)
    assert text.startswith(
        'Error {\n    code=400;\n    message="Bad Request: Query error: Unrecognized variable=\\"colour\\"'
    )
    assert "fileType" in get(browse("watch"), log, "nc", "time", status=400)


def test_the_public_is_told_no_author_and_sees_no_open_log(browse, log):
    for who in ("stranger", None):
        get(browse(who), log, "csv", "time", status=404)
    assert "Keane" in get(browse("watch"), log, "csv", "author")
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    assert "Unrecognized" in get(browse(None), log, "csv", 'time&author="Sam Keane"', status=400)
    assert "Keane" not in get(browse(None), log, "csv", "")
    path = f"/api/v1/cruises/{log.cruise.cruise_id}/info/events/index.csv"
    assert "author" not in browse(None).get(path).content.decode()


def test_the_index_of_variables_is_one_that_clients_read(browse, log):
    path = f"/api/v1/cruises/{log.cruise.cruise_id}/info/events/index."
    rows = list(csv.DictReader(io.StringIO(browse("watch").get(path + "csv").content.decode())))
    names = [row["Variable Name"] for row in rows if row["Row Type"] == "variable"]
    assert names == list(KNOWN)
    units = {row["Variable Name"]: row["Value"] for row in rows if row["Attribute Name"] == "units"}
    assert (units["time"], units["latitude"]) == ("seconds since 1970-01-01T00:00:00Z", "degrees_north")
    ranges = {row["Variable Name"]: row["Value"] for row in rows if row["Attribute Name"] == "actual_range"}
    assert ranges["latitude"] == "40.5, 41.5"
    told = json.loads(browse("watch").get(path + "json").content)["table"]
    assert told["columnNames"] == ["Row Type", "Variable Name", "Attribute Name", "Data Type", "Value"]
    assert len(told["rows"]) == len(rows)
