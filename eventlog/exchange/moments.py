"""The ways in which event logs write a moment, and the way back.
Readers return an aware time in UTC, or None where the text is not exactly of the style; they never guess."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from .record import utc

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_RFC2822 = re.compile(
    r"(?:[A-Za-z]{3}(,)?\s+)?(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+(\d\d):(\d\d)(?::(\d\d))?"
    r"\s*(Z|UTC?|GMT|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_CTIME = re.compile(r"[A-Za-z]{3}\s+([A-Za-z]{3})\s+(\d{1,2})\s+(\d\d):(\d\d):(\d\d)\s+(\d{4})", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)\.(\d\d)(\d\d)", re.ASCII)
_SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)

_MIXED = re.compile(
    r"(\d{1,4})([-/. ])(\d{1,2}|[A-Za-z]{3})\2(\d{1,4})(?:(?:T|,?\s+)(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s*([AaPp]\.?[Mm]\.?)?\s*(Z|UTC?|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d\d):?(\d\d):?(\d\d)(?:\.(\d{1,9}))?Z?", re.ASCII)
ORDERS = ("ymd", "dmy", "mdy")


def iso(text: str) -> datetime | None:
    """ISO 8601 date and time; seconds, fraction (cut to microseconds) and zone may be absent: then UTC."""
    found = _ISO.fullmatch(text.strip())
    if not found:
        return None
    *clock, fraction, zone = found.groups()
    return _moment(*(int(part or 0) for part in clock), fraction=(fraction or "")[:6], zone=zone)


def rfc2822(text: str) -> datetime | None:
    """The Date column, `Mon, 12 Nov 2018 16:37:52 +0000` (RFC 2822); since 2023 without the comma."""
    found = _RFC2822.fullmatch(text.strip())
    if not found or not (month := _month(found[3])):
        return None
    clock = (found[4], month, found[2], found[5], found[6], found[7] or 0)
    return _moment(*map(int, clock), zone=found[8])


def ctime(text: str) -> datetime | None:
    """The style of the C library, `Wed May  3 18:02:43 2023`, as in Revisions. Ships' servers run on UTC."""
    found = _CTIME.fullmatch(text.strip())
    if not found or not (month := _month(found[1])):
        return None
    return _moment(int(found[6]), month, int(found[2]), int(found[3]), int(found[4]), int(found[5]))


def compact(text: str) -> datetime | None:
    """The dateTimeUTC column, `20181112.1618`: to the minute.

    All four digits after the point are asked for: a spreadsheet shows 20211128.1352 as 20211128.14, rounded,
    and such a text can be off by half an hour.
    """
    found = _COMPACT.fullmatch(text.strip())
    return _moment(*map(int, found.groups())) if found else None


def slashed(text: str) -> datetime | None:
    """The GPS_Time column, `2018/11/12 16:17:57`. Others (26-11-21 12:05) leave day and year open: None."""
    found = _SLASHED.fullmatch(text.strip())
    return _moment(*map(int, found.groups())) if found else None


def ordered(text: str, order: str, zone: tzinfo = UTC) -> datetime | None:
    """A date, and a time of day or midnight, whose parts come in `order` ("ymd", "dmy" or "mdy"); -, /, . or a blank
    between them, a year of two digits (1970 to 2069) or four, a month's English name, AM and PM.

    `zone` holds where the text names none.
    """
    found = _MIXED.fullmatch(text.strip())
    if not found:
        return None
    parts = dict(zip(order, (found[1], found[3], found[4]), strict=True))
    year, month, day = parts["y"], parts["m"], parts["d"]
    if len(year) not in (2, 4) or len(day) > 2 or not day.isdigit() or not year.isdigit():
        return None
    number = int(month) if month.isdigit() else _month(month)
    hour = int(found[5] or 0)
    if half := (found[9] or "").casefold()[:1]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    full = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= 70 else 2000)
    clock = (full, number, int(day), hour, int(found[6] or 0), int(found[7] or 0))
    return _moment(*clock, fraction=(found[8] or "")[:6], zone=found[10], otherwise=zone)


def settled(text: str, near: datetime, within: timedelta = timedelta(days=2)) -> datetime | None:
    """A date that a spreadsheet has re-written, in the one order in which it lies near a known moment; else None."""
    readings = {at for order in ORDERS if (at := ordered(text, order)) and abs(at - near) <= within}
    return readings.pop() if len(readings) == 1 else None


def clock(text: str, near: datetime) -> datetime | None:
    """A time of day in UTC, `035638.00` as NMEA has it or `03:56:38`, on the day on which it is nearest to `near`."""
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3])
    at = _moment(near.year, near.month, near.day, hour, minute, second, fraction=(found[4] or "")[:6])
    if not at:
        return None
    try:
        return min((at + timedelta(days=days) for days in (0, -1, 1)), key=lambda one: abs(one - near))
    except OverflowError:
        return None


def comma_is_missing(text: str) -> bool:
    """True for a readable Date that has lost the comma after its weekday."""
    found = _RFC2822.fullmatch(text.strip())
    return bool(found) and text.strip()[:1].isalpha() and not (found and found[1])


def rfc2822_text(at: datetime) -> str:
    """`Mon, 12 Nov 2018 16:37:52 +0000`, whole seconds; English day and month whatever the locale."""
    at = utc(at)
    text = at.isoformat()
    return f"{_DAYS[at.weekday()]}, {text[8:10]} {_MONTHS[at.month - 1]} {text[:4]} {text[11:19]} +0000"


def ctime_text(at: datetime) -> str:
    """`Wed May  3 18:02:43 2023`, whole seconds."""
    at = utc(at)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year:04}"


def compact_text(at: datetime) -> str:
    """`20181112.1618`."""
    text = utc(at).isoformat()  # slices of it are quicker than strftime, and a log has many events
    return f"{text[:4]}{text[5:7]}{text[8:10]}.{text[11:13]}{text[14:16]}"


def slashed_text(at: datetime) -> str:
    """`2018/11/12 16:17:57`."""
    text = utc(at).isoformat()
    return f"{text[:4]}/{text[5:7]}/{text[8:10]} {text[11:19]}"


def _month(name: str) -> int:
    """1 to 12, or 0 for a word that is no month."""
    return _MONTHS.index(name.title()) + 1 if name.title() in _MONTHS else 0


def _moment(*clock: int, fraction: str = "", zone: str | None = None, otherwise: tzinfo = UTC) -> datetime | None:
    """The moment of (year, month, day, hour, minute[, second]) in UTC; None where there is no such moment."""
    year, month, day, hour, minute, second = (*clock, 0)[:6]
    try:
        at = datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")), _zone(zone, otherwise))
        return at.astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February, 25 o'clock, or a zone that leads out of the calendar
        return None


def _zone(text: str | None, otherwise: tzinfo) -> tzinfo:
    if not text:
        return otherwise
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
