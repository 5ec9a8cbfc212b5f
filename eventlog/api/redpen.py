"""The API of the red pen: one event while it is typed, and everything of a log that is still to be looked at."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import items, logbook, redpen
from eventlog.api.events import readable_log, visible_log
from portal import access
from portal.openapi import Told, thing
from portal.refusals import Fault, NotFound, NotLikeThis

FINDING = thing(
    key="string",
    code="string",
    severity={"type": "string", "enum": ["error", "warning", "hint"]},
    sentence="string",
    events="[uuid]",
    operations="[uuid]",
    fixes={"type": "array", "items": {"type": "object", "description": "a call that is ready: label, verb, …"}},
)
FINDINGS = thing(findings={"type": "array", "items": FINDING}, count="integer")
CHECK = {
    "type": "object",
    "required": ["fields"],
    "properties": {
        "fields": {"type": "object", "description": "those of an event, as far as they are typed"},
        "uuid": {"type": "string", "format": "uuid", "description": "of an event that is being changed"},
    },
}


class Fixing(serializers.Serializer):
    """Which of the finding's fixes, from 0; what it asks for; and why."""

    fix = serializers.IntegerField(min_value=0, max_value=50)
    observed_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class Dismissing(serializers.Serializer):
    """Why the finding is right as it stands."""

    reason = serializers.CharField(max_length=1000)


class EventCheck(APIView):
    """`POST /api/v1/cruises/{cruise_id}/events:check`: what the red pen says of an event; nothing is recorded."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "POST": Told("What the red pen says of an event that is typed", answer=FINDINGS, takes=CHECK)
    }

    def post(self, request: Request, cruise_id: str) -> Response:
        log = readable_log(request, cruise_id)
        body = request.data
        if not isinstance(body, dict) or set(body) - {"fields", "uuid"}:
            raise NotLikeThis(
                "The event is not looked at.", [Fault("", "send an object with fields, and perhaps uuid")]
            )
        fields = items.read_fields(body.get("fields", {}), "fields", logbook.FIELDS)
        uuid = serializers.UUIDField().run_validation(body["uuid"]) if body.get("uuid") else None
        found = redpen.while_typing(log, fields, uuid=uuid)
        return Response({"findings": [finding.as_json() for finding in found], "count": len(found)})


class FindingList(APIView):
    """`GET /api/v1/cruises/{cruise_id}/findings`: what is still to be looked at, the gravest first."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "What is still to be looked at in a log",
            answer=FINDINGS,
            query={
                "severity": "error, warning or hint",
                "code": "as no-end or jump",
                "closing": "yes: as if the log were closed now",
                "dismissed": "yes: also what was dismissed",
            },
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = readable_log(request, cruise_id)
        asked = request.query_params
        found = redpen.look(log, closing=asked.get("closing") == "yes", all_of_them=asked.get("dismissed") == "yes")
        for name in ("severity", "code"):
            if value := asked.get(name):
                found = [finding for finding in found if getattr(finding, name) == value]
        return Response({"findings": [finding.as_json() for finding in found], "count": len(found)})


class FindingFix(APIView):
    """`POST /api/v1/cruises/{cruise_id}/findings/{key}/fix`: makes one of the calls that a finding offers."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {"POST": Told("Fix a finding", answer=thing(done="string"), takes=Fixing)}

    def post(self, request: Request, cruise_id: str, key: str) -> Response:
        log = visible_log(request, cruise_id)
        access.require(request.user, "eventlog.revise", log)
        given = Fixing(data=request.data)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        finding = redpen.finding_of(log, key)
        if values["fix"] >= len(finding.fixes):
            raise NotFound("The finding has no such fix.")
        done = redpen.fix(
            log=log,
            call=finding.fixes[values["fix"]],
            by=request.user,
            said={"observed_at": values.get("observed_at")},
            reason=values.get("reason", ""),
        )
        return Response({"done": done})


class FindingDismiss(APIView):
    """`POST` and `DELETE /api/v1/cruises/{cruise_id}/findings/{key}/dismiss`: it is right as it is; or not so."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "POST": Told("Dismiss a finding", answer=thing(done="string"), takes=Dismissing),
        "DELETE": Told("Take a dismissal back", answer=thing(done="string")),
    }

    def post(self, request: Request, cruise_id: str, key: str) -> Response:
        log = visible_log(request, cruise_id)
        access.require(request.user, "eventlog.revise", log)
        given = Dismissing(data=request.data)
        given.is_valid(raise_exception=True)
        finding = redpen.finding_of(log, key)
        redpen.dismiss(log=log, finding=finding, by=request.user, reason=given.validated_data["reason"])
        return Response({"done": "The finding is dismissed."})

    def delete(self, request: Request, cruise_id: str, key: str) -> Response:
        log = visible_log(request, cruise_id)
        redpen.recall(log=log, key=key, by=request.user)
        return Response({"done": "The finding is back on the list."})
