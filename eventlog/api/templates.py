"""The API of buttons: list, add, change, order, copy from another cruise, and what is unwise about them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import buttons
from eventlog.api.events import visible_log
from eventlog.models import Template
from eventlog.rows import template_row
from portal.openapi import Told, thing
from portal.refusals import NotFound

SHAPE = thing(
    uuid="uuid",
    instrument="string",
    action="string",
    kind="string",
    label="string",
    key="string",
    fields={
        "type": "array",
        "items": thing(
            name="string",
            label="string",
            type={"type": "string", "enum": ["text", "number", "choice", "checkbox"]},
            unit="string",
            choices="[string]",
            required="boolean",
            when=thing(field="string"),
        ),
    },
    order="integer",
    is_hidden="boolean",
)
LINT = thing(button="string", says="string")
LIST = {"type": "array", "items": SHAPE}


TAKES = {"type": "object", "properties": SHAPE["properties"] | {"reason": {"type": "string", "maxLength": 1000}}}
ORDER = {
    "type": "object",
    "required": ["order"],
    "properties": {"order": {"type": "array", "items": {"type": "string"}}},
}
COPY = {"type": "object", "required": ["from"], "properties": {"from": {"type": "string", "description": "cruise id"}}}


class ButtonList(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/templates`. The same `uuid` sent twice is one button."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Buttons of a log in their order", answer=LIST, query={"hidden": "yes: also hidden ones"}),
        "POST": Told("Add a button", answer=SHAPE, takes=TAKES, status=201, statuses={200: "It was added before."}),
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        rows = visible_log(request, cruise_id).templates.all()
        if request.query_params.get("hidden") != "yes":
            rows = rows.filter(is_hidden=False)
        return Response([template_row(row) for row in rows])

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        values, reason = _given(request)
        uuid = values.pop("uuid", None)
        key = serializers.UUIDField().run_validation(uuid) if uuid else None
        made, new = buttons.add(log=log, by=request.user, fields=values, uuid=key, reason=reason)
        return Response(template_row(made), status=201 if new else 200)


class ButtonDetail(APIView):
    """`GET` and `PATCH /api/v1/cruises/{cruise_id}/templates/{uuid}`. A button is hidden, never removed."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("One button", answer=SHAPE),
        "PATCH": Told("Change a button", answer=SHAPE, takes=TAKES),
    }

    def get(self, request: Request, cruise_id: str, uuid: str) -> Response:
        return Response(template_row(_button(request, cruise_id, uuid)))

    def patch(self, request: Request, cruise_id: str, uuid: str) -> Response:
        button = _button(request, cruise_id, uuid)
        values, reason = _given(request)
        return Response(template_row(buttons.amend(template=button, by=request.user, fields=values, reason=reason)))


class ButtonOrder(APIView):
    """`PUT /api/v1/cruises/{cruise_id}/templates/order`: their ids in the order in which they shall stand."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {"PUT": Told("Put the buttons in order", answer=LIST, takes=ORDER)}

    def put(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        ids = serializers.ListField(child=serializers.UUIDField(), max_length=buttons.MOST)
        given = request.data.get("order") if isinstance(request.data, dict) else None
        order = ids.run_validation(given)
        return Response([template_row(row) for row in buttons.arrange(log=log, by=request.user, order=order)])


class ButtonCopy(APIView):
    """`POST /api/v1/cruises/{cruise_id}/templates/copy`: the buttons of another cruise; said twice, nothing new."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {"POST": Told("Take over the buttons of a cruise", answer=LIST, takes=COPY)}

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        given = request.data.get("from", "") if isinstance(request.data, dict) else ""
        other = visible_log(request, serializers.CharField(max_length=32).run_validation(given))
        return Response([template_row(row) for row in buttons.copy_from(log=log, other=other, by=request.user)])


class ButtonLint(APIView):
    """`GET /api/v1/cruises/{cruise_id}/templates/lint`: what is unwise about the buttons; nothing is forbidden."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("What is unwise about the buttons", answer={"type": "array", "items": LINT})
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        return Response(buttons.lint(visible_log(request, cruise_id)))


def _given(request: Request) -> tuple[dict[str, Any], str]:
    if not isinstance(request.data, dict):
        raise serializers.ValidationError("Send an object with the fields of the button.")
    values = dict(request.data)
    reason = serializers.CharField(max_length=1000, allow_blank=True).run_validation(values.pop("reason", ""))
    return values, reason


def _button(request: Request, cruise_id: str, uuid: str) -> Template:
    log = visible_log(request, cruise_id)
    found = log.templates.select_related("log__cruise__vessel").filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such button in this log.")
    return found
