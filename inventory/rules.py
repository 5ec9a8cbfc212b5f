"""Rules of a distribution profile as patterns: the first whose directory, name and content fit wins. Pure.

A pattern is a glob, or after `re:` a regular expression. Both run in RE2, whose time is linear in the length of the
text, whatever the pattern: no rule can make a classification hang.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol

import re2

LONGEST_PATTERN = 300
REGULAR = "re:"
MEMORY = 64 * 1024 * 1024
MOST_REMEMBERED = 200_000  # directories whose rules are kept in mind
FARTHEST_SIGNATURE = 1024 * 1024
LONGEST_SIGNATURE = 64

# Well-known beginnings of files, as "offset:hex bytes".
SIGNATURES: Final = {
    "0:43444601": "netCDF classic",
    "0:43444602": "netCDF, 64-bit offsets",
    "0:894844460d0a1a0a": "HDF5, netCDF-4",
    "4:0249": "Kongsberg .all, installation datagram first",
    "4:2349": "Kongsberg .kmall, installation datagram first",
    "4:434f4e30": "Simrad EK60 .raw",
    "4:584d4c30": "Simrad EK80 .raw",
    "0:7f7f": "Teledyne RDI ADCP ensembles",
    "0:2a205365612d42697264": "Sea-Bird header (* Sea-Bird)",
}

Peek = Callable[[str, int, int], bytes | None]
"""(path, offset, length) -> the bytes there, None where the file cannot be read."""


class RuleLike(Protocol):
    """What a rule must tell to be applied."""

    @property
    def directory(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def signature(self) -> str: ...


class BadPattern(ValueError):
    """A pattern that cannot be one; the message says why, `field` which of a rule's fields it stands in."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.field = field


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.never_capture = True
    return options


def _compiled(pattern: str, shown: str = "") -> Any:
    """Raises BadPattern with RE2's own words and the place in what was written."""
    options = _options()
    options.max_mem = MEMORY // 16
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        what, _, piece = why.partition(": ")
        at = (shown or pattern).find(piece) if piece else -1
        place = f" at character {at + 1}: {piece}" if at >= 0 else f": {piece}" if piece else ""
        raise BadPattern(f"is no pattern: {what}{place}") from error


def _regular(text: str) -> str:
    """A regular expression as written after `re:`. Raises BadPattern."""
    pattern = text.removeprefix(REGULAR).strip()
    if not pattern:
        raise BadPattern("has nothing after re:")
    _compiled(pattern)
    return f"(?:{pattern})"


def _short(text: str) -> None:
    if len(text) > LONGEST_PATTERN:
        raise BadPattern(f"has more than {LONGEST_PATTERN} characters")


@lru_cache(maxsize=4096)
def directory_pattern(glob: str) -> Any:
    """A directory pattern, compiled; `fullmatch` it.

    A glob (`*` and `?` stay inside a name, `**` crosses directories) is matched against the directory with a slash at
    its end, and against "" for the root: "" or "." is the root, "**" any directory, the root included. A regular
    expression is matched against the directory without that slash. Capitals count. Raises BadPattern.
    """
    return _compiled(_directory(glob), glob)


def _directory(glob: str) -> str:
    _short(glob)
    if glob.startswith(REGULAR):
        return _regular(glob)
    glob = glob.strip("/")
    if glob in ("", "."):
        return ""
    parts = glob.split("/")
    if any(part in ("..", ".") for part in parts):
        raise BadPattern("holds . or ..; name directories from the root of the distribution")
    if sum(part == "**" for part in parts) > 3:
        raise BadPattern("holds ** more than three times")
    return "".join(r"(?:[^/]+/)*" if part == "**" else _part(part) + "/" for part in parts)


@lru_cache(maxsize=4096)
def name_pattern(glob: str) -> Any:
    """A file-name pattern, compiled; `fullmatch` it. Globs know `*`, `?`, `[abc]`. Raises BadPattern."""
    return _compiled(_name(glob), glob)


def _name(glob: str) -> str:
    _short(glob)
    if glob.startswith(REGULAR):
        return _regular(glob)
    if "/" in glob:
        raise BadPattern("holds a /; directories go into the other field")
    return _part(glob or "*")


def _part(glob: str) -> str:
    """One name of a glob. Runs of * are one *."""
    out, index = "", 0
    glob = re.sub(r"\*+", "*", glob)
    if glob.count("*") > 10:
        raise BadPattern("holds * more than ten times in one name")
    while index < len(glob):
        char = glob[index]
        index += 1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (end := glob.find("]", index + 1)) > 0:
            inside = glob[index:end]
            negated = inside.startswith(("!", "^"))
            body = re.sub(r"([\\\[\]&~|^])", r"\\\1", inside[1:] if negated else inside)
            out += f"[{'^/' if negated else ''}{body}]"
            index = end + 1
        else:
            out += re2.escape(char)
    return out


@lru_cache(maxsize=4096)
def signature(text: str) -> tuple[int, bytes]:
    """What a file must hold, of "offset:hex": the offset and the bytes there. Raises BadPattern."""
    offset, colon, digits = text.partition(":")
    try:
        place, wanted = int(offset), bytes.fromhex(digits)
    except ValueError:
        colon = ""
    if not colon or not wanted or not offset.strip().isascii():
        raise BadPattern("is written as offset:hex bytes, as 0:43444601")
    if not 0 <= place <= FARTHEST_SIGNATURE or len(wanted) > LONGEST_SIGNATURE:
        raise BadPattern(f"reaches no farther than {FARTHEST_SIGNATURE} and has at most {LONGEST_SIGNATURE} bytes")
    return place, wanted


def check(rule: RuleLike) -> list[BadPattern]:
    """What is wrong with the patterns of one rule, each with its field."""
    found = []
    for name, test in (("directory", directory_pattern), ("name", name_pattern), ("signature", signature)):
        text = getattr(rule, name)
        try:
            if name != "signature" or text:
                test(text)
        except BadPattern as error:
            found.append(BadPattern(str(error), name))
    return found


class _Family:
    """Patterns that are asked all at once: one pass over a text tells which of them it fits."""

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _options()
        options.max_mem = MEMORY
        self._all = re2.Set.FullMatchSet(options)
        for pattern in patterns:
            self._all.Add(pattern)
        self._all.Add(".*")  # fits always: where even this does not, RE2 ran out of memory
        try:
            self._all.Compile()
        except re2.error as error:
            raise BadPattern("the patterns of all rules together are too large") from error

    def fits(self, text: str) -> set[int]:
        """Numbers of the patterns that fit, counted from 0."""
        found = self._all.Match(text)
        if not found:
            raise BadPattern("the patterns of all rules together need too much memory")
        return set(found)


@dataclass(slots=True)
class Matcher:
    """Ordered rules, compiled. `rule_for` gives the first that fits a path.

    The rules of a directory are found once for each directory; its names are asked all at once.
    """

    rules: Sequence[Any]
    _globs: _Family
    _regulars: _Family
    _names: _Family
    _name_number: dict[str, int]
    _there: dict[str, list[tuple[Any, int | None, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[RuleLike]) -> Matcher:
        """Raises BadPattern naming the rule."""
        found = list(rules)
        for number, rule in enumerate(found, 1):
            for error in check(rule):
                raise BadPattern(f"rule {number} ({rule.directory}/{rule.name}): {error}", error.field)
        never = r"[^\x00-\x{10FFFF}]"  # keeps the numbers of the rules where a family does not hold one
        regular = [rule.directory.startswith(REGULAR) for rule in found]
        names = list(dict.fromkeys(rule.name for rule in found))
        return cls(
            found,
            _Family([never if r else _directory(rule.directory) for rule, r in zip(found, regular, strict=True)]),
            _Family([_directory(rule.directory) if r else never for rule, r in zip(found, regular, strict=True)]),
            _Family([_name(name) for name in names]),
            {name: number for number, name in enumerate(names)},
        )

    def rule_for(self, path: str, peek: Peek | None = None) -> Any | None:
        """The first rule whose directory, name and signature fit, or None.

        Signatures are looked at through `peek`; of a file that cannot be read directory and name decide alone.
        """
        directory, _, name = path.rpartition("/")
        there = self._there.get(directory)
        if there is None:
            there = self._look(directory)
        fitting: set[int] | None = None
        for rule, wanted, content in there:
            if wanted is not None:
                if fitting is None:
                    fitting = self._names.fits(name)
                if wanted not in fitting:
                    continue
            if content and peek is not None:
                offset, begin = signature(content)
                held = peek(path, offset, len(begin))
                if held is not None and held != begin:
                    continue
            return rule
        return None

    def _look(self, directory: str) -> list[tuple[Any, int | None, str]]:
        """The rules that reach a directory, up to the first that takes every file there."""
        fitting = self._globs.fits(directory + "/" if directory else "") | self._regulars.fits(directory)
        there: list[tuple[Any, int | None, str]] = []
        for number in sorted(fitting):
            if number == len(self.rules):
                break
            rule = self.rules[number]
            everything = rule.name in ("", "*")
            there.append((rule, None if everything else self._name_number[rule.name], rule.signature))
            if everything and not rule.signature:
                break
        if len(self._there) >= MOST_REMEMBERED:
            self._there.clear()
        self._there[directory] = there
        return there
