"""One door for every format: told by content, whatever the file is called."""

import json

import pytest

from eventlog.exchange import detect, document
from eventlog.exchange.record import Unreadable

from .test_exchange_document import EVENT
from .test_exchange_r2r import lines, with_
from .test_exchange_sealog import aux, event

R2R = lines(with_()).encode()
SEALOG = json.dumps([event()]).encode()
AUX = json.dumps([aux(latitude="1", longitude="2")]).encode()
OWN = document.write({"cruise": "xx01"}, [EVENT]).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (R2R, "r2r"),
        (R2R.decode().encode("utf-16"), "r2r"),
        (b"\xef\xbb\xbf" + R2R, "r2r"),
        (b"\n\n" + R2R, "r2r"),
        (SEALOG, "sealog"),
        (b"\xef\xbb\xbf \n" + SEALOG, "sealog"),
        (OWN, "leadline-eventlog"),
    ],
)
@pytest.mark.parametrize("name", ["log.csv", "log.json", "log"])
def test_the_kind_is_told_by_the_content(name, data, kind):
    reading = detect.read_any(name, data)
    assert reading.format == kind
    assert len(reading.events) == 1


def test_the_real_files_are_told(real_data):
    kinds = {path.name: detect.read_any("x", path.read_bytes()).format for path in (real_data / "r2r-elog").iterdir()}
    assert set(kinds.values()) == {"r2r"}
    folder = real_data / "sealog"
    events = (folder / "FKt230303_eventOnlyExport.json").read_bytes()
    records = (folder / "FKt230303_auxDataExport.json").read_bytes()
    reading = detect.read_any("x", events, records)
    assert (reading.format, len(reading.events), len(reading.problems)) == ("sealog", 525, 0)
    assert sum(event.latitude is not None for event in reading.events) == 511
    with pytest.raises(Unreadable, match="auxiliary data; give it together"):
        detect.read_any("x", records)
    with pytest.raises(Unreadable, match="cruise record"):
        detect.read_any("x", (folder / "FKt230303_cruiseRecord.json").read_bytes())


def test_auxiliary_data_reach_their_events():
    assert detect.read_any("x", SEALOG, AUX).events[0].longitude == 2


@pytest.mark.parametrize("data", [R2R, OWN])
def test_auxiliary_data_beside_another_format_are_refused(data):
    with pytest.raises(Unreadable, match="belongs to something else"):
        detect.read_any("x", data, AUX)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b" \r\n\0", "empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "old office file"),
        (b"\x1f\x8brest", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"[]", "empty list"),
        (b"[1]", "not known here"),
        (b'{"a": 1}', "not known here"),
        (b'[{"lowering_id": "a"}]', "lowering"),
        (b'{"format": "leadline-eventlog", "version": 9}', "version 9"),
        (b"[" * 100_000, "deep"),
        (b"[{", "ends too early"),
        (b"time,lat,lon\n1,2,3\n", "not an R2R event log"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not text"),
    ],
)
def test_what_is_not_understood_says_what_it_seems_to_be(data, word):
    with pytest.raises(Unreadable, match=word):
        detect.read_any("upload", data)


def test_the_limit_holds_for_every_format():
    for data in (R2R, SEALOG, OWN):
        with pytest.raises(Unreadable, match="bytes"):
            detect.read_any("x", data, most_bytes=100)
