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


def fixes(feed_id: int, moments: Moments, *, after: bool, reach_us: int) -> Floats:
    """The last fix at or before each moment, or the first one after it, no further away than `reach_us`.

    Moments in microseconds since 1970, shape (n,). Returns shape (n, 6): the columns of FIX, NaN where there is none.
    """
    return _next_to(Fix._meta.db_table, FIX, {"feed_id": feed_id}, moments, after, reach_us)


def samples(feed_id: int, quantity: int, moments: Moments, *, after: bool, reach_us: int) -> Floats:
    """As `fixes`, for samples of a quantity; shape (n, 2): the columns of SAMPLE."""
    key = {"feed_id": feed_id, "quantity": quantity}
    return _next_to(Sample._meta.db_table, SAMPLE, key, moments, after, reach_us)


def _next_to(
    table: str, columns: Sequence[str], key: dict[str, int], moments: Moments, after: bool, reach_us: int
) -> Floats:
    found = np.full((len(moments), len(columns)), np.nan)
    if not len(moments):
        return found
    where = " AND ".join(f"{name} = {int(value)}" for name, value in key.items())
    near, far = (">", "<=") if after else ("<=", ">=")
    reach = int(reach_us) if after else -int(reach_us)
    order = "" if after else " DESC"
    names = ", ".join(f"f.{name}" for name in columns)
    # The names and whole numbers in these texts are ours.
    if connection.vendor == "postgresql":
        query = (
            f"SELECT m.i - 1, {names} FROM unnest(%s::bigint[]) WITH ORDINALITY m(at, i) CROSS JOIN LATERAL ("  # noqa: S608
            f"SELECT * FROM {table} WHERE {where} AND at_us {near} m.at AND at_us {far} m.at + {reach} "
            f"ORDER BY at_us{order} LIMIT 1) f"
        )
        given: list[int] | str = moments.tolist()
    else:
        query = (
            f"SELECT m.key, {names} FROM json_each(%s) m CROSS JOIN {table} f ON {where} AND f.at_us = ("  # noqa: S608
            f"SELECT at_us FROM {table} WHERE {where} AND at_us {near} m.value AND at_us {far} m.value + {reach} "
            f"ORDER BY at_us{order} LIMIT 1)"
        )
        given = json.dumps(moments.tolist())
    with connection.cursor() as cursor:
        cursor.execute(query, [given])
        rows = cursor.fetchall()
    if rows:
        table_of = np.array(rows, dtype=float)
        found[table_of[:, 0].astype(int)] = table_of[:, 1:]
    return found
