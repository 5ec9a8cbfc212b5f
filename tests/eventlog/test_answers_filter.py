"""The filter of the answer box: read, written back, said as a sentence, and understood from plain words."""

from __future__ import annotations

import datetime as dt
import string

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from eventlog.answers import Filter, Vocabulary, understand
from eventlog.answers.wanted import LONGEST, moment, position_of, seconds_of
from portal.refusals import NotLikeThis

UTC = dt.UTC
WORDS = Vocabulary(
    instruments=["CTD", "Bongo net", "Ship", "Underway science"],
    actions=["deploy", "recover", "maxDepth", "abort"],
    stations=["L6", "MVCO", "001"],
    people=["Sam Keane"],
)


def faults(**params: object) -> dict[str, str]:
    with pytest.raises(NotLikeThis) as refused:
        Filter.parse(params)
    return {fault.where: fault.what for fault in refused.value.faults}


def test_nothing_said_is_every_standing_event():
    wanted = Filter.parse(QueryDict("q=&instrument=&after=&view=map&page=3"))
    assert wanted.is_empty
    assert wanted.as_query() == ""
    assert wanted.says() == "Events"


def test_everything_said_comes_back_the_same():
    text = (
        "q=bottle+7&instrument=CTD&instrument=Bongo+net&action=deploy&station=L6&transect=A&cast=004&person=Keane"
        "&operation=6f6b8a52-9a2c-4b5e-8a0e-0e5d3d2c1b0a&after=2026-03-04T03:14:07Z&before=2026-03-05"
        "&box=179,-10,-179,10&near=35.5,-25&within=20&depth_min=1000&depth_max=2000&position=typed&struck=only"
    )
    wanted = Filter.parse(QueryDict(text))
    assert Filter.parse(QueryDict(wanted.as_query())) == wanted
    assert wanted.instrument == ("CTD", "Bongo net")
    assert wanted.before == dt.datetime(2026, 3, 6, tzinfo=UTC)  # a day alone is meant whole
    assert (wanted.box, wanted.place) == ((179, -10, -179, 10), (35.5, -25))


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30).map(str.strip)
values = st.lists(texts.filter(bool), max_size=3, unique=True).map(tuple)
numbers = st.floats(0, 5000).map(lambda value: round(value, 3))


@given(
    texts, values, st.none() | st.datetimes(timezones=st.just(UTC)), st.none() | numbers,
    st.sampled_from(["no", "yes", "only"]), st.tuples(st.floats(-180, 180), st.floats(-180, 180)),
)  # fmt: skip
def test_any_filter_is_a_link_and_back(text, instruments, after, depth, struck, sides):
    wanted = Filter(
        text=" ".join(text.split()),
        instrument=instruments,
        after=after,
        depth_min=depth,
        struck=struck,
        box=(float(f"{sides[0]:.6f}"), -10.0, float(f"{sides[1]:.6f}"), 10.0),
    )
    assert Filter.parse(QueryDict(wanted.as_query())) == wanted
    assert wanted.says()


NAMES = ["q", "instrument", "after", "before", "last", "box", "near", "within", "depth_min", "struck", "operation"]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.text(string.printable + "é\0", max_size=12), max_size=3)))
def test_hostile_parameters_are_read_or_refused_with_reasons(params):
    try:
        wanted = Filter.parse(params)
    except NotLikeThis as refusal:
        reasons = {fault.where: fault.what for fault in refusal.faults}
    else:
        reasons = {}
        assert Filter.parse(QueryDict(wanted.as_query())) == wanted
    assert set(reasons) <= set(params) | {"near"}
    assert all(reasons.values())


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"after": "yesterday"}, "after"),
        ({"after": "2026-03-04", "before": "2026-03-02"}, "before"),
        ({"last": "4 moons"}, "last"),
        ({"last": "4h", "after": "2026-03-04"}, "last"),
        ({"box": "1,2,3"}, "box"),
        ({"box": "0,10,5,5"}, "box"),
        ({"box": "0,nan,5,5"}, "box"),
        ({"within": "20"}, "near"),
        ({"near": "L6", "within": "-1"}, "within"),
        ({"near": "95,10"}, "near"),
        ({"depth_min": "deep"}, "depth_min"),
        ({"depth_min": "nan"}, "depth_min"),
        ({"depth_min": "200", "depth_max": "100"}, "depth_max"),
        ({"struck": "maybe"}, "struck"),
        ({"position": "guessed"}, "position"),
        ({"operation": "7"}, "operation"),
        ({"station": "x" * (LONGEST + 1)}, "station"),
        ({"q": "a\0b"}, "q"),
        ({"person": ["a", "b"]}, "person"),
        ({"station": [str(n) for n in range(30)]}, "station"),
    ],
)
def test_a_faulty_parameter_is_refused_by_its_name(params, field):
    assert list(faults(**params)) == [field]


def test_all_faults_are_told_at_once():
    assert set(faults(after="x", box="y", depth_max="z")) == {"after", "box", "depth_max"}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "instrument=CTD&action=deploy&depth_min=1000&near=L6&within=20",
            "CTD deploy events deeper than 1000 m within 20 km of L6",
        ),
        ("last=4h", "Events in the last 4 hours"),
        ("last=90min&instrument=A&instrument=B", "A or B events in the last 90 minutes"),
        ("box=179,-10,-179,10", "Events in 10° S to 10° N, 179° E to 179° W"),
        ("q=bottle+leak&struck=only", "Struck events with “bottle” and “leak”"),
        ("after=2026-03-04&before=2026-03-04", "Events from 2026-03-04 to 2026-03-05 UTC"),
        ("after=2026-03-04T03:14:07Z&position=none", "Events since 2026-03-04 03:14:07 UTC without a position"),
        ("station=L6&cast=004&person=Keane", "Events at station L6 of cast 004 by Keane"),
        ("depth_min=100&depth_max=200&struck=yes", "Events in 100 to 200 m of water and struck ones"),
    ],
)
def test_it_says_what_it_asks_for(query, sentence):
    assert Filter.parse(QueryDict(query)).says() == sentence


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("ctd casts depth > 1000 within 20 km of L6", "instrument=CTD&near=L6&within=20&depth_min=1000"),
        (
            "CTD deployments deeper than 1000 m within 20 km of l6",
            "instrument=CTD&action=deploy&near=L6&within=20&depth_min=1000",
        ),
        ("bongo nets in the last 4 hours", "instrument=Bongo+net&last=4h"),
        ("recoveries at station 001", "action=recover&station=001"),
        ("within 5 nm of 41.3,-70.9", "near=41.3%2C-70.9&within=9.26"),
        ("depth between 100 and 2000 m", "depth_min=100&depth_max=2000"),
        ("since 2026-03-04 03:00 bottle leaked", "q=bottle+leaked&after=2026-03-04T03%3A00%3A00Z"),
        (
            "ship events by Sam Keane on 2026-03-04",
            "instrument=Ship&person=Sam+Keane&after=2026-03-04T00%3A00%3A00Z&before=2026-03-05T00%3A00%3A00Z",
        ),
        ("underway science without position", "instrument=Underway+science&position=none"),
        ("struck events", "struck=only"),
        ("CTD cast 004", "instrument=CTD&cast=004"),
        ("MVCO", "station=MVCO"),
        ("since tomorrow", "q=since+tomorrow"),
        ("", ""),
    ],
)
def test_plain_words(question, query):
    assert Filter.parse(understand(question, WORDS).params).as_query() == query


def test_it_shows_what_was_understood():
    found = understand("ctd casts depth > 1000 leaked", WORDS)
    assert ("depth > 1000", "depth_min 1000") in found.parts
    assert ("ctd", "instrument CTD") in found.parts
    assert ("leaked", "words in the text") in found.parts


@given(st.text(max_size=400))
def test_any_question_is_read_in_bounded_time(question):
    found = understand(question, WORDS)
    assert all(values for values in found.params.values())


def test_small_readers():
    assert seconds_of("1.5h") == 5400
    assert position_of("35.5 -25.1") == (35.5, -25.1)
    assert position_of("L6") is None
    assert moment("2026-03-04 03:14 UTC") == dt.datetime(2026, 3, 4, 3, 14, tzinfo=UTC)
    assert moment("2026-03-04T05:14+02:00") == dt.datetime(2026, 3, 4, 3, 14, tzinfo=UTC)
