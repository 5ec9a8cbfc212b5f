"""Counts casts as a log already does: "001" after nothing, "B4" after "B3", "010" after "009". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CAST = re.compile(r"([^0-9]{0,20})([0-9]{1,9})", re.ASCII)
WIDTH = 3


def next_cast(own: str, others: Iterable[str]) -> str:
    """The cast after the highest of `others`, written as `own`: its letters, and at least as many figures.

    `own` is the last cast of this instrument ("" for the first), `others` are all casts of its class on this cruise.
    Casts without a number at their end are passed over.
    """
    written = _CAST.fullmatch(own.strip())
    prefix, width = (written[1], len(written[2])) if written else ("", WIDTH)
    numbers = [int(found[2]) for cast in others if (found := _CAST.fullmatch(cast.strip())) and found[1] == prefix]
    return f"{prefix}{max(numbers, default=0) + 1:0{width}d}"[:40]
