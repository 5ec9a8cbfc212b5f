"""One cruise through the whole house: real files, real queue, real workers, over HTTP, and killed on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import bagit
import pytest
import requests

from tests.flows.conftest import Installation

pytestmark = pytest.mark.flow


def outcome(installation: Installation, data: Path) -> dict[str, object]:
    """What a walk led to, without times: the same however often it was stopped."""
    script = """
import json
from eventlog.models import Event
from inventory.models import Dataset, Distribution, File, Signature, Track
from portal.models import Cruise, SailingOrders
from publishing.models import Accession, Identifier, OaiRecord, Release, Submission
print("OUTCOME" + json.dumps({
    "cruises": sorted(Cruise.objects.values_list("cruise_id", "state")),
    "orders": SailingOrders.objects.count(),
    "events": Event.objects.count(),
    "distributions": sorted(Distribution.objects.values_list("cruise__cruise_id", "number", "state")),
    "files": sorted(File.objects.values_list("path", "state", "md5")),
    "datasets": sorted(Dataset.objects.values_list("cruise__cruise_id", "device_class", "label", "state")),
    "tracks": sorted(Track.objects.values_list("cruise__cruise_id", "control_points", "good_fixes")),
    "signatures": Signature.objects.count(),
    "releases": Release.objects.count(),
    "identifiers": sorted(Identifier.objects.values_list("doi", "state")),
    "oai": OaiRecord.objects.filter(deleted=False).count(),
    "submissions": sorted(Submission.objects.values_list("dataset__label", "state", "files", "bytes")),
    "accessions": Accession.objects.count(),
}))
"""
    answer = installation.manage("shell", "--no-imports", "-c", script)
    found = re.search(r"OUTCOME(.*)", answer.stdout)
    assert found, answer.stdout + answer.stderr
    result: dict[str, object] = json.loads(found[1])
    # The log's own JSON says when it was opened and closed, so its checksum differs from walk to walk.
    result["files"] = [f for f in result["files"] if "FINAL_EVENTLOG" not in f[0]]  # type: ignore[attr-defined]
    return result


def check_bags(installation: Installation) -> int:
    bags = [path.parent for path in (installation.home / "staging").rglob("bagit.txt")]
    for bag in bags:
        bagit.Bag(os.fspath(bag)).validate()
    return len(bags)


def test_example_cruises_go_all_the_way(installation: Installation, real_data: Path):
    done = installation.manage("pipeline", str(real_data), timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "23 matched" in done.stdout
    assert "249 new" in done.stdout
    result = outcome(installation, real_data)
    assert result["cruises"] == [["EN720", "ended"], ["NBP1406", "ended"]]
    assert result["events"] == 249
    assert len(result["datasets"]) == 22
    assert ["NBP1406", 2, 625] in result["tracks"]
    assert {state for _, state in result["identifiers"]} == {"registered"}  # type: ignore[attr-defined]
    assert {row[1] for row in result["submissions"]} == {"accessioned"}  # type: ignore[attr-defined]
    assert check_bags(installation) == 22

    again = installation.manage("pipeline", str(real_data), timeout=600)
    assert again.returncode == 0, again.stdout + again.stderr
    assert outcome(installation, real_data) == result


def test_killed_again_and_again_it_ends_in_the_same_state(installation: Installation, real_data: Path):
    """Kills the whole group of processes at growing delays, then lets one walk run to its end."""
    for seconds in (4, 6, 8, 10):
        process = installation.start("pipeline", str(real_data))
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _until_alone(installation)
    done = installation.manage("pipeline", str(real_data), timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    result = outcome(installation, real_data)
    assert result["orders"] == 2
    assert result["events"] == 249
    assert result["signatures"] == 4
    assert result["releases"] == 2
    assert result["oai"] == 24
    assert len(result["identifiers"]) == 24
    assert {state for _, state in result["identifiers"]} == {"registered"}  # type: ignore[attr-defined]
    assert {row[1] for row in result["submissions"]} == {"accessioned"}  # type: ignore[attr-defined]
    assert result["accessions"] == 22
    assert check_bags(installation) == 22


def _until_alone(installation: Installation) -> None:
    """Waits until the children of a killed parent, told by the kernel, are gone too."""
    for _ in range(200):
        try:
            requests.get(f"http://127.0.0.1:{installation.port}/health/live", timeout=0.3)
        except requests.RequestException:
            break
        time.sleep(0.1)
    time.sleep(1)


def test_the_site_serves_and_stops(installation: Installation):
    """The demonstration is loaded, the site becomes ready, its worker works, and Ctrl-C leaves nothing behind."""
    process = installation.start("serve", "--migrate")
    base = f"http://127.0.0.1:{installation.port}"
    try:
        body = _ready(base, process)
        assert body["checks"]["worker"] == "ok"
        page = requests.get(f"{base}/cruises/?q=azores", timeout=10).text
        assert "Ventilation of the subtropical thermocline" in page
        oai = requests.get(f"{base}/oai?verb=ListIdentifiers&metadataPrefix=oai_dc", timeout=10)
        assert oai.headers["Content-Type"].startswith("text/xml")
        assert oai.text.count("<header>") >= 14
        static = re.search(r'href="(/static/[^"]+leadline[^"]*\.css)"', page)
        assert static
        signed = requests.Session()
        signed.get(f"{base}/accounts/login/", timeout=10)
        form = {
            "login": "chief@leadline.example",
            "password": "leadline-demo",
            "csrfmiddlewaretoken": signed.cookies["csrftoken"],
        }
        answer = signed.post(f"{base}/accounts/login/", data=form, headers={"Referer": base}, timeout=10)
        assert answer.status_code == 200
        assert "What waits for me" in answer.text
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
    with pytest.raises(requests.RequestException):
        requests.get(f"{base}/health/live", timeout=1)
    assert not (installation.home / "queue" / "valkey.sock").exists()


def _ready(base: str, process: object) -> dict[str, object]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            answer = requests.get(f"{base}/health/ready", timeout=5)
            if answer.status_code == 200:
                found: dict[str, object] = answer.json()
                return found
        except requests.RequestException:
            pass
        time.sleep(0.5)
    raise AssertionError("the site did not become ready")
