"""The page of copies: asked by the operator, granted by the office, downloaded as a tar; strangers see a date alone."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from inventory import storage
from inventory.models import Distribution, Recovery
from inventory.views.deep import tar
from portal import jobs
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(home: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    monkeypatch.setattr(settings, "DEEP_STORAGE", f"local:{home / 'deep'}")
    made = make.distribution(home / "deliveries", "classified")
    assert jobs.drain([storage.STORE_DOOR]) == 1
    return made


def page(distribution: Distribution, rest: str = "") -> str:
    return f"/cruise/{distribution.cruise.cruise_id}/copies/{rest}"


def test_asked_granted_and_downloaded(stored: Distribution, browse: Any):
    operator, manager = browse("operator"), browse("manager")
    assert operator.post(page(stored, "ask/"), {"reason": "our disk broke", "under": "data/ctd"}).status_code == 302
    asked = Recovery.objects.get()
    assert "Requests for files from deep storage" in manager.get("/").content.decode()
    download = page(stored, f"{asked.uuid}/download/")
    assert operator.get(download).status_code == 409
    assert operator.post(page(stored, f"{asked.uuid}/decide/"), {"do": "grant"}).status_code == 403
    assert manager.post(page(stored, f"{asked.uuid}/decide/"), {"do": "grant"}).status_code == 302
    assert jobs.drain([storage.RECOVER_DOOR]) == 1
    assert "Download as tar" in operator.get(page(stored)).content.decode()
    sent = b"".join(operator.get(download).streaming_content)
    with tarfile.open(fileobj=io.BytesIO(sent)) as archive:
        inner = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {f"data/{path}" for path in make.FILES if path.startswith("data/ctd/")}
    assert wanted
    assert inner == wanted | {"manifest.hashdeep", "manifest.md5"}
    for name, status in (("stranger", 403), ("rival", 403), (None, 302)):
        assert browse(name).get(download).status_code == status


def test_refused_with_a_note(stored: Distribution, browse: Any):
    operator, manager = browse("operator"), browse("manager")
    operator.post(page(stored, "ask/"), {"reason": "curious"})
    asked = Recovery.objects.get()
    manager.post(page(stored, f"{asked.uuid}/decide/"), {"do": "refuse", "note": ""})
    asked.refresh_from_db()
    assert asked.state == "requested"
    manager.post(page(stored, f"{asked.uuid}/decide/"), {"do": "refuse", "note": "ask the ship"})
    asked.refresh_from_db()
    assert asked.state == "refused"
    assert "ask the ship" in operator.get(page(stored)).content.decode()


def test_a_request_without_reason_or_outside_is_not_taken(stored: Distribution, browse: Any):
    for words in ({"reason": ""}, {"reason": "x", "under": "../../etc"}, {"reason": "x", "dataset": "999999"}):
        assert browse("operator").post(page(stored, "ask/"), words).status_code == 302
    assert not Recovery.objects.exists()


def test_the_public_sees_a_date_and_no_place(stored: Distribution, browse: Any):
    body = browse(None).get(f"/cruise/{stored.cruise.cruise_id}/").content.decode()
    assert "A copy is kept in deep storage" in body
    assert settings.DEEP_STORAGE not in body
    assert settings.DEEP_STORAGE not in browse("operator").get(page(stored)).content.decode()
    assert settings.DEEP_STORAGE in browse("manager").get(page(stored)).content.decode()


def test_names_keep_their_bytes_in_the_tar(tmp_path: Path):
    for name in (b"latin-\xe9", b"x" * 200, "Größe".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    (tmp_path / "link").symlink_to("/etc/passwd")
    with tarfile.open(fileobj=io.BytesIO(b"".join(tar(tmp_path, "top")))) as archive:
        names = {os.fsencode(name) for name in archive.getnames()}
    assert names == {b"top/latin-\xe9", b"top/" + b"x" * 200, "top/Größe".encode()}
