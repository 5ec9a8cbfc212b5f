"""Sea-Bird's files: the header that .hdr, .hex, .cnv, .btl and .ros begin with, and what follows it.

Sources: Sea-Bird, SBE Data Processing manual (.cnv and .btl formats) and Seasave V7 manual (header lines); headers of
casts published by BCO-DMO, data set 739106.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

import numpy as np

from inventory.coverage import moments
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.navigation.sentences import NEVER

VERSION = 1
ENDINGS: Final = ("hdr", "hex", "cnv", "btl", "ros", "dat")
SCANS_A_SECOND: Final = {"9": 24.0, "49": 16.0}  # of the models that write at a rate of their own
# Of several times the receiver's is the best, that of the computer the last choice.
_STARTS: Final = ("nmea utc (time)", "start_time", "system utc", "system upload time", "cast")
_DEGREES = re.compile(r"(\d{1,3})(?:\.(\d+))?[\s°:]*(?:(\d{1,2}(?:\.\d+)?)['′\s]*)?\s*([NSEW])", re.I)
_DAY = re.compile(r"\b([A-Z][a-z]{2}) (\d{2}) (\d{4})\b")
_TIME = re.compile(r"^\s+(?:\d+\s+)?(\d\d):(\d\d):(\d\d)\s", re.M)


def takes(source: Source) -> bool:
    """A file of Sea-Bird's: by its first line, or a raw one whose header lies beside it."""
    if re.match(rb"\s*\* ?Sea-Bird", source.head, re.I):
        return True
    return source.ending in ("hex", "dat") and (source.beside("hdr") or b"").lstrip()[:1] == b"*"


def read_cast(source: Source) -> Reading:
    """When a cast began, and ended where that can be told; where it was. Raises Unreadable without a time."""
    own = source.head.lstrip()[:1] == b"*"
    raw = source.head if own else source.beside("hdr") or b""
    text = raw.decode("latin-1").replace("\r\n", "\n")
    lines = [line for line in text.split("\n") if line[:1] in "*#"]
    values = _values(lines)
    start = _start(values)
    if start == NEVER:
        raise Unreadable("its header tells no time; it should have a line such as '* System UTC = …'")
    ends = [start, _end(source, values, start, own)]
    if source.ending == "btl":
        ends += _bottles(text)
    latitude, longitude = (_degrees(values, name) for name in ("latitude", "longitude"))
    placed = latitude is not None and longitude is not None
    remarks = [] if placed else ["its header tells no position"]
    if placed and "nmea latitude" not in values:
        remarks.append("its position was entered by hand")
    return Reading(
        f"Sea-Bird .{source.ending}" if source.ending in ENDINGS else "Sea-Bird",
        moments.known(ends),
        np.array([start] if placed else [], np.int64),
        np.array([longitude] if placed else [], np.float64),
        np.array([latitude] if placed else [], np.float64),
        instrument=_instrument(lines, values),
        remarks=tuple(remarks),
    )


def _values(lines: list[str]) -> dict[str, str]:
    """What stands behind = or : in each line of the header, by the words before it in small letters."""
    values: dict[str, str] = {}
    for line in lines:
        words, sign, value = line.lstrip("*# ").partition("=")
        if not sign and line.startswith("**"):
            words, sign, value = line.lstrip("*# ").partition(":")
        if sign:
            values.setdefault(words.strip().lower(), value.strip())
    return values


def _start(values: dict[str, str]) -> int:
    for name in _STARTS:
        if (found := moments.sea_bird(values.get(name, ""))) != NEVER:
            return found
    return int(NEVER)


def _end(source: Source, values: dict[str, str], start: int, own: bool) -> int:
    """The last moment of a raw or a converted file at a steady rate; the first where that is not to be told."""
    size, count = _number(values.get("number of bytes per scan", "")), 0.0
    if source.ending == "cnv":
        unit, _, step = values.get("interval", "").partition(":")
        seconds = _number(step) if unit.strip() == "seconds" else 0.0
        # The intervals are counted, and the first scan stands at the start.
        return start + round(max(_number(values.get("nvalues", "")) - 1, 0) * min(seconds, 86_400) * 1000)
    if source.ending == "hex" and size >= 1:
        header = source.head.find(b"*END*") if own else 0
        data = source.size - max(header, 0)
        averaged = max(_number(values.get("number of scans averaged by the deck unit", "")), 1.0)
        rate = SCANS_A_SECOND.get(_model(values, source.head), 0.0)
        count = data / (2 * size + 2) * averaged / rate if rate else 0.0
    return start + round(min(count, 7 * 86_400) * 1000)


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if 0 <= found < 1e9 else 0.0


def _model(values: dict[str, str], head: bytes) -> str:
    match = re.search(rb"Sea-Bird SBE ?(\w+)", head[:200], re.I)
    model = match[1].decode("latin-1").lower() if match else ""
    # The raw file of a 911plus has no header of its own; of Sea-Bird's profilers only it has a deck unit.
    averaged = "number of scans averaged by the deck unit" in values
    return "9" if averaged and model in ("", "9", "911plus", "9plus") else model.removesuffix("plus")


def _bottles(text: str) -> list[int]:
    """The moments of a bottle file: a day in the first line of each bottle, the time in the second."""
    found, lines = [], text.split("\n")
    for above, below in itertools.pairwise(lines):
        if above[:1] not in "*#" and (day := _DAY.search(above)) and (clock := _TIME.match(below)):
            found.append(moments.sea_bird(f"{day[0]} {clock[1]}:{clock[2]}:{clock[3]}"))
    return found


def _degrees(values: dict[str, str], name: str) -> float | None:
    """Degrees of "14 01.97 N", "-104.34", "104° 20.66' W": NMEA's line first, then one that a person wrote."""
    for key in (f"nmea {name}", name, name[:3]):
        text = values.get(key, "")
        if match := _DEGREES.search(text):
            whole, decimals, minutes, side = match.groups()
            value = float(f"{whole}.{decimals or 0}") + (float(minutes) / 60 if minutes else 0.0)
            if side.upper() in ("NS" if name == "latitude" else "EW"):
                return -value if side.upper() in "SW" else value
        elif text:
            try:
                return float(text)
            except ValueError:
                continue
    return None


def _instrument(lines: list[str], values: dict[str, str]) -> str:
    match = re.search(r"Sea-Bird (SBE ?\w+)", lines[0] if lines else "", re.I)
    parts = [match[1]] if match else []
    parts += [
        f"{word} {values[key]}"
        for word, key in (("temperature", "temperature sn"), ("conductivity", "conductivity sn"))
        if values.get(key)
    ]
    return ", ".join(parts)[:80]
