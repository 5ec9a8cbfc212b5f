"""Bags: what we write, the Library of Congress's own reader finds valid, whatever the files are called."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import bagit
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publishing.archives import bag

AWKWARD = [
    b"plain.txt",
    b"deep/er/file.bin",
    b"100%.txt",
    b"100%25.txt",
    b"%0A",
    b"line\nend",
    b"line\r\nend",
    b"=41",
    b"=3D41",
    b"A",
    b"caf\xc3\xa9",
    b"caf\xe9",
    b"\xff\xfe",
    b"tab\there",
    b"closing blank ",
    b"closing blank\xc2\xa0",
    b"folder /x",
    b"next\xc2\x85line",
    b"line\xe2\x80\xa8separator",
    b"  leading",
    b"quo'te\"s",
    b"\\back",
    b"*star",
]


def _item(path: bytes, content: bytes = b"x", **wrong: str) -> bag.Payload:
    known = {"md5": hashlib.md5(content).hexdigest(), "sha256": hashlib.sha256(content).hexdigest()} | wrong
    return bag.Payload(path, repr(path), known["md5"], known["sha256"], lambda: io.BytesIO(content))


def _valid(folder: Path) -> bagit.Bag:
    found = bagit.Bag(os.fspath(folder))
    found.validate()
    return found


def test_a_bag_is_valid_with_both_hashes(tmp_path: Path) -> None:
    items = [_item(name, name * 3) for name in AWKWARD]
    beats: list[int] = []

    written = bag.write(tmp_path / "bag", items, [("Source-Organization", "A\nB: C")], beat=beats.append)

    found = _valid(tmp_path / "bag")
    assert sorted(found.algorithms) == ["md5", "sha256"]
    assert found.info["Source-Organization"] == "A B: C"
    assert (written.files, written.bytes) == (len(AWKWARD), sum(len(name) * 3 for name in AWKWARD))
    assert found.info["Payload-Oxum"] == f"{written.bytes}.{written.files}"
    assert sum(beats) == written.bytes
    seal = hashlib.sha256((tmp_path / "bag" / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
    assert written.tagmanifest_sha256 == seal
    for name in AWKWARD:
        assert (tmp_path / "bag" / "data" / bag.payload_name(name)).read_bytes() == name * 3
    listing = (tmp_path / "bag" / "file-info.txt").read_text().splitlines()
    assert [line.split("\t")[3] for line in listing[1:]] == [repr(name) for name in AWKWARD]


def test_a_changed_byte_breaks_the_bag(tmp_path: Path) -> None:
    bag.write(tmp_path / "bag", [_item(b"a", b"abc")], [])
    (tmp_path / "bag" / "data" / "a").write_bytes(b"abd")
    with pytest.raises(bagit.BagError):
        _valid(tmp_path / "bag")


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_that_is_not_what_was_verified_is_refused(tmp_path: Path, algorithm: str) -> None:
    with pytest.raises(bag.Unfaithful, match=f"has changed since it was verified \\({algorithm}"):
        bag.write(tmp_path / "bag", [_item(b"a"), _item(b"b", b"x", **{algorithm: "0" * 32})], [])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    def gone() -> io.BytesIO:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(bag.Unfaithful, match="lost: cannot be read: No such file"):
        bag.write(tmp_path / "bag", [bag.Payload(b"lost", "lost", "", "", gone)], [])


def test_a_bag_is_never_written_over_another(tmp_path: Path) -> None:
    bag.write(tmp_path / "bag", [_item(b"a")], [])
    with pytest.raises(FileExistsError):
        bag.write(tmp_path / "bag", [_item(b"a")], [])


_NAMES = st.binary(min_size=1, max_size=12) | st.text(
    st.sampled_from("=%0123ABab \n\r\t\x85\u2028é\xa0"), min_size=1, max_size=8
).map(str.encode)


@settings(max_examples=500)
@given(_NAMES, _NAMES)
def test_no_two_names_meet(one: bytes, other: bytes) -> None:
    assert (bag.payload_name(one) == bag.payload_name(other)) == (one == other)
    assert bag.payload_name(one).encode().decode().isprintable() or not bag.payload_name(one).isascii()
    assert not set(bag.payload_name(one)) & set("%\r\n\0")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(_NAMES.filter(lambda n: not set(n) & {0, 47} and n not in (b".", b"..")), min_size=1, max_size=5))
def test_whatever_files_are_called_the_bag_is_valid(
    tmp_path_factory: pytest.TempPathFactory, names: set[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("bag") / "bag"
    bag.write(folder, [_item(name, name) for name in sorted(names)], [])
    assert len(_valid(folder).payload_entries()) == len(names)
