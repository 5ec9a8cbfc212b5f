"""Manifests with other hashes than MD5 and SHA-256: kept, compared with what is read, and given back."""

from __future__ import annotations

import hashlib
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import comparing, exports, hashes, history, intake, manifests
from inventory.listing import DELIVERED
from inventory.models import Distribution, File
from inventory.staging import fingerprint_of
from portal import jobs
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make

FEW = {"a/one.dat": b"one\n", "a/two.dat": b"two\n" * 300_000, "three.dat": b"three\n"}
digests = st.binary(min_size=4, max_size=8).map(bytes.hex)


@given(st.dictionaries(st.sampled_from(sorted(manifests.DIGITS)), digests))
def test_what_is_packed_is_unpacked(told: dict[str, str]):
    packed = hashes.pack(told)
    assert hashes.unpack(packed) == {name: digest for name, digest in told.items() if name not in hashes.KEPT}
    again = hashes.told(told.get("md5", ""), told.get("sha256", ""), packed)
    assert again == told


def test_only_where_neither_md5_nor_sha256_is_told_another_is_computed():
    assert hashes.to_read("0" * 32, "", "sha1:12") == hashes.to_read("", "1" * 64, "sha1:12") == ""
    assert hashes.to_read("", "", "sha1:12 sha512:34 tiger:56") == "sha512"
    assert hashes.to_read("", "", "tiger:56") == hashes.to_read("", "", None) == ""


with_rows = pytest.mark.django_db


def delivered(root: Path, algorithm: str, wrong: str = "") -> Path:
    """A delivery whose list has hashes of this kind alone."""
    make.delivery(root, FEW)
    (root / "delivery.md5").unlink()
    lines = [
        f"{hashlib.new(algorithm, b'other' if path == wrong else content).hexdigest()}  ./{path}\n"
        for path, content in FEW.items()
    ]
    (root / f"delivery.{algorithm}").write_text("".join(lines))
    return root


def received(root: Path, cruise: Cruise | None = None) -> Distribution:
    cruise = cruise or make.cruise(state="ended")
    return intake.receive(cruise=cruise, root=root, by=CONSOLE).distribution


def read(distribution: Distribution) -> dict[str, str]:
    jobs.perform("inventory.verify", str(distribution.pk))
    distribution.refresh_from_db()
    return dict(distribution.files.values_list("path", "state"))


@with_rows
@pytest.mark.parametrize("algorithm", ["sha1", "sha512"])
def test_a_list_of_another_hash_is_compared_by_it(home, algorithm):
    distribution = received(delivered(home / "d", algorithm, wrong="a/two.dat"))
    assert set(distribution.files.values_list("delivered_md5", "delivered_sha256")) == {("", "")}
    assert read(distribution) == {"a/one.dat": "matched", "a/two.dat": "changed", "three.dat": "matched"}
    one = distribution.files.get(path="a/one.dat")
    assert one.note == ""
    assert one.md5 == hashlib.md5(FEW["a/one.dat"]).hexdigest()


@with_rows
def test_what_we_cannot_compute_is_kept_and_said(home):
    root = make.delivery(home / "d", {"x.dat": b"x"})
    (root / "delivery.md5").unlink()
    head = "%%%% HASHDEEP-1.0\n%%%% size,tiger,filename\n"
    (root / "delivery.hashdeep").write_text(f"{head}1,{'ab' * 24},./x.dat\n")
    distribution = received(root)
    assert read(distribution) == {"x.dat": "matched"}
    file = distribution.files.get()
    assert (file.delivered_hashes, file.note) == (f"tiger:{'ab' * 24}", "only its size: we cannot compute tiger")


@with_rows
def test_a_corrected_list_of_another_hash_is_a_new_shipment(home):
    cruise = make.cruise(state="ended")
    first = received(delivered(home / "d", "sha1", wrong="three.dat"), cruise)
    (home / "d" / "delivery.sha1").unlink()
    again = received(delivered(home / "d", "sha1"), cruise)
    assert (first.number, again.number) == (1, 2)
    assert received(home / "d", cruise) == again


@with_rows
def test_fingerprints_of_lists_with_md5_are_what_they_were(home):
    distribution = received(make.delivery(home / "d", FEW))
    kept = distribution.fingerprint
    distribution.fingerprint = ""
    assert fingerprint_of(distribution) == kept
    # Taken before other hashes counted: a redelivery of the same must still be known.
    rows = [f"listed\0{path}\0{hashlib.md5(content).hexdigest()}\0" for path, content in FEW.items()] + [
        f"found\0{path}\0{len(content)}" for path, content in FEW.items()
    ]
    total = sum(int.from_bytes(hashlib.blake2b(row.encode(), digest_size=32).digest()) for row in rows)
    assert kept == f"+{total & (1 << 252) - 1:063x}"


@with_rows
def test_it_is_given_back_as_it_was_told(home):
    distribution = received(delivered(home / "d", "sha1"))
    text = b"".join(map(_bytes, exports.export(distribution, "md5deep", DELIVERED).parts))
    told = {e.path: e.hashes for e in manifests.read(io.BytesIO(text)).entries}
    assert told == {path: {"sha1": hashlib.sha1(content).hexdigest()} for path, content in FEW.items()}
    table = b"".join(map(_bytes, exports.export(distribution, "csv", DELIVERED).parts)).decode()
    assert table.splitlines()[0] == "path,size,md5,sha256,sha1"
    assert hashlib.sha1(b"one\n").hexdigest() in table


@with_rows
def test_all_columns_of_hashdeep_come_back(home):
    root = make.delivery(home / "d", FEW)
    (root / "delivery.md5").unlink()
    columns = "md5,sha1,sha256,tiger,whirlpool"
    command = ["hashdeep", "-c", columns, "-r", "-l", "."]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    (root / "delivery.hashdeep").write_bytes(listing)
    distribution = received(root)
    given = b"".join(map(_bytes, exports.export(distribution, "hashdeep", DELIVERED).parts))
    before = {e.path: (e.size, e.hashes) for e in manifests.read(io.BytesIO(listing)).entries}
    after = {e.path: (e.size, e.hashes) for e in manifests.read(io.BytesIO(given)).entries}
    assert after == before
    assert len(before["three.dat"][1]) == 5


@with_rows
def test_a_directory_is_compared_by_the_hash_that_was_told(home):
    distribution = received(delivered(home / "d", "sha1"))
    (home / "e").mkdir()
    make.delivery(home / "e", FEW | {"three.dat": b"THREE\n"})
    (home / "e" / "delivery.md5").unlink()
    remarks: list[str] = []
    sides = comparing.shipment(distribution), comparing.directory(home / "e")
    with comparing.compared(*sides, remark=remarks.append) as found:
        assert (found.counts["matched"], found.counts["changed"]) == (2, 1)
    read(distribution)
    # What matched by SHA-1 still compares by it with what was told.
    promised = comparing.shipment(distribution, delivered=True)
    with comparing.compared(
        promised, comparing.shipment(distribution), remark=remarks.append, keep_matched=True
    ) as found:
        assert {item.basis for item in found.items(("matched",))} == {"hash"}


@with_rows
def test_the_history_of_a_path_tells_it(home):
    cruise = make.cruise(state="ended")
    received(delivered(home / "d", "sha1"), cruise)
    (step,) = history.of_path(cruise, "three.dat")
    assert step.hashes == {"sha1": hashlib.sha1(FEW["three.dat"]).hexdigest()}
    assert File.objects.filter(delivered_hashes__startswith="sha1:").count() == 3


def _bytes(part: Any) -> bytes:
    return part if isinstance(part, bytes) else part.encode()
