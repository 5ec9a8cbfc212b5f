"""The console's commands of the inventory, from a delivered directory to a signed record."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory.models import Dataset, Hold
from tests import make

pytestmark = pytest.mark.django_db


def run(*words: str) -> dict[str, Any]:
    said = StringIO()
    call_command(*words, "--json", stdout=said)
    answer: dict[str, Any] = json.loads(said.getvalue())
    return answer


def delivered(home: Path) -> Path:
    root = home / "deliveries" / "TS2601"
    root.parent.mkdir(parents=True, exist_ok=True)
    return make.delivery(root)


def test_receive_reads_every_file_and_names_those_that_differ(home: Path):
    make.cruise("TS2601", state="ended")
    root = delivered(home)
    victim = next(p for p in sorted(root.rglob("*")) if p.is_file() and p.name != "delivery.md5")
    victim.write_bytes(victim.read_bytes() + b"!")
    (root / "extra.txt").write_text("not in the manifest")
    answer = run("receive", str(root), "--cruise", "TS2601")
    assert {(file["path"], file["state"]) for file in answer["files"]} == {
        (str(victim.relative_to(root)), "changed"),
        ("extra.txt", "new"),
    }
    assert answer["counts"]["changed"]["files"] == 1
    again = run("receive", str(root), "--cruise", "TS2601")
    assert (again["distribution"], again["counts"]) == (answer["distribution"], answer["counts"])
    victim.write_bytes(victim.read_bytes()[:-1])
    mended = run("verify", "--cruise", "TS2601", "--again")
    assert [file["state"] for file in mended["files"]] == ["new"]


def test_listing_only_leaves_the_reading_to_verify(home: Path):
    make.cruise("TS2601", state="ended")
    root = delivered(home)
    listed = run("receive", str(root), "--cruise", "TS2601", "--no-read")
    read = run("verify", "--cruise", "TS2601")
    assert listed["distribution"] == read["distribution"]
    assert "matched" not in listed["counts"] or listed["counts"]["matched"]["files"] == 0
    assert read["counts"]["matched"]["files"] == read["counts"]["all"]["files"]


@pytest.mark.parametrize("command", ["verify", "classify", "make_track"])
def test_without_a_distribution_the_commands_say_so(command: str):
    make.cruise("TS2601", state="ended")
    with pytest.raises(CommandError, match="No distribution of TS2601"):
        run(command, "--cruise", "TS2601")


def test_classify_tries_before_it_changes(home: Path):
    dataset = make.dataset(home / "deliveries" / "x")
    cruise = dataset.cruise.cruise_id
    tried = run("classify", "--cruise", cruise, "--dry-run")
    assert "only tried" in tried["classification"]
    done = run("classify", "--cruise", cruise)
    assert (done["matched"], done["excluded"]) == (tried["matched"], tried["excluded"])
    assert done["data sets"]
    with pytest.raises(CommandError, match="no such profile"):
        run("classify", "--cruise", cruise, "--profile", "999")


def test_a_round_of_review_by_command(home: Path):
    dataset = make.dataset(home / "deliveries" / "x")
    cruise = dataset.cruise.cruise_id
    with pytest.raises(CommandError, match="Open a review first"):
        run("review", "approve", "--cruise", cruise, "--role", "operator")
    assert run("review", "open", "--cruise", cruise)["state"] == "open"
    with pytest.raises(CommandError, match="Open a review first"):
        run("review", "approve", "--cruise", cruise)
    with pytest.raises(CommandError, match="Only the operator"):  # the console is nobody in particular
        call_command("review", "approve", "--cruise", cruise, "--role", "operator")
    signed = run("review", "approve", "--cruise", cruise, "--role", "operator", "--by", make.person("operator").email)
    assert len(signed["signatures"]) == 1


def test_holds_by_command(home: Path):
    dataset: Dataset = make.dataset(home / "deliveries" / "x")
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=100)
    by = ("--by", make.person("chief").email)
    with pytest.raises(CommandError, match="Name the day"):
        run("hold", str(dataset.uuid), *by)
    with pytest.raises(CommandError, match="no such data set"):
        run("hold", "00000000-0000-4000-8000-000000000000", *by)
    run("hold", str(dataset.uuid), "--until", until.isoformat(), "--reason", "a thesis", *by)
    assert Hold.objects.get().until == until
    assert run("hold", str(dataset.uuid), "--lift", "--reason", "published", *by)["held until"] is None
