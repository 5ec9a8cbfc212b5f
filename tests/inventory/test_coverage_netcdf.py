"""netCDF files as ships write them, read in a process of their own; and files that are damaged or mean harm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import moments, netcdf, netcdf_child
from inventory.coverage.netcdf_child import Wrong
from inventory.coverage.readers import reader_of
from inventory.coverage.reading import Reading, Source, Unreadable
from inventory.coverage.shape import shape
from inventory.navigation.sentences import NEVER

EVER = (-(10**15), 10**15)
DAY = moments.moment(2026, 3, 2)


class Made:
    """A file in the making: dimensions and variables with their attributes."""

    def __init__(self, path: Path, form: str = "NETCDF4", **words: str) -> None:
        self.path = path
        self.data = netCDF4.Dataset(path, "w", format=form)
        self.data.setncatts(words)

    def add(self, name: str, values: Any, dims: tuple[str, ...], kind: str = "f8", **words: Any) -> Made:
        array = np.ma.asarray(values)
        for dim, size in zip(dims, array.shape, strict=True):
            if dim not in self.data.dimensions:
                self.data.createDimension(dim, size)
        made = self.data.createVariable(name, kind, dims, fill_value=words.pop("fill", None))
        made.setncatts(words)
        made[...] = array
        return self

    def read(self) -> Reading:
        self.data.close()
        return read(self.path)


def read(path: Path) -> Reading:
    file = os.open(path, os.O_RDONLY)
    try:
        source = Source(file, path.name)
        reader = reader_of(source)
        assert reader is not None
        assert reader.name == "netcdf"
        return reader.read(source)
    finally:
        os.close(file)


def span(found: Reading) -> list[int]:
    return [int(found.moments.min()) - DAY, int(found.moments.max()) - DAY]


@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET"])
def test_a_short_file_of_an_adcp(tmp_path: Path, form: str):
    made = Made(tmp_path / "os75nb.nc", form, sonar="os75nb")
    days = np.array([60.0, 60.25, 60.5])
    made.add("time", days, ("time",), units="days since 2026-01-01 00:00:00", calendar="proleptic_gregorian")
    made.add("lon", np.ma.array([179.5, 181.0, 1e38], mask=[0, 0, 1]), ("time",), fill=1e38, units="degrees_east")
    made.add("lat", [-10.0, -10.5, -11.0], ("time",), fill=1e38, units="degrees_north")
    made.add("depth", np.ones((3, 2)), ("time", "cell"), units="meter")
    found = made.read()
    assert (found.format, found.instrument, found.remarks) == (
        "netCDF-4" if form.startswith("NETCDF4") else "netCDF-3", "os75nb", (),
    )  # fmt: skip
    assert span(found) == [0, 43_200_000]
    assert (found.time - DAY).tolist() == [0, 21_600_000]
    assert found.longitude.tolist() == [179.5, 181.0]
    assert [line[0][0] for line in shape(found, EVER).lines] == [179.5, -180.0]


def test_weather_in_minutes_since_1980(tmp_path: Path):
    minutes = (DAY - moments.moment(1980, 1, 1)) // 60_000 + np.array([5, 0, 1])  # and not in order
    made = Made(tmp_path / "met.nc", "NETCDF3_CLASSIC")
    made.add("time", minutes, ("time",), "i4", units="minutes since 1-1-1980 00:00 UTC", long_name="time")
    made.add("lat", [36.5, 36.0, -9999.0], ("time",), "f4", units="degrees (+N)", missing_value=np.float32(-9999))
    made.add("lon", [335.5, 335.0, 335.2], ("time",), "f4", units="degrees (clockwise from prime meridian)")
    found = made.read()
    assert span(found) == [0, 300_000]
    assert found.latitude.tolist() == [36.5, 36.0]
    assert shape(found, EVER).lines[0] == [(-25.0, 36.0), (-24.5, 36.5)]


def test_a_profile_a_mooring_and_a_trajectory_of_two_dimensions(tmp_path: Path):
    since = "seconds since 2026-03-02T00:00:00Z"
    cast = Made(tmp_path / "cast.nc", featureType="profile")
    cast.add("TIME", 90.0, (), units=since, axis="T").add("LATITUDE", 36.5, ()).add("LONGITUDE", -25.5, ())
    cast.add("PRES", [1.0, 2.0], ("z",))
    found = cast.read()
    assert (found.format, span(found)) == ("netCDF-4 profile", [90_000, 90_000])
    assert shape(found, EVER).point == (-25.5, 36.5)
    mooring = Made(tmp_path / "mooring.nc")
    mooring.add("time", [0.0, 60.0], ("time",), units=since).add("lat", [36.5], ("lat",), units="degrees_north")
    found = mooring.add("lon", [-25.5], ("lon",), units="degrees_east").read()
    assert (span(found), found.time.tolist()) == ([0, 60_000], [NEVER])
    assert shape(found, EVER).point == (-25.5, 36.5)
    way = Made(tmp_path / "way.nc").add("t", [[0.0, 60.0]], ("one", "obs"), standard_name="time", units=since)
    way.add("y", [[1.0, 2.0]], ("one", "obs"), standard_name="latitude")
    found = way.add("x", [[3.0, 4.0]], ("one", "obs"), standard_name="longitude").read()
    assert list(zip(found.longitude.tolist(), found.latitude.tolist(), strict=True)) == [(3.0, 1.0), (4.0, 2.0)]


def test_a_sonar_keeps_its_ways_in_groups(tmp_path: Path):
    made = Made(tmp_path / "ping.nc")
    group = made.data.createGroup("Platform")
    group.createDimension("time1", 2)
    since = (DAY - moments.moment(1601, 1, 1)) * 10**6
    for name, kind, rows, units in (
        ("time1", "u8", [since, since + 10**9], "nanoseconds since 1601-01-01 00:00:00Z"),
        ("latitude", "f8", [36.0, 36.001], "degrees_north"),
        ("longitude", "f8", [-25.0, -25.001], "degrees_east"),
    ):
        one = group.createVariable(name, kind, ("time1",))
        one.units = units
        one[:] = rows
    found = made.read()
    assert span(found) == pytest.approx([0, 1000], abs=1)
    assert found.longitude.tolist() == [-25.0, -25.001]


def test_a_grid_has_a_period_and_no_way(tmp_path: Path):
    made = Made(tmp_path / "sst.nc").add("time", [0.0, 1.0], ("time",), units="hours since 2026-03-02")
    made.add("lat", [1.0, 2.0, 3.0], ("lat",), units="degrees_north")
    found = made.add("lon", [1.0, 2.0], ("lon",), units="degrees_east").read()
    assert (span(found), len(found.longitude)) == ([0, 3_600_000], 0)
    assert "grid" in found.remarks[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"units": "days since 2026-01-01", "calendar": "360_day"}, "calendar 360_day"),
        ({"units": "days", "standard_name": "time"}, "'days'"),
        ({"units": "months since 2026-01-01"}, "no fixed length"),
        ({"units": "days since 2-3-1980"}, "cannot be told apart"),
        ({"units": "days since 2026-02-30"}, "no such day"),
        ({"units": "metres"}, "no variable of it"),
    ],
)
def test_times_that_cannot_be_told_are_refused_with_the_reason(tmp_path: Path, words: dict[str, str], says: str):
    made = Made(tmp_path / "a.nc").add("time", [1.0, 2.0], ("time",), **words)
    with pytest.raises(Unreadable, match=says):
        made.read()


def test_places_remain_where_the_times_are_wrong(tmp_path: Path):
    made = Made(tmp_path / "a.nc").add("time", [1.0, 2.0], ("time",), units="days since 2026-01-01", calendar="noleap")
    found = made.add("lat", [1.0, 2.0], ("time",)).add("lon", [1.0, 2.0], ("time",)).read()
    assert (len(found.moments), found.time.tolist()) == (0, [NEVER, NEVER])
    assert "noleap" in found.remarks[0]


def test_nothing_but_fill_values(tmp_path: Path):
    rows = np.ma.array([1.0, 2.0], mask=True)
    made = Made(tmp_path / "a.nc").add("time", rows, ("time",), units="days since 2026-01-01")
    with pytest.raises(Unreadable, match="fill values"):
        made.read()
    empty = Made(tmp_path / "b.nc")
    empty.data.createDimension("time", None)
    empty.data.createVariable("time", "f8", ("time",)).units = "days since 2026-01-01"
    with pytest.raises(Unreadable, match="fill values"):
        empty.read()


def test_a_huge_file_is_read_in_places_all_over_it(tmp_path: Path):
    count = netcdf_child.WHOLE + 1000
    made = Made(tmp_path / "huge.nc", "NETCDF3_CLASSIC")
    made.add("time", np.arange(count, dtype="f8"), ("time",), units="seconds since 2026-03-02")
    found = (
        made.add("lat", np.linspace(0, 10, count), ("time",)).add("lon", np.linspace(0, 10, count), ("time",)).read()
    )
    assert span(found) == [0, (count - 1) * 1000]
    assert 5000 < len(found.time) <= netcdf_child.MOST + 32
    assert "a part of them" in found.remarks[0]


def test_an_array_that_is_small_on_the_disk_and_huge_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = Made(tmp_path / "bomb.nc")
    made.data.createDimension("time", 10**9)
    one = made.data.createVariable("time", "i1", ("time",), zlib=True, complevel=1, chunksizes=(2 * 10**8,))
    one.units = "seconds since 2026-03-02"
    one[:10] = 1.0
    made.data.close()
    assert made.path.stat().st_size < 10**7
    monkeypatch.setattr(netcdf, "MEMORY", 256 * 1024**2)
    with pytest.raises(Unreadable):
        read(made.path)


def test_a_file_opens_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever a file refers to, the child cannot open it: its table of open files is full."""
    child = tmp_path / "child.py"
    child.write_text(
        netcdf.CHILD.read_text().replace('told: Any = read("/dev/fd/3")', 'os.dup(0), open("/etc/passwd")')
    )
    monkeypatch.setattr(netcdf, "CHILD", child)
    made = Made(tmp_path / "a.nc").add("time", [1.0], ("time",), units="days since 2026-01-01")
    with pytest.raises(Unreadable, match="Too many open files"):
        made.read()


@pytest.mark.parametrize(
    "harm", ["os.abort()", "time.sleep(60)", "print('x' * 10**7)", "print('[]')", "os.kill(os.getpid(), 9)"]
)
def test_a_child_that_dies_hangs_or_floods_is_a_reason_for_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
):
    child = tmp_path / "child.py"
    child.write_text(f"import os, time\n{harm}\n")
    monkeypatch.setattr(netcdf, "CHILD", child)
    made = Made(tmp_path / "a.nc").add("time", [1.0], ("time",), units="days since 2026-01-01")
    made.data.close()
    file = os.open(made.path, os.O_RDONLY)
    try:
        with pytest.raises(Unreadable, match=r"gave up|within"):
            netcdf.read_netcdf(Source(file, "a.nc", until=0.0))
    finally:
        os.close(file)


def test_damaged_files_are_refused(tmp_path: Path):
    for form in ("NETCDF4", "NETCDF3_CLASSIC"):
        made = Made(tmp_path / "a.nc", form).add("time", np.arange(500.0), ("time",), units="days since 2026-01-01")
        made.data.close()
        whole = made.path.read_bytes()
        for cut in (20, len(whole) // 2):
            (tmp_path / "cut.nc").write_bytes(whole[:cut])
            try:
                assert len(read(tmp_path / "cut.nc").moments)
            except Unreadable as error:
                assert str(error)  # noqa: PT017
    (tmp_path / "page.nc").write_bytes(b"<html>not found</html>")
    file = os.open(tmp_path / "page.nc", os.O_RDONLY)
    assert reader_of(Source(file, "page.nc")) is None
    os.close(file)


class _Variable:
    def __init__(self, units: str, calendar: str) -> None:
        self.words = {"units": units, "calendar": calendar}

    def ncattrs(self) -> list[str]:
        return list(self.words)

    def getncattr(self, name: str) -> str:
        return self.words[name]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["days", "h", "mins", "x", "secs", "nanoseconds"]),
    st.one_of(st.text(max_size=30), st.dates().map(str), st.datetimes().map(str)),
)
def test_any_units_are_a_clock_or_refused(unit: str, since: str):
    try:
        step, zero = netcdf_child.clock(_Variable(f"{unit} since {since}", ""))
    except Wrong as error:
        assert str(error)  # noqa: PT017
    else:
        assert step > 0
        assert abs(zero) < 10**15
