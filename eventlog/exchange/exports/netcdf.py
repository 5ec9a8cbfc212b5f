"""Events as points in netCDF-4 classic: CF-1.8 discrete sampling geometry "point", with ACDD-1.3 attributes.

CF 9.6 allows no coordinate to be missing where there are data, so events without a position are left out and counted.
Texts are arrays of characters in UTF-8, which every reader knows (R, MATLAB, ERDDAP, xarray).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from .checking import Faults, Report
from .geojson import box
from .shape import METHODS, Facts, Row, Source
from .wording import encoded, extras, moment

FILL = -99999.0
BATCH = 2000
CONVENTIONS = "CF-1.8, ACDD-1.3"
EPOCH = "seconds since 1970-01-01 00:00:00 UTC"
# Variables of texts: what each holds, and how it follows from an event.
TEXTS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "event_id": ("identifier of the event (UUID)", lambda r: r.uuid),
    "number": ("number of the event, as the R2R event logger numbers", lambda r: r.number),
    "instrument": ("instrument", lambda r: r.instrument),
    "action": ("action", lambda r: r.action),
    "transect": ("transect", lambda r: r.transect),
    "station": ("station", lambda r: r.station),
    "cast": ("cast", lambda r: r.cast),
    "operation": ("identifier of the operation (UUID)", lambda r: r.operation),
    "operation_kind": ("kind of the operation", lambda r: r.operation_kind),
    "position_feed": ("navigation feed of the derived position", lambda r: r.nav_feed),
    "author": ("who logged it", lambda r: r.author),
    "comment": ("comment", lambda r: r.comment),
    "extra": ("answers to further fields, as JSON", lambda r: extras(r.extra)),
}
# Variables of numbers: units, attributes, and how each follows from an event.
NUMBERS: dict[str, tuple[str, dict[str, str], Callable[[Row], float | None]]] = {
    "end_time": (EPOCH, {"long_name": "end of an event with a duration"}, lambda r: _seconds(r.ended_at)),
    "logged_time": (EPOCH, {"long_name": "when the event was typed"}, lambda r: _seconds(r.logged_at)),
    "seafloor_depth": (
        "m",
        {"long_name": "water depth", "standard_name": "sea_floor_depth_below_sea_surface"},
        lambda r: r.seafloor_m,
    ),
    "position_gap": ("s", {"long_name": "time between the fixes around the event"}, lambda r: r.nav_gap_s),
    "position_uncertainty": (
        "m",
        {"long_name": "uncertainty of the derived position, 95 %"},
        lambda r: None if r.is_entered else r.nav_uncertainty_m,
    ),
    "course": (
        "degree",
        {"standard_name": "platform_course", "long_name": "course over ground"},
        lambda r: r.nav_course_deg,
    ),
    "speed": (
        "m s-1",
        {"standard_name": "platform_speed_wrt_ground", "long_name": "speed over ground"},
        lambda r: r.nav_speed_mps,
    ),
    "clock_offset": ("s", {"long_name": "seconds by which the logging clock ran ahead"}, lambda r: r.clock_offset_s),
}


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def write(path: Path, source: Source) -> None:
    """The file. Raises OSError when it cannot be written."""
    import netCDF4
    import numpy as np

    survey = _Survey(source.rows())
    facts = source.facts
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as data:
        data.set_fill_off()
        data.createDimension("obs", survey.count)
        _coordinates(data)
        for name, (units, words, _) in NUMBERS.items():
            made = data.createVariable(name, "f8", ("obs",), zlib=True, fill_value=FILL)
            made.setncatts({"units": units, **words, "coordinates": "time lat lon"})
        codes = {"action_code": survey.actions, "instrument_code": survey.instruments}
        for name, known in codes.items():
            made = data.createVariable(name, "i4", ("obs",), zlib=True, fill_value=-1)
            _flags(made, known, f"{name.partition('_')[0]} as a number", np.int32)
        method = data.createVariable("position_method", "i1", ("obs",), zlib=True, fill_value=-1)
        _flags(method, {"entered": 0, **{word: at for at, word in enumerate(METHODS, 1)}}, "how it was placed", np.int8)
        for name, (words_, _) in TEXTS.items():
            data.createDimension(f"{name}_length", survey.widths[name])
            made = data.createVariable(name, "S1", ("obs", f"{name}_length"), zlib=True)
            made.setncatts({"long_name": words_, "coordinates": "time lat lon"})
            made.set_auto_chartostring(False)
        data.setncatts(_about(facts, survey, source.count))
        data.set_auto_mask(False)
        start = 0
        for batch in _batches(row for row in source.rows() if row.place):
            _write_batch(data, slice(start, start + len(batch)), batch, survey)
            start += len(batch)


class _Survey:
    """What must be known of all events before the first is written."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.count = 0
        self.widths = dict.fromkeys(TEXTS, 1)
        self.places: list[tuple[float, float]] = []
        self.first: datetime | None = None
        self.last: datetime | None = None
        actions, instruments = set(), set()
        for row in rows:
            if row.place is None:
                continue
            self.count += 1
            self.places.append(row.place)
            self.first = self.first or row.observed_at
            self.last = max(self.last or row.observed_at, row.ended_at or row.observed_at)
            actions.add(row.action)
            instruments.add(row.instrument)
            for name, (_, cell) in TEXTS.items():
                self.widths[name] = max(self.widths[name], len(encoded(cell(row))))
        self.actions = {word: code for code, word in enumerate(sorted(actions))}
        self.instruments = {word: code for code, word in enumerate(sorted(instruments))}


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _coordinates(data: Any) -> None:
    names = {
        "time": {"standard_name": "time", "long_name": "when the event happened, or began", "units": EPOCH},
        "lat": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"},
        "lon": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"},
    }
    axes = {"time": "T", "lat": "Y", "lon": "X"}
    for name, said in names.items():
        made = data.createVariable(name, "f8", ("obs",), zlib=True)
        made.setncatts(said | ({"calendar": "standard"} if name == "time" else {}) | {"axis": axes[name]})
    crs = data.createVariable("crs", "i4", ())
    crs.setncatts(
        {
            "grid_mapping_name": "latitude_longitude",
            "semi_major_axis": 6378137.0,
            "inverse_flattening": 298.257223563,
            "longitude_of_prime_meridian": 0.0,
            "epsg_code": "EPSG:4326",
        }
    )
    crs[...] = 0


def _flags(variable: Any, known: dict[str, int], words: str, kind: Any) -> None:
    """flag_values and flag_meanings; CF asks for meanings without blanks, and different ones."""
    import numpy as np

    meanings: dict[str, None] = {}
    for word in known:
        plain = re.sub(r"[^A-Za-z0-9_.+@-]+", "_", word).strip("_") or "none"
        meanings[plain if plain not in meanings else f"{plain}_{known[word]}"] = None
    said: dict[str, Any] = {"long_name": words, "coordinates": "time lat lon"}
    if known:
        said |= {"flag_values": np.array(list(known.values()), kind), "flag_meanings": " ".join(meanings)}
    variable.setncatts(said)


def _write_batch(data: Any, at: slice, rows: Sequence[Row], survey: _Survey) -> None:
    import numpy as np

    places = [row.place or (FILL, FILL) for row in rows]
    data["time"][at] = np.array([row.observed_at.timestamp() for row in rows])
    data["lat"][at] = np.array([place[0] for place in places])
    data["lon"][at] = np.array([place[1] for place in places])
    for name, (_, _, number) in NUMBERS.items():
        values = [number(row) for row in rows]
        data[name][at] = np.array([FILL if value is None else value for value in values])
    data["action_code"][at] = np.array([survey.actions[row.action] for row in rows], np.int32)
    data["instrument_code"][at] = np.array([survey.instruments[row.instrument] for row in rows], np.int32)
    methods = {word: code for code, word in enumerate(METHODS, 1)}
    data["position_method"][at] = np.array(
        [0 if row.is_entered else methods.get(row.nav_method, -1) for row in rows], np.int8
    )
    for name, (_, cell) in TEXTS.items():
        width = survey.widths[name]
        texts = np.array([encoded(cell(row)) for row in rows], f"S{width}")
        data[name][at, :] = texts.view("S1").reshape(len(rows), width)


def _about(facts: Facts, survey: _Survey, whole: int) -> dict[str, Any]:
    """Global attributes: CF, and those that ACDD 1.3 highly recommends or recommends."""
    chief = facts.chiefs[0] if facts.chiefs else None
    said: dict[str, Any] = {
        "Conventions": CONVENTIONS,
        "featureType": "point",
        "title": f"Event log of cruise {facts.cruise_id}: {facts.title}",
        "summary": facts.summary or f"Events logged on cruise {facts.cruise_id} of {facts.vessel}.",
        "keywords": "oceanographic cruise, event log, station, cast",
        "id": facts.uuid,
        "naming_authority": "Leadline",
        "cruise": facts.cruise_id,
        "platform": facts.vessel,
        "platform_code": facts.vessel_id,
        "institution": facts.operator,
        "source": "events logged by people at sea; positions as entered, or derived from the ship's navigation",
        "history": f"{moment(facts.as_of)} revision {facts.sequence} of the log",
        "comment": f"{facts.selection}; {whole - survey.count} of {whole} events have no position and are not here",
        "creator_name": chief.name if chief else facts.operator,
        "creator_type": "person" if chief else "institution",
        "creator_institution": chief.institution if chief else facts.operator,
        "publisher_name": facts.repository,
        "publisher_email": facts.contact,
        "date_modified": moment(facts.as_of),
        "cdm_data_type": "Point",
        "standard_name_vocabulary": "CF Standard Name Table v79",
        "encoding": "UTF-8",
    }
    extent = box(survey.places)
    if extent and survey.first and survey.last:
        said |= {
            "geospatial_lon_min": extent[0],
            "geospatial_lat_min": extent[1],
            "geospatial_lon_max": extent[2],
            "geospatial_lat_max": extent[3],
            "geospatial_lat_units": "degrees_north",
            "geospatial_lon_units": "degrees_east",
            "geospatial_bounds_crs": "EPSG:4326",
            "time_coverage_start": moment(survey.first),
            "time_coverage_end": moment(survey.last),
        }
    return {name: encoded(value).decode() if isinstance(value, str) else value for name, value in said.items()}


def check(path: Path, source: Source) -> Report:
    """Opens the file again and holds it against CF, ACDD and the log."""
    import netCDF4
    import numpy as np

    report = Report("netcdf")
    placed = sum(row.place is not None for row in source.rows())
    with netCDF4.Dataset(path) as data:
        data.set_auto_mask(False)
        data.set_auto_chartostring(False)
        report.rule("it names its conventions", data.Conventions == CONVENTIONS and data.featureType == "point")
        report.count("placed events", data.dimensions["obs"].size, placed)
        time, lat, lon = (data[name][:] for name in ("time", "lat", "lon"))
        report.rule("no time or position is missing", bool(np.isfinite(time).all() and (abs(lat) <= 90).all()))
        report.rule("every longitude is on the globe", bool((abs(lon) <= 180).all()))
        report.rule("times are in order", bool((np.diff(time) >= 0).all()))
        faults = Faults()
        for name, variable in data.variables.items():
            if name in ("time", "lat", "lon", "crs"):
                continue
            if "long_name" not in variable.ncattrs() or variable.coordinates != "time lat lon":
                faults.add(name, "lacks its long name or its coordinates")
            if variable.dtype == np.float64 and "units" not in variable.ncattrs():
                faults.add(name, "lacks its units")
            if variable.dtype == np.float64 and not np.isfinite(variable[:]).all():
                faults.add(name, "holds what is no number")
        report.faults("every variable has a name, coordinates, units and finite values", faults)
        for name in ("action_code", "instrument_code", "position_method"):
            report.rule(f"{name}: every value has its meaning", _flags_fit(data[name], np))
        lacks = {"title", "summary", "keywords", "id", "date_modified", "platform"} - set(data.ncattrs())
        report.rule("the attributes of ACDD are there", not lacks, ", ".join(sorted(lacks)))
        ids = netCDF4.chartostring(data["event_id"][:])
        report.rule("every id comes once", len(set(ids.tolist())) == placed)
    if source.count - placed:
        report.notes.append(f"{source.count - placed:,} of {source.count:,} events have no position and are left out")
    return report


def _flags_fit(variable: Any, np: Any) -> bool:
    if "flag_values" not in variable.ncattrs():
        return not variable.size
    values = set(np.atleast_1d(variable.flag_values).tolist())
    meanings = variable.flag_meanings.split(" ")
    return len(values) == len(meanings) == len(set(meanings)) and set(variable[:].tolist()) <= {*values, -1}
