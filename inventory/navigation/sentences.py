"""NMEA sentences in a block of raw bytes, taken apart by whole columns instead of line by line.
One block holds some thousand lines; every step here is a handful of array operations on all of them."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from inventory.navigation.fixes import Bools, Floats, Ints

Index = NDArray[np.intp]
Bytes = NDArray[np.uint8]

GGA, GNS, GLL, RMC, ZDA = range(5)  # the order of preference among sentences of one epoch
NAMES: Final = ("GGA", "GNS", "GLL", "RMC", "ZDA")

DAY: Final = 86_400_000  # ms
NEVER: Final = np.iinfo(np.int64).min  # ms; where there is no time

_FIELDS: Final = 11  # fields of a sentence that anything here looks at
_PAD: Final = 64  # bytes after the block, so that a look ahead needs no check
_WIDEST: Final = 18  # digits of a number that fit an int64
_POWERS: Final = 10.0 ** np.arange(_WIDEST + 1)

_STAMP: Final = 23  # bytes of a logger's stamp: date, time of day and three decimals
_POINT: Final = 254  # "." less "0", as a byte
_CLOCK_DIGITS: Final = (11, 12, 14, 15, 17, 18)


def _worth(year: int, month: int, day: int) -> Floats:
    """What each of the 23 places of a stamp is worth for year, month, day and milliseconds of the day."""
    weights = np.zeros((_STAMP, 4))
    weights[year : year + 4, 0] = 1000, 100, 10, 1
    weights[month : month + 2, 1] = weights[day : day + 2, 2] = 10, 1
    weights[_CLOCK_DIGITS, 3] = 36e6, 3.6e6, 6e5, 6e4, 1e4, 1e3
    weights[20:, 3] = 100, 10, 1
    return weights


_ISO: Final = _worth(year=0, month=5, day=8)
_SCS: Final = _worth(year=6, month=0, day=3)

_HEX: Final = np.full(256, 255, np.uint8)
for _value, _digit in enumerate(b"0123456789ABCDEF"):
    _HEX[_digit] = _HEX[ord(chr(_digit).lower())] = _value


def _code(name: bytes) -> int:
    return name[0] << 16 | name[1] << 8 | name[2]


class Block:
    """Whole lines of a raw file.

    `count` lines; of the sentences used, in the order of the lines, shape (n,): `line` (from 0), `kind`
    (GGA…ZDA), `begin` of the line, `dollar`, `end` of the sentence before its checksum, `sound` false where
    the checksum is wrong, `bare` true where there is none. `addresses` counts all sentences.
    """

    def __init__(self, raw: bytes) -> None:
        data = np.zeros(len(raw) + _PAD, np.uint8)
        data[: len(raw)] = np.frombuffer(raw, np.uint8)
        self.data: Bytes = data
        ends = np.flatnonzero(data == 10)
        self.count = len(ends)
        begins = np.empty_like(ends)
        begins[:1] = 0
        begins[1:] = ends[:-1] + 1

        dollars = np.flatnonzero(data == 36)
        lines = np.searchsorted(ends, dollars)
        first = np.ones(len(lines), bool)
        first[1:] = lines[1:] != lines[:-1]
        dollars, lines = dollars[first], lines[first]
        self.foreign = self.count - len(lines)
        self.addresses = self._count(dollars)

        formatter = np.zeros(len(dollars), np.int32)
        for place in (3, 4, 5):
            formatter = formatter << 8 | data[dollars + place]
        kind = np.full(len(dollars), -1, np.int8)
        for number, name in enumerate(NAMES):
            kind[formatter == _code(name.encode())] = number
        used = (kind >= 0) & (data[dollars + 6] == 44) & (data[dollars + 1] != 80)  # $P…: a maker's own sentence
        self.kind = kind[used]
        self.line = lines[used]
        self.dollar = dollars[used]
        self.begin = begins[self.line]
        self.end = ends[self.line] - (data[ends[self.line] - 1] == 13)
        self._check()
        self._commas = np.concatenate((np.flatnonzero(data == 44), np.full(_FIELDS + 1, len(data) - 1)))
        self._first = np.searchsorted(self._commas, self.dollar)

    def table(self, rows: Index) -> "Table":
        """The fields of the sentences in these rows."""
        return Table(self.data, self._commas, self._first[rows], self.end[rows])

    def _count(self, dollars: Index) -> dict[str, int]:
        """How many sentences of each address (GPGGA, PSXN); what does not look like one is "other"."""
        packed = np.zeros(len(dollars), np.int64)
        for place in range(1, 6):
            packed = packed << 8 | self.data[dollars + place]
        counts: dict[str, int] = {}
        for code, count in zip(*np.unique(packed, return_counts=True), strict=True):
            name = int(code).to_bytes(5, "big").decode("latin-1").partition(",")[0]
            if not re.fullmatch("[A-Z][A-Z0-9]{2,4}", name):
                name = "other"
            counts[name] = counts.get(name, 0) + int(count)
        return counts

    def _check(self) -> None:
        """Compares each checksum with the exclusive or of the bytes between "$" and "*" (NMEA 0183)."""
        stars = np.append(np.flatnonzero(self.data == 42), len(self.data) - 1)
        star = stars[np.searchsorted(stars, self.dollar)]
        self.bare = star >= self.end
        star = np.where(self.bare, self.end, star)
        bounds = np.empty(2 * len(star), np.intp)
        bounds[::2], bounds[1::2] = self.dollar + 1, star
        if len(star):
            found = np.bitwise_xor.reduceat(self.data, bounds)[::2]
            high, low = _HEX[self.data[star + 1]], _HEX[self.data[star + 2]]
            agrees = (high < 16) & (low < 16) & (found == (high << 4 | low))
            self.sound = self.bare | agrees
        else:
            self.sound = np.ones(0, bool)
        self.end = star

    def stamps(self) -> Ints:
        """The logger's time before each sentence used, ms since 1970 UTC; NEVER where there is none.

        Two forms: 2014-08-01T00:00:00.285000Z (OpenRVDAS) and 10/05/2010,12:23:48.531, (SCS). Both have the
        time of day at the same places.
        """
        size = len(self.begin)
        if not size:
            return np.zeros(0, np.int64)
        sign = sliding_window_view(self.data, _STAMP)[self.begin]
        digit = sign - np.uint8(48)
        clock = (digit[:, _CLOCK_DIGITS] < 10).all(1) & (sign[:, 13] == 58) & (sign[:, 16] == 58)
        clock &= self.dollar - self.begin >= 19
        iso = clock & (sign[:, 4] == 45) & (sign[:, 7] == 45) & ((sign[:, 10] == 84) | (sign[:, 10] == 32))
        scs = clock & (sign[:, 2] == 47) & (sign[:, 5] == 47) & ((sign[:, 10] == 44) | (sign[:, 10] == 32))
        point = sign[:, 19] == 46
        tenths = np.where(point[:, None] & (np.cumsum(digit[:, 20:] > 9, axis=1) == 0), digit[:, 20:], 0)
        digit[:, 20:] = tenths
        weights = _ISO if iso.all() else _SCS
        year, month, day, ms = self._weigh(digit, weights)
        if not (iso.all() or scs.all()):
            for column, other in zip((year, month, day), self._weigh(digit, _ISO)[:3], strict=True):
                np.copyto(column, other, where=iso)
        midnight = days(year, month, day)
        good = (iso | scs) & (midnight != NEVER) & (ms <= DAY)
        return np.where(good, midnight * DAY + ms, NEVER)

    def _weigh(self, digit: Bytes, weights: Floats) -> list[Ints]:
        """Year, month, day and ms of the day: each a sum of digits times what its place is worth."""
        return list((digit @ weights).T.astype(np.int64))


class Table:
    """The fields of sentences of one kind, a row each; field 0 is the first after the address."""

    def __init__(self, data: Bytes, commas: Index, first: Index, end: Index) -> None:
        self._data = data
        self._end = end
        self._commas = np.minimum(sliding_window_view(commas, _FIELDS + 1)[first], end[:, None])

    def field(self, number: int) -> tuple[Index, Index]:
        """Where the field of each row begins and ends (exclusive); width 0 if it is empty, -1 if missing."""
        return self._commas[:, number] + 1, self._commas[:, number + 1]

    def number(self, field: int) -> "Numbers":
        """The decimal number in the field of each row."""
        begin, end = self.field(field)
        width = end - begin
        widest = int(width.max(initial=0))
        if len(width) and 0 < widest == int(width.min()) and widest <= _WIDEST:
            uniform = self._uniform(begin, widest)
            if uniform is not None:
                return uniform
        return self._any_number(begin, width)

    def _uniform(self, begin: Index, width: int) -> "Numbers | None":
        """The numbers if all have this width and their point at the same place, as a receiver writes them."""
        digit = sliding_window_view(self._data, width)[begin] - np.uint8(48)
        places = (digit < 10).all(0)
        points = np.flatnonzero(~places)
        if len(points) > 1 or width == len(points):
            return None
        decimals = 0
        if len(points):
            if (digit[:, points[0]] != _POINT).any():
                return None
            decimals = width - 1 - int(points[0])
        worth = np.zeros(width)
        worth[places] = 10.0 ** np.arange(width - len(points) - 1, -1, -1)
        value = (digit @ worth) / 10.0**decimals
        return Numbers(value, np.ones(len(value), bool), np.zeros(len(value), bool))

    def _any_number(self, begin: Index, width: Index) -> "Numbers":
        data = self._data
        value = np.zeros(len(begin), np.int64)
        decimals = np.zeros(len(begin), np.int64)
        negative = (data[begin] == 45) & (width > 0)
        begin = begin + negative
        digits = np.clip(width - negative, 0, _WIDEST)
        wrong = (width > _WIDEST) | (negative & (digits == 0))
        point = np.zeros(len(begin), bool)
        for place in range(int(digits.max(initial=0))):
            sign = data[begin + place]
            digit = sign - np.uint8(48)
            live = place < digits
            is_digit = live & (digit < 10)
            is_point = live & (sign == 46)
            wrong |= live & ~is_digit & (~is_point | point)
            value = np.where(is_digit, value * 10 + digit, value)
            decimals += is_digit & point
            point |= is_point
        lone = (digits == 1) & point
        result = value / _POWERS[decimals]
        return Numbers(np.where(negative, -result, result), ~(wrong | lone) & (width > 0), width == 0)

    def letter(self, number: int) -> Bytes:
        """The byte in a field of one letter (N, S, E, W, A, V); 0 if it is empty or longer."""
        begin, end = self.field(number)
        return np.where(end - begin == 1, self._data[begin], 0).astype(np.uint8)

    def contains(self, number: int, letter: int) -> Bools:
        """Whether a field of up to six letters (the mode of GNS) contains the letter."""
        begin, end = self.field(number)
        found = np.zeros(len(begin), bool)
        for place in range(6):
            found |= (begin + place < end) & (self._data[begin + place] == letter)
        return found

    def clock(self, number: int) -> tuple[Ints, Bools]:
        """Milliseconds of the day of a field hhmmss[.sss], -1 where there is none; whether that is right."""
        begin, end = self.field(number)
        parsed = self.number(number)
        whole = np.floor(parsed.value)
        fraction = np.rint((parsed.value - whole) * 1000).astype(np.int64)
        digits = np.where(parsed.good, whole, 0).astype(np.int64)
        hour, minute, second = digits // 10_000, digits // 100 % 100, digits % 100
        good = parsed.good & (hour < 24) & (minute < 60) & (second <= 60) & (end - begin >= 6)  # 60: leap second
        clock = ((hour * 60 + minute) * 60 + second) * 1000 + fraction
        return np.where(good, clock, -1), good | (end <= begin)

    def degrees(self, number: int, positive: int, negative: int) -> "Numbers":
        """Degrees of a field [d]ddmm.mmm and the letter in the next field (NMEA 0183)."""
        parsed = self.number(number)
        letter = self.letter(number + 1)
        whole = np.floor(parsed.value / 100)
        minutes = parsed.value - whole * 100
        good = parsed.good & (parsed.value >= 0) & (minutes < 60) & ((letter == positive) | (letter == negative))
        value = whole + minutes / 60
        return Numbers(np.where(letter == negative, -value, value), good, parsed.empty)


@dataclass(frozen=True, slots=True)
class Numbers:
    """One number per row: `value`, whether it is `good`, whether its field is there but `empty`."""

    value: Floats
    good: Bools
    empty: Bools


def days(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days since 1970-01-01 of each date, NEVER where there is no such date in the years 1000 to 9999."""
    fits = (year >= 1000) & (year < 10_000) & (month > 0) & (month < 13) & (day > 0) & (day < 32)
    key = np.where(fits, (year * 100 + month) * 100 + day, 0)
    if len(key) and key[0] == key[-1] and (key == key[0]).all():
        return np.full(len(key), _day(int(key[0])), np.int64)  # nearly every block lies within one day
    dates, where = np.unique(key, return_inverse=True)
    return np.array([_day(int(one)) for one in dates], np.int64)[where]


def _day(key: int) -> int:
    try:
        return date(key // 10_000, key // 100 % 100, key % 100).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return int(NEVER)
