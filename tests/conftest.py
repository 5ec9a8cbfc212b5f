"""Fixtures that every test may use."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.test import Client

from tests import make

# How fast the machine is at the moment is no property of the code: no deadline for an example, nor for making one.
hypothesis.settings.register_profile("leadline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("leadline")

ROOT = Path(__file__).resolve().parent.parent
_DATABASE = {"db", "transactional_db", "django_db_setup", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", action="store_true", help="only tests that use the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--database`, leaves out what cannot differ from one database to the other."""
    if not config.getoption("--database"):
        return
    using: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        uses = item.get_closest_marker("django_db") or not _DATABASE.isdisjoint(getattr(item, "fixturenames", ()))
        (using if uses else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = using


def shared(kind: str) -> Path:
    """The folder of real data or of official schemas, as named in the environment or beside the checkout."""
    return Path(os.environ.get("LEADLINE_SHARED", ROOT.parent / "shared")) / kind


def _shared_or_skip(kind: str) -> Path:
    folder = shared(kind)
    if not folder.is_dir():
        pytest.skip(f"{kind} not found at {folder}; set LEADLINE_SHARED")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real ships' data; the test is skipped, with the reason, where it is absent."""
    return _shared_or_skip("data")


@pytest.fixture(scope="session")
def schemas() -> Path:
    """The folder of official XML schemas; the test is skipped, with the reason, where it is absent."""
    return _shared_or_skip("schemas")


@pytest.fixture
def browse() -> Callable[[str | None], Client]:
    """A client signed in as one of the named people; None for somebody who has not signed in."""

    def client(name: str | None) -> Client:
        made = Client()
        if name is not None:
            made.force_login(make.person(name), backend=settings.AUTHENTICATION_BACKENDS[0])
        return made

    return client


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own for files: deliveries, products, staging."""
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(settings, "STAGING", tmp_path / "staging")
    monkeypatch.setattr(settings, "DELIVERY_ROOTS", [tmp_path / "deliveries"])
    return tmp_path


@pytest.fixture
def drop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A drop folder that is watched."""
    folder = home / "drop"
    folder.mkdir()
    monkeypatch.setattr(settings, "DROP_FOLDER", folder)
    return folder


@pytest.fixture
def registrar(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The local registrar, really listening, for as long as the test runs; its address."""
    from publishing.registrar.local import serve_on

    server = serve_on(0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # s until it hears of its end
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(settings, "REGISTRAR_URL", address)
    yield address
    server.shutdown()
    server.server_close()
    thread.join()
