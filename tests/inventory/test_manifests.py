"""Manifests of every dialect: found out, read, and refused with a sentence where they cannot be trusted."""

import io
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.manifests import Entry, ManifestRefused, read
from inventory.paths import inside

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
OTHER = "c4ca4238a0b923820dcc509a6f75849b"
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def entries(text: str | bytes, **how: object) -> list[Entry]:
    raw = text.encode() if isinstance(text, str) else text
    return list(read(io.BytesIO(raw), **how).entries)


def collected(text: str) -> tuple[list[str], list[tuple[int, str]]]:
    """The paths that pass and the lines refused, in the mode that goes on."""
    refused: list[ManifestRefused] = []
    passed = [entry.path for entry in entries(text, on_problem=refused.append)]
    return passed, [(refusal.line, refusal.reason) for refusal in refused]


def test_openvdm() -> None:
    text = f"{MD5} NBP1406/two  blanks.txt\n{'*' * 32} NBP1406/large.raw\n{OTHER} NBP1406/*star\n"
    manifest = read(io.BytesIO(text.encode()))
    assert manifest.dialect == "openvdm"
    assert manifest.algorithms == ("md5",)
    assert [(entry.path, entry.hashes) for entry in manifest.entries] == [
        ("NBP1406/two  blanks.txt", {"md5": MD5}),
        ("NBP1406/large.raw", {}),
        ("NBP1406/*star", {"md5": OTHER}),
    ]


def test_bags_decode_three_characters_only() -> None:
    text = f"{SHA256}  data/new%0Aline%0d\n{SHA256.upper()} *data/100%25 %41.txt\n"
    manifest = read(io.BytesIO(text.encode()))
    assert manifest.dialect == "bagit"
    assert manifest.algorithms == ("sha256",)
    assert [entry.path for entry in manifest.entries] == ["data/new\nline\r", "data/100% %41.txt"]
    assert entries(f"{MD5}  tag%0Afile\n", dialect="bagit")[0].path == "tag\nfile"
    assert entries(f"{MD5}  tag%0Afile\n")[0].path == "tag%0Afile"


def test_submission_manifest_of_the_data_centre() -> None:
    text = (
        "\ufeff<?xml version='1.0' encoding='utf-8'?>\r\n<SubmissionManifest xmlns='urn:x'>\r\n"
        f"  <File SHA1='{SHA1.upper()}'>\r\n    <ZipPath>data\\sub dir\\a &amp; é.txt</ZipPath>\r\n"
        "  </File>\r\n"
        f"  <File SHA1='{SHA1}' ZipPath='b.txt'/>\r\n</SubmissionManifest>\r\n"
    )
    manifest = read(io.BytesIO(text.encode()))
    assert (manifest.dialect, manifest.algorithms) == ("ncei", ("sha1",))
    assert [(entry.path, entry.hashes, entry.line) for entry in manifest.entries] == [
        ("data/sub dir/a & é.txt", {"sha1": SHA1}, 3),
        ("b.txt", {"sha1": SHA1}, 6),
    ]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_what_windows_puts_around(codec: str) -> None:
    text = f"{MD5}  .\\sub dir\\ünï.dat\r\n{OTHER}  .\\b\r\n"
    bom = "\ufeff" if codec.endswith("-bom") else ""
    raw = (bom + text).encode(codec.removesuffix("-bom"))
    assert [(entry.path, entry.line) for entry in entries(raw)] == [("sub dir/ünï.dat", 1), ("b", 2)]


def test_utf16_across_blocks() -> None:
    text = "".join(f"{MD5}  .\\ü{number:06}\r\n" for number in range(20_000))
    found = entries(text.encode("utf-16"))
    assert len(found) == 20_000
    assert found[-1].path == "ü019999"


def test_a_backslash_separates_only_beyond_doubt() -> None:
    assert entries(f"{MD5}  ./back\\slash\n")[0].path == "back\\slash"
    assert entries(f"{MD5}  back\\slash\n")[0].path == "back\\slash"
    assert entries(f"{MD5}  dir\\a\r\n{MD5}  dir\\b\r\n")[0].path == "dir/a"
    assert entries(f"{MD5}  dir\\a\n", backslashes=True)[0].path == "dir/a"
    assert entries(f"{MD5}  .\\a\n", backslashes=False)[0].path == ".\\a"
    assert entries(f"{MD5}  D:\\NBP1406\\a\\b\n", root="d:\\nbp1406")[0].path == "a/b"
    assert entries(f"3,{MD5},.\\dir\\a\n".join(["%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n", ""]))[0].path == "dir/a"
    with pytest.raises(ManifestRefused, match="drive"):
        entries(f"{MD5}  D:\\a\n")


def test_crlf_is_a_line_end_only_where_every_line_has_it() -> None:
    assert [entry.path for entry in entries(f"{MD5}  a\r\n{MD5}  b\r\n")] == ["a", "b"]
    assert [entry.path for entry in entries(f"{MD5}  Icon\r\n{MD5}  b\n")] == ["Icon\r", "b"]


def test_md5sum_escapes() -> None:
    assert entries(f"\\{MD5}  a\\\\b\\nc\\rd\n")[0].path == "a\\b\nc\rd"
    assert entries(f"{MD5} *a\\nb\n")[0].path == "a\\nb"


def test_hashdeep_columns_and_commas() -> None:
    text = (
        f"%%%% HASHDEEP-1.0\n%%%% size,sha-1,md5,filename\n## Invoked from: /\n#\n7,{SHA1},{MD5},./a,b, c\n"
        f"%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n8,{MD5},./d\n"
    )
    manifest = read(io.BytesIO(text.encode()))
    assert manifest.algorithms == ("sha1", "md5")
    assert list(manifest.entries) == [
        Entry("a,b, c", 7, None, {"sha1": SHA1, "md5": MD5}, 5),
        Entry("d", 8, None, {"md5": MD5}, 8),
    ]


def test_times_are_utc_and_must_exist() -> None:
    line = f"{MD5} 2014:08:01:23:59:59  ./a\n"
    assert entries(line)[0].changed_at == datetime(2014, 8, 1, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(ManifestRefused, match="no date"):
        entries(line.replace("08:01:23", "13:01:23"))


REFUSALS = {
    f"{MD5[:-1]}g  ./b": "not hexadecimal",
    f"{MD5[:-1]}  ./b": "31 digits, md5 has 32",
    f"{MD5}0  ./b": "33 digits",
    f"{SHA1}  ./b": "40 digits \\(sha1\\)",
    f"{MD5[:9]}": "9 digits",
    f"{MD5}": "ends after the hash",
    f"{MD5}  ": "ends after the hash",
    f"{MD5}\t./b": "not parted",
    "        12": "No hash",
    "        12  d41d8cd9": "8 digits",
    "  ./b": "No hash",
    f"{MD5}  /etc/passwd": "absolute",
    f"{MD5}  ../b": "'\\.\\.'",
    f"{MD5}  sub/../../b": "'\\.\\.'",
    f"{MD5}  sub/": "folder",
    "./b: Permission denied": "could not read",
    "md5deep: b: Input/output error": "could not read",
    f"9999999999999999999  {MD5}  ./b": "no file has",
    f"{MD5}  b offset 0-99": "piece",
    f"{MD5}  " + "b/" * 33_000 + "b": "longer than 64 KiB",
}


@pytest.mark.parametrize("bad", REFUSALS)
def test_a_line_that_cannot_be_trusted_is_refused_by_number(bad: str) -> None:
    text = f"{MD5}  ./a\n{bad}\n{OTHER}  ./c\n"
    with pytest.raises(ManifestRefused, match=f"(?i)^Line 2: .*{REFUSALS[bad]}") as refusal:
        entries(text)
    assert refusal.value.reason.endswith(".")
    passed, refused = collected(text)
    assert passed == ["a", "c"]
    assert [line for line, _ in refused] == [2]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (f"1,{MD5}", "2 of 3 columns"),
        (f"1,{MD5[1:]},./b", "31 digits"),
        (f"1,g{MD5[1:]},./b", "not hexadecimal"),
        (f"1,{MD5},/b", "absolute"),
        (f"1,{MD5},../b", "'\\.\\.'"),
        ("./b: No such file or directory", "could not read"),
        (f"{MD5},./b", "not parted"),
        ("%%%% size,crc32,filename", "columns"),
        ("%%%% md5,size,filename", "columns"),
        ("%%%% size,md5,md5,filename", "columns"),
    ],
)
def test_hashdeep_refusals(bad: str, why: str) -> None:
    text = f"%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n1,{MD5},./a\n{bad}\n"
    with pytest.raises(ManifestRefused, match=f"(?i)^Line 4: .*{why}"):
        entries(text)
    assert collected(text)[0] == ["a"]


def test_a_name_is_not_put_together_without_end() -> None:
    text = f"{MD5}  ./a\n" + "no record at all, as it seems\n" * 10_000 + f"{OTHER}  ./b\n"
    passed, refused = collected(text)
    assert passed == ["b"]
    assert len(refused) > 5_000
    assert any("longer than 4,096 bytes" in reason for _, reason in refused)


def test_hashdeep_without_columns() -> None:
    passed, refused = collected(f"%%%% HASHDEEP-1.0\n1,{MD5},./a\n2,{MD5},./b\n")
    assert passed == []
    assert [line for line, _ in refused] == [2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "hello\n",
        "{}",
        "<html><body/></html>",
        "name,size\na,1\n",
        "PK\x03\x04\0\0\0",
        "abc  ./a\n",
        b"\xff\xfea\0b".decode("latin-1"),
    ],
)
def test_what_is_no_manifest_is_refused_at_once(text: str) -> None:
    with pytest.raises(ManifestRefused, match=r"^Line 1: .*([Ss]end|save)"):
        read(io.BytesIO(text.encode("latin-1")), on_problem=lambda refusal: None)


def test_an_unknown_dialect_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="none of"):
        read(io.BytesIO(b"x"), dialect="md6")
    with pytest.raises(ManifestRefused, match="record of md5deep"):
        read(io.BytesIO(b"x"), dialect="md5deep")


DFXML = "<?xml version='1.0'?>\n{doctype}<dfxml xmlns='urn:x'>\n{objects}</dfxml>\n"
OBJECT = (
    "<fileobject><filename>{name}</filename><filesize>{size}</filesize><mtime>2014-08-01T00:00:00Z</mtime>"
    "<hashdigest type='{type}'>{digest}</hashdigest></fileobject>\n"
)
GOOD = OBJECT.format(name="./a", size=1, type="MD5", digest=MD5)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (OBJECT.format(name="../b", size=1, type="MD5", digest=MD5), "'\\.\\.'"),
        (OBJECT.format(name="./b", size=-1, type="MD5", digest=MD5), "size"),
        (OBJECT.format(name="./b", size=10**19, type="MD5", digest=MD5), "size"),
        (OBJECT.format(name="./b", size=1, type="MD5", digest=MD5[1:]), "31 digits"),
        (OBJECT.format(name="./b", size=1, type="CRC32", digest=MD5), "no hash known"),
        (GOOD.replace("2014-08-01T00", "2014-08-01 00"), "no time"),
        (GOOD.replace("<filename>./a</filename>", ""), "no name"),
    ],
)
def test_dfxml_refusals(bad: str, why: str) -> None:
    text = DFXML.format(doctype="", objects=GOOD + bad + GOOD.replace("./a", "./c"))
    with pytest.raises(ManifestRefused, match=f"^Line 4: .*{why}"):
        entries(text)
    assert collected(text)[0] == ["a", "c"]


def test_xml_that_breaks_off_gives_what_came_before() -> None:
    text = DFXML.format(doctype="", objects=GOOD * 3)[:-60]
    with pytest.raises(ManifestRefused, match="not well formed"):
        entries(text)
    passed, refused = collected(text)
    assert passed == ["a", "a"]
    assert len(refused) == 1


def test_xml_attacks_are_refused() -> None:
    bomb = "<!DOCTYPE dfxml [<!ENTITY x 'y'><!ENTITY file SYSTEM 'file:///etc/passwd'>]>\n"
    for name in ("&x;", "&file;", "plain"):
        text = DFXML.format(doctype=bomb, objects=OBJECT.format(name=name, size=1, type="MD5", digest=MD5))
        with pytest.raises(ManifestRefused, match=r"DOCTYPE|not well formed"):
            entries(text)
    with pytest.raises(ManifestRefused, match="not well formed"):
        entries(DFXML.format(doctype="", objects=GOOD.replace("./a", "&x;")))


def test_a_folder_in_dfxml_is_no_file() -> None:
    folder = GOOD.replace("</fileobject>", "<name_type>d</name_type></fileobject>")
    assert [e.path for e in entries(DFXML.format(doctype="", objects=folder + GOOD.replace("./a", "./b")))] == ["b"]


@given(st.binary(max_size=300), st.sampled_from([None, "md5deep", "bagit", "hashdeep", "dfxml", "ncei"]))
def test_any_bytes_are_read_or_refused(raw: bytes, dialect: str | None) -> None:
    head = {"hashdeep": b"%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n", "dfxml": b"<dfxml>"}
    with suppress(ManifestRefused):
        for entry in entries(head.get(dialect or "", f"{MD5}  ./a\n".encode()) + raw, dialect=dialect):
            assert inside(entry.path) == entry.path
