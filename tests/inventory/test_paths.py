"""Names keep their bytes, and no path leads outside."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.paths import LONGEST, PathRefused, display, inside, to_bytes, to_text

names = st.binary(max_size=60).filter(lambda raw: b"\0" not in raw)
near_stand_ins = st.text(
    st.one_of(st.characters(min_codepoint=0xEF00, max_codepoint=0xF010), st.sampled_from("aé/\\")),
    max_size=12,
).map(lambda text: text.encode())


@given(st.one_of(names, near_stand_ins, st.tuples(near_stand_ins, names).map(b"".join)))
@example("\uef80".encode())
@example("\uef80".encode()[:2])
@example(b"\xed\xb2\x80")  # a surrogate in UTF-8 clothing: not valid UTF-8, so three bytes
def test_bytes_come_back_and_the_text_fits_a_database(raw: bytes) -> None:
    text = to_text(raw)
    text.encode("utf-8")  # raises for a lone surrogate, as PostgreSQL would
    assert to_bytes(text) == raw


@given(st.text().filter(lambda text: "\0" not in text and not any("\uef80" <= c <= "\uefff" for c in text)))
def test_valid_utf8_stays_itself(text: str) -> None:
    assert to_text(text.encode("utf-8")) == text


@given(st.text(st.characters(min_codepoint=0x1, max_codepoint=0x10FFFF), max_size=12))
@example("\uefc3\uefa9")  # the two bytes of é, given as stand-ins
@example("\udc80")
def test_a_text_is_refused_or_is_the_only_text_of_its_bytes(text: str) -> None:
    try:
        raw = to_bytes(text)
    except PathRefused:
        return
    assert to_text(raw) == text


def test_stand_ins_for_valid_text_and_surrogates_are_refused() -> None:
    for text in ("\uefc3\uefa9", "\udc80", "\ud83d"):
        with pytest.raises(PathRefused):
            to_bytes(text)
    with pytest.raises(PathRefused, match="NUL"):
        to_text(b"a\0b")


def test_latin1_and_private_use_names() -> None:
    assert to_text(b"lat\xe9in") == "lat\uefe9in"
    assert to_text("\ue080".encode()) == "\ue080"
    assert to_text("\uef80".encode()) == "\uefee\uefbe\uef80"


@pytest.mark.parametrize(
    ("given_path", "normal"),
    [
        ("a", "a"),
        ("./a", "a"),
        ("././a//b/./c", "a/b/c"),
        (".hidden", ".hidden"),
        ("a/..b", "a/..b"),
        ("a/...", "a/..."),
        (" lead/trail ", " lead/trail "),
        ("back\\slash", "back\\slash"),
        ("new\nline", "new\nline"),
        ("data/c:d", "data/c:d"),
        ("c:d", "c:d"),  # a legal POSIX name; only with a separator behind it is it a drive
        ("*star", "*star"),
        ("ünï/dat", "ünï/dat"),
    ],
)
def test_normal_form(given_path: str, normal: str) -> None:
    assert inside(given_path) == normal


def test_windows_separators_only_on_request() -> None:
    assert inside(".\\a\\b.txt", backslashes=True) == "a/b.txt"
    assert inside("a\\..\\b") == "a\\..\\b"
    with pytest.raises(PathRefused, match=r"\.\."):
        inside("a\\..\\b", backslashes=True)
    for path in ("\\\\server\\x", "C:\\x", "C:x", ".\\C:x", "\\x"):
        with pytest.raises(PathRefused):
            inside(path, backslashes=True)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "empty"),
        (".", "folder"),
        ("./", "folder"),
        ("a/", "folder"),
        ("a/.", "folder"),
        ("/etc/passwd", "absolute"),
        ("//x", "absolute"),
        ("\\\\server\\share", "absolute"),
        ("..", r"\.\."),
        ("a/../b", r"\.\."),
        ("a/..", r"\.\."),
        ("C:/x", "drive"),
        ("c:\\x", "drive"),
        ("./C:/x", "drive"),
        ("a\0b", "NUL"),
        ("\udc80", "surrogate"),
        ("\uefc3\uefa9", "stand-ins"),
        ("é" * (LONGEST // 2) + "x", "longer"),
    ],
)
def test_refusals_say_why(path: str, why: str) -> None:
    with pytest.raises(PathRefused, match=why) as refusal:
        inside(path)
    assert refusal.value.reason == str(refusal.value)


def test_the_longest_path_passes() -> None:
    path = "/".join(["x" * 255] * 16)
    assert len(path) == LONGEST - 1
    assert inside(path) == path


pieces = st.one_of(
    st.sampled_from(["", ".", "..", "...", "a", "b c", "C:", "\\", "\\..", "~", "é", "\n", "\uef80"]),
    st.text(max_size=3),
)


@example(path="./\\\\server", backslashes=False)
@given(st.lists(pieces, max_size=6).map("/".join), st.booleans())
def test_what_passes_stays_inside_and_is_normal(path: str, backslashes: bool) -> None:
    try:
        normal = inside(path, backslashes=backslashes)
    except PathRefused:
        return
    assert not normal.startswith("/")
    assert all(part not in ("", ".", "..") for part in normal.split("/"))
    assert "\0" not in normal
    assert len(to_bytes(normal)) <= LONGEST
    assert inside(normal, backslashes=backslashes) == normal
    if backslashes:
        assert "\\" not in normal


def test_display_spells_out_what_the_eye_cannot_see() -> None:
    assert display("plain name.txt") == "plain name.txt"
    assert display("ünï–dat") == "ünï–dat"
    assert display(to_text(b"a\nb\r\t\x01\x7f\xff")) == r"a\nb\r\t\x01\x7f\xff"
    assert display("back\\n") == r"back\\n"
    assert display("\u202egpj.exe\u200b\u0085\u00a0") == r"\u202egpj.exe\u200b\u0085\u00a0"


@given(names, names)
def test_different_names_look_different(one: bytes, other: bytes) -> None:
    if one != other:
        assert display(to_text(one)) != display(to_text(other))
