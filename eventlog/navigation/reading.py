"""Turns the lines of a feed into fixes and samples: each line's moment, what belongs together, what is refused. Pure.

A fix has its receiver's own time of day, placed in the day of the stamp that the logger put in front. What carries no
time of its own takes that of the burst it came in, else the stamp less the measured offset of the stamping clock.
A date that is multiples of 1,024 weeks off the stamp is that of a receiver whose week counter rolled over: it is
noticed and not believed.
"""

from __future__ import annotations

import datetime as dt
import re
import statistics
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from eventlog import nmea

DEPTH, HEADING = 1, 2
ROLL_OVER: Final = dt.timedelta(weeks=1024)
BURST_S: Final = 1.0  # sentences of one second follow each other within this
MOST_REASONS = 20
LATEST: Final = 600  # timed sentences from which a clock's offset is told
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)

# Knudsen echo sounders: two channels of "kHz, depth, valid", then sound speed and position. Source: the device
# definitions of OpenRVDAS, type Knudsen3260.
_KNUDSEN = re.compile(
    r"(?:\$PKEL99,)?(?:[\d.]+kHz)?,([\d.]*),([01]?),(?:[\d.]+kHz)?,([\d.]*),([01]?),[\d.]*,", re.ASCII
)
# A device that puts its own clock in front of its values, as N.B. Palmer's winches: "02RD,2014-08-01T00:28:38.351,".
_OWN_CLOCK = re.compile(r"[\x00-\x1f]*(?:\w{1,8},)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z?,", re.ASCII)

Position = tuple[int, int, int, int, int | None, int | None]
Value = tuple[int, int, float]


@dataclass(slots=True)
class Tally:
    """How many lines came and what became of them; `refused` counts by reason, `last` is the newest refused line."""

    lines: int = 0
    fixes: int = 0
    samples: int = 0
    other: int = 0
    no_fix: int = 0
    no_depth: int = 0
    unchecked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    last: tuple[str, str] | None = None

    def refuse(self, line: str, reason: str, kind: str | None = None) -> None:
        """Counts a line that cannot be believed, by the kind of its reason."""
        kind = kind or _kind(reason)
        self.refused[kind if kind in self.refused or len(self.refused) < MOST_REASONS else "other reasons"] += 1
        self.last = (line[:200], reason[:300])


@dataclass(slots=True)
class Batch:
    """What a reader found since it was last asked, and what it can tell of clocks and dates."""

    fixes: list[Position]
    samples: list[Value]
    tally: Tally
    evidence: dict[str, float | int | str]


class Reader:
    """Reads the lines of one feed in their order. `clock_s`: by how much the stamps run ahead, where that is known.

    `near` places the first fixes of a file without stamps, until a date is told.
    """

    def __init__(self, *, clock_s: float | None = None, near: dt.datetime | None = None) -> None:
        self.tally = Tally()
        self.near = near
        self._clock_s = clock_s
        self._clock: deque[float] = deque(maxlen=LATEST)
        self._own: deque[float] = deque(maxlen=LATEST)
        self._fixes: dict[int, Position] = {}
        self._samples: dict[tuple[int, int], float] = {}
        self._burst: tuple[dt.datetime, dt.datetime] | None = None  # stamp and moment of the last timed sentence
        self._last: tuple[dt.datetime | None, int] | None = None  # stamp and key of the last fix
        self._roll_overs = 0
        self._date = ""
        self._settled_s: float | None = None
        self._heard = 0

    def read(self, line: str | bytes, stamp: dt.datetime | None = None) -> None:
        """Takes in a line. Without `stamp` the line's own is used, where it has one. Never raises."""
        self.tally.lines += 1
        if stamp is None:
            stamp, text = nmea.stamped(line)
        else:
            text = line.decode("ascii", "replace") if isinstance(line, bytes) else line
        found = nmea.parse(text)
        if isinstance(found, nmea.Sentence) and found.checksum == nmea.Checksum.ABSENT:
            self.tally.unchecked += 1
        if found is None:
            self._foreign(text.strip(), stamp)
        elif isinstance(found, nmea.Refused):
            self.tally.refuse(
                found.line, found.reason, "the checksum does not agree" if found.checksum == "invalid" else None
            )
        elif isinstance(found, nmea.Fix):
            self._fix(text, found, stamp)
        elif isinstance(found, nmea.VTG):
            self._course(found, stamp)
        elif isinstance(found, nmea.ZDA):
            if found.at is not None:
                self._timed(found.at.timetz(), stamp, found.at.date())
        elif isinstance(found, nmea.HDT):
            if found.heading_deg is not None:
                self._sample(HEADING, found.heading_deg, stamp, text)
        elif isinstance(found, nmea.DPT):
            below = found.depth_m and found.depth_m + max(found.offset_m or 0.0, 0.0)
            self._depth(below, stamp, text)
        elif isinstance(found, nmea.DBT):
            self._depth(found.depth_m, stamp, text)

    def add(
        self,
        moment: dt.datetime,
        latitude: float,
        longitude: float,
        *,
        quality: int = -1,
        speed_mps: float | None = None,
        course_deg: float | None = None,
    ) -> bool:
        """Takes in a fix that was read elsewhere: aware time, degrees, m/s. Says whether it is a place on the globe."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            self.tally.refuse(f"{latitude} {longitude}", "the position does not lie on the globe")
            return False
        if abs(latitude) < 1e-6 and abs(longitude) < 1e-6:
            self.tally.refuse(f"{latitude} {longitude}", "the position is 0, 0: a receiver without a fix")
            return False
        key = (moment - _EPOCH) // _MICROSECOND
        speed = None if speed_mps is None or not 0 <= speed_mps < 300 else round(speed_mps * 100)
        course = None if course_deg is None or not 0 <= course_deg <= 360 else round(course_deg * 100) % 36_000
        known = self._fixes.get(key)
        if known is not None:
            quality = max(known[3], quality)
            speed, course = (known[4], known[5]) if speed is None else (speed, course)
            latitude_e7, longitude_e7 = known[1], known[2]
        else:
            latitude_e7, longitude_e7 = round(latitude * 1e7), round(longitude * 1e7)
            self.tally.fixes += 1
        self._fixes[key] = (key, latitude_e7, longitude_e7, quality, speed, course)
        return True

    def measure(self, quantity: int, moment: dt.datetime, value: float) -> None:
        """Takes in a sample that was read elsewhere; of a second the first is kept."""
        key = (quantity, (moment - _EPOCH) // _MICROSECOND // 1_000_000)
        if key not in self._samples:
            self._samples[key] = value
            self.tally.samples += 1

    def compare(self, stamp: dt.datetime, moment: dt.datetime) -> None:
        """Notes that the stamping clock showed `stamp` when a receiver of GPS said `moment`."""
        offset = (stamp - moment) / dt.timedelta(seconds=1)
        self._clock.append(offset)
        self._heard += 1
        if self._heard <= 20 or self._heard % 50 == 0:
            self._settled_s = statistics.median(self._clock)

    def take(self) -> Batch:
        """What came since the last call; the reader goes on."""
        fixes = list(self._fixes.values())
        samples = [(quantity, second * 1_000_000, value) for (quantity, second), value in self._samples.items()]
        batch = Batch(fixes, samples, self.tally, self.evidence())
        # The last fix stays open for a course that follows it; the store takes it twice as one.
        self._fixes = {key: fix for key, fix in self._fixes.items() if self._last and key == self._last[1]}
        self._samples, self.tally = {}, Tally()
        return batch

    def evidence(self) -> dict[str, float | int | str]:
        """What is known of clocks: by how much the stamps run ahead of the receiver (`clock_s`), and the device's own
        clock ahead of the stamps (`own_clock_s`); whether dates were wrong."""
        found: dict[str, float | int | str] = {}
        if self._clock:
            spread = sorted(self._clock)
            found |= {"clock_s": round(statistics.median(spread), 3), "clock_n": self._heard}
            found["clock_spread_s"] = round(spread[int(len(spread) * 0.95)] - spread[int(len(spread) * 0.05)], 3)
        if self._own:
            found |= {"own_clock_s": round(statistics.median(self._own), 3), "own_clock_n": len(self._own)}
        if self._roll_overs:
            found |= {"roll_overs": self._roll_overs}
        if self._date:
            found |= {"wrong_date": self._date}
        return found

    @property
    def clock_s(self) -> float:
        """Seconds by which the stamps run ahead of the receiver's time, as far as is known; else 0."""
        return self._settled_s if self._settled_s is not None else self._clock_s or 0.0

    # --- one kind of sentence each ----------------------------------------------------------------------------------

    def _fix(self, text: str, said: nmea.Fix, stamp: dt.datetime | None) -> None:
        if said.valid is False or said.latitude is None or said.longitude is None:
            self.tally.no_fix += 1
            return
        moment = None
        if said.time_of_day is not None:
            moment = self._timed(said.time_of_day, stamp, said.day if isinstance(said, nmea.RMC) else None)
        elif stamp is not None:
            moment = self._of_burst(stamp) or stamp - dt.timedelta(seconds=self.clock_s)
        elif self._burst is not None:
            moment = self._burst[1]
        if moment is None:
            self.tally.refuse(text, "nothing tells the date of the fix: no stamp, and no ZDA or RMC before it")
            return
        told = said.quality if isinstance(said, nmea.GGA) else None
        quality = told if told is not None else -1 if said.valid is None else 1
        speed, course = (said.speed_mps, said.course_deg) if isinstance(said, nmea.RMC) else (None, None)
        if self.add(moment, said.latitude, said.longitude, quality=quality, speed_mps=speed, course_deg=course):
            self._last = (stamp, (moment - _EPOCH) // _MICROSECOND)

    def _course(self, said: nmea.VTG, stamp: dt.datetime | None) -> None:
        if self._last is None or said.speed_mps is None or said.course_deg is None:
            return
        stamp_of_fix, key = self._last
        if stamp and stamp_of_fix and not 0 <= (stamp - stamp_of_fix).total_seconds() < BURST_S:
            return
        if (known := self._fixes.get(key)) is not None and known[4] is None and said.speed_mps < 300:
            self._fixes[key] = (*known[:4], round(said.speed_mps * 100), round(said.course_deg * 100) % 36_000)

    def _timed(self, clock: dt.time, stamp: dt.datetime | None, day: dt.date | None) -> dt.datetime | None:
        """The moment of a time of day; None where nothing tells the day."""
        near = stamp - dt.timedelta(seconds=self.clock_s) if stamp else self._burst[1] if self._burst else self.near
        told = dt.datetime.combine(day, clock.replace(tzinfo=None), dt.UTC) if day else None
        if near is None:
            near = told
        elif told is not None and abs(told - near) > _DAY:
            self._doubt(told, near)
            if stamp is None and self._burst is not None and not _rolled_over(told, near):
                near = told  # a file without stamps that goes on another day
        if near is None:
            return None
        moment = nmea.place_in_day(clock, near)
        if stamp is not None:
            self.compare(stamp, moment)
        self._burst = (stamp or moment, moment)
        return moment

    def _doubt(self, told: dt.datetime, near: dt.datetime) -> None:
        self._date = f"{told:%Y-%m-%d}"
        self._roll_overs = _rolled_over(told, near) or self._roll_overs

    def _of_burst(self, stamp: dt.datetime) -> dt.datetime | None:
        if self._burst is None or not 0 <= (stamp - self._burst[0]).total_seconds() < BURST_S / 2:
            return None
        return self._burst[1]

    def _depth(self, depth_m: float | None, stamp: dt.datetime | None, text: str) -> None:
        if not depth_m:  # a sounder that lost the bottom says nothing or zero
            self.tally.no_depth += 1
        elif depth_m > 12_000:
            self.tally.refuse(
                text, f"a depth of {depth_m} m is more than the sea has", "the depth is more than the sea has"
            )
        else:
            self._sample(DEPTH, depth_m, stamp, text)

    def _sample(self, quantity: int, value: float, stamp: dt.datetime | None, text: str) -> None:
        if stamp is not None:
            self.measure(quantity, self._of_burst(stamp) or stamp - dt.timedelta(seconds=self.clock_s), value)
        elif self._burst is not None:
            self.measure(quantity, self._burst[1], value)
        else:
            self.tally.refuse(text, "nothing tells the moment of the value: no stamp, and no fix before it")

    def _foreign(self, text: str, stamp: dt.datetime | None) -> None:
        """Lines that are not NMEA 0183: a Knudsen sounder's, and devices that tell their own clock."""
        if found := _KNUDSEN.match(text):
            low, low_valid, high, high_valid = found.groups()
            depth = low if low_valid == "1" and low else high if high_valid == "1" and high else ""
            self._depth(float(depth) if depth.count(".") <= 1 and depth not in ("", ".") else None, stamp, text)
        elif stamp is not None and (found := _OWN_CLOCK.match(text)):
            try:
                own = dt.datetime.fromisoformat(found[1]).replace(tzinfo=dt.UTC)
            except ValueError:
                self.tally.refuse(text, "the device tells a time that does not exist")
            else:
                self._own.append((own - stamp) / dt.timedelta(seconds=1))
                self.tally.other += 1
        else:
            self.tally.other += 1


def _rolled_over(told: dt.datetime, near: dt.datetime) -> int:
    """How many times 1,024 weeks a told date lies from the moment; 0: another distance."""
    times = round((near - told) / ROLL_OVER)
    return times if times and abs((near - told) - times * ROLL_OVER) <= 2 * _DAY else 0


def _kind(reason: str) -> str:
    """A reason without the values in it, so that reasons can be counted."""
    return re.sub(r"'[^']*'|\d+(?:\.\d+)?", "…", reason)[:120]
