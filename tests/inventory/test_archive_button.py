"""The button for the permanent archive: the office asks, the worker copies; refused with the reason, and done once."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from inventory import datasets, storage
from inventory.models import Dataset, Deposit, Distribution
from inventory.storage import migrating
from portal import jobs, work
from portal.access import WORKER
from portal.models import JournalEntry, Work
from portal.refusals import NotNow, NotYou
from tests import make
from tests.inventory.keeping import check, put, spoil

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(deep: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Deposit:
    """The copy of a classified distribution, with an archive to go to; nothing of it is released."""
    monkeypatch.setattr(settings, "PERMANENT_ARCHIVE", f"local:{home / 'archive'}")
    found = make.round_of_review(home / "deliveries", "approved")
    return put(Distribution.objects.get(cruise=found.cruise))


def released(deposit: Deposit, most: int = 1000) -> None:
    for dataset in Dataset.objects.filter(cruise=deposit.cruise, state="approved").standing()[:most]:
        datasets.release(dataset=dataset, by=WORKER, today=timezone.now().date())


def page(deposit: Deposit, rest: str = "") -> str:
    return f"/cruise/{deposit.cruise.cruise_id}/copies/{rest}"


def press(browse: Any, deposit: Deposit) -> str:
    """What the page says after the data manager pressed the button."""
    said: str = browse("manager").post(page(deposit, "archive/"), follow=True).content.decode()
    return said


def test_pressed_it_is_done_by_the_worker_once(stored: Deposit, browse: Any):
    released(stored)
    assert "Archive it now" in browse("manager").get(page(stored)).content.decode()
    assert "The worker copies it to the permanent archive." in press(browse, stored)
    assert "The worker copies it to the permanent archive." in press(browse, stored)
    assert jobs.drain([storage.MIGRATE_DOOR]) == 1
    assert jobs.drain([storage.MIGRATE_DOOR]) == 0
    assert Deposit.objects.get(permanent=True).state == "stored"
    assert JournalEntry.objects.filter(verb="deposit.migrate").count() == 1
    said = press(browse, stored)
    assert "is in the permanent archive already." in said
    assert "Archive it now" not in said


def test_refused_by_state_with_the_reason(stored: Deposit, deep: Path, browse: Any, monkeypatch: pytest.MonkeyPatch):
    released(stored, 1)
    total = Dataset.objects.filter(cruise=stored.cruise).standing().count()
    said = press(browse, stored)
    assert f"is not all public yet: 1 of its {total} data sets are released." in said
    assert "Archive it now" not in said
    released(stored)
    victim = next(place for place in (deep / stored.prefix / "data").rglob("*.hex"))
    spoil(victim)
    check(stored)
    assert "is damaged. It is archived once it was repaired and is sound." in press(browse, stored)
    spoil(victim)
    check(stored)
    with monkeypatch.context() as patch:
        patch.setattr(settings, "PERMANENT_ARCHIVE", "off")
        assert "LEADLINE_PERMANENT_ARCHIVE is off" in press(browse, stored)
    assert storage.ask_migrate(cruise=stored.cruise, by=make.person("manager")) == [str(stored.pk)]
    with pytest.raises(NotNow, match="no copy of"):
        storage.ask_migrate(cruise=make.cruise(), by=WORKER)


def test_refused_by_role(stored: Deposit, browse: Any):
    released(stored)
    for name in ("operator", "chief", "stranger", "rival"):
        with pytest.raises(NotYou):
            storage.ask_migrate(cruise=stored.cruise, by=make.person(name))
    for name in ("operator", "chief", "rival", "stranger"):
        assert browse(name).post(page(stored, "archive/")).status_code == 403, name
    assert browse(None).post(page(stored, "archive/")).status_code == 302
    assert browse("manager").get(page(stored, "archive/")).status_code == 405
    assert "Permanent archive" not in browse("operator").get(page(stored)).content.decode()


def test_it_shows_how_far_it_is_and_why_it_stopped(stored: Deposit, browse: Any):
    released(stored)
    with work.Progress.claim(storage.MIGRATE_DOOR, str(stored.pk)) as progress:
        progress.describe("Archiving it", stored.cruise, total=40)
        Work.objects.update(done=10, bytes=8_000_000, started_at=timezone.now() - dt.timedelta(seconds=4))
        said = browse("manager").get(page(stored)).content.decode()
        assert "Archiving it" in said
        assert "10 of 40 files" in said
        assert "MB/s" in said
        assert "It is being copied there." in said
        assert "Archive it now" not in said
        raise NotNow("The tape is torn.")
    said = browse("manager").get(page(stored)).content.decode()
    assert "Archiving stopped and will be tried again." in said
    assert "The tape is torn." in said


def test_pressed_after_a_failure_it_is_tried_at_once(stored: Deposit, browse: Any, deep: Path):
    released(stored)
    victim = next(place for place in (deep / stored.prefix / "data").rglob("*.hex"))
    spoil(victim)
    root = Path(stored.distribution.root)
    root.rename(root.with_name("away"))
    assert jobs.drain([storage.MIGRATE_DOOR]) == 0
    spoil(victim)
    assert jobs.drain([storage.MIGRATE_DOOR]) == 0  # it rests
    press(browse, stored)
    assert jobs.drain([storage.MIGRATE_DOOR]) == 1
    shutil.rmtree(deep)
    assert migrating.hindrance(stored.cruise).endswith("already.")
