"""Deliveries: listed beside their manifest, read file by file, and every difference gets its word."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from inventory import intake, paths, scan, verification
from inventory.models import Distribution, File
from portal import jobs
from portal.access import CONSOLE
from portal.models import Cruise, JournalEntry, Letter, Work
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
FEW = {"a/one.dat": b"one\n", "a/two.dat": b"two\n", "three.dat": b"three\n"}
needs_md5deep = pytest.mark.skipif(shutil.which("md5deep") is None, reason="md5deep is not installed")


def words(distribution: Distribution) -> dict[str, str]:
    return dict(File.objects.filter(distribution=distribution).values_list("path", "state"))


def take(root: Path, cruise: Cruise | None = None, **more: Any) -> intake.Receipt:
    return intake.receive(cruise=cruise or make.cruise(state="ended"), root=root, by=more.pop("by", CONSOLE), **more)


def verify(distribution: Distribution) -> Distribution:
    jobs.perform("inventory.verify", str(distribution.pk))
    distribution.refresh_from_db()
    return distribution


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


# --- receiving ------------------------------------------------------------------------------------------------------


def test_receiving_lists_every_file_as_it_was_delivered(home):
    receipt = take(make.delivery(home / "d", FEW))
    made = receipt.distribution
    assert (receipt.outcome, made.number, made.state, made.manifest_name) == ("received", 1, "received", "delivery.md5")
    assert words(made) == dict.fromkeys(FEW, "listed")
    for file in made.files.all():
        content = FEW[file.path]
        assert (file.delivered_size, file.delivered_md5, file.size) == (len(content), md5(content), len(content))
        assert (file.md5, file.verified_at) == ("", None)
    assert made.manifest_sha256 == hashlib.sha256((home / "d/delivery.md5").read_bytes()).hexdigest()
    assert JournalEntry.objects.filter(verb="distribution.receive", cruise=made.cruise).count() == 1


def test_reading_finds_everything_matched(home):
    made = verify(take(make.delivery(home / "d", FEW)).distribution)
    assert (made.state, words(made)) == ("verified", dict.fromkeys(FEW, "matched"))
    for file in made.files.all():
        assert file.md5 == md5(FEW[file.path])
        assert file.sha256 == hashlib.sha256(FEW[file.path]).hexdigest()
    assert made.counts()["all"] == {"files": 3, "bytes": sum(map(len, FEW.values()))}


@needs_md5deep
def test_the_real_md5deep_and_names_of_every_kind(home):
    names = [b"two  blanks.dat", b"new\nline", b"lat\xe9in", "ünï–dat".encode(), b"back\\slash", b" lead", b"trail "]
    root = home / "d"
    (root / "sub").mkdir(parents=True)
    for name in names:
        Path(os.fsdecode(os.fsencode(root / "sub") + b"/" + name)).write_bytes(b"of " + name)
    listed = subprocess.run(["md5deep", "-r", "-l", "-z", "."], cwd=root, capture_output=True, check=True).stdout
    (root / "TS.md5").write_bytes(listed)
    made = verify(take(root).distribution)
    assert words(made) == {"sub/" + paths.to_text(name): "matched" for name in names}


def test_what_changed_moved_vanished_and_came_has_its_word(home):
    files = FEW | {"a/gone.dat": b"gone\n", "a/size.dat": b"size"}
    root = make.delivery(home / "d", files)
    (root / "a/one.dat").write_bytes(b"One\n")
    (root / "a/size.dat").write_bytes(b"longer")
    (root / "a/two.dat").rename(root / "elsewhere.dat")
    (root / "a/gone.dat").unlink()
    (root / "new.dat").write_bytes(b"new\n")
    made = take(root).distribution
    assert words(made)["new.dat"] == "found"
    assert words(made)["a/gone.dat"] == "missing"
    verify(made)
    assert words(made) == {
        "a/one.dat": "changed",
        "a/size.dat": "changed",
        "a/two.dat": "missing",
        "elsewhere.dat": "moved",
        "a/gone.dat": "missing",
        "new.dat": "new",
        "three.dat": "matched",
    }
    notes = dict(made.files.values_list("path", "note"))
    assert notes["elsewhere.dat"] == "from a/two.dat"
    assert notes["a/two.dat"] == "moved to elsewhere.dat"
    changed = made.files.get(path="a/one.dat")
    assert (changed.md5, changed.delivered_md5) == (md5(b"One\n"), md5(b"one\n"))


@pytest.mark.parametrize(
    ("manifest", "line"),
    [
        (f"     4  {md5(b'x')}  ./ok\n     4  {md5(b'y')}  ../../etc/passwd\n", 2),
        (f"     4  {md5(b'x')}  ./ok\n     4  {md5(b'y')}  ./a/../../b\n", 2),
        (f"     4  {md5(b'x')}  ./ok\n     4  {'z' * 32}  ./bad\n", 2),
        (f"     4  {md5(b'x')}  ./ok\n     4  {md5(b'y')}  ./ok\n", 2),
    ],
)
def test_a_manifest_that_cannot_be_trusted_takes_nothing_in(home, manifest, line):
    root = make.delivery(home / "d", FEW)
    (root / "delivery.md5").write_text(manifest)
    cruise = make.cruise(state="ended")
    with pytest.raises(NotLikeThis) as caught:
        take(root, cruise)
    assert line in {fault.line for fault in caught.value.faults}
    assert not cruise.distributions.exists()
    assert Cruise.objects.get(pk=cruise.pk).public_at is None


def test_absolute_paths_elsewhere_are_refused(home):
    root = make.delivery(home / "d", FEW)
    (root / "delivery.md5").write_text(f"     4  {md5(b'x')}  ./ok\n     4  {md5(b'y')}  /etc/passwd\n")
    with pytest.raises(NotLikeThis) as caught:
        take(root)
    assert caught.value.faults
    assert not Distribution.objects.exists()


def test_a_directory_without_manifest_is_refused_with_advice(home):
    root = make.delivery(home / "d", FEW)
    (root / "delivery.md5").unlink()
    with pytest.raises(NotLikeThis, match="md5deep -r -l -z"):
        take(root)
    with pytest.raises(NotLikeThis):
        take(home / "not there")


def test_a_manifest_outside_the_root_may_be_named(home):
    root = make.delivery(home / "d", FEW)
    (root / "delivery.md5").rename(home / "list.md5")
    made = take(root, manifest=home / "list.md5").distribution
    assert words(made) == dict.fromkeys(FEW, "listed")


def test_a_list_made_one_directory_up_is_understood(home):
    root = make.delivery(home / "d", FEW)
    text = (root / "delivery.md5").read_text().replace("./", "./d/")
    (root / "delivery.md5").write_text(text)
    assert words(take(root).distribution) == dict.fromkeys(FEW, "listed")


# --- links and vanishing things -------------------------------------------------------------------------------------


def test_links_are_told_and_never_followed(home):
    (home / "secret").write_bytes(b"secret\n")
    (home / "outside").mkdir()
    (home / "outside/more").write_bytes(b"more\n")
    root = make.delivery(home / "d", FEW)
    (root / "link").symlink_to(home / "secret")
    (root / "folder").symlink_to(home / "outside")
    receipt = take(root)
    assert words(receipt.distribution) == dict.fromkeys(FEW, "listed")
    assert {p["path"] for p in receipt.distribution.problems} == {"link", "folder"}
    assert all("symbolic link" in p["why"] for p in receipt.distribution.problems)
    assert len(receipt.remarks) == 2


def test_a_link_put_in_after_receiving_is_not_read(home):
    (home / "secret").write_bytes(b"one\n")
    (home / "outside").mkdir()
    (home / "outside/two.dat").write_bytes(b"two\n")
    root = make.delivery(home / "d", {"one.dat": b"one\n", "b/two.dat": b"two\n", "c.dat": b"c"})
    made = take(root).distribution
    (root / "one.dat").unlink()
    (root / "one.dat").symlink_to(home / "secret")
    shutil.rmtree(root / "b")
    (root / "b").symlink_to(home / "outside")
    verify(made)
    assert words(made) == {"one.dat": "unreadable", "b/two.dat": "unreadable", "c.dat": "matched"}
    assert set(made.files.exclude(path="c.dat").values_list("md5", flat=True)) == {""}
    assert made.state == "verified"


def test_a_file_that_vanishes_between_listing_and_reading_is_missing(home):
    root = make.delivery(home / "d", FEW)
    made = take(root).distribution
    (root / "three.dat").unlink()
    verify(made)
    assert words(made) == {"a/one.dat": "matched", "a/two.dat": "matched", "three.dat": "missing"}


def test_reading_goes_on_where_it_stopped_when_the_disk_is_back(home, monkeypatch):
    root = make.delivery(home / "d", FEW)
    made = take(root).distribution
    read, calls = scan.read_with, []

    def one_then_gone(opener, path, told, **more):
        calls.append(path)
        if len(calls) == 2:
            root.rename(home / "unplugged")
        return read(opener, path, told, **more)

    monkeypatch.setattr(scan, "read_with", one_then_gone)
    assert not jobs.perform("inventory.verify", str(made.pk))
    made.refresh_from_db()
    assert made.state == "received"
    assert sorted(words(made).values()) == ["listed", "listed", "matched"]
    row = Work.objects.get(door="inventory.verify", key=str(made.pk))
    assert row.state != "done"
    assert "Mount the disk again" in row.message
    (home / "unplugged").rename(root)
    verify(made)
    assert (made.state, words(made)) == ("verified", dict.fromkeys(FEW, "matched"))
    assert len(calls) == 4  # the first was read once, the second twice, the third once


def test_verifying_twice_changes_nothing(home):
    made = verify(take(make.delivery(home / "d", FEW)).distribution)
    before = list(made.files.order_by("pk").values("path", "state", "verified_at"))
    verify(made)
    assert list(made.files.order_by("pk").values("path", "state", "verified_at")) == before
    assert JournalEntry.objects.filter(verb="distribution.verify").count() == 1


# --- again ----------------------------------------------------------------------------------------------------------


def test_the_same_delivery_again_doubles_nothing(home):
    cruise = make.cruise(state="ended")
    first = take(make.delivery(home / "d", FEW), cruise).distribution
    shutil.copytree(home / "d", home / "copy")
    for root in (home / "d", home / "copy"):
        receipt = take(root, cruise)
        assert (receipt.outcome, receipt.distribution.pk) == ("received again", first.pk)
    assert cruise.distributions.count() == 1
    assert File.objects.count() == len(FEW)
    first.refresh_from_db()
    assert first.root == str((home / "copy").resolve())
    assert Letter.objects.filter(cruise=cruise).count() == 2


def test_another_delivery_is_a_new_shipment_and_supersedes_the_last(home):
    cruise = make.cruise(state="ended")
    first = verify(take(make.delivery(home / "d", FEW), cruise).distribution)
    receipt = take(make.delivery(home / "e", FEW | {"late.dat": b"late\n"}), cruise)
    assert (receipt.outcome, receipt.distribution.number) == ("redelivered", 2)
    first.refresh_from_db()
    assert first.state == "superseded"
    assert words(first) == dict.fromkeys(FEW, "matched")
    assert list(Distribution.objects.current()) == [receipt.distribution]
    with pytest.raises(NotNow):
        verification.reread(distribution=first, by=CONSOLE)


def test_an_approved_record_takes_no_other_shipment(home):
    review = make.round_of_review(home, "approved")
    with pytest.raises(NotNow, match="approved"):
        take(make.delivery(home / "e", FEW), review.cruise)
    assert review.cruise.distributions.count() == 1
    again = take(Path(review.distribution.root), review.cruise)
    assert again.outcome == "received again"


def test_a_cancelled_cruise_delivers_nothing(home):
    with pytest.raises(NotNow):
        take(make.delivery(home / "d", FEW), make.cruise(state="cancelled"))
    assert not Distribution.objects.exists()


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("operator", True),
        ("manager", True),
        ("admin", True),
        ("chief", False),
        ("watch", False),
        ("rival", False),
        ("expert", False),
        ("stranger", False),
    ],
)
def test_who_may_receive(home, name, allowed):
    cruise = make.cruise(state="ended")
    root = make.delivery(home / "d", FEW)
    if allowed:
        assert take(root, cruise, by=make.person(name)).outcome == "received"
    else:
        with pytest.raises(NotYou):
            take(root, cruise, by=make.person(name))
        assert not cruise.distributions.exists()


def test_receiving_makes_the_cruise_public_and_writes_each_letter_once(home):
    cruise = make.cruise(state="ended")
    assert not Cruise.objects.visible_to(make.person("stranger")).filter(pk=cruise.pk).exists()
    take(make.delivery(home / "d", FEW), cruise)
    assert Cruise.objects.visible_to(make.person("stranger")).filter(pk=cruise.pk).exists()
    letters = Letter.objects.filter(cruise=cruise)
    assert sorted(letters.values_list("to", flat=True)) == ["chief@example.org", "operator@example.org"]
    public_at = Cruise.objects.get(pk=cruise.pk).public_at
    take(make.delivery(home / "d", FEW), cruise)
    assert letters.count() == 2
    assert Cruise.objects.get(pk=cruise.pk).public_at == public_at


# --- reading again --------------------------------------------------------------------------------------------------


def test_rereading_forgets_old_verdicts_and_moves(home):
    root = make.delivery(home / "d", FEW)
    (root / "a/one.dat").rename(root / "moved.dat")
    (root / "three.dat").write_bytes(b"bad block")
    made = verify(take(root).distribution)
    assert words(made) == {
        "a/one.dat": "missing",
        "moved.dat": "moved",
        "a/two.dat": "matched",
        "three.dat": "changed",
    }
    (root / "moved.dat").rename(root / "a/one.dat")
    (root / "three.dat").write_bytes(FEW["three.dat"])
    verification.reread(distribution=made, by=make.person("manager"))
    made.refresh_from_db()
    assert made.state == "received"
    assert not made.files.filter(verified_at__isnull=False).exists()
    verify(made)
    found = words(made)
    assert found == dict.fromkeys(FEW, "matched")  # what no manifest names and is gone is not missing
    assert [problem["path"] for problem in Distribution.objects.get(pk=made.pk).problems] == ["moved.dat"]


@pytest.mark.parametrize("name", ["operator", "chief", "stranger"])
def test_rereading_is_the_offices(home, name):
    made = verify(take(make.delivery(home / "d", FEW)).distribution)
    with pytest.raises(NotYou):
        verification.reread(distribution=made, by=make.person(name))


def test_nothing_is_reread_while_it_is_being_read(home):
    made = take(make.delivery(home / "d", FEW)).distribution
    with pytest.raises(NotNow):
        verification.reread(distribution=made, by=CONSOLE)


# --- a real ship ----------------------------------------------------------------------------------------------------


@needs_md5deep
def test_the_palmer_is_matched_file_by_file(home, real_data):
    root = home / "NBP1406"
    shutil.copytree(real_data / "nbp1406", root)
    count = sum(1 for path in root.rglob("*") if path.is_file())
    listed = subprocess.run(["md5deep", "-r", "-l", "-z", "."], cwd=root, capture_output=True, check=True).stdout
    (root / "NBP1406.md5").write_bytes(listed)
    made = verify(take(root).distribution)
    assert count == 21
    assert made.counts() == {
        "matched": {"files": 21, "bytes": made.counts()["all"]["bytes"]},
        "all": {"files": 21, "bytes": sum(p.stat().st_size for p in (real_data / "nbp1406").rglob("*") if p.is_file())},
    }
    assert not made.files.exclude(md5=F("delivered_md5")).exists()
