"""A log written before the chain is upgraded: nothing is lost, the chain holds, and its rows are only added again."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.flows.conftest import ROOT, Installation

pytestmark = pytest.mark.flow

LOOK = """
import json
from django.db import DatabaseError, connection, transaction
from eventlog import history
from eventlog.models import Event, Measurement, Revision, Template
refused = 0
for act in (
    lambda: Revision.objects.filter(sequence=1).update(by_name="x"),
    lambda: Revision.objects.filter(sequence=1).delete(),
):
    try:
        with transaction.atomic():
            act()
    except DatabaseError:
        refused += 1
first = {e.number: e for e in Event.objects.filter(log__cruise__cruise_id="OLD1")}
imported, revised = first["20260302.000001"], first["20260302.000002"]
then = [history.as_of(revised, r.sequence)["station"] for r in history.revisions_of(revised)]
print(json.dumps({
    "refused": refused,
    "events": Event.objects.count(),
    "measurements": Measurement.objects.count(),
    "old": Revision.objects.exclude(verb="adopt").count(),
    "adopted": Revision.objects.filter(verb="adopt").count(),
    "words": [[r.verb, r.by_name, r.reason, r.changes] for r in history.revisions_of(revised)][:4],
    "imported": history.as_of(imported, history.revisions_of(imported)[0].sequence)["original"],
    "then": then,
    "templates": len(set(Template.objects.values_list("uuid", flat=True))),
}))
"""


def python(installation: Installation, *words: str) -> str:
    """Runs a program of ours with the installation's settings."""
    environment = installation.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_log_from_before_the_chain_is_upgraded(installation: Installation):
    assert installation.manage("migrate", "eventlog", "0002", "-v0").returncode == 0
    python(installation, "tests/flows/old_log.py", "1203")
    done = installation.manage("migrate", "-v0")
    assert done.returncode == 0, done.stderr
    verified = installation.manage("verify_log", "--cruise", "OLD1", "--json")
    report = json.loads(verified.stdout)
    assert (report["findings"], report["ok"]) == ([], True)
    assert report["counts"]["events"] + report["counts"]["struck"] == 1203
    closed = json.loads(installation.manage("verify_log", "--cruise", "OLD2", "--json").stdout)
    assert [finding["what"] for finding in closed["findings"]] == ["missing seal"]
    seen = json.loads(python(installation, "manage.py", "shell", "-v0", "-c", LOOK))
    assert seen["refused"] == 2
    assert (seen["events"], seen["adopted"], seen["templates"]) == (1206, 1206, 2)
    assert seen["measurements"] == 2 * (301 + 1)
    old = sum({0: 1, 1: 1, 2: 4, 3: 2}[n % 4] for n in range(1203)) + 6
    assert seen["old"] == old
    assert seen["words"] == [
        ["record", "Sam", "", seen["words"][0][3]],
        ["revise", "Sam", "why", {"station": ["001", "002"]}],
        ["strike", "Sam", "why", {"struck": [False, True]}],
        ["restore", "Sam", "why", {"struck": [True, False]}],
    ]
    assert seen["then"] == ["001", "002", "002", "002", "002"]
    assert seen["imported"] == {"id": 1, "free": "été", "deep": {"x": [1.5, None]}}
    # The next change of that log goes on from there.
    assert installation.manage("close_log", "--cruise", "OLD1").returncode == 0
    again = json.loads(installation.manage("verify_log", "--cruise", "OLD1", "--json").stdout)
    assert (again["ok"], again["seals"]) == (True, 1)
