"""The inventory's part of the API that tells of a cruise's data sets."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory import footprints
from inventory.models import Dataset, Footprint
from portal.authentication import Pages
from portal.openapi import Told, thing
from portal.views.doors import cruise_of

DATASET = thing(
    uuid="uuid",
    cruise="string",
    name="string",
    device_class="string",
    vendor="string",
    model="string",
    format="string",
    state="string",
    first="date-time?",
    last="date-time?",
    bbox={"type": ["array", "null"], "description": "west, south, east, north; west greater than east across 180"},
    geometry={"type": ["object", "null"], "description": "GeoJSON: lines cut at 180 degrees, and places"},
    tolerance_deg="number?",
    files_placed="integer",
    files_derived="integer",
)


class DatasetList(APIView):
    """`GET /api/v1/cruises/{id}/datasets`: the data sets of a cruise, each with its period and its footprint."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Data sets of a cruise with period and footprint", answer=DATASET, many=True)
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        cruise = cruise_of(request, cruise_id)
        rows = Dataset.objects.visible_to(request.user).standing().filter(cruise=cruise)
        pages = Pages()
        page = pages.paginate_queryset(rows.select_related("footprint", "cruise"), request, view=self)
        return pages.get_paginated_response([_told(row) for row in page or []])


def _told(dataset: Dataset) -> dict[str, Any]:
    made: Footprint | None = getattr(dataset, "footprint", None)
    return {
        "uuid": dataset.uuid,
        "cruise": dataset.cruise.cruise_id,
        "name": dataset.name,
        "device_class": dataset.device_class,
        "vendor": dataset.make,
        "model": dataset.model,
        "format": dataset.file_format,
        "state": dataset.state,
        "first": dataset.first_at,
        "last": dataset.last_at,
        "bbox": made.extent if made else None,
        "geometry": footprints.geojson(made) if made else None,
        "tolerance_deg": made.tolerance_deg if made else None,
        "files_placed": made.files if made else 0,
        "files_derived": made.derived if made else 0,
    }
