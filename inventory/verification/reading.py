"""Threads that read files and say what they found; no database here. hashlib lets them run on all cores at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple

from inventory import hashes, scan
from inventory.scan import Read

TASK_FILES = 64
TASK_BYTES = 32 * 1024**2


class Listed(NamedTuple):
    """A file to read: its key, where it is, its bytes when it was listed, and what the manifest says of it."""

    pk: int
    path: str
    directory: str
    size: int | None
    in_manifest: bool
    delivered_size: int | None
    delivered_md5: str
    delivered_sha256: str
    delivered_hashes: str | None = None


class Looked(NamedTuple):
    """What came of a file: what was read, or why it could not be."""

    listed: Listed
    found: Read | OSError


@dataclass(slots=True)
class Meter:
    """Bytes of a share read so far by all threads, also of files that are not at their end."""

    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A task's end: the share that it belongs to, its files, and the fault that ended it early."""

    share: int
    looked: list[Looked]
    fault: BaseException | None = None


class Stopped(Exception):
    """The readers were told to stop."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Readers:
    """Threads that read files of one root. A context manager: at its end they stop after the block at hand.

    `waiting` counts the tasks that have not ended, `bytes` all that was read.
    """

    def __init__(self, root: Path, threads: int) -> None:
        self._root = root
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._meters: dict[int, Meter] = {}
        self.waiting = 0
        self.bytes = 0

    def read(self, share: int, files: list[Listed]) -> int:
        """Has these files read; their ends come out of `finished` under this share's name. Returns how many ends."""
        self._meters[share] = Meter()
        tasks = list(_tasks(files))
        for task in tasks:
            self._pool.submit(self._do, share, task)
        self.waiting += len(tasks)
        return len(tasks)

    def finished(self, patience: float) -> Iterator[Finished]:
        """The tasks that have ended; waits up to `patience` seconds for the first. Raises what a task raised."""
        try:
            ended = self._finished.get(timeout=patience) if patience else self._finished.get_nowait()
            while True:
                self.waiting -= 1
                yield ended
                if ended.fault is not None and not isinstance(ended.fault, Stopped):
                    raise ended.fault
                ended = self._finished.get_nowait()
        except Empty:
            return

    def bytes_read(self, share: int) -> int:
        """Bytes of a share that went through the hashes so far."""
        return self._meters[share].bytes

    def forget(self, share: int) -> None:
        """The share is done with."""
        self._meters.pop(share, None)

    def _do(self, share: int, files: list[Listed]) -> None:
        looked: list[Looked] = []
        told = self._teller(share)
        fault: BaseException | None = None
        try:
            with scan.Opener(self._root) as opener:
                # Drawn one by one: what was read before a fault is kept.
                looked.extend(Looked(listed, self._look(opener, listed, told)) for listed in files)
        except BaseException as error:
            fault = error
        self._finished.put(Finished(share, looked, fault))

    def _look(self, opener: scan.Opener, listed: Listed, told: Callable[[int], None]) -> Read | OSError:
        """Reads one file. Raises RootGone when the whole root is not there any more."""
        try:
            _, path, *_, md5, sha256, others = listed
            return scan.read_with(opener, path, told, other=hashes.to_read(md5, sha256, others))
        except OSError as error:
            if not scan.there(self._root):
                raise scan.RootGone(str(self._root)) from error
            return error

    def _teller(self, share: int) -> Callable[[int], None]:
        meter = self._meters[share]

        def told(count: int) -> None:
            if self._stop.is_set():
                raise Stopped
            with self._lock:
                meter.bytes += count
                self.bytes += count

        return told

    def stop(self) -> None:
        """Ends the threads after the block at hand; what they have read so far still comes out of `finished`."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _tasks(files: list[Listed]) -> Iterator[list[Listed]]:
    task: list[Listed] = []
    size = 0
    for listed in files:
        task.append(listed)
        size += listed.size or 0
        if len(task) >= TASK_FILES or size >= TASK_BYTES:
            yield task
            task, size = [], 0
    if task:
        yield task
