"""Rules of a distribution profile as patterns: the first whose directory and file name fit wins. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

LONGEST_PATTERN = 300


class RuleLike(Protocol):
    """What a rule must tell to be applied."""

    @property
    def directory(self) -> str: ...

    @property
    def name(self) -> str: ...


class BadPattern(ValueError):
    """A glob that cannot be one; the message says why."""


@lru_cache(maxsize=4096)
def directory_pattern(glob: str) -> re.Pattern[str]:
    """A directory glob as a regular expression: `*` and `?` stay inside a name, `**` crosses directories.

    It is matched against the directory with a slash at its end, and against "" for the root. "" or "." is the root;
    "**" is any directory, the root included. Capitals count. Raises BadPattern.
    """
    if len(glob) > LONGEST_PATTERN:
        raise BadPattern(f"has more than {LONGEST_PATTERN} characters")
    glob = glob.strip("/")
    if glob in ("", "."):
        return re.compile(r"\Z")
    parts = glob.split("/")
    if any(part in ("..", ".") for part in parts):
        raise BadPattern("holds . or ..; name directories from the root of the distribution")
    if sum(part == "**" for part in parts) > 3:
        raise BadPattern("holds ** more than three times")
    return re.compile("".join(r"(?:[^/]+/)*" if part == "**" else _part(part) + "/" for part in parts) + r"\Z")


@lru_cache(maxsize=4096)
def name_pattern(glob: str) -> re.Pattern[str]:
    """A file-name glob as a regular expression: `*`, `?`, `[abc]`. Raises BadPattern."""
    if len(glob) > LONGEST_PATTERN:
        raise BadPattern(f"has more than {LONGEST_PATTERN} characters")
    if "/" in glob:
        raise BadPattern("holds a /; directories go into the other field")
    return re.compile(_part(glob or "*") + r"\Z", re.DOTALL)


def _part(glob: str) -> str:
    """One name of a glob. Runs of * are one *, so that no pattern needs exponential time."""
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
            out += re.escape(char)
    return out


@dataclass(frozen=True, slots=True)
class Matcher:
    """Ordered rules, compiled. `rule_for` gives the first that fits a path."""

    rules: Sequence[Any]
    patterns: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]

    @classmethod
    def of(cls, rules: Iterable[RuleLike]) -> Matcher:
        """Raises BadPattern naming the rule."""
        found = list(rules)
        patterns = []
        for number, rule in enumerate(found, 1):
            try:
                patterns.append((directory_pattern(rule.directory), name_pattern(rule.name)))
            except (BadPattern, re.error) as error:
                raise BadPattern(f"rule {number} ({rule.directory}/{rule.name}): {error}") from error
        return cls(found, tuple(patterns))

    def rule_for(self, path: str) -> Any | None:
        """The first rule whose directory and name fit, or None."""
        directory, slash, name = path.rpartition("/")
        directory += slash
        for rule, (where, what) in zip(self.rules, self.patterns, strict=True):
            if where.match(directory) and what.match(name):
                return rule
        return None
