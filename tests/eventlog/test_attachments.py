"""Attachments: stored once, by what they are and not by what they are called, shown to the cruise's own alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from eventlog import attachments, filestore, history, logbook, mediatypes
from eventlog.models import Attachment, Event
from portal.access import CONSOLE
from portal.models import Cruise
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db

JPEG = b"\xff\xd8\xff\xe1\x00\x18Exif\0\0MM\0*GPS" + bytes(range(256)) * 40
HEADS = {
    "image/jpeg": JPEG,
    "image/png": b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
    "image/webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0",
    "audio/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
    "audio/ogg": b"OggS\0\x02" + b"\0" * 20,
    "audio/mp4": b"\0\0\0\x1cftypM4A \0\0\0\0",
    "video/mp4": b"\0\0\0\x1cftypisom\0\0\0\0",
    "audio/wav": b"RIFF\x10\0\0\0WAVEfmt ",
    "audio/mpeg": b"ID3\x04\0\0",
    "application/pdf": b"%PDF-1.7\n",
    "text/plain": "bottle 7 leaked – été\n".encode(),
}


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


def add(log: Any, data: bytes = JPEG, **values: Any) -> tuple[Attachment, bool]:
    given: dict[str, Any] = {"by": make.person("watch"), "uuid": uuid.uuid4(), "name": "IMG_1.jpg"}
    return attachments.add(log=log, parts=[data[:100], data[100:]], **(given | values))


# --- what kind of file ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HEADS)
def test_a_kind_is_told_by_its_first_bytes(kind):
    assert mediatypes.sniff(HEADS[kind]) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"MZ\x90\0",
        b"\x7fELF\x02",
        b"PK\x03\x04",
        b"GIF89a\0\0",
        b"\x1a\x45\xdf\xa3matroska",
        b"\0\0\0\x18ftypcrx ",
        b"caf\xe9 latin",
        b"text\0text",
    ],
)
def test_other_kinds_are_not_taken(head):
    assert mediatypes.sniff(head) == ""


@given(st.binary(max_size=mediatypes.HEAD))
def test_any_bytes_are_a_known_kind_or_none(head):
    kind = mediatypes.sniff(head, "audio/x")
    assert kind == "" or kind.split("/")[0] in ("image", "audio", "application", "text")


def test_a_character_cut_at_the_end_of_the_head_is_text():
    text = ("é" * mediatypes.HEAD).encode()
    assert mediatypes.sniff(b"x" + text[: mediatypes.HEAD - 1]) == "text/plain"
    assert mediatypes.sniff(b"x\xc3") == ""


# --- the store ------------------------------------------------------------------------------------------------------


def test_bytes_are_kept_once_under_their_digest(media):
    first, second = filestore.keep([b"ab", b"c"]), filestore.keep([b"abc"])
    assert first.sha256 == second.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert (first.md5, first.size, first.head) == (hashlib.md5(b"abc").hexdigest(), 3, b"abc")
    assert filestore.place(first.sha256).read_bytes() == b"abc"
    assert [p.name for p in media.rglob("*") if p.is_file()] == [first.sha256]


def test_too_much_and_a_full_disk_leave_nothing_behind(media, monkeypatch):
    with pytest.raises(NotLikeThis, match="more than 3 bytes"):
        filestore.keep([b"ab", b"cd"], most=3)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eventlog.filestore.os.fsync", full)
    with pytest.raises(NotNow, match="No space left"):
        filestore.keep([b"ab"])
    assert [p for p in media.rglob("*") if p.is_file()] == []


def test_a_name_that_is_no_digest_opens_nothing():
    for name in ("../../secret-key", "A" * 64, "ab"):
        with pytest.raises(ValueError, match="no SHA-256"):
            filestore.opened(name)


# --- the verbs ------------------------------------------------------------------------------------------------------


def test_a_photo_hangs_on_its_event_and_is_in_the_chain():
    event = make.event()
    taken = dt.datetime(2026, 3, 4, 3, 14, tzinfo=dt.UTC)
    made, new = add(event.log, event=event.uuid, caption=" rosette on deck ", taken_at=taken, device="wet lab")
    assert new
    assert (made.event, made.caption, made.media_type, made.by_name) == (
        event,
        "rosette on deck",
        "image/jpeg",
        "Sam Keane",
    )
    assert filestore.place(made.sha256).read_bytes() == JPEG
    (revision,) = history.revisions_of(made)
    assert (revision.thing, revision.verb, revision.device) == ("attachment", "record", "wet lab")
    assert revision.changes["sha256"] == [None, made.sha256]
    assert history.as_of(made, revision.sequence) == history.content("attachment", Attachment.objects.get())


def test_sent_twice_it_is_one_and_an_id_is_not_used_again():
    event, known = make.event(), uuid.uuid4()
    first, _ = add(event.log, uuid=known)
    again, new = add(event.log, uuid=known)
    assert (again, new) == (first, False)
    with pytest.raises(NotLikeThis) as caught:
        add(event.log, JPEG + b"x", uuid=known)
    assert caught.value.faults[0].where == "uuid"
    with pytest.raises(NotLikeThis):
        add(make.event().log, uuid=known)
    assert Attachment.objects.count() == 1


def test_an_attachment_waits_for_its_event():
    event = make.event()
    with pytest.raises(NotNow, match="Send the event first"):
        add(event.log, event=uuid.uuid4())
    with pytest.raises(NotNow, match="Send the event first"):
        add(event.log, event=make.event().uuid)


def test_what_is_not_taken_is_said():
    log = make.log()
    with pytest.raises(NotLikeThis) as caught:
        add(log, b"MZ\x90\0", caption="x" * 501, taken_at=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - the point of it
    assert {fault.where for fault in caught.value.faults} == {"file", "caption", "taken_at"}
    assert log.revisions.filter(thing="attachment").count() == 0


@pytest.mark.parametrize("name", ["rival", "expert", "stranger"])
def test_others_attach_nothing(name):
    log = make.log()
    with pytest.raises(NotYou):
        add(log, by=make.person(name))


def test_a_log_that_is_not_open_takes_none_and_a_closed_one_late_ones_with_a_reason():
    with pytest.raises(NotNow):
        add(make.log("not opened"))
    closed = make.log("closed")
    with pytest.raises(NotYou):
        add(closed, reason="found it")
    chief = make.person("chief")
    with pytest.raises(NotLikeThis):
        add(closed, by=chief)
    made, _ = add(closed, by=chief, reason="found it on the camera")
    assert history.revisions_of(made)[0].after_close


def test_struck_and_restored():
    made, _ = add(make.log())
    watch = make.person("watch")
    made = attachments.strike(attachment=made, by=watch, reason="blurred")
    made = attachments.strike(attachment=made, by=watch)
    assert made.struck_at is not None
    change = uuid.uuid4()
    made = attachments.restore(attachment=made, by=watch, change=change)
    made = attachments.restore(attachment=made, by=watch, change=change)
    assert [r.verb for r in history.revisions_of(made)] == ["record", "strike", "restore"]
    with pytest.raises(NotYou):
        attachments.strike(attachment=made, by=make.person("expert"))


def test_a_name_is_only_a_name():
    for name, kept in (("../../etc/passwd", "passwd"), ("C:\\fakepath\\a\r\nb.jpg", "ab.jpg"), ("", "image.jpeg")):
        made, _ = add(make.log(), name=name)
        assert made.name == kept


# --- the API --------------------------------------------------------------------------------------------------------


def url(log: Any, tail: str = "") -> str:
    return f"/api/v1/cruises/{log.cruise.cruise_id}/attachments{tail}"


def send(client: Any, log: Any, data: bytes = JPEG, **values: Any) -> Any:
    file = SimpleUploadedFile("IMG 1.jpg", data, "image/jpeg")
    return client.post(url(log), {"uuid": str(uuid.uuid4()), "file": file} | values)


def bytes_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)  # the test client closes it at its end


def test_the_api_takes_and_gives_the_same_bytes(browse):
    event = make.event()
    client, known = browse("watch"), str(uuid.uuid4())
    values = {"uuid": known, "event": str(event.uuid), "caption": "deck", "taken_at": "2026-03-04T03:14:07Z"}
    answer = send(client, event.log, **values)
    assert answer.status_code == 201, answer.content
    assert send(client, event.log, **values).status_code == 200
    (row,) = client.get(url(event.log) + f"?event={event.uuid}").json()
    assert row == answer.json()
    assert (row["event"], row["media_type"], row["taken_at"]) == (str(event.uuid), "image/jpeg", "2026-03-04T03:14:07Z")
    got = client.get(row["url"])
    assert bytes_of(got) == JPEG
    assert got["Content-Type"] == "image/jpeg"
    assert got["Content-Disposition"] == 'inline; filename="IMG 1.jpg"'
    assert got["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got["Content-Security-Policy"]
    assert "default-src 'none'" in got["Content-Security-Policy"]
    struck = client.delete(row["url"] + "?reason=blurred")
    assert struck.json()["struck"] is True
    assert client.get(url(event.log)).json() == []
    assert len(client.get(url(event.log) + "?struck=yes").json()) == 1
    assert client.post(row["url"] + "/restore").json()["struck"] is False


def test_a_page_that_is_called_a_photo_is_only_text(browse):
    log = make.log()
    answer = send(browse("watch"), log, b"<script>alert(1)</script>")
    assert answer.json()["media_type"] == "text/plain"
    got = browse("watch").get(answer.json()["url"])
    assert bytes_of(got).startswith(b"<script>")
    assert got["Content-Type"] == "text/plain"
    assert got["Content-Disposition"].startswith("attachment")


def test_a_player_asks_for_a_part(browse):
    log = make.log()
    address = send(browse("watch"), log).json()["url"]
    for asked, first, last in (
        ("bytes=10-19", 10, 19),
        ("bytes=-5", len(JPEG) - 5, len(JPEG) - 1),
        ("bytes=3-", 3, len(JPEG) - 1),
    ):
        got = browse("watch").get(address, headers={"Range": asked})
        assert got.status_code == 206
        assert got["Content-Range"] == f"bytes {first}-{last}/{len(JPEG)}"
        assert bytes_of(got) == JPEG[first : last + 1]
    for asked in ("bytes=99999999-", "lines=1-2", "bytes=-"):
        got = browse("watch").get(address, headers={"Range": asked})
        assert (got.status_code, bytes_of(got)) == (200, JPEG)


def test_too_large_is_refused_before_it_is_read(browse, settings):
    settings.ATTACHMENT_BYTES = 1000
    log = make.log()
    assert send(browse("watch"), log, JPEG + b"\0" * 100_000).status_code == 413
    assert send(browse("watch"), log, JPEG).status_code == 422
    assert Attachment.objects.count() == 0


def test_faults_name_the_field_and_nothing_is_stored(browse):
    log = make.log()
    client = browse("watch")
    answer = client.post(url(log), {"uuid": "no", "file": io.BytesIO(JPEG)})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "uuid"
    assert client.post(url(log), {"uuid": str(uuid.uuid4())}).json()["errors"][0]["field"] == "file"
    assert send(client, log, event=str(uuid.uuid4())).status_code == 409
    assert client.get(url(log) + "?event=no").status_code == 422
    assert client.get(url(log, f"/{uuid.uuid4()}")).status_code == 404
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "seen", "added"),
    [
        (None, 401, 401),
        ("stranger", 403, 403),
        ("rival", 403, 403),
        ("expert", 200, 403),
        ("watch", 200, 403),
        ("chief", 200, 201),
        ("operator", 200, 201),
        ("manager", 200, 201),
    ],
)
def test_photos_of_a_closed_and_public_log_are_for_those_who_are_told_names(browse, name, seen, added):
    event = make.event()
    made, _ = add(event.log, event=event.uuid)
    logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=event.log.cruise.pk).update(public_at="2026-01-01T00:00Z")
    assert Event.objects.visible_to(make.person("stranger")).exists()
    client = browse(name)
    assert client.get(url(event.log)).status_code == seen
    got = client.get(url(event.log, f"/{made.uuid}"))
    assert got.status_code == seen
    assert not got.streaming or bytes_of(got) == JPEG
    assert send(client, event.log, reason="late").status_code == added


def test_bytes_that_are_gone_are_said(browse):
    log = make.log()
    made, _ = add(log)
    filestore.place(made.sha256).unlink()
    answer = browse("watch").get(url(log, f"/{made.uuid}"))
    assert answer.status_code == 404
    assert made.sha256 in answer.json()["detail"]
