"""Which file belongs to which data set: rules are applied to all files of a distribution, and written in bulk."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection

from inventory import scan
from inventory.models import Dataset, Distribution
from inventory.rules import Matcher, Peek
from portal.work import Progress

READ = 10_000
WRITE = 100_000
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
    counted: Counter[int] = Counter()
    goals: dict[int, int] = {}  # key of the rule -> place in `aims`
    aims: list[Goal] = [(None, None, False)]
    with _writer(distribution, aims) as writer:
        rows = iter(distribution.files.order_by("pk").values_list("pk", "path").iterator(chunk_size=READ))
        while part := list(islice(rows, WRITE)):
            writer.begin()
            files, places = array("q"), array("i")
            for pk, path in part:
                rule = matcher.rule_for(path, peek)
                place = goals.get(rule.pk) if rule is not None else 0
                if place is None and rule is not None:
                    writer.settle()  # a new data set is asked for of the same database
                    place = goals[rule.pk] = len(aims)
                    aims.append((rule.pk, None if rule.exclude else dataset_of(rule).pk, rule.exclude))
                files.append(pk)
                places.append(place or 0)
            writer.settle()
            counted.update(places)
            writer.next = files, places
            if progress is not None:
                progress.advance(len(part))
        writer.begin()
        writer.settle()
    tally: Counter[str] = Counter(matched=0, excluded=0, unmatched=0)
    for place, count in counted.items():
        tally["unmatched" if not place else "excluded" if aims[place][2] else "matched"] += count
    return tally


class _Writer:
    """Writes the goals beside the files, a slice at a time. `begin` takes what stands in `next`."""

    def __init__(self, distribution: Distribution, aims: list[Goal]) -> None:
        self.distribution, self.aims = distribution, aims
        self.next: tuple[array[int], array[int]] | None = None

    def begin(self) -> None:
        """Begins to write the slice at hand. The connection is the writer's until `settle`."""
        if self.next is not None:
            (files, places), self.next = self.next, None
            self.write(files, places)

    def settle(self) -> None:
        """Waits until it is written. Raises what the database raised."""

    def write(self, files: array[int], places: array[int]) -> None:
        """By way of a table of this session."""
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS aimed"
                " (file bigint, rule bigint, dataset bigint, excluded boolean)"
            )
            rows = [(pk, *self.aims[place]) for pk, place in zip(files, places, strict=True)]
            cursor.executemany("INSERT INTO aimed VALUES (%s, %s, %s, %s)", rows)
            cursor.execute(_UPDATE.format(source="aimed", within=""))
            cursor.execute("DELETE FROM aimed")

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS aimed")


class _PostgresWriter(_Writer):
    """Lets the server write one slice while the next is matched, in a thread that has the connection meanwhile."""

    def __init__(self, distribution: Distribution, aims: list[Goal]) -> None:
        super().__init__(distribution, aims)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="assignment")
        self._pending: Future[None] | None = None

    def write(self, files: array[int], places: array[int]) -> None:
        rules, datasets, excluded = (list(column) for column in zip(*self.aims, strict=True))
        source = (
            "(SELECT f.file, a.rule, a.dataset, a.excluded FROM unnest("
            "string_to_array(%s, ',')::bigint[], string_to_array(%s, ',')::int[]) AS f(file, place) "
            "JOIN unnest(%s::int[], %s::bigint[], %s::bigint[], %s::boolean[]) AS a(place, rule, dataset, excluded) "
            "USING (place)) AS aimed"
        )
        statement = _UPDATE.format(
            source=source, within="inventory_file.distribution_id = %s AND inventory_file.id BETWEEN %s AND %s AND "
        )
        # As text: to write down an array of so many numbers takes longer, and the matching waits for it.
        listed = (",".join(map(str, column)) for column in (files, places))
        values = (*listed, list(range(len(rules))), rules, datasets, excluded)
        bounds = (self.distribution.pk, files[0], files[-1])
        session = connection.connection

        def execute() -> None:
            with session.cursor() as cursor:
                cursor.execute(statement, (*values, *bounds))

        self._pending = self._pool.submit(execute)

    def settle(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            with connection.wrap_database_errors:
                pending.result()

    def __exit__(self, kind: object, *_: object) -> None:
        # Also after a fault the connection is handed back only once it is quiet.
        self._pool.shutdown(wait=True)


def _writer(distribution: Distribution, aims: list[Goal]) -> _Writer:
    return (_PostgresWriter if connection.vendor == "postgresql" else _Writer)(distribution, aims)


_UPDATE = """
    UPDATE inventory_file SET rule_id = aimed.rule, dataset_id = aimed.dataset, excluded = aimed.excluded
    FROM {source}
    WHERE {within}inventory_file.id = aimed.file AND (
        inventory_file.rule_id IS DISTINCT FROM aimed.rule
        OR inventory_file.dataset_id IS DISTINCT FROM aimed.dataset
        OR inventory_file.excluded IS DISTINCT FROM aimed.excluded)
"""
