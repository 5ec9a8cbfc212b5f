"""Flows run the real program: its own home, its own processes, on the embedded default and on PostGIS."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    """A port that nobody uses, with the one after it for the registrar."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return int(port)


@pytest.fixture(scope="session")
def static_files() -> None:
    """The collected static files, which a served page names by their hash: collected once, as script/server does it."""
    (ROOT / "build").mkdir(exist_ok=True)
    program = "set -e; . script/bootstrap; static_files"
    environment = _environment(ROOT / "build")  # a test's own mode serves them without hashes
    subprocess.run(["bash", "-c", program], cwd=ROOT, env=environment, check=True)


@dataclass
class Installation:
    """An installation of its own: environment and commands."""

    home: Path
    environment: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.environment["PORT"])

    def manage(self, *words: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
        """Runs one of our commands to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Starts one of our commands and does not wait."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )


def _environment(home: Path) -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("LEADLINE_") and k not in ("DATABASE_URL", "SECRET_KEY")
    }
    port = str(free_port())
    kept.pop("LEADLINE_URL", None)
    return kept | {
        "LEADLINE_MODE": "demonstration",
        "LEADLINE_HOME": str(home),
        "PORT": port,
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(params=["embedded", "postgis"])
def installation(request: pytest.FixtureRequest, tmp_path: Path, static_files: None) -> Iterator[Installation]:
    """An empty installation, once with SpatiaLite and once with a PostGIS database of its own."""
    environment = _environment(tmp_path / "home")
    if request.param == "postgis":
        url = os.environ.get("POSTGIS_URL")
        if not url:
            pytest.skip("no PostGIS: POSTGIS_URL is set by script/test")
        name = f"flow_{os.getpid()}_{free_port()}"
        _database(url, f"CREATE DATABASE {name}")
        environment["DATABASE_URL"] = url.rpartition("/")[0] + f"/{name}"
        yield Installation(tmp_path / "home", environment)
        _database(url, f"DROP DATABASE {name} WITH (FORCE)")
    else:
        yield Installation(tmp_path / "home", environment)


def _database(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url.replace("postgis://", "postgresql://", 1), autocommit=True) as connection:
        connection.execute(statement.encode())
