"""Where a ship was between two fixes, or after the last one, and how far wrong that may be. Pure; whole arrays.

The ship is a body whose velocity takes random small pushes (white-noise acceleration of spectral density q, m2/s3).
Given place and velocity at both ends of a gap T, the most likely path is the cubic Hermite curve, and at the part u
of the gap each component has the variance q/3 (T u (1-u))^3: the smoothing spline of Wahba (J. R. Stat. Soc. B 40,
1978) and the nearly-constant-velocity model of Bar-Shalom, Li and Kirubarajan (2001, section 6.2.2).

How much a ship manoeuvres is not known before, and the gap tells: under the model the change of velocity over it has
the variance q T, and the difference between the mean of the end velocities and the velocity made good q T / 12, for
each of two components. With a prior worth PRIOR_WEIGHT observations of PRIOR_Q this gives q and a Student
distribution with 6 degrees of freedom, whose radius of 95 % in the plane is sqrt(2 F(0.95; 2, 6)) = 3.21 standard
deviations. PRIOR_Q and CARRIED_Q were found by cutting gaps of 1 to 60 minutes into 52.7 hours of a ship on Lake
Superior with many stations (GLL every 10 s) so that 95 % of the errors lie inside at every length;
`tests/eventlog/test_navigation_real.py` repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from eventlog.navigation import geodesy
from eventlog.navigation.geodesy import Floats

PRIOR_Q: Final = 2e-3  # m2/s3
PRIOR_WEIGHT: Final = 2.0
RADIUS_BRIDGED: Final = 3.21  # standard deviations: sqrt(2 F(0.95; 2, 6)), F = 5.14
RADIUS: Final = 2.45  # standard deviations: sqrt(-2 ln 0.05), of a normal distribution in the plane
CARRIED_Q: Final = 4e-3  # m2/s3, so that RADIUS fits dead reckoning from 1 to 30 minutes
FASTEST: Final = 25 * 1852 / 3600  # m/s: faster than 25 knots is a leap and not a ship
UNKNOWN_SPREAD: Final = 2.5  # m/s, of a velocity that nothing tells: a ship on passage may have turned round

# Metres, 95 %, of a fix by the quality of GGA. 1: GPS standard positioning, 8 m averaged over the globe (GPS SPS
# Performance Standard, 5th ed. 2020, table 3.8-3) and the receiver; 2 and 9: corrected; 4 and 5: carrier phase.
FIX_M: Final = {1: 10.0, 2: 3.0, 3: 10.0, 4: 1.0, 5: 1.5, 9: 3.0}
UNTOLD_FIX_M: Final = 15.0


@dataclass(frozen=True, slots=True)
class Ends:
    """Fixes at one side of each of n moments; every array has the shape (n,).

    `seconds`: of the fix minus the moment; `latitude`, `longitude` in degrees; `east`, `north` in m/s with the
    standard deviation `spread` of each; `fix_m` metres, 95 %. NaN where there is no fix.
    """

    seconds: Floats
    latitude: Floats
    longitude: Floats
    east: Floats
    north: Floats
    spread: Floats
    fix_m: Floats


@dataclass(frozen=True, slots=True)
class Derived:
    """Degrees, m/s east and north, and metres, 95 %; arrays of the shape (n,)."""

    latitude: Floats
    longitude: Floats
    east: Floats
    north: Floats
    uncertainty: Floats


def bridge(before: Ends, after: Ends) -> Derived:
    """Positions between fixes. A velocity that is NaN is taken as that made good over the gap, and doubted."""
    gap = np.maximum(after.seconds - before.seconds, 1e-6)
    u = np.clip(-before.seconds / gap, 0.0, 1.0)
    start = geodesy.unit(before.latitude, before.longitude)
    end = geodesy.unit(after.latitude, after.longitude)
    good_start, good_end = geodesy.towards(start, end), -geodesy.towards(end, start)
    first, first_spread = _departure(before, good_start, gap)
    second, second_spread = _departure(after, good_end, gap)
    h0, h1 = u * (1 - u) ** 2, -(u**2) * (1 - u)
    chord = geodesy.great_circle(start, end, u)
    vector = chord + first * (gap * h0)[:, None] + second * (gap * h1)[:, None]
    latitude, longitude = geodesy.place(vector)
    made_good = np.where(
        (u < 0.5)[:, None],
        geodesy.towards(chord, end) / np.maximum(1 - u, 0.5)[:, None],
        -geodesy.towards(chord, start) / np.maximum(u, 0.5)[:, None],
    )
    velocity = made_good / gap[:, None] + first * ((1 - u) * (1 - 3 * u))[:, None] + second * (u * (3 * u - 2))[:, None]
    east, north = geodesy.local(latitude, longitude, velocity)

    a, b = _metres(before, first), _metres(after, second)
    change, wander = ((b - a) ** 2).sum(0), (((a + b) / 2) ** 2).sum(0)
    q = (PRIOR_WEIGHT * PRIOR_Q + change / gap + 12 * wander / gap) / (PRIOR_WEIGHT + 4)
    drift = RADIUS_BRIDGED**2 * q / 3 * (gap * u * (1 - u)) ** 3
    doubt = RADIUS**2 * ((gap * h0 * first_spread) ** 2 + (gap * h1 * second_spread) ** 2)
    speed = np.linalg.norm(good_start, axis=-1) * geodesy.EQUATOR / gap
    reach = (speed + FASTEST) * gap * np.minimum(u, 1 - u)
    fix = np.maximum(before.fix_m, after.fix_m)
    return Derived(latitude, longitude, east, north, np.hypot(np.minimum(np.sqrt(drift + doubt), reach), fix))


def carry(end: Ends) -> Derived:
    """Dead reckoning from one fix, forwards or back; a velocity that is NaN is taken as none, and doubted."""
    known = ~np.isnan(end.east)
    east, north = np.where(known, end.east, 0.0), np.where(known, end.north, 0.0)
    spread = np.where(known, end.spread, UNKNOWN_SPREAD)
    vector = geodesy.unit(end.latitude, end.longitude) + geodesy.tangent(
        end.latitude, end.longitude, -end.seconds * east, -end.seconds * north
    )
    latitude, longitude = geodesy.place(vector)
    away = np.abs(end.seconds)
    drift = RADIUS * np.sqrt(CARRIED_Q / 3 * away**3 + (away * spread) ** 2)
    reach = (np.hypot(east, north) + FASTEST) * away
    missing = np.where(known, 0.0, np.nan)
    return Derived(latitude, longitude, east + missing, north + missing, np.hypot(np.minimum(drift, reach), end.fix_m))


def fix_metres(quality: Floats) -> Floats:
    """Metres, 95 %, of fixes of these qualities."""
    found = np.full(np.shape(quality), UNTOLD_FIX_M)
    for code, metres in FIX_M.items():
        found[quality == code] = metres
    return found


def _departure(end: Ends, good: Floats, gap: Floats) -> tuple[Floats, Floats]:
    """By how much the velocity at an end departs from that made good, radians a second, and its spread in m/s."""
    known = ~np.isnan(end.east)
    own = geodesy.tangent(end.latitude, end.longitude, np.where(known, end.east, 0.0), np.where(known, end.north, 0.0))
    away = np.where(known[:, None], own - good / gap[:, None], 0.0)
    return away, np.where(known, end.spread, UNKNOWN_SPREAD)


def _metres(end: Ends, vector: Floats) -> Floats:
    return np.stack(geodesy.local(end.latitude, end.longitude, vector))
