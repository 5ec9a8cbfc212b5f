"""Times as loggers and makers of instruments write them, as ms since 1970 UTC; NEVER for what is none."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from inventory.navigation.fixes import Ints
from inventory.navigation.sentences import NEVER

_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - naive on both sides of a difference
_WORD = rb"(?:[A-Za-z]\w{0,15}[ \t,])?"
_CLOCK = rb"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
# Stamps at the beginning of a line: ISO 8601 and OpenRVDAS, SCS, and the day of the year as LDS and others write it.
_ISO = re.compile(rb'^"?' + _WORD + rb'"?(\d{4})[-/](\d\d)[-/](\d\d)[T ,]{1,2}' + _CLOCK, re.M)
_SCS = re.compile(rb"^(\d\d)/(\d\d)/(\d{4}),[ ]?" + _CLOCK, re.M)
_DAY = re.compile(rb"^" + _WORD + rb"(\d{4})[:+](\d{3}):" + _CLOCK, re.M)
_TEXT = re.compile(
    r'\s*"?(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:Z|UTC|[+]00:?00)?)?"?\s*$'
)
_SEA = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) +(\d{4}) +(\d{1,2}):(\d\d):(\d\d)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EDGE: Final = 4096  # bytes at each end of a block in which stamps are looked for


def moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, ms: int = 0) -> int:
    """A moment of UTC; NEVER where there is no such time. A leap second counts as the second after it."""
    try:
        found = dt.datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except ValueError:
        return int(NEVER)
    whole = found - _EPOCH
    return (whole.days * 86400 + whole.seconds + (second == 60)) * 1000 + ms if second <= 60 else int(NEVER)


def _at(year: int, month: int, day: int, clock: Sequence[bytes | str], fraction: bytes | str | None) -> int:
    hour, minute, second = (int(part or 0) for part in clock)
    return moment(year, month, day, hour, minute, second, _ms(fraction))


def _ms(digits: bytes | str | None) -> int:
    text = digits.decode() if isinstance(digits, bytes) else digits or ""
    return int(text[:3].ljust(3, "0")) if text else 0


def stamps(lines: bytes) -> list[int]:
    """The stamps at the beginnings of lines near both ends of a block of whole lines."""
    tail = lines[-EDGE:] if len(lines) > EDGE else b""
    tail = tail[tail.find(b"\n") + 1 :]
    found = [one for part in (lines[:EDGE], tail) for one in _stamps(part)]
    return [one for one in found if one != NEVER]


def _stamps(part: bytes) -> Iterable[int]:
    for y, m, d, *clock, fraction in _ISO.findall(part):
        yield _at(int(y), int(m), int(d), clock, fraction)
    for m, d, y, *clock, fraction in _SCS.findall(part):
        yield _at(int(y), int(m), int(d), clock, fraction)
    for y, number, *clock, fraction in _DAY.findall(part):
        if 1 <= int(number) <= 366:
            first = _at(int(y), 1, 1, clock, fraction)
            yield first + (int(number) - 1) * 86_400_000 if first != NEVER else first


def from_text(text: str) -> int:
    """The moment of an ISO 8601 text in UTC, with or without a time of day; NEVER for anything else."""
    if not (match := _TEXT.match(text)):
        return int(NEVER)
    year, month, day, *clock, fraction = match.groups()
    return _at(int(year), int(month), int(day), clock, fraction)


def sea_bird(text: str) -> int:
    """The first moment in a text as Sea-Bird writes it, Apr 25 2017 14:19:16; NEVER where there is none."""
    match = _SEA.search(text)
    if not match or match[1] not in _MONTHS:
        return int(NEVER)
    day, year, hour, minute, second = map(int, match.groups()[1:])
    return moment(year, _MONTHS.index(match[1]) + 1, day, hour, minute, second)


def known(moments: Iterable[int]) -> Ints:
    """The moments that are some, as an array."""
    return np.fromiter((one for one in moments if one != NEVER), np.int64)
