"""Distance, speed and course between fixes on the WGS 84 ellipsoid, for whole tracks at once.
The exact form (Vincenty) is for what is published, the local one for finding leaps between neighbours."""

from typing import Final

import numpy as np

from inventory.navigation.fixes import Floats, Times

EQUATOR: Final = 6_378_137.0  # m, semi-major axis of WGS 84
FLATTENING: Final = 1 / 298.257223563
POLE: Final = EQUATOR * (1 - FLATTENING)  # m
DEGREE: Final = 111_320.0  # m in a degree at the equator; within 0.6 % everywhere along a meridian


def inverse(longitude: Floats, latitude: Floats, to_longitude: Floats, to_latitude: Floats) -> tuple[Floats, Floats]:
    """Distance in metres and first course in degrees clockwise from north, shape (n,), of n pairs of places.

    Coordinates in degrees, any turn of longitude. The course is NaN where the places coincide. Nearly
    antipodal places, where the iteration does not settle, give NaN for both.
    Source: T. Vincenty, Survey Review 23 (176), 1975, inverse formula; better than 1 mm.
    """
    reduced = np.arctan((1 - FLATTENING) * np.tan(np.radians(latitude)))
    to_reduced = np.arctan((1 - FLATTENING) * np.tan(np.radians(to_latitude)))
    sin_u, cos_u, sin_v, cos_v = np.sin(reduced), np.cos(reduced), np.sin(to_reduced), np.cos(to_reduced)
    turn = np.radians((np.asarray(to_longitude) - longitude + 180) % 360 - 180)
    lam = turn
    settled = np.zeros(np.shape(turn), bool)
    for _ in range(60):
        sin_lam, cos_lam = np.sin(lam), np.cos(lam)
        east, north = cos_v * sin_lam, cos_u * sin_v - sin_u * cos_v * cos_lam
        sin_sigma = np.hypot(east, north)
        cos_sigma = sin_u * sin_v + cos_u * cos_v * cos_lam
        sigma = np.arctan2(sin_sigma, cos_sigma)
        apart = sin_sigma > 0
        sin_alpha = np.divide(cos_u * cos_v * sin_lam, sin_sigma, out=np.zeros_like(sigma), where=apart)
        cos2_alpha = 1 - sin_alpha**2
        off_equator = cos2_alpha > 1e-15
        middle = np.divide(2 * sin_u * sin_v, cos2_alpha, out=np.zeros_like(sigma), where=off_equator)
        cos_2m = np.where(off_equator, cos_sigma - middle, 0.0)
        c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
        stretch = cos_2m + c * cos_sigma * (2 * cos_2m**2 - 1)
        following = turn + (1 - c) * FLATTENING * sin_alpha * (sigma + c * sin_sigma * stretch)
        settled = np.abs(following - lam) < 1e-12
        lam = following
        if settled.all():
            break
    u2 = cos2_alpha * (EQUATOR**2 - POLE**2) / POLE**2
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    inner = cos_sigma * (2 * cos_2m**2 - 1)
    outer = b / 6 * cos_2m * (4 * sin_sigma**2 - 3) * (4 * cos_2m**2 - 3)
    distance = POLE * a * (sigma - b * sin_sigma * (cos_2m + b / 4 * (inner - outer)))
    course = np.degrees(np.arctan2(cos_v * np.sin(lam), cos_u * sin_v - sin_u * cos_v * np.cos(lam))) % 360
    course = np.where(course >= 360, 0.0, course)  # a tiny negative angle rounds up to a full turn
    return np.where(settled, distance, np.nan), np.where(settled & apart, course, np.nan)


def motion(time: Times, longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Speed (m/s) and course (degrees) made good from each fix to the next; shape (n,), NaN at the last.

    Forward difference, as the products of R2R have it. Works in pieces, so memory does not grow with n.
    The speed is NaN between fixes of the same time.
    """
    size = len(time)
    speed, course = np.full(size, np.nan), np.full(size, np.nan)
    for begin in range(0, size - 1, 65_536):
        end = min(begin + 65_536, size - 1)
        here, there = slice(begin, end), slice(begin + 1, end + 1)
        distance, course[here] = inverse(longitude[here], latitude[here], longitude[there], latitude[there])
        elapsed = seconds(time[begin : end + 1])
        np.divide(distance, elapsed, out=speed[here], where=elapsed != 0)
    return speed, course


def seconds(time: Times) -> Floats:
    """Seconds from each time to the next, shape (n - 1,)."""
    return np.diff(time.astype("datetime64[ms]").astype(np.int64).astype(np.float64)) / 1000


def steps(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Metres east and north from each fix to the next, shape (n - 1,), on a plane touching there.

    Good to 1 % for neighbours within some kilometres, also across 180 degrees; at the pole itself east is 0.
    """
    turn = (np.diff(longitude) + 180) % 360 - 180
    middle = np.radians((latitude[1:] + latitude[:-1]) / 2)
    return turn * np.cos(middle) * DEGREE, np.diff(latitude) * DEGREE
