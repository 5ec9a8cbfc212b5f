"""A position out of what a log wrote, or the reason why there is none.
An absent position stays absent: it never becomes 0, 0."""

import re

_EMPTY = frozenset({"", "nan", "no_gps"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_METRES = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(?:m|metres?|meters?)?", re.ASCII | re.IGNORECASE)
_LETTERED = re.compile(r"([NSEWnsew])?\s*(.*?)\s*([NSEWnsew])?", re.ASCII | re.DOTALL)
_PARTS = re.compile(
    r"([+-]?)(\d{1,3})(?:\s*°\s*|[\s:]+)(\d{1,2}(?:\.\d*)?)\s*['′]?(?:[\s:]*(\d{1,2}(?:\.\d*)?)\s*(?:[\"″]|'')?)?"
)
_PACKED = re.compile(r"([+-]?)(\d{1,3})(\d\d\.\d+|\d\d)", re.ASCII)
STYLES = ("auto", "degrees", "minutes")


def best(
    latitude: float | None, longitude: float | None, nav_latitude: float | None, nav_longitude: float | None
) -> tuple[float, float] | None:
    """(degrees north, degrees east): as typed or imported, else as derived from navigation; None: not known."""
    if latitude is not None and longitude is not None:
        return latitude, longitude
    if nav_latitude is not None and nav_longitude is not None:
        return nav_latitude, nav_longitude
    return None


def is_empty(text: str) -> bool:
    """True for the words by which R2R logs say "nothing": blank, NaN, NO_GPS, in any case."""
    return text.strip().casefold() in _EMPTY


def number(text: str) -> float | None:
    """A finite decimal number with a point, or None."""
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        return None
    value = float(stripped)
    return value if abs(value) < 1e300 else None  # what overflows to infinity measures nothing


def metres(text: str) -> float | None:
    """Metres, with or without the unit behind ("70", "70m"); None for anything else."""
    found = _METRES.fullmatch(text.strip())
    return number(found[1]) if found else None


def pair(latitude: str, longitude: str) -> tuple[tuple[float, float] | None, str]:
    """(latitude, longitude) in decimal degrees north and east, and a complaint ("" if none).

    Both empty: None without complaint. One of the two missing, unreadable or out of range: None with one.
    Exactly 0, 0 is kept, as the source says it, but complained of: it is far more often a broken export than
    a place.
    """
    if is_empty(latitude) and is_empty(longitude):
        return None, ""
    north, east = number(latitude), number(longitude)
    if north is None or east is None:
        said = f"({latitude.strip()[:40]!r}, {longitude.strip()[:40]!r})"
        return None, f"The position {said} is not a pair of decimal degrees and was left out"
    if abs(north) > 90 or abs(east) > 180:
        return (
            None,
            f"The position ({north}, {east}) is outside -90..90 and -180..180 degrees and was left out",
        )
    if north == 0 and east == 0:
        return (
            north,
            east,
        ), "The position is exactly 0, 0: please check that the ship was in the Gulf of Guinea"
    return (north, east), ""


def angle(text: str, letters: str, style: str = "auto") -> float | None:
    """Decimal degrees of an angle as logs write it; None for anything else. `letters`: "NS" or "EW".

    Decimal degrees (`-70.88`, `70.88 W`), degrees and minutes (`43 19.702 N`, `43°19.702' N`), and seconds. Packed as
    in NMEA 0183 (`4319.702N`: the last two figures before the point are minutes) where a letter stands beside it
    and the value is too large for degrees, or the style says "minutes". Minutes and seconds are below 60.
    """
    found = _LETTERED.fullmatch(text.strip())
    if not found or (found[1] and found[3]):
        return None
    letter = (found[1] or found[3] or "").upper()
    if letter and letter not in letters:
        return None
    body = found[2].replace("º", "°")
    value = number(body.rstrip("° "))
    packed = style == "minutes" or (letter and value is not None and abs(value) > (90 if letters == "NS" else 180))
    if value is not None and not packed:
        degrees = value
    elif style == "degrees":
        return None
    else:
        parts = _PACKED.fullmatch(body) if value is not None else _PARTS.fullmatch(body)
        if not parts:
            return None
        minutes, seconds = float(parts[3]), float((parts[4] if len(parts.groups()) > 3 else "") or 0)
        if minutes >= 60 or seconds >= 60:
            return None
        degrees = (int(parts[2]) + minutes / 60 + seconds / 3600) * (-1 if parts[1] == "-" else 1)
    if letter and degrees < 0:
        return None  # the sign and the letter would both tell the hemisphere
    return -degrees if letter in ("S", "W") else degrees


def place(latitude: str, longitude: str, style: str = "auto") -> tuple[tuple[float, float] | None, str]:
    """As `pair`, for any of the STYLES that `angle` reads."""
    if is_empty(latitude) and is_empty(longitude):
        return None, ""
    north, east = angle(latitude, "NS", style), angle(longitude, "EW", style)
    if north is None or east is None:
        said = f"({latitude.strip()[:40]!r}, {longitude.strip()[:40]!r})"
        return None, f"The position {said} is not understood and was left out"
    return pair(repr(north), repr(east))
