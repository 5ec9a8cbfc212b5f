"""The footprints of a distribution's data sets, made of what is known of their files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.gis.geos import GeometryCollection, GEOSGeometry, LineString, MultiLineString, MultiPoint, Point
from django.db.models import Q
from django.utils import timezone

from inventory.coverage.footprint import Gathering
from inventory.models import Coverage, Dataset, Distribution, Footprint

BATCH = 2000


def make(distribution: Distribution, window: tuple[int, int], beat: Callable[[], object]) -> None:
    """Makes the footprint of each data set anew, of files within the window (first and last ms since 1970) or untimed.

    What stands in an approved record is not changed; what is not known yet is filled in.
    """
    datasets = Dataset.objects.filter(cruise=distribution.cruise_id)
    if distribution.cruise.approved_at:
        datasets = datasets.filter(footprint__isnull=True)
    begin, end = (dt.datetime.fromtimestamp(ms / 1000, dt.UTC) for ms in window)
    inside = Q(first_at__isnull=True) | Q(last_at__gte=begin, first_at__lte=end)
    for pk in list(datasets.values_list("pk", flat=True)):
        rows = Coverage.objects.filter(inside, distribution=distribution, file__dataset=pk, geometry__isnull=False)
        gathering, files, derived = Gathering(), 0, 0
        for shape, along in rows.order_by("first_at", "pk").values_list("geometry", "derived").iterator(BATCH):
            gathering.add(_lines(shape))
            files, derived = files + 1, derived + along
            if files % BATCH == 0:
                beat()
        _keep(pk, gathering, files, derived)
        beat()


def _lines(shape: Any) -> list[Any]:
    return [(shape.coords,)] if shape.geom_type == "Point" else list(shape.coords)


def _keep(dataset: int, gathering: Gathering, files: int, derived: int) -> None:
    lines, places = gathering.done()
    if not lines and not places:
        Footprint.objects.filter(dataset=dataset).delete()
        return
    made: list[GEOSGeometry] = []
    if lines:
        made.append(MultiLineString([LineString(line) for line in lines], srid=4326))
    if places:
        made.append(MultiPoint([Point(place) for place in places], srid=4326))
    Footprint.objects.update_or_create(
        dataset_id=dataset,
        defaults={
            "geometry": made[0] if len(made) == 1 else GeometryCollection(made, srid=4326),
            "files": files,
            "derived": derived,
            "tolerance_deg": gathering.tolerance,
            "made_at": timezone.now(),
        },
    )


def geojson(made: Footprint) -> dict[str, Any]:
    """The geometry of a footprint as GeoJSON."""
    shapes = list(_shapes(made.geometry))
    return shapes[0] if len(shapes) == 1 else {"type": "GeometryCollection", "geometries": shapes}


def _shapes(geometry: Any) -> Iterator[dict[str, Any]]:
    for one in geometry if geometry.geom_type == "GeometryCollection" else [geometry]:
        yield {"type": one.geom_type, "coordinates": one.coords}


def features(made: Footprint) -> dict[str, Any]:
    """A footprint as a GeoJSON collection: its lines, and each place by itself."""
    rows: list[dict[str, Any]] = []
    for shape in _shapes(made.geometry):
        if shape["type"] == "MultiPoint":
            rows += [{"type": "Point", "coordinates": place} for place in shape["coordinates"]]
        else:
            rows.append(shape)
    properties = {"label": made.dataset.name}
    return {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": row, "properties": properties} for row in rows],
    }
