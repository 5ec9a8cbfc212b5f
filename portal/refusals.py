"""Refusals: what a verb raises when it may not, cannot or will not; `errors` makes pages of them.

Each carries a sentence that says what was wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Refusal(Exception):
    """A verb was refused. `reason` is a sentence for the person who asked."""

    title = "Refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def members(self) -> dict[str, Any]:
        """What a problem document tells besides: plain JSON, by name."""
        return {}


class NotNow(Refusal):
    """The thing is in a state in which the verb is not possible."""

    title = "Not possible now"


class Busy(Refusal):
    """Somebody else writes, and for long: the embedded database lets in one writer at a time."""

    title = "Busy"

    def __init__(self) -> None:
        super().__init__(
            "Much is being written at the moment, as of a large distribution. Nothing of what you sent was taken in; "
            "send it again in a minute."
        )


class NotYou(Refusal):
    """The person does not have the role that the verb asks for."""

    title = "Not allowed"


class NotFound(Refusal):
    """There is no such thing, or none that the person may see."""

    title = "Not found"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in what was sent: where (a field, an element, a file), which line, and what."""

    where: str
    what: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}, {self.where}" if self.line and self.where else self.where or f"line {self.line}"
        return f"{place}: {self.what}" if self.where or self.line else self.what


class NotLikeThis(Refusal):
    """What was sent is wrong. `faults` names every fault with its place."""

    title = "Not accepted"

    def __init__(self, reason: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(reason)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join([self.reason, *(f"  {fault}" for fault in self.faults)])
