"""Control points keep the shape within the tolerance; lines and boxes are right across 180 degrees."""

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.navigation.control import TOLERANCE, control_lines, pieces, simplify, split, unwrap
from inventory.navigation.extent import extent
from inventory.navigation.fixes import Floats
from inventory.navigation.geocsv import read_geocsv


def walk(size: int, seed: int, start: float, latitude: float, step: float) -> tuple[Floats, Floats]:
    """A ship that wanders: its course turns slowly, longitudes leap at 180 as in a file."""
    chance = np.random.default_rng(seed)
    course = np.cumsum(chance.normal(0, 0.3, size))
    y = np.clip(latitude + np.cumsum(np.cos(course)) * step, -89.999, 89.999)
    x = start + np.cumsum(np.sin(course) * step / np.maximum(np.cos(np.radians(y)), 0.01))
    return (x + 180) % 360 - 180, y


def distances(x: Floats, y: Floats, kept: np.ndarray, scaled: bool) -> Floats:
    """Of each point, the distance in degrees to the segment between the kept ones around it."""
    result = np.zeros(len(x))
    for first, last in pairwise(kept):
        for row in range(first + 1, last):
            factor = np.cos(np.radians(y[row])) if scaled else 1.0
            a = np.array([x[first] * factor, y[first]])
            b = np.array([x[last] * factor, y[last]])
            p = np.array([x[row] * factor, y[row]])
            length = ((b - a) ** 2).sum()
            share = np.clip(((p - a) @ (b - a)) / length, 0, 1) if length else 0.0
            result[row] = np.hypot(*(p - a - share * (b - a)))
    return result


tracks = st.builds(
    walk,
    st.integers(1, 150),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 179.9, -179.9, 40.0]),
    st.sampled_from([0.0, 60.0, 89.5, -89.9]),
    st.sampled_from([0.001, 0.02, 0.3]),
)


@settings(max_examples=80)
@given(tracks, st.sampled_from([0.0, 0.001, TOLERANCE, 0.5]), st.booleans())
def test_no_dropped_point_is_farther_than_the_tolerance(
    track: tuple[Floats, Floats], tolerance: float, scaled: bool
) -> None:
    x, y = track
    kept = simplify(x, y, tolerance, scaled=scaled)
    assert kept[0] == 0
    assert kept[-1] == len(x) - 1
    assert (np.diff(kept) > 0).all()
    assert distances(unwrap(x), y, kept, scaled).max() <= tolerance * (1 + 1e-9) + 1e-12


def test_what_is_not_needed_is_dropped() -> None:
    x, y = np.linspace(0, 10, 1001), np.linspace(0, 5, 1001)
    assert simplify(x, y).tolist() == [0, 1000]
    y[500] += 0.02
    assert simplify(x, y).tolist() == [0, 499, 500, 501, 1000]
    assert simplify(x, y, 0.03).tolist() == [0, 1000]


def test_a_way_there_and_back_keeps_its_end() -> None:
    out = np.linspace(0, 1, 51)
    x = np.concatenate((out, out[::-1]))
    assert 50 in simplify(x, np.zeros(102)) or 51 in simplify(x, np.zeros(102))


def test_the_date_line_does_not_cost_points() -> None:
    x, y = walk(2000, 7, 0.0, 10.0, 0.01)
    shifted = (x + 180 + 180) % 360 - 180
    assert simplify(x, y).tolist() == simplify(shifted, y).tolist()
    straight = (np.linspace(170, 190, 200) + 180) % 360 - 180
    assert simplify(straight, np.zeros(200)).tolist() == [0, 199]


def test_scaling_saves_points_in_high_latitudes_only() -> None:
    for latitude, fewer in ((75.0, 0.8), (0.0, 1.01)):
        x, y = walk(5000, 3, 20.0, latitude, 0.005)
        plain, scaled = simplify(x, y), simplify(x, y, scaled=True)
        assert len(scaled) <= len(plain) * fewer
    assert len(simplify(*walk(5000, 3, 20.0, 75.0, 0.005), scaled=True)) > 10


def test_a_million_fixes_are_simplified_in_seconds() -> None:
    x, y = walk(1_000_000, 5, 175.0, 30.0, 0.0001)
    begin = time.process_time()
    kept = simplify(x, y)
    assert time.process_time() - begin < 10
    assert 50 < len(kept) < 50_000


@pytest.mark.parametrize("size", [0, 1, 2])
def test_short_tracks_are_kept_whole(size: int) -> None:
    assert simplify(np.zeros(size), np.zeros(size)).tolist() == list(range(size))


def test_impossible_tracks_are_refused() -> None:
    for x, y, tolerance in (
        ([0, np.nan], [0, 0], 0.1),
        ([0], [0, 1], 0.1),
        ([0, 1], [0, 1], -1),
        ([0, 1], [0, 1], np.nan),
    ):
        with pytest.raises(ValueError):
            simplify(np.array(x, float), np.array(y, float), tolerance)


def test_the_published_control_points_are_kept_by_our_rule(real_data: Path) -> None:
    with (real_data / "nav/RR2402_control.geoCSV").open() as stream:
        rows = read_geocsv(stream).rows
    x, y = (np.array([float(row[column]) for row in rows]) for column in (1, 2))
    assert len(rows) == 336
    kept = simplify(x, y)
    assert len(kept) >= 0.95 * len(rows)
    assert len(simplify(x, y, 0.1)) < 0.5 * len(rows)


def test_lines_are_cut_at_the_date_line_with_the_crossing_in_both() -> None:
    x, y = np.array([178.0, 179.0, -179.0, -178.0, 179.5]), np.array([0.0, 1.0, 3.0, 3.0, 8.0])
    assert split(x, y) == [
        [(178.0, 0.0), (179.0, 1.0), (180.0, 2.0)],
        [(-180.0, 2.0), (-179.0, 3.0), (-178.0, 3.0), (-180.0, 7.0)],
        [(180.0, 7.0), (179.5, 8.0)],
    ]


def test_a_fix_on_the_date_line_itself() -> None:
    for on_it in (180.0, -180.0):
        assert split(np.array([179.0, on_it, -179.0]), np.array([0.0, 1.0, 2.0])) == [
            [(179.0, 0.0), (180.0, 1.0)],
            [(-180.0, 1.0), (-179.0, 2.0)],
        ]
        assert split(np.array([-179.0, on_it]), np.array([0.0, 1.0])) == [[(-179.0, 0.0), (-180.0, 1.0)]]
        assert split(np.array([179.0, on_it]), np.array([0.0, 1.0])) == [[(179.0, 0.0), (180.0, 1.0)]]


def test_no_line_of_one_place() -> None:
    assert split(np.array([]), np.array([])) == []
    assert split(np.array([1.0]), np.array([2.0])) == []
    assert split(np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0])) == []


def test_pauses() -> None:
    clock = np.array([0, 60, 120, 1000, 1060, 3000], "datetime64[s]")
    x, y = np.arange(6.0), np.zeros(6)
    assert [len(line) for line in split(x, y, clock, 600)] == [3, 2]  # the lone fix at the end is no line
    assert [len(line) for line in split(x, y, clock)] == [6]
    assert pieces(clock, 880) == [slice(0, 5), slice(5, 6)]
    with pytest.raises(ValueError, match="times"):
        split(x, y, None, 600)
    assert control_lines(x, y, clock, max_gap_s=600) == [[(0.0, 0.0), (2.0, 0.0)], [(3.0, 0.0), (4.0, 0.0)]]
    assert control_lines(x, y, clock) == [[(0.0, 0.0), (5.0, 0.0)]]


@settings(max_examples=60)
@given(tracks)
def test_lines_stay_on_the_map_and_lose_no_place(track: tuple[Floats, Floats]) -> None:
    x, y = track
    lines = split(x, y)
    for line in lines:
        assert len(line) > 1
        assert all(one != other for one, other in pairwise(line))
        along = np.array(line)[:, 0]
        assert (np.abs(along) <= 180).all()
        assert (np.abs(np.diff(along)) <= 180).all()
    places = np.array([place for line in lines for place in line])
    if len(set(zip(x, y, strict=True))) > 1:
        # Going around the world and back costs the last digits; rounding both sides would tear some apart.
        assert all(np.abs(places - place).max(axis=1).min() < 1e-9 for place in zip(x, y, strict=True))
    inner_ends = [(line[-1], after[0]) for line, after in pairwise(lines)]
    assert all(a[1] == b[1] and a[0] == -b[0] and abs(a[0]) == 180 for a, b in inner_ends)


@pytest.mark.parametrize(
    ("longitudes", "west", "east"),
    [
        ([10, 20], 10, 20),
        ([-10, 20], -10, 20),
        ([170, -170], 170, -170),
        ([100, -170, -60], 100, -60),
        ([-100, -20, 30], -100, 30),
        ([-170, -160], -170, -160),
        ([170, 180], 170, 180),
        ([-180, -170], -180, -170),
        ([180], 180, 180),
        ([10, -179], 10, -179),  # opposite quadrants: the shorter way
        ([80, -95], -95, 80),
        ([100, -10], -10, 100),
        ([10, 100, -100, -10], -100, 100),  # all around: both sides of Greenwich decide
        ([0, 45], 0, 45),
    ],
)
def test_boxes(longitudes: list[float], west: float, east: float) -> None:
    box = extent(np.array(longitudes, float), np.arange(1.0, len(longitudes) + 1))
    assert box == pytest.approx((west, 1, east, len(longitudes)))


def test_zero_zero_and_nothing_are_no_places() -> None:
    nan = np.nan
    assert extent(np.array([0, nan, 170, -170, 3]), np.array([0, 5.0, 1, 2, nan])) == (170, 1, -170, 2)
    assert extent(np.array([0.0]), np.array([0.0])) is None
    assert extent(np.array([]), np.array([])) is None
    assert extent(np.array([0.0, 5]), np.array([1.0, 0])) == (0, 0, 5, 1)


@given(tracks)
def test_a_box_holds_its_places(track: tuple[Floats, Floats]) -> None:
    x, y = track
    box = extent(x, y)
    assert box is not None
    assert -180 <= box.west <= 180
    assert -180 <= box.east <= 180
    assert (box.south, box.north) == (y.min(), y.max())
    width = (box.east - box.west) % 360 if box.east != box.west else 0.0
    inside = (x - box.west) % 360 <= width + 1e-8
    on_the_west = np.abs((x - box.west + 180) % 360 - 180) < 1e-8
    assert (inside | on_the_west | (width == 0)).all() or box.east - box.west > 359
