"""Deep storage on S3 through the real rclone, against a server that speaks S3 in a process of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from inventory.models import Deposit, Distribution, Recovery
from inventory.storage import child, depositing, names, papers, places
from inventory.storage.backend import MARKER, Outcome, Piece, Unreachable
from inventory.storage.rclone import Rclone
from portal import jobs
from portal.models import JournalEntry, Work
from tests import objects
from tests.inventory.keeping import FILES, HOSTILE, answer, check, held, put, spoil
from tests.running import free_port

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not shutil.which("rclone"), reason="S3 server not found: nor rclone; script/test installs both"),
]
NUMBER = len(FILES) + len(HOSTILE)


@pytest.fixture
def tank(home: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Deep storage is a path of the bucket; its address."""
    address = f"rclone:tank:{bucket}/kept"
    monkeypatch.setattr(settings, "DEEP_STORAGE", address)
    return address


def nothing() -> None:
    pass


def key(address: str, name: str) -> str:
    """An object's address on the server, without rclone."""
    return f"{address.split(':')[2]}/{name}".replace("=", "%3D").replace("+", "%2B")


def kept(deposit: Deposit, path: str) -> str:
    return key(deposit.address, f"{deposit.prefix}/data/{names.stored(path.encode())}")


def piece(path: str, content: bytes, number: int = 1) -> Piece:
    md5, sha256 = hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest()
    return Piece(number, path, names.stored(path.encode()), len(content), md5, sha256, None)


def opened(address: str) -> Rclone:
    found = places.opened(address)
    assert isinstance(found, Rclone)
    return found


def sent(storage: Rclone, root: Path, pieces: list[Piece], *, resumed: bool = False) -> list[Outcome]:
    return list(storage.put(root, "x", pieces, nothing, resumed=resumed))


# --- the way -------------------------------------------------------------------------------------------------------


def test_stored_checked_and_recovered_byte_for_byte(
    tank: str, verified: Distribution, home: Path, object_store: objects.ObjectStore
):
    deposit = put(verified)
    assert (deposit.state, deposit.files, deposit.refused) == ("stored", NUMBER, [])
    assert object_store.say("GET", key(tank, MARKER)).startswith(b"Copies of research")
    assert object_store.say("GET", kept(deposit, "data/ctd/cast 1.dat")) == FILES["data/ctd/cast 1.dat"]
    listed = object_store.say("GET", key(tank, f"{deposit.prefix}/files.csv"))
    assert hashlib.sha256(listed).hexdigest() == deposit.manifest_sha256
    assert check(deposit).damaged == 0
    papers.own_copy(deposit).unlink()
    told = answer("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    assert (told["files"], told["not recovered"]) == (NUMBER, [])
    before = held(Path(verified.root))
    del before[b"delivery.md5"]
    assert held(home / "back/data") == before
    assert (home / "back/data/data/empty").stat().st_mtime == 1_000_000_000
    assert not list((home / "back").glob(".*"))


def test_what_changed_since_it_was_verified_is_refused_and_not_kept(
    tank: str, verified: Distribution, object_store: objects.ObjectStore
):
    root = Path(verified.root)
    spoil(root / "data/ctd/cast 1.dat")
    (root / "data/empty").unlink()
    (root / "data/empty").symlink_to("/etc/passwd")
    (root / "a=b;c&'d.txt").write_bytes(b"signs and more")
    (root / "data/ctd/Größe.dat").unlink()
    deposit = put(verified)
    whys = {entry["path"]: entry["why"] for entry in deposit.refused}
    assert set(whys) == {"data/ctd/cast 1.dat", "data/empty", "a=b;c&'d.txt", "data/ctd/Größe.dat"}
    assert "its SHA-256 is" in whys["data/ctd/cast 1.dat"]
    assert "it has 14 bytes, and had 5" in whys["a=b;c&'d.txt"]
    assert (deposit.state, deposit.files) == ("stored", NUMBER - 4)
    for path in whys:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            object_store.say("GET", kept(deposit, path))
    assert check(deposit).damaged == 0


def test_damaged_and_lost_objects_are_found_and_not_given_out(
    tank: str, verified: Distribution, home: Path, object_store: objects.ObjectStore
):
    deposit = put(verified)
    object_store.say("PUT", kept(deposit, "data/ctd/cast 1.dat"), b"One\n" * 100)
    object_store.say("DELETE", kept(deposit, "data/empty"))
    found = check(deposit)
    assert (found.state, found.damaged) == ("damaged", 2)
    assert "its SHA-256 is" in found.damages[0]["why"]
    assert found.damages[1] == {"path": "data/empty", "why": "is not there"}
    told = answer("recover", "--cruise", verified.cruise.cruise_id, "--to", str(home / "back"))
    assert (told["files"], len(told["not recovered"])) == (NUMBER - 2, 2)
    assert not (home / "back/data/data/ctd/cast 1.dat").exists()
    object_store.say("DELETE", key(tank, f"{deposit.prefix}/files.csv"))
    assert "files.csv" in {one["path"] for one in check(deposit).damages}
    papers.own_copy(deposit).unlink()
    with pytest.raises(Unreachable, match="damaged in the storage"):
        check(deposit)


def test_a_file_sent_in_parts_is_compared_too(
    tank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, object_store: objects.ObjectStore
):
    monkeypatch.setenv("RCLONE_S3_UPLOAD_CUTOFF", "5M")
    content = os.urandom(12 * 1024 * 1024)
    (tmp_path / "large").write_bytes(content)
    large, storage = piece("large", content), opened(tank)
    assert [one.fault for one in sent(storage, tmp_path, [large])] == [""]
    assert storage._look("x/", ["large"], nothing)["large"].md5 == large.md5
    assert [one.fault for one in storage.check("x", [large], nothing)] == [""]
    spoil(tmp_path / "large")
    [refused] = sent(storage, tmp_path, [large])
    assert "its SHA-256 is" in refused.fault
    assert storage._look("x/", ["large"], nothing) == {}


def test_where_the_storage_tells_no_md5_what_arrived_is_read_back(
    tank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RCLONE_S3_UPLOAD_CUTOFF", "5M")
    monkeypatch.setenv("RCLONE_S3_DISABLE_CHECKSUM", "true")
    content = os.urandom(6 * 1024 * 1024)
    (tmp_path / "large").write_bytes(content)
    large, storage = piece("large", content), opened(tank)
    assert [one.fault for one in sent(storage, tmp_path, [large])] == [""]
    assert storage._look("x/", ["large"], nothing)["large"].md5 == ""
    spoil(tmp_path / "large")
    [refused] = sent(storage, tmp_path, [large])
    assert "its SHA-256 is" in refused.fault


def test_files_that_cannot_all_be_open_at_once_go_in_turns(tank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (32, 32))
    content = {f"f{n:02}": str(n).encode() for n in range(40)}
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    pieces, storage = [piece(name, data) for name, data in content.items()], opened(tank)
    runs: list[int] = []
    copy = Rclone._copy_there

    def counted(self: Rclone, below: str, lent: Any, *rest: Any) -> child.Done:
        runs.append(len(lent))
        return copy(self, below, lent, *rest)

    monkeypatch.setattr(Rclone, "_copy_there", counted)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    assert {one.fault for one in sent(storage, tmp_path, pieces)} == {""}
    assert runs == [16, 16, 8]
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
    runs.clear()
    assert {one.fault for one in sent(storage, tmp_path, pieces, resumed=True)} == {""}
    assert runs == []


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An rclone before the real one that writes down its words and its environment; where."""
    notes, folder = tmp_path / "notes", tmp_path / "bin"
    folder.mkdir()
    script = (
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> {notes}.words\nenv >> {notes}.env\nexec {shutil.which("rclone")} "$@"\n'
    )
    (folder / "rclone").write_text(script)
    (folder / "rclone").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return notes


def test_no_credential_leaves_the_environment(
    tank: str, verified: Distribution, watched: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
):
    monkeypatch.setenv("RCLONE_DUMP", "headers,auth")
    monkeypatch.setenv("RCLONE_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("DATABASE_URL", "postgis://leadline:secret-of-the-database@db/leadline")
    deposit = put(verified)
    check(deposit)
    words, environment = (watched.with_suffix(kind).read_text() for kind in (".words", ".env"))
    assert "hashsum" in words
    assert objects.SECRET not in words
    assert objects.KEY not in words
    assert objects.SECRET in environment  # it got there in the one way it may
    assert "secret-of-the-database" not in environment
    assert "RCLONE_DUMP" not in environment
    told = str(list(JournalEntry.objects.values())) + str(list(Deposit.objects.values())) + str(capfd.readouterr())
    assert objects.SECRET not in told
    assert objects.KEY not in told


def test_what_rclone_says_is_told_without_secrets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RCLONE_CONFIG_TANK_SECRET_ACCESS_KEY", objects.SECRET)
    monkeypatch.setenv("RCLONE_CONFIG_TANK_REGION", "us-east-1")
    odd = child.Done(1, "", (child.Complaint("", f"odd words about {objects.SECRET} in us-east-1"),))
    assert "odd words about … in us-east-1" in str(child.failed(odd, "rclone:tank:x"))


@pytest.mark.parametrize(
    "address",
    [
        "rclone:tank",
        "rclone::x",
        "rclone:tank:",
        "rclone:tank:a b",
        "rclone::s3,secret_access_key=x:b",
        "rclone:t:a/../b",
    ],
)
def test_an_address_that_could_hold_a_credential_is_no_setting(address: str):
    words = [sys.executable, "manage.py", "check"]
    environment = os.environ | {"LEADLINE_DEEP_STORAGE": address}
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "LEADLINE_DEEP_STORAGE is" in done.stderr


def test_the_checks_name_what_is_missing(tank: str, monkeypatch: pytest.MonkeyPatch):
    call_command("check", fail_level="WARNING")
    monkeypatch.delenv("RCLONE_CONFIG_TANK_TYPE")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemCheckError, match=r"(?s)needs rclone.*RCLONE_CONFIG_TANK_TYPE is not set"):
        call_command("check", fail_level="WARNING")


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_no_bucket_no_answer_no_remote_no_rclone(
    tank: str, verified: Distribution, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    def refused(says: str) -> None:
        with pytest.raises(Unreachable, match=says) as why:
            put(verified)
        assert objects.SECRET not in str(why.value)

    monkeypatch.setattr(settings, "DEEP_STORAGE", "rclone:tank:no-such-bucket/kept")
    refused("no such bucket. Make it")
    monkeypatch.setattr(settings, "DEEP_STORAGE", f"rclone:other:{bucket}/kept")
    refused("is not configured: set RCLONE_CONFIG_OTHER_TYPE")
    monkeypatch.setattr(settings, "DEEP_STORAGE", tank)
    with monkeypatch.context() as patch:
        patch.setenv("RCLONE_CONFIG_TANK_ENDPOINT", f"http://127.0.0.1:{free_port()}")
        refused("does not answer. Look at the network")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        refused("apt-get install rclone")
    assert set(Deposit.objects.values_list("state", "cursor")) == {("storing", 0)}
    assert put(verified).state == "stored"


def test_wrong_credentials_are_said(verified: Distribution, bucket: str, home: Path, monkeypatch: pytest.MonkeyPatch):
    with objects.running(INITIAL_NO_AUTH_ACTION_COUNT="0") as strict:
        monkeypatch.setenv("RCLONE_CONFIG_TANK_ENDPOINT", strict.address)
        monkeypatch.setattr(settings, "DEEP_STORAGE", f"rclone:tank:{bucket}/kept")
        with pytest.raises(Unreachable, match="does not let us in: look at RCLONE_CONFIG_TANK_ACCESS_KEY_ID"):
            put(verified)


def test_a_storage_that_was_emptied_is_not_begun_anew(
    tank: str, verified: Distribution, object_store: objects.ObjectStore
):
    deposit = put(verified)
    object_store.say("DELETE", key(tank, MARKER))
    with pytest.raises(Unreachable, match=r"leadline-storage.txt is missing"):
        check(deposit)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.checked_at) == ("stored", None)


def test_the_door_waits_while_the_storage_is_away_and_goes_on(
    tank: str, verified: Distribution, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(depositing, "BATCH", 5)
    runs: list[int] = []
    copy = Rclone._copy_there

    def away(self: Rclone, *rest: Any) -> child.Done:
        runs.append(1)
        if len(runs) in (3, 4):  # the second batch, both rounds
            return child.Done(1, "", (child.Complaint("", "dial tcp 10.0.0.1:443: i/o timeout"),))
        return copy(self, *rest)

    monkeypatch.setattr(Rclone, "_copy_there", away)
    assert not jobs.perform("inventory.store", str(verified.pk))
    assert "does not answer" in Work.objects.get(door="inventory.store").message
    half = Deposit.objects.get()
    assert (half.state, 0 < half.files < NUMBER) == ("storing", True)
    assert jobs.perform("inventory.store", str(verified.pk))
    assert Deposit.objects.get().files == NUMBER
    assert check(Deposit.objects.get()).damaged == 0


def test_a_run_that_takes_far_too_long_is_given_up(tank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "rclone").write_text("#!/bin/sh\nexec sleep 60\n")
    (folder / "rclone").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(child, "PATIENCE", 1.5)
    beats: list[int] = []
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="too slow"):
        child.run(["version"], tank, lambda: beats.append(1))
    assert time.monotonic() - begun < 10
    assert beats


def test_a_full_disk_stops_a_recovery_which_goes_on(
    tank: str, verified: Distribution, home: Path, monkeypatch: pytest.MonkeyPatch
):
    put(verified)
    run = child.run

    def full(words: Any, *rest: Any, **named: Any) -> child.Done:
        if "copy" in words:
            return child.Done(1, "", (child.Complaint("x", "write x: no space left on device"),))
        return run(words, *rest, **named)

    words = ["--cruise", verified.cruise.cruise_id, "--to", str(home / "back")]
    monkeypatch.setattr(child, "run", full)
    with pytest.raises(Exception, match="is full"):
        call_command("recover", *words)
    monkeypatch.setattr(child, "run", run)
    assert answer("recover", *words)["files"] == NUMBER
    assert Recovery.objects.count() == 1


# --- a killed copying -----------------------------------------------------------------------------------------------

KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import django; django.setup()
import hashlib
from inventory.storage import places
from inventory.storage.backend import Piece
root = Path(sys.argv[2])
pieces = []
for n, path in enumerate(sorted(root.iterdir())):
    data = path.read_bytes()
    pieces.append(Piece(n, path.name, path.name, len(data), hashlib.md5(data).hexdigest(),
                        hashlib.sha256(data).hexdigest(), None))
storage = places.at(sys.argv[3])
storage.ready(used=False)
print("go", flush=True)
for n, outcome in enumerate(storage.put(root, "x", pieces, lambda: None, resumed=len(sys.argv) > 4)):
    print(outcome.fault or "ok", flush=True)
"""


def _running(address: str) -> list[bytes]:
    """Command lines of the processes that are at this storage."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(place.read_bytes())
    return [line for line in found if address.partition(":")[2].encode() in line]


def test_killed_in_the_middle_it_takes_rclone_along_and_goes_on(tank: str, tmp_path: Path):
    root, script = tmp_path / "root", tmp_path / "put.py"
    root.mkdir()
    script.write_text(textwrap.dedent(KILLED))
    for n in range(48):
        (root / f"f{n:02}").write_bytes(os.urandom(1024) * 1024)
    words = [sys.executable, str(script), str(settings.BASE_DIR), str(root), tank]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings", "RCLONE_BWLIMIT": "2M"}
    environment |= {"TMPDIR": str(tmp_path)}
    storage = opened(tank)
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"go\n"
        listed = [f"f{n:02}" for n in range(48)]
        until = time.monotonic() + 30
        while not (arrived := storage._look("x/", listed, nothing)) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert 0 < len(arrived) < 48
    until = time.monotonic() + 5
    while (orphans := _running(tank)) and time.monotonic() < until:
        time.sleep(0.05)
    assert orphans == []  # nobody goes on behind our back
    del environment["RCLONE_BWLIMIT"]
    done = subprocess.run([*words, "again"], capture_output=True, env=environment, timeout=60)
    assert done.stdout.split() == [b"go", *[b"ok"] * 48]
    assert len(storage._look("x/", listed, nothing)) == 48


def test_only_what_is_meant_for_rclone_reaches_it():
    given = dict.fromkeys(("SECRET_KEY", "RCLONE_CONFIG", "RCLONE_DRY_RUN", "LD_PRELOAD"), "x")
    passed = dict.fromkeys(("PATH", "https_proxy", "AWS_PROFILE", "RCLONE_CONFIG_A_TYPE", "RCLONE_BWLIMIT"), "x")
    assert child.environment(given | passed) == passed
