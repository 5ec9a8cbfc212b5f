"""Navigation of a distribution: the best feed becomes a clean track, control points in the database, and products."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
from django.conf import settings
from django.contrib.gis.geos import LineString, MultiLineString
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Subquery
from django.utils import timezone

from inventory import paths, scan
from inventory.coverage.along import Course
from inventory.models import Classification, Dataset, Distribution, File, Track, TrackProduct
from inventory.navigation import clean as cleaning
from inventory.navigation import control, geocsv, products, read
from inventory.navigation.clean import Cleaned
from inventory.navigation.extent import extent
from inventory.navigation.fixes import Fixes, ReadReport
from portal import access, journal
from portal.access import Actor
from portal.models import Cruise
from portal.refusals import NotNow
from portal.work import Progress


def waiting_to_navigate() -> list[str]:
    """Classified distributions in force whose track is missing or older than their classification."""
    numbers = Classification.objects.filter(distribution=OuterRef("pk")).order_by("-number").values("number")
    classified = Distribution.objects.filter(state="classified", cruise__approved_at__isnull=True)
    made = Track.objects.filter(distribution=OuterRef("pk"), classification=OuterRef("latest"))
    left = classified.annotate(latest=Subquery(numbers[:1])).exclude(Exists(made))
    return [str(pk) for pk in left.order_by("pk").values_list("pk", flat=True)]


def run(key: str, progress: Progress) -> None:
    """Job: makes the track of one distribution."""
    distribution = Distribution.objects.select_related("cruise__vessel").get(pk=key)
    if distribution.state != "classified" or key not in waiting_to_navigate():
        return
    progress.describe(f"Making the track of {distribution}", distribution.cruise, unit="feeds")
    make(distribution=distribution, by=access.WORKER, beat=progress.beat)


def feeds(distribution: Distribution) -> list[Dataset]:
    """Data sets that hold navigation: the ranked ones first, then satellite and inertial receivers."""
    standing = Dataset.objects.filter(cruise=distribution.cruise).standing()
    ranked = list(standing.filter(navigation_rank__isnull=False).order_by("navigation_rank", "label"))
    rest = standing.filter(navigation_rank__isnull=True, device_class__in=("gnss", "ins")).order_by(
        "device_class", "label"
    )
    return [*ranked, *rest]


def make(*, distribution: Distribution, by: Actor, beat: Callable[[], None] = lambda: None) -> Track:
    """Reads the feeds in their order until one gives a track; stores line, figures and products.

    A distribution whose feeds give no position gets a track without a line, and its report tells why.
    Raises NotYou, NotNow (not classified, directory gone).
    """
    access.require(by, "navigation.make", distribution)
    if distribution.state != "classified":
        raise NotNow(f"{distribution} is {distribution.state}; classify its files first.")
    tried: list[dict[str, Any]] = []
    for dataset in feeds(distribution):
        beat()
        fixes, report = _read(distribution, dataset)
        begins, ends = _bounds(distribution.cruise)
        cleaned = cleaning.clean(fixes, begins=begins, ends=ends)
        tried.append({"feed": dataset.name, "fixes": len(fixes), "good": int(cleaned.good.sum())})
        if cleaned.good.sum() >= 2:
            beat()
            return _store(distribution, dataset, fixes, cleaned, report, tried, by)
    return _store_nothing(distribution, tried, by)


def _bounds(cruise: Cruise) -> tuple[np.datetime64, np.datetime64]:
    """First and last moment of the cruise."""
    return np.datetime64(cruise.depart_date), np.datetime64(cruise.arrive_date + dt.timedelta(days=1))


def _read(distribution: Distribution, dataset: Dataset) -> tuple[Fixes, ReadReport]:
    """The fixes of a feed's files, in the order of their names, which carry the date."""
    root = Path(distribution.root)
    if not root.is_dir():
        raise NotNow(f"The directory {root} is not there any more. Mount the disk again.")
    rows = distribution.files.filter(dataset=dataset).exclude(state__in=("missing", "unreadable")).order_by("path")
    return read.read(_streams(root, rows))


def _streams(root: Path, rows: Iterable[File]) -> Iterable[BinaryIO]:
    for row in rows:
        try:
            stream = os.fdopen(scan.open_inside(root, row.path), "rb")
        except OSError as error:
            raise NotNow(f"{paths.display(row.path)} cannot be read: {error.strerror or error}") from error
        with stream:
            yield stream


def _line(points: products.Track) -> MultiLineString | None:
    lines = control.split(points.fixes.longitude, points.fixes.latitude)
    return MultiLineString([LineString(line) for line in lines], srid=4326) if lines else None


def _store(
    distribution: Distribution,
    dataset: Dataset,
    fixes: Fixes,
    cleaned: Cleaned,
    report: ReadReport,
    tried: Sequence[dict[str, Any]],
    by: Actor,
) -> Track:
    best = products.best_resolution(fixes, cleaned.good)
    minute = products.one_minute(best)
    points = products.control_points(minute)
    box = extent(best.fixes.longitude, best.fixes.latitude)
    figures = {
        "geometry": _line(points),
        "control_points": len(points),
        "tolerance_deg": control.TOLERANCE,
        "first_fix_at": _moment(best.fixes.time[0]),
        "last_fix_at": _moment(best.fixes.time[-1]),
        "fixes": len(fixes),
        "good_fixes": int(cleaned.good.sum()),
        "report": {
            "tried": list(tried),
            "read": asdict(report),
            "flagged": cleaned.counts,
            "longest_gap_s": cleaned.longest_gap_s,
            "acceleration_limit_ms2": cleaned.acceleration_limit,
            "thresholds": cleaning.describe(cleaning.Thresholds()),
        },
    }
    if box is not None:
        figures |= {"west": box.west, "south": box.south, "east": box.east, "north": box.north}
    origin = _origin(distribution, dataset)
    rows = [
        _product(
            distribution,
            "bestres",
            len(best),
            lambda s: geocsv.write_geocsv(s, "bestres", best, origin, flagged=fixes.take(~cleaned.good)),
        ),
        _product(distribution, "1min", len(minute), lambda s: geocsv.write_geocsv(s, "1min", minute, origin)),
        _product(distribution, "control", len(points), lambda s: geocsv.write_geocsv(s, "control", points, origin)),
    ]
    return _write_down(distribution, dataset, figures, rows, by)


def _store_nothing(distribution: Distribution, tried: Sequence[dict[str, Any]], by: Actor) -> Track:
    return _write_down(distribution, None, {"geometry": None, "report": {"tried": list(tried)}}, [], by)


@transaction.atomic
def _write_down(
    distribution: Distribution,
    dataset: Dataset | None,
    figures: dict[str, Any],
    rows: list[TrackProduct],
    by: Actor,
) -> Track:
    number = distribution.classifications.aggregate(Max("number"))["number__max"] or 0
    track, _ = Track.objects.update_or_create(
        distribution=distribution,
        defaults={
            "cruise": distribution.cruise,
            "dataset": dataset,
            "classification": number,
            "made_at": timezone.now(),
            **figures,
        },
    )
    track.products.all().delete()
    for row in rows:
        row.track = track
        row.save()
    journal.record(
        by,
        "navigation.make",
        distribution,
        note=str(dataset.name if dataset else "no feed gave a track"),
        changes={"fixes": [None, track.good_fixes], "control points": [None, track.control_points]},
    )
    return track


def _origin(distribution: Distribution, dataset: Dataset) -> geocsv.Origin:
    cruise = distribution.cruise
    return geocsv.Origin(
        attribution=settings.REPOSITORY_NAME,
        source_repository=settings.SITE_URL,
        source_event=f"cruise {cruise.cruise_id}",
        source_dataset=str(dataset.uuid),
        cruise_id=cruise.cruise_id,
        created_at=timezone.now(),
    )


def _product(distribution: Distribution, kind: str, rows: int, write: Callable[[TextIO], None]) -> TrackProduct:
    """Writes a product file beside its place and moves it there whole; the row that goes with it."""
    cruise_id = distribution.cruise.cruise_id
    place = Path("products") / cruise_id / f"shipment-{distribution.number}" / f"{cruise_id}_{kind}.geoCSV"
    target = settings.HOME / place
    target.parent.mkdir(parents=True, exist_ok=True)
    making = target.with_suffix(".part")
    with making.open("w", encoding="utf-8", newline="\n") as stream:
        write(stream)
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with making.open("rb") as file:
        while block := file.read(scan.BLOCK):
            md5.update(block)
            sha256.update(block)
    size = making.stat().st_size
    making.replace(target)
    return TrackProduct(
        kind=kind, path=str(place), rows=rows, size=size, md5=md5.hexdigest(), sha256=sha256.hexdigest()
    )


def _moment(time: np.datetime64) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(time.astype("datetime64[ms]").astype(np.int64)) / 1000, dt.UTC)


def in_force(cruise: Cruise) -> Track | None:
    """The track of the shipment in force, with or without a line."""
    return cruise.tracks.exclude(distribution__state="superseded").select_related("dataset").first()


def geojson(track: Track) -> dict[str, Any]:
    """The track as a GeoJSON feature, coordinates cut at 180°, with the figures as properties."""
    lines = [list(line) for line in track.geometry.coords] if track.geometry else []
    return products.to_geojson(
        lines,
        {
            "cruise_id": track.cruise.cruise_id,
            "first_fix": track.first_fix_at.isoformat() if track.first_fix_at else None,
            "last_fix": track.last_fix_at.isoformat() if track.last_fix_at else None,
            "control_points": track.control_points,
            "tolerance_deg": track.tolerance_deg,
        },
    )


def course(track: Track) -> Course:
    """The one-minute product as times and places; an empty one where there is no track or its file is gone."""
    product = track.products.filter(kind="1min").first()
    path = settings.HOME / product.path if product else None
    if path is None or not path.is_file():
        return Course()
    with path.open(encoding="utf-8") as stream:
        rows = geocsv.read_geocsv(stream).rows
    time = np.array([row[0].removesuffix("Z") for row in rows], "datetime64[ms]").astype(np.int64)
    longitude, latitude = (np.array([float(row[n]) for row in rows]) for n in (1, 2))
    order = np.argsort(time, kind="stable")
    return Course(time[order], longitude[order], latitude[order])
