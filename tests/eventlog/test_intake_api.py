"""Imports by program and by command: tried, taken in, reported, taken back."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from eventlog import logbook
from eventlog.models import Log
from tests import make
from tests.eventlog.test_api import speaker

pytestmark = pytest.mark.django_db
CSV = (
    "gear,what,time\nCTD,deploy,2026-03-04T10:00Z\nCTD,recover,soon\n",
    {"instrument": "gear", "action": "what", "observed_at": "time"},
)


def address(log: Log, rest: str = "") -> str:
    return f"/api/v1/cruises/{log.cruise.cruise_id}/imports{rest}"


@pytest.fixture
def ours() -> bytes:
    return logbook.export(make.event().log, "r2r-csv").encode()


def test_a_file_is_tried_then_taken_in_then_taken_back(ours):
    log, client = make.log(), speaker("chief", ["events:write", "read"])
    tried = client.post(address(log, "?dry_run=1"), ours, content_type="text/csv")
    assert (tried.status_code, tried.json()["counts"], tried.json()["import"]) == (200, {"new": 1}, None)
    assert not log.events.exists()
    taken = client.post(address(log), {"file": SimpleUploadedFile("log.csv", ours)})
    assert (taken.status_code, taken.json()["counts"], taken.json()["import"]) == (201, {"new": 1}, 1)
    (listed,) = client.get(address(log)).json()
    assert (listed["number"], listed["name"], listed["finished"], listed["format"]) == (1, "log.csv", True, "r2r")
    assert client.get(address(log, "/1")).json() == taken.json()
    assert client.get(address(log, "/1?as=csv")).content.startswith(b"line,number,result")
    assert client.delete(address(log, "/1")).status_code == 422
    assert client.delete(address(log, "/1?reason=wrong")).json() == {"struck": 1, "given back": 0, "left": 0}
    assert not log.events.standing().exists()
    assert client.delete(address(log, "/1?reason=wrong")).status_code == 409
    assert client.get(address(log, "/9")).status_code == 404


def test_a_plain_table_asks_for_a_mapping_and_takes_it():
    text, mapping = CSV
    log, client = make.log(), speaker("chief")
    asked = client.post(address(log, "?dry_run=1"), text, content_type="text/csv")
    assert asked.status_code == 422
    assert asked.json()["errors"][0]["field"] == "mapping"
    taken = client.post(
        address(log), {"file": SimpleUploadedFile("x.csv", text.encode()), "mapping": json.dumps(mapping)}
    )
    assert taken.json()["counts"] == {"new": 1, "refused": 1}
    assert [(row["line"], row["column"]) for row in taken.json()["rows"] if row["result"] == "refused"] == [(3, "time")]


def test_sealog_with_its_auxiliary_data(real_data):
    folder = real_data / "sealog"
    log, client = make.log(), speaker("chief")
    files = {
        "file": SimpleUploadedFile("e.json", (folder / "FKt230303_eventOnlyExport.json").read_bytes()),
        "aux": SimpleUploadedFile("a.json", (folder / "FKt230303_auxDataExport.json").read_bytes()),
    }
    assert client.post(address(log, "?dry_run=1"), files).json()["counts"] == {"new": 525}


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        (b"", "", 422),
        (b"nothing", "", 422),
        (b"{", "?format=leadline", 422),
        (b"x", "?format=xlsx", 422),
        (b"x", "?differing=all", 422),
    ],
)
def test_what_is_wrong_is_told(body, query, status):
    answer = speaker("chief").post(address(make.log(), query), body, content_type="application/octet-stream")
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_too_large_a_file_is_refused_before_it_is_read():
    answer = speaker("chief").post(address(make.log()), b"x", content_type="text/csv", CONTENT_LENGTH="200000000")
    assert answer.status_code == 413


@pytest.mark.parametrize(("name", "scopes", "status"), [("watch", ["events:write"], 403), ("chief", ["read"], 403)])
def test_who_may_import(ours, name, scopes, status):
    log = make.log()
    assert speaker(name, scopes).post(address(log), ours, content_type="text/csv").status_code == status
    assert not log.events.exists()


# --- by command -----------------------------------------------------------------------------------------------------


def told(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("import_events", *words, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_takes_a_mapping_and_ends_with_2_when_rows_were_refused(tmp_path):
    text, mapping = CSV
    cruise = make.cruise(state="at sea")
    (tmp_path / "x.csv").write_text(text)
    (tmp_path / "m.json").write_text(json.dumps(mapping))
    words = (str(tmp_path / "x.csv"), f"--cruise={cruise.cruise_id}")
    with pytest.raises(CommandError, match="say what its columns hold"):
        call_command("import_events", *words)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("import_events", *words, f"--mapping={tmp_path / 'm.json'}", stdout=out)
    assert ended.value.code == 2
    assert "line 3 : refused (time)" in out.getvalue()
    (tmp_path / "x.csv").write_text(text.replace("soon", "2026-03-04T11:00Z"))
    answer = told(*words, f"--mapping={tmp_path / 'm.json'}")
    assert answer["counts"] == {"same": 1, "new": 1}


def test_the_command_forces_a_format_and_revises(tmp_path, ours):
    cruise = make.cruise(state="at sea")
    file = tmp_path / "log.csv"
    file.write_bytes(ours)
    words = (str(file), f"--cruise={cruise.cruise_id}")
    assert told(*words, "--format=r2r-csv")["counts"] == {"new": 1}
    file.write_bytes(ours.replace(b"calm", b"rough"))
    assert told(*words)["rows"][0]["differs"] == [{"field": "comment", "log": "calm", "file": "rough"}]
    assert told(*words, "--differing=revise")["counts"] == {"revised": 1}
    with pytest.raises(CommandError, match="no line begins"):
        call_command("import_events", *words, "--format=elog")
