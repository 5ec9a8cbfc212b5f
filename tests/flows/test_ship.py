"""A ship and its shore, each an installation of its own: the cruise goes on board, the log comes back, row for row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import ROOT, Installation, _environment

pytestmark = pytest.mark.flow

PLAN = """
from portal import accounts, fleet
from portal.access import CONSOLE
from portal.models import Person
from portal.orders import intake
from tests import make
make.person("operator"), make.person("chief"), make.person("watch")
cruise = make.cruise("TS2699")
"""
SAIL = """
import datetime as dt, uuid
from pathlib import Path
from django.apps import apps
from eventlog import attachments, logbook
from portal.access import CONSOLE
from portal import accounts
from portal.models import Cruise, Party, Person
assert not apps.is_installed("inventory") and not apps.is_installed("publishing")
log = logbook.open_log(cruise=Cruise.objects.get(cruise_id="TS2699"), by=CONSOLE)
watch = Person.objects.get(email="watch@example.org")
accounts.verify_address(watch)  # as following the link of the invitation does
for party in Party.objects.exclude(email=""):
    accounts.link(party)
at = dt.datetime(2026, 3, 4, 3, 14, 7, 120, tzinfo=dt.UTC)
for n, action in enumerate(("deploy", "maxDepth", "recover")):
    fields = {"observed_at": at + dt.timedelta(minutes=20 * n), "instrument": "CTD", "action": action, "station": "L1"}
    event, _ = logbook.record(log=log, by=watch, fields=fields)
logbook.revise(event=event, by=CONSOLE, fields={"comment": "bottle 7 leaked"}, reason="bottle check")
photo = [b"\\xff\\xd8\\xff photo"]
attachments.add(log=log, by=watch, uuid=uuid.uuid4(), parts=photo, name="a.jpg", event=event.uuid)
"""
ROWS = """
import json
from eventlog.logbook import sections
from eventlog.models import Log, Seal
log = Log.objects.select_related("cruise").get(cruise__cruise_id="TS2699")
found = {n: list(rows) for n, rows in sections.sections_of(log, Seal(log=log)).items() if n != "seals"}
found["seals"] = [sections.told(row) for row in log.seals.order_by("sequence")]
found["log"] = sections.header_of(log)
print(json.dumps(found, sort_keys=True))
"""


@pytest.fixture
def ship(tmp_path: Path, static_files: None) -> Installation:
    """A ship's own server: portal and event log alone."""
    environment = _environment(tmp_path / "ship") | {"SITE": "ship"}
    return Installation(tmp_path / "ship", environment)


def run(installation: Installation, program: str) -> str:
    done = installation.manage("shell", "-v0", "-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(installation: Installation) -> Any:
    return json.loads(run(installation, ROWS).splitlines()[-1])


def answer(installation: Installation, path: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{installation.port}{path}")
    try:
        with urllib.request.urlopen(request, timeout=20) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_cruise_goes_on_board_and_its_log_comes_ashore(
    installation: Installation, ship: Installation, tmp_path: Path
):
    shore, pack, disk = installation, tmp_path / "pack.json", tmp_path / "disk"
    assert shore.manage("migrate", "-v0").returncode == 0
    run(shore, PLAN)
    packed = shore.manage("export_cruise", "--cruise", "TS2699", "--output", str(pack))
    assert packed.returncode == 0, packed.stderr
    assert ship.manage("migrate", "-v0").returncode == 0
    taken = ship.manage("import_cruise", str(pack), "--json")
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["orders"] == "created"
    run(ship, SAIL)
    closed = ship.manage("close_log", "--cruise", "TS2699", "--json")
    assert closed.returncode == 0, closed.stderr
    assert ship.manage("verify_log", "--cruise", "TS2699").returncode == 0
    assert ship.manage("final_copies", "--cruise", "TS2699", "--output", str(disk)).returncode == 0
    copy = disk / "LEADLINE_TS2699_FINAL_EVENTLOG.json"
    assert ship.manage("verify_log", "--file", str(copy)).returncode == 0
    (disk / "ctd.hex").write_bytes(b"00FF")
    with (disk / "TS2699.md5").open("wb") as manifest:
        lines = subprocess.run(["md5deep", "-r", "-l", "-z", "."], cwd=disk, capture_output=True, check=True).stdout
        manifest.write(b"".join(line for line in lines.splitlines(keepends=True) if b"TS2699.md5" not in line))
    received = shore.manage("receive", str(disk), "--cruise", "TS2699", "--json")
    assert received.returncode == 0, received.stderr
    assert json.loads(received.stdout)["event log"] == "taken ashore"
    ashore, aboard = rows(shore), rows(ship)
    for section, wanted in aboard.items():
        assert section == "people" or ashore[section] == wanted, section
    assert {row["author"] for row in ashore["events"]} == {row["uuid"] for row in aboard["people"]}
    assert shore.manage("verify_log", "--cruise", "TS2699").returncode == 0
    again = shore.manage("take_final_copy", str(copy), "--cruise", "TS2699", "--json")
    assert json.loads(again.stdout)["outcome"] == "known"


def test_a_ship_serves_its_pages_alone(ship: Installation):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--migrate"],
        cwd=ROOT,
        env=ship.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                if answer(ship, "/health/live")[0] == 200:
                    break
            except OSError:
                time.sleep(0.5)
        status, text = answer(ship, "/")
        assert status == 200
        assert "Cruises" in text
        assert answer(ship, "/api/v1/cruises")[0] == 200
        assert answer(ship, "/oai")[0] == 404
        assert answer(ship, "/profiles/")[0] == 404
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
