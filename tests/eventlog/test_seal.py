"""Closing and sealing: what is unfinished is named first, the seal stays, and corrections can be sealed again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from eventlog import history, logbook, proof, seal, verify
from eventlog.models import Event, Log
from portal import jobs
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def test_closing_names_what_is_unfinished_and_wants_a_note():
    event = make.event()
    with pytest.raises(NotLikeThis) as caught:
        logbook.close_log(cruise=event.log.cruise, by=make.person("operator"), note=" ")
    assert caught.value.faults[0].where == "note"
    assert "CTD" in caught.value.faults[0].what
    assert Log.objects.get(pk=event.log.pk).state == "open"
    log = logbook.close_log(cruise=event.log.cruise, by=make.person("operator"), note="wire parted, rosette lost")
    row = log.seals.get()
    last = log.revisions.order_by("-sequence").first()
    assert (last.thing, last.verb, last.reason, last.after_close) == (
        "log",
        "close",
        "wire parted, rosette lost",
        False,
    )
    assert (row.sequence, row.head) == (last.sequence, last.digest)
    assert row.counts["events"] == 1
    assert row.checksums == {copy.name: copy.sha256 for copy in log.final_copies.all()}


def test_a_seal_is_never_altered():
    log = make.log("closed")
    with pytest.raises(DatabaseError), transaction.atomic():
        log.seals.update(head="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        log.seals.all().delete()


def test_late_corrections_are_sealed_again_and_the_first_seal_stays():
    event = make.event()
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    before = {c.name: b"".join(logbook.bytes_of(c)) for c in log.final_copies.all()}
    chief = make.person("chief")
    with pytest.raises(NotNow, match="Nothing was changed"):
        seal.seal_again(log=log, by=chief, reason="why")
    logbook.revise(event=event, by=chief, fields={"station": "777"}, reason="late")
    for name in ("watch", "expert", "stranger"):
        with pytest.raises(NotYou):
            seal.seal_again(log=log, by=make.person(name), reason="why")
    with pytest.raises(NotLikeThis):
        seal.seal_again(log=log, by=chief, reason=" ")
    first = log.seals.get()
    second = seal.seal_again(log=log, by=chief, reason="the paper log")
    assert log.seals.get(pk=first.pk).head == first.head
    assert second.sequence > first.sequence
    after = {c.name: b"".join(logbook.bytes_of(c)) for c in log.final_copies.all()}
    assert {name: after[name] for name in before} == before
    new = set(after) - set(before)
    assert new == {name.replace("EVENTLOG", "EVENTLOG_2") for name in before}
    assert all(b"777" in after[name] for name in new)
    assert history.revisions_of(event)[-1].after_close
    with pytest.raises(NotNow):
        seal.seal_again(log=make.log(), by=CONSOLE, reason="why")


def test_a_large_final_copy_lies_beside_the_database_and_is_the_same(monkeypatch):
    monkeypatch.setattr("eventlog.logbook.copies.IN_DATABASE", 100)
    event = make.event()
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    copy = log.final_copies.get(format="json")
    assert bytes(copy.data) == b""
    data = b"".join(logbook.bytes_of(copy))
    assert len(data) == copy.size > 100
    assert event.number.encode() in data
    assert verify.check(log).ok


# --- the page and the API -------------------------------------------------------------------------------------------


def page(log: Log, tail: str = "") -> str:
    return f"/cruise/{log.cruise.cruise_id}/log/seal/{tail}"


def test_the_page_closes_shows_the_seal_verifies_and_seals_again(browse):
    event = make.event()
    log, client = event.log, browse("operator")
    shown = client.get(page(log)).content.decode()
    assert "Why it is closed although something is unfinished" in shown
    client.post(f"/cruise/{log.cruise.cruise_id}/log/close/", {"note": "lost it"})
    row = log.seals.get()
    shown = client.get(page(log)).content.decode()
    for text in (row.head, *row.checksums, *row.checksums.values()):
        assert text in shown
    assert "Seal again" not in shown
    assert "Everything is as it was written" in client.post(page(log, "verify/")).content.decode()
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "777"}, reason="late")
    assert "Seal again" in client.get(page(log)).content.decode()
    client.post(page(log, "again/"), {"reason": "the paper log"})
    assert log.seals.count() == 2
    Event.objects.filter(pk=event.pk).update(station="778")
    shown = client.post(page(log, "verify/")).content.decode()
    assert "This is not what was written" in shown
    assert event.number in shown


@pytest.mark.parametrize("name", ["operator", "chief", "watch", "manager"])
def test_who_sees_the_seal(browse, name):
    log = make.log("closed")
    assert browse(name).get(page(log)).status_code == 200
    assert browse("rival").get(page(log)).status_code in (403, 404)
    assert browse("rival").post(page(log, "again/"), {"reason": "x"}).status_code in (403, 404)


def test_the_api_verifies_small_logs_at_once_and_large_ones_by_a_worker(browse, monkeypatch):
    event = make.event()
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    address, client = f"/api/v1/cruises/{log.cruise.cruise_id}/log/verify", browse("watch")
    told = client.get(address).json()
    assert (told["ok"], told["findings"], told["seals"][0]["head"]) == (True, [], log.seals.get().head)
    Event.objects.filter(pk=event.pk).update(station="778")
    (finding,) = client.get(address).json()["findings"]
    assert (finding["what"], finding["field"]) == ("altered row", "station")
    monkeypatch.setattr(proof, "AT_ONCE", 0)
    assert client.get(address).json()["ok"] is None
    assert proof.waiting() == []
    assert client.post(address).status_code == 202
    assert proof.waiting() == [str(log.pk)]
    assert jobs.perform(proof.DOOR, str(log.pk))
    assert proof.waiting() == []
    by_worker = client.get(address).json()["by_worker"]
    assert by_worker["state"] == "done"
    assert f"event {event.number}" in by_worker["message"]
    assert client.post(page(log, "verify/"), follow=True).status_code == 200
    assert proof.waiting() == [str(log.pk)]
    for name in ("stranger", "rival"):
        assert browse(name).get(address).status_code in (403, 404)
        assert browse(name).post(address).status_code in (403, 404)
