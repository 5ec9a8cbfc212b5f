"""Each rule flags what it is for and nothing beside it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.navigation.clean import BAD, Flag, Thresholds, clean, describe, resolution_m
from inventory.navigation.fixes import Fixes, Floats
from inventory.navigation.geodesic import DEGREE
from inventory.navigation.read import read

START = np.datetime64("2014-08-01T00:00:00.000", "ms")
SECOND = np.timedelta64(1000, "ms")


def track(size: int = 100, speed: float = 5.0, step: float = 1.0, latitude: float = -22.0) -> Fixes:
    """A ship on a straight course to the north-east at a steady speed in m/s."""
    seconds = np.arange(size) * step
    north = latitude + seconds * speed * 0.6 / DEGREE
    east = -17.9 + seconds * speed * 0.8 / (DEGREE * np.cos(np.radians(latitude)))
    fixes = Fixes.of(START + (seconds * 1000).astype("timedelta64[ms]"), east, north)
    fixes.quality[:], fixes.nsv[:], fixes.hdop[:], fixes.altitude[:] = 1, 9, 0.9, 12.0
    return fixes


def flagged(fixes: Fixes, **how: object) -> dict[int, Flag]:
    result = clean(fixes, **how)
    assert (result.good == (result.flags & BAD == 0)).all()
    return {int(row): Flag(int(result.flags[row]) & BAD) for row in np.flatnonzero(result.flags & BAD)}


def test_a_good_track_has_no_flags() -> None:
    result = clean(track())
    assert not result.flags.any()
    assert result.counts["good"] == 100
    assert (result.longest_gap_s, result.counts["gap"]) == (1.0, 0)
    assert result.acceleration_limit == 1.0


@pytest.mark.parametrize(
    ("column", "value", "flag"),
    [
        ("quality", 0, Flag.QUALITY),
        ("quality", 6, Flag.QUALITY),
        ("quality", 5, None),
        ("quality", -1, None),
        ("nsv", 0, Flag.SATELLITES),
        ("nsv", 3, Flag.SATELLITES),
        ("nsv", 4, None),
        ("nsv", 50, None),
        ("nsv", 51, Flag.SATELLITES),
        ("nsv", -1, None),
        ("hdop", 0.0, Flag.HDOP),
        ("hdop", 50.0, None),
        ("hdop", 50.1, Flag.HDOP),
        ("hdop", np.nan, None),
        ("altitude", 500.0, Flag.ALTITUDE),
        ("altitude", -500.0, Flag.ALTITUDE),
        ("altitude", 499.9, None),
        ("altitude", np.nan, None),
        ("latitude", 90.5, Flag.POSITION),
        ("latitude", np.nan, Flag.POSITION),
        ("longitude", -180.5, Flag.POSITION),
        ("time", np.datetime64("NaT"), Flag.TIME),
    ],
)
def test_rules_for_one_fix(column: str, value: object, flag: Flag | None) -> None:
    fixes = track()
    getattr(fixes, column)[50] = value
    assert flagged(fixes) == ({50: flag} if flag else {})


def test_cruise_dates_bound_the_times() -> None:
    fixes = track(10)
    for begins, ends, bad in (
        (START + 31 * 86_400 * SECOND, None, True),
        (START + 30 * 86_400 * SECOND, None, False),
        (None, START - 31 * 86_400 * SECOND, True),
        (None, START - 29 * 86_400 * SECOND, False),
    ):
        expected = dict.fromkeys(range(10), Flag.TIME) if bad else {}
        assert flagged(fixes, begins=begins, ends=ends) == expected


def test_junk_is_midnight_at_zero_zero_only() -> None:
    fixes = track(10)
    fixes.longitude[0] = fixes.latitude[0] = 0
    assert flagged(fixes)[0] == Flag.JUNK
    fixes.time[:] += SECOND
    assert Flag.JUNK not in flagged(fixes).get(0, Flag(0))


def test_sequence() -> None:
    fixes = track(60)
    fixes.time[20] = fixes.time[10]  # back
    fixes.time[30] = fixes.time[29]  # stands still
    fixes.time[40] += 40 * 86_400 * SECOND  # leaps more than 30 days ahead
    assert flagged(fixes) == dict.fromkeys((20, 30, 40), Flag.SEQUENCE)


def test_a_leap_that_lasts_flags_all_of_it() -> None:
    fixes = track(300)
    fixes.time[100:150] += 400 * 86_400 * SECOND
    fixes.time[200:] += 31 * 86_400 * SECOND
    assert set(flagged(fixes)) == {*range(100, 150), *range(200, 300)}


def test_a_step_ahead_within_30_days_makes_what_follows_late() -> None:
    fixes = track(100)
    fixes.time[50] += 10 * SECOND
    assert flagged(fixes) == {50: Flag.ACCELERATION, **dict.fromkeys(range(51, 61), Flag.SEQUENCE)}


@pytest.mark.parametrize("row", [0, 1, 2, 50, 97, 98, 99])
@pytest.mark.parametrize(
    ("metres", "direction"),
    [
        (3.0, (1.0, 0.0)),
        (3.0, (-0.8, -0.6)),
        (40.0, (1.0, 0.0)),
        (40.0, (0.6, -0.8)),
        (40.0, (-0.8, -0.6)),
        (5000.0, (-0.6, 0.8)),
        (5000.0, (0.0, -1.0)),
    ],
)
def test_a_single_leap_is_flagged_and_its_neighbours_are_not(
    row: int, metres: float, direction: tuple[float, float]
) -> None:
    fixes = track()
    fixes.longitude[row] += direction[0] * metres / (DEGREE * np.cos(np.radians(22)))
    fixes.latitude[row] += direction[1] * metres / DEGREE
    assert flagged(fixes) == {row: Flag.ACCELERATION}


@pytest.mark.parametrize("at", [3595, 3596, 3597, 3598, 3599, 3600, 3601, 3602, 7199, 7200])
def test_the_seams_between_buffers_hide_nothing(at: int) -> None:
    fixes = track(7300, speed=2.0)
    fixes.latitude[at] += 50 / DEGREE
    assert flagged(fixes) == {at: Flag.ACCELERATION}


def test_a_step_between_two_buffers_is_seen_like_any_other() -> None:
    def flags(at: int) -> list[int]:
        fixes = track(7300, speed=2.0)
        fixes.latitude[at:] += 50 / DEGREE
        return [row - at for row in flagged(fixes)]

    inside = flags(1800)
    assert len(inside) > 3
    for seam in (3600, 7200):  # which of two equal suspects goes first may differ
        assert abs(len(flags(seam)) - len(inside)) <= 2
        assert max(map(abs, flags(seam))) <= max(map(abs, inside)) + 2


def test_a_bad_stretch_does_not_eat_the_rest() -> None:
    fixes = track(2000)
    fixes.latitude[500:520] += 1000 / DEGREE
    bad = set(flagged(fixes))
    assert len(set(range(500, 520)) & bad) >= 18
    assert len(bad) < 100
    noise = np.random.default_rng(1).normal(0, 30 / DEGREE, 2000)
    fixes = track(2000)
    fixes.latitude[:] += noise
    assert clean(fixes).counts["good"] > 50


def test_a_real_turn_and_a_real_stop_are_no_leaps() -> None:
    seconds = np.arange(600.0)
    heading = np.radians(np.clip((seconds - 200) * 1.5, 0, 270))  # 1.5 degrees a second
    speed = np.clip((500 - seconds) * 0.3, 0, 6)  # 0.3 m/s² to a stop
    north = -22 + np.cumsum(speed * np.cos(heading)) / DEGREE
    east = 179.999 + np.cumsum(speed * np.sin(heading)) / (DEGREE * np.cos(np.radians(22)))
    east = (east + 180) % 360 - 180
    assert east.min() < -179
    assert east.max() > 179
    assert flagged(Fixes.of(START + (seconds * 1000).astype("timedelta64[ms]"), east, north)) == {}


def test_speed_is_counted_and_leaves_the_fix_good() -> None:
    result = clean(track(speed=9.0))
    assert result.counts["speed"] == 99
    assert result.flags.tolist() == [0] + [Flag.SPEED.value] * 99
    assert result.good.all()
    assert clean(track(speed=8.6)).counts["speed"] == 0


def test_gaps_are_between_good_fixes() -> None:
    fixes = track(1000)
    fixes.nsv[100:401] = 0
    result = clean(fixes)
    assert (result.counts["gap"], result.longest_gap_s) == (1, 302.0)
    fixes.nsv[399:401] = 9
    assert clean(fixes).counts["gap"] == 0


def rounded(values: Floats, step: float) -> Floats:
    return np.rint(values / step) * step


@pytest.mark.parametrize(
    ("step", "limit"),
    [
        (1e-3 / 60, 3 * 1e-3 / 60 * DEGREE),
        (1e-5, 3 * 1e-5 * DEGREE),
        (1e-4 / 60, 1.0),
        (1e-6, 1.0),
        (1e-12, 1.0),
    ],
)
def test_coarse_positions_raise_the_limit(step: float, limit: float) -> None:
    fixes = track(400, speed=4.3)
    fixes.latitude[:], fixes.longitude[:] = rounded(fixes.latitude, step), rounded(fixes.longitude, step)
    result = clean(fixes)
    assert result.resolution_m == pytest.approx(step * DEGREE if step > 1e-9 else 0.0)
    assert result.acceleration_limit == pytest.approx(limit)
    assert result.good.all()


def test_too_few_positions_say_nothing_of_their_precision() -> None:
    assert resolution_m(np.zeros(9), np.zeros(9)) == 0.0


def test_thresholds_can_be_changed_and_told() -> None:
    fixes = track()
    fixes.nsv[50] = 3
    assert flagged(fixes, thresholds=Thresholds(satellites_least=3)) == {}
    assert clean(fixes, Thresholds(gap_s=0.5)).counts["gap"] == 98
    told = describe(Thresholds())
    assert (told["speed_ms"], told["acceleration_ms2"], told["gap_s"], told["buffer"]) == (
        8.7,
        1.0,
        300.0,
        3600,
    )
    assert (told["hdop_most"], told["altitude_m"], told["satellites_least"]) == (50.0, 500.0, 4)


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_short_tracks(size: int) -> None:
    result = clean(track(size))
    assert result.counts["good"] == size
    assert result.longest_gap_s == float(size > 1)


@settings(max_examples=50)
@given(st.integers(3, 200), st.integers(0, 2**32 - 1), st.sampled_from([3600, 8, 16]))
def test_whatever_comes_what_is_left_is_in_order_and_possible(size: int, seed: int, buffer: int) -> None:
    chance = np.random.default_rng(seed)
    fixes = track(size)
    wild = chance.random(size) < 0.1
    fixes.time[wild] += chance.integers(-(10**10), 10**10, wild.sum()).astype("timedelta64[ms]")
    fixes.latitude[:] += chance.normal(0, chance.choice([0, 1e-6, 1e-3]), size)
    fixes.nsv[:] = chance.integers(-1, 60, size)
    result = clean(fixes, Thresholds(buffer=buffer))
    good = fixes.take(result.good)
    assert (np.diff(good.time) > np.timedelta64(0)).all()
    assert ((good.nsv == -1) | ((good.nsv >= 4) & (good.nsv <= 50))).all()
    assert result.counts["good"] + result.counts["flagged"] == size


def test_real_feeds(real_data: Path) -> None:
    def judged(path: str) -> tuple[int, dict[str, int], float]:
        fixes, _ = read([real_data / path])
        result = clean(fixes)
        return len(fixes), result.counts, result.acceleration_limit

    for name in ("s330", "seap"):
        size, counts, limit = judged(f"nbp1406/data/{name}/raw/NBP1406_{name}-2014-08-01")
        assert (counts["good"], counts["speed"], limit) == (size, 0, 1.0)
    size, counts, limit = judged("nbp1406/data/gp02/raw/NBP1406_gp02-2014-08-01")
    assert limit == pytest.approx(3 * 1e-3 / 60 * DEGREE)  # three decimals of a minute
    assert 0 < counts["acceleration"] == counts["flagged"] < size * 0.2  # the old receiver repeats positions
    size, counts, limit = judged("nbp1406/data/PCOD/raw/NBP1406_PCOD-2014-08-01")
    assert limit == 1.0
    assert 0 < counts["flagged"] < size * 0.15
    size, counts, _ = judged("nav/nav03_NEMA-Serial_20101005-122347.Raw")
    assert counts["good"] == size == 10_903
    assert counts["gap"] == 43
