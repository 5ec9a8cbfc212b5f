"""Ensembles of Teledyne RDI's ADCPs (PD0) as VmDas, WinRiver and UHDAS keep them: period, and track where VmDas tells.

Only ensembles whose checksum is right count; behind damage the next one is looked for. Sources: Teledyne RD
Instruments, WorkHorse and Ocean Surveyor output data formats (header, fixed and variable leader); VmDas User's Guide,
navigation data block 2000h.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

import numpy as np

from inventory.coverage import moments
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.navigation.sentences import NEVER

VERSION = 1
ENDINGS: Final = re.compile(r"enr|ens|enx|lta|sta|raw|r?\d{3}")
LONGEST: Final = 65_537  # bytes of an ensemble with its checksum
BLOCK: Final = 1024**2  # bytes read at one time
WHOLE: Final = 128 * 1024**2  # bytes up to which a file is read from its first ensemble to its last
FALSE_STARTS: Final = 20_000  # in one block: noise that looks like headers
_HEADER = re.compile(rb"\x7f\x7f(?=[\s\S]{3}[\x01-\x20])")
_KILOHERTZ: Final = {0: 75, 1: 150, 2: 300, 3: 600, 4: 1200, 5: 2400, 6: 38}
_DEGREES: Final = 180 / 2**31  # of the binary angles
_DAY: Final = 86_400_000
_FIX = struct.Struct("<BBHIiiiIii")

Fix = tuple[int, float, float]


def takes(source: Source) -> bool:
    """A file that begins with an ensemble; or one with the name of such files that has one near its beginning."""
    if source.head[:2] != b"\x7f\x7f" and not ENDINGS.fullmatch(source.ending):
        return False
    return next(_ensembles(source.head, [0]), None) is not None


def read_ensembles(source: Source) -> Reading:
    """When the ensembles were measured, and where VmDas saw the ship. Raises Unreadable where no ensemble is whole.

    The times of the receiver count before those of the ADCP's clock. Of a file larger than 128 MiB parts at even
    distances are read, and both ends.
    """
    times: list[int] = []
    fixes: list[Fix] = []
    count = used = 0
    kilohertz = None
    whole = source.size <= WHOLE
    for block, seen in _blocks(source, whole=whole):
        for ensemble in _ensembles(block, seen):
            count += 1
            used += len(ensemble) + 2
            blocks = _types(ensemble)
            fixed, variable, navigation = (blocks.get(kind, b"") for kind in (0x0000, 0x0080, 0x2000))
            if kilohertz is None and len(fixed) > 5:
                kilohertz = _KILOHERTZ.get(fixed[4] & 7)
            times.append(_clock(variable))
            fixes += _fixes(navigation, times[-1])
    if not count:
        raise Unreadable("no ensemble of it is whole: every checksum is wrong")
    remarks = []
    if whole and used < source.size:
        remarks.append(f"{source.size - used:,} bytes between whole ensembles were left out")
    known = np.array([fix[0] for fix in fixes], np.int64)
    clock = moments.known(times)
    if not len(known) and not len(clock):
        raise Unreadable("no ensemble of it tells its time")
    return Reading(
        "RDI ADCP, VmDas" if fixes else "RDI ADCP",
        clock if not len(known) else moments.known([]),
        known,
        np.array([fix[1] for fix in fixes], np.float64),
        np.array([fix[2] for fix in fixes], np.float64),
        instrument=f"RDI {kilohertz} kHz" if kilohertz else "RDI",
        remarks=tuple(remarks),
    )


def _blocks(source: Source, *, whole: bool) -> Iterator[tuple[bytes, list[int]]]:
    """Parts of the file, and a list into which goes how far the ensembles in it reached: the next part begins there."""
    if whole:
        offset = 0
        while source.in_time() and (block := source.at(offset, BLOCK)):
            seen = [0]
            yield block, seen
            last = offset + len(block) >= source.size
            # What is cut at the end may be a whole ensemble of the next part.
            offset += len(block) if last else max(seen[0], len(block) - LONGEST)
        return
    parts = WHOLE // BLOCK
    for place in np.linspace(0, source.size - BLOCK, parts).astype(np.int64).tolist():
        if source.in_time():
            yield source.at(place, BLOCK), [0]


def _ensembles(block: bytes, seen: list[int]) -> Iterator[bytes]:
    """The whole ensembles of a block without their checksums, one after another. `seen[0]`: the end of the last."""
    sums = np.concatenate(([0], np.cumsum(np.frombuffer(block, np.uint8), dtype=np.int64)))
    false_starts = place = 0
    while (match := _HEADER.search(block, place)) is not None:
        begin = match.start()
        length = int.from_bytes(block[begin + 2 : begin + 4], "little")
        end = begin + length
        first = 6 + 2 * block[begin + 5]  # the data begin behind their table
        if (
            first + 2 <= length
            and block[begin + 6 : begin + 8] == first.to_bytes(2, "little")
            and end + 2 <= len(block)
        ):
            told = int.from_bytes(block[end : end + 2], "little")
            if int(sums[end] - sums[begin]) & 0xFFFF == told:
                seen[0] = place = end + 2
                yield block[begin:end]
                continue
        false_starts += 1
        place = begin + 1
        if false_starts > FALSE_STARTS:
            return


def _types(ensemble: bytes) -> dict[int, bytes]:
    """The data of an ensemble from the beginning of each type, by its number."""
    found: dict[int, bytes] = {}
    for n in range(ensemble[5]):
        offset = int.from_bytes(ensemble[6 + 2 * n : 8 + 2 * n], "little")
        if 6 <= offset <= len(ensemble) - 2:
            found.setdefault(int.from_bytes(ensemble[offset : offset + 2], "little"), ensemble[offset : offset + 96])
    return found


def _clock(leader: bytes) -> int:
    """The time of a variable leader, with its century where it has one; NEVER where it has none."""
    if len(leader) >= 65 and leader[57] in (19, 20):
        century, year, *rest, hundredths = leader[57:65]
        return _moment(century * 100 + year, rest, hundredths)
    if len(leader) >= 11:
        year, *rest, hundredths = leader[4:11]
        return _moment(2000 + year if year < 80 else 1900 + year, rest, hundredths)
    return int(NEVER)


def _moment(year: int, rest: list[int], hundredths: int) -> int:
    month, day, hour, minute, second = rest
    return moments.moment(year, month, day, hour, minute, second, min(hundredths, 99) * 10)


def _fixes(block: bytes, clock: int) -> list[Fix]:
    """The first and the last fix of VmDas in an ensemble: ms since 1970 UTC, degrees east and north."""
    if len(block) < 2 + _FIX.size:
        return []
    day, month, year, first, _, y1, x1, last, y2, x2 = _FIX.unpack_from(block, 2)
    midnight = moments.moment(year, month, day) if year >= 1980 else int(NEVER)
    if midnight == NEVER or first >= _DAY * 10 or last >= _DAY * 10:
        return []
    # Times are in tenths of a millisecond. Across midnight the day may be that of the one or of the other.
    times = [midnight + first // 10, midnight + last // 10]
    if last < first:
        before = clock != NEVER and abs(times[1] - clock) < abs(times[0] - clock)
        times = [times[0] - _DAY, times[1]] if before else [times[0], times[1] + _DAY]
    rows = ((times[0], x1, y1), (times[1], x2, y2))
    return [(time, x * _DEGREES, y * _DEGREES) for time, x, y in rows if x or y]
