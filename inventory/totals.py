"""Totals of a distribution: by state, by data set and by directory, counted from its files and never incremented.

A verb that changes files counts them anew before its transaction ends, so the totals cannot be wrong after a crash. The
door counts what was never counted, as after an upgrade, and what is being read. One statement groups the files by
directory, state and data set; all else is made of its groups, a few thousand at a time.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from inventory.models import Directory, Distribution, Part, Stretch, Total
from inventory.staging import path_key
from portal.models import Work
from portal.work import Progress

DOOR: Final = "inventory.count"
READING: Final = "inventory.verify"  # the door behind which files are read
SOONEST: Final = dt.timedelta(seconds=60)  # from one count to the next while files are being read
SHARE: Final = 20  # of the time, one part at most is spent on counting
STRETCH: Final = 1000  # files in a stretch
BATCH: Final = 5000
_GROUPS, _DIRECTORIES = "leadline_groups", "leadline_directories"
# In this order whatever lies below a directory follows it at once: the slash is the lowest of all signs.
_ORDER = "replace(replace(replace(directory, {0}(2), {0}(2) || {0}(2)), {0}(1), {0}(2) || {0}(1)), '/', {0}(1))"
_GROUPED = """
    CREATE TEMPORARY TABLE leadline_groups AS
    SELECT row_number() OVER (ORDER BY {order} COLLATE {binary}) AS place, grouped.* FROM (
        SELECT directory, state, dataset_id, excluded, count(*) AS files,
               CAST(coalesce(sum(size), 0) AS bigint) AS bytes,
               min(id) AS first, max(id) AS last,
               min(changed_at) AS first_changed_at, max(changed_at) AS last_changed_at,
               count(CASE WHEN in_manifest THEN 1 END) AS listed,
               count(CASE WHEN in_manifest THEN delivered_size END) AS listed_size,
               count(CASE WHEN in_manifest AND delivered_md5 <> '' THEN 1 END) AS listed_md5,
               count(CASE WHEN in_manifest AND delivered_sha256 <> '' THEN 1 END) AS listed_sha256,
               count(CASE WHEN path LIKE %s THEN 1 END) AS of_two_lines
        FROM inventory_file WHERE distribution_id = %s GROUP BY directory, state, dataset_id, excluded
    ) AS grouped
"""
_PARTS = """
    INSERT INTO inventory_part (distribution_id, state, dataset_id, excluded, files, bytes, first, last,
                                first_changed_at, last_changed_at)
    SELECT %s, state, dataset_id, excluded, sum(files), sum(bytes), min(first), max(last),
           min(first_changed_at), max(last_changed_at)
    FROM leadline_groups GROUP BY state, dataset_id, excluded
"""
_FACTS = ("listed", "listed_size", "listed_md5", "listed_sha256", "of_two_lines")
_COLUMNS = (
    *("id", "distribution_id", "path", "key", "parent", "first", "last"),
    *("files", "bytes", "states", "own_files", "own_bytes", "own_states"),
)
_STRETCHES = """
    INSERT INTO inventory_stretch (distribution_id, first, last, files, text)
    SELECT %s, min(id), max(id), count(*), lower({names} || {chr}(10) || {directories})
    FROM (SELECT id, name, directory, (row_number() OVER (ORDER BY id) - 1) / {size} AS turn
          FROM inventory_file WHERE distribution_id = %s) AS files
    GROUP BY turn ORDER BY turn
"""
_JOINED = {
    "postgresql": ('string_agg(name COLLATE "C", chr(10))', 'string_agg(DISTINCT directory COLLATE "C", chr(10))'),
    "sqlite": ("group_concat(name, char(10))", "group_concat(DISTINCT directory)"),
}


@dataclass(slots=True)
class _Sum:
    """A directory while what lies below it is added up."""

    place: int
    path: str
    first: int = 0
    last: int = 0
    files: int = 0
    bytes: int = 0
    states: Counter[str] = field(default_factory=Counter)
    own_files: int = 0
    own_bytes: int = 0
    own_states: Counter[str] = field(default_factory=Counter)

    def take(self, state: str, files: int, size: int, first: int, last: int) -> None:
        """Adds files that lie directly in it."""
        self.first, self.last = min(self.first or first, first), max(self.last, last)
        self.own_files += files
        self.own_bytes += size
        self.own_states[state] += files
        self.files += files
        self.bytes += size
        self.states[state] += files

    def hold(self, other: _Sum) -> None:
        """Adds a directory that lies in it."""
        self.files += other.files
        self.bytes += other.bytes
        self.states.update(other.states)


@transaction.atomic
def recount(distribution: Distribution) -> Total:
    """Counts the files of a distribution and writes its totals. A million files take seconds; memory does not grow.

    Locks the distribution: two counts of it follow each other, and the later one sees what the earlier one saw.
    """
    began = time.perf_counter()
    Distribution.objects.select_for_update(of=("self",)).get(pk=distribution.pk)
    now = timezone.now()
    before = Total.objects.filter(distribution=distribution).first()
    with connection.cursor() as cursor:
        _drop(cursor)
        facts = _group(cursor, distribution.pk)
        Part.objects.filter(distribution=distribution).delete()
        cursor.execute(_PARTS, [distribution.pk])
        _write_directories(cursor, distribution.pk)
        _drop(cursor)
        if before is None or any(facts[name] != getattr(before, name) for name in ("files", "first", "last")):
            _write_stretches(cursor, distribution.pk)
    facts |= {"counted_at": now, "seconds": round(time.perf_counter() - began, 3)}
    total, _ = Total.objects.update_or_create(distribution=distribution, defaults=facts)
    return total


def _drop(cursor: Any) -> None:
    for table in (_GROUPS, _DIRECTORIES):
        cursor.execute(f"DROP TABLE IF EXISTS {'pg_temp' if connection.vendor == 'postgresql' else 'temp'}.{table}")


def _group(cursor: Any, distribution_id: int) -> dict[str, Any]:
    """Groups the files by directory, state and data set, in the order of the tree; what is true of all of them."""
    postgres = connection.vendor == "postgresql"
    order, binary = _ORDER.format("chr" if postgres else "char"), '"C"' if postgres else "BINARY"
    cursor.execute(_GROUPED.format(order=order, binary=binary), ["%\n%", distribution_id])
    cursor.execute(f"CREATE INDEX {_GROUPS}_place ON {_GROUPS} (place)")
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in ("files", "bytes", *_FACTS))
    cursor.execute(f"SELECT coalesce(min(first), 0), coalesce(max(last), 0), {sums} FROM {_GROUPS}")  # noqa: S608
    values = map(int, cursor.fetchone())
    return dict(zip(("first", "last", "files", "bytes", *_FACTS), values, strict=True))


def _groups(cursor: Any) -> Iterator[tuple[str, str, int, int, int, int]]:
    place = 0
    while True:
        cursor.execute(
            f"SELECT directory, state, files, bytes, first, last FROM {_GROUPS} "  # noqa: S608 - our own names
            "WHERE place > %s AND place <= %s ORDER BY place",
            [place, place + BATCH],
        )
        rows = cursor.fetchall()
        yield from rows
        if len(rows) < BATCH:
            return
        place += BATCH


def _rolled_up(groups: Iterable[tuple[str, str, int, int, int, int]]) -> Iterator[_Sum]:
    """Every directory with what lies below it; those above it are told after it. `place` numbers them from above."""
    above = [_Sum(1, "")]
    place = 1
    for directory, state, files, size, first, last in groups:
        while above[-1].path and directory != above[-1].path and not directory.startswith(f"{above[-1].path}/"):
            done = above.pop()
            above[-1].hold(done)
            yield done
        start = above[-1].path
        for part in directory[len(start) :].strip("/").split("/") if directory != start else ():
            place += 1
            above.append(_Sum(place, f"{above[-1].path}/{part}" if above[-1].path else part))
        above[-1].take(state, files, size, first, last)
    while above:
        done = above.pop()
        if above:
            above[-1].hold(done)
        yield done


def _write_directories(cursor: Any, distribution_id: int) -> None:
    """Brings the rows of the directories into line: those that differ are written, the others are left alone."""
    postgres = connection.vendor == "postgresql"
    uuid, data = ("uuid", "jsonb") if postgres else ("char(32)", "text")
    types = ("bigint", "bigint", "text", uuid, uuid, "bigint", "bigint", "bigint", "bigint", data, "bigint", "bigint")
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(_COLUMNS, (*types, data), strict=True))
    cursor.execute(f"CREATE TEMPORARY TABLE {_DIRECTORIES} ({columns})")
    with connection.cursor() as reading:
        rows = (_row(done, distribution_id) for done in _rolled_up(_groups(reading)))
        while batch := list(islice(rows, BATCH)):
            _fill(cursor, batch)
    table = Directory._meta.db_table
    cursor.execute(
        f"SELECT (SELECT count(*) FROM {_DIRECTORIES}), count(t.key), count(*) FROM {table} d "  # noqa: S608
        f"LEFT JOIN {_DIRECTORIES} t ON t.key = d.key WHERE d.distribution_id = %s",
        [distribution_id],
    )
    if len(set(cursor.fetchone())) == 1:  # the same directories as before
        names = [name for name in _COLUMNS if name not in ("id", "distribution_id", "path", "key", "parent")]
        values = ", ".join(f"{name} = t.{name}" for name in names)
        differs = " OR ".join(f"{table}.{name} IS DISTINCT FROM t.{name}" for name in names)
        cursor.execute(
            f"UPDATE {table} SET {values} FROM {_DIRECTORIES} t "  # noqa: S608
            f"WHERE {table}.distribution_id = %s AND {table}.key = t.key AND ({differs})",
            [distribution_id],
        )
        return
    Directory.objects.filter(distribution_id=distribution_id).delete()
    names = list(_COLUMNS[1:])
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(names)} FROM {_DIRECTORIES} ORDER BY id"  # noqa: S608
    )


def _row(done: _Sum, distribution_id: int) -> tuple[Any, ...]:
    plain = connection.vendor == "sqlite"
    key, parent = path_key(done.path), path_key(done.path.rpartition("/")[0]) if done.path else None
    return (
        done.place,
        distribution_id,
        done.path,
        key.hex if plain else key,
        (parent.hex if plain else parent) if parent else None,
        done.first,
        done.last,
        done.files,
        done.bytes,
        json.dumps(dict(sorted(done.states.items()))),
        done.own_files,
        done.own_bytes,
        json.dumps(dict(sorted(done.own_states.items()))),
    )


def _fill(cursor: Any, rows: list[tuple[Any, ...]]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {_DIRECTORIES} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join(["%s"] * len(_COLUMNS))
        cursor.executemany(f"INSERT INTO {_DIRECTORIES} VALUES ({marks})", rows)  # noqa: S608


def _write_stretches(cursor: Any, distribution_id: int) -> None:
    Stretch.objects.filter(distribution_id=distribution_id).delete()
    names, directories = _JOINED[connection.vendor]
    sign = "chr" if connection.vendor == "postgresql" else "char"
    statement = _STRETCHES.format(names=names, directories=directories, chr=sign, size=STRETCH)
    cursor.execute(statement, [distribution_id, distribution_id])


def by_dataset(distribution: Distribution) -> dict[int, tuple[int, int]]:
    """Files and bytes of each data set that a distribution has files of, by its key."""
    found: dict[int, tuple[int, int]] = {}
    for part in distribution.sums():
        if part.dataset_id is not None:
            files, size = found.get(part.dataset_id, (0, 0))
            found[part.dataset_id] = files + part.files, size + part.bytes
    return found


def waiting() -> list[str]:
    """Distributions that were never counted, and those that were read since they were counted a while ago."""
    never = Distribution.objects.filter(total__isnull=True).values_list("pk", flat=True)
    reading = Total.objects.filter(distribution__state="received").select_related("distribution")
    return [str(pk) for pk in never] + [str(total.distribution_id) for total in reading if _behind(total)]


def _behind(total: Total) -> bool:
    rest = max(SOONEST, dt.timedelta(seconds=total.seconds * SHARE))
    if timezone.now() - total.counted_at < rest:
        return False
    key = str(total.distribution_id)
    works = Work.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:"), door=READING)
    return works.filter(beat_at__gt=total.counted_at).exists()


def run(key: str, progress: Progress) -> None:
    """Job: counts one distribution."""
    distribution = Distribution.objects.select_related("cruise").get(pk=key)
    progress.describe(f"Counting the files of {distribution}", distribution.cruise)
    recount(distribution)
