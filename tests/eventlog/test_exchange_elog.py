"""Native files of ELOG: messages with attributes and a body, as elogd writes them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.exchange import detect, elog
from eventlog.exchange.markup import from_elcode, from_html
from eventlog.exchange.record import Unreadable

BREAK = "=" * 40


def message(mid: int = 57, body: str = "", drop: str = "", **changes: str) -> str:
    """A message as AZMP configures ELOG; `changes` by attribute, a blank written as __."""
    attributes = {
        "Date": "Wed, 01 Oct 2025 00:16:19 +0000",
        "Event": "020",
        "Station": "YL_07",
        "Instrument": "CTD",
        "Attached": "pH | SBE35",
        "Flowmeter Start": "",
        "Action": "Bottom",
        "Sounding": "155.34",
        "Sample ID": "521393",
        "Author": "K. W.",
        "Comment": "",
        "Time|Position": "2025-10-01 | 001519.0018 | 43 19.70215 N | 69 06.37984 W",
        "Revisions": "",
        "Attachment": "",
        "Encoding": "plain",
    } | {name.replace("__", " "): value for name, value in changes.items()}
    attributes.pop(drop, None)
    lines = [f"$@MID@$: {mid}", *(f"{name}: {value}" for name, value in attributes.items()), BREAK, body, ""]
    return "\n".join(lines)


def one(**changes: str):
    (event,) = elog.read(message(**changes).encode()).events
    return event


def test_a_message_becomes_an_event():
    event = one(body="all good", Comment="bottle 3 open", Reply__to="58", In__reply__to="56", Flowmeter__Start="73607")
    assert event.number == "elog-20251001.001619-57"
    assert event.observed_at == datetime(2025, 10, 1, 0, 15, 19, 1800, tzinfo=UTC)
    assert event.logged_at == datetime(2025, 10, 1, 0, 16, 19, tzinfo=UTC)
    assert (event.instrument, event.action, event.station, event.author) == ("CTD", "Bottom", "YL_07", "K. W.")
    assert (event.latitude, event.longitude) == pytest.approx((43.3283691667, -69.1063306667))
    assert (event.seafloor_m, event.comment) == (155.34, "bottle 3 open\nall good")
    assert event.extra == {
        "Event": "020",
        "Attached": "pH | SBE35",
        "Sample ID": "521393",
        "Flowmeter Start": "73607",
        "reply to": "58",
        "in reply to": "56",
    }
    assert event.original["Text"] == "all good"
    assert event.original["MID"] == "57"


def test_an_r2r_log_has_its_own_number_and_time():
    event = one(R2R_Event="ar32-SE-20181112.1637.001", dateTime8601="2018-11-12T16:18:00+0000", Latitude=" 41.196235")
    assert event.number == "ar32-SE-20181112.1637.001"
    assert event.observed_at == datetime(2018, 11, 12, 16, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("encoding", "body", "plain"),
    [
        ("HTML", "<p>net <b>torn</b>,<br />mended &amp; out</p><script>x()</script>", "net torn,\nmended & out"),
        ("ELCode", "net [b]torn[/b], see [url=http://x/]this[/url] [sic]", "net torn, see this [sic]"),
        ("plain", "  a < b [b]  ", "  a < b [b]  "),
        ("", "x\n\ny", "x\n\ny"),
    ],
)
def test_bodies_become_plain_text_and_the_original_stays(encoding, body, plain):
    event = one(body=body, Encoding=encoding)
    assert event.comment == plain
    assert event.original["Text"] == body


def test_attachments_revisions_and_drafts_are_told():
    reading = elog.read(
        message(
            Attachment="251001_010203_a.jpg,251001_010204_b.pdf",
            Revisions="01/Oct/2025 05:28:09 & Fri Oct  3 18:35:13 2025",
            Draft="K. W.",
        ).encode()
    )
    (event,) = reading.events
    assert event.extra["attachments"] == "251001_010203_a.jpg, 251001_010204_b.pdf"
    assert event.revised_at == (
        datetime(2025, 10, 1, 5, 28, 9, tzinfo=UTC),
        datetime(2025, 10, 3, 18, 35, 13, tzinfo=UTC),
    )
    assert [problem.column for problem in reading.problems] == ["Draft"]
    assert any("2 attached files" in note for note in reading.notes)


def test_several_messages_have_their_lines_and_a_broken_one_costs_only_itself():
    text = message(1) + "\n" + message(2).replace(BREAK, "====") + message(3, Date="soon", drop="Time|Position")
    text += "$@MID@$: x\nDate: y\n" + message(4, body="two\nlines")
    reading = elog.read(("\n" + text).replace("\n", "\r\n").encode("latin-1"))
    assert [event.original["MID"] for event in reading.events] == ["1", "4"]
    assert reading.events[1].comment == "two\r\nlines"
    lines = text.split("\n")
    assert [event.line for event in reading.events] == [2, lines.index("$@MID@$: 4") + 2]
    assert [(problem.column, problem.fatal) for problem in reading.problems] == [
        ("", True),
        ("Date", True),
        ("MID", True),
    ]


def test_a_sensor_that_failed_leaves_the_position_open():
    reading = elog.read(message(**{"Time|Position": ""}, Sounding="deep").encode())
    (event,) = reading.events
    assert (event.latitude, event.seafloor_m, event.observed_at) == (None, None, event.logged_at)
    assert [problem.column for problem in reading.problems] == ["Seafloor"]
    assert event.original["Sounding"] == "deep"


def test_too_many_attributes_stay_in_the_original():
    event = one(**{f"A{n}": "x" * 400 for n in range(50)})
    assert event.extra == {}
    assert event.original["A49"] == "x" * 400


def test_it_is_told_by_its_content():
    assert detect.read_any("log.csv", message().encode()).format == "elog"
    with pytest.raises(Unreadable, match="no line begins"):
        elog.read(b"a,b\n1,2\n")
    with pytest.raises(Unreadable, match="bytes"):
        elog.read(message().encode(), most_bytes=10)


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_a_message_every_one_is_accounted_for(values, body):
    names = ("Comment", "Latitude", "Revisions", "Time|Position", "Date", "Sounding")
    text = message(body=body.replace("$@MID@$", ""))
    for name, value in zip(names, values, strict=False):
        text = text.replace(f"\n{name}: ", f"\n{name}: {value.replace('$@MID@$', '')}", 1)
    reading = elog.read(text.encode("utf-8", "replace"))
    assert len(reading.events) + sum(problem.fatal for problem in reading.problems) == 1


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_markup_never_fails(text):
    assert isinstance(from_html(text), str)
    assert isinstance(from_elcode(text), str)
