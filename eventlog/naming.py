"""How alike two names are: stations written in several ways, words with a slip of the finger. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

# Words that say "station" and no more.
_FILLING = re.compile(r"\b(stations?|stns?|sta|st)\b\.?|[_\-/#:]|\.(?!\d)|(?<!\d)\.")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
LONGEST = 120
EARTH_M = 6_371_008.8  # mean radius, IUGG
# Positions this close are probably one place; names alike but this far apart are probably two.
SAME_PLACE_M, OTHER_PLACE_M = 500.0, 20_000.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike: `score` from 0 to 1, and why, as the end of a sentence."""

    score: float
    why: str


NONE = Likeness(0.0, "")


def station_key(name: str) -> str:
    """A station's name without what people vary: "L01", "l1" and "Station L-1" are all "l 1"; "L9.5" stays "l 9.5"."""
    text = unicodedata.normalize("NFKC", name[:LONGEST]).casefold()
    text = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", text)
    text = _FILLING.sub(" ", text)
    return " ".join(_NUMBER.sub(lambda found: f"{float(found[0]):g}", part) for part in text.split())


def alike(one: str, other: str) -> Likeness:
    """How alike two names of stations are. Names with different numbers are different stations."""
    a, b = station_key(one), station_key(other)
    if not a or not b:
        return NONE
    if a == b:
        return Likeness(1.0, "is the same name, written otherwise")
    numbers = _NUMBER.findall(a)
    if numbers != _NUMBER.findall(b):
        return NONE
    letters, others = (_NUMBER.sub("", text).replace(" ", "") for text in (a, b))
    if numbers and letters and others and (letters.startswith(others) or others.startswith(letters)):
        return Likeness(0.8, "has the same number, and one name shortens the other")
    return _slip(letters, others)


def word_alike(one: str, other: str) -> Likeness:
    """How alike two words for an instrument or an action are."""
    a, b = (re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", word[:LONGEST]).casefold()) for word in (one, other))
    if not a or not b:
        return NONE
    if a == b:
        return Likeness(1.0, "differs in capitals or signs alone")
    if _NUMBER.findall(a) != _NUMBER.findall(b):
        return NONE
    return _slip(a, b)


def _slip(a: str, b: str) -> Likeness:
    """One slip of the finger in words of four letters or more, two in words of eight."""
    longer = max(len(a), len(b))
    most = 2 if longer >= 8 else 1 if longer >= 4 else 0
    distance = edits(a, b, most)
    if distance > most or distance == 0:
        return NONE
    return Likeness(0.7 if distance == 1 else 0.6, f"differs by {distance} letter{'s' * (distance > 1)}")


def edits(a: str, b: str, most: int) -> int:
    """Letters put in, left out, changed or swapped with their neighbour, between two words; `most` + 1 for more.

    The optimal string alignment distance (Damerau 1964, restricted to neighbours edited once).
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        older, before, row = before, row, [i]
        for j, right in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two (degrees north, degrees east) on the sphere: within 0.6 %, enough to tell places apart."""
    (lat1, lon1), (lat2, lon2) = one, other
    a, b = math.radians(lat1), math.radians(lat2)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def near(name: str, distance_m: float | None, other: str) -> Likeness:
    """How alike two places are by name and, where both positions are known, by distance."""
    by_name = alike(name, other)
    if distance_m is None:
        return by_name
    if by_name.score:
        if by_name.score < 1 and distance_m > OTHER_PLACE_M:
            return NONE
        return Likeness(by_name.score, f"{by_name.why}, {_far(distance_m)} away")
    if distance_m <= SAME_PLACE_M and not _numbered_apart(name, other):
        return Likeness(0.5, f"lies {_far(distance_m)} away")
    return NONE


def _numbered_apart(one: str, other: str) -> bool:
    """Whether two names are one word with two numbers: who counts stations means each."""
    a, b = station_key(one), station_key(other)
    return a != b and _NUMBER.sub("", a) == _NUMBER.sub("", b)


def _far(distance_m: float) -> str:
    return f"{distance_m:,.0f} m" if distance_m < 2000 else f"{distance_m / 1000:,.1f} km"
