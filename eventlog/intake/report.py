"""What came of a file and of each of its rows; kept with the import, and told as JSON or CSV."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventlog import chain

if TYPE_CHECKING:
    from eventlog.models import Import

RESULTS = {
    "new": "taken in as a new event",
    "same": "in the log already, with the same words",
    "differs": "in the log already with other words, which were left as they are",
    "revised": "in the log already; its words are now those of the file, as a new revision",
    "refused": "not taken in",
}
COLUMNS = ("line", "number", "result", "column", "message", "differs")


@dataclass(frozen=True, slots=True)
class RowReport:
    """What came of one row: one of RESULTS. `differs` is {field: (in the log, in the file)}; `column` is the file's."""

    line: int
    number: str
    result: str
    message: str = ""
    column: str = ""
    differs: Mapping[str, tuple[Any, Any]] = field(default_factory=dict, hash=False)

    def as_json(self) -> dict[str, Any]:
        """For JSON: times as ISO 8601; a difference is {"field", "log", "file"}."""
        return {
            "line": self.line,
            "number": self.number,
            "result": self.result,
            "column": self.column,
            "message": self.message,
            "differs": [
                {"field": name, "log": chain.plain(log), "file": chain.plain(file)}
                for name, (log, file) in self.differs.items()
            ],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a file. `imported` is the number of the import in its log; 0: nothing was written."""

    format: str
    notes: tuple[str, ...]
    rows: tuple[RowReport, ...]
    imported: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came to what."""
        found = Counter(row.result for row in self.rows)
        return {result: found[result] for result in RESULTS if found[result]}

    def as_json(self) -> dict[str, Any]:
        """The whole report for JSON."""
        return {
            "format": self.format,
            "import": self.imported or None,
            "notes": list(self.notes),
            "counts": self.counts,
            "rows": [row.as_json() for row in self.rows],
        }

    def as_csv(self) -> str:
        """The rows as CSV (RFC 4180) with the header COLUMNS."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            told = row.as_json()
            differs = "; ".join(f"{one['field']}: log {one['log']!r}, file {one['file']!r}" for one in told["differs"])
            writer.writerow([*(told[name] for name in COLUMNS[:-1]), differs])
        return text.getvalue()


def packed(rows: Iterable[RowReport]) -> bytes:
    """The rows as they are kept with the import."""
    lines = "".join(json.dumps(row.as_json(), ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    return gzip.compress(lines.encode(), 6, mtime=0)


def _unpacked(data: bytes) -> Iterator[RowReport]:
    for line in gzip.decompress(data).decode().splitlines() if data else ():
        told = json.loads(line)
        differs = {one["field"]: (one["log"], one["file"]) for one in told["differs"]}
        yield RowReport(told["line"], told["number"], told["result"], told["message"], told["column"], differs)


def report_of(imported: Import) -> Report:
    """The report of an import that was made."""
    rows = tuple(_unpacked(bytes(imported.report)))
    return Report(imported.format, tuple(imported.notes), rows, imported.number)
