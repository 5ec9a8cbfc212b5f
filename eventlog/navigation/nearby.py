"""The stored rows of a feed that lie next to many moments at once: one index look-up for each, on both databases."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from eventlog.models import Fix, Sample
from eventlog.navigation.geodesy import Floats

FIX = ("at_us", "latitude_e7", "longitude_e7", "quality", "speed_cmps", "course_cdeg")
SAMPLE = ("at_us", "value")
Moments = NDArray[np.int64]


def fixes(feeds: Moments, moments: Moments, *, reach_us: int) -> tuple[Floats, Floats]:
    """For pairs of a feed's key and a moment, shape (n,): the last fix at or before it, and the first one after it.

    Moments in microseconds since 1970; no further away than `reach_us`. Each of the two has the shape (n, 6): the
    columns of FIX, NaN where there is none.
    """
    return _around(Fix._meta.db_table, FIX, "", feeds, moments, reach_us)


def samples(feeds: Moments, quantity: int, moments: Moments, *, reach_us: int) -> tuple[Floats, Floats]:
    """As `fixes`, for samples of a quantity; shapes (n, 2): the columns of SAMPLE."""
    return _around(Sample._meta.db_table, SAMPLE, f"quantity = {int(quantity)} AND ", feeds, moments, reach_us)


def _around(
    table: str, columns: Sequence[str], extra: str, feeds: Moments, moments: Moments, reach_us: int
) -> tuple[Floats, Floats]:
    found = np.full((2, len(moments), len(columns)), np.nan)
    if not len(moments):
        return found[0], found[1]
    # The names and whole numbers in these texts are ours.
    if connection.vendor == "postgresql":
        names = ", ".join(columns)
        halves = [
            f"(SELECT {side} AS side, {names} FROM {table} WHERE feed_id = m.feed AND {extra}"  # noqa: S608
            f"{_span('m.at', side, reach_us)} ORDER BY at_us{order} LIMIT 1)"
            for side, order in ((0, " DESC"), (1, ""))
        ]
        query = (
            "SELECT m.i - 1, f.* FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY m(feed, at, i) "  # noqa: S608
            f"CROSS JOIN LATERAL ({' UNION ALL '.join(halves)}) f"
        )
        given: list[list[int]] | list[str] = [feeds.tolist(), moments.tolist()]
    else:
        names = ", ".join(f"f.{name}" for name in columns)
        feed, at = "json_extract(m.value, '$[0]')", "json_extract(m.value, '$[1]')"
        query = " UNION ALL ".join(
            f"SELECT m.key, {side}, {names} FROM json_each(%s) m CROSS JOIN {table} f ON f.feed_id = {feed} "  # noqa: S608
            f"AND {'f.' + extra if extra else ''}f.at_us = (SELECT at_us FROM {table} WHERE feed_id = {feed} "
            f"AND {extra}{_span(at, side, reach_us)} ORDER BY at_us{order} LIMIT 1)"
            for side, order in ((0, " DESC"), (1, ""))
        )
        given = [json.dumps(np.stack([feeds, moments], axis=1).tolist())] * 2
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        rows = cursor.fetchall()
    if rows:
        values = np.array(rows, dtype=float)
        found[values[:, 1].astype(int), values[:, 0].astype(int)] = values[:, 2:]
    return found[0], found[1]


def _span(at: str, side: int, reach_us: int) -> str:
    reach = int(reach_us)
    return f"at_us > {at} AND at_us <= {at} + {reach}" if side else f"at_us <= {at} AND at_us >= {at} - {reach}"
