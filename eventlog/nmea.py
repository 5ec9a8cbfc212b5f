"""What navigation feeds say: NMEA 0183 sentences, the stamps that loggers put in front, and the day of a fix.
Pure. Units: degrees, metres, metres per second, UTC; a blank field is None and never zero."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import reduce
from operator import xor

LONGEST = 256  # characters; the standard says 82, real receivers go beyond it, and garbage far beyond
_SATELLITES = frozenset("ADFPR")  # modes of true fixes; E is dead reckoned, M typed, S simulated, N none

_START = re.compile(r"\$([A-Z]{2})([A-Z]{3}),")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_COUNT = re.compile(r"\d{1,4}", re.ASCII)
_LATITUDE = re.compile(r"(\d\d)(\d\d(?:\.\d*)?)", re.ASCII)
_LONGITUDE = re.compile(r"(\d\d\d)(\d\d(?:\.\d*)?)", re.ASCII)
_CLOCK = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d*))?", re.ASCII)
_DATE = re.compile(r"\d{6}", re.ASCII)
_OPENRVDAS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z[ \t]+(.*)", re.ASCII | re.DOTALL)
_SCS = re.compile(r"(\d\d)/(\d\d)/(\d{4}),(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?,(.*)", re.ASCII | re.DOTALL)


class Checksum(StrEnum):
    """Whether the sentence's own check agrees. Without one, a damaged line can look sound: trust it less."""

    VALID = "valid"
    ABSENT = "absent"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that begins as a sentence we read but cannot be believed, and why."""

    line: str
    reason: str
    checksum: Checksum


@dataclass(frozen=True, slots=True)
class Sentence:
    """What every sentence has: who talks (GP, IN, HE …) and whether its checksum was there."""

    talker: str
    checksum: Checksum


@dataclass(frozen=True, slots=True)
class Fix(Sentence):
    """A position, degrees north and east, and the time of day in UTC at which the ship was there.

    `valid` is what the receiver says: True for a fix from satellites; False for none, and for positions that
    are dead reckoned, typed in or simulated; None where the sentence does not say.
    """

    time_of_day: time | None
    latitude: float | None
    longitude: float | None
    valid: bool | None


@dataclass(frozen=True, slots=True)
class GGA(Fix):
    """Fix with quality (0 to 8), and metres: antenna above sea level, sea level above the ellipsoid."""

    quality: int | None
    satellites: int | None
    hdop: float | None
    altitude_m: float | None
    geoid_m: float | None


@dataclass(frozen=True, slots=True)
class GNS(Fix):
    """Fix from several satellite systems; `mode` has one letter for each."""

    mode: str
    satellites: int | None
    hdop: float | None
    altitude_m: float | None
    geoid_m: float | None


@dataclass(frozen=True, slots=True)
class GLL(Fix):
    """Position and time alone."""


@dataclass(frozen=True, slots=True)
class RMC(Fix):
    """Fix with speed (m/s), course over ground (degrees true), day, and magnetic variation, degrees east."""

    speed_mps: float | None
    course_deg: float | None
    day: date | None
    variation_deg: float | None


@dataclass(frozen=True, slots=True)
class VTG(Sentence):
    """Course over ground, degrees true and magnetic, and speed over ground, m/s."""

    course_deg: float | None
    course_magnetic_deg: float | None
    speed_mps: float | None


@dataclass(frozen=True, slots=True)
class ZDA(Sentence):
    """Date and time in UTC; None if a part is blank. The local zone is not read: ships leave it wrong."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class HDT(Sentence):
    """Heading, degrees true."""

    heading_deg: float | None


@dataclass(frozen=True, slots=True)
class DBT(Sentence):
    """Depth below the transducer, metres."""

    depth_m: float | None


@dataclass(frozen=True, slots=True)
class DPT(Sentence):
    """Depth below the transducer, metres; `offset_m` up to the waterline, or down to the keel if negative."""

    depth_m: float | None
    offset_m: float | None
    range_m: float | None


class _Doubt(Exception):
    """Why a field cannot be believed."""


def parse(line: str | bytes) -> Sentence | Refused | None:
    """The sentence; a refusal with its reason; or None for a line of another kind (also proprietary ones).

    Reads GGA, GNS, GLL, RMC, VTG, ZDA, HDT, DBT and DPT of any talker, as NMEA 0183 has them since version 2,
    with trailing fields missing as old receivers leave them. A wrong checksum refuses the line; an absent one
    is marked. Never raises.
    """
    line = line[: LONGEST + 80]  # a stray megabyte is not worth more than a look at its beginning
    text = (line.decode("ascii", "replace") if isinstance(line, bytes) else line).strip()
    start = _START.match(text)
    if not start or not (reader := _READERS.get(start[2])):
        return None
    body, star, tail = text[1:].partition("*")
    checksum = _checked(body, tail) if star else Checksum.ABSENT
    try:
        if len(text) > LONGEST:
            raise _Doubt(f"the line is longer than {LONGEST} characters")
        if not (text.isascii() and text.isprintable()):
            raise _Doubt("the line has characters that NMEA 0183 does not use")
        if "$" in body:
            raise _Doubt("two sentences ran into each other")
        if checksum is Checksum.INVALID:
            raise _Doubt(f"the checksum should be {_sum(body):02X} and is {tail!r}")
        return reader(_Fields((start[1], checksum), body.split(",")[1:]))
    except _Doubt as doubt:
        return Refused(text[:LONGEST], str(doubt), checksum)


def stamped(line: str | bytes) -> tuple[datetime | None, str]:
    """The stamp that a logger put in front (its own clock, taken as UTC), and the rest without line end.

    OpenRVDAS: `2014-08-01T00:00:00.285000Z rest`. SCS: `10/05/2010,12:23:48.531,rest`, month first. A line
    that begins otherwise, or with a moment that does not exist, comes back whole with None.
    """
    text = line.decode("ascii", "replace") if isinstance(line, bytes) else line
    text = text.rstrip("\r\n")
    try:
        if found := _OPENRVDAS.fullmatch(text):
            at = datetime.fromisoformat(found[1])
            return at.replace(microsecond=_microseconds(found[2]), tzinfo=UTC), found[3]
        if found := _SCS.fullmatch(text):
            month, day, year, hour, minute, second = (int(part) for part in found.groups()[:6])
            return datetime(year, month, day, hour, minute, second, _microseconds(found[7]), UTC), found[8]
    except ValueError:
        pass
    return None, text


def place_in_day(time_of_day: time, near: datetime) -> datetime:
    """The moment nearest to `near` (aware) at which a clock in UTC shows `time_of_day`.

    A fix at 23:59:59.2 under a stamp of 00:00:00.2 belongs to the day before. At exactly twelve hours the
    earlier one is taken: a fix comes before its stamp. Raises ValueError if `near` has no zone.
    """
    if near.tzinfo is None:
        raise ValueError(f"{near.isoformat()} has no time zone")
    moment = datetime.combine(near.astimezone(UTC), time_of_day.replace(tzinfo=None), UTC)
    apart = (moment - near) / timedelta(hours=12)
    try:
        return moment + timedelta(days=-1 if apart >= 1 else 1 if apart < -1 else 0)
    except OverflowError:  # the first and the last day of the calendar have one neighbour
        return moment


def _sum(body: str) -> int:
    """Exclusive or of all characters between $ and *."""
    return reduce(xor, map(ord, body), 0)


def _checked(body: str, tail: str) -> Checksum:
    right = bool(re.fullmatch(r"[0-9A-Fa-f]{2}", tail)) and int(tail, 16) == _sum(body)
    return Checksum.VALID if right else Checksum.INVALID


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "").ljust(6, "0")[:6])


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of one sentence, counted from 0 behind its name. Each method raises _Doubt for nonsense."""

    head: tuple[str, Checksum]
    values: list[str]

    def need(self, least: int) -> None:
        if len(self.values) < least:
            raise _Doubt(f"the sentence has {len(self.values)} fields and needs {least}; it is cut short")

    def text(self, at: int) -> str:
        return self.values[at].strip() if at < len(self.values) else ""

    def number(self, at: int, what: str, least: float = -1e6, most: float = 1e6) -> float | None:
        text = self.text(at)
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or not least <= float(text) <= most:
            raise _Doubt(f"{what} {text!r} is not a number from {least:g} to {most:g}")
        return float(text)

    def count(self, at: int, what: str) -> int | None:
        text = self.text(at)
        if text and not _COUNT.fullmatch(text):
            raise _Doubt(f"{what} {text!r} is not a count")
        return int(text) if text else None

    def measure(self, at: int, unit: str, what: str, least: float = -1e6, most: float = 1e6) -> float | None:
        """A number whose unit stands in the next field."""
        value = self.number(at, what, least, most)
        if value is not None and self.text(at + 1) != unit:
            raise _Doubt(f"{what} is followed by {self.text(at + 1)!r} and not by its unit {unit}")
        return value

    def sky(self, at: int) -> tuple[int | None, float | None]:
        """Satellites in use and horizontal dilution of precision."""
        return self.count(at, "number of satellites"), self.number(at + 1, "dilution of precision", 0)

    def date(self, at: int) -> date | None:
        """ddmmyy. GPS began in 1980, so 80 to 99 are years of the last century."""
        text = self.text(at)
        if not text:
            return None
        if not _DATE.fullmatch(text):
            raise _Doubt(f"{text!r} is no date as ddmmyy")
        year = int(text[4:])
        return _day(year + (1900 if year >= 80 else 2000), int(text[2:4]), int(text[:2]))

    def time(self, at: int) -> time | None:
        text = self.text(at)
        if not text:
            return None
        found = _CLOCK.fullmatch(text)
        try:
            if found:
                return time(int(found[1]), int(found[2]), int(found[3]), _microseconds(found[4]))
        except ValueError:  # 25 o'clock, and the leap second, which Python's clock cannot show
            pass
        raise _Doubt(f"{text!r} is no time of day as hhmmss")

    def place(self, at: int) -> tuple[float | None, float | None]:
        """Degrees north and east from four fields; all blank: (None, None)."""
        if not any(self.text(at + place) for place in range(4)):
            return None, None
        north = self._angle(at, _LATITUDE, {"N": 1, "S": -1}, 90, "latitude")
        return north, self._angle(at + 2, _LONGITUDE, {"E": 1, "W": -1}, 180, "longitude")

    def _angle(self, at: int, form: re.Pattern[str], signs: dict[str, int], most: int, what: str) -> float:
        text, side = self.text(at), self.text(at + 1)
        found = form.fullmatch(text)
        if not found or side not in signs:
            raise _Doubt(f"{what} {text!r},{side!r} is not degrees and minutes with {' or '.join(signs)}")
        degrees, minutes = int(found[1]), float(found[2])
        if minutes >= 60 or degrees + minutes / 60 > most:
            raise _Doubt(f"{what} {text!r} is out of range")
        return signs[side] * (degrees + minutes / 60)


def _mode_valid(mode: str) -> bool | None:
    """One letter for each satellite system; one good one is enough."""
    return bool(_SATELLITES & set(mode)) if mode else None


def _status_valid(status: str, mode: str) -> bool | None:
    if status not in ("", "A", "V"):
        raise _Doubt(f"the status is {status!r} and not A or V")
    by_mode = _mode_valid(mode)
    return by_mode if not status else status == "A" and by_mode is not False


def _gga(said: _Fields) -> GGA:
    said.need(6)
    quality = said.count(5, "quality")
    valid = None if quality is None else quality not in (0, 6, 7, 8)
    altitude, geoid = said.measure(8, "M", "altitude"), said.measure(10, "M", "height of the geoid")
    return GGA(*said.head, said.time(0), *said.place(1), valid, quality, *said.sky(6), altitude, geoid)


def _gns(said: _Fields) -> GNS:
    said.need(6)
    mode = said.text(5)
    altitude, geoid = said.number(8, "altitude"), said.number(9, "height of the geoid")
    return GNS(*said.head, said.time(0), *said.place(1), _mode_valid(mode), mode, *said.sky(6), altitude, geoid)


def _gll(said: _Fields) -> GLL:
    said.need(4)
    return GLL(*said.head, said.time(4), *said.place(0), _status_valid(said.text(5), said.text(6)))


def _rmc(said: _Fields) -> RMC:
    said.need(9)
    valid = _status_valid(said.text(1), said.text(11))
    variation, side = said.number(9, "variation", 0, 180), said.text(10)
    if variation is not None and side not in ("E", "W"):
        raise _Doubt(f"the variation is followed by {side!r} and not by E or W")
    east = -variation if variation is not None and side == "W" else variation
    speed = _metres_per_second(said.number(6, "speed", 0, 2000), None)
    course = said.number(7, "course", 0, 360)
    return RMC(*said.head, said.time(0), *said.place(2), valid, speed, course, said.date(8), east)


def _vtg(said: _Fields) -> VTG:
    said.need(8)
    true, magnetic = said.measure(0, "T", "course", 0, 360), said.measure(2, "M", "course", 0, 360)
    knots, kmh = said.measure(4, "N", "speed", 0, 2000), said.measure(6, "K", "speed", 0, 4000)
    return VTG(*said.head, true, magnetic, _metres_per_second(knots, kmh))


def _metres_per_second(knots: float | None, kmh: float | None) -> float | None:
    """From knots, which have more digits in use; from km/h where there are none."""
    if knots is not None:
        return knots * 1852 / 3600
    return None if kmh is None else kmh / 3.6


def _zda(said: _Fields) -> ZDA:
    said.need(4)
    clock = said.time(0)
    day, month, year = said.count(1, "day"), said.count(2, "month"), said.count(3, "year")
    if clock is None or year is None or month is None or day is None:
        return ZDA(*said.head, None)
    return ZDA(*said.head, datetime.combine(_day(year, month, day), clock, UTC))


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise _Doubt(f"there is no day {year}-{month}-{day}") from error


def _hdt(said: _Fields) -> HDT:
    said.need(2)
    return HDT(*said.head, said.measure(0, "T", "heading", 0, 360))


def _dbt(said: _Fields) -> DBT:
    said.need(4)
    for at, unit, metres in ((2, "M", 1.0), (0, "f", 0.3048), (4, "F", 1.8288)):
        depth = said.measure(at, unit, "depth", 0)
        if depth is not None:
            return DBT(*said.head, depth * metres)
    return DBT(*said.head, None)


def _dpt(said: _Fields) -> DPT:
    said.need(2)
    depth, scale = said.number(0, "depth", 0), said.number(2, "range", 0)
    return DPT(*said.head, depth, said.number(1, "offset"), scale)


_READERS: dict[str, Callable[[_Fields], Sentence]] = {
    read.__name__[1:].upper(): read for read in (_gga, _gns, _gll, _rmc, _vtg, _zda, _hdt, _dbt, _dpt)
}
