"""The permanent archive: what is all public is copied there and read there; files come back from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from inventory import datasets, storage
from inventory.models import Dataset, Deposit, Distribution, FixityCheck, Recovery
from inventory.storage import migrating
from inventory.storage.local import Local
from portal import jobs
from portal.access import CONSOLE, WORKER
from portal.models import JournalEntry
from portal.refusals import NotNow, NotYou
from tests import make, objects
from tests.inventory.keeping import answer, check, held, in_turns, progress, put, spoil

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A permanent archive of the test's own."""
    root = home / "archive"
    monkeypatch.setattr(settings, "PERMANENT_ARCHIVE", f"local:{root}")
    return root


@pytest.fixture
def stored(deep: Path, home: Path) -> Deposit:
    """The copy of a classified distribution in deep storage; nothing of it is released."""
    found = make.round_of_review(home / "deliveries", "approved")
    distribution = Distribution.objects.get(cruise=found.cruise)
    return put(distribution)


def any_copy(deposit: Deposit, deep: Path) -> Path:
    return next(
        place for place in (deep / deposit.prefix / "data").rglob("*") if place.is_file() and place.stat().st_size
    )


def clear(deposit: Deposit) -> None:
    """Releases every data set of its cruise."""
    for dataset in Dataset.objects.filter(cruise=deposit.cruise).standing():
        datasets.release(dataset=dataset, by=WORKER, today=timezone.now().date())


def move(deposit: Deposit, by: Any = WORKER) -> Deposit:
    return storage.migrate(deposit=deposit, by=by, progress=progress(key=os.urandom(4).hex()))


def test_it_is_moved_once_all_is_public_and_recovered_from_there(
    deep: Path, archive: Path, stored: Deposit, home: Path
):
    assert migrating.waiting() == []
    with pytest.raises(NotNow, match="not all public"):
        move(stored)
    assert not Deposit.objects.filter(permanent=True).exists()
    clear(stored)
    assert migrating.waiting() == [str(stored.pk)]
    assert jobs.drain([storage.MIGRATE_DOOR]) == 1
    assert migrating.waiting() == []
    made = Deposit.objects.get(permanent=True)
    assert (made.state, made.files, made.bytes) == ("stored", stored.files, stored.bytes)
    assert made.manifest_sha256 == stored.manifest_sha256
    assert held(archive / made.prefix / "data") == held(deep / stored.prefix / "data")
    assert JournalEntry.objects.get(verb="deposit.migrate").changes["permanent archive"] == [None, made.address]
    shutil.rmtree(deep)
    shutil.rmtree(stored.distribution.root)
    told = answer("recover", "--cruise", stored.cruise.cruise_id, "--to", str(home / "back"))
    assert (told["files"], told["not recovered"]) == (stored.files, [])
    assert Recovery.objects.get().deposit == made
    assert check(made).state == "stored"


def test_without_the_delivery_it_comes_from_deep_storage(archive: Path, stored: Deposit):
    clear(stored)
    shutil.rmtree(stored.distribution.root)
    [told] = answer("archive", "--cruise", stored.cruise.cruise_id)["archived"]
    assert (told["state"], told["files"]) == ("stored", stored.files)
    assert answer("archive", "--cruise", stored.cruise.cruise_id)["archived"][0]["stored at"] == told["stored at"]
    assert JournalEntry.objects.filter(verb="deposit.migrate").count() == 1


def test_it_is_refused_by_role_by_state_and_where_there_is_none(
    deep: Path, archive: Path, stored: Deposit, monkeypatch: pytest.MonkeyPatch
):
    clear(stored)
    for name in ("operator", "chief", "stranger"):
        with pytest.raises(NotYou):
            move(stored, make.person(name))
    spoil(any_copy(stored, deep))
    with pytest.raises(NotNow, match="whole and sound"):
        move(check(stored))
    assert migrating.waiting() == []
    monkeypatch.setattr(settings, "PERMANENT_ARCHIVE", "off")
    assert migrating.waiting() == []
    with pytest.raises(NotNow, match="LEADLINE_PERMANENT_ARCHIVE is off"):
        move(stored)


def test_a_file_that_nobody_has_right_stops_it(deep: Path, archive: Path, stored: Deposit):
    clear(stored)
    victim = any_copy(stored, deep)
    spoil(victim)
    shutil.rmtree(stored.distribution.root)
    with pytest.raises(NotNow, match="nowhere as it was stored"):
        move(stored)
    assert Deposit.objects.get(permanent=True).state == "storing"
    spoil(victim)
    assert move(stored).state == "stored"


def test_stopped_it_goes_on_and_what_is_not_kept_right_is_found(
    archive: Path, stored: Deposit, monkeypatch: pytest.MonkeyPatch
):
    clear(stored)
    monkeypatch.setattr(migrating, "BATCH", 2)
    read = Local.check
    counted: list[int] = []

    def stopped(self: Local, prefix: str, pieces: Any, beat: Any) -> Any:
        counted.append(len(pieces))
        if len(counted) == 2:
            spoil(archive / prefix / pieces[0].name)
        yield from read(self, prefix, pieces, beat)

    with monkeypatch.context() as patch:
        patch.setattr(Local, "check", stopped)
        with pytest.raises(NotNow, match="was not kept right"):
            move(stored)
    half = Deposit.objects.get(permanent=True)
    assert (half.state, half.files) == ("storing", 2)
    made = move(stored)
    assert (made.state, made.files) == ("stored", stored.files)
    assert check(made).damaged == 0


def test_archiving_gives_way_to_other_work(archive: Path, stored: Deposit, monkeypatch: pytest.MonkeyPatch):
    clear(stored)
    monkeypatch.setattr(migrating, "BATCH", 2)
    assert in_turns(storage.MIGRATE_DOOR, str(stored.pk)) == -(-stored.files // 2) + 1
    made = Deposit.objects.get(permanent=True)
    assert (made.state, made.files) == ("stored", stored.files)
    assert check(made).damaged == 0


def test_a_source_that_was_repaired_meanwhile_begins_anew(archive: Path, stored: Deposit):
    clear(stored)
    begun = migrating._begin(stored, settings.PERMANENT_ARCHIVE, CONSOLE)
    Deposit.objects.filter(pk=begun.pk).update(cursor=10**6, files=7, manifest_sha256="0" * 64)
    assert move(stored).files == stored.files


@pytest.mark.skipif(not shutil.which("rclone"), reason="S3 server not found: nor rclone; script/test installs both")
def test_the_archive_may_be_an_object_store(
    bucket: str, stored: Deposit, object_store: objects.ObjectStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(settings, "PERMANENT_ARCHIVE", f"rclone:tank:{bucket}/forever")
    clear(stored)
    made = move(stored)
    assert (made.state, made.manifest_sha256) == ("stored", stored.manifest_sha256)
    assert object_store.say("GET", f"{bucket}/forever/{made.prefix}/README.txt").startswith(b"This is a copy")


def test_every_check_is_kept(deep: Path, stored: Deposit):
    check(stored)
    spoil(any_copy(stored, deep))
    check(stored, by=make.person("manager"))
    second, first = FixityCheck.objects.all()
    assert (first.files, first.bytes, first.damaged, first.damages) == (stored.files, stored.bytes, 0, [])
    assert (second.damaged, len(second.damages), second.checked_by) == (1, 1, str(make.person("manager")))
    assert first.began_at <= first.ended_at <= second.began_at <= second.ended_at


def test_the_api_tells_of_copies_and_checks(deep: Path, archive: Path, stored: Deposit, browse: Any):
    clear(stored)
    move(stored)
    check(stored)
    url = f"/api/v1/cruises/{stored.cruise.cruise_id}/copies"
    assert browse(None).get(url).status_code in (401, 403)
    for name, status in (("stranger", 403), ("rival", 403), ("operator", 200), ("chief", 200), ("manager", 200)):
        assert browse(name).get(url).status_code == status, name
    told = browse("operator").get(url).json()["copies"]
    assert [one["permanent"] for one in told] == [True, False]
    assert [len(one["checks"]) for one in told] == [0, 1]
    assert told[0]["storage"] is None
    assert browse("manager").get(url).json()["copies"][0]["storage"] == settings.PERMANENT_ARCHIVE
    page = browse("operator").get(f"/cruise/{stored.cruise.cruise_id}/copies/").content.decode()
    assert "permanent archive" in page
    assert "files read, 0 damaged" in page
    assert settings.PERMANENT_ARCHIVE not in page


def test_nothing_to_archive_is_said(deep: Path, archive: Path):
    with pytest.raises(CommandError, match="no copy"):
        call_command("archive", "--cruise", make.cruise().cruise_id)
