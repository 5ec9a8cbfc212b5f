"""The inventory's part of the API that finds files by area and period, and names the areas."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory import questions, searching
from inventory.models import Area, Coverage
from portal.authentication import Pages
from portal.openapi import Told, thing

FILE = thing(
    cruise="string",
    dataset="uuid",
    device_class="string",
    path="string",
    size="integer?",
    sha256="string",
    first="date-time?",
    last="date-time?",
    geometry={"type": ["object", "null"], "description": "GeoJSON: a point, or lines cut at 180 degrees"},
    derived="boolean",
    format="string",
    instrument="string",
)

AREA = thing(
    uuid="uuid",
    name="string",
    kind="string",
    source="string",
    licence="string",
    points="integer",
    tolerance_deg="number",
)


class FileSearch(APIView):
    """`GET /api/v1/files?bbox=&polygon=&area=&from=&to=&class=&vessel=&unplaced=`: files measured there and then.

    At least an area or a period. The answer counts and gives the first 5,000; `/files.csv` and `/files.geojson` take
    the same words and give all.
    """

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Files measured in an area and a period",
            answer=FILE,
            many=True,
            query={
                "bbox": "west,south,east,north in degrees; west greater than east across 180",
                "polygon": "WKT or GeoJSON, longitude before latitude",
                "area": "id or name of a named area",
                "from": "day or time, UTC",
                "to": "day or time, UTC",
                "class": "device class",
                "vessel": "vessel id",
                "unplaced": ("also files of the period without a known position", "boolean"),
            },
        )
    }

    def get(self, request: Request) -> Response:
        answer = searching.first(questions.asked(request.query_params), request.user, searching.MOST)
        pages = Pages()
        page: Any = pages.paginate_queryset(cast("Any", answer.keys), request, view=self)
        return pages.get_paginated_response([_told(row) for row in searching.rows_of(page or [], request.user)])


class AreaList(APIView):
    """`GET /api/v1/areas?kind=`: the named areas that files are looked for in."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Named areas", answer=AREA, many=True, query={"kind": "eez, sanctuary, sea, study or other"})
    }

    def get(self, request: Request) -> Response:
        rows: Any = Area.objects.defer("geometry")
        if kind := request.query_params.get("kind"):
            rows = rows.filter(kind=kind)
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        names = ("uuid", "name", "kind", "source", "licence", "points", "tolerance_deg")
        return pages.get_paginated_response([{name: getattr(row, name) for name in names} for row in page or []])


def _told(row: Coverage) -> dict[str, Any]:
    file, dataset = row.file, row.file.dataset
    assert dataset is not None
    return {
        "cruise": dataset.cruise.cruise_id,
        "dataset": str(dataset.uuid),
        "device_class": dataset.device_class,
        "path": file.path,
        "size": file.size,
        "sha256": file.sha256,
        "first": row.first_at,
        "last": row.last_at,
        "geometry": searching.geometry_of(row),
        "derived": row.derived,
        "format": row.format,
        "instrument": row.instrument,
    }
