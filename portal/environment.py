"""Reads settings from the environment and refuses what it does not understand.

Every value is checked where it is read, so that a typing error stops the start and not the cruise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TRUE, FALSE = frozenset({"1", "yes", "true", "on"}), frozenset({"0", "no", "false", "off"})


class Misconfigured(Exception):
    """A variable has a value that Leadline cannot work with; the message names it and says what to write."""


class Environment:
    """The process environment, read by name; remembers which names were asked for.

    A name that ends in _FILE beside the asked name gives the path of a file that holds the value,
    which is how secrets are handed over by service managers.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.known: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """The value, stripped; an empty value counts as not given. Raises Misconfigured for an unreadable file."""
        self.known |= {name, f"{name}_FILE"}
        if value := self.values.get(name, "").strip():
            return value
        if path := self.values.get(f"{name}_FILE", "").strip():
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Misconfigured(f"{name}_FILE names {path}, which cannot be read: {error}") from error
        return default

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no. Raises Misconfigured for any other word."""
        word = self.text(name, "yes" if default else "no").lower()
        if word in TRUE:
            return True
        if word in FALSE:
            return False
        raise Misconfigured(f"{name} is {word!r}; write yes or no")

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds. Raises Misconfigured outside them."""
        word = self.text(name, str(default))
        try:
            value = int(word)
        except ValueError as error:
            raise Misconfigured(f"{name} is {word!r}; write a whole number") from error
        if not least <= value <= most:
            raise Misconfigured(f"{name} is {value}; it must lie between {least} and {most}")
        return value

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One word of a few. Raises Misconfigured for any other."""
        word = self.text(name, default)
        if word not in choices:
            raise Misconfigured(f"{name} is {word!r}; write one of: {', '.join(choices)}")
        return word

    def names(self, name: str, default: str = "") -> list[str]:
        """A list of words separated by commas."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def unknown(self, prefix: str) -> list[str]:
        """Names with our prefix that nothing has asked for: most likely a typing error."""
        return sorted(name for name in self.values if name.startswith(prefix) and name not in self.known)
