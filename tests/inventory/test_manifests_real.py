"""What the real md5deep, hashdeep and coreutils print is read back exactly, whatever the names."""

import hashlib
import io
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.manifests import ManifestRefused, compare, read, unique, write_hashdeep, write_md5deep
from inventory.paths import to_text

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ["md5deep", "hashdeep", "md5sum", "sha256sum"])),
    reason="md5deep and hashdeep (Debian package hashdeep) are not installed",
)

CONTENTS: dict[bytes, bytes] = {
    b"a.txt": b"hello\n",
    b"empty": b"",
    b"sub/two  blanks.txt": b"x",
    b"sub/ lead": b"y",
    b"sub/trail ": b"z",
    b"sub/deep dir/f&<x>'\"": b"big" * 1000,
    b"new\nline.txt": b"n",
    b"two\n\nbreaks\nin it": b"nn",
    b"tab\there": b"t",
    b"cr\rinside": b"r",
    b"Icon\r": b"macOS",
    "ünï–dat".encode(): b"u",
    "one/\u00fcn.dat".encode(): b"composed",
    "one/u\u0308n.dat".encode(): b"decomposed",
    b"lat\xe9in": b"l",
    b"control\x01\x1b": b"c",
    b"back\\slash": b"b",
    b"com,ma": b",",
    b"per%0Acent%": b"%",
    b"*star": b"*",
    b"#hash": b"#",
    "\uef80\ue001".encode(): b"private use",
    "\ufffe\ud7ff".encode(): b"noncharacter",
}
LIMIT = 100  # bytes, for -I
PATHS = {to_text(name) for name in CONTENTS}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    plant(root, CONTENTS)
    return root


def plant(root: Path, contents: dict[bytes, bytes]) -> None:
    for name, content in contents.items():
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def run(tree: Path, *words: str, ok: tuple[int, ...] = (0,)) -> bytes:
    done = subprocess.run(words, cwd=tree, capture_output=True, timeout=20, check=False)
    assert done.returncode in ok, done.stderr
    return done.stdout


def digest(name: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, CONTENTS[name]).hexdigest()


def check(output: bytes, dialect: str, *algorithms: str, sizes: bool, root: str | None = None) -> None:
    manifest = read(io.BytesIO(output), root=root)
    assert manifest.dialect == dialect
    assert set(manifest.algorithms) == set(algorithms)
    entries = {entry.path: entry for entry in manifest.entries}
    assert entries.keys() == PATHS
    for name, content in CONTENTS.items():
        entry = entries[to_text(name)]
        assert entry.size == (len(content) if sizes else None)
        assert entry.hashes == {algorithm: digest(name, algorithm) for algorithm in algorithms}


@pytest.mark.parametrize("options", ["", "-z", "-t", "-z -t", "-0", "-0 -z -t", "-c", "-c -z", "-c -t", "-c -z -t"])
def test_md5deep_text(tree: Path, options: str) -> None:
    output = run(tree, "md5deep", "-r", "-l", *options.split(), ".")
    dialect = "md5deep-csv" if "-c" in options else "md5deep"
    check(output, dialect, "md5", sizes="-z" in options)
    times = {entry.changed_at for entry in read(io.BytesIO(output)).entries}
    if "-t" in options:
        inode_change = datetime.fromtimestamp(int((tree / "a.txt").stat().st_ctime), tz=UTC)
        assert inode_change in times
        assert None not in times
    else:
        assert times == {None}


@pytest.mark.parametrize("tool", ["sha1deep", "sha256deep", "tigerdeep", "whirlpooldeep"])
def test_the_other_deeps(tree: Path, tool: str) -> None:
    algorithm = tool.removesuffix("deep")
    manifest = read(io.BytesIO(run(tree, tool, "-r", "-l", "-z", ".")))
    assert manifest.algorithms == (algorithm,)
    entries = list(manifest.entries)
    assert {entry.path for entry in entries} == PATHS
    if algorithm.startswith("sha"):
        assert {e.hashes[algorithm] for e in entries} == {digest(name, algorithm) for name in CONTENTS}


@pytest.mark.parametrize("tool", ["md5deep", "sha256deep"])
def test_dfxml(tree: Path, tool: str) -> None:
    output = run(tree, tool, "-r", "-l", "-d", ".")
    check(output, "dfxml", tool.removesuffix("deep"), sizes=True)
    times = {entry.path: entry.changed_at for entry in read(io.BytesIO(output)).entries}
    assert times["a.txt"] == datetime.fromtimestamp(int((tree / "a.txt").stat().st_mtime), tz=UTC)


def test_dfxml_of_hashdeep(tree: Path) -> None:
    check(run(tree, "hashdeep", "-r", "-l", "-d", "."), "dfxml", "md5", "sha256", sizes=True)


def test_hashdeep(tree: Path) -> None:
    check(run(tree, "hashdeep", "-r", "-l", "."), "hashdeep", "md5", "sha256", sizes=True)
    output = run(tree, "hashdeep", "-c", "sha1,whirlpool,tiger,md5", "-r", "-l", "a.txt")
    manifest = read(io.BytesIO(output))
    assert manifest.algorithms == ("md5", "sha1", "tiger", "whirlpool")
    (entry,) = manifest.entries
    assert entry.path == "a.txt"
    assert entry.hashes["sha1"] == digest(b"a.txt", "sha1")
    assert len(entry.hashes) == 4


@pytest.mark.parametrize("options", ["", "-z", "-t", "-z -t", "-c"])
def test_asterisks_for_what_was_too_large(tree: Path, options: str) -> None:
    output = run(tree, "md5deep", "-r", "-l", "-I", str(LIMIT), *options.split(), ".")
    assert b"*" * 32 in output
    entries = {entry.path: entry for entry in read(io.BytesIO(output)).entries}
    assert entries.keys() == PATHS
    large = {to_text(name) for name, content in CONTENTS.items() if len(content) > LIMIT}
    assert {path for path, entry in entries.items() if not entry.hashes} == large
    assert {entries[path].size for path in large} == {None}  # the tool prints 0, which is not their size


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("binary", [(), ("-b",)])
def test_coreutils(tree: Path, algorithm: str, binary: tuple[str, ...]) -> None:
    names = [os.fsdecode(b"./" + name if name.startswith(b"#") else name) for name in CONTENTS]
    check(run(tree, algorithm + "sum", *binary, "--", *names), "md5sum", algorithm, sizes=False)


@pytest.mark.parametrize("tool", [("md5deep", "-z"), ("md5deep", "-d"), ("md5deep", "-c"), ("hashdeep",)])
def test_absolute_paths_need_the_root(tree: Path, tool: tuple[str, ...]) -> None:
    output = run(tree, *tool, "-r", ".")
    with pytest.raises(ManifestRefused, match="absolute"):
        list(read(io.BytesIO(output)).entries)
    for root in (str(tree), f"{tree}/"):
        assert {entry.path for entry in read(io.BytesIO(output), root=root).entries} == PATHS
    with pytest.raises(ManifestRefused, match="outside the root"):
        list(read(io.BytesIO(output), root=str(tree) + "-other").entries)


def test_a_root_that_is_relative(tree: Path) -> None:
    output = run(tree / "sub", "md5deep", "-r", "-l", "-z", "../../" + tree.name)
    with pytest.raises(ManifestRefused, match=r"\.\."):
        list(read(io.BytesIO(output)).entries)
    entries = read(io.BytesIO(output), root="../../" + tree.name).entries
    assert {entry.path for entry in entries} == PATHS


def test_unreadable_files_and_broken_links(tmp_path: Path) -> None:
    (tmp_path / "ok").write_bytes(b"1")
    (tmp_path / "broken").symlink_to("nowhere")
    plain = run(tmp_path, "md5deep", "-r", "-l", "-z", ".", ok=(0, 1, 64))
    assert [entry.path for entry in read(io.BytesIO(plain)).entries] == ["ok"]
    xml = run(tmp_path, "md5deep", "-r", "-l", "-d", ".", ok=(0, 1, 64))
    found = {entry.path: entry for entry in read(io.BytesIO(xml)).entries}
    assert found["broken"].hashes == {}
    assert found["broken"].size is None
    assert found["ok"].size == 1

    mixed = subprocess.run(  # 2>&1, as many an operator redirects
        ["md5deep", "-j0", "-r", "-l", "-z", "ok", "broken", "ok"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=20,
        check=False,
    ).stdout
    refused: list[ManifestRefused] = []
    entries = list(read(io.BytesIO(mixed), on_problem=refused.append).entries)
    assert {entry.path for entry in entries} == {"ok"}
    assert len(refused) == 1
    assert "could not read" in refused[0].reason


def test_pieces_are_refused(tree: Path) -> None:
    for words in (("md5deep",), ("md5deep", "-c"), ("hashdeep",)):
        output = run(tree, *words, "-r", "-l", "-p", "1000", "sub")
        with pytest.raises(ManifestRefused, match="piece"):
            list(read(io.BytesIO(output)).entries)


def test_what_is_written_is_what_md5deep_prints(tree: Path) -> None:
    output = run(tree, "md5deep", "-r", "-l", "-z", "-j0", ".")
    entries = list(read(io.BytesIO(output)).entries)
    assert b"".join(write_md5deep(entries)) == output
    output = run(tree, "sha256deep", "-r", "-l", "-z", "-I", str(LIMIT), "-j0", ".")
    entries = list(read(io.BytesIO(output)).entries)
    assert b"".join(write_md5deep(entries, "sha256")) == output


def test_hashdeep_audits_what_is_written(tree: Path, tmp_path: Path) -> None:
    plain = {name: content for name, content in CONTENTS.items() if b"\n" not in name and b"\r" not in name}
    copy = tmp_path / "tree"
    plant(copy, plain)
    entries = list(read(io.BytesIO(run(copy, "hashdeep", "-r", "-l", "."))).entries)
    known = tmp_path / "known.hashdeep"
    known.write_bytes(b"".join(write_hashdeep(entries, ("md5", "sha256"))))
    report = run(copy, "hashdeep", "-r", "-l", "-a", "-v", "-k", str(known), ".")
    assert b"Audit passed" in report
    assert b"Files matched: %d" % len(plain) in report

    (copy / "a.txt").write_bytes(b"changed")
    assert b"Audit failed" in run(copy, "hashdeep", "-r", "-l", "-a", "-k", str(known), ".", ok=(1, 2))
    known.write_bytes(b"".join(write_hashdeep(entries, ("md5",))))
    assert b"Audit failed" in run(copy, "hashdeep", "-r", "-l", "-a", "-k", str(known), ".", ok=(1, 2))


def test_a_real_distribution(real_data: Path, tmp_path: Path) -> None:
    output = run(real_data, "md5deep", "-r", "-l", "-z", "-t", "nbp1406")
    entries = list(unique(read(io.BytesIO(output)).entries))
    on_disk = {
        str(file.relative_to(real_data)): file.stat().st_size
        for file in real_data.glob("nbp1406/**/*")
        if file.is_file()
    }
    assert {entry.path: entry.size for entry in entries} == on_disk
    again = read(io.BytesIO(run(real_data, "hashdeep", "-r", "-l", "nbp1406"))).entries
    result = compare(
        [(entry.path, entry.size, entry.hashes) for entry in entries],
        [(entry.path, entry.size, entry.hashes) for entry in again],
        tmp_path / "result",
    )
    assert result.same
    assert result.unproven == 0
    assert result.counts["matched"] == len(on_disk) > 20
