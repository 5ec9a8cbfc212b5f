"""A delivery beside its manifest, a million files of each, brought together in the database and not in memory.

Both lists are streamed into temporary tables of this connection, which nobody else sees and which hold up nobody; one
statement then makes the inventory of them. On PostgreSQL the lists go in by COPY.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Final

from django.db import connection, models

from inventory import hashes
from inventory.manifests import Entry
from inventory.models import Distribution, File
from inventory.scan import Found

BATCH: Final = 5000
_LISTED, _FOUND = "leadline_listed", "leadline_found"
_SET = frozenset(hashes.KEPT)
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_MASK = (1 << 252) - 1
_REPEATED = "SELECT path_key FROM leadline_listed GROUP BY path_key HAVING count(*) > 1 LIMIT 1"
_CONTRADICTIONS = """
    SELECT a.path, min(a.line), max(b.line) FROM leadline_listed a
    JOIN leadline_listed b ON b.path_key = a.path_key AND b.line > a.line AND b.said <> a.said
    GROUP BY a.path ORDER BY 3 LIMIT %s
"""
_AGAIN = """
    FROM leadline_listed WHERE EXISTS (
        SELECT 1 FROM leadline_listed a WHERE a.path_key = leadline_listed.path_key AND a.line < leadline_listed.line
    )
"""
# State -> the side that tells where a file is, where its rows come from, and whether the manifest has it.
_KINDS = {
    "listed": ("f", "leadline_found f JOIN leadline_listed l ON l.path_key = f.path_key", True),
    "found": (
        "f",
        "leadline_found f LEFT JOIN leadline_listed l ON l.path_key = f.path_key WHERE l.path_key IS NULL",
        False,
    ),
    "missing": (
        "l",
        "leadline_listed l LEFT JOIN leadline_found f ON f.path_key = l.path_key WHERE f.path_key IS NULL",
        True,
    ),
}
_PROMISED = "SELECT count(*) FROM inventory_file f WHERE f.distribution_id = %s AND f.in_manifest"
_COMMON = """
    SELECT count(*) FROM leadline_listed l JOIN inventory_file f ON f.path_key = l.path_key
    WHERE f.distribution_id = %s AND f.in_manifest
"""
_OTHERWISE = """
    AND (l.md5 <> '' AND f.delivered_md5 <> '' AND l.md5 <> f.delivered_md5
         OR l.sha256 <> '' AND f.delivered_sha256 <> '' AND l.sha256 <> f.delivered_sha256
         OR l.md5 = '' AND l.sha256 = '' AND l.hashes <> f.delivered_hashes)
"""
COPY_SECONDS: Final = 2.0  # the longest that one COPY keeps the connection to itself
Told = Callable[[str, int], None]  # hears what was done, and how many more of it
Repeated = tuple[str, int, int]  # path, line of the first, line of another that says something else


class Staging:
    """Two lists of files on their way into the inventory, as a context manager; afterwards they are gone.

    `fingerprint` says what both hold, in whatever order it came: path, size and delivered hashes of every file.
    """

    def __init__(self, told: Told = lambda what, more: None) -> None:
        self._sum = self.listed = self.found = 0
        self._told = told

    def __enter__(self) -> Staging:
        self.restart()
        return self

    def restart(self) -> None:
        """Empties both lists."""
        self._sum = self.listed = self.found = 0
        postgres = connection.vendor == "postgresql"
        key, big, moment = ("uuid", "bigint", "timestamptz") if postgres else ("char(32)", "integer", "datetime")
        common = f"path text not null, path_key {key} not null, directory text not null, name text not null, size {big}"
        with connection.cursor() as cursor:
            self._drop(cursor)
            listed = f"{common}, md5 text, sha256 text, hashes text, line {big}, said {big}"
            cursor.execute(f"CREATE TEMPORARY TABLE {_LISTED} ({listed})")
            cursor.execute(f"CREATE TEMPORARY TABLE {_FOUND} ({common}, changed_at {moment})")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if connection.needs_rollback:  # the transaction around us failed; its end takes the tables with it
            return
        with connection.cursor() as cursor:
            self._drop(cursor)

    def _drop(self, cursor: Any) -> None:
        for table in (_LISTED, _FOUND):
            cursor.execute(f"DROP TABLE IF EXISTS {'pg_temp' if connection.vendor == 'postgresql' else 'temp'}.{table}")

    def take_listed(self, entries: Iterable[Entry]) -> None:
        """Takes in what the manifest says. Entries may repeat themselves; see `repeated`."""
        self.listed += self._write(_LISTED, 10, (self._entry(entry) for entry in entries), "lines of manifest")

    def take_found(self, files: Iterable[Found]) -> None:
        """Takes in what was found on the disk; each path once."""
        self.found += self._write(_FOUND, 6, (self._file(file) for file in files), "files")

    @property
    def fingerprint(self) -> str:
        """64 characters; the same for the same delivery, on whatever disk it lies.

        The sum modulo 2^252 of BLAKE2b over each row, so that nothing has to be sorted. Repetitions count once.
        """
        return f"+{self._sum & _MASK:063x}"

    def _entry(self, entry: Entry) -> tuple[Any, ...]:
        md5, sha256 = (entry.hashes.get(name, "") for name in hashes.KEPT)
        others = None if entry.hashes.keys() <= _SET else hashes.pack(entry.hashes)
        row = _listed(entry.path, md5, sha256, others)
        self._sum += row
        # 63 bits; other hashes than the two count too.
        said = row if others is None else _digest(repr(sorted(entry.hashes.items())))
        said >>= 193
        return *_place(entry.path), entry.size, md5, sha256, others, entry.line, said

    def _file(self, file: Found) -> tuple[Any, ...]:
        self._sum += _present(file.path, file.size)
        return *_place(file.path), file.size, connection.ops.adapt_datetimefield_value(file.changed_at)

    def _write(self, table: str, columns: int, rows: Iterator[tuple[Any, ...]], what: str) -> int:
        written = 0
        if connection.vendor == "postgresql":
            while more := self._copy(table, rows):
                written += more
                self._told(what, more)
            return written
        marks = ", ".join(["%s"] * columns)
        with connection.cursor() as cursor:
            while batch := list(islice(rows, BATCH)):
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)  # noqa: S608 - our own names
                written += len(batch)
                self._told(what, len(batch))
        return written

    def _copy(self, table: str, rows: Iterator[tuple[Any, ...]]) -> int:
        """One COPY, which ends after COPY_SECONDS: while it lasts the connection can say nothing else."""
        written, until = 0, time.monotonic() + COPY_SECONDS
        with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {table} FROM STDIN") as copy:
            while time.monotonic() < until and (batch := list(islice(rows, BATCH))):
                copy.write("".join(map(_line, batch)))
                written += len(batch)
        return written

    def repeated(self, most: int) -> list[Repeated]:
        """Paths that the manifest lists again with other hashes; what says the same again is taken out.

        Called once, after all was listed and before `write`.
        """
        with connection.cursor() as cursor:
            for table in (_LISTED, _FOUND):  # PostgreSQL joins by hashing, SQLite by an index
                postgres = connection.vendor == "postgresql"
                cursor.execute(f"ANALYZE {table}" if postgres else f"CREATE INDEX {table}_key ON {table} (path_key)")
            cursor.execute(_REPEATED)
            if cursor.fetchone() is None:
                return []
            cursor.execute(_CONTRADICTIONS, [most])
            found = [(path, first, other) for path, first, other in cursor.fetchall()]
            if found:
                return found
            cursor.execute("SELECT path, md5, sha256, hashes " + _AGAIN)
            self._sum -= sum(_listed(*row) for row in cursor.fetchall())
            cursor.execute("DELETE " + _AGAIN)
            self.listed -= cursor.rowcount
        return []

    def differs(self, distribution: Distribution) -> str:
        """How this manifest differs from the one of a distribution, in words; empty where it does not."""
        with connection.cursor() as cursor:

            def count(what: str) -> int:
                cursor.execute(what, [distribution.pk])
                return int(cursor.fetchone()[0])

            before, common, changed = count(_PROMISED), count(_COMMON), count(_COMMON + _OTHERWISE)
        told = {"no longer in it": before - common, "more": self.listed - common, "with another hash": changed}
        return ", ".join(f"{what}: {number:,}" for what, number in told.items() if number)

    def write(self, distribution: Distribution, *, absent: str = "missing") -> int:
        """Makes the files of a distribution, which has none yet; how many. In the caller's transaction.

        Directory by directory and in the order of the names, so that the order of the keys is one to read them in.
        `absent` is the state of files that the manifest has and the disk has not.
        """
        here = {"path", "path_key", "directory", "name", "size", "changed_at"}
        promised = {"delivered_size": "l.size", "delivered_md5": "l.md5", "delivered_sha256": "l.sha256"}
        promised |= {"delivered_hashes": "l.hashes"}
        fields = [field for field in File._meta.concrete_fields if not field.primary_key]
        postgres = connection.vendor == "postgresql"
        kinds, params = [], []
        for state, (side, tables, in_manifest) in _KINDS.items():
            given: dict[str, Any] = {"distribution": distribution.pk, "in_manifest": in_manifest}
            given["state"] = absent if state == "missing" else state
            values = []
            for field in fields:
                if field.name in here and not (state == "missing" and field.name in ("size", "changed_at")):
                    value = f"{side}.{field.name}"
                elif field.name in promised and in_manifest:
                    value = promised[field.name]
                else:
                    value = f"CAST(%s AS {field.db_type(connection)})" if postgres else "%s"
                    params.append(_default(field, given))
                values.append(f"{value} AS {connection.ops.quote_name(field.column)}")
            kinds.append(f"SELECT {', '.join(values)} FROM {tables}")  # noqa: S608 - our own names
        columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
        binary = 'COLLATE "C"' if postgres else "COLLATE BINARY"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {File._meta.db_table} ({columns}) "  # noqa: S608 - our own names
                f"SELECT {columns} FROM ({' UNION ALL '.join(kinds)}) AS made "
                f"ORDER BY directory {binary}, name {binary}",
                params,
            )
            return int(cursor.rowcount)


def fingerprint_of(distribution: Distribution) -> str:
    """What `Staging.fingerprint` said of a delivery; made anew for one that was taken in before there was one."""
    if distribution.fingerprint.startswith("+"):
        return distribution.fingerprint
    total = 0
    names = ("path", "size", "in_manifest", "delivered_md5", "delivered_sha256", "delivered_hashes", "state")
    rows = distribution.files.order_by().values_list(*names)
    for path, size, in_manifest, md5, sha256, others, state in rows.iterator(chunk_size=BATCH):
        total += _listed(path, md5, sha256, others) if in_manifest else 0
        total += _present(path, size) if state != "missing" else 0
    return f"+{total & _MASK:063x}"


def _listed(path: str, md5: str, sha256: str, others: str | None) -> int:
    """Other hashes count where they are all that is told: so older fingerprints of all other lists stay right."""
    told = "" if md5 or sha256 or not others else f"\0{others}"
    return _digest(f"listed\0{path}\0{md5}\0{sha256}{told}")


def _present(path: str, size: int | None) -> int:
    return _digest(f"found\0{path}\0{size}")


def path_key(path: str) -> uuid.UUID:
    """The index key of a path: MD5 as a UUID; not a matter of security."""
    return uuid.UUID(_key(path))


def _key(path: str) -> str:
    """The same as 32 digits, which both databases take."""
    return hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()


def _place(path: str) -> tuple[str, str, str, str]:
    directory, _, name = path.rpartition("/")
    return path, _key(path), directory, name


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=32).digest())


def _line(row: tuple[Any, ...]) -> str:
    """A row in the text format of COPY: path, key, directory, name; then numbers, times, hashes or nothing."""
    path, key, directory, name, *rest = row
    if not path.isprintable() or "\\" in path:  # hardly any, and translating takes ten times as long
        path, directory, name = (text.translate(_ESCAPES) for text in (path, directory, name))
    return "\t".join((path, key, directory, name, *("\\N" if cell is None else str(cell) for cell in rest))) + "\n"


def _default(field: models.Field[Any, Any], given: dict[str, Any]) -> Any:
    """What a column without a source holds: what is given, else what a new row of the model would have."""
    value = given.get(field.name, None if field.null else field.get_default())
    return field.get_db_prep_save(value, connection)
