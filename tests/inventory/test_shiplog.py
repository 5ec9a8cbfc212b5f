"""Receiving a distribution brings the ship's log ashore; a log that is refused leaves the delivery as it is."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from eventlog import logbook, verify
from eventlog.models import Event, Log
from inventory import shiplog
from inventory.models import Distribution
from portal import jobs
from portal.access import CONSOLE
from portal.models import Work
from tests import make
from tests.eventlog.test_shore import on_board

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(home: Path, tmp_path: Path, settings: Any) -> tuple[Any, Path, dict[str, bytes]]:
    """A cruise, where its delivery will lie, and the files of its final copy."""
    settings.MEDIA_ROOT = tmp_path / "shore"
    cruise = make.cruise()
    _, folder = on_board(cruise, tmp_path, settings)
    files = {f"eventlog/{path.name}": path.read_bytes() for path in folder.iterdir()}
    return cruise, home / "deliveries" / cruise.cruise_id, files


def receive(cruise: Any, root: Path) -> dict[str, Any]:
    said = StringIO()
    call_command("receive", str(root), "--cruise", cruise.cruise_id, "--json", stdout=said)
    answer: dict[str, Any] = json.loads(said.getvalue())
    return answer


def test_receiving_takes_the_log_ashore_once(board):
    cruise, root, files = board
    make.delivery(root, make.FILES | files)
    answer = receive(cruise, root)
    assert answer["event log"] == "taken ashore"
    assert answer["state"] == "verified"
    log = Log.objects.get(cruise=cruise)
    assert (log.state, log.events.count()) == ("closed", 4)
    assert verify.check(log).findings == []
    assert receive(cruise, root)["outcome"] == "received again"
    assert Work.objects.filter(door=shiplog.DOOR).count() == 1
    assert shiplog.waiting_to_take() == []


def test_an_altered_log_is_reported_and_the_delivery_stands(board):
    cruise, root, files = board
    name = f"eventlog/LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    make.delivery(root, make.FILES | files | {name: files[name].replace(b"miscounted", b"mistyped")})
    answer = receive(cruise, root)
    assert answer["state"] == "verified"
    assert answer["event log"].startswith("failed; The final copy is not as it was sealed")
    assert "altered revision" in answer["event log"]
    assert not Event.objects.exists()
    assert Distribution.objects.get().files.count() == len(make.FILES) + len(files)


def test_it_is_tried_a_few_times_and_then_waits_for_somebody(board):
    cruise, root, files = board
    name = f"eventlog/LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    make.delivery(root, {name: files[name][:-100]})
    receive(cruise, root)
    for _ in range(shiplog.MOST_TRIES - 1):
        (key,) = shiplog.waiting_to_take()
        jobs.perform(shiplog.DOOR, key)
    assert shiplog.waiting_to_take() == []


def test_where_ship_and_shore_are_one_there_is_nothing_to_take(home, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    event = make.event()
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    files = {copy.name: b"".join(logbook.bytes_of(copy)) for copy in log.final_copies.all()}
    root = make.delivery(home / "deliveries" / "X", files)
    assert receive(log.cruise, root)["event log"] == ""


def test_a_copy_of_the_first_version_has_no_history_to_take(board):
    cruise, root, _ = board
    name = f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    old = b'{\n"format": "leadline-eventlog",\n"version": 1,\n"header": {},\n"events": []\n}\n'
    make.delivery(root, {name: old})
    assert "of the first version" in receive(cruise, root)["event log"]
    assert shiplog.waiting_to_take() == []
    assert not Log.objects.filter(cruise=cruise, state="closed").exists()


def test_the_log_of_another_cruise_is_left_alone(board):
    _, root, files = board
    other = make.cruise()
    make.delivery(root, files)
    assert receive(other, root)["event log"] == ""
    assert shiplog.waiting_to_take() == []
