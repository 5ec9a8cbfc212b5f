"""The navigation products as GeoCSV 2.0, in the form of the published ones, and such files read back.
The header is theirs key for key; only the two long names that they interchange are put right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TextIO

import numpy as np

from inventory.navigation.fixes import Fixes, Floats, Times
from inventory.navigation.products import Track

MISSING: Final = "NAN"
_CHUNK: Final = 20_000

# Name, unit, type, long name; from products of R2R (HRS1506 bestres, RR2402 control).
_COLUMNS: Final = (
    ("iso_time", "ISO_8601", "datetime", "date and time"),
    ("ship_longitude", "degree_east", "float", "longitude of vessel"),
    ("ship_latitude", "degree_north", "float", "latitude of vessel"),
    ("nmea_quality", "(unitless)", "integer", "NMEA quality indicator"),
    ("nsv", "(unitless)", "integer", "number of satellite vehicles observed"),
    ("hdop", "(unitless)", "float", "horizontal dilution of precision"),
    ("antenna_height", "meter", "float", "height of antenna above mean sea level"),
    ("speed_made_good", "meter\\second", "float", "speed made good"),
    ("course_made_good", "degree", "float", "course made good"),
)
_PRODUCTS: Final = {
    "bestres": ("Best Resolution", _COLUMNS),
    "1min": ("One Minute Resolution", _COLUMNS[:3] + _COLUMNS[7:]),
    "control": ("Control Points", _COLUMNS[:3]),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose the product is and of what; identifiers as they shall stand in the file ("doi:10.7284/910464").

    `source_event` is the cruise, `source_dataset` the file set; `created_at` must know its zone.
    """

    attribution: str
    source_repository: str
    source_event: str
    source_dataset: str
    cruise_id: str
    created_at: datetime


def write_geocsv(stream: TextIO, product: str, track: Track, origin: Origin, *, flagged: Fixes | None = None) -> None:
    """Write the product "bestres", "1min" or "control"; the same input gives the same bytes.

    Degrees with six decimals, longitude -180 <= x < 180; m/s with two, course with three; times UTC with as
    many decimals (0, 2, 3) as the track needs. `flagged` fixes (bestres only) follow the good ones in the
    order of the files, each line with "#" before it and without speed and course.
    Raises ValueError for an unknown product, flagged fixes in another product than bestres, a line break in
    the origin, a time of creation without zone.
    """
    if product not in _PRODUCTS:
        raise ValueError(f"{product!r} is none of {', '.join(_PRODUCTS)}")
    if flagged is not None and product != "bestres":
        raise ValueError("flagged fixes belong into the product bestres only")
    title, columns = _PRODUCTS[product]
    for key, value in header(title, columns, origin):
        stream.write(f"#{key}: {value}\n")
    stream.write(",".join(column[0] for column in columns) + "\n")
    times = track.fixes.time if flagged is None else np.concatenate((track.fixes.time, flagged.time))
    decimals = _decimals(times)
    for begin in range(0, len(track), _CHUNK):
        part = track.take(np.arange(begin, min(begin + _CHUNK, len(track))))
        cells = list(_place(part.fixes, decimals))
        if product == "bestres":
            cells += _receiver(part.fixes)
        if product != "control":
            cells += [_fixed(part.speed, 2), _fixed(_turn(part.course), 3)]
        stream.writelines(",".join(row) + "\n" for row in zip(*cells, strict=True))
    if flagged is not None:
        cells = [*_place(flagged, decimals), *_receiver(flagged)]
        stream.writelines("#" + ",".join(row) + "\n" for row in zip(*cells, strict=True))


def header(title: str, columns: tuple[tuple[str, ...], ...], origin: Origin) -> list[tuple[str, str]]:
    """The keys and values of the header in their order; "dataset" must be the first line of a GeoCSV file."""
    if origin.created_at.tzinfo is None:
        raise ValueError("the time of creation needs its zone")
    names, units, types, long_names = (",".join(words) for words in zip(*columns, strict=True))
    lines = [
        ("dataset", "GeoCSV 2.0"),
        ("title", f"Processed Trackline Navigation Data: {title}"),
        ("field_unit", units),
        ("field_type", types),
        ("field_standard_name", names),
        ("field_long_name", long_names),
        ("standard_name_cv", "http://www.rvdata.us/voc/fieldname"),
        ("ellipsoid", "WGS-84 (EPSG:4326)"),
        ("delimiter", ","),
        ("field_missing", MISSING),
        ("attribution", origin.attribution),
        ("source_repository", origin.source_repository),
        ("source_event", origin.source_event),
        ("source_dataset", origin.source_dataset),
        ("cruise_id", origin.cruise_id),
        ("creation_date", origin.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    ]
    for key, value in lines:
        if "\n" in value or "\r" in value:
            raise ValueError(f"{key} has a line break")
    return lines


def _decimals(time: Times) -> int:
    """How many decimals of a second the times need: none, two or three."""
    ms = time.astype("datetime64[ms]").astype(np.int64) % 1000
    if not ms.any():
        return 0
    return 3 if (ms % 10).any() else 2


def _place(fixes: Fixes, decimals: int) -> tuple[list[str], list[str], list[str]]:
    text = np.datetime_as_string(fixes.time.astype("datetime64[ms]"), unit="ms")
    cut = {0: -4, 2: -1, 3: None}[decimals]
    longitude = np.round(fixes.longitude, 6)
    longitude = np.where(longitude >= 180, longitude - 360, longitude)
    return [f"{one[:cut]}Z" for one in text.tolist()], _fixed(longitude, 6), _fixed(fixes.latitude, 6)


def _receiver(fixes: Fixes) -> list[list[str]]:
    return [
        [str(value) if value >= 0 else MISSING for value in fixes.quality.tolist()],
        [str(value) if value >= 0 else MISSING for value in fixes.nsv.tolist()],
        _short(fixes.hdop.astype(np.float64), 2),
        _short(fixes.altitude.astype(np.float64), 3),
    ]


def _turn(course: Floats) -> Floats:
    """Courses that do not round up to 360."""
    return np.where(np.round(course, 3) >= 360, 0.0, course)


def _fixed(values: Floats, decimals: int) -> list[str]:
    rounded = np.round(values, decimals) + 0.0  # no "-0.00"
    return [f"{value:.{decimals}f}" if value == value else MISSING for value in rounded.tolist()]


def _short(values: Floats, decimals: int) -> list[str]:
    """At most so many decimals, without zeros at the end: a float32 shows what the receiver wrote."""
    return [text.rstrip("0").rstrip(".") if text != MISSING else text for text in _fixed(values, decimals)]


@dataclass(frozen=True, slots=True)
class Table:
    """A GeoCSV file as text: its header, its column names, its rows, and the rows behind a "#"."""

    header: dict[str, str]
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    flagged: list[tuple[str, ...]]


def read_geocsv(lines: Iterable[str]) -> Table:
    """The table in a GeoCSV 2.0 file of a navigation product.

    Raises ValueError, with the number of the line, where the first line is not the dataset key, a row has
    not the columns named, or a flagged row has none of the first ones.
    """
    header: dict[str, str] = {}
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    flagged: list[tuple[str, ...]] = []
    for number, line in _numbered(lines):
        if number == 1 and not line.replace(" ", "").startswith("#dataset:GeoCSV2.0"):
            raise ValueError("line 1: a GeoCSV file begins with '#dataset: GeoCSV 2.0'")
        if line.startswith("#") and not columns:
            key, _, value = line[1:].partition(":")
            header[key.strip()] = value.strip()
        elif not columns:
            columns = tuple(line.split(header.get("delimiter") or ","))
        else:
            cells = tuple(line.removeprefix("#").split(header.get("delimiter") or ","))
            if len(cells) != len(columns) and not (line.startswith("#") and 3 <= len(cells) < len(columns)):
                raise ValueError(f"line {number}: {len(cells)} values under {len(columns)} columns")
            (flagged if line.startswith("#") else rows).append(cells)
    return Table(header, columns, rows, flagged)


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        bare = line.rstrip("\r\n")
        if bare:
            yield number, bare
