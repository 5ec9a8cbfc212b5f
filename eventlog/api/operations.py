"""The API of operations: the list, one with its events, and the board of what is open."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import operations
from eventlog.api.events import visible_log
from eventlog.models import Log, Operation
from portal.authentication import Pages
from portal.openapi import Told, thing
from portal.refusals import NotFound

STEP = thing(action="string", label="string", closes="boolean", template="uuid?")
STEPS = {"type": "array", "items": STEP}
SHAPE = thing(
    uuid="uuid",
    kind="string",
    kind_name="string",
    instrument="string",
    cast="string",
    station="string",
    state="string",
    started_at={"type": ["string", "null"], "format": "date-time"},
    ended_at={"type": ["string", "null"], "format": "date-time"},
    is_open="boolean",
    comment="string",
    revision="integer",
    next=STEPS,
    rests="boolean",
)
ON_BOARD = {
    "type": "object",
    "properties": SHAPE["properties"]
    | thing(elapsed_s="integer", in_state_s="integer", expected_s="integer?", asks="boolean")["properties"],
}
IDLE = thing(instrument="string", kind="string", kind_name="string", next=STEPS, last=SHAPE)
BOARD = thing(
    at="date-time",
    open={"type": "array", "items": ON_BOARD},
    resting={"type": "array", "items": ON_BOARD},
    more="integer",
    idle={"type": "array", "items": IDLE},
    station="string",
)


class Comment(serializers.Serializer):
    """What a person says of an operation as a whole; the rest follows from its events."""

    comment = serializers.CharField(max_length=operations.LONGEST_COMMENT, allow_blank=True)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class OperationList(APIView):
    """`GET /api/v1/cruises/{cruise_id}/operations`: the operations of a log, the latest first."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Operations of a log, the latest first",
            answer=SHAPE,
            many=True,
            query={
                "open": "yes: only those that run",
                "instrument": "of this instrument",
                "kind": "of this kind, as ctd or net",
                "station": "at this station",
                "cast": "with this number",
            },
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        rows: Any = log.operations.exclude(state=operations.STRUCK)
        for name in ("instrument", "kind", "station", "cast"):
            if value := request.query_params.get(name):
                rows = rows.filter(**{name: value})
        if request.query_params.get("open") == "yes":
            rows = rows.filter(is_open=True)
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([operations.shown(row) for row in page])


class OperationDetail(APIView):
    """`GET` and `PATCH /api/v1/cruises/{cruise_id}/operations/{uuid}`.

    Only the comment can be set: state, times, cast and station follow from the events.
    """

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "One operation, with the ids of its standing events in their order",
            answer={**SHAPE, "properties": SHAPE["properties"] | {"events": {"type": "array", "items": {}}}},
        ),
        "PATCH": Told("Say something of an operation as a whole", answer=SHAPE, takes=Comment),
    }

    def get(self, request: Request, cruise_id: str, uuid: str) -> Response:
        operation = _operation(visible_log(request, cruise_id), uuid)
        events = operation.events.standing().in_order().values("uuid", "observed_at", "action")
        return Response(operations.shown(operation) | {"events": list(events)})

    def patch(self, request: Request, cruise_id: str, uuid: str) -> Response:
        operation = _operation(visible_log(request, cruise_id), uuid)
        given = Comment(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        made = operations.remark(
            operation=operation, by=request.user, comment=values["comment"], reason=values.get("reason", "")
        )
        return Response(operations.shown(made))


class Board(APIView):
    """`GET /api/v1/cruises/{cruise_id}/operations/board`: what is open since when, what comes next, what is idle."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {"GET": Told("The board of operations", answer=BOARD)}

    def get(self, request: Request, cruise_id: str) -> Response:
        return Response(operations.board(visible_log(request, cruise_id), timezone.now()))


def _operation(log: Log, uuid: str) -> Operation:
    found = log.operations.filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such operation in this log.")
    return found
