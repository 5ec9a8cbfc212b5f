"""Which file belongs to which data set: rules are applied to all files of a distribution, and written in bulk."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import connection

from inventory import scan
from inventory.models import Dataset, Distribution
from inventory.rules import Matcher, Peek
from portal.work import Progress

READ = 10_000
WRITE = 200_000
Goal = tuple[int | None, int | None, bool]
"""Keys of rule and data set, and whether the rule keeps the file out."""


def peeker(root: str, most: int | None = None) -> Peek:
    """Looks into files below `root` for signatures; after `most` looks it says None, as of a file that is not there."""
    left = [most]

    def peek(path: str, offset: int, length: int) -> bytes | None:
        if left[0] is not None:
            if left[0] <= 0:
                return None
            left[0] -= 1
        try:
            file = scan.open_inside(Path(root), path)
        except (OSError, ValueError):
            return None
        try:
            return os.pread(file, length, offset)
        except OSError:
            return None
        finally:
            os.close(file)

    return peek


def assign(
    distribution: Distribution, matcher: Matcher, dataset_of: Callable[[Any], Dataset], progress: Progress | None
) -> Counter[str]:
    """Gives every file of a distribution its rule and data set; counts those matched, excluded and unmatched.

    Called inside a transaction. Rows that stay as they are are not written.
    """
    peek = peeker(distribution.root)
    tally: Counter[str] = Counter(matched=0, excluded=0, unmatched=0)
    goals: dict[int, int] = {}  # key of the rule -> place in `aims`
    aims: list[Goal] = [(None, None, False)]
    files, places = array("q"), array("i")
    rows = distribution.files.order_by().values_list("pk", "path").iterator(chunk_size=READ)
    for number, (pk, path) in enumerate(rows, 1):
        rule = matcher.rule_for(path, peek)
        place = goals.get(rule.pk) if rule is not None else 0
        if place is None and rule is not None:
            place = goals[rule.pk] = len(aims)
            aims.append((rule.pk, None if rule.exclude else dataset_of(rule).pk, rule.exclude))
        files.append(pk)
        places.append(place or 0)
        if progress is not None and number % READ == 0:
            progress.beat()
    for place, count in Counter(places).items():
        tally["unmatched" if not place else "excluded" if aims[place][2] else "matched"] += count
    _write(files, places, aims, progress)
    return tally


def _write(files: array[int], places: array[int], aims: list[Goal], progress: Progress | None) -> None:
    """Writes the goals beside the files, a slice at a time, by way of a table of this session."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE aimed (file bigint, rule bigint, dataset bigint, excluded boolean)")
        try:
            for start in range(0, len(files), WRITE):
                end = min(start + WRITE, len(files))
                _fill(cursor, ((files[i], *aims[places[i]]) for i in range(start, end)))
                cursor.execute(_UPDATE)
                cursor.execute("DELETE FROM aimed" if connection.vendor == "sqlite" else "TRUNCATE aimed")
                if progress is not None:
                    progress.advance(end - start)
        finally:
            if not connection.needs_rollback:
                cursor.execute("DROP TABLE aimed")


def _fill(cursor: Any, rows: Iterator[tuple[int, int | None, int | None, bool]]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy("COPY aimed FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        cursor.executemany("INSERT INTO aimed VALUES (%s, %s, %s, %s)", rows)


_UPDATE = """
    UPDATE inventory_file SET rule_id = aimed.rule, dataset_id = aimed.dataset, excluded = aimed.excluded
    FROM aimed
    WHERE inventory_file.id = aimed.file AND (
        inventory_file.rule_id IS DISTINCT FROM aimed.rule
        OR inventory_file.dataset_id IS DISTINCT FROM aimed.dataset
        OR inventory_file.excluded IS DISTINCT FROM aimed.excluded)
"""
