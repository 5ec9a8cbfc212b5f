"""Ensembles of RDI's ADCPs, written by a small encoder: whole, damaged, across midnight, and any bytes."""

from __future__ import annotations

import datetime as dt
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import moments, rdi
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.coverage.shape import shape
from tests.inventory.test_coverage_kongsberg import read as read_named

DAY = moments.moment(2026, 3, 2)
EVER = (-(10**15), 10**15)
NAV = tuple[int, float, float, int, float, float]


def ensemble(ms: int, nav: NAV | None = None, *, century: bool = True, date: int = DAY, body: bytes = b"") -> bytes:
    """An ensemble of a 75 kHz instrument. nav: ms of the day, east and north of the first and of the last fix."""
    at = dt.datetime.fromtimestamp((DAY + ms) / 1000, dt.UTC)
    clock = (at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 10_000)
    fixed = struct.pack("<HBBH", 0x0000, 23, 17, 0b0100_0000_0000_1000) + bytes(53)
    variable = struct.pack("<HH7B", 0x0080, 1, at.year % 100, *clock) + bytes(46)
    if century:
        variable += struct.pack("<8B", at.year // 100, at.year % 100, *clock)
    parts = [fixed, variable]
    if nav is not None:
        day = dt.datetime.fromtimestamp(date / 1000, dt.UTC)
        bam = [round(value * 2**31 / 180) for value in (nav[2], nav[1], nav[5], nav[4])]
        first = struct.pack("<HBBHIiii", 0x2000, day.day, day.month, day.year, nav[0] * 10, 0, *bam[:2])
        parts.append(first + struct.pack("<Iii", nav[3] * 10, *bam[2:]) + bytes(44))
    parts.append(struct.pack("<H", 0x0100) + body)
    offsets, place = [], 6 + 2 * len(parts)
    for part in parts:
        offsets.append(place)
        place += len(part)
    data = struct.pack(f"<BBHBB{len(parts)}H", 0x7F, 0x7F, place, 0, len(parts), *offsets) + b"".join(parts)
    return data + struct.pack("<H", sum(data) & 0xFFFF)


def read(data: bytes, name: str = "adcp001_000000.LTA") -> Reading | None:
    return read_named(data, name)


def way(count: int, step: int = 60_000) -> list[bytes]:
    return [
        ensemble(n * step, (n * step, -25.0 - n / 100, 36.0, n * step + step // 2, -25.005 - n / 100, 36.0))
        for n in range(count)
    ]


def test_the_way_that_vmdas_saw():
    found = read(b"".join(way(10)))
    assert found is not None
    assert (found.format, found.instrument, found.remarks) == ("RDI ADCP, VmDas", "RDI 75 kHz", ())
    assert (found.time[:3] - DAY).tolist() == [0, 30_000, 60_000]
    assert found.longitude[:3].tolist() == pytest.approx([-25.0, -25.005, -25.01], abs=1e-6)
    made = shape(found, EVER)
    assert (made.first, made.last) == (DAY, DAY + 9 * 60_000 + 30_000)
    assert made.lines[0][-1] == pytest.approx((-25.095, 36.0))


@pytest.mark.parametrize("century", [True, False])
def test_single_pings_have_the_clock_of_the_instrument(century: bool):
    found = read(b"".join(ensemble(n * 1000 + 120, century=century) for n in range(5)), "os2026_061_00000.raw")
    assert found is not None
    assert (found.format, len(found.time)) == ("RDI ADCP", 0)
    assert (found.moments - DAY).tolist() == [120, 1120, 2120, 3120, 4120]


def test_damage_is_stepped_over_and_told():
    rows = way(10)
    rows[3] = rows[3][:60] + b"\0" + rows[3][61:] if rows[3][60] else rows[3][:60] + b"\1" + rows[3][61:]
    rows[6] = rows[6][:50]  # cut short by a crash; the next one follows at once
    data = b"\x7f\x7f\x10\0rest" + b"".join(rows)
    found = read(data)
    assert found is not None
    assert len(found.time) == 16
    assert found.remarks == (f"{8 + len(rows[3]) + 50:,} bytes between whole ensembles were left out",)
    file = os.memfd_create("test")
    os.write(file, b"\x7f\x7f" + bytes(500))
    source = Source(file, "a.enr")
    with pytest.raises(Unreadable, match="every checksum is wrong"):
        rdi.read_ensembles(source)
    os.close(file)


def test_ensembles_across_the_ends_of_blocks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rdi, "BLOCK", 3000)
    monkeypatch.setattr(rdi, "LONGEST", 700)
    found = read(b"".join(way(200)))
    assert found is not None
    assert (len(found.time), found.remarks) == (400, ())
    monkeypatch.setattr(rdi, "WHOLE", 20_000)
    parts = read(b"".join(way(200)))
    assert parts is not None
    assert 40 < len(parts.time) < 250
    assert shape(parts, EVER).last == shape(found, EVER).last


@pytest.mark.parametrize("date", [DAY, DAY + 86_400_000])
def test_across_midnight_the_day_is_of_the_one_fix_or_the_other(date: int):
    late = 86_400_000 - 10_000
    clock = late if date == DAY else late + 15_000
    found = read(ensemble(clock, (late, -25.0, 36.0, 10_000, -25.01, 36.0), date=date))
    assert found is not None
    assert (found.time - DAY).tolist() == [late, 86_400_000 + 10_000]


def test_fixes_that_are_none():
    rows = [
        ensemble(0, (0, 0.0, 0.0, 1, 0.0, 0.0)),
        ensemble(1000, (90_000_000, 1.0, 1.0, 1, 1.0, 1.0)),
        ensemble(2000, (0, 1.0, 1.0, 1, 1.0, 1.0), date=0),
    ]
    found = read(b"".join(rows))
    assert found is not None
    assert (len(found.time), len(found.moments)) == (0, 3)


def test_noise_that_looks_like_headers_takes_no_long_time():
    noise = b"\x7f\x7f\x50\x00\x00\x10" * 400_000
    found = read(ensemble(0) + noise)
    assert found is not None
    assert len(found.moments) == 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(data: bytes, body: bytes, cut: int):
    whole = ensemble(5, (5, 1.0, 2.0, 9, 1.0, 2.0), body=body)
    for some in (data, whole[:cut] + data, whole + data + whole):
        try:
            found = read(some, "a.enx")
        except Unreadable as error:
            assert str(error)  # noqa: PT017
        else:
            assert found is None or np.isfinite(found.longitude).all()
    assert read(whole + data + whole, "a.enx") is not None
