"""A position out of what a log wrote, or the reason why there is none.
An absent position stays absent: it never becomes 0, 0."""

import re

_EMPTY = frozenset({"", "nan", "no_gps"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_METRES = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(?:m|metres?|meters?)?", re.ASCII | re.IGNORECASE)


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
