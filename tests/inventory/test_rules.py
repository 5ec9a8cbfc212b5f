"""Rules as patterns: what a glob reaches, that the first rule wins, and that no pattern takes for ever."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.profiles import RuleText
from inventory.rules import SIGNATURES, BadPattern, Matcher, check, directory_pattern, name_pattern, signature

NAMES = st.text("abx.-[](", min_size=1, max_size=6).filter(lambda name: name not in (".", ".."))


def reaches(directory: str, path: str, name: str = "*") -> bool:
    return Matcher.of([RuleText(directory, name)]).rule_for(path) is not None


@pytest.mark.parametrize(
    ("directory", "path", "expected"),
    [
        ("", "a.txt", True),
        (".", "a.txt", True),
        ("", "d/a.txt", False),
        ("**", "a.txt", True),
        ("**", "d/e/a.txt", True),
        ("data", "data/a", True),
        ("/data/", "data/a", True),
        ("data", "data/b/a", False),
        ("data", "Data/a", False),
        ("data", "data2/a", False),
        ("data/**", "data/a", True),
        ("data/**", "data/b/c/a", True),
        ("data/*/raw", "data/ctd/raw/a", True),
        ("data/*/raw", "data/ctd/x/raw/a", False),
        ("**/raw", "raw/a", True),
        ("**/raw", "x/y/raw/a", True),
        ("**/raw", "x/raw/y/a", False),
        ("data/s3?0", "data/s330/a", True),
        ("data/s3?0", "data/s3/0/a", False),
        ("d[a-c]t", "dbt/a", True),
        ("d[!a-c]t", "dbt/a", False),
        ("a.b", "axb/f", False),
    ],
)
def test_what_a_directory_reaches(directory, path, expected):
    assert reaches(directory, path) is expected


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("*.hex", "a.hex", True),
        ("*.hex", "a.hex.bak", False),
        ("*.hex", "a.HEX", False),
        ("cast?.dat", "cast1.dat", True),
        ("cast?.dat", "cast10.dat", False),
        ("[ab]*", "bravo", True),
        ("[!ab]*", "bravo", False),
        ("[", "[", True),
        ("*", "new\nline", True),
        ("a*", "a\nb", True),
        ("a", "a\n", False),
    ],
)
def test_what_a_name_reaches(name, file, expected):
    assert reaches("", file, name) is expected


@pytest.mark.parametrize(
    ("directory", "name"),
    [("a/../b", "*"), ("./a/.", "*"), ("**/**/**/**", "*"), ("a" * 301, "*"), ("a", "b/c"), ("a", "*a" * 11)],
)
def test_patterns_that_are_none_are_refused(directory, name):
    with pytest.raises(BadPattern, match="rule 2"):
        Matcher.of([RuleText("ok"), RuleText(directory, name)])


def test_a_broken_class_is_refused_and_not_a_crash():
    with pytest.raises(BadPattern):
        Matcher.of([RuleText("a", "[z-a]")])


def test_the_first_rule_wins():
    rules = [RuleText("a", "*.x"), RuleText("a"), RuleText("**")]
    matcher = Matcher.of(rules)
    assert [matcher.rule_for(p) for p in ("a/1.x", "a/1.y", "b/1.x")] == rules
    assert Matcher.of(rules[:2]).rule_for("b/1.x") is None


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_a_path_is_reached_by_its_own_name_and_by_stars(parts):
    path, directory = "/".join(parts), "/".join(parts[:-1])
    assert reaches("**", path)
    assert reaches("/".join("*" for _ in parts[:-1]), path)
    if not set("[*?") & set(path):
        assert reaches(directory, path, parts[-1])
    assert not reaches("/".join("*" for _ in parts), path)


@given(st.text("ab*?.", min_size=1, max_size=8), st.text("ab.\n", min_size=1, max_size=8))
def test_names_agree_with_fnmatch(glob, name):
    assert bool(name_pattern(glob).fullmatch(name)) is fnmatch.fnmatchcase(name, glob)


@pytest.mark.parametrize(
    ("directory", "name", "path"),
    [
        ("", "*" * 250 + "b", "a" * 2000),
        ("**/a/**/a/**/b", "*", "a/" * 1000 + "c"),
        ("**/**/**", "x", "a/" * 1000 + "c"),
        ("*a*a*a", "*", "a" * 250 + "/c"),
    ],
)
def test_patterns_made_to_be_slow_are_not(directory, name, path):
    began = time.process_time()
    reaches(directory, path, name)
    assert time.process_time() - began < 5


def test_a_directory_pattern_is_compiled_once():
    assert directory_pattern("data/**") is directory_pattern("data/**")


@pytest.mark.parametrize(
    ("directory", "name", "path", "expected"),
    [
        ("re:data/(ctd|xbt)(/.*)?", "*", "data/ctd/raw/a", True),
        ("re:data/(ctd|xbt)(/.*)?", "*", "data/ctdx/a", False),
        ("re:^data$", "*", "data/a", True),
        ("re:(?i)data", "*", "DATA/a", True),
        ("re:.*", "*", "a", True),
        ("re:a|b", "*", "b/x", True),
        ("**", r"re:\d{4}\.(hex|hdr)", "x/0001.hdr", True),
        ("**", r"re:\d{4}\.(hex|hdr)", "x/0001.hdr.bak", False),
        ("**", r"re:\w+", "x/a\n", False),
        ("**", "re:a.b", "a\nb", True),
        ("[r]e:a", "*", "re:a/x", True),
    ],
)
def test_regular_expressions_cover_the_whole_of_a_directory_or_name(directory, name, path, expected):
    assert reaches(directory, path, name) is expected


@pytest.mark.parametrize(
    ("directory", "name", "field", "why"),
    [
        ("re:a(b", "*", "directory", "missing )"),
        ("re:a)(b", "*", "directory", "unexpected )"),
        ("re:", "*", "directory", "nothing after re:"),
        ("a", r"re:(x)\1", "name", r"at character 4: \1"),
        ("a", "re:(?=x)", "name", "at character 1"),
        ("a", "re:((a{100}){100}){100}", "name", "repetition"),
        ("a", "re:" + "x" * 300, "name", "300"),
    ],
)
def test_a_refused_expression_says_why_and_where(directory, name, field, why):
    (fault,) = check(RuleText(directory, name))
    assert fault.field == field
    assert why in str(fault)


@pytest.mark.parametrize("pattern", ["re:(a+)+b", "re:(a|a)*b", "re:(.*a){20}b", r"re:(\w+\s?)*$"])
def test_catastrophic_expressions_are_fast(pattern):
    began = time.process_time()
    assert not reaches("**", "a" * 4000 + "!", pattern)
    assert time.process_time() - began < 2


def test_too_much_together_is_refused_and_not_silent():
    many = [RuleText("**", f"re:([a-z]{{1,900}}{n}){{1}}") for n in range(1000)]
    with pytest.raises(BadPattern, match="together"):
        Matcher.of(many).rule_for("x" * 4000)


def test_the_content_decides_where_names_are_alike():
    ek, adcp = RuleText("**", "*.raw", signature="4:584d4c30"), RuleText("**", "*.raw", signature="0:7f7f")
    matcher = Matcher.of([ek, adcp])
    held = {"a.raw": b"\x7f\x7f......", "b.raw": b"....XML0", "c.raw": b"nothing!"}

    def peek(path: str, offset: int, length: int) -> bytes | None:
        return held[path][offset : offset + length] if path in held else None

    assert [matcher.rule_for(path, peek) for path in ("a.raw", "b.raw", "c.raw", "gone.raw")] == [adcp, ek, None, ek]
    assert matcher.rule_for("a.raw") is ek


@pytest.mark.parametrize("text", ["", "0", "x:00", "0:", "0:0", "-1:00", "9999999:00", "0:" + "00" * 65])
def test_a_signature_that_is_none_is_refused(text):
    with pytest.raises(BadPattern):
        signature(text)


def test_the_known_signatures_are_signatures():
    assert all(signature(text)[1] for text in SIGNATURES)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "**", "a", "a/**", "re:a.*", "*"]), st.text("ab*?.", max_size=4)), max_size=6
    ),
    st.lists(st.sampled_from(["a", "b", "a.b", "ab"]), min_size=1, max_size=3),
)
def test_all_at_once_is_what_one_by_one_is(rules, parts):
    texts = [RuleText(directory, name) for directory, name in rules]
    path = "/".join(parts)
    assert Matcher.of(texts).rule_for(path) == next((r for r in texts if Matcher.of([r]).rule_for(path)), None)
