"""Deep storage: stored, checked, asked back, and brought: the real hashdeep audits what was recovered."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from inventory import storage
from inventory.models import Deposit, Distribution, Recovery
from inventory.storage import crew, depositing, fixity, local, names, papers, places, recovering
from inventory.storage.backend import MARKER, Unreachable
from portal import access, jobs
from portal.access import CONSOLE, WORKER
from portal.models import JournalEntry, Letter, Work
from portal.refusals import NotFound, NotLikeThis, NotNow, NotYou
from tests import make
from tests.inventory.keeping import (
    FILES,
    HOSTILE,
    answer,
    bring,
    check,
    first_copy,
    held,
    in_turns,
    progress,
    put,
    spoil,
)

pytestmark = pytest.mark.django_db


# --- names ----------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=300).filter(lambda path: b"\0" not in path))
def test_an_escaped_name_is_plain_and_leads_back(path: bytes):
    name = names.escape(path)
    assert name.isascii()
    assert name.isprintable()
    assert " " not in name
    assert names.unescape(name) == path


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=2, max_size=5, unique=True))
def test_two_paths_never_have_one_name(many: list[bytes]):
    assert len({names.stored(path) for path in many}) == len(many)
    assert all(len(part) <= names.LONGEST_NAME for path in many for part in names.stored(path).split("/"))


# --- storing --------------------------------------------------------------------------------------------------------


def test_what_is_stored_can_be_checked_with_nothing_but_the_storage(deep: Path, verified: Distribution):
    deposit = put(verified)
    assert (deposit.state, deposit.files, deposit.refused) == ("stored", len(FILES) + len(HOSTILE), [])
    place = deep / deposit.prefix
    for program, manifest in (("sha256sum", "manifest-sha256.txt"), ("md5sum", "manifest-md5.txt")):
        done = subprocess.run([program, "--check", "--strict", "--quiet", manifest], cwd=place, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    listed = (place / "manifest-sha256.txt").read_text().splitlines()
    assert len(listed) == deposit.files == len([path for path in (place / "data").rglob("*") if path.is_file()])
    record = json.loads((place / "record.json").read_text())
    assert (record["files"], record["shipment"], record["not_stored"]) == (deposit.files, 1, [])
    assert (place / "delivered/delivery.md5").read_bytes() == (Path(verified.root) / "delivery.md5").read_bytes()
    assert not os.access(first_copy(deposit, deep, "data/empty"), os.W_OK) or os.geteuid() == 0
    entry = JournalEntry.objects.get(verb="deposit.store")
    assert entry.changes["files"] == [None, deposit.files]


def test_a_second_storing_changes_nothing(deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch):
    put(verified)
    monkeypatch.setattr(local, "_copy", None)
    assert put(verified).state == "stored"
    assert JournalEntry.objects.filter(verb="deposit.store").count() == 1
    assert depositing.waiting() == []


def test_a_file_that_changed_since_it_was_verified_is_refused_and_the_rest_goes_on(deep: Path, verified: Distribution):
    spoil(Path(verified.root) / "data/ctd/cast 1.dat")
    (Path(verified.root) / "data/empty").unlink()
    (Path(verified.root) / "data/empty").symlink_to("/etc/passwd")
    (Path(verified.root) / "a=b;c&'d.txt").write_bytes(b"signs and more")
    deposit = put(verified)
    whys = {entry["path"]: entry["why"] for entry in deposit.refused}
    assert set(whys) == {"data/ctd/cast 1.dat", "data/empty", "a=b;c&'d.txt"}
    assert "is not any more what was verified" in whys["data/ctd/cast 1.dat"]
    assert deposit.state == "stored"
    assert deposit.files == len(FILES) + len(HOSTILE) - 3
    assert not first_copy(deposit, deep, "data/ctd/cast 1.dat").exists()
    assert b"cast 1" not in (deep / deposit.prefix / "files.csv").read_bytes()
    assert check(deposit).damaged == 0


def test_too_many_changed_files_are_another_disk(deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(depositing, "MOST_REFUSED", 1)
    for name in ("data/ctd/cast 1.dat", "a=b;c&'d.txt"):
        spoil(Path(verified.root) / name)
    with pytest.raises(NotNow, match="read again"):
        put(verified)


def test_storing_is_refused_by_state_by_role_and_where_there_is_none(deep: Path, home: Path, monkeypatch: Any):
    received = make.distribution(home / "deliveries")
    with pytest.raises(NotNow, match="every file was read"):
        put(received)
    assert depositing.waiting() == []
    with pytest.raises(NotYou):
        put(received, make.person("operator"))
    monkeypatch.setattr(settings, "DEEP_STORAGE", "off")
    with pytest.raises(NotNow, match="off"):
        put(received)
    assert not Deposit.objects.exists()


def test_the_door_stores_only_what_lies_there_and_rests_when_it_is_refused(deep: Path, verified: Distribution):
    assert depositing.waiting() == [str(verified.pk)]
    gone = Path(verified.root).rename(Path(verified.root).with_name("gone"))
    assert depositing.waiting() == []
    Path(verified.root).mkdir()  # the empty place of a disk that was unplugged
    assert not jobs.perform(storage.STORE_DOOR, str(verified.pk))
    assert "Mount the disk again" in Work.objects.get(door=storage.STORE_DOOR).message
    Path(verified.root).rmdir()
    gone.rename(verified.root)
    assert jobs.perform(storage.STORE_DOOR, str(verified.pk))
    assert Deposit.objects.get().state == "stored"
    assert jobs.drain([storage.STORE_DOOR]) == 0


def test_a_full_disk_is_told_and_leaves_nothing_half_kept(
    deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch
):
    write = local._write

    def full(file: int, block: bytes) -> None:
        if block.startswith(b"one"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, block)

    monkeypatch.setattr(local, "_write", full)
    with pytest.raises(Unreachable, match="is full"):
        put(verified)
    deposit = Deposit.objects.get()
    assert (deposit.state, deposit.cursor) == ("storing", 0)
    assert not [path for path in deep.rglob("*") if path.name.startswith(local.PARTIAL)]
    monkeypatch.setattr(local, "_write", write)
    assert put(verified).files == len(FILES) + len(HOSTILE)
    assert check(Deposit.objects.get()).state == "stored"


def test_it_is_refused_before_writing_where_it_is_plain_that_it_does_not_fit(
    deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch
):
    verified.files.filter(path="data/empty").update(size=2**62)
    with pytest.raises(Unreachable, match="are free"):
        put(verified)
    assert not (deep / "data").exists()


def test_an_unmounted_storage_is_not_begun_anew(deep: Path, verified: Distribution, home: Path):
    deposit = put(verified)
    deep.rename(home / "unplugged")
    for act in (lambda: check(deposit), lambda: places.opened(deposit.address)):
        with pytest.raises(Unreachable, match="Mount the disk again"):
            act()
    deep.mkdir()
    with pytest.raises(Unreachable, match=MARKER):
        check(deposit)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.checked_at) == ("stored", None)


def test_stopped_between_batches_it_goes_on(deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(depositing, "BATCH", 3)
    copied: list[str] = []
    copy = local._copy

    def counted(source: Any, place: Path, piece: Any, *rest: Any) -> Any:
        if len(copied) == 5:
            raise KeyboardInterrupt
        copied.append(piece.path)
        return copy(source, place, piece, *rest)

    monkeypatch.setattr(local, "_copy", counted)
    monkeypatch.setattr(crew, "hands", lambda most=8: 1)
    with pytest.raises(KeyboardInterrupt):
        put(verified)
    half = Deposit.objects.get()
    assert (half.state, half.files) == ("storing", 3)
    monkeypatch.setattr(local, "_copy", copy)
    assert put(verified).files == len(FILES) + len(HOSTILE)
    assert check(Deposit.objects.get()).damaged == 0


def test_storing_gives_way_to_other_work(deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(depositing, "BATCH", 4)
    assert in_turns(storage.STORE_DOOR, str(verified.pk)) == 4  # the last finds nothing left and ends it
    deposit = Deposit.objects.get()
    assert (deposit.state, deposit.files) == ("stored", len(FILES) + len(HOSTILE))
    assert check(deposit).damaged == 0
    rows = Work.objects.filter(door=storage.STORE_DOOR, key=str(verified.pk)).order_by("pk")
    assert [(row.before, row.done, row.total) for row in rows] == [(0, 4, 12), (4, 8, 12), (8, 12, 12), (12, 12, 12)]
    assert ["gave way" in row.message for row in rows] == [True, True, True, False]


def test_read_again_in_the_middle_it_begins_anew(deep: Path, verified: Distribution):
    deposit, _ = depositing._begin(verified.pk, places.opened(settings.DEEP_STORAGE), CONSOLE)
    Deposit.objects.update(cursor=10**9, files=7)
    Distribution.objects.update(verified_at=timezone.now())
    made = put(verified)
    assert made.pk == deposit.pk
    assert made.files == len(FILES) + len(HOSTILE)


# --- fixity ---------------------------------------------------------------------------------------------------------


def test_a_damaged_and_a_lost_copy_are_found_and_the_office_is_told(deep: Path, verified: Distribution):
    make.person("manager")
    deposit = put(verified)
    assert check(deposit).state == "stored"
    spoil(first_copy(deposit, deep, "data/ctd/cast 1.dat"))
    first_copy(deposit, deep, "data/empty").unlink()
    found = check(deposit)
    assert (found.state, found.damaged) == ("damaged", 2)
    assert [one["path"] for one in found.damages] == ["data/ctd/cast 1.dat", "data/empty"]
    assert "its SHA-256 is" in found.damages[0]["why"]
    assert found.damages[1]["why"] == "is not there"
    assert "data/empty" in Letter.objects.get(subject__startswith="Damaged", to=make.person("manager").email).body
    assert JournalEntry.objects.filter(verb="deposit.damage").count() == 1
    first_copy(deposit, deep, "data/ctd/cast 1.dat").write_bytes(FILES["data/ctd/cast 1.dat"])
    first_copy(deposit, deep, "data/empty").write_bytes(b"")
    assert check(deposit).state == "stored"


def test_a_damaged_list_is_a_damage_and_files_still_come_back(deep: Path, verified: Distribution, home: Path):
    deposit = put(verified)
    (deep / deposit.prefix / "files.csv").chmod(0o644)
    spoil(deep / deposit.prefix / "files.csv")
    found = check(deposit)
    assert [one["path"] for one in found.damages] == ["files.csv"]
    answer("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    papers.own_copy(deposit).unlink()
    with pytest.raises(Unreachable, match="restoring by hand"):
        check(deposit)


def test_the_list_is_fetched_where_ours_is_gone(deep: Path, verified: Distribution):
    deposit = put(verified)
    papers.own_copy(deposit).write_text("path,stored_as\n")
    assert check(deposit).damaged == 0
    papers.own_copy(deposit).unlink()
    assert check(deposit).damaged == 0


def test_a_check_falls_due_the_longest_unread_first(deep: Path, verified: Distribution):
    deposit = put(verified)
    assert fixity.waiting() == []
    Deposit.objects.update(stored_at=timezone.now() - dt.timedelta(days=91))
    assert fixity.waiting() == [str(deposit.pk)]
    assert jobs.perform(storage.FIXITY_DOOR, str(deposit.pk))
    assert fixity.waiting() == []
    Deposit.objects.update(checked_at=timezone.now() - dt.timedelta(days=91))
    assert jobs.drain([storage.FIXITY_DOOR]) == 1


def test_a_check_keeps_its_place(deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch):
    deposit = put(verified)
    spoil(first_copy(deposit, deep, "data/ctd/cast 1.dat"))
    monkeypatch.setattr(fixity, "BATCH", 4)
    Deposit.objects.update(stored_at=timezone.now() - dt.timedelta(days=91))
    for n in range(1, 4):
        assert jobs.perform(storage.FIXITY_DOOR, str(deposit.pk), turn=-1.0)
        deposit.refresh_from_db()
        assert deposit.checked_line == min(4 * n, len(FILES) + len(HOSTILE))
        assert fixity.waiting() == [str(deposit.pk)]
    assert jobs.drain([storage.FIXITY_DOOR]) == 1
    deposit.refresh_from_db()
    assert (deposit.state, deposit.damaged, deposit.checked_line) == ("damaged", 1, 0)


def test_a_check_is_refused_by_state_and_by_role(deep: Path, verified: Distribution):
    deposit, _ = depositing._begin(verified.pk, places.opened(settings.DEEP_STORAGE), CONSOLE)
    with pytest.raises(NotNow, match="storing"):
        check(deposit)
    with pytest.raises(NotYou):
        check(put(verified), make.person("operator"))


# --- recovery -------------------------------------------------------------------------------------------------------


def hashdeep(place: Path) -> subprocess.CompletedProcess[bytes]:
    words = ["hashdeep", "-r", "-l", "-a", "-v", "-k", "../manifest.hashdeep", "."]
    return subprocess.run(words, cwd=place / "data", capture_output=True)


@pytest.mark.skipif(not shutil.which("hashdeep"), reason="hashdeep is not installed")
def test_what_is_recovered_is_what_was_delivered_and_hashdeep_says_so(deep: Path, verified: Distribution, home: Path):
    broken = verified.files.get(path__contains="\n")  # hashdeep does not read such a name back from its own list either
    (Path(verified.root) / broken.path).unlink()
    broken.delete()
    put(verified)
    told = answer("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    assert (told["files"], told["not recovered"]) == (len(FILES) + len(HOSTILE) - 1, [])
    before = held(Path(verified.root))
    del before[b"delivery.md5"]
    assert held(home / "back/data") == before
    assert (home / "back/data/data/empty").stat().st_mtime == 1_000_000_000
    done = hashdeep(home / "back")
    assert b"Audit passed" in done.stdout, done
    assert done.returncode == 0
    spoil(home / "back/data/data/ctd/cast 1.dat")
    assert b"Audit failed" in hashdeep(home / "back").stdout
    assert len((home / "back/manifest.md5").read_bytes()) > 500


def test_a_directory_and_a_data_set_come_back_alone(deep: Path, home: Path):
    dataset = make.dataset(home / "deliveries")
    distribution = dataset.cruise.distributions.get()
    jobs.drain([storage.STORE_DOOR])
    wanted = {path.encode() for path in dataset.files.values_list("path", flat=True)}
    cruise_id = distribution.cruise.cruise_id
    answer("recover", "--cruise", cruise_id, "--to", str(home / "set"), "--dataset", str(dataset.uuid))
    assert set(held(home / "set/data")) == wanted
    answer("recover", "--cruise", cruise_id, "--to", str(home / "dir"), "--under", "data/ctd/")
    assert set(held(home / "dir/data")) == {p for p in wanted if p.startswith(b"data/ctd/")}
    works = Work.objects.filter(door=storage.RECOVER_DOOR).order_by("pk")
    brought = [len(held(home / name / "data")) for name in ("set", "dir")]
    assert [(row.done, row.total) for row in works] == [(number, number) for number in brought]
    with pytest.raises(SystemExit):
        answer("recover", "--cruise", cruise_id, "--to", str(home / "other"), "--under", "../etc")
    with pytest.raises(CommandError, match="holds something"):
        call_command("recover", "--cruise", cruise_id, "--to", str(home / "dir"))
    assert not Recovery.objects.filter(state="requested").exists()


def test_a_damaged_copy_is_not_given_out_and_the_rest_is(deep: Path, verified: Distribution, home: Path):
    deposit = put(verified)
    spoil(first_copy(deposit, deep, "data/ctd/cast 1.dat"))
    told = answer("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    assert len(told["not recovered"]) == 1
    assert "cast 1.dat" in told["not recovered"][0]
    assert not (home / "back/data/data/ctd/cast 1.dat").exists()
    assert b"cast 1" not in (home / "back/manifest.hashdeep").read_bytes()
    assert told["files"] == deposit.files - 1


def test_the_way_of_a_request(deep: Path, verified: Distribution, home: Path):
    deposit, operator, manager = put(verified), make.person("operator"), make.person("manager")
    asked = storage.request_recovery(deposit=deposit, by=operator, reason="our disk broke")
    assert storage.request_recovery(deposit=deposit, by=operator, reason="our disk broke") == asked
    with pytest.raises(NotNow):
        bring(asked)
    with pytest.raises(NotYou):
        storage.grant(recovery=asked, by=operator)
    granted = storage.grant(recovery=asked, by=manager, note="of course")
    for act in (storage.grant, storage.refuse):
        with pytest.raises(NotNow):
            act(recovery=granted, by=manager, note="again")
    assert recovering.waiting() == [str(granted.pk)]
    assert jobs.drain([storage.RECOVER_DOOR]) == 1
    granted.refresh_from_db()
    assert (granted.state, granted.files, granted.faults) == ("ready", deposit.files, [])
    assert granted.expires_at
    assert granted.expires_at - granted.since == dt.timedelta(days=30)
    assert Letter.objects.filter(to=operator.email, subject__startswith="Recovery").count() == 1
    with pytest.raises(NotNow):
        bring(granted)
    with pytest.raises(NotNow, match="kept until"):
        storage.expire(recovery=granted, by=WORKER)
    Recovery.objects.update(expires_at=timezone.now())
    place = Path(granted.place)
    assert place.is_dir()
    assert jobs.drain([storage.RECOVER_DOOR]) == 1
    assert not place.exists()
    verbs = JournalEntry.objects.filter(kind="inventory.recovery").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["recovery.request", "recovery.grant", "recovery.deliver", "recovery.expire"]


def test_a_request_is_refused_with_a_reason(deep: Path, verified: Distribution):
    deposit, operator, manager = put(verified), make.person("operator"), make.person("manager")
    asked = storage.request_recovery(deposit=deposit, by=operator, reason="curious")
    with pytest.raises(NotYou):
        storage.refuse(recovery=asked, by=operator, note="no")
    with pytest.raises(NotLikeThis):
        storage.refuse(recovery=asked, by=manager, note=" ")
    assert storage.refuse(recovery=asked, by=manager, note="ask the ship").state == "refused"
    assert "ask the ship" in Letter.objects.get(to=operator.email, subject__startswith="Recovery").body
    assert recovering.waiting() == []


def test_who_may_ask_and_what_for(deep: Path, verified: Distribution):
    deposit, _ = depositing._begin(verified.pk, places.opened(settings.DEEP_STORAGE), CONSOLE)
    with pytest.raises(NotNow, match="not whole"):
        storage.request_recovery(deposit=deposit, by=CONSOLE, reason="why not")
    deposit = put(verified)
    for name in ("stranger", "rival"):
        with pytest.raises(NotYou):
            storage.request_recovery(deposit=deposit, by=make.person(name), reason="mine")
    assert storage.request_recovery(deposit=deposit, by=make.person("chief"), reason="my data", under="data").under
    for words in ({"reason": ""}, {"reason": "x", "under": "nothing/there"}, {"reason": "x", "under": "../.."}):
        with pytest.raises(NotLikeThis):
            storage.request_recovery(deposit=deposit, by=CONSOLE, **words)


def test_a_recovery_goes_on_where_it_was_stopped(
    deep: Path, verified: Distribution, home: Path, monkeypatch: pytest.MonkeyPatch
):
    put(verified)
    monkeypatch.setattr(recovering, "BATCH", 3)
    write, count = local._write, [0]

    def full(file: int, block: bytes) -> None:
        count[0] += 1
        if count[0] > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, block)

    monkeypatch.setattr(local, "_write", full)
    words = ["--cruise", verified.cruise.cruise_id, "--to", str(home / "back")]
    with pytest.raises(CommandError, match="is full"):
        call_command("recover", *words)
    monkeypatch.setattr(local, "_write", write)
    assert answer("recover", *words)["files"] == len(FILES) + len(HOSTILE)
    stopped, ended = Work.objects.filter(door=storage.RECOVER_DOOR).order_by("pk")
    assert (stopped.total, ended.total) == (len(FILES) + len(HOSTILE), ended.done)
    assert Recovery.objects.count() == 1
    assert held(home / "back/data").keys() == held(Path(verified.root)).keys() - {b"delivery.md5"}


def test_a_recovery_gives_way_to_other_work(deep: Path, verified: Distribution, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recovering, "BATCH", 5)
    asked = storage.request_recovery(deposit=put(verified), by=CONSOLE, reason="the disk was lost")
    storage.grant(recovery=asked, by=CONSOLE)
    assert in_turns(storage.RECOVER_DOOR, str(asked.pk)) == 4
    asked.refresh_from_db()
    assert (asked.state, asked.files, asked.faults) == ("ready", len(FILES) + len(HOSTILE), [])
    assert held(Path(asked.place) / "data").keys() == held(Path(verified.root)).keys() - {b"delivery.md5"}


def test_a_person_with_nothing_but_the_storage_restores_it_as_the_manual_says(deep: Path, verified: Distribution):
    place = deep / put(verified).prefix
    said = (settings.BASE_DIR / "docs/deep-storage.md").read_text().partition("```python\n")[2].partition("```")[0]
    subprocess.run([sys.executable, "-c", said], cwd=place, check=True)
    before = held(Path(verified.root))
    del before[b"delivery.md5"]
    assert held(place / "restored") == before


# --- commands -------------------------------------------------------------------------------------------------------


def test_commands_answer_as_json(deep: Path, verified: Distribution):
    cruise_id = verified.cruise.cruise_id
    with pytest.raises(SystemExit):
        answer("fixity", "--cruise", cruise_id)
    told = answer("store", "--cruise", cruise_id)
    assert (told["state"], told["files"]) == ("stored", len(FILES) + len(HOSTILE))
    assert answer("store", "--cruise", cruise_id)["stored at"] == told["stored at"]
    [copy] = answer("fixity")["copies"]
    assert (copy["state"], copy["damaged"]) == ("stored", 0)
    out = StringIO()
    call_command("fixity", "--cruise", cruise_id, stdout=out)
    assert "0 damaged" in out.getvalue()


def test_a_command_stands_back_for_a_worker(deep: Path, verified: Distribution):
    with progress(storage.STORE_DOOR, str(verified.pk)), pytest.raises(CommandError, match="worker is at it"):
        call_command("store", "--cruise", verified.cruise.cruise_id)


def test_nothing_to_recover_is_said(deep: Path, verified: Distribution, home: Path):
    with pytest.raises(CommandError, match="no copy"):
        call_command("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    assert issubclass(NotFound, Exception)


def test_rights_are_granted():
    assert {"deposit.store", "deposit.check", "recovery.request", "recovery.grant"} <= set(access.rights())


# --- a killed copying -----------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import django; django.setup()
from inventory.storage import local
from inventory.storage.backend import Piece
import hashlib, itertools
root, deep = Path(sys.argv[2]), Path(sys.argv[3])
pieces = []
for n, path in enumerate(sorted(root.iterdir())):
    data = path.read_bytes()
    pieces.append(Piece(n, path.name, path.name, len(data), hashlib.md5(data).hexdigest(),
                        hashlib.sha256(data).hexdigest(), None))
storage = local.Local(deep, f"local:{deep}")
storage.ready(used=False)
count, write = itertools.count(1), local._write

def killed_in_the_middle(file, block):
    if next(count) == 20:
        write(file, block[: len(block) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    write(file, block)

if sys.argv[4] == "killed":
    local._write = killed_in_the_middle
for outcome in storage.put(root, "x", pieces, lambda: None, resumed=sys.argv[4] == "again"):
    print(outcome.fault or "ok", flush=True)
"""


def test_killed_in_the_middle_no_half_file_bears_a_name(tmp_path: Path):
    root, deep, script = tmp_path / "root", tmp_path / "deep", tmp_path / "put.py"
    root.mkdir()
    script.write_text(textwrap.dedent(KILLED))
    for n in range(64):
        (root / f"f{n:02}").write_bytes(os.urandom(1024) * 1024)
    words = [sys.executable, str(script), str(settings.BASE_DIR), str(root), str(deep)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    killed = subprocess.run([*words, "killed"], capture_output=True, env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    kept = [path for path in (deep / "x").iterdir() if not path.name.startswith(local.PARTIAL)]
    assert 0 < len(kept) < 20
    assert len(kept) < len(list((deep / "x").iterdir()))  # the half one lies there too, under no name of ours
    assert all(path.read_bytes() == (root / path.name).read_bytes() for path in kept)
    done = subprocess.run([*words, "again"], capture_output=True, env=environment, timeout=60)
    assert done.stdout.split() == [b"ok"] * 64
    assert held(root).items() <= held(deep / "x").items()
