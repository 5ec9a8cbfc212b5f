"""Rules about numbers of samples and bottles, as the fields of buttons ask for them. Pure.

A field named like a sample (sample, sample_id, bottle_id, samples_from and samples_to) holds numbers that occur once on
a cruise; one named like a bottle holds those of one cast.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventlog.redpen.finding import Finding, Row

_RANGE = re.compile(
    r"\s*([A-Za-z]{0,10}[-_ ]?)(\d{1,12})\s*(?:(?:-|–|to|\.\.)\s*(?:[A-Za-z]{0,10}[-_ ]?)(\d{1,12}))?\s*"
)
_FIRST = re.compile(r"(?:^|_)(first|from|start|begin)(?:_|$)")
_LAST = re.compile(r"(?:^|_)(last|to|end|stop)(?:_|$)")
MOST_BOTTLES = 36  # the largest rosette that is in use


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `first` to `last`, both included, with the letters before them."""

    name: str
    letters: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.letters}{self.first}" + (f"–{self.letters}{self.last}" if self.last != self.first else "")


def spans(extra: Mapping[str, Any]) -> list[Span]:
    """The numbers of samples and bottles that the answers of an event hold; what is no number is passed over."""
    found: list[Span] = []
    ends: dict[str, dict[str, int]] = defaultdict(dict)
    for name, value in extra.items():
        named = str(name).casefold()
        if not ("sample" in named or "bottle" in named or "niskin" in named) or isinstance(value, bool):
            continue
        for which, pattern in (("first", _FIRST), ("last", _LAST)):
            number = str(value).strip() if value is not None else ""
            if pattern.search(named) and number.isascii() and number.isdigit() and len(number) <= 12:
                ends[pattern.sub("", named)][which] = int(number)
                break
        else:
            found += _written(named, value)
    for name, pair in ends.items():
        if len(pair) == 2 and pair["first"] <= pair["last"]:
            found.append(Span(name, "", pair["first"], pair["last"]))
    return found


def _written(name: str, value: Any) -> list[Span]:
    rows = []
    for part in re.split(r"[,;]", str(value))[:100]:
        if match := _RANGE.fullmatch(part):
            first, last = int(match[2]), int(match[3] or match[2])
            if first <= last:
                rows.append(Span(name, match[1].strip().casefold(), first, last))
    return rows


def of_cruise(name: str) -> bool:
    """Whether a field's numbers occur once on a cruise, rather than once in a cast."""
    return "sample" in name or re.search(r"(^|_)ids?(_|$)", name) is not None


def overlaps(rows: Iterable[tuple[Row, Mapping[str, Any]]]) -> Iterator[Finding]:
    """Numbers that two events claim."""
    groups: dict[tuple[Any, ...], list[tuple[Span, Row]]] = defaultdict(list)
    for row, extra in rows:
        for found in spans(extra):
            scope = None if of_cruise(found.name) else (row.operation or row.uuid)
            groups[found.name, found.letters, scope].append((found, row))
            if not of_cruise(found.name) and found.last - found.first >= MOST_BOTTLES:
                sentence = f"{row} names bottles {found}; the largest rosette has {MOST_BOTTLES}."
                yield Finding("bottles", "hint", sentence, [row.uuid])
    for (name, *_), mine in groups.items():
        mine.sort(key=lambda pair: (pair[0].first, pair[0].last, pair[1].at))
        reach, holder = mine[0]
        for found, row in mine[1:]:
            if found.first <= reach.last and row.uuid != holder.uuid:
                words = f"{name.replace('_', ' ')} {found} of {row} overlaps {reach} of {holder}"
                yield Finding("samples", "error", f"{words}.", [holder.uuid, row.uuid])
            if found.last > reach.last:
                reach, holder = found, row
