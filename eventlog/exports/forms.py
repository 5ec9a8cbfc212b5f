"""The forms in which a log is exported: what each is called, for whom it is, who writes it and who checks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eventlog.exchange.exports import (
    darwincore,
    geojson,
    geopackage,
    netcdf,
    printed,
    r2r_check,
    stationtable,
    strictcsv,
)
from eventlog.exchange.exports.checking import Report
from eventlog.exchange.exports.shape import Source
from eventlog.exchange.r2r import write_to
from portal.refusals import NotFound

Writer = Callable[[Path, Source], None]
Checker = Callable[[Path, Source], Report]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of export. `most` is the greatest number of events that it takes, where there is one."""

    name: str
    title: str
    purpose: str
    media_type: str
    ending: str
    write: Writer | None  # None: the whole log's own document, which `making` writes
    check: Checker | None
    struck: bool = False
    is_costly: bool = False  # takes long to make: for those of the cruise alone
    most: int | None = None


def _write_r2r(path: Path, source: Source) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        write_to(file, source.plain(), source.facts.cruise_id)


FORMS = {
    form.name: form
    for form in (
        Form(
            "r2r-csv",
            "R2R event log",
            "For R2R, BCO-DMO and everybody who reads the event logs of the US academic fleet.",
            "text/csv; charset=utf-8",
            "_eventlog.csv",
            _write_r2r,
            r2r_check.check,
        ),
        Form(
            "csv",
            "Strict CSV",
            "For R, Python, MATLAB and databases: every column, units in the header, one type a column.",
            "text/csv; charset=utf-8",
            "_events.csv",
            strictcsv.write,
            strictcsv.check,
        ),
        Form(
            "csvw",
            "CSVW metadata",
            "Describes the strict CSV to programs: types, units, bounds and meaning of every column.",
            "application/csvm+json",
            "_events.csv-metadata.json",
            strictcsv.write_metadata,
            strictcsv.check_metadata,
        ),
        Form(
            "csvw-zip",
            "Strict CSV with its metadata",
            "For archives: events, measurements and their CSVW metadata in one ZIP.",
            "application/zip",
            "_events_csvw.zip",
            strictcsv.write_packed,
            strictcsv.check_packed,
        ),
        Form(
            "json",
            "Leadline's own JSON",
            "For another Leadline, and for programs that want everything.",
            "application/json",
            "_eventlog.json",
            None,
            None,
        ),
        Form(
            "geojson",
            "GeoJSON",
            "For maps on the web and quick looks: events as points.",
            "application/geo+json",
            "_events.geojson",
            geojson.write,
            geojson.check,
        ),
        Form(
            "gpkg",
            "GeoPackage",
            "For QGIS, ArcGIS and GDAL: events, operations as lines, stations, measurements, in one file.",
            "application/geopackage+sqlite3",
            "_events.gpkg",
            geopackage.write,
            geopackage.check,
        ),
        Form(
            "netcdf",
            "NetCDF, CF points",
            "For ERDDAP, THREDDS, xarray and Panoply: events with a position, CF-1.8 and ACDD-1.3.",
            "application/x-netcdf",
            "_events.nc",
            netcdf.write,
            netcdf.check,
        ),
        Form(
            "dwc",
            "Darwin Core Archive",
            "For OBIS and GBIF: cruise, operations and events as an Event core, to hang occurrences on.",
            "application/zip",
            "_dwca.zip",
            darwincore.write,
            darwincore.check,
        ),
        Form(
            "stations",
            "Station table",
            "For the cruise report: each cast and station with begin, bottom and end, positions and depth.",
            "text/csv; charset=utf-8",
            "_stations.csv",
            stationtable.write,
            stationtable.check,
        ),
        Form(
            "html",
            "Printable log",
            "For reading and keeping: a section a day, struck events and every change marked.",
            "text/html; charset=utf-8",
            "_eventlog.html",
            printed.write,
            printed.check,
            struck=True,
        ),
        Form(
            "pdf",
            "Printed log",
            "The same on paper: a page begins every day, page numbers, and the chain's last link in the foot.",
            "application/pdf",
            "_eventlog.pdf",
            printed.write_pdf,
            printed.check_pdf,
            struck=True,
            is_costly=True,
            most=2000,
        ),
    )
}


def form(name: str) -> Form:
    """The form of this name. Raises NotFound, naming those that there are."""
    if name not in FORMS:
        raise NotFound(f"The log is not exported as {name!r}; write one of {', '.join(FORMS)}.")
    return FORMS[name]
