"""Repair of deep storage: damaged copies are put again, what was mended is added, and nothing right is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from inventory import intake, storage
from inventory.models import Deposit, Distribution
from inventory.storage import depositing, fixity, papers, places, repairing
from inventory.storage.local import Local
from inventory.verification import verify
from portal import jobs
from portal.access import CONSOLE, WORKER
from portal.models import JournalEntry
from portal.refusals import NotNow, NotYou
from portal.work import Lost
from tests import make, objects
from tests.inventory.keeping import FILES, HOSTILE, answer, check, first_copy, held, progress, put, spoil

pytestmark = pytest.mark.django_db
NUMBER = len(FILES) + len(HOSTILE)


def repair(deposit: Deposit, by: Any = WORKER) -> Deposit:
    return storage.repair(deposit=deposit, by=by, progress=progress(key=os.urandom(4).hex()))


def read_again(distribution: Distribution) -> None:
    verify.reread(distribution=distribution, by=CONSOLE)
    assert jobs.perform("inventory.verify", str(distribution.pk))


def damage(deposit: Deposit, deep: Path) -> Deposit:
    """One copy altered, one lost, one paper gone, and a check that says so."""
    spoil(first_copy(deposit, deep, "data/ctd/cast 1.dat"))
    first_copy(deposit, deep, "data/empty").unlink()
    (deep / deposit.prefix / "files.csv").unlink()
    return check(deposit)


def sound(deposit: Deposit, deep: Path) -> None:
    """It says that it is, and sha256sum says so too."""
    assert (deposit.state, deposit.damaged, deposit.damages) == ("stored", 0, [])
    words = ["sha256sum", "--check", "--strict", "--quiet", "manifest-sha256.txt"]
    done = subprocess.run(words, cwd=deep / deposit.prefix, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert check(deposit).state == "stored"


def test_damaged_copies_are_put_again_from_the_delivery(deep: Path, verified: Distribution):
    deposit = damage(put(verified), deep)
    assert deposit.damaged == 3
    untouched = first_copy(deposit, deep, "a=b;c&'d.txt").stat().st_ino
    [told] = answer("store", "--cruise", verified.cruise.cruise_id, "--repair")["copies"]
    assert (told["state"], told["files"], told["damages"]) == ("stored", NUMBER, [])
    deposit.refresh_from_db()
    sound(deposit, deep)
    assert first_copy(deposit, deep, "a=b;c&'d.txt").stat().st_ino == untouched
    entry = JournalEntry.objects.get(verb="deposit.repair")
    assert entry.changes == {"damaged": [3, 0], "refused": [0, 0], "put again": [None, 2], "added": [None, 0]}
    again = repair(deposit)
    assert (again.state, again.manifest_sha256) == ("stored", deposit.manifest_sha256)


def test_what_nobody_has_any_more_stays_listed_and_damaged(deep: Path, verified: Distribution):
    deposit = damage(put(verified), deep)
    spoil(Path(verified.root) / "data/ctd/cast 1.dat")
    deposit = repair(deposit)
    assert (deposit.state, deposit.damaged, deposit.files) == ("damaged", 1, NUMBER)
    assert [one["path"] for one in deposit.damages] == ["data/ctd/cast 1.dat"]
    assert b"cast 1" in (deep / deposit.prefix / "files.csv").read_bytes()
    spoil(Path(verified.root) / "data/ctd/cast 1.dat")
    sound(repair(deposit), deep)


def test_without_the_delivery_another_storage_has_the_files(
    deep: Path, verified: Distribution, home: Path, monkeypatch: pytest.MonkeyPatch
):
    deposit = put(verified)
    monkeypatch.setattr(settings, "DEEP_STORAGE", f"local:{home / 'second'}")
    put(verified)
    deposit = damage(deposit, deep)
    Path(verified.root).rename(home / "unplugged")
    sound(repair(deposit), deep)
    assert not list(Path(settings.STAGING).glob("repair-*"))


def test_without_the_delivery_a_later_shipment_may_have_the_file(deep: Path, verified: Distribution, home: Path):
    deposit = damage(put(verified), deep)
    later = make.delivery(home / "deliveries" / "later", FILES | {"data/ctd/cast 2.dat": b"more"})
    intake.receive(cruise=verified.cruise, root=later, by=CONSOLE)
    shutil.rmtree(verified.root)
    sound(repair(deposit), deep)


def test_where_more_is_damaged_than_named_all_is_looked_at(
    deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fixity, "MOST_DAMAGES", 1)
    deposit = damage(put(verified), deep)
    assert (deposit.damaged, len(deposit.damages)) == (3, 1)
    sound(repair(deposit), deep)


def test_a_refused_file_that_was_mended_is_added(deep: Path, verified: Distribution):
    place = Path(verified.root) / "data/ctd/cast 1.dat"
    spoil(place)
    deposit = put(verified)
    assert (deposit.files, len(deposit.refused)) == (NUMBER - 1, 1)
    spoil(place)
    told = answer("store", "--cruise", verified.cruise.cruise_id)
    assert (told["files"], told["not stored"]) == (NUMBER, [])
    deposit.refresh_from_db()
    sound(deposit, deep)
    assert deposit.bytes == sum(len(row) for path, row in held(deep / deposit.prefix / "data").items())
    record = json.loads((deep / deposit.prefix / "record.json").read_text())
    assert (record["files"], record["not_stored"]) == (NUMBER, [])


def test_a_delivery_read_again_is_taken_by_the_door_and_the_old_content_stays(deep: Path, verified: Distribution):
    deposit = put(verified)
    assert repairing.waiting() == []
    root = Path(verified.root)
    (root / "data/ctd/cast 1.dat").write_bytes(b"one, corrected\n")
    read_again(verified)
    assert repairing.waiting() == [str(deposit.pk)]
    assert depositing.waiting() == []
    assert jobs.drain([storage.REPAIR_DOOR]) == 1
    assert repairing.waiting() == []
    deposit.refresh_from_db()
    assert deposit.files == NUMBER
    sound(deposit, deep)
    assert first_copy(deposit, deep, "data/ctd/cast 1.dat").read_bytes() == FILES["data/ctd/cast 1.dat"]
    with papers.open_list(deposit, places.opened(deposit.address), lambda: None) as listed:
        [entry] = [piece for piece in papers.pieces(listed) if piece.path == "data/ctd/cast 1.dat"]
    assert entry.name.startswith("=mended/")
    assert (deep / deposit.prefix / "data" / entry.name).read_bytes() == b"one, corrected\n"


def test_recovered_is_the_mended_one(deep: Path, verified: Distribution, home: Path):
    put(verified)
    (Path(verified.root) / "data/ctd/cast 1.dat").write_bytes(b"one, corrected\n")
    read_again(verified)
    jobs.drain([storage.REPAIR_DOOR])
    answer("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    before = held(Path(verified.root))
    del before[b"delivery.md5"]
    assert held(home / "back/data") == before


def test_asked_for_it_waits_for_the_worker(deep: Path, verified: Distribution):
    deposit = damage(put(verified), deep)
    asked = storage.ask_repair(deposit=deposit, by=make.person("manager"))
    assert storage.ask_repair(deposit=deposit, by=make.person("manager")).repair_asked_at == asked.repair_asked_at
    assert repairing.waiting() == [str(deposit.pk)]
    assert jobs.drain([storage.REPAIR_DOOR]) == 1
    assert repairing.waiting() == []
    deposit.refresh_from_db()
    sound(deposit, deep)


def test_it_is_refused_by_role_and_by_state(deep: Path, verified: Distribution):
    with pytest.raises(CommandError, match="no copy"):
        call_command("store", "--cruise", verified.cruise.cruise_id, "--repair")
    begun, _ = depositing._begin(verified.pk, places.opened(settings.DEEP_STORAGE), CONSOLE)
    for act in (repair, lambda one: storage.ask_repair(deposit=one, by=CONSOLE)):
        with pytest.raises(NotNow, match="storing"):
            act(begun)
    deposit = put(verified)
    for name in ("operator", "chief", "stranger"):
        with pytest.raises(NotYou):
            repair(deposit, make.person(name))
        with pytest.raises(NotYou):
            storage.ask_repair(deposit=deposit, by=make.person(name))


def test_stopped_while_the_papers_are_written_nothing_is_lost(
    deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch
):
    deposit = put(verified)
    (Path(verified.root) / "data/ctd/cast 1.dat").write_bytes(b"one, corrected\n")
    read_again(verified)
    write, names = Local.write, []

    def stopped(self: Local, name: str, paper: Path, beat: Any) -> None:
        names.append(name)
        write(self, name, paper, beat)
        if name.endswith("files.csv"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Local, "write", stopped)
        with pytest.raises(KeyboardInterrupt):
            repair(deposit)
    assert names
    deposit.refresh_from_db()
    assert check(deposit).damaged == 1  # the list there is a newer one than we know
    deposit.refresh_from_db()
    sound(repair(deposit), deep)


def test_a_check_that_was_under_way_does_not_speak_of_the_repaired_copy(deep: Path, verified: Distribution):
    deposit = put(verified)
    stale = Deposit.objects.get(pk=deposit.pk)
    Deposit.objects.update(manifest_sha256="0" * 64)
    with pytest.raises(Lost):
        fixity._finish(stale, {"damaged": 0, "damages": []}, WORKER)


def test_the_button_is_the_office_s(deep: Path, verified: Distribution, browse: Any):
    deposit = damage(put(verified), deep)
    page = f"/cruise/{verified.cruise.cruise_id}/copies/"
    url = f"{page}{deposit.uuid}/repair/"
    for name, status in (("operator", 403), ("stranger", 403), ("manager", 302)):
        assert browse(name).post(url).status_code == status
    assert browse("manager").get(url).status_code == 405
    assert browse("manager").post(f"{page}{verified.uuid}/repair/").status_code == 404
    assert b"waits for the worker" in browse("manager").get(page).content
    assert b"Repair it" not in browse("operator").get(page).content
    jobs.drain([storage.REPAIR_DOOR])
    assert b"Repair it" not in browse("manager").get(page).content


@pytest.mark.skipif(not shutil.which("rclone"), reason="S3 server not found: nor rclone; script/test installs both")
def test_an_object_store_is_repaired_alike(
    bucket: str, home: Path, verified: Distribution, object_store: objects.ObjectStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(settings, "DEEP_STORAGE", f"local:{home / 'second'}")
    put(verified)
    monkeypatch.setattr(settings, "DEEP_STORAGE", f"rclone:tank:{bucket}")
    deposit = put(verified)
    object_store.say("DELETE", f"{bucket}/{deposit.prefix}/data/data/empty")
    object_store.say("PUT", f"{bucket}/{deposit.prefix}/data/data/ctd/cast%3D201.dat", b"other")
    assert check(deposit).damaged == 2
    shutil.rmtree(verified.root)
    assert repair(Deposit.objects.get(pk=deposit.pk)).state == "stored"
    assert check(deposit).damaged == 0
