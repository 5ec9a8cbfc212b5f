"""A real site for tests and benchmarks: a home of its own, the web server as `serve` starts it, and its queue."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SET_UP = """
import json, sys
from tests import make
from portal import tokens
from portal.access import CONSOLE
from eventlog import logbook
cruise = make.cruise("LIVE01", state="at sea")
people = {}
for name in ("watch", "chief", "stranger"):
    token, secret = tokens.issue(person=make.person(name), name="live", scopes=["read", "events:write"], by=CONSOLE)
    people[name] = {"token": secret, "uuid": str(make.person(name).uuid)}
print(json.dumps(people))
"""


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """The site on a home of its own; cruise LIVE01 is at sea, and watch and chief have tokens."""

    home: Path
    database: str = ""
    workers: int = 1
    with_queue: bool = True
    port: int = field(default_factory=free_port)
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    web: subprocess.Popen[bytes] | None = None
    queue: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LEADLINE_", "DATABASE_", "REDIS_"))}
        kept |= {"LEADLINE_MODE": "test", "LEADLINE_HOME": str(self.home), "PORT": str(self.port)}
        kept |= {"LOG_LEVEL": "WARNING", "SECRET_KEY": "only-for-tests-" + "x" * 40, "PYTHONPATH": str(ROOT)}
        kept["LEADLINE_URL"] = f"http://127.0.0.1:{self.port}"
        return kept | ({"DATABASE_URL": self.database} if self.database else {})

    @property
    def base(self) -> str:
        return "/api/v1/cruises/LIVE01"

    def prepare(self) -> None:
        """Makes the database, the cruise and the people."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.python("manage.py", "migrate", "-v", "0")
        self.people = json.loads(self.python("manage.py", "shell", "-v", "0", "-c", SET_UP).strip().splitlines()[-1])

    def python(self, *words: str) -> str:
        """Runs a program of ours to its end; its output."""
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Starts queue and web server and waits until the site answers."""
        from portal import supervisor

        if self.with_queue and self.queue is None:
            url = f"unix://{self.home}/queue/valkey.sock"
            self.queue = subprocess.Popen(supervisor.queue_command(url, self.home), cwd=ROOT)
            supervisor.wait_for_queue(url)
        words = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", "127.0.0.1"]
        words += ["--port", str(self.port), "--no-server-header", "--log-level", "warning", "--lifespan", "off"]
        words += ["--timeout-graceful-shutdown", "5", "--no-access-log"]
        words += ["--workers", str(self.workers)] if self.workers > 1 else []
        self.web = subprocess.Popen(words, cwd=ROOT, env=self.environment, start_new_session=True)
        deadline = time.monotonic() + 60
        while not self.answers():
            assert self.web.poll() is None, "the web server did not start"
            assert time.monotonic() < deadline, "the web server does not answer"
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the site answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/live", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def call(self, path: str, body: Any = None, who: str = "watch") -> Any:
        """One request with the token of a person; the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        request.add_header("Authorization", f"Bearer {self.people[who]['token']}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def cpu_seconds(self) -> float:
        """Processor time that the web server's processes have used."""
        assert self.web is not None
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                words = stat.read_text().rpartition(")")[2].split()
                if int(words[3]) == self.web.pid:  # its session
                    ticks += int(words[11]) + int(words[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Stops the web server; the seconds that it took."""
        assert self.web is not None
        began = time.monotonic()
        self.web.send_signal(number)
        try:
            self.web.wait(20)
        finally:
            if self.web.poll() is None:
                os.killpg(self.web.pid, signal.SIGKILL)
                self.web.wait()
        return time.monotonic() - began

    def end(self) -> None:
        """Stops everything."""
        if self.web is not None and self.web.poll() is None:
            self.stop()
        if self.queue is not None:
            self.queue.terminate()
            self.queue.wait()


@dataclass
class Cluster:
    """A PostgreSQL of our own with PostGIS, durable as in use (fsync on), for benchmarks."""

    folder: Path
    port: int = field(default_factory=free_port)

    def start(self, name: str = "live") -> str:
        """Starts it; the DATABASE_URL of an empty database."""
        self.folder.mkdir(parents=True)
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self._run(["chown", "postgres", str(self.folder)], own=True)
            self.folder.parent.chmod(0o755)
        data = self.folder / "data"
        self._run(["initdb", "-D", str(data), "-U", "leadline", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=120"
        self._run(["pg_ctl", "-D", str(data), "-w", "-l", str(self.folder / "log"), "-o", options, "start"])
        self._run(["psql", "-q", *self._reach, "-d", "template1", "-c", "create extension postgis"])
        return self.add(name)

    @property
    def _reach(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "leadline"]

    def add(self, name: str) -> str:
        """One more empty database; its DATABASE_URL."""
        self._run(["createdb", *self._reach, name])
        return f"postgis://leadline@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stops it at once."""
        self._run(["pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop"])

    def _run(self, words: list[str], own: bool = False) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        program = words[0] if own else str(binaries[-1] / words[0])
        line = [program, *words[1:]]
        if os.getuid() == 0 and not own:
            line = ["su", "postgres", "-s", "/bin/bash", "-c", " ".join(f"'{word}'" for word in line)]
        subprocess.run(line, check=True, cwd="/", stdout=subprocess.DEVNULL)
