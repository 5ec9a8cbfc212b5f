"""Logs of other programs are taken in without loss and without doubles, and every row is accounted for."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eventlog import intake, logbook
from eventlog.exchange import r2r
from eventlog.exchange.detect import read_any
from eventlog.models import Event, Import, Log, Measurement, Revision
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
REAL = {
    "R2R_ELOG_AR32_FINAL_EVENTLOG_20190219_160848.csv": 40,
    "R2R_ELOG_AR63.csv": 64,
    "R2R_ELOG_en720.csv": 249,
}


def take(log: Log, data: bytes, name: str = "log.csv", **more: Any) -> intake.Report:
    return intake.import_events(log=log, name=name, data=data, by=more.pop("by", CONSOLE), **more)


@pytest.fixture
def ours():
    """A small log as R2R CSV."""
    log = make.log()
    make.event(log)
    make.event(log, instrument="Net", station="002", comment="torn, mended")
    return logbook.export(log, "r2r-csv").encode()


@pytest.mark.parametrize("name", REAL)
def test_real_r2r_logs_lose_nothing(real_data, name):
    data = (real_data / "r2r-elog" / name).read_bytes()
    header, *rows = csv.reader(io.StringIO(data.decode()))
    log = make.log()
    report = take(log, data, name)
    assert report.counts == {"new": REAL[name]}
    events = {event.number: event for event in log.events.all()}
    assert len(events) == len(rows) == REAL[name]
    for row, line in zip(rows, report.rows, strict=True):
        original = events[line.number].original
        assert [original[column] for column in header] == row[: len(header)]
    assert Revision.objects.filter(event__log=log, verb="import").count() == REAL[name]
    assert bytes(log.imports.get().data) == data


@pytest.mark.parametrize("name", REAL)
def test_a_real_log_twice_is_all_the_same_and_survives_our_export(real_data, name):
    data = (real_data / "r2r-elog" / name).read_bytes()
    log = make.log()
    take(log, data, name)
    assert take(log, data, name).counts == {"same": REAL[name]}
    assert log.events.count() == REAL[name]
    written = r2r.read(logbook.export(log, "r2r-csv").encode())
    assert written.problems == ()
    fields = ("number", "observed_at", "instrument", "action", "station", "latitude", "longitude", "author")
    expected = sorted(read_any(name, data).events, key=lambda e: (e.observed_at, e.number))
    assert [[getattr(e, f) for f in fields] for e in written.events] == [
        [getattr(e, f) for f in fields] for e in expected
    ]


def test_sealog_comes_with_its_measurements(real_data):
    data = (real_data / "sealog/FKt230303_eventOnlyExport.json").read_bytes()
    aux = (real_data / "sealog/FKt230303_auxDataExport.json").read_bytes()
    log = make.log()
    report = take(log, data, "FKt230303_eventOnlyExport.json", aux=aux)
    assert report.counts == {"new": 525}
    originals = {json.dumps(o, sort_keys=True) for o in log.events.values_list("original", flat=True)}
    assert len(originals) == 525
    for row in json.loads(data):
        assert any(row["id"] in text for text in originals)
    expected = sum(len(event.measurements) for event in read_any("x.json", data, aux).events)
    assert Measurement.objects.filter(event__log=log).count() == expected > 0
    assert take(log, data, "x.json", aux=aux).counts == {"same": 525}
    assert Measurement.objects.filter(event__log=log).count() == expected
    for stored in log.imports.all():
        assert bytes(stored.data).startswith(data)
        assert bytes(stored.data).endswith(aux)


def test_a_changed_row_differs_and_the_log_is_left_as_it_is(ours):
    log = make.log()
    assert take(log, ours).counts == {"new": 2}
    changed = ours.replace(b"torn", b"whole")
    assert changed != ours
    report = take(log, changed)
    assert report.counts == {"same": 1, "differs": 1}
    (row,) = [row for row in report.rows if row.result == "differs"]
    assert "comment" in row.message
    assert log.events.get(number=row.number).comment == "torn, mended"
    assert log.events.get(number=row.number).revision == 1


def test_a_row_twice_in_one_file_is_one_event(ours):
    log = make.log()
    report = take(log, ours + ours.splitlines(keepends=True)[-1])
    assert report.counts == {"new": 2, "same": 1}
    assert log.events.count() == 2


def test_our_own_document_comes_back():
    event = make.event()
    data = logbook.export(event.log, "json").encode()
    log = make.log()
    assert take(log, data, "log.json").counts == {"new": 1}
    assert log.events.get().logged().comment == event.comment


def test_a_dry_run_writes_nothing(ours):
    log = make.log()
    before = Event.objects.count()
    assert take(log, ours, dry_run=True).counts == {"new": 2}
    assert Event.objects.count() == before
    assert not Import.objects.exists()


def test_a_row_that_is_too_long_is_refused_and_the_rest_comes_in(ours):
    log = make.log()
    report = take(log, ours.replace(b"Net", b"N" * 121))
    assert report.counts == {"new": 1, "refused": 1}
    assert log.events.count() == 1


@pytest.mark.parametrize(("name", "data"), [("log.csv", b"a,b\n1,2\n"), ("log.json", b"{"), ("log.bin", b"\x00\xff")])
def test_a_file_that_is_no_log_is_refused(name, data):
    log = make.log()
    with pytest.raises(NotLikeThis) as caught:
        take(log, data, name)
    assert name in caught.value.reason
    assert caught.value.faults
    assert not Import.objects.exists()


def test_a_log_that_was_never_opened_takes_no_events(ours):
    log = make.log("not opened")
    with pytest.raises(NotNow):
        take(log, ours)
    assert not log.events.exists()


def test_late_events_need_a_reason_and_are_labelled(ours):
    log = make.log("closed")
    assert take(log, ours, dry_run=True).counts == {"new": 2}
    with pytest.raises(NotLikeThis, match="closed"):
        take(log, ours)
    assert not log.events.exists()
    assert take(log, ours, reason="from the paper log", by=make.person("chief")).counts == {"new": 2}
    late = log.revisions.filter(verb="import")
    assert {(row.after_close, row.reason) for row in late} == {(True, "from the paper log")}
    with pytest.raises(NotYou):
        take(log, ours, reason="mine", by=make.person("watch"))


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("operator", True), ("chief", True), ("manager", True), ("watch", False), ("rival", False), ("stranger", False)],
)
def test_who_may_import(ours, name, allowed):
    log = make.log()
    if allowed:
        assert take(log, ours, by=make.person(name)).counts == {"new": 2}
    else:
        with pytest.raises(NotYou):
            take(log, ours, by=make.person(name))
        assert not log.events.exists()


# --- commands -------------------------------------------------------------------------------------------------------


def told(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*words, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_commands_walk_a_log_from_opening_to_closing(tmp_path, ours):
    cruise = make.cruise()
    source, target = tmp_path / "log.csv", tmp_path / "out.csv"
    source.write_bytes(ours)
    assert told("open_log", f"--cruise={cruise.cruise_id}")["state"] == "open"
    tried = told("import_events", str(source), f"--cruise={cruise.cruise_id}", "--dry-run")
    assert tried["counts"] == {"new": 2}
    assert logbook.log_of(cruise).events.count() == 0
    taken = told("import_events", str(source), f"--cruise={cruise.cruise_id}")
    assert (taken["counts"], len(taken["rows"])) == ({"new": 2}, 2)
    written = told("export_events", f"--cruise={cruise.cruise_id}", f"--output={target}")
    assert written["bytes"] == target.stat().st_size
    assert len(r2r.read(target.read_bytes()).events) == 2
    closed = told("close_log", f"--cruise={cruise.cruise_id}")
    assert (closed["state"], closed["events"], bool(closed["final copies"])) == ("closed", 2, True)
    assert Log.objects.get(cruise=cruise).state == "closed"


def test_commands_refuse_in_words(tmp_path, ours):
    cruise = make.cruise()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_events", str(tmp_path / "none.csv"), f"--cruise={cruise.cruise_id}")
    with pytest.raises(CommandError, match="There is no cruise"):
        call_command("open_log", "--cruise=NONE")
    (tmp_path / "log.csv").write_bytes(ours)
    with pytest.raises(CommandError, match="not opened"):
        call_command("import_events", str(tmp_path / "log.csv"), f"--cruise={cruise.cruise_id}")
    make.person("stranger")
    with pytest.raises(CommandError, match="takes the role"):
        call_command("open_log", f"--cruise={cruise.cruise_id}", "--by=stranger@example.org")


# --- out and in again -------------------------------------------------------------------------------------------------


def normal(row: dict[str, str]) -> dict[str, str]:
    """A row of R2R's CSV in the normal forms of docs/import.md, as far as one can tell from the row alone."""
    at = dt.datetime.strptime(row["dateTime8601"], "%Y-%m-%dT%H:%M:%S%z").astimezone(dt.UTC)
    typed = dt.datetime.strptime(row["Date"].split(" ", 1)[1].strip(), "%d %b %Y %H:%M:%S %z")
    said = {name: row[name].strip() for name in ("Instrument", "Action", "Author", "R2R_Event")}
    said |= {"Event": said["R2R_Event"].rpartition("-SE-")[2]}  # two of the 353 rows say another minute or number
    said |= {name: row[name].strip() or "NaN" for name in ("Transect", "Station", "Cast")}
    said |= {name: repr(float(row[name])) for name in ("Latitude", "Longitude")}
    said |= {"Comment": row["Comment"], "Seafloor": row["Seafloor"].strip().rstrip("m")}
    said |= {"Date": f"{typed:%a, %d %b %Y %H:%M:%S} +0000", "dateTime8601": at.isoformat()}
    said |= {"dateTimeUTC": f"{at:%Y%m%d.%H%M}", "GPS_Time": f"{at:%Y/%m/%d %H:%M:%S}"}
    return said | {"Revisions": " ".join(row["Revisions"].split())}


@pytest.mark.parametrize("name", REAL)
def test_a_real_r2r_log_goes_in_and_comes_out_equal_field_by_field(real_data, name):
    data = (real_data / "r2r-elog" / name).read_bytes()
    log = make.log()
    take(log, data, name)
    came = {row["R2R_Event"]: row for row in csv.DictReader(io.StringIO(logbook.export(log, "r2r-csv")))}
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert len(came) == len(rows) == REAL[name]
    for row in rows:
        out = dict(came[row["R2R_Event"].strip()])
        assert out.pop("Message ID").isdigit()
        assert out.pop("Cruise") == log.cruise.cruise_id
        out["Revisions"] = " ".join(out["Revisions"].split())
        for column in ("Latitude", "Longitude"):
            out[column] = repr(float(out[column]))
        if out["Seafloor"]:
            assert float(out["Seafloor"]) == float(normal(row)["Seafloor"])
        expected = normal(row) | {"Seafloor": out["Seafloor"]}
        assert {column: out[column] for column in expected} == expected
