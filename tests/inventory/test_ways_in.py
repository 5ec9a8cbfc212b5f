"""Every way in: a manifest ahead of its disk, archives, bags; and what is hostile among them."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from inventory import intake, unpacking
from inventory.models import Distribution
from inventory.staging import Staging, fingerprint_of
from portal import jobs
from portal.access import CONSOLE
from portal.models import Cruise
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db
FEW = {"a/one.dat": b"one\n", "a/two.dat": b"two\n", "three.dat": b"three\n"}


def take(what: Path, cruise: Cruise, **more: Any) -> intake.Receipt:
    return intake.take(cruise=cruise, what=what, by=more.pop("by", CONSOLE), **more)


def words(distribution: Distribution) -> dict[str, str]:
    return dict(distribution.files.values_list("path", "state"))


def read(distribution: Distribution) -> Distribution:
    jobs.perform("inventory.verify", str(distribution.pk))
    distribution.refresh_from_db()
    return distribution


# --- a manifest ahead of the disk -----------------------------------------------------------------------------------


def test_a_manifest_alone_shows_what_is_to_come_and_the_disk_fills_it(home):
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    announced = take(root / "delivery.md5", cruise)
    assert (announced.outcome, announced.distribution.state) == ("announced", "announced")
    assert words(announced.distribution) == dict.fromkeys(FEW, "expected")
    again = take(root / "delivery.md5", cruise)
    assert (again.outcome, again.distribution.pk) == ("received again", announced.distribution.pk)
    arrived = take(root, cruise)
    assert (arrived.outcome, arrived.distribution.pk, arrived.remarks) == ("received", announced.distribution.pk, ())
    assert words(read(arrived.distribution)) == dict.fromkeys(FEW, "matched")
    assert cruise.distributions.count() == 1


def test_a_disk_that_is_not_what_was_announced_says_so(home):
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    take(root / "delivery.md5", cruise)
    other = make.delivery(home / "e", {"a/one.dat": b"uno\n", "a/two.dat": b"two\n", "four.dat": b"4"})
    arrived = take(other, cruise)
    assert arrived.remarks == (
        "The manifest differs from the one announced: no longer in it: 1, more: 1, with another hash: 1.",
    )
    assert arrived.distribution.number == 1


def test_a_manifest_alone_never_takes_the_place_of_a_shipment(home):
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    take(root, cruise)
    other = make.delivery(home / "e", {"x": b"x"})
    with pytest.raises(NotNow, match="is there already"):
        take(other / "delivery.md5", cruise)
    assert words(cruise.distributions.get()) == dict.fromkeys(FEW, "listed")


def test_only_who_may_receive_may_announce(home):
    root = make.delivery(home / "d", FEW)
    with pytest.raises(NotYou):
        take(root / "delivery.md5", make.cruise(state="ended"), by=make.person("stranger"))


def test_a_manifest_is_announced_in_the_browser(home, client: Client):
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    client.force_login(make.person("manager"), backend="django.contrib.auth.backends.ModelBackend")
    sent = SimpleUploadedFile("../../list.md5", (root / "delivery.md5").read_bytes())
    answer = client.post(reverse("announce", args=[cruise.cruise_id]), {"manifest": sent})
    assert answer.status_code == 302
    assert words(cruise.distributions.get()) == dict.fromkeys(FEW, "expected")
    assert "expected" in client.get(reverse("inventory", args=[cruise.cruise_id])).content.decode()
    bad = SimpleUploadedFile("bad.md5", b"this is no manifest\n")
    answer = client.post(reverse("announce", args=[cruise.cruise_id]), {"manifest": bad})
    assert answer.status_code == 422
    assert "bad.md5" in answer.content.decode()


# --- the same and repeated ------------------------------------------------------------------------------------------


def test_lines_that_repeat_themselves_are_one_and_count_once(home):
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    made = take(root, cruise).distribution
    text = (root / "delivery.md5").read_text()
    (root / "delivery.md5").write_text(text + text.splitlines(keepends=True)[0])
    again = take(root, cruise)
    assert (again.outcome, again.distribution.pk) == ("received again", made.pk)


def test_a_shipment_of_before_the_new_fingerprint_is_known_again(home):
    cruise, root = make.cruise(state="ended"), make.delivery(home / "d", FEW)
    made = read(take(root, cruise).distribution)
    sure = made.fingerprint
    Distribution.objects.filter(pk=made.pk).update(fingerprint="0" * 64)
    made.refresh_from_db()
    assert fingerprint_of(made) == sure
    assert take(root, cruise).outcome == "received again"


def test_the_temporary_lists_are_gone_afterwards(home):
    from django.db import connection

    take(make.delivery(home / "d", FEW), make.cruise(state="ended"))
    assert not {"leadline_listed", "leadline_found"} & set(connection.introspection.table_names())
    with Staging(), Staging() as inner:
        assert inner.listed == 0


# --- archives -------------------------------------------------------------------------------------------------------


def packed(root: Path, name: str, prefix: str = "") -> Path:
    archive = root.parent / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for path in sorted(root.rglob("*")):
                if path.is_file():
                    out.write(path, f"{prefix}{path.relative_to(root)}")
    else:
        mode = {"gz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}.get(name.rpartition(".")[2], "w")
        with tarfile.open(archive, mode) as tape:  # type: ignore[call-overload]
            tape.add(root, arcname=prefix or ".")
    return archive


@pytest.mark.parametrize("name", ["d.tar", "d.tar.gz", "d.tar.bz2", "d.tar.xz", "d.zip"])
@pytest.mark.parametrize("prefix", ["", "TS2601/"])
def test_an_archive_is_unpacked_and_received(home, settings, name, prefix):
    settings.HOME = home / "state"
    archive = packed(make.delivery(home / "d", FEW), name, prefix)
    before = hashlib.sha256(archive.read_bytes()).hexdigest()
    cruise = make.cruise(state="ended")
    made = read(take(archive, cruise).distribution)
    assert words(made) == dict.fromkeys(FEW, "matched")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == before
    assert take(archive, cruise).outcome == "received again"


def test_links_devices_and_paths_outside_stay_in_the_archive(home):
    archive = home / "evil.tar"
    told: dict[str, str] = {}
    with tarfile.open(archive, "w") as tape:
        for name in ("../out", "/etc/cron.d/x", "ok", "ok"):
            info = tarfile.TarInfo(name)
            info.size = 1
            tape.addfile(info, io.BytesIO(b"x"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tape.addfile(link)
        through = tarfile.TarInfo("link/passwd")
        through.size = 1
        tape.addfile(through, io.BytesIO(b"y"))
        device = tarfile.TarInfo("null")
        device.type = tarfile.CHRTYPE
        tape.addfile(device)
    root = unpacking.unpack(archive, home / "in", lambda name, why: told.setdefault(name, why))
    assert sorted(str(p.relative_to(home / "in")) for p in (home / "in").rglob("*") if p.is_file()) == sorted(
        [str((root / "link/passwd").relative_to(home / "in")), str((root / "ok").relative_to(home / "in"))]
    )
    assert {"link", "null", "b'../out'", "b'/etc/cron.d/x'", "b'ok'"} == set(told)
    assert not (home / "out").exists()


def test_a_bomb_is_refused_and_leaves_nothing(home, monkeypatch):
    monkeypatch.setattr(unpacking, "ALWAYS_BYTES", 1000)
    archive = home / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("zero", b"\0" * 30_000_000)
    with pytest.raises(NotLikeThis, match="trap"):
        unpacking.unpack(archive, home / "in", lambda *_: None)
    assert list((home / "in").iterdir()) == []


@pytest.mark.parametrize("name", ["d.tar.gz", "d.zip", "d.tar.xz", "d.tar"])
@pytest.mark.parametrize("kept", [0, 10, 120])
def test_a_damaged_archive_is_refused_and_takes_nothing_in(home, settings, name, kept):
    settings.HOME = home / "state"
    archive = packed(make.delivery(home / "d", FEW | {"big": os.urandom(5000)}), name)
    archive.write_bytes(archive.read_bytes()[:kept])
    cruise = make.cruise(state="ended")
    with pytest.raises(NotLikeThis):
        take(archive, cruise)
    assert not cruise.distributions.exists()


def test_the_checksum_beside_an_archive_must_be_its_own(home, settings):
    settings.HOME = home / "state"
    archive = packed(make.delivery(home / "d", FEW), "d.tar.gz")
    (home / "d.tar.gz.md5").write_text("0" * 32 + "  d.tar.gz\n")
    with pytest.raises(NotLikeThis) as caught:
        take(archive, make.cruise(state="ended"))
    assert caught.value.faults[0].line == 1
    (home / "d.tar.gz.md5").write_text(hashlib.md5(archive.read_bytes()).hexdigest() + "  d.tar.gz\n")
    assert take(archive, make.cruise(state="ended")).outcome == "received"


# --- bags -----------------------------------------------------------------------------------------------------------


def bag(root: Path, kinds: tuple[str, ...]) -> Path:
    papers = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": b"Bag-Size: 1\n",
    }
    files = {f"data/{path}": content for path, content in FEW.items()} | {"data/100%\nsure": b"sure"}
    for path, content in (papers | files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for kind in kinds:
        for name, what in (("manifest", files), ("tagmanifest", papers)):
            lines = [
                f"{hashlib.new(kind, c).hexdigest()}  {p.replace('%', '%25').replace(chr(10), '%0A')}\n"
                for p, c in what.items()
            ]
            (root / f"{name}-{kind}.txt").write_text("".join(lines))
    return root


@pytest.mark.parametrize("kinds", [("md5",), ("md5", "sha256"), ("sha256",)])
def test_a_bag_is_received_with_its_papers_and_without_its_lists(home, kinds):
    made = read(take(bag(home / "b", kinds), make.cruise(state="ended")).distribution)
    wanted = {*(f"data/{path}" for path in FEW), "data/100%\nsure", "bagit.txt", "bag-info.txt"}
    assert words(made) == dict.fromkeys(wanted, "matched")
    assert made.manifest_name == f"manifest-{'sha256' if 'sha256' in kinds else 'md5'}.txt"
