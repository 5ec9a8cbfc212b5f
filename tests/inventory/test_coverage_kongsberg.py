"""Kongsberg's multibeam files, written by a small encoder in both byte orders, whole, cut and spoilt."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import moments
from inventory.coverage.readers import reader_of
from inventory.coverage.reading import Reading, Source, Unreadable

DAY = moments.moment(2026, 3, 2)


def datagram(order: str, kind: bytes, ms: int, body: bytes = b"") -> bytes:
    inner = struct.pack(f"{order}BcHIIHH", 2, kind, 122, 20260302, ms, 1, 105) + body + struct.pack(f"{order}BH", 3, 0)
    return struct.pack(f"{order}I", len(inner)) + inner


def place(order: str, ms: int, x: float, y: float, system: int = 0x81) -> bytes:
    body = struct.pack(f"{order}iiHHHHBB", round(y * 2e7), round(x * 1e7), 10, 0, 0, 0, system, 0)
    return datagram(order, b"P", ms, body)


def kmall(kind: bytes, ms: int, body: bytes = b"") -> bytes:
    at = DAY + ms
    length = 20 + len(body) + 4
    return (
        struct.pack("<I4sBBHII", length, kind, 0, 0, 304, at // 1000, at % 1000 * 10**6)
        + body
        + struct.pack("<I", length)
    )


def spo(ms: int, x: float, y: float, status: int = 1) -> bytes:
    return kmall(b"#SPO", ms, struct.pack("<HHHHIIfddfff", 8, 0, status, 0, 0, 0, 1.0, y, x, 5.0, 0.0, 0.0) + b"$GPGGA")


def read(data: bytes, name: str) -> Reading | None:
    file = os.memfd_create("test")
    try:
        os.write(file, data)
        source = Source(file, name)
        reader = reader_of(source)
        return reader.read(source) if reader else None
    finally:
        os.close(file)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_em_series(order: str):
    data = datagram(order, b"I", 1000, b"x" * 50_000)
    data += place(order, 2000, 179.5, -10.25) + place(order, 2500, 1.0, 1.0, 0x02) + place(order, 3000, -179.5, -10.5)
    data += datagram(order, b"X", 9000, b"y" * 70_000)
    found = read(data, "0001_line.all")
    assert found is not None
    assert (found.format, found.instrument, found.remarks) == ("Kongsberg .all", "EM 122, 105", ())
    assert found.longitude.tolist() == [179.5, -179.5]
    assert found.latitude.tolist() == [-10.25, -10.5]
    assert (found.moments.min() - DAY, found.moments.max() - DAY) == (1000, 9000)
    cut = read(data[:-10], "a.all")
    assert cut is not None
    assert "up to byte" in cut.remarks[0] or cut.remarks == ()


def test_kmall():
    data = (
        kmall(b"#IIP", 0, b"x" * 400)
        + spo(1000, -25.0, 36.0)
        + spo(1500, 200.0, 200.0, 0)
        + kmall(b"#MRZ", 7000, b"z" * 9000)
    )
    found = read(data, "0001.kmall")
    assert found is not None
    assert (found.format, found.instrument) == ("Kongsberg .kmall", "EM 304")
    assert (found.longitude.tolist(), found.latitude.tolist()) == ([-25.0], [36.0])
    assert (found.moments.min() - DAY, found.moments.max() - DAY) == (0, 7000)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([b"", place("<", 5, 1.0, 2.0), place(">", 5, 1.0, 2.0), spo(5, 1.0, 2.0)])
)
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes):
    try:
        read(start + data, "a.all")
    except Unreadable as error:
        assert str(error)  # noqa: PT017
