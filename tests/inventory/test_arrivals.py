"""Receiving in the background: what is asked for, sent by browser, refused with its lines, and told twice."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import RequestAborted
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from inventory import arrivals, intake
from inventory.models import Arrival
from inventory.models.arrival import CHOSEN
from inventory.views import arrivals as pages
from portal import jobs, strangers, tokens
from portal.access import CONSOLE
from portal.models import Cruise, JournalEntry, Letter, Person, Work
from portal.refusals import NotFound, NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
FEW = {"a/one.dat": b"one\n", "a/two.dat": b"two\n", "three.dat": b"three\n"}
DOOR = ["inventory.receive"]


def asked(home: Path, cruise: Cruise | None = None, by: Any = CONSOLE, **files: bytes) -> Arrival:
    root = make.delivery(home / "deliveries" / "disk1", FEW | files)
    return arrivals.ask(cruise=cruise or make.cruise(state="ended"), what=root, source=CHOSEN, by=by)


def again(arrival: Arrival) -> Arrival:
    return Arrival.objects.select_related("cruise__vessel", "distribution").get(pk=arrival.pk)


def packed(folder: Path, files: dict[str, bytes] = FEW) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tape:
        tape.add(make.delivery(folder, files), arcname="TS2601")
    return out.getvalue()


# --- the verbs ------------------------------------------------------------------------------------------------------


def test_what_is_asked_for_is_received_by_the_worker_as_the_person_who_asked(home):
    operator = make.person("operator")
    arrival = asked(home, by=operator)
    assert (arrival.state, arrival.shape, arrivals.waiting()) == ("complete", "directory", [str(arrival.pk)])
    assert jobs.perform("inventory.receive", str(arrival.pk))
    done = again(arrival)
    assert (done.state, done.distribution.number, done.distribution.received_by) == ("received", 1, str(operator))
    assert done.distribution.files.count() == 3
    assert arrivals.waiting() == []
    assert Work.objects.get(door="inventory.receive").message == f"{done.distribution}: received"
    told = list(JournalEntry.objects.filter(verb__startswith="arrival.").order_by("pk").values_list("verb", flat=True))
    assert told == ["arrival.ask", "arrival.accept"]


def test_the_door_run_twice_receives_once(home):
    arrival = asked(home)
    for _ in range(2):
        assert jobs.perform("inventory.receive", str(arrival.pk))
    assert again(arrival).cruise.distributions.count() == 1


def test_killed_between_receiving_and_saying_so_it_is_the_same_shipment(home, monkeypatch):
    arrival = asked(home)
    monkeypatch.setattr(arrivals.receiving, "_accept", lambda *_: 1 / 0)
    assert not jobs.perform("inventory.receive", str(arrival.pk))
    assert (again(arrival).state, again(arrival).cruise.distributions.count()) == ("complete", 1)
    monkeypatch.undo()
    monkeypatch.setattr("django.conf.settings.HOME", home)
    assert jobs.perform("inventory.receive", str(arrival.pk))
    assert (again(arrival).state, again(arrival).cruise.distributions.count()) == ("received", 1)


def test_a_refusal_is_kept_with_its_lines_and_told_by_letter(home):
    operator = make.person("operator")
    arrival = asked(home, by=operator)
    manifest = home / "deliveries/disk1/delivery.md5"
    manifest.write_text(manifest.read_text() + "     4  " + "0" * 32 + "  ../../etc/passwd\n")
    assert jobs.drain(DOOR) == 1
    refused = again(arrival)
    assert refused.state == "refused"
    assert "line 4" in refused.faults[0]
    assert not refused.cruise.distributions.exists()
    letter = Letter.objects.get(to=operator.email, subject__contains="was not received")
    assert "line 4" in letter.body
    assert str(arrival.uuid) in letter.body
    assert jobs.drain(DOOR) == 0
    make.delivery(home / "deliveries" / "disk1", FEW)
    arrivals.receive_now(arrival=refused, by=operator)
    assert jobs.drain(DOOR) == 1
    assert (again(arrival).state, again(arrival).faults, again(arrival).reason) == ("received", [], "")


def test_a_second_request_for_the_cruise_is_told(home):
    arrival = asked(home)
    with pytest.raises(NotNow, match="disk1, is being received"):
        asked(home, cruise=arrival.cruise)
    with pytest.raises(IntegrityError), transaction.atomic():
        Arrival.objects.create(
            cruise=arrival.cruise,
            state="complete",
            path_key=arrival.path_key,
            since=arrival.since,
            seen_at=arrival.since,
        )
    jobs.drain(DOOR)
    asked(home, cruise=arrival.cruise)
    jobs.drain(DOOR)
    assert arrival.cruise is not None
    assert arrival.cruise.distributions.count() == 1


def test_who_may(home):
    cruise = make.cruise(state="ended")
    for name in ("chief", "stranger", "rival"):
        with pytest.raises(NotYou):
            asked(home, cruise=cruise, by=make.person(name))
    arrival = asked(home, cruise=cruise)
    for verb in (arrivals.receive_now, arrivals.leave_out, arrivals.look_again):
        with pytest.raises(NotFound):
            verb(arrival=arrival, by=make.person("rival"))
    with pytest.raises(NotNow):
        arrivals.leave_out(arrival=arrival, by=make.person("operator"))
    with pytest.raises(NotNow):
        arrivals.receive_now(arrival=arrival, by=make.person("operator"))
    with pytest.raises(NotNow, match="is not watched"):
        arrivals.look_again(arrival=arrival, by=make.person("operator"))
    cancelled = make.cruise(state="cancelled")
    with pytest.raises(NotNow, match="is cancelled"):
        asked(home, cruise=cancelled)


def test_who_lost_the_right_before_the_worker_came_is_refused(home):
    arrival = asked(home, by=make.person("operator"))
    Person.objects.filter(pk=make.person("operator").pk).update(is_active=False)
    jobs.drain(DOOR)
    assert again(arrival).state == "refused"
    assert "takes the role" in again(arrival).reason


def test_what_was_refused_can_be_left_out(home):
    arrival = asked(home)
    (home / "deliveries/disk1/delivery.md5").unlink()
    jobs.drain(DOOR)
    assert "There is no manifest" in again(arrival).reason
    arrivals.leave_out(arrival=arrival, by=make.person("operator"), note="the wrong disk")
    assert (again(arrival).state, again(arrival).reason) == ("left out", "the wrong disk")
    assert JournalEntry.objects.filter(verb="arrival.leave_out", note="the wrong disk").exists()


def test_progress_is_told_in_lines_and_files(home, monkeypatch):
    told: list[tuple[str, int]] = []
    root = make.delivery(home / "d", FEW)
    intake.take(
        cruise=make.cruise(state="ended"), what=root, by=CONSOLE, told=lambda what, more: told.append((what, more))
    )
    assert ("lines of manifest", 3) in told
    assert ("files", 3) in told


def test_what_is_aside_is_no_part_of_it_listed_or_not(home):
    root = make.delivery(home / "d", FEW | {"COMPLETE": b""})
    (root / ".done").write_bytes(b"")
    aside = frozenset({"COMPLETE", ".done"})
    receipt = intake.receive(cruise=make.cruise(state="ended"), root=root, by=CONSOLE, aside=aside)
    assert set(receipt.distribution.files.values_list("path", flat=True)) == set(FEW)


# --- the pages ------------------------------------------------------------------------------------------------------


def send(client: Client, cruise: Cruise, content: bytes, name: str = "d.tar.gz", checksum: str = "") -> Any:
    archive = SimpleUploadedFile(name, content)
    return client.post(
        f"/cruise/{cruise.cruise_id}/receive/upload/", {"checksum": checksum, "archive": archive}, follow=True
    )


def test_an_archive_comes_by_browser_and_is_unpacked_and_received_by_the_worker(home, browse):
    cruise, content = make.cruise(state="ended"), packed(home / "d")
    page = send(browse("operator"), cruise, content, "C:\\disk\\d.tar.gz", hashlib.md5(content).hexdigest().upper())
    assert page.status_code == 200
    assert "waits for the worker" in page.content.decode()
    arrival = Arrival.objects.get()
    assert (arrival.shape, arrival.place.name) == ("archive", "d.tar.gz")
    assert arrival.place.read_bytes() == content
    assert home / "uploads" in arrival.place.parents
    assert jobs.drain(DOOR) == 1
    assert again(arrival).state == "received"
    assert set(cruise.distributions.get().files.values_list("path", flat=True)) == set(FEW)
    assert "Inventory of" in browse("operator").get(f"/arrivals/{arrival.uuid}/").content.decode()


def test_an_archive_with_another_checksum_is_refused_and_kept(home, browse):
    cruise = make.cruise(state="ended")
    send(browse("operator"), cruise, packed(home / "d"), checksum="0" * 64)
    jobs.drain(DOOR)
    arrival = Arrival.objects.get()
    assert (arrival.state, arrival.place.exists()) == ("refused", True)
    page = browse("operator").get(f"/arrivals/{arrival.uuid}/").content.decode()
    assert "is not the one that was sent" in page
    assert "0000000000" in page
    assert "Receive now" in page


def test_what_cannot_be_taken_by_browser_is_told_and_leaves_nothing(home, browse, settings):
    cruise, client = make.cruise(state="ended"), browse("operator")
    settings.UPLOAD_BYTES = 2_000_000
    for content, name, checksum, said in (
        (b"x" * 2_100_000, "d.tar", "", "larger than 2,000,000 bytes"),
        (b"x" * 4_000_000, "d.tar", "", "larger than 2,000,000 bytes"),
        (b"x", "d.exe", "", "no archive by its name"),
        (b"x", "d.tar", "abc", "The checksum cannot be used"),
        (b"", "d.tar", "", "is empty"),
    ):
        answer = send(client, cruise, content, name, checksum)
        assert (answer.status_code, said in answer.content.decode()) == (422, True), said
        assert not [p for p in (home / "uploads").rglob("*") if p.is_file()]
    assert not Arrival.objects.exists()


def test_nothing_is_read_of_an_upload_without_right_or_token(home):
    cruise = make.cruise(state="ended")
    address = f"/cruise/{cruise.cruise_id}/receive/upload/"
    for name, status in (("rival", 404), ("chief", 403), ("operator", 403)):
        client = Client(enforce_csrf_checks=True)
        client.force_login(make.person(name), backend="django.contrib.auth.backends.ModelBackend")
        answer = client.post(address, {"archive": SimpleUploadedFile("d.tar", b"x")})
        assert answer.status_code == status
    assert Client().post(address, {"archive": SimpleUploadedFile("d.tar", b"x")}).status_code == 302
    assert not Arrival.objects.exists()
    assert not (home / "uploads").exists() or not list((home / "uploads").iterdir())


@pytest.mark.filterwarnings("ignore:No directory at")  # the static files need not be collected
def test_a_body_is_spooled_in_our_home_and_one_too_large_ends_the_connection(home, monkeypatch):
    monkeypatch.setattr("django.conf.settings.DATABASE_POOL", {})  # the import would give this process a pool
    from portal import asgi

    monkeypatch.setattr(asgi, "SPOOL", home / "spool")
    monkeypatch.setattr(asgi, "LARGEST_BODY", 5_000_000)

    def read(parts: int) -> bytes:
        messages = iter(
            [{"type": "http.request", "body": b"x" * 1_000_000, "more_body": n > 1} for n in range(parts, 0, -1)]
        )

        async def receive() -> dict[str, Any]:
            return next(messages)

        with async_to_sync(asgi.Handler().read_body)(receive) as body:
            return body.read()

    assert len(read(4)) == 4_000_000
    assert (home / "spool").is_dir()
    with pytest.raises(RequestAborted):
        read(6)
    monkeypatch.setattr(asgi, "STRANGERS_BODY", 2_000_000)
    assert len(read(2)) == 2_000_000
    with pytest.raises(asgi.TooLarge):
        read(3)
    monkeypatch.setattr(strangers, "known", lambda headers: True)
    assert len(read(4)) == 4_000_000


@pytest.mark.filterwarnings("ignore:No directory at")
def test_a_stranger_with_a_large_body_is_told_to_sign_in(home, monkeypatch):
    monkeypatch.setattr("django.conf.settings.DATABASE_POOL", {})
    from portal import asgi

    monkeypatch.setattr(asgi, "SPOOL", home / "spool")
    monkeypatch.setattr(asgi, "STRANGERS_BODY", 1000)
    monkeypatch.setattr(strangers, "known", lambda headers: False)
    scope = {"type": "http", "method": "POST", "path": "/cruise/X/receive/upload/", "query_string": b"", "headers": []}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 900, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async_to_sync(asgi.Handler().handle)(scope, receive, send)
    assert sent[0]["status"] == 413
    assert b"Sign in first" in sent[1]["body"]


def test_somebody_signed_in_and_a_token_are_known_before_the_body_is_read(client, monkeypatch):
    monkeypatch.setattr(strangers, "close_old_connections", lambda: None)  # the test's own would be closed
    person = make.person("operator")
    assert not strangers.known({})
    client.force_login(person)
    cookie = client.cookies["sessionid"].value.encode()
    assert strangers.known({b"cookie": b"theme=dark; sessionid=" + cookie})
    for forged in (b"sessionid=" + b"a" * 32, b"sessionid=", b"\xff;=;", b'sessionid="a'):
        assert not strangers.known({b"cookie": forged})
    token, secret = tokens.issue(person=person, name="t", scopes=["read"], by=person)
    assert strangers.known({b"authorization": b"Bearer " + secret.encode()})
    tokens.revoke(token=token, by=person)
    assert not strangers.known({b"authorization": b"Bearer " + secret.encode()})


def test_a_long_manifest_is_announced_by_the_worker(home, browse, monkeypatch):
    monkeypatch.setattr(pages, "AT_ONCE", 10)
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    address = f"/cruise/{cruise.cruise_id}/announce/"
    bad = browse("operator").post(address, {"manifest": SimpleUploadedFile("bad.md5", b"this is no manifest\n")})
    assert (bad.status_code, "bad.md5" in bad.content.decode()) == (422, True)
    sent = SimpleUploadedFile("list.md5", (root / "delivery.md5").read_bytes())
    assert browse("operator").post(address, {"manifest": sent}).status_code == 302
    assert jobs.drain(DOOR) == 1
    assert cruise.distributions.get().state == "announced"


def test_the_pages_of_an_arrival(home, browse):
    arrival = asked(home)
    (home / "deliveries/disk1/delivery.md5").unlink()
    jobs.drain(DOOR)
    address = f"/arrivals/{arrival.uuid}/"
    for name, status in (("operator", 200), ("manager", 200), ("rival", 404), ("chief", 403), (None, 302)):
        assert browse(name).get(address).status_code == status
        assert browse(name).post(f"{address}dance/").status_code == (404 if status == 200 else status)
    assert "disk1" in browse("operator").get("/arrivals/").content.decode()
    assert "disk1" not in browse("rival").get("/arrivals/").content.decode()
    assert "disk1" in browse("manager").get("/arrivals/?state=refused").content.decode()
    assert "disk1" not in browse("manager").get("/arrivals/?state=received").content.decode()
    assert arrival.cruise is not None
    cruise_page = f"/cruise/{arrival.cruise.cruise_id}/"
    assert "There is no manifest" in browse("operator").get(cruise_page).content.decode()
    assert "Delivery disk1: refused" in browse("operator").get("/").content.decode()
    assert browse("operator").post(f"{address}leave_out/", {"note": "wrong disk"}).status_code == 302
    assert again(arrival).state == "left out"
    assert "Delivery disk1" not in browse("operator").get("/").content.decode()


def test_a_manifest_that_is_none_is_told_before_anything_is_asked(home, browse):
    cruise, root = make.cruise(state="ended"), home / "deliveries" / "disk1"
    root.mkdir(parents=True)
    answer = browse("operator").post(f"/cruise/{cruise.cruise_id}/receive/", {"directory": str(root)})
    assert (answer.status_code, "There is no manifest" in answer.content.decode()) == (422, True)
    assert not Arrival.objects.exists()
    with pytest.raises(NotLikeThis):
        intake.look_at_manifest(root)
