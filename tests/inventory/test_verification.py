"""Reading by several workers: chunks and their claims, stopping and going on, and what could not be read."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from inventory import scan, verification
from inventory.models import Chunk, Distribution, File
from inventory.verification import chunks, outcomes, verify
from inventory.verification.reading import Listed, Looked
from portal import jobs, work
from portal.models import JournalEntry, Work
from portal.work import Progress
from tests import make
from tests.inventory.keeping import in_turns

pytestmark = pytest.mark.django_db
TEN = {f"d{n % 3}/f{n}.dat": f"content {n}\n".encode() for n in range(10)}


@pytest.fixture
def delivered(home: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A distribution of ten files, in chunks of three."""
    monkeypatch.setattr(chunks, "FILES", 3)
    return make.distribution(home / "deliveries", files=TEN)


def root(distribution: Distribution) -> Path:
    return Path(distribution.root)


def words(distribution: Distribution) -> dict[str, str]:
    return dict(distribution.files.values_list("path", "state"))


def seat(distribution: Distribution, number: int = 1) -> Progress:
    return Progress.claim(verification.DOOR, list(verification.seats(distribution.pk))[number - 1])


def begin(distribution: Distribution) -> None:
    assert verify._begin(distribution.pk) is not None


def perform(distribution: Distribution) -> Distribution:
    assert jobs.perform(verification.DOOR, str(distribution.pk))
    distribution.refresh_from_db()
    return distribution


def silence(progress: Progress) -> None:
    """As after a SIGKILL: the row still runs, and no beat was heard for long."""
    Work.objects.filter(pk=progress.row.pk).update(beat_at=timezone.now() - work.STALE - dt.timedelta(seconds=1))


def test_chunks_hold_every_unread_file_once(delivered: Distribution):
    begin(delivered)
    held = [chunks.contents(chunk) for chunk in delivered.chunks.all()]
    assert [len(files) for files in held] == [3, 3, 3, 1]
    assert sorted(listed.path for files in held for listed in files) == sorted(TEN)
    assert sum(delivered.chunks.values_list("bytes", flat=True)) == sum(map(len, TEN.values()))
    begin(delivered)
    assert delivered.chunks.count() == 4


def test_two_workers_never_hold_the_same_chunk(delivered: Distribution):
    begin(delivered)
    first, second = seat(delivered), seat(delivered, 2)
    taken = [chunks.claim(delivered.pk, (first, second)[n % 2].row) for n in range(5)]
    assert taken[4] is None
    assert len({chunk.pk for chunk in taken if chunk}) == 4
    assert {chunk.work_id for chunk in Chunk.objects.all()} == {first.row.pk, second.row.pk}


def test_a_claim_that_was_snapped_up_meanwhile_goes_to_the_next(
    delivered: Distribution, monkeypatch: pytest.MonkeyPatch
):
    begin(delivered)
    first, second = seat(delivered), seat(delivered, 2)
    free = chunks.free
    raced: list[int] = []

    def seen_by_both(pk: int) -> Any:
        found = free(pk)
        if not raced:
            stale = found.order_by("pk").values_list("pk", "work_id").first()
            raced.append(pk)
            Chunk.objects.filter(pk=stale[0]).update(work=second.row)

            class Seen:
                def order_by(self, name: str) -> Seen:
                    return self

                def values_list(self, *names: str) -> Seen:
                    return self

                def first(self) -> Any:
                    return stale

            return Seen()
        return found

    monkeypatch.setattr(chunks, "free", seen_by_both)
    mine = chunks.claim(delivered.pk, first.row)
    assert mine is not None
    assert mine.pk != Chunk.objects.get(work=second.row).pk


def test_the_chunks_of_a_dead_worker_come_back(delivered: Distribution):
    begin(delivered)
    dead = seat(delivered)
    held = chunks.claim(delivered.pk, dead.row)
    assert held is not None
    assert held.pk not in chunks.free(delivered.pk).values_list("pk", flat=True)
    silence(dead)
    assert chunks.free(delivered.pk).first() == held
    perform(delivered)
    assert (delivered.state, words(delivered)) == ("verified", dict.fromkeys(TEN, "matched"))
    assert not Chunk.objects.exists()


def test_a_worker_that_was_only_thought_dead_writes_nothing(delivered: Distribution):
    begin(delivered)
    slow, quick = seat(delivered), seat(delivered, 2)
    held = chunks.claim(delivered.pk, slow.row)
    assert held is not None
    silence(slow)
    assert chunks.claim(delivered.pk, quick.row) == held
    with pytest.raises(work.Lost):
        chunks.keep(held, files=0, bytes_left=0)
    with pytest.raises(work.Lost):
        chunks.close(held)
    assert Chunk.objects.get(pk=held.pk).files == 3


def test_a_second_seat_is_offered_while_there_is_a_chunk_free(delivered: Distribution):
    key = str(delivered.pk)
    assert verification.waiting() == [key]
    begin(delivered)
    first = seat(delivered)
    assert verification.waiting() == [key, f"{key}:2"]
    while chunks.claim(delivered.pk, first.row):
        pass
    assert verification.waiting() == [key]


def test_the_second_leaves_what_the_first_still_reads(delivered: Distribution):
    begin(delivered)
    first = seat(delivered)
    held = chunks.claim(delivered.pk, first.row)
    assert jobs.perform(verification.DOOR, f"{delivered.pk}:2")
    delivered.refresh_from_db()
    assert delivered.state == "received"
    assert sorted(words(delivered).values()) == ["listed"] * 3 + ["matched"] * 7
    assert list(Chunk.objects.all()) == [held]
    chunks.release(first.row)
    with first:
        verification.run(str(delivered.pk), first)
    delivered.refresh_from_db()
    assert delivered.state == "verified"
    rows = Work.objects.filter(door=verification.DOOR)
    assert sorted(rows.values_list("done", flat=True)) == [3, 7]
    assert sum(rows.values_list("bytes", flat=True)) == sum(map(len, TEN.values()))
    assert JournalEntry.objects.filter(verb="distribution.verify").count() == 1


@pytest.mark.parametrize("told_to_stop", [KeyboardInterrupt, SystemExit])
def test_stopped_it_keeps_what_was_read_and_goes_on(
    delivered: Distribution, monkeypatch: pytest.MonkeyPatch, told_to_stop: type[BaseException]
):
    calls: list[str] = []
    read = scan.read_with

    def counted(opener: scan.Opener, path: str, told: Any, **more: Any) -> scan.Read:
        found = read(opener, path, told, **more)
        calls.append(path)  # a file that was stopped in the middle is read again
        return found

    def stop(progress: Progress) -> None:
        raise told_to_stop

    monkeypatch.setattr(scan, "read_with", counted)
    monkeypatch.setattr(verify, "BATCH", 1)
    progress = seat(delivered)
    with pytest.raises(told_to_stop), progress:
        verification.run(str(delivered.pk), progress, threads=1, told=stop)
    read_first = delivered.files.filter(state="matched").count()
    assert 0 < read_first == len(calls)
    assert not Chunk.objects.filter(work__isnull=False).exists()
    assert Work.objects.get().state == "interrupted"
    perform(delivered)
    assert words(delivered) == dict.fromkeys(TEN, "matched")
    assert sorted(calls) == sorted(TEN)


def test_a_long_reading_gives_way_to_other_work(delivered: Distribution):
    assert in_turns(verification.DOOR, str(delivered.pk)) == 4  # chunks of three files
    assert words(delivered) == dict.fromkeys(TEN, "matched")
    delivered.refresh_from_db()
    assert delivered.state == "verified"
    rows = Work.objects.filter(door=verification.DOOR).order_by("pk")
    assert [row.done for row in rows] == [3, 3, 3, 1]
    assert "gave way" in rows[0].message
    assert not chunks.free(delivered.pk).exists()


def test_a_worker_has_a_turn_and_a_command_has_none(delivered: Distribution, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jobs, "TURN", -1.0)
    monkeypatch.setattr(jobs, "close_old_connections", lambda: None)
    jobs.open_door(verification.DOOR, str(delivered.pk))
    assert sorted(words(delivered).values()).count("matched") == 3
    perform(delivered)
    assert words(delivered) == dict.fromkeys(TEN, "matched")


def test_an_empty_mount_point_is_a_vanished_disk(delivered: Distribution, home: Path):
    root(delivered).rename(home / "unplugged")
    root(delivered).mkdir()
    assert not jobs.perform(verification.DOOR, str(delivered.pk))
    assert words(delivered) == dict.fromkeys(TEN, "listed")
    assert "Mount the disk again" in Work.objects.get().message
    root(delivered).rmdir()
    (home / "unplugged").rename(root(delivered))
    perform(delivered)
    assert words(delivered) == dict.fromkeys(TEN, "matched")


def test_an_unreadable_file_holds_up_nothing(delivered: Distribution, monkeypatch: pytest.MonkeyPatch):
    read = scan.read_with

    def bad_block(opener: scan.Opener, path: str, told: Any, **more: Any) -> scan.Read:
        if path == "d1/f4.dat":
            raise OSError(5, "Input/output error")
        return read(opener, path, told, **more)

    monkeypatch.setattr(scan, "read_with", bad_block)
    perform(delivered)
    assert words(delivered) == dict.fromkeys(TEN, "matched") | {"d1/f4.dat": "unreadable"}
    file = delivered.files.get(path="d1/f4.dat")
    assert (file.note, file.md5) == ("Input/output error", "")
    assert file.verified_at
    assert delivered.state == "verified"


def test_what_no_manifest_names_and_vanishes_leaves_the_list(home: Path):
    folder = make.delivery(home / "deliveries" / "x", TEN)
    (folder / "extra.dat").write_bytes(b"extra")
    made = verify_of(folder)
    (folder / "extra.dat").unlink()
    (folder / "d0/f0.dat").unlink()
    perform(made)
    assert words(made) == dict.fromkeys(TEN, "matched") | {"d0/f0.dat": "missing"}
    assert [problem["path"] for problem in made.problems] == ["extra.dat"]
    assert "no manifest names it" in made.problems[0]["why"]


def verify_of(folder: Path) -> Distribution:
    from inventory import intake
    from portal.access import CONSOLE

    return intake.receive(cruise=make.cruise(state="ended"), root=folder, by=CONSOLE).distribution


def test_moved_files_are_paired_once_each_also_by_sha256(home: Path):
    content = {"a": b"same", "b": b"same", "c": b"same", "d": b"other"}
    folder = home / "deliveries" / "x"
    folder.mkdir(parents=True)
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in content.items()]
    (folder / "sha256sum.txt").write_text("".join(lines))
    for name in ("x", "y"):
        (folder / name).write_bytes(b"same")
    (folder / "z").write_bytes(b"other")
    made = perform(verify_of(folder))
    notes = dict(made.files.values_list("path", "note"))
    assert words(made) == dict.fromkeys("abcd", "missing") | dict.fromkeys("xyz", "moved")
    assert {notes["x"], notes["y"], notes["z"]} == {"from a", "from b", "from d"}
    assert notes["c"] == ""
    assert {notes["a"], notes["b"], notes["d"]} == {"moved to x", "moved to y", "moved to z"}


def test_thousands_of_results_are_written_in_a_few_statements(
    delivered: Distribution, django_assert_max_num_queries: Any
):
    files = list(delivered.files.all())
    read = scan.Read(3, "0" * 32, "1" * 64)
    looked = [Looked(Listed(f.pk, f.path, f.directory, f.size, True, 3, "0" * 32, ""), read) for f in files]
    with django_assert_max_num_queries(1):
        outcomes.write(looked)
    assert set(File.objects.values_list("size", "md5", "state")) == {(3, "0" * 32, "matched")}


def test_standing_tells_files_bytes_rate_and_time_left(delivered: Distribution):
    assert verification.standing(delivered, delivered.counts()) is None
    begin(delivered)
    progress = seat(delivered)
    held = chunks.claim(delivered.pk, progress.row)
    assert held is not None
    chunks.keep(held, files=1, bytes_left=5)
    now = timezone.now()
    Work.objects.update(started_at=now - dt.timedelta(seconds=2), beat_at=now, done=2, bytes=1000)
    found = verification.standing(delivered, delivered.counts())
    assert found is not None
    assert (found.files, found.files_done, found.workers) == (10, 2, 1)
    assert found.files_per_second == pytest.approx(1)
    assert found.bytes_per_second == pytest.approx(500)
    assert found.seconds_left == pytest.approx(8)
    assert (found.left, found.rate) == ("8 s left", "0.0 MB/s, 1 files/s")
    perform_rest(delivered, progress)
    assert verification.standing(delivered, delivered.counts()) is None


def perform_rest(distribution: Distribution, progress: Progress) -> None:
    chunks.release(progress.row)
    with progress:
        verification.run(str(distribution.pk), progress)
    distribution.refresh_from_db()


# --- one reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 2047, scan.BLOCK - 1, scan.BLOCK, scan.BLOCK + 1, 3 * scan.BLOCK])
def test_both_hashes_in_one_reading(tmp_path: Path, size: int):
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    counted: list[int] = []
    read = scan.read(tmp_path, "file", counted.append)
    assert read == scan.Read(size, hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest())
    assert sum(counted) == size


def test_a_directory_is_opened_once_and_no_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a/b/one", "a/b/two", "c/three"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "c/link").symlink_to(tmp_path / "a/b/one")
    (tmp_path / "way").symlink_to(tmp_path / "a")
    opened: list[Any] = []
    system_open = os.open

    def watched(path: Any, *more: Any, **where: Any) -> int:
        opened.append(path)
        return system_open(path, *more, **where)

    monkeypatch.setattr(os, "open", watched)
    with scan.Opener(tmp_path) as opener:
        for name in ("a/b/one", "a/b/two", "c/three"):
            assert scan.read_with(opener, name).md5 == hashlib.md5(name.encode()).hexdigest()
        assert opened == [tmp_path, b"a", b"b", b"one", b"two", tmp_path, b"c", b"three"]
        for name in ("c/link", "way/b/one", "c", "c/three/x"):
            with pytest.raises(OSError, match=r"."):
                opener.open(name)
        assert scan.read_with(opener, "c/three").size == 7


# --- the page and the command ---------------------------------------------------------------------------------------


def test_the_inventory_page_shows_how_far_the_reading_is(delivered: Distribution, browse: Any):
    page = f"/cruise/{delivered.cruise.cruise_id}/inventory/"
    begin(delivered)
    quiet = browse("operator").get(page).content.decode()
    assert "0 of 10 files" in quiet
    assert "Nobody reads at the moment" in quiet
    progress = seat(delivered)
    held = chunks.claim(delivered.pk, progress.row)
    assert held is not None
    chunks.keep(held, files=1, bytes_left=5)
    now = timezone.now()
    Work.objects.update(started_at=now - dt.timedelta(seconds=2), beat_at=now, done=2, bytes=1000)
    text = browse("operator").get(page).content.decode()
    assert all(said in text for said in ("2 of 10 files", "1 files/s", "8 s left", "1 worker<"))
    perform_rest(delivered, progress)
    assert "Progress" not in browse("operator").get(page).content.decode()


def test_what_stopped_the_reading_is_told_of_the_shipment_in_force_and_its_place_not_to_everybody(
    delivered: Distribution, home: Path, browse: Any
):
    page = f"/cruise/{delivered.cruise.cruise_id}/inventory/"
    root(delivered).rename(home / "unplugged")
    assert not jobs.perform(verification.DOOR, str(delivered.pk))
    office, anybody = (browse(name).get(page).content.decode() for name in ("operator", None))
    assert "Reading the files stopped" in office
    assert delivered.root in office
    assert "Reading the files stopped" in anybody
    assert delivered.root not in anybody
    make.distribution(home / "corrected", of=delivered.cruise, files=TEN | {"more": b"1"})
    after = browse("operator").get(page).content.decode()
    assert "Shipment 2" in after
    assert "Reading the files stopped" not in after


def test_the_command_tells_what_it_read_and_how_fast(delivered: Distribution):
    said = StringIO()
    cruise = delivered.cruise.cruise_id
    call_command("verify", "--cruise", cruise, "--workers", "2", "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert (answer["state"], answer["problem"]) == ("verified", "")
    assert (answer["read"]["files"], answer["read"]["bytes"]) == (10, sum(map(len, TEN.values())))
    assert answer["read"]["files/s"] > 0
    said = StringIO()
    call_command("verify", "--cruise", cruise, stdout=said)
    assert "read here" not in said.getvalue()
    with pytest.raises(CommandError, match="--workers"):
        call_command("verify", "--cruise", cruise, "--workers", "-1")


def test_the_command_joins_in_and_takes_over_from_the_dead(delivered: Distribution, monkeypatch: pytest.MonkeyPatch):
    begin(delivered)
    other = seat(delivered)
    chunks.claim(delivered.pk, other.row)
    monkeypatch.setattr("time.sleep", lambda seconds: silence(other))
    said = StringIO()
    call_command("verify", "--cruise", delivered.cruise.cruise_id, "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert (answer["state"], answer["read"]["files"]) == ("verified", 10)
    assert Work.objects.filter(key=f"{delivered.pk}:2", state="done").exists()


def test_the_command_says_that_the_disk_is_gone(delivered: Distribution, home: Path):
    root(delivered).rename(home / "unplugged")
    said = StringIO()
    call_command("verify", "--cruise", delivered.cruise.cruise_id, "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert answer["state"] == "received"
    assert "Mount the disk again" in answer["problem"]
