"""Compares two inventories in the words of md5deep's audit: matched, changed, moved, missing, new.
The first is what was promised (the delivered list), the second what is there (the received files)."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from inventory.manifests.entry import DIGITS

MATCHED: Final = "matched"
CHANGED: Final = "changed"
MOVED: Final = "moved"
MISSING: Final = "missing"
NEW: Final = "new"
WORDS: Final = (MATCHED, CHANGED, MOVED, MISSING, NEW)

BY_HASH: Final = "hash"
BY_SIZE: Final = "size"
BY_NAME: Final = "name"

File = tuple[str, int | None, Mapping[str, str]]  # path, size in bytes, hashes

CACHE: Final = 32 * 1024  # KiB that one database keeps in memory; what is more lies on the disk
# The strongest first: by it files are recognised under another path.
HASHES: Final = ("sha512", "sha384", "sha256", "whirlpool", "sha224", "sha1", "tiger", "md5")
assert DIGITS.keys() == set(HASHES)


class Item(NamedTuple):
    """What became of one file.

    `verdict`: matched, changed, moved, missing, new. `basis`: "hash", or "size" when the two sides share no
    hash, or "name" when not even both sizes are known (then matched says only that the file is there).
    `was` is the old path of a moved file, else None.
    """

    verdict: str
    path: str
    basis: str
    was: str | None
    size_before: int | None
    size_now: int | None


class Comparison:
    """The result of a comparison, in a file, so that one of a million files is looked at page by page.

    `counts` has all five verdicts. `unproven` counts the matched items that no hash confirms.
    matched + changed + moved + new is the number of files now; a file moved away from a path that now
    holds something else counts as moved, and the old path as changed. Raises OSError for a file that holds none.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            with closing(self._open()) as database:
                rows = dict(database.execute("SELECT word, files FROM tally"))
        except sqlite3.Error as error:
            raise FileNotFoundError(f"{file} holds no comparison") from error
        self.counts: dict[str, int] = {word: rows.get(word, 0) for word in WORDS}
        self.unproven: int = rows.get("unproven", 0)

    @property
    def same(self) -> bool:
        """Whether every file is where it was with the content it had, and none came; proven or not."""
        return not any(number for verdict, number in self.counts.items() if verdict != MATCHED)

    def items(self, words: Collection[str] = WORDS, *, start: int = 0, most: int = -1) -> Iterator[Item]:
        """The items of these verdicts in the order of their paths' bytes, from number `start`, at most `most`."""
        marks = ", ".join("?" for _ in words)
        query = (
            f"SELECT verdict, path, basis, was, size_before, size_now FROM item WHERE verdict IN ({marks}) "
            "ORDER BY path, verdict LIMIT ? OFFSET ?"
        )
        with closing(self._open()) as database:
            yield from map(Item._make, database.execute(query, (*words, most, start)))

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._file.resolve().as_uri()}?mode=ro", uri=True)


def compare(before: Iterable[File], now: Iterable[File], file: Path, *, keep_matched: bool = True) -> Comparison:
    """Compare two inventories given as (path, size, hashes) into a new file; a path may come once on each side.

    Moved: the same hash at a new path, and no longer at the old one; each old file is used once, one of the
    same file name first. Files compare by all hashes that both sides have; without a common one by size.
    Without `keep_matched` the matched items are only counted.

    The work is done by a database in a temporary folder beside `file`: memory stays bounded, the disk takes
    about 400 bytes for each file of both sides meanwhile. Raises ValueError when a path comes twice (pass manifests
    through `unique`), FileExistsError when there is such a file.
    """
    file.touch(exist_ok=False)
    try:
        with (
            tempfile.TemporaryDirectory(dir=file.parent, prefix=".comparing-") as folder,
            closing(sqlite3.connect(str(Path(folder) / "work"), isolation_level=None)) as database,
        ):
            database.execute("ATTACH ? AS result", (str(file),))
            for name in ("main", "result"):
                database.execute(f"PRAGMA {name}.journal_mode = OFF")
                database.execute(f"PRAGMA {name}.synchronous = OFF")
                database.execute(f"PRAGMA {name}.cache_size = -{CACHE}")
            database.create_function("basename", 1, lambda path: path.rpartition("/")[2], deterministic=True)
            database.execute("BEGIN")
            _Work(database, before, now).run(keep_matched)
            database.execute("COMMIT")
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return Comparison(file)


_RESULT = """
CREATE TABLE result.tally (word TEXT PRIMARY KEY, files INTEGER);
CREATE TABLE result.item (verdict TEXT, path TEXT, basis TEXT, was TEXT, size_before INTEGER, size_now INTEGER);
"""


class _Work:
    """The steps of one comparison, each a statement over whole tables."""

    def __init__(self, database: sqlite3.Connection, before: Iterable[File], now: Iterable[File]) -> None:
        self._sql = database.execute
        for statement in _RESULT.strip().split("\n"):
            self._sql(statement)
        old = self._load(database, "before", "first", before)
        new = self._load(database, "now", "second", now)
        shared = [name for name in HASHES if name in old & new]
        self._shared = shared
        self._hashed_now = " OR ".join(f"{name} IS NOT NULL" for name in HASHES if name in new) or "0"
        # b is the file before, n the one now; NULL where a side does not know.
        self._comparable = " OR ".join(f"(b.{h} IS NOT NULL AND n.{h} IS NOT NULL)" for h in shared) or "0"
        self._differ = " OR ".join(f"coalesce(b.{h} <> n.{h}, 0)" for h in shared) or "0"

    def _load(self, database: sqlite3.Connection, table: str, ordinal: str, files: Iterable[File]) -> set[str]:
        """Fills a table and returns the hashes that occur."""
        self._sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, path TEXT NOT NULL, size INTEGER)")
        seen: list[str] = []
        some = iter(files)
        while batch := list(islice(some, 10_000)):
            for name in {name for _, _, hashes in batch for name in hashes} - set(seen):
                self._sql(f"ALTER TABLE {table} ADD COLUMN {name} TEXT")
                seen.append(name)
            insert = f"INSERT INTO {table} ({', '.join(['path', 'size', *seen])}) VALUES (?, ?{', ?' * len(seen)})"
            if len(seen) == 1:
                (only,) = seen
                rows: Iterable[tuple[Any, ...]] = ((path, size, hashes.get(only)) for path, size, hashes in batch)
            else:
                rows = ((path, size, *[hashes.get(name) for name in seen]) for path, size, hashes in batch)
            database.executemany(insert, rows)
        try:
            self._sql(f"CREATE UNIQUE INDEX {table}_path ON {table} (path)")
        except sqlite3.IntegrityError:
            (path,) = self._sql(f"SELECT path FROM {table} GROUP BY path HAVING count(*) > 1 LIMIT 1").fetchone()
            raise ValueError(f"{path!r} is twice in the {ordinal} inventory") from None
        return set(seen)

    def run(self, keep_matched: bool) -> None:
        self._same_paths()
        self._moves()
        self._tell(keep_matched)

    def _same_paths(self) -> None:
        """Table `pair`: the files whose path is on both sides, with verdict and basis."""
        self._sql(
            f"""CREATE TABLE pair AS SELECT n.id AS now, b.id AS before,
                CASE WHEN {self._comparable} THEN CASE WHEN {self._differ} THEN 'changed' ELSE 'matched' END
                     WHEN b.size <> n.size THEN 'changed' ELSE 'matched' END AS verdict,
                CASE WHEN {self._comparable} THEN 'hash'
                     WHEN b.size IS NOT NULL AND n.size IS NOT NULL THEN 'size' ELSE 'name' END AS basis
            FROM now n CROSS JOIN before b ON b.path = n.path"""
        )

    def _moves(self) -> None:
        """Table `move`: pairs of a file that arrived and the one that is gone or was replaced."""
        some = " OR ".join(f"{name} IS NOT NULL" for name in self._shared) or "0"
        hashes = "".join(f", {name}" for name in self._shared)
        self._sql("CREATE TABLE move (now INTEGER PRIMARY KEY, before INTEGER NOT NULL UNIQUE)")
        self._sql(
            f"CREATE TABLE arrived AS SELECT id, basename(path) AS name{hashes} FROM now "
            f"WHERE ({some}) AND path NOT IN (SELECT path FROM before)"
        )
        self._sql(
            f"CREATE TABLE gone AS SELECT id, basename(path) AS name{hashes} FROM before "
            f"WHERE ({some}) AND path NOT IN (SELECT path FROM now) OR id IN "
            "(SELECT before FROM pair WHERE verdict = 'changed' AND basis = 'hash')"
        )
        for name in (", name", ""):
            for digest in self._shared:
                rank = f"row_number() OVER (PARTITION BY {digest}{name} ORDER BY id) AS rank"
                left = f"WHERE {digest} IS NOT NULL AND id NOT IN (SELECT {{}} FROM move)"
                self._sql(
                    f"""INSERT INTO move SELECT n.id, b.id
                    FROM (SELECT *, {rank} FROM arrived {left.format("now")}) n
                    JOIN (SELECT *, {rank} FROM gone {left.format("before")}) b
                    USING ({digest}{name}, rank) WHERE NOT ({self._differ})"""
                )

    def _tell(self, keep_matched: bool) -> None:
        """Fills the result."""
        kept = "" if keep_matched else "WHERE verdict <> 'matched'"
        self._sql(
            f"""INSERT INTO item SELECT verdict, n.path, basis, NULL, b.size, n.size
            FROM pair JOIN now n ON n.id = pair.now JOIN before b ON b.id = pair.before {kept}"""
        )
        self._sql(
            """INSERT INTO item SELECT 'moved', n.path, 'hash', b.path, b.size, n.size
            FROM move JOIN now n ON n.id = move.now JOIN before b ON b.id = move.before"""
        )
        self._sql(
            f"""INSERT INTO item
            SELECT 'new', path, CASE WHEN {self._hashed_now} THEN 'hash' ELSE 'name' END, NULL, NULL, size
            FROM now WHERE path NOT IN (SELECT path FROM before) AND id NOT IN (SELECT now FROM move)"""
        )
        self._sql(
            """INSERT INTO item SELECT 'missing', path, 'name', NULL, size, NULL
            FROM before WHERE path NOT IN (SELECT path FROM now) AND id NOT IN (SELECT before FROM move)"""
        )
        self._sql("CREATE INDEX result.item_path ON item (path)")
        self._sql("INSERT INTO tally SELECT verdict, count(*) FROM item WHERE verdict <> 'matched' GROUP BY verdict")
        self._sql("INSERT INTO tally SELECT 'matched', count(*) FROM pair WHERE verdict = 'matched'")
        self._sql(
            "INSERT INTO tally SELECT 'unproven', count(*) FROM pair WHERE verdict = 'matched' AND basis <> 'hash'"
        )
