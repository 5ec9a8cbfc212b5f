"""Importing by page: upload, look, confirm without uploading twice; mapping; the report; taking back."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from eventlog import intake, logbook
from eventlog.intake import held
from eventlog.models import Log
from portal.access import CONSOLE
from portal.refusals import NotFound, NotLikeThis, NotNow
from tests import make

pytestmark = pytest.mark.django_db
TABLE = b"gear,what,when,lat\nCTD,deploy,03/04/2026 10:00,1\nCTD,recover,03/04/2026 11:00,\n"


@pytest.fixture(autouse=True)
def own_home(home: Path) -> Path:
    return home


@pytest.fixture
def ours() -> bytes:
    return logbook.export(make.event().log, "r2r-csv").encode()


def start(log: Log, rest: str = "import/") -> str:
    return f"/cruise/{log.cruise.cruise_id}/log/{rest}"


def upload(client: Client, log: Log, data: bytes, name: str = "log.csv", **more: Any) -> Any:
    return client.post(start(log), {"file": SimpleUploadedFile(name, data), **more})


def held_files(home: Path) -> int:
    return len(list(home.glob("imports-held/*/*")))


def test_a_file_is_looked_at_and_then_imported_without_a_second_upload(browse, ours, home):
    log, client = make.log(), browse("chief")
    sent = upload(client, log, ours)
    assert sent.status_code == 302
    page = client.get(sent["Location"])
    assert page.status_code == 200
    assert "1 new" in page.content.decode()
    assert (log.events.count(), held_files(home)) == (0, 1)
    done = client.post(sent["Location"], {"differing": "keep"})
    assert done["Location"] == start(log, "imports/1/")
    assert (log.events.count(), held_files(home)) == (1, 0)
    report = client.get(done["Location"]).content.decode()
    assert "log.csv" in report
    assert client.get(sent["Location"]).status_code == 404
    assert "log.csv" in client.get(start(log)).content.decode()


def test_rows_are_filtered_and_the_report_is_taken_away(browse, ours):
    log, client = make.log(), browse("chief")
    intake.import_events(log=log, name="a.csv", data=ours, by=CONSOLE)
    page = upload(client, log, ours.replace(b"calm", b"<b>rough"))["Location"]
    text = client.get(page).content.decode()
    assert "in the log calm, in the file &lt;b&gt;rough" in text
    assert "in the log calm" not in client.get(f"{page}?result=new").content.decode()
    assert client.get(f"{page}?as=csv").content.startswith(b"line,number")
    assert client.get(f"{page}?as=json").json()["counts"] == {"differs": 1}
    assert client.get(f"{page}?as=xml").status_code == 404
    client.post(page, {"differing": "revise", "reason": "the paper log is right"})
    assert log.events.get().comment == "<b>rough"
    assert client.get(start(log, "imports/2/?as=json")).json()["counts"] == {"revised": 1}


def test_a_plain_table_is_mapped_and_previewed(browse):
    log, client = make.log(), browse("chief")
    page = upload(client, log, TABLE)["Location"]
    asked = client.get(page)
    assert asked.status_code == 200
    assert "What do the columns hold?" in asked.content.decode()
    said = {"instrument": "gear", "action": "what", "observed_at": "when", "time_zone": "UTC", "position_style": "auto"}
    assert client.get(page, said | {"date_format": ""}).status_code == 422
    assert client.get(page, said | {"date_format": "dmy", "time_zone": "Mars"}).status_code == 422
    assert client.get(page, said | {"date_format": "dmy", "instrument": ""}).status_code == 422
    shown = client.get(page, said | {"date_format": "dmy"})
    text = shown.content.decode()
    assert shown.status_code == 200
    assert "2026-04-03 10:00:00 UTC" in text
    mapping = shown.context["confirm"].initial["mapping"]
    done = client.post(page, {"mapping": mapping, "differing": "keep"})
    assert done.status_code == 302
    assert [event.observed_at.day for event in log.events.all()] == [3, 3]
    assert log.imports.get().options["mapping"]["date_format"] == "dmy"


@pytest.mark.parametrize("data", [b"nothing", b"{", b"PK\x03\x04zip"])
def test_what_is_no_log_is_refused_and_not_held(browse, data, home):
    log, client = make.log(), browse("chief")
    assert upload(client, log, data).status_code == 422
    assert client.post(start(log)).status_code == 422
    assert held_files(home) == 0


def test_an_upload_can_be_forgotten(browse, ours, home):
    log, client = make.log(), browse("chief")
    page = upload(client, log, ours)["Location"]
    assert client.post(page, {"forget": "yes"})["Location"] == start(log)
    assert (held_files(home), log.events.count()) == (0, 0)


def test_another_person_does_not_see_the_upload(browse, ours):
    log = make.log()
    page = upload(browse("chief"), log, ours)["Location"]
    assert browse("operator").get(page).status_code == 404
    assert browse("watch").get(page).status_code == 403
    assert browse(None).get(page).status_code == 302


def test_a_closed_log_asks_for_a_reason(browse, ours):
    log, client = make.log("closed"), browse("chief")
    page = upload(client, log, ours)["Location"]
    assert client.get(page).status_code == 200
    assert client.post(page, {"differing": "keep"})["Location"] == page
    assert not log.events.exists()
    client.post(page, {"differing": "keep", "reason": "found in the paper log"})
    assert log.revisions.get(verb="import").after_close


def test_an_import_is_taken_back_and_gives_buttons(browse, ours):
    log, client = make.log(), browse("chief")
    intake.import_events(log=log, name="a.csv", data=ours.replace(b"CTD", b"Bongo"), by=CONSOLE)
    client.post(start(log, "imports/1/templates/"))
    assert log.templates.filter(instrument="Bongo", action="deploy").exists()
    client.post(start(log, "imports/1/undo/"))
    assert log.events.standing().exists()
    client.post(start(log, "imports/1/undo/"), {"reason": "wrong cruise"})
    assert not log.events.standing().exists()
    assert "wrong cruise" in client.get(start(log, "imports/1/")).content.decode()
    assert client.get(start(log, "imports/9/")).status_code == 404
    assert browse("watch").post(start(log, "imports/1/undo/"), {"reason": "x"}).status_code == 403


def test_what_is_held_is_bounded_and_cleaned_away(home, monkeypatch):
    log, chief = make.log(), make.person("chief")
    kept = [held.hold(log=log, by=chief, name=f"{n}.csv", parts=[b"x" * n]) for n in range(held.MOST_OF_ONE + 2)]
    assert held_files(home) == held.MOST_OF_ONE
    with pytest.raises(NotFound, match="not held any more"):
        held.held(kept[0].key, log=log, by=chief)
    assert held.held(kept[-1].key, log=log, by=chief).data == b"x" * (held.MOST_OF_ONE + 1)
    old = (timezone.now() - dt.timedelta(hours=25)).timestamp()
    os.utime(kept[-1].folder, (old, old))
    assert held.sweep() == 1
    monkeypatch.setattr(held, "MOST_BYTES", 10)
    with pytest.raises(NotLikeThis, match="more than 10 bytes"):
        held.hold(log=log, by=chief, name="a", parts=[b"12345", b"678901"])
    monkeypatch.setattr(held, "MOST_TOGETHER", 12)
    with pytest.raises(NotNow, match="wait to be looked at"):
        held.hold(log=log, by=chief, name="a", parts=[b"1"])
