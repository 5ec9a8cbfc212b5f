"""What somebody wants to see of a log: read from the parameters of a link, and written back as one. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlencode

from portal.refusals import Fault, NotLikeThis

MOST_VALUES, LONGEST, MOST_WORDS = 20, 200, 8  # values of one parameter, characters of each, words of the text
MOST_KM = 20_100.0  # half the way around
WITHIN_KM = 10.0  # when only `near` is said
SPANS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}  # in seconds
STRUCK = ("no", "yes", "only")
POSITIONS = ("any", "typed", "derived", "exact", "interpolated", "extrapolated", "none")
LISTS = ("instrument", "action", "station", "transect", "cast")
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|min|h|d|w)")
_PAIR = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events. Everything that is said must hold; of several values of one name any will do.

    Times are aware; `before` is not included. Depths are of the water, in metres. `box` is (west, south, east, north)
    in degrees, as in GeoJSON: west greater than east crosses 180 degrees. `near` names a station, or is
    "latitude,longitude"; `within` is in km. `position` says where the position came from: typed by a person or in an
    imported file, derived from navigation (by any method, or by the one named), any, or none.
    """

    text: str = ""
    instrument: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    station: tuple[str, ...] = ()
    transect: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    person: str = ""
    operation: str = ""
    after: dt.datetime | None = None
    before: dt.datetime | None = None
    last: str = ""
    box: tuple[float, float, float, float] | None = None
    near: str = ""
    within: float | None = None
    depth_min: float | None = None
    depth_max: float | None = None
    position: str = ""
    struck: str = "no"

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Self:
        """The filter that the parameters of a link say; a QueryDict, or a dict of texts or of lists of texts.

        Names that are none of a filter's are left alone, and empty values say nothing. Raises NotLikeThis with a
        reason for each faulty parameter.
        """
        reading = _Reading(params)
        found = reading.everything()
        if reading.faults:
            raise NotLikeThis("The filter is not understood.", reading.faults)
        return cls(**found)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for every standing event."""
        return not self.params()

    @property
    def words(self) -> list[str]:
        """The words of the text, all of which must occur."""
        return self.text.split()[:MOST_WORDS]

    @property
    def place(self) -> tuple[float, float] | None:
        """(degrees north, degrees east) where `near` is a position and not the name of a station."""
        return position_of(self.near)

    @property
    def radius_km(self) -> float:
        """How far from `near`, in km."""
        return WITHIN_KM if self.within is None else self.within

    def since(self, now: dt.datetime) -> dt.datetime | None:
        """The moment at which `last` begins, seen from `now`."""
        return now - dt.timedelta(seconds=seconds_of(self.last)) if self.last else None

    def params(self) -> list[tuple[str, str]]:
        """The filter as the parameters of a link, in a fixed order; what is not said is not there."""
        pairs: list[tuple[str, str]] = []
        for each in fields(self):
            value = getattr(self, each.name)
            if value in ("", (), None) or value == each.default:
                continue
            if each.name in LISTS:
                pairs += [(each.name, text) for text in value]
            else:
                pairs.append(("q" if each.name == "text" else each.name, _text(value)))
        return pairs

    def as_query(self) -> str:
        """The filter as a query string, without the question mark; `parse` reads it back."""
        return urlencode(self.params())


def seconds_of(span: str) -> float:
    """Seconds of "4h", "90min", "2d". Raises ValueError for anything else."""
    match = _SPAN.fullmatch(span.strip())
    if match is None:
        raise ValueError("write a number with s, min, h, d or w, as in 4h")
    return float(match[1]) * SPANS[match[2]]


def position_of(text: str) -> tuple[float, float] | None:
    """(degrees north, degrees east) of "35.5,-25.1"; None where it is not such a pair on the globe."""
    match = _PAIR.fullmatch(text)
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[2])
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def moment(text: str, *, end_of_day: bool = False) -> dt.datetime:
    """A time as people and forms write it, ISO 8601; without a zone it is UTC. Raises ValueError.

    A day alone is its beginning, or with `end_of_day` the beginning of the next.
    """
    tidy = text.strip().upper().removesuffix("UTC").strip().replace(" ", "T", 1)
    at = dt.datetime.fromisoformat(tidy)
    at = at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)
    return at + dt.timedelta(days=1) if end_of_day and re.fullmatch(r"\d{4}-\d\d-\d\d|\d{8}", tidy) else at


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return ",".join(_text(part) for part in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


class _Reading:
    """Reads parameters one by one and keeps what is wrong with each."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self.faults: list[Fault] = []

    def everything(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: tuple(self.all(name)) for name in LISTS}
        found |= {"text": " ".join(self.one("q").split()), "person": self.one("person"), "near": self.one("near")}
        found |= {"operation": self.operation(), "last": self.last(), "box": self.box()}
        found |= {"after": self.time("after"), "before": self.time("before")}
        found |= {"within": self.number("within", 0.001, MOST_KM, "km")}
        found |= {name: self.number(name, -500, 12_000, "m") for name in ("depth_min", "depth_max")}
        found |= {"position": self.choice("position", POSITIONS, ""), "struck": self.choice("struck", STRUCK, "no")}
        self.together(found)
        return found

    def all(self, name: str) -> Sequence[str]:
        given = self.params.getlist(name) if hasattr(self.params, "getlist") else self.params.get(name, [])
        given = [given] if isinstance(given, str) else list(given or [])
        texts = list(dict.fromkeys(text for each in given if (text := str(each).strip())))
        if len(texts) > MOST_VALUES:
            self.faults.append(Fault(name, f"is said {len(texts)} times; at most {MOST_VALUES}"))
        for text in texts:
            if len(text) > LONGEST:
                self.faults.append(Fault(name, f"has {len(text):,} characters; at most {LONGEST}"))
            if _UNSTORABLE.search(text):
                self.faults.append(Fault(name, "holds a character that no event can hold"))
        return texts

    def one(self, name: str) -> str:
        texts = self.all(name)
        if len(texts) > 1:
            self.faults.append(Fault(name, "is said twice; say it once"))
        return texts[0] if texts else ""

    def number(self, name: str, least: float, most: float, unit: str) -> float | None:
        text = self.one(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            self.faults.append(Fault(name, f"{text[:40]!r} is not a number of {unit} from {least:g} to {most:g}"))
            return None
        return value

    def time(self, name: str) -> dt.datetime | None:
        text = self.one(name)
        if not text:
            return None
        try:
            return moment(text, end_of_day=name == "before")
        except (ValueError, OverflowError):
            self.faults.append(Fault(name, f"{text[:40]!r} is not a time; write 2026-03-04 or 2026-03-04T03:14:07Z"))
            return None

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        text = self.one(name).lower() or default
        if text not in (*choices, default):
            self.faults.append(Fault(name, f"{text[:40]!r} is none of {', '.join(choices)}"))
        return text

    def last(self) -> str:
        text = self.one("last").replace(" ", "").lower()
        if text:
            try:
                seconds_of(text)
            except ValueError as error:
                self.faults.append(Fault("last", str(error)))
        return text

    def operation(self) -> str:
        text = self.one("operation").lower()
        if text and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
            self.faults.append(Fault("operation", "is not the id (UUID) of an operation"))
        return text

    def box(self) -> tuple[float, float, float, float] | None:
        text = self.one("box")
        if not text:
            return None
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            self.faults.append(Fault("box", "is west,south,east,north in degrees, as in -30,35,-20,40"))
            return None
        if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
            self.faults.append(Fault("box", "lies not on the globe, or its south is north of its north"))
            return None
        return west, south, east, north

    def together(self, found: Mapping[str, Any]) -> None:
        """Faults that only several parameters make together."""
        after, before, low, high = (found[name] for name in ("after", "before", "depth_min", "depth_max"))
        if after and before and before <= after:
            self.faults.append(Fault("before", "lies not after the beginning of the period"))
        if found["last"] and (after or before):
            self.faults.append(Fault("last", "and a period exclude each other; say one"))
        if low is not None and high is not None and high < low:
            self.faults.append(Fault("depth_max", "is less than the least depth"))
        if found["within"] is not None and not found["near"]:
            self.faults.append(Fault("near", "is needed: within how many km of which station or position?"))
        if _PAIR.fullmatch(found["near"]) and position_of(found["near"]) is None:
            self.faults.append(Fault("near", "is not a position on the globe; latitude first, as in 35.5,-25.1"))
