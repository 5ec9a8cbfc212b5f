"""Readers: threads that read files and say what they found, or have a process of their own read them. No database.

Small files are mostly Python's own work, of which a process does one thing at a time: threads that read them would
stand in the way of each other and of the one that writes down what they found. So what is more than one task is read
by processes, one for each thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, NamedTuple

from inventory import hashes, scan
from inventory.scan import Read
from inventory.verification import reader
from inventory.verification.reader import Stopped

TASK_FILES = 250
TASK_BYTES = 32 * 1024**2
PATIENCE: Final = 10.0  # seconds that a process has to say what it has when it is to end


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


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Process:
    """A reader in a process of its own: `reader`, run as a program."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        words = [sys.executable, "-I", "-B", os.fspath(reader.__file__), os.fspath(root)]
        # In a session of its own: a signal for the whole group is for us, who then end it.
        self._child = subprocess.Popen(  # noqa: S603 - our own program
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, start_new_session=True
        )

    def each(self, task: reader.Task, told: Callable[[int], None]) -> Iterator[Read | OSError]:
        """As `reader.each`. Raises RuntimeError where the process died, which only somebody else can do to it."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with suppress(BrokenPipeError):  # its end is seen below
            self._child.stdin.write(json.dumps(task).encode() + b"\n")
            self._child.stdin.flush()
        end = reader.GOES_ON
        while end == reader.GOES_ON:
            if not (line := self._child.stdout.readline()).endswith(b"\n"):
                told(0)  # it may be that we wanted it to end
                raise RuntimeError(f"a process that read files ended ({self._child.wait()})")
            count, found, end = json.loads(line)
            yield from map(reader.heard, found)
            with suppress(Stopped):
                told(count)
        if end == reader.ROOT_GONE:
            raise scan.RootGone(self._root)

    def stop(self) -> None:
        """Asks it to say what it has and to end."""
        self._child.terminate()

    def wait(self) -> None:
        """Sees it end; its last words stay in the pipe for `each`."""
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def close(self) -> None:
        """Lets the pipes go."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a task that it did not take any more
                    pipe.close()


class Readers:
    """Readers of files of one root. A context manager: at its end they stop after the block at hand.

    `waiting` counts the tasks that have not ended, `bytes` all that was read.
    """

    def __init__(self, root: Path, threads: int) -> None:
        self._root = root
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._many = False  # more than one task was asked for at once: worth processes
        self._own = threading.local()
        self._processes: list[_Process] = []
        self._meters: dict[int, Meter] = {}
        self.waiting = 0
        self.bytes = 0

    def read(self, share: int, files: list[Listed]) -> int:
        """Has these files read; their ends come out of `finished` under this share's name. Returns how many ends."""
        self._meters[share] = Meter()
        tasks = list(_tasks(files))
        self._many |= len(tasks) > 1
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
        task = [(one.path, _other(one)) for one in files]
        try:
            founds = self._process().each(task, told) if self._many else reader.each(self._root, task, told)
            # Drawn one by one: what was read before a fault is kept.
            looked.extend(Looked(*pair) for pair in zip(files, founds, strict=True))
        except BaseException as error:
            fault = error
        self._finished.put(Finished(share, looked, fault))

    def _process(self) -> _Process:
        """The process of this thread."""
        if not hasattr(self._own, "process"):
            with self._lock:
                if self._stop.is_set():
                    raise Stopped
                self._own.process = _Process(self._root)
                self._processes.append(self._own.process)
        process: _Process = self._own.process
        return process

    def _teller(self, share: int) -> Callable[[int], None]:
        meter = self._meters[share]

        def told(count: int) -> None:
            with self._lock:
                meter.bytes += count
                self.bytes += count
            if self._stop.is_set():
                raise Stopped

        return told

    def stop(self) -> None:
        """Ends the readers after the block at hand; what they have read so far still comes out of `finished`."""
        self._stop.set()
        with self._lock:
            processes, self._processes = self._processes, []
        for process in processes:
            process.stop()
        for process in processes:
            process.wait()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for process in processes:
            process.close()

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _other(listed: Listed) -> str:
    return hashes.to_read(listed.delivered_md5, listed.delivered_sha256, listed.delivered_hashes)


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
