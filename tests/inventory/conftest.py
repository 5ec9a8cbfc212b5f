"""Fixtures of the inventory's tests: a deep storage of the test's own, and a distribution to be kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from inventory import intake
from inventory.models import Distribution
from portal import jobs
from portal.access import CONSOLE
from tests import make, objects
from tests.inventory.keeping import FILES, HOSTILE


@pytest.fixture
def deep(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deep storage of the test's own."""
    root = home / "deep"
    monkeypatch.setattr(settings, "DEEP_STORAGE", f"local:{root}")
    monkeypatch.setattr(settings, "FIXITY_DAYS", 90)
    return root


@pytest.fixture
def verified(home: Path) -> Distribution:
    """A verified distribution whose names are not all plain."""
    folder = make.delivery(home / "deliveries" / "x", FILES)
    for name in HOSTILE:
        (folder / "odd").mkdir(exist_ok=True)
        Path(os.fsdecode(os.fsencode(folder / "odd") + b"/" + name)).write_bytes(b"content of " + name)
    os.utime(folder / "data/empty", (1_000_000_000, 1_000_000_000))
    made = intake.receive(cruise=make.cruise(state="ended"), root=folder, by=CONSOLE).distribution
    assert jobs.perform("inventory.verify", str(made.pk))
    made.refresh_from_db()
    return made


@pytest.fixture(scope="session")
def object_store() -> Iterator[objects.ObjectStore]:
    """A server that speaks S3, really listening."""
    if not objects.SERVER.exists():
        pytest.skip(f"S3 server not found at {objects.SERVER}; script/test installs it")
    with objects.running() as store:
        yield store


@pytest.fixture
def bucket(object_store: objects.ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket of the test's own, its remote in the environment; its name."""
    if connection.vendor == "postgresql":
        pytest.skip("storing through rclone is tested on the embedded default; the database's part is the same")
    name = f"tank-{os.urandom(6).hex()}"
    object_store.say("PUT", name)
    for variable, value in object_store.remote.items():
        monkeypatch.setenv(variable, value)
    return name
