"""From a released data set to a staged bag, whatever is killed, full or missing; and the archive's callback."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

import bagit
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from inventory import holds, review
from inventory.models import Dataset
from portal import jobs, tokens
from portal.access import CONSOLE
from portal.lifecycle import Role
from portal.models import Work
from publishing.archives import bag, submission
from publishing.models import Accession, Identifier, OaiRendering, Submission
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registrar")]
BEFORE = ("publishing.release", "publishing.clear", "publishing.register", "publishing.submit")


def _later(monkeypatch: pytest.MonkeyPatch, **more: float) -> None:
    now = timezone.now() + dt.timedelta(**more)
    monkeypatch.setattr(timezone, "now", lambda: now)


def _waiting(home: Path) -> Submission:
    """The submission of the CTD data, waiting to be packed."""
    make.round_of_review(home / "in", "approved")
    jobs.drain(BEFORE)
    return Submission.objects.select_related("dataset__cruise").get(dataset__device_class="ctd", state="waiting")


def _staged(home: Path) -> Submission:
    found = _waiting(home)
    assert jobs.perform("publishing.pack", str(found.pk))
    found.refresh_from_db()
    return found


def test_everything_cleared_is_packed_and_staged(home: Path) -> None:
    make.round_of_review(home / "in", "approved")
    jobs.drain()

    assert Submission.objects.filter(state="staged").count() == 4
    for found in Submission.objects.select_related("dataset__cruise", "dataset__identifier"):
        folder = home / "staging" / found.bag
        assert folder.parent.name == f"{found.since:%Y-%m-%d}"
        packed = bagit.Bag(os.fspath(folder))
        packed.validate()
        assert packed.info["External-Identifier"] == f"doi:{found.dataset.identifier.doi}"
        assert packed.info["Internal-Sender-Identifier"] == str(found.uuid)
        assert packed.info["Payload-Oxum"] == f"{found.bytes}.{found.files}"
    ctd = Submission.objects.get(dataset__device_class="ctd")
    assert (home / "staging" / ctd.bag / "data" / "data/ctd/raw/cast001.hex").read_bytes() == b"00FF" * 400
    assert not list((home / "staging" / ".packing").iterdir())


def test_killed_after_packing_the_finished_bag_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _waiting(home)

    def killed(*args: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(submission, "_stage", killed)
        assert not jobs.perform("publishing.pack", str(found.pk))
    found.refresh_from_db()
    assert found.state == "waiting"
    [packed] = [p for p in (home / "staging").glob("*/*ctd") if p.parent.name != ".packing"]
    inode = packed.stat().st_ino

    def never(*args: object, **more: object) -> None:
        raise AssertionError("it was packed twice")

    monkeypatch.setattr(bag, "write", never)
    assert jobs.perform("publishing.pack", str(found.pk))
    found.refresh_from_db()
    assert found.state == "staged"
    assert packed.stat().st_ino == inode
    assert found.files == 2


def test_an_unfinished_or_spoiled_bag_is_thrown_away(home: Path) -> None:
    found = _waiting(home)
    name = submission._bag_name(found)
    making = home / "staging" / ".packing" / name
    (making / "data").mkdir(parents=True)
    (making / "data" / "half").write_bytes(b"half")
    staged = home / "staging" / f"{found.since:%Y-%m-%d}" / name
    (staged / "data").mkdir(parents=True)
    (staged / "bagit.txt").write_text("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")

    assert jobs.perform("publishing.pack", str(found.pk))

    assert not making.exists()
    packed = bagit.Bag(os.fspath(staged))
    packed.validate()
    assert len(packed.payload_entries()) == 2


def test_a_bag_of_other_files_is_packed_anew(home: Path) -> None:
    found = _staged(home)
    folder = home / "staging" / found.bag
    shutil.rmtree(folder)
    content = home / "other"
    content.write_bytes(b"other")
    bag.write(folder, [bag.Payload(b"other", "other", "", "", lambda: content.open("rb"))], [])
    submission.repack(submission=found, by=make.person("manager"), note="the shipment was corrected")

    assert jobs.perform("publishing.pack", str(found.pk))

    found.refresh_from_db()
    assert found.files == 2, "a valid bag of other files is not what was asked for"


def test_a_missing_disk_delays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _waiting(home)
    root = found.dataset.files.first()
    assert root is not None
    delivered = Path(root.distribution.root)
    delivered.rename(home / "unmounted")

    assert not jobs.perform("publishing.pack", str(found.pk))
    failed = Work.objects.filter(door="publishing.pack").latest("pk")
    assert "cannot be read" in failed.message
    assert not list((home / "staging").glob("*/*"))

    (home / "unmounted").rename(delivered)
    _later(monkeypatch, hours=2)
    jobs.drain()
    found.refresh_from_db()
    assert found.state == "staged"


def test_a_staging_disk_that_cannot_be_written_delays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _waiting(home)
    (home / "staging").write_text("in the way")

    assert not jobs.perform("publishing.pack", str(found.pk))
    assert "could not be written" in Work.objects.filter(door="publishing.pack").latest("pk").message

    (home / "staging").unlink()
    _later(monkeypatch, hours=2)
    assert jobs.perform("publishing.pack", str(found.pk))


def test_a_file_that_changed_since_it_was_verified_is_not_sent(home: Path) -> None:
    found = _waiting(home)
    file = found.dataset.files.get(path__endswith="cast001.hex")
    (Path(file.distribution.root) / file.path).write_bytes(b"FF00" * 400)

    assert not jobs.perform("publishing.pack", str(found.pk))
    failed = Work.objects.filter(door="publishing.pack").latest("pk")
    assert "cast001.hex" in failed.message
    assert "has changed since it was verified" in failed.message
    found.refresh_from_db()
    assert found.state == "waiting"


def test_held_data_stay_back_until_the_day_their_hold_ends(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    opened = make.round_of_review(home / "in")
    held = Dataset.objects.get(cruise=opened.cruise, device_class="ctd")
    holds.assert_hold(dataset=held, until=dt.date(2026, 6, 1), reason="a thesis", by=make.person("chief"))
    review.approve(review=opened, role=Role.OPERATOR, by=make.person("operator"))
    review.approve(review=opened, role=Role.CHIEF_SCIENTIST, by=make.person("chief"))
    jobs.drain()
    assert Submission.objects.filter(state="staged").count() == 3
    assert not Identifier.objects.filter(dataset=held).exists()
    assert not OaiRendering.objects.filter(record__dataset=held).exists()

    for day, there in ((dt.date(2026, 5, 31), False), (dt.date(2026, 6, 1), True)):
        moment = dt.datetime(day.year, day.month, day.day, 0, 1, tzinfo=dt.UTC)
        jobs.drain()
        assert Identifier.objects.filter(dataset=held, state="registered").exists() is there
        assert Submission.objects.filter(dataset=held, state="staged").exists() is there
        assert OaiRendering.objects.filter(record__dataset=held).exists() is there


# --- the callback ----------------------------------------------------------------------------------------------------

TOLD = {"archive": "NCEI", "accession": "0123456", "version": "1.1", "landing_url": "https://archive.example/0123456"}


def _token(*scopes: str, name: str = "manager") -> dict[str, str]:
    _, secret = tokens.issue(person=make.person(name), name="archive", scopes=scopes, by=CONSOLE)
    return {"Authorization": f"Bearer {secret}"}


def _tell(of: object, headers: dict[str, str] | None, **changes: str) -> Any:
    return Client().put(
        f"/api/v1/submissions/{of}/accession", TOLD | changes, content_type="application/json", headers=headers or {}
    )


def test_an_archive_tells_its_accession(home: Path) -> None:
    found = _staged(home)
    mine = _token("archive:accession")

    first = _tell(found.uuid, mine, checksum=found.tagmanifest_sha256.upper())
    assert first.status_code == 201
    assert first.json()["state"] == "accessioned"
    assert _tell(found.uuid, mine).status_code == 200
    assert Accession.objects.count() == 1
    other = _tell(found.uuid, mine, landing_url="https://archive.example/other")
    assert other.status_code == 422
    assert "new version" in other.text
    later = _tell(found.uuid, mine, version="2.2", landing_url="https://archive.example/0123456/2")
    assert later.status_code == 201
    assert later.json()["accession"]["version"] == "2.2"
    assert _tell(found.uuid, mine).json()["accession"]["version"] == "2.2", "an old word does not take over again"
    assert list(found.accessions.values_list("version", flat=True)) == ["1.1", "2.2"]

    page = Client().get(f"/cruise/{found.cruise.cruise_id}/dataset/{found.dataset.uuid}/")
    assert page.status_code == 200
    assert 'href="https://archive.example/0123456/2"' in page.text
    assert 'href="https://archive.example/0123456"' in page.text
    assert Identifier.objects.get(dataset=found.dataset).state == "stale"
    jobs.drain()
    assert not Identifier.objects.exclude(state="registered").exists()


def test_who_may_not_tell_and_what_is_not_taken(home: Path) -> None:
    waiting = _waiting(home)
    mine = _token("archive:accession")
    assert _tell(waiting.uuid, mine).status_code == 409
    assert jobs.perform("publishing.pack", str(waiting.pk))

    assert _tell(waiting.uuid, None).status_code == 401
    assert _tell(waiting.uuid, {"Authorization": "Bearer ll_wrong"}).status_code == 401
    assert _tell(waiting.uuid, _token("archive:fetch", "read")).status_code == 403
    assert _tell(waiting.uuid, _token("archive:accession", name="stranger")).status_code == 404
    assert _tell(uuid.uuid4(), mine).status_code == 404
    assert _tell(waiting.uuid, mine, checksum="0" * 64).status_code == 422
    assert _tell(waiting.uuid, mine, checksum="short").status_code == 422
    assert _tell(waiting.uuid, mine, landing_url="javascript:alert(1)").status_code == 422
    assert _tell(waiting.uuid, mine, accession="").status_code == 422
    assert not Accession.objects.exists()


def test_a_token_of_another_cruise_is_refused(home: Path) -> None:
    found = _staged(home)
    _, secret = tokens.issue(
        person=make.person("manager"),
        name="other",
        scopes=["archive:accession", "archive:fetch"],
        by=CONSOLE,
        cruise=make.cruise(),
    )
    other = {"Authorization": f"Bearer {secret}"}
    assert _tell(found.uuid, other).status_code == 403
    assert Client().get(f"/api/v1/submissions/{found.uuid}/bag/bagit.txt", headers=other).status_code == 403


def test_a_bag_is_fetched_file_by_file(home: Path) -> None:
    waiting = _waiting(home)
    address = f"/api/v1/submissions/{waiting.uuid}/bag/"
    mine = _token("archive:fetch")
    assert Client().get(address + "bagit.txt", headers=mine).status_code == 404, "not staged"
    assert jobs.perform("publishing.pack", str(waiting.pk))
    waiting.refresh_from_db()
    folder = home / "staging" / waiting.bag

    answer: Any = Client().get(address + "data/data/ctd/raw/cast001.hex", headers=mine)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"00FF" * 400
    assert answer["Content-Length"] == "1600"
    assert "attachment" in answer["Content-Disposition"]
    (home / "staging" / "secret").write_text("secret")
    (folder / "link").symlink_to(home / "staging" / "secret")
    for path in ("../../secret", "data/../../../secret", "%2e%2e/%2e%2e/secret", "/etc/passwd", "link", "data", "no"):
        assert Client().get(address + path, headers=mine).status_code == 404, path
    assert Client().get(address + "bagit.txt").status_code == 401
    assert Client().get(address + "bagit.txt", headers=_token("read")).status_code == 403
    assert Client().get(address + "bagit.txt", headers=_token("archive:fetch", name="operator")).status_code == 404
    listed = Client().get("/api/v1/submissions?state=staged", headers=mine)
    assert [row["uuid"] for row in listed.json()["results"]] == [str(waiting.uuid)]
    assert Client().get("/api/v1/submissions").status_code == 401
    assert home / "staging" == settings.STAGING
