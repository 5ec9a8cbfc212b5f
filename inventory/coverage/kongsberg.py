"""Kongsberg's multibeam files: .all and .wcd, .kmall and .kmwcd. Their datagrams are gone through by their lengths.

Only headers and positions are read, whatever the size of the file. Sources: Kongsberg, EM Series datagram formats,
850-160692 (datagram P: latitude in 1/20,000,000, longitude in 1/10,000,000 of a degree); EMdgmFormat (KMALL),
410224: #SPO and #CPO.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from inventory.coverage import moments
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.navigation.fixes import Ints
from inventory.navigation.sentences import NEVER

VERSION = 1
MOST: Final = 3_000_000  # datagrams
_ALL_HEAD, _KMALL_HEAD = 20, 20  # bytes: the length, and the header up to counter and serial number or the time
_MODELS: Final = range(100, 10_000)


def takes_all(source: Source) -> bool:
    """A file that begins with a datagram of the EM series."""
    return _order(source.head) != ""


def takes_kmall(source: Source) -> bool:
    """A file that begins with a KMALL datagram."""
    head = source.head
    return len(head) >= 20 and head[4:5] == b"#" and head[5:8].isalnum() and struct.unpack_from("<I", head)[0] >= 20


def _order(head: bytes) -> str:
    """The byte order, < or >, in which the first datagram makes sense; nothing where it makes none."""
    for order in "<>":
        if len(head) >= _ALL_HEAD and head[4] == 2:
            length, _, _, model, date, ms = struct.unpack_from(f"{order}IBBHII", head)
            if length >= 16 and model in _MODELS and _at(date, ms) != NEVER:
                return order
    return ""


def _at(date: int, ms: int) -> int:
    if not (19800101 <= date <= 21001231 and ms < 86_400_000):
        return int(NEVER)
    day = moments.moment(date // 10_000, date // 100 % 100, date % 100)
    return day + ms if day != NEVER else day


def read_all(source: Source) -> Reading:
    """Period and track of a file of the EM series; of several positioning systems the active one alone."""
    order = _order(source.head)
    header, position = struct.Struct(f"{order}IBBHIIHH"), struct.Struct(f"{order}iiHHHHB")
    times: list[int] = []
    rows: list[tuple[int, float, float, int]] = []
    model = serial = offset = count = 0
    while count < MOST and source.in_time():
        data = source.at(offset, header.size + position.size)
        if len(data) < header.size:
            break
        length, begin, kind, model_now, date, ms, _, serial_now = header.unpack_from(data)
        if begin != 2 or length < 16:
            break
        moment = _at(date, ms)
        times.append(moment)
        model, serial = model or model_now, serial or serial_now
        if kind == 0x50 and len(data) == header.size + position.size and moment != NEVER:
            latitude, longitude, *_, system = position.unpack_from(data, header.size)
            rows.append((moment, longitude / 1e7, latitude / 2e7, system & 0x80))
        offset += 4 + length
        count += 1
    active = [row for row in rows if row[3]] or rows
    found = [(moment, x, y) for moment, x, y, _ in active]
    return _told(f"Kongsberg .{source.ending or 'all'}", source, times, found, offset, f"EM {model}, {serial}")


def read_kmall(source: Source) -> Reading:
    """Period and track of a KMALL file, of the active positioning system."""
    header, body = struct.Struct("<I4sBBHII"), struct.Struct("<IIfdd")
    times: list[int] = []
    rows: list[tuple[int, float, float]] = []
    model = offset = count = 0
    while count < MOST and source.in_time():
        data = source.at(offset, 80)
        if len(data) < header.size:
            break
        length, kind, _, _, model_now, seconds, nanoseconds = header.unpack_from(data)
        if kind[:1] != b"#" or length < 20:
            break
        moment = seconds * 1000 + nanoseconds // 1_000_000
        times.append(moment)
        model = model or model_now
        if kind in (b"#SPO", b"#CPO") and len(data) >= 24:
            common, _, status = struct.unpack_from("<HHH", data, 20)
            place = 20 + common
            if status & 1 and common >= 8 and place + body.size <= len(data):
                *_, latitude, longitude = body.unpack_from(data, place)
                rows.append((moment, longitude, latitude))
        offset += length
        count += 1
    return _told(f"Kongsberg .{source.ending or 'kmall'}", source, times, rows, offset, f"EM {model}")


def _told(
    name: str, source: Source, times: list[int], rows: list[tuple[int, float, float]], offset: int, instrument: str
) -> Reading:
    known: Ints = moments.known(times)
    if not len(known):
        raise Unreadable("no datagram of it has a time")
    remarks = () if offset == source.size else (f"it was read up to byte {min(offset, source.size):,} alone",)
    columns = np.array(rows, np.float64).reshape(-1, 3)
    return Reading(
        name[:60],
        known,
        columns[:, 0].astype(np.int64),
        columns[:, 1],
        columns[:, 2],
        instrument=instrument[:80],
        remarks=remarks,
    )
