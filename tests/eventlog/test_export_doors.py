"""Exports by page, by API and by command; and what the check of each form finds in a file that is not right."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import netCDF4
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from eventlog import logbook
from eventlog.exchange import document
from eventlog.exports import forms, gather, making
from eventlog.models import Event, Log
from eventlog.views import exports
from portal.access import CONSOLE
from portal.models import Cruise
from portal.refusals import NotLikeThis, NotNow
from tests import make

pytestmark = pytest.mark.django_db
QUICK = [name for name in forms.FORMS if name != "pdf"]


def api(event: Event, rest: str = "") -> str:
    return f"/api/v1/cruises/{event.log.cruise.cruise_id}/events/export{rest}"


def page(event: Event, rest: str) -> str:
    return f"/cruise/{event.log.cruise.cruise_id}/log/{rest}"


def published() -> Event:
    event = make.event()
    logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=event.log.cruise.pk).update(public_at=timezone.now())
    return event


# --- by API ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", QUICK)
def test_the_api_gives_every_form_with_its_type_and_checksum(browse, form):
    event, client = make.event(), browse("watch")
    response = client.get(api(event, f"/{form}"))
    digest = hashlib.sha256(response.content).digest()
    assert (response.status_code, response["Content-Type"]) == (200, forms.FORMS[form].media_type)
    assert response["ETag"] == f'"{digest.hex()}"'
    assert response["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    name = f"{event.log.cruise.cruise_id}{forms.FORMS[form].ending}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    again = client.get(api(event, f"/{form}"), headers={"If-None-Match": f'"x", {response["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    report = client.get(api(event, f"/{form}/report")).json()
    assert (report["sha256"], report["validation"]["passed"]) == (digest.hex(), True)


def test_the_api_lists_the_forms(browse):
    event = make.event()
    listed = browse("watch").get(api(event)).json()
    assert [one["format"] for one in listed] == list(forms.FORMS)
    assert browse("watch").get(listed[0]["url"]).status_code == 200


def test_a_long_export_is_streamed(browse, monkeypatch):
    monkeypatch.setattr(exports, "SMALL", 10)
    response = browse("watch").get(api(make.event(), "/csv"))
    assert response.streaming
    assert len(b"".join(response.streaming_content)) == int(response["Content-Length"])
    response.close()


def test_the_filter_of_the_answer_box_holds_for_exports(browse):
    event, client = make.event(), browse("watch")
    make.event(event.log, instrument="Bongo net", station="L9")
    for address in (api(event, "/csv"), page(event, "export/csv")):
        assert client.get(address, {"instrument": "Bongo net"}).content.count(b"\r\n") == 2
        assert client.get(address, {"instrument": "nothing"}).content.count(b"\r\n") == 1
    refused = client.get(api(event, "/csv"), {"after": "yesterday-ish"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "after")
    assert client.get(api(event, "/csv"), {"struck": "only"}).status_code == 422


def test_struck_events_stand_in_the_printable_log_alone(browse):
    event, client = make.event(comment="mistaken"), browse("watch")
    logbook.strike(event=event, by=make.person("chief"), reason="twice")
    assert b"mistaken" not in client.get(api(event, "/csv")).content
    assert b"mistaken" in client.get(api(event, "/html")).content
    assert b"mistaken" in client.get(api(event, "/html"), {"instrument": "CTD"}).content
    assert b"mistaken" not in client.get(api(event, "/html"), {"instrument": "CTD", "struck": "no"}).content


@pytest.mark.parametrize(("name", "status"), [("watch", 200), ("expert", 200), ("stranger", 404), (None, 404)])
def test_who_gets_exports_of_an_open_log(browse, name, status):
    event = make.event()
    addresses: tuple[str, ...] = (api(event, "/csv"), api(event), api(event, "/csv/report"), page(event, "exports/"))
    addresses += (page(event, "exports/csv/"), page(event, "export/csv"))
    if name == "expert":
        Cruise.objects.filter(pk=event.log.cruise.pk).update(public_at=timezone.now())
        logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    assert {browse(name).get(address).status_code for address in addresses} == {status}


def test_the_public_gets_a_closed_log_without_names_and_not_the_costly_pdf():
    event = published()
    body = Client().get(api(event, "/csv")).content
    assert b"CTD" in body
    assert b"Keane" not in body
    assert Client().get(api(event, "/pdf")).status_code == 403
    assert Client().get(api(event, "/csv"), {"person": "Keane"}).status_code == 422


# --- by page --------------------------------------------------------------------------------------------------------


def test_the_page_names_every_form_and_keeps_the_filter(browse):
    event, client = make.event(), browse("watch")
    body = html.unescape(client.get(page(event, "exports/"), {"instrument": "CTD"}).content.decode())
    for form in forms.FORMS.values():
        assert form.title in body
        assert form.purpose in body
    assert "export/gpkg?instrument=CTD" in body
    assert "exports/" in client.get(page(event, "")).content.decode()


def test_the_report_page_tells_size_checksum_and_checks(browse):
    event = make.event(latitude=None, longitude=None)
    body = browse("watch").get(page(event, "exports/csv/")).content.decode()
    made = making.make(event.log, "csv")
    made.file.close()
    assert made.sha256 in body
    assert "1 of 1 events have no position" in body
    assert all(check.rule[1:] in body for check in made.report.checks if "'" not in check.rule)
    assert browse("watch").get(page(event, "exports/xlsx/")).status_code == 404


def test_an_empty_log_says_so(browse):
    log = make.log()
    response = browse("watch").get(f"/cruise/{log.cruise.cruise_id}/log/exports/")
    assert "No events yet" in response.content.decode()


# --- by command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", QUICK)
def test_the_command_writes_every_form_and_tells_its_check(tmp_path, form):
    event, target, told = make.event(), tmp_path / "out", io.StringIO()
    asked = (f"--cruise={event.log.cruise.cruise_id}", f"--format={form}", f"--output={target}")
    call_command("export_events", *asked, "--json", stdout=told)
    answer = json.loads(told.getvalue())
    assert answer["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert (answer["bytes"], answer["events"], answer["validation"]["passed"]) == (target.stat().st_size, 1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_command_speaks_and_filters(tmp_path):
    event, told = make.event(), io.StringIO()
    make.event(event.log, instrument="Bongo net")
    target = tmp_path / "out.csv"
    asked = (f"--cruise={event.log.cruise.cruise_id}", "--format=csv", f"--output={target}")
    call_command("export_events", *asked, "--filter=instrument=Bongo net", stdout=told)
    assert "1 events" in told.getvalue()
    assert "ok: as many events as in the log (1 of 1)" in told.getvalue()


def test_the_command_refuses_in_words(tmp_path):
    event = make.event()
    cruise, target = f"--cruise={event.log.cruise.cruise_id}", f"--output={tmp_path / 'x'}"
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_events", cruise, f"--output={tmp_path / 'no' / 'such' / 'folder'}")
    with pytest.raises(CommandError, match="There is no cruise"):
        call_command("export_events", "--cruise=NOPE", target)
    make.person("stranger")
    with pytest.raises(CommandError, match="takes the role"):
        call_command("export_events", cruise, target, "--by=stranger@example.org")
    with pytest.raises(CommandError, match="not understood"):
        call_command("export_events", cruise, target, "--filter=after=someday")
    assert list(tmp_path.iterdir()) == []


# --- what a check finds ---------------------------------------------------------------------------------------------


def _spoil_text(path: Path, before: str, after: str) -> None:
    data = path.read_bytes()
    assert before.encode() in data
    path.write_bytes(data.replace(before.encode(), after.encode(), 1))


def _spoil_zip(path: Path, member: str, before: str, after: str) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if name.endswith(member))
    assert before.encode() in members[name]
    members[name] = members[name].replace(before.encode(), after.encode(), 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _spoil_sql(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


def _spoil_netcdf(path: Path) -> None:
    with netCDF4.Dataset(path, "a") as data:
        data["lat"][0] = 95.0


SPOILERS = {
    "r2r: a position off the globe": ("r2r-csv", lambda p: _spoil_text(p, '"36.5"', '"96.5"')),
    "r2r: a quote lost": ("r2r-csv", lambda p: _spoil_text(p, '"calm"', '"calm')),
    "r2r: another minute": ("r2r-csv", lambda p: _spoil_text(p, "+00:00", "+01:00")),
    "csv: a row more": ("csv", lambda p: p.write_bytes(p.read_bytes() + p.read_bytes().splitlines(True)[-1])),
    "csv: no number": ("csv", lambda p: _spoil_text(p, "36.5", "north")),
    "csv: out of bounds": ("csv", lambda p: _spoil_text(p, "36.5", "90.5")),
    "csv: cut off": ("csv", lambda p: p.write_bytes(p.read_bytes()[:-2])),
    "csv: not UTF-8": ("csv", lambda p: p.write_bytes(p.read_bytes().replace(b"calm", b"\xff\xff"))),
    "csv: a header lost": ("csv", lambda p: _spoil_text(p, "latitude (degrees_north)", "latitude")),
    "csvw: no primary key": ("csvw", lambda p: _spoil_text(p, '"primaryKey": "uuid"', '"primaryKey": "id"')),
    "csvw-zip: a cell": ("csvw-zip", lambda p: _spoil_zip(p, "events.csv", "36.5", "x")),
    "json: an event less": ("json", lambda p: _spoil_text(p, '"events": [', '"events": [],"spare": [')),
    "geojson: off the globe": ("geojson", lambda p: _spoil_text(p, "[-25.0,36.5]},", "[-250.0,36.5]},")),
    "geojson: cut off": ("geojson", lambda p: p.write_bytes(p.read_bytes()[:-3])),
    "gpkg: an event less": ("gpkg", lambda p: _spoil_sql(p, "DELETE FROM events")),
    "gpkg: a spoilt geometry": ("gpkg", lambda p: _spoil_sql(p, "UPDATE events SET geom = x'47500001'")),
    "gpkg: another kind of file": ("gpkg", lambda p: _spoil_sql(p, "PRAGMA application_id = 1")),
    "netcdf: off the globe": ("netcdf", _spoil_netcdf),
    "dwc: a parent that is not there": ("dwc", lambda p: _spoil_zip(p, "event.txt", "\turn:uuid:", "\turn:uuid:x")),
    "dwc: a date": ("dwc", lambda p: _spoil_zip(p, "event.txt", "Z\t", "\t")),
    "dwc: a term less": ("dwc", lambda p: _spoil_zip(p, "event.txt", "eventID\t", "")),
    "stations: a time": ("stations", lambda p: _spoil_text(p, "Z,", "+01:00,")),
    "html: an event less": ("html", lambda p: _spoil_text(p, "data-event", "data-nothing")),
    "html: a picture from outside": ("html", lambda p: _spoil_text(p, "</main>", "<img src=//x></main>")),
    "pdf: cut off": ("pdf", lambda p: p.write_bytes(p.read_bytes()[:-100])),
}


@pytest.mark.parametrize("spoilt", SPOILERS)
def test_what_is_spoilt_is_found_and_not_handed_out(monkeypatch, spoilt):
    name, spoil = SPOILERS[spoilt]
    log = make.event().log
    real = making._written

    def then_spoilt(path, form, source, *rest):
        if form.check is None:
            written = document.read
            monkeypatch.setattr(document, "read", lambda data: (spoil(path), written(path.read_bytes()))[1])
            return real(path, form, source, *rest)
        form.write(path, source)
        spoil(path)
        return form.check(path, source)

    making.make(log, name).file.close()
    monkeypatch.setattr(making, "_written", then_spoilt)
    with pytest.raises(NotLikeThis, match="did not pass its own check") as refusal:
        making.make(log, name)
    assert refusal.value.faults


def test_a_full_disk_is_a_refusal_and_leaves_nothing(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(making, "_written", full)
    with pytest.raises(NotNow, match="No space left"):
        making.make(make.event().log, "csv")
    assert list(tmp_path.iterdir()) == []


def test_reading_takes_few_queries(django_assert_max_num_queries):
    event = make.event()
    for _ in range(14):
        make.event(event.log)
    log = Log.objects.select_related("cruise__vessel").get(pk=event.log.pk)
    with django_assert_max_num_queries(10):
        assert len(list(gather.source(log).rows())) == 15
