"""What the watch concludes about feeds from their clocks, dates and newest fixes. Pure; sentences for people."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from eventlog.navigation import geodesy
from eventlog.navigation.bridging import FASTEST
from eventlog.navigation.geodesy import Floats

CLOCK_S: Final = 2.0  # feeds come up to a second or so after their own time; more is a wrong clock
STALE_S: Final = 60.0
FROZEN_S: Final = 600.0  # as long as this at the very same place, while the ship moves
MOVED_M: Final = 200.0
REFUSED_SHARE: Final = 0.05
LEAP_SLACK_M: Final = 50.0  # two fixes of a sound receiver may differ by this much beyond the ship's own way
GOOD, WARN, BAD, SILENT, NEW = "good", "warn", "bad", "silent", "new"


@dataclass(slots=True)
class Finding:
    """What is said of a feed: the gravest level, sentences, the offset of its clock, whether its fixes are doubted."""

    level: str = GOOD
    words: list[str] = field(default_factory=list)
    clock_offset_s: float | None = None
    doubted: bool = False

    def say(self, level: str, sentence: str, *, doubt: bool = False) -> None:
        """Adds a sentence and raises the level."""
        order = [GOOD, NEW, WARN, SILENT, BAD]
        self.level = max(self.level, level, key=order.index)
        self.words.append(sentence)
        self.doubted = self.doubted or doubt


def clocks(evidence: Mapping[str, Mapping[str, Any]], live: set[str]) -> dict[str, Finding]:
    """Clocks and dates of feeds by name, voted. `live` are those that this server stamps with its own clock.

    For each feed `clock_offset_s` is how far the clock that dates its data runs ahead of the voted time: the device's
    own where it tells one, else that which stamps it.
    """
    findings = {name: Finding() for name in evidence}
    told = {name: float(said["clock_s"]) for name, said in evidence.items() if "clock_s" in said}
    ours = [told[name] for name in live if name in told]
    voted = statistics.median(ours) if ours else 0.0
    for name, said in evidence.items():
        found = findings[name]
        stamp = told.get(name, voted if name in live else 0.0)
        if name in told:
            found.clock_offset_s = stamp
        if "own_clock_s" in said:
            # The stamps beside the device's clock are off by what the receivers that they stamp too tell.
            base = stamp if name in told or name in live else _beside(told, live)
            # Up to CLOCK_S it is the time on the line, and no wrong clock.
            found.clock_offset_s = round(float(said["own_clock_s"]) + (base if abs(base) > CLOCK_S else 0.0), 3)
            if abs(found.clock_offset_s) > CLOCK_S:
                found.say(WARN, f"The device's own clock runs {way(found.clock_offset_s)} the voted time.")
        elif name in live and len(ours) >= 3 and abs(stamp - voted) > CLOCK_S:
            found.say(
                BAD,
                f"Its receiver's clock runs {way(voted - stamp)} what {len(ours) - 1} other feeds say.",
                doubt=True,
            )
        elif name in told and abs(stamp) > CLOCK_S:
            whose = "This server's clock" if name in live else "The clock that stamped it"
            found.say(WARN, f"{whose} runs {way(stamp)} the time of GPS; positions follow the GPS.")
        if weeks := said.get("roll_overs"):
            found.say(
                WARN,
                f"Its dates say {said.get('wrong_date')}, {1024 * int(weeks):,} weeks back: the week counter of the "
                "receiver rolled over. They are not believed.",
            )
        elif wrong := said.get("wrong_date"):
            found.say(WARN, f"Its dates say {wrong}, and its stamps another day; the stamps are believed.")
    return findings


def _beside(told: Mapping[str, float], live: set[str]) -> float:
    files = [offset for name, offset in told.items() if name not in live]
    return statistics.median(files) if files else 0.0


def way(seconds: float) -> str:
    """ "259 s ahead of", or "12 s behind"."""
    size = f"{abs(seconds):,.0f} s" if abs(seconds) >= 10 else f"{abs(seconds):.1f} s"
    return f"{size} ahead of" if seconds > 0 else f"{size} behind"


def leaps(seconds: Floats, latitude: Floats, longitude: Floats) -> int:
    """How many neighbours lie further apart than 25 knots allow; arrays of shape (n,), in the order of time."""
    if len(seconds) < 2:
        return 0
    away = geodesy.distance(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
    return int(np.sum(away > FASTEST * np.diff(seconds) + LEAP_SLACK_M))


def frozen_for(seconds: Floats, latitude: Floats, longitude: Floats) -> float:
    """For how many seconds the newest fixes have been at the very same place."""
    if len(seconds) < 2:
        return 0.0
    same = (latitude == latitude[-1]) & (longitude == longitude[-1])
    other = np.flatnonzero(~same)
    first = other[-1] + 1 if len(other) else 0
    return float(seconds[-1] - seconds[first])


def track(finding: Finding, seconds: Floats, latitude: Floats, longitude: Floats, moved_m: float | None) -> None:
    """Adds what the newest fixes of a feed say; `moved_m`: how far other feeds say that the ship went meanwhile."""
    if count := leaps(seconds, latitude, longitude):
        sentence = f"{count} leaps of more than 25 knots in its last {len(seconds):,} fixes."
        finding.say(BAD if count > 2 else WARN, sentence, doubt=count > 2)
    still = frozen_for(seconds, latitude, longitude)
    if still >= FROZEN_S and moved_m is not None and moved_m > MOVED_M:
        finding.say(
            BAD,
            f"Its position has not changed for {still / 60:.0f} min, while other feeds moved {moved_m:,.0f} m.",
            doubt=True,
        )


def lines(finding: Finding, counts: Mapping[str, Any]) -> None:
    """Adds what is to be said of the lines that were refused."""
    total = counts.get("lines", 0)
    refused: Mapping[str, int] = counts.get("refused", {})
    number = sum(refused.values())
    if total and number / total > REFUSED_SHARE:
        most = max(refused, key=lambda reason: refused[reason])
        finding.say(WARN, f"{number / total:.0%} of its lines were refused, most often because {most}.")
    if total and counts.get("unchecked", 0) > 0.5 * total:
        finding.words.append("Its sentences carry no checksum: a damaged line can look sound.")
    if total and counts.get("no_fix", 0) > 0.5 * total:
        finding.say(WARN, "Most of its sentences say that the receiver has no fix.")


def age(finding: Finding, seconds: float | None) -> None:
    """Adds whether a feed that should be heard is heard; `seconds` since it was, None: never."""
    if seconds is None:
        finding.say(NEW, "Nothing has come of it yet.")
    elif seconds > STALE_S:
        finding.say(SILENT, f"Nothing has come for {duration(seconds)}.")


def duration(seconds: float) -> str:
    """A length of time in one unit: "40 s", "12 min", "3.5 h", "2 days"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def apart(finding: Finding, metres: float, others: Sequence[str]) -> None:
    """Adds that a feed lies away from where others agree."""
    finding.say(BAD, f"It lies {metres:,.0f} m from where {', '.join(others)} agree.", doubt=True)
