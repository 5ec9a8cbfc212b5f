"""Manifests written and read back, chosen among files, freed of repetitions, and read in little memory."""

import io
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.manifests import Entry, ManifestRefused, find, read, unique, write_dfxml, write_hashdeep, write_md5deep
from inventory.paths import to_text
from tests.inventory.test_manifests import MD5, OTHER, SHA256, entries


def test_unique() -> None:
    first, again = Entry("a", 1, None, {"md5": MD5}, 1), Entry("a", 1, None, {"md5": MD5}, 2)
    other = Entry("a", 1, None, {"md5": OTHER}, 3)
    assert list(unique([first, again, other._replace(path="b")])) == [first, other._replace(path="b")]
    with pytest.raises(ManifestRefused, match="Line 3: a is listed a second time"):
        list(unique([first, again, other]))
    refused: list[ManifestRefused] = []
    assert list(unique([first, other], on_problem=refused.append)) == [first]
    assert len(refused) == 1


class Endless(io.RawIOBase):
    """A list of so many lines that is made while it is read."""

    def __init__(self, lines: int) -> None:
        self._lines = iter(range(lines))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size, parts = 0, []
        for number in self._lines:
            parts.append(f"{number:10d}  {number:032x}  ./raw/{number % 97}/file-{number}.dat\n".encode())
            size += len(parts[-1])
            if size > len(buffer) - 200:
                break
        block = b"".join(parts)
        buffer[: len(block)] = block
        return len(block)


def test_memory_does_not_grow_with_the_list() -> None:
    def peak(lines: int) -> int:
        tracemalloc.start()
        count = sum(1 for _ in read(io.BufferedReader(Endless(lines), 300_000)).entries)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == lines
        return most

    small, large = peak(8_000), peak(40_000)
    assert large < small * 1.2 < 20_000_000


def test_memory_does_not_grow_with_xml() -> None:
    program = """
import io
from itertools import chain, islice
from inventory.manifests import read

one = b"<fileobject><filename>./f%d</filename><filesize>1</filesize><hashdigest type='MD5'>%032x</hashdigest>"
lines = chain([b"<dfxml>"], ((one + b"</fileobject>\\n") % (n, n) for n in range(40_000)), [b"</dfxml>"])

class Stream(io.RawIOBase):
    def read(self, size=-1):
        return b"".join(islice(lines, 1000))

most = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
entries = read(Stream()).entries
assert sum(1 for _ in islice(entries, 10_000)) == 10_000
before = most()
assert sum(1 for _ in entries) == 30_000
assert most() - before < 6, most() - before
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30, cwd=Path(__file__).parents[2])


names = (
    st.lists(
        st.binary(min_size=1, max_size=8).filter(lambda b: not set(b) & set(b"\0/\n\r\\")),
        min_size=1,
        max_size=3,
    )
    .filter(lambda parts: not any(part in (b".", b"..") for part in parts))
    .map(b"/".join)
    .filter(lambda raw: raw[1:2] != b":")
)
delivered = st.builds(
    Entry,
    names.map(to_text),
    st.integers(0, 2**63 - 1),
    st.none(),
    st.fixed_dictionaries({"md5": st.integers(0, 2**128 - 1).map("{:032x}".format)}),
    st.just(0),
)


@given(st.lists(delivered, min_size=1, max_size=6))
@example([Entry("x offset", 1, None, {"md5": MD5}, 0)])
def test_written_lists_come_back(some: list[Entry]) -> None:
    numbered = [entry._replace(line=number) for number, entry in enumerate(some, 1)]
    assert entries(b"".join(write_md5deep(some))) == numbered
    shifted = [entry._replace(line=entry.line + 2) for entry in numbered]
    assert entries(b"".join(write_hashdeep(some, ["md5"]))) == shifted
    bare = [entry._replace(size=None) for entry in numbered]
    assert [entry._replace(line=0) for entry in entries(b"".join(write_md5deep(bare, sizes=False)))] == [
        entry._replace(line=0) for entry in bare
    ]


any_names = st.binary(min_size=1, max_size=9).filter(lambda b: not set(b) & set(b"\0/") and b not in (b".", b".."))


@given(
    st.lists(
        st.builds(
            Entry,
            any_names.filter(lambda raw: raw[1:2] != b":").map(to_text),
            st.none() | st.integers(0, 2**63 - 1),
            st.none() | st.integers(0, 2**32).map(lambda s: datetime.fromtimestamp(s, UTC)),
            st.sampled_from([{}, {"md5": MD5}, {"md5": MD5, "sha256": SHA256}]),
            st.just(0),
        ),
        max_size=5,
    )
)
@example(
    [Entry("a\r\nb", 0, None, {}, 0), Entry("<&>'\"\r", 0, None, {}, 0), Entry(to_text(b"\xe9\x01"), 1, None, {}, 0)]
)
def test_dfxml_comes_back_whatever_the_names(some: list[Entry]) -> None:
    text = b"".join(write_dfxml(some))
    found = [entry._replace(line=0) for entry in read(io.BytesIO(text)).entries]
    assert found == some


def test_a_name_that_would_forge_a_record_is_not_written() -> None:
    for name in (f"a\n{MD5}  ./b", f"a\n1,{MD5},./b", "a\n", "a\n#b", "a\n        12"):
        for write in (write_md5deep, write_hashdeep):
            with pytest.raises(ValueError, match="two files"):
                list(write([Entry(name, 1, None, {"md5": MD5, "sha256": SHA256}, 1)]))


def test_writers_refuse_what_they_cannot_say() -> None:
    def some(**other: object) -> Iterator[Entry]:
        yield Entry("a", 1, None, {"md5": MD5}, 1)._replace(**other)

    assert list(write_md5deep(some(hashes={}))) == [b"         0  " + b"*" * 32 + b"  ./a\n"]
    with pytest.raises(ValueError, match="no size"):
        list(write_md5deep(some(size=None)))
    with pytest.raises(ValueError, match="none of"):
        list(write_md5deep(some(), "crc32"))
    with pytest.raises(ValueError, match="no sha256"):
        list(write_hashdeep(some()))
    with pytest.raises(ValueError, match="no sha512"):
        list(write_hashdeep(some(), ["md5", "sha512"]))
    with pytest.raises(ValueError, match="without a hash"):
        list(write_hashdeep(some(), []))


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["README", "md5deep_NBP1406.txt", "NBP1406.md5", "hashdeep.txt"], "md5deep_NBP1406.txt"),
        (["MD5DEEP.TXT", "a"], "MD5DEEP.TXT"),
        (["md5deep_NBP1406.txt", "md5deep.txt"], "md5deep.txt"),
        (["hashdeep.list", "NBP1406.md5"], "hashdeep.list"),
        (["MD5_Summary.md5", "MD5_Summary.txt"], "MD5_Summary.txt"),
        (["bag-info.txt", "manifest-md5.txt", "tagmanifest-md5.txt"], "manifest-md5.txt"),
        (["cast1.gz", "cast1.gz.md5", "SHA256SUMS"], "SHA256SUMS"),
        (["cast1.gz", "cast1.gz.md5", "NBP1406.md5"], "NBP1406.md5"),
        (["cast1.gz", "cast1.gz.md5"], None),
        (["NBP_md5_list.txt"], "NBP_md5_list.txt"),
        (["sub/md5deep.txt", "data"], None),
        ([], None),
    ],
)
def test_the_manifest_among_the_files_of_the_root(names: list[str], chosen: str | None) -> None:
    assert find(names) == chosen
    assert find(reversed(names)) == chosen
