"""Reads an R2R event log that was just written again, quickly, and holds it against the log.

It is strict where `exchange.r2r.read` is forgiving: 19 columns, quoted, with times and numbers of one form.
"""

from __future__ import annotations

import csv
from collections import Counter
from itertools import count as counting
from pathlib import Path

from eventlog.exchange.r2r import COLUMNS

from .checking import Faults, Report, in_range, repeated
from .shape import Source
from .strictcsv import LONGEST_CELL


def check(path: Path, source: Source) -> Report:
    """The report on a written file."""
    return check_count(path, source.count)


def check_count(path: Path, wanted: int) -> Report:
    """The report on a written file that should hold so many events."""
    report = Report("r2r-csv")
    faults, numbers, rows, unplaced, last = Faults(), Counter[str](), 0, 0, ""
    csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            report.rule("the header is that of R2R's event logger", tuple(next(reader, ())) == COLUMNS)
            for rows, row in zip(counting(1), reader, strict=False):
                if len(row) != 19:
                    faults.add(f"row {rows}", f"{len(row)} values under 19 headers")
                    continue
                if fault := _fault(row, rows, last):
                    faults.add(f"row {rows}", fault)
                numbers[row[14]] += 1
                unplaced += row[8] == "NaN"
                last = row[17]
        report.rule("UTF-8, and every row is RFC 4180", True)
    except (UnicodeDecodeError, csv.Error) as error:
        report.rule("UTF-8, and every row is RFC 4180", False, error)
    report.faults("every row has its number, its time in order, and a position on the globe or NaN", faults)
    report.faults("every R2R_Event comes once", repeated(numbers))
    report.count("events", rows, wanted)
    if unplaced:
        report.notes.append(f"{unplaced:,} of {rows:,} events have no position; it is written NaN")
    return report


def _fault(row: list[str], number: int, last: str) -> str:
    if row[0] != str(number):
        return f"Message ID is {row[0][:20]}"
    if not row[14].endswith(row[2]):
        return "R2R_Event and Event do not fit"
    at = row[17]
    if not at.endswith("+00:00") or at[:4] + at[5:7] + at[8:10] + "." + at[11:13] + at[14:16] != row[15]:
        return f"dateTime8601 {at[:40]} and dateTimeUTC {row[15][:20]} are not the same minute"
    if at[:19] < last[:19]:
        return f"happened before the row above it, {last}"
    if row[8] == "NaN":
        return "" if row[9] == "NaN" else "has half a position"
    if not (in_range(row[8], 90) and in_range(row[9], 180)):
        return f"lies at {row[8][:20]}, {row[9][:20]}"
    return "" if not row[10] or in_range(row[10], 1e300) else f"Seafloor is {row[10][:20]}"
