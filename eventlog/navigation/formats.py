"""Files of navigation: stamped NMEA lines, SCS event files (.elg) and GeoCSV products, read line by line. Pure."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

from eventlog import nmea
from eventlog.navigation.reading import DEPTH, HEADING, Batch, Reader

LINES_A_BATCH: Final = 20_000
HEAD: Final = 2000  # lines in which a clock's offset is looked for before the first line is believed
KNOT: Final = 1852 / 3600
_ELG_PLACE = re.compile(r"(\d{1,3})(\d\d\.\d+)([NSEW])", re.ASCII)

Part = tuple[str, Batch]


def read(lines: Iterable[str], *, near: dt.datetime | None = None) -> Iterator[Part]:
    """Batches of (name, batch), some ten thousand lines each, of the text of a file; the name is empty, or tells which
    receiver of an event file. Recognises the format by the first lines. `near` dates a file without stamps."""
    source = iter(lines)
    head = list(islice(source, HEAD))
    first = next((line for line in head if line.strip()), "")
    whole = chain(head, source)
    if first.lower().startswith("#dataset: geocsv"):
        return _geocsv(whole)
    if first.lower().replace(" ", "").startswith("date,time,"):
        return _elg(whole)
    return _sentences(whole, clock_of(head), near)


def clock_of(lines: Iterable[str]) -> float | None:
    """Seconds by which the stamps of these lines run ahead of the receiver's time; None where nothing tells."""
    reader = Reader()
    for line in lines:
        reader.read(line)
    found = reader.evidence().get("clock_s")
    return float(found) if found is not None else None


def _sentences(lines: Iterable[str], clock_s: float | None, near: dt.datetime | None) -> Iterator[Part]:
    reader = Reader(clock_s=clock_s, near=near)
    for number, line in enumerate(lines, 1):
        if line.strip():
            reader.read(line)
        if number % LINES_A_BATCH == 0:
            yield "", reader.take()
    yield "", reader.take()


def _elg(lines: Iterable[str]) -> Iterator[Part]:
    """SCS: the PC's date and time, then columns of each GPS: "<name>-time", "-Lat", "-Lon", "-SOG" (knots), "-COG"."""
    rows = csv.reader(lines)
    header = [name.strip() for name in next(rows)]
    places = {name.lower(): at for at, name in enumerate(header)}
    prefixes = [name[:-5] for name in header if name.lower().endswith("-time") and f"{name[:-5]}-lat".lower() in places]
    readers = {name: Reader() for name in prefixes}
    depth = next((at for at, name in enumerate(header) if re.search(r"(dbt|dpt|depth).*m", name, re.I)), None)
    heading = next((at for at, name in enumerate(header) if re.search(r"heading|hdt", name, re.I)), None)
    for number, row in enumerate(rows, 1):
        for order, (name, reader) in enumerate(readers.items()):
            said = {
                part: row[at].strip() if (at := places.get(f"{name}-{part}".lower(), -1)) >= 0 and at < len(row) else ""
                for part in ("time", "lat", "lon", "sog", "cog")
            }
            moment = _elg_row(reader, row, said)
            if moment is not None and order == 0:
                for quantity, column in ((DEPTH, depth), (HEADING, heading)):
                    value = _number(row[column]) if column is not None and column < len(row) else None
                    if value is not None and (quantity == HEADING or 0 < value <= 12_000):
                        reader.measure(quantity, moment, value)
        if number % LINES_A_BATCH == 0:
            yield from ((name if len(readers) > 1 else "", reader.take()) for name, reader in readers.items())
    yield from ((name if len(readers) > 1 else "", reader.take()) for name, reader in readers.items())


def _elg_row(reader: Reader, row: list[str], said: dict[str, str]) -> dt.datetime | None:
    """Takes in what one GPS says in a row; its moment."""
    reader.tally.lines += 1
    if not (said["lat"] and said["lon"]):
        reader.tally.no_fix += 1
        return None
    text = ",".join(row)
    try:
        stamp = dt.datetime.strptime(f"{row[0].strip()} {row[1].strip()[:8]}", "%m/%d/%Y %H:%M:%S").replace(
            tzinfo=dt.UTC
        )
    except (ValueError, IndexError):
        reader.tally.refuse(text, "date and time are not MM/DD/YYYY,hh:mm:ss")
        return None
    north, east = _elg_place(said["lat"], "NS", 90), _elg_place(said["lon"], "EW", 180)
    if north is None or east is None:
        reader.tally.refuse(text, "the position is not degrees and minutes with N, S, E or W")
        return None
    moment = stamp - dt.timedelta(seconds=reader.clock_s)
    if said["time"]:
        clock = said["time"].partition(".")[0].zfill(6)
        try:
            moment = nmea.place_in_day(dt.time(int(clock[:2]), int(clock[2:4]), int(clock[4:6])), stamp)
        except ValueError:
            reader.tally.refuse(text, "the time of the GPS is not hhmmss")
            return None
        reader.compare(stamp, moment)
    knots, course = _number(said["sog"]), _number(said["cog"])
    speed = None if knots is None else knots * KNOT
    return moment if reader.add(moment, north, east, speed_mps=speed, course_deg=course) else None


def _elg_place(text: str, sides: str, most: int) -> float | None:
    found = _ELG_PLACE.fullmatch(text)
    if not found or found[3] not in sides or float(found[2]) >= 60:
        return None
    degrees = int(found[1]) + float(found[2]) / 60
    return None if degrees > most else -degrees if found[3] in "SW" else degrees


def _geocsv(lines: Iterable[str]) -> Iterator[Part]:
    """GeoCSV 2.0 of R2R: `iso_time`, `ship_longitude`, `ship_latitude` and what else; flagged rows begin with #."""
    reader = Reader()
    header: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        if text.startswith("#"):
            if header:
                reader.tally.lines += 1
                reader.tally.refuse(text, "its maker flagged the row")
            continue
        row = text.split(",")
        if not header:
            header = {name.strip().lower(): at for at, name in enumerate(row)}
            continue
        reader.tally.lines += 1
        _geocsv_row(reader, row, header, text)
        if number % LINES_A_BATCH == 0:
            yield "", reader.take()
    yield "", reader.take()


def _geocsv_row(reader: Reader, row: list[str], header: dict[str, int], text: str) -> None:
    def value(name: str) -> str:
        at = header.get(name, -1)
        return row[at].strip() if 0 <= at < len(row) else ""

    try:
        moment = dt.datetime.fromisoformat(value("iso_time"))
    except ValueError:
        reader.tally.refuse(text, "iso_time is not a time of ISO 8601")
        return
    moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    north, east = _number(value("ship_latitude")), _number(value("ship_longitude"))
    if north is None or east is None:
        reader.tally.no_fix += 1
        return
    quality = _number(value("nmea_quality"))
    reader.add(
        moment,
        north,
        east,
        quality=-1 if quality is None else int(quality),
        speed_mps=_number(value("speed_made_good")),
        course_deg=_number(value("course_made_good")),
    )


def _number(text: str) -> float | None:
    """A finite number; None for anything else, also NaN."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None
