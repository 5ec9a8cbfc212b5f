"""What the check of an export found: a list of sentences, each true or not, and notes for the reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that the bytes were held against."""

    rule: str
    passed: bool
    found: str = ""


@dataclass(slots=True)
class Report:
    """All rules, and notes that are no faults (such as: 14 events have no position)."""

    format: str
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every rule is kept, and there was at least one."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def rule(self, rule: str, passed: bool, found: object = "") -> bool:
        """One more rule; `found` is told in both cases."""
        self.checks.append(Check(rule, bool(passed), str(found)))
        return bool(passed)

    def count(self, what: str, found: int, wanted: int) -> bool:
        """The rule that there are exactly as many as in the log."""
        return self.rule(f"as many {what} as in the log", found == wanted, f"{found:,} of {wanted:,}")

    def faults(self, rule: str, faults: Faults) -> bool:
        """The rule that no row was found at fault."""
        return self.rule(rule, not faults.count, faults)

    def told(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return {
            "format": self.format,
            "passed": self.passed,
            "checks": [asdict(check) for check in self.checks],
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class Faults:
    """Faults of rows, counted; the first few are kept word by word."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, where: object, what: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < EXAMPLES:
            self.first.append(f"{where}: {what}")

    def __str__(self) -> str:
        if not self.count:
            return "none at fault"
        return f"{self.count:,} at fault: {'; '.join(self.first)}"


def is_time(text: str) -> bool:
    """Whether it is a time in UTC as these exports write it, 2026-03-02T03:14:07.120000Z or without fraction."""
    if not text.endswith("Z"):
        return False
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return len(text) >= 20


def in_range(text: str, most: float) -> bool:
    """Whether it is a finite number from -most to most."""
    try:
        return -most <= float(text) <= most
    except ValueError:
        return False


def repeated(values: Counter[str]) -> Faults:
    """Values that come more than once."""
    faults = Faults()
    for value, times in values.items():
        if times > 1:
            faults.add(repr(value)[:80], f"{times} times")
    return faults


Checker = Callable[[Any, Any], Report]
