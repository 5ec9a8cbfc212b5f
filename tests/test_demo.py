"""The demonstration as a command: all floors' parts, a second time without effect, and cruises for load tests."""

from __future__ import annotations

import json
import socket
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from eventlog.models import Event
from inventory.models import Dataset, File, Review, Track
from portal.models import Cruise, JournalEntry, Person
from publishing.models import Submission

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home", "registrar")]


@pytest.fixture(autouse=True)
def free_port(settings) -> None:
    """The demonstration's own registrar finds its port free, whatever else runs on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.REGISTRAR_PORT = probe.getsockname()[1]


def run(*words: str) -> str:
    said = StringIO()
    call_command(*words, stdout=said)
    return said.getvalue()


def counted() -> list[int]:
    return [kind.objects.count() for kind in (Person, Cruise, Event, File, Dataset, Review, Submission, JournalEntry)]


def test_the_demonstration_takes_a_cruise_to_its_published_record_and_is_loaded_once(home: Path):
    run("demo", "--date", "2026-06-15")
    finished, running, planned = Cruise.objects.order_by("depart_date")
    assert (finished.cruise_id, running.cruise_id, planned.cruise_id) == ("FA2601", "FA2602", "FA2603")
    assert (finished.public_at is not None, running.state, planned.state) == (True, "at sea", "planned")
    assert Track.objects.get(distribution__cruise=finished).control_points > 2
    unlike = {file.shown: file.state for file in File.objects.exclude(state="matched")}
    assert unlike == {
        "docs/operator_report.txt": "changed",
        "ctd/raw/FA2601_017.xmlcon": "missing",
    }  # a delivery with faults
    assert Event.objects.filter(log__cruise=running).exists()
    before = counted()
    assert "Loading" not in run("demo", "--once")
    run("demo")
    assert counted() == before
    assert json.loads((home / "demonstration.json").read_text()) == {"date": "2026-06-15", "loaded": True}


def test_cruises_for_load_tests():
    run("demo", "--cruises", "2", "--files-per-cruise", "30")
    assert Cruise.objects.count() == 2
    assert File.objects.count() >= 60


def test_the_demonstration_is_not_for_production(settings):
    settings.MODE = "production"
    with pytest.raises(CommandError, match="not loaded in production"):
        run("demo")
    assert not Person.objects.exists()
