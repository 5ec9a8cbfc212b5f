"""Readers in processes of their own: the same as in a thread, and what happens when one is stopped or dies."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory import paths, scan
from inventory.verification import reader, reading
from inventory.verification.reading import Finished, Listed, Looked, Readers

HOSTILE = (b"plain", b"with blank", b"caf\xe9", "café".encode(), b"new\nline", b'"quote"\\', b"\x01", "ﾅ".encode())


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TASK_FILES", 2)


def tree(root: Path, names: tuple[bytes, ...] = HOSTILE) -> list[Listed]:
    (root / "d").mkdir(parents=True)
    listed = []
    for number, name in enumerate(names):
        Path(os.fsdecode(os.path.join(os.fsencode(root), b"d", name))).write_bytes(name * number)
        listed.append(Listed(number, paths.to_text(b"d/" + name), "d", None, True, None, "", ""))
    return listed


def all_of(readers: Readers, until: Callable[[], bool] = lambda: False) -> list[Finished]:
    found: list[Finished] = []
    deadline = time.monotonic() + 60
    while readers.waiting and not until():
        assert time.monotonic() < deadline
        found += readers.finished(0.05)
    return found


def looked_at(found: list[Finished]) -> list[Looked]:
    return sorted((one for ended in found for one in ended.looked), key=lambda one: one.listed.pk)


def test_processes_find_what_threads_find(tmp_path: Path):
    listed = tree(tmp_path)
    listed[3] = listed[3]._replace(delivered_hashes="sha1:00 tiger:00")
    listed.append(Listed(len(listed), "d/none", "d", None, True, None, "", ""))
    (tmp_path / "d" / "link").symlink_to("plain")
    listed.append(Listed(len(listed), "d/link", "d", None, True, None, "", ""))
    with Readers(tmp_path, 2) as readers:
        assert readers.read(7, listed) == 5
        found = all_of(readers)
        assert len(readers._processes) in (1, 2)
    assert {ended.share for ended in found} == {7}
    assert [ended.fault for ended in found] == [None] * 5
    *read, none, link = looked_at(found)
    for one, name in zip(read, HOSTILE, strict=True):
        data = name * one.listed.pk
        sha1 = hashlib.sha1(data).hexdigest() if one.listed.pk == 3 else ""
        assert one.found == scan.Read(len(data), hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest(), sha1)
    assert isinstance(none.found, FileNotFoundError)
    assert none.found.strerror == "No such file or directory"
    assert isinstance(link.found, OSError)
    here = reader.each(tmp_path, [(one.path, "") for one in listed], lambda count: None)
    assert [one.strerror for one in here if isinstance(one, OSError)] == [none.found.strerror, link.found.strerror]
    assert readers.bytes == sum(one.found.size for one in read if isinstance(one.found, scan.Read))
    assert readers.bytes_read(7) == readers.bytes


def test_what_fits_into_one_task_needs_no_process(tmp_path: Path):
    listed = tree(tmp_path)
    with Readers(tmp_path, 2) as readers:
        readers.read(1, listed[:2])
        readers.read(2, listed[2:4])
        assert len(looked_at(all_of(readers))) == 4
        assert readers._processes == []


def sparse(root: Path, size: int) -> list[Listed]:
    listed = tree(root, (b"a", b"b", b"c", b"z-large"))
    os.truncate(root / "d" / "z-large", size)
    return listed


def test_stopped_it_says_what_it_has_read(tmp_path: Path):
    listed = sparse(tmp_path, 10**13)
    with Readers(tmp_path, 1) as readers:
        readers.read(1, listed)
        before = all_of(readers, until=lambda: readers.bytes > 10**8)  # in the middle of the large one
        began = time.monotonic()
        readers.stop()
        assert time.monotonic() - began < reading.PATIENCE  # it went by itself
        found = [*before, *readers.finished(0.0)]
    assert [one.listed.path for one in looked_at(found)] == ["d/a", "d/b", "d/c"]
    assert isinstance(found[-1].fault, reader.Stopped)
    assert readers.bytes > 10**8


def test_a_process_that_was_killed_is_a_fault_and_loses_nothing_said(tmp_path: Path):
    listed = sparse(tmp_path, 10**13)
    with Readers(tmp_path, 1) as readers:
        readers.read(1, listed)
        found = all_of(readers, until=lambda: readers.bytes > 10**8)
        os.kill(readers._processes[0]._child.pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match=r"a process that read files ended \(-9\)"):
            found.extend(readers.finished(10.0))
        assert [one.listed.path for one in looked_at(found)] == ["d/a", "d/b", "d/c"]


def test_a_disk_that_was_unplugged_is_no_missing_file(tmp_path: Path):
    listed = tree(tmp_path / "disk")
    with Readers(tmp_path / "disk", 1) as readers:
        readers.read(1, listed[:4])
        assert len(looked_at(all_of(readers))) == 4
        (tmp_path / "disk").rename(tmp_path / "gone")
        readers.read(2, listed[4:])
        with pytest.raises(scan.RootGone):
            all_of(readers)


def test_it_ends_with_its_caller(tmp_path: Path):
    sparse(tmp_path, 10**13)
    words = [sys.executable, "-I", "-B", str(reader.__file__), str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
        assert idle.stdin is not None
        idle.stdin.close()
        assert idle.wait(10) == 0
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
        assert busy.stdin is not None
        assert busy.stdout is not None
        busy.stdin.write(b'[["d/z-large",""]]\n')
        busy.stdin.flush()
        busy.stdout.readline()
        busy.stdout.close()  # as when the caller was killed: nobody hears it any more
        assert busy.wait(10) in (0, 120)
