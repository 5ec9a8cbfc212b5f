"""Comparing any two inventories and writing them out, by command, with the real tools beside it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inventory import comparing, manifests
from inventory.models import Distribution, File
from inventory.paths import to_text
from portal.access import CONSOLE
from portal.refusals import NotFound, NotLikeThis
from tests import make

pytestmark = pytest.mark.django_db
NASTY = {
    b"plain.txt": b"1",
    b"two  blanks/#hash, and%0Apercent": b"22",
    b"lat\xe9in": b"333",
    "n\u00fc.dat".encode(): b"4444",
    "nu\u0308.dat".encode(): b"55555",
    b"tab\there&<x>'\"": b"666666",
    b"empty": b"",
}


def plant(root: Path, files: dict[bytes, bytes]) -> Path:
    for name, content in files.items():
        place = root / os.fsdecode(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return root


def compared(*words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of the command."""
    said, code = StringIO(), 0
    try:
        call_command("compare", *words, "--json", stdout=said)
    except SystemExit as end:
        code = int(str(end.code))
    return code, json.loads(said.getvalue())


def two_shipments(home: Path) -> Distribution:
    first = make.distribution(home, "verified", files={"a": b"1", "b": b"2", "old/c": b"3", "d": b"4"})
    shutil.rmtree(first.root)
    return make.distribution(
        home, "verified", of=first.cruise, files={"a": b"1", "b": b"other", "new/c": b"3", "e": b"5"}
    )


def test_two_shipments_of_a_cruise(home: Path):
    made = two_shipments(home)
    code, answer = compared(f"{made.cruise}:1", f"{made.cruise}")
    assert (code, answer["same"]) == (1, False)
    assert answer["counts"] == {"matched": 1, "changed": 1, "moved": 1, "missing": 1, "new": 1}
    assert [(f["verdict"], f["path"], f["was"]) for f in answer["files"]] == [
        ("changed", "b", None),
        ("missing", "d", None),
        ("new", "e", None),
        ("moved", "new/c", "old/c"),
    ]
    assert compared(f"{made.cruise}:2", f"{made.cruise}:2:delivered")[0] == 0
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("compare", f"{made.cruise}:1", str(made.cruise), stdout=said)
    assert "moved: new/c (from old/c)" in said.getvalue()
    assert "changed: b (1 bytes -> 5 bytes)" in said.getvalue()


def test_shipment_directory_and_manifest_are_the_same(home: Path):
    made = make.distribution(home, "verified", files={to_text(b"a.txt"): b"1", "b/c.txt": b"2"})
    manifest = Path(made.root) / made.manifest_name
    sides = [str(made.cruise), made.root, str(manifest)]
    for before in sides:
        for now in sides:
            assert compared(before, now, "--matched")[0] == 0, (before, now)
    (Path(made.root) / "a.txt").write_bytes(b"9")
    (Path(made.root) / "link").symlink_to("a.txt")
    code, answer = compared(str(made.cruise), made.root)
    assert (code, answer["counts"]["changed"], answer["counts"]["new"]) == (1, 1, 0)
    assert any("symbolic link" in remark for remark in answer["remarks"])


def test_a_shipment_is_compared_before_it_is_read(home: Path):
    made = make.distribution(home, "received")
    assert compared(str(made.cruise), made.root)[0] == 0


def test_a_directory_is_read_with_the_hashes_of_the_other_side(home: Path):
    root = plant(home / "tree", NASTY)
    listed = home / "sums"
    listed.write_bytes(
        b"".join(b"%s  ./%s\n" % (hashlib.sha1(content).hexdigest().encode(), name) for name, content in NASTY.items())
    )
    assert compared(str(listed), str(root))[1]["unproven"] == 0
    assert compared(str(listed), str(root))[0] == 0


def test_what_cannot_be_compared_says_why(home: Path):
    with pytest.raises(NotFound, match="neither"):
        comparing.find("no-such-thing", by=CONSOLE)
    made = make.distribution(home)
    with pytest.raises(CommandError, match="no shipment 7"):
        call_command("compare", f"{made.cruise}:7", str(made.cruise))
    (home / "cut.md5").write_text(f"{'a' * 32}  ./a\n{'b' * 30}  ./b\n")
    with pytest.raises(CommandError, match=r"(?s)cut\.md5 is refused.*line 2"):
        call_command("compare", str(home / "cut.md5"), str(made.cruise))
    (home / "twice.md5").write_text(f"{'a' * 32}  ./a\n{'b' * 32}  ./a\n")
    with pytest.raises(CommandError, match=r"(?s)twice\.md5 is refused.*line 2"):
        call_command("compare", str(home / "twice.md5"), str(home / "twice.md5"))
    (home / "again.md5").write_text(f"{'a' * 32}  ./a\n{'a' * 32}  ./a\n")
    assert compared(str(home / "again.md5"), str(home / "again.md5"))[1]["counts"]["matched"] == 1
    with pytest.raises(NotLikeThis, match="refused") as refusal:
        list(comparing.manifest(home / "twice.md5", "twice.md5").files((), print, True))
    assert refusal.value.faults[0].line == 2
    assert list((home / "comparisons").iterdir()) == []  # nothing is left lying about


def test_a_cruise_that_one_may_not_see_is_none(home: Path):
    made = make.distribution(home)
    made.cruise.public_at = None
    made.cruise.save()
    with pytest.raises(NotFound):
        comparing.find(str(made.cruise), by=make.person("stranger"))
    assert comparing.find(str(made.cruise), by=make.person("operator")).name == str(made)


def export(made: Distribution, form: str, place: Path, said: str = "found") -> bytes:
    call_command("export_manifest", cruise=str(made.cruise), format=form, output=str(place), said=said)
    return place.read_bytes()


@pytest.mark.skipif(shutil.which("hashdeep") is None, reason="hashdeep is not installed")
def test_the_real_tool_audits_nasty_names_against_our_export(home: Path):
    cruise = make.cruise("TS2699", state="ended")
    root = plant(home / "TS2699", NASTY)
    listed = subprocess.run(["md5deep", "-r", "-l", "-z", "."], cwd=root, capture_output=True, check=True).stdout
    (home / "delivered.md5").write_bytes(listed)
    call_command("receive", str(root), cruise="TS2699", manifest=str(home / "delivered.md5"), stdout=StringIO())
    made = cruise.distributions.get()
    assert set(File.objects.values_list("state", flat=True)) == {"matched"}
    export(made, "hashdeep", home / "known")
    audit = ["hashdeep", "-r", "-l", "-a", "-v", "-k", str(home / "known"), "."]
    report = subprocess.run(audit, cwd=root, capture_output=True, check=False).stdout
    assert b"Audit passed" in report
    assert b"Files matched: %d" % len(NASTY) in report
    (root / "shipped.md5").write_bytes(listed)
    assert b"Audit failed" in subprocess.run(audit, cwd=root, capture_output=True, check=False).stdout
    Distribution.objects.update(manifest_name="shipped.md5")
    export(made, "hashdeep", home / "known", "disk")
    assert b"Audit passed" in subprocess.run(audit, cwd=root, capture_output=True, check=False).stdout
    (root / "shipped.md5").unlink()
    for form in ("md5deep", "hashdeep", "dfxml"):
        text = export(made, form, home / "out")
        back = {entry.path: entry for entry in manifests.read(io.BytesIO(text)).entries}
        assert back.keys() == {to_text(name) for name in NASTY}
        assert {path: entry.size for path, entry in back.items()} == {to_text(n): len(c) for n, c in NASTY.items()}
        assert compared(str(home / "out"), str(made.cruise))[0] == 0
    assert compared(str(root), str(made.cruise))[0] == 0
    assert sorted(export(made, "md5deep", home / "out", "delivered").splitlines()) == sorted(listed.splitlines())


def test_what_the_ship_told_is_exported_beside_what_was_found(home: Path):
    made = make.distribution(home, files={"a": b"1", "b": b"2"})
    (Path(made.root) / "a").write_bytes(b"other")
    call_command("verify", cruise=str(made.cruise), stdout=StringIO())
    found, told = export(made, "md5deep", home / "found"), export(made, "md5deep", home / "told", "delivered")
    assert found != told
    assert told == (Path(made.root) / made.manifest_name).read_bytes()
    rows = export(made, "csv", home / "told.csv", "delivered").decode().splitlines()
    assert rows[0] == "path,size,md5,sha256"
    assert len(rows) == 3
    assert b"<filename>./a</filename>" in export(made, "dfxml", home / "told.xml", "delivered")
    made.files.update(delivered_size=None)
    assert export(made, "md5deep", home / "told", "delivered").startswith(b"c4ca4238a0b923820dcc509a6f75849b  ./a\n")
    with pytest.raises(CommandError, match="does not tell size and hash"):
        export(made, "hashdeep", home / "never", "delivered")
    assert not (home / "never").exists()
    made.files.update(delivered_md5="", delivered_sha256="0" * 64)
    assert export(made, "md5deep", home / "told", "delivered").startswith(b"0" * 64 + b"  ./a\n")


def test_an_export_is_whole_or_not_there(home: Path):
    forged = f"a\n{'0' * 32}  .-b"
    made = make.distribution(home, files={"a": b"1"})
    made.files.update(path=forged, md5="0" * 32, sha256="0" * 64, size=1)
    with pytest.raises(CommandError, match="two files"):
        export(made, "md5deep", home / "out")
    assert "b" in export(made, "csv", home / "out").decode()
    with pytest.raises(CommandError, match="cannot be written"):
        export(made, "csv", home / "no" / "folder")
    assert [p.name for p in home.iterdir() if p.name.startswith(".")] == []
