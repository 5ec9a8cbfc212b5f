"""The inventory's part of the API that looks back: the history of a path."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory import history
from portal.api import visible_cruise
from portal.openapi import Told, thing
from portal.refusals import NotFound

STEP = thing(
    shipment="integer",
    received_at="date-time",
    word={"type": "string", "enum": ["came", "same", "changed", "vanished", "absent", "came back", "there"]},
    size="integer?",
    hashes={"type": "object", "additionalProperties": {"type": "string"}},
    state="string?",
    note="string",
)


class PathHistory(APIView):
    """`GET /api/v1/cruises/{cruise_id}/history?path=…`: what became of a path in each shipment."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "History of a path over the shipments of a cruise, oldest first",
            answer=thing(cruise="string", path="string", history={"type": "array", "items": STEP}),
            query={"path": "the path inside the distribution, as the inventory's CSV writes it"},
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        cruise = visible_cruise(request, cruise_id)
        path = request.query_params.get("path", "").replace("\0", "")
        try:
            steps = history.of_path(cruise, path)
        except NotFound as refusal:
            raise exceptions.NotFound(refusal.reason) from refusal
        return Response({"cruise": cruise.cruise_id, "path": path, "history": history.as_json(steps)})
