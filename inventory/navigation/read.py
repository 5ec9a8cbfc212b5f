"""Reads the raw navigation files of one feed, as OpenRVDAS and SCS write them, into one fix per epoch.
The receiver tells the time of day, the logger the day; a receiver that lost the date is not believed."""

from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from inventory.lines import whole_lines
from inventory.navigation.fixes import UNKNOWN, Bools, Fixes, Floats, Ints, ReadReport
from inventory.navigation.sentences import DAY, GGA, GLL, GNS, NEVER, RMC, ZDA, Block, Index, Table, days

BLOCK: Final = 512 * 1024  # bytes; small enough that the arrays of a block stay in the processor's cache
LONGEST: Final = 64 * 1024  # bytes of a line; more without a line end is no text
BURST: Final = 500  # ms; a ZDA dates the position that its receiver sends in the same breath
SHOWN: Final = 10  # line numbers of malformed sentences that the report keeps

# Fields after the address (NMEA 0183): time, latitude (longitude two further), and what else is used.
_TIME: Final = {GGA: 0, GNS: 0, GLL: 4, RMC: 0, ZDA: 0}
_LATITUDE: Final = {GGA: 1, GNS: 1, GLL: 0, RMC: 2}
_STATUS: Final = {GLL: 5, RMC: 1}
_GNS_MODES: Final = b"NESMAPDFR"  # GNS: each later letter is better; as GGA qualities:
_GNS_QUALITY: Final = (0, 6, 8, 7, 1, 3, 2, 5, 4)


class _Rows:
    """The sentences used in one block, as columns of shape (n,)."""

    def __init__(self, block: Block) -> None:
        size = len(block.kind)
        self.kind = block.kind
        self.stamp = block.stamps()
        self.clock: Ints = np.full(size, -1, np.int64)  # ms of the day
        self.date: Ints = np.full(size, NEVER, np.int64)  # days since 1970, of ZDA and RMC
        self.latitude: Floats = np.full(size, np.nan)
        self.longitude: Floats = np.full(size, np.nan)
        self.quality = np.full(size, UNKNOWN, np.int16)
        self.nsv = np.full(size, UNKNOWN, np.int16)
        self.hdop = np.full(size, np.nan, np.float32)
        self.altitude = np.full(size, np.nan, np.float32)
        self.good: Bools = block.sound.copy()
        self.empty: Bools = np.zeros(size, bool)
        for kind in (GGA, GNS, GLL, RMC, ZDA):
            rows = np.flatnonzero((block.kind == kind) & block.sound)
            if len(rows):
                self._read(block, kind, rows)

    def _read(self, block: Block, kind: int, rows: Index) -> None:
        table = block.table(rows)
        clock, well = table.clock(_TIME[kind])
        self.clock[rows] = clock
        if kind == ZDA:
            parts = [table.number(field) for field in (3, 2, 1)]
            self.date[rows] = days(*(np.where(part.good, part.value, 0).astype(np.int64) for part in parts))
            self.good[rows] = well & (clock >= 0) & (self.date[rows] != NEVER)
            return
        place = _LATITUDE[kind]
        latitude = table.degrees(place, ord("N"), ord("S"))
        longitude = table.degrees(place + 2, ord("E"), ord("W"))
        self.latitude[rows], self.longitude[rows] = latitude.value, longitude.value
        self.empty[rows] = latitude.empty & longitude.empty
        self.good[rows] = well & (latitude.good & longitude.good | self.empty[rows])
        if kind in _STATUS:
            void = table.letter(_STATUS[kind]) == ord("V")
            self.quality[rows] = np.where(void, 0, UNKNOWN)
        if kind == RMC:
            self.date[rows] = _rmc_date(table)
        if kind == GGA:
            self.quality[rows] = _counted(table, 5)
        if kind == GNS:
            for letter, quality in zip(_GNS_MODES, _GNS_QUALITY, strict=True):
                found = table.contains(5, letter)
                self.quality[rows[found]] = quality
        if kind in (GGA, GNS):
            self.nsv[rows] = _counted(table, 6)
            for column, field in ((self.hdop, 7), (self.altitude, 8)):
                parsed = table.number(field)
                column[rows] = np.where(parsed.good, parsed.value, np.nan)


def _rmc_date(table: Table) -> Ints:
    parsed = table.number(8)
    key = np.where(parsed.good & (parsed.value < 1e6), parsed.value, 0).astype(np.int64)
    year = key % 100
    return days(year + np.where(year < 80, 2000, 1900), key // 100 % 100, key // 10_000)


def _counted(table: Table, field: int) -> Ints:
    parsed = table.number(field)
    return np.where(parsed.good, np.minimum(parsed.value, 32_767), UNKNOWN).astype(np.int64)


class _Feed:
    """What is carried from block to block of one file, and from file to file of the feed."""

    def __init__(self) -> None:
        self.pieces: list[dict[str, np.ndarray]] = []
        self.counts = dict.fromkeys(
            (
                "lines", "foreign", "checksum_invalid", "checksum_absent", "malformed",
                "no_position", "no_time", "date_faults", "superseded", "by_stamp",
            ),
            0,
        )  # fmt: skip
        self.sentences: dict[str, int] = {}
        self.malformed_at: list[tuple[int, int]] = []
        self.date_offset: int | None = None
        self.clock_offsets: list[float] = []  # s; the median of each block
        self.file = -1

    def open(self) -> None:
        self.file += 1
        self.line = 0
        self.first_piece = len(self.pieces)
        self.last_date = NEVER  # ms; the last date and time that the receiver itself gave
        self.burst = (NEVER, NEVER)  # stamp and time, ms, of the last ZDA that no position has used yet

    def close(self) -> None:
        """Puts the whole file on one clock: mixed, the ship would leap to and fro in time."""
        pieces = self.pieces[self.first_piece :]
        timed = sum(int(piece["timed"].sum()) for piece in pieces)
        bare = sum(len(piece["timed"]) for piece in pieces) - timed
        for piece in pieces:
            stamps, keep = piece.pop("reference"), piece["timed"]
            if bare > timed:
                piece["time"] = stamps
            elif bare:
                piece.update({name: column[keep] for name, column in piece.items()})
        self.counts["by_stamp" if bare > timed else "superseded"] += bare + timed if bare > timed else bare

    def add(self, raw: bytes) -> None:
        block = Block(raw)
        rows = _Rows(block)
        for name, number in block.addresses.items():
            self.sentences[name] = self.sentences.get(name, 0) + number
        counts = self.counts
        counts["foreign"] += block.foreign
        counts["checksum_invalid"] += int((~block.sound).sum())
        counts["checksum_absent"] += int(block.bare.sum())
        broken = block.sound & ~rows.good
        counts["malformed"] += int(broken.sum())
        for line in block.line[broken][: SHOWN - len(self.malformed_at)]:
            self.malformed_at.append((self.file, self.line + int(line) + 1))
        self.line += block.count
        counts["lines"] += block.count
        counts["no_position"] += int((rows.good & rows.empty).sum())
        if len(rows.kind):
            self._date(rows)

    def _date(self, rows: _Rows) -> None:
        """Places each position in time and keeps it."""
        stamped = rows.stamp != NEVER
        own = rows.good & (rows.date != NEVER) & (rows.clock >= 0)
        said = np.where(own, rows.date * DAY + rows.clock, NEVER)
        off = np.where(own & stamped, said - rows.stamp, 0)
        fault = np.abs(off) > DAY
        if fault.any():
            self.counts["date_faults"] += int(fault.sum())
            if self.date_offset is None:
                self.date_offset = round(int(off[fault][0]) / DAY)

        reference = rows.stamp
        if not stamped.all():  # no logger stamp: the receiver's own date is the only one there is
            latest = np.where(own, np.arange(1, len(own) + 1), 0)
            latest = np.maximum.accumulate(latest)
            dated = np.append(self.last_date, said)[latest]
            self.last_date = dated[-1]
            reference = np.where(stamped, rows.stamp, dated)
        known = reference != NEVER
        midnight = reference // DAY * DAY
        time = midnight + rows.clock
        time += DAY * ((reference - time > DAY // 2).astype(np.int64) - (time - reference > DAY // 2))

        position = rows.good & ~rows.empty & (rows.kind != ZDA)
        timed = rows.clock >= 0
        compared = stamped & timed & rows.good
        if compared.any():
            self.clock_offsets.append(float(np.median((rows.stamp - time)[compared])) / 1000)
        bare = position & ~timed
        if bare.any():
            served, times = self._from_burst(rows, bare, own & ~fault, time)
            timed |= served | ~stamped
            time = np.where(served, times, np.where(bare, reference, time))
        elif len(last := np.flatnonzero(rows.kind == ZDA)):
            believed = bool((own & ~fault)[last[-1]])
            self.burst = (int(rows.stamp[last[-1]]), int(time[last[-1]])) if believed else (NEVER, NEVER)
        self.counts["no_time"] += int((position & ~known).sum())
        keep = position & known
        self.pieces.append(
            {
                "time": time[keep],
                "kind": rows.kind[keep],
                "timed": timed[keep],
                "reference": reference[keep],
                "longitude": rows.longitude[keep],
                "latitude": rows.latitude[keep],
                "quality": rows.quality[keep],
                "nsv": rows.nsv[keep],
                "hdop": rows.hdop[keep],
                "altitude": rows.altitude[keep],
            }
        )

    def _from_burst(self, rows: _Rows, bare: Bools, trusted: Bools, time: Ints) -> tuple[Bools, Ints]:
        """Which of the positions without time the ZDA just before serves, and its time, ms.

        A ZDA serves the first such position after it and only within BURST of its stamp, so that a receiver
        sending positions faster than ZDA keeps them apart.
        """
        is_zda = rows.kind == ZDA
        slot = np.maximum.accumulate(np.where(is_zda, np.arange(1, len(bare) + 1), 0))
        stamps = np.append(self.burst[0], np.where(is_zda & trusted, rows.stamp, NEVER))
        times = np.append(self.burst[1], np.where(is_zda & trusted, time, NEVER))
        seat = np.flatnonzero(bare)
        first = np.ones(len(seat), bool)
        first[1:] = slot[seat][1:] != slot[seat][:-1]
        age = np.full(len(bare), BURST, np.int64)
        has = (stamps[slot] != NEVER) & (rows.stamp != NEVER)
        age[has] = rows.stamp[has] - stamps[slot][has]
        serves = np.zeros(len(bare), bool)
        serves[seat[first]] = True
        serves &= (age >= 0) & (age < BURST)
        unused = slot[-1] > slot[seat[-1]]
        self.burst = (int(stamps[slot[-1]]), int(times[slot[-1]])) if unused else (NEVER, NEVER)
        return serves, times[slot]

    def result(self) -> tuple[Fixes, ReadReport]:
        columns = {
            name: np.concatenate([piece[name] for piece in self.pieces]) if self.pieces else np.empty(0)
            for name in ("time", "kind", "longitude", "latitude", "quality", "nsv", "hdop", "altitude")
        }
        self.pieces = []
        time = columns.pop("time").astype(np.int64)
        chosen = _one_per_epoch(time, columns.pop("kind"))
        fixes = Fixes(
            time[chosen].astype("datetime64[ms]"),
            columns["longitude"][chosen],
            columns["latitude"][chosen],
            columns["quality"][chosen].astype(np.int16),
            columns["nsv"][chosen].astype(np.int16),
            columns["hdop"][chosen].astype(np.float32),
            columns["altitude"][chosen].astype(np.float32),
        )
        report = ReadReport(
            sentences=dict(sorted(self.sentences.items())),
            fixes=len(fixes),
            malformed_at=tuple(self.malformed_at),
            same_epoch=len(time) - len(fixes),
            date_offset_days=self.date_offset,
            clock_offset_s=round(float(np.median(self.clock_offsets)), 3) if self.clock_offsets else None,
            **self.counts,
        )
        return fixes, report


def _one_per_epoch(time: Ints, kind: np.ndarray) -> Index:
    """Indices, in the order of the files, of the best sentence of each epoch; of equals the first."""
    if (time[1:] > time[:-1]).all():
        return np.arange(len(time))
    order = np.lexsort((kind, time))
    first = np.ones(len(order), bool)
    first[1:] = time[order][1:] != time[order][:-1]
    return np.sort(order[first])


def read(sources: Iterable[Path | BinaryIO]) -> tuple[Fixes, ReadReport]:
    """The fixes of one feed (one receiver), its files in the order of time, and the account of the reading.

    Positions come from GGA, GNS, GLL and RMC, in this preference where several have the same epoch; fixes
    stay in the order of the files. The time is the sentence's own, on the day that brings it nearest to the
    logger's stamp; a sentence without time takes that of the ZDA of its burst, else the stamp. The two clocks
    may differ by minutes, so a file in which most positions have only the stamp is dated by stamps alone,
    and otherwise its positions without time are left out. Without any stamp the receiver's last ZDA or RMC
    gives the day. Status V becomes quality 0; sentences with a wrong
    checksum are dropped. Streams are read in blocks of 512 KiB; memory is about 40 bytes per fix.
    Raises OSError when a file cannot be opened; content never raises.
    Sources: NMEA 0183 for the fields; feeds of the N.B. Palmer, 2014, for the rules of time.
    """
    feed = _Feed()
    for source in sources:
        feed.open()
        with source.open("rb") if isinstance(source, Path) else nullcontext(source) as stream:
            for raw in whole_lines(iter(partial(stream.read, BLOCK), b""), LONGEST):
                feed.add(raw)
        feed.close()
    return feed.result()
