"""The event log's API: events of a cruise, one event, and the log."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import logbook, rows
from eventlog.api.listing import QUERY, listing
from eventlog.models import Event, Log
from eventlog.navigation.positions import COLUMNS
from portal import access
from portal.api import visible_cruise
from portal.errors import problem
from portal.openapi import Told
from portal.refusals import Fault, NotLikeThis

TAG = re.compile(r'\A(?:W/)?"([1-9][0-9]{0,8})"\Z')


class EventSerializer(serializers.ModelSerializer):
    """An event as it stands. `author_name` is empty for those who are not of the cruise."""

    operation = serializers.UUIDField(source="operation.uuid", allow_null=True)
    measurements = serializers.SerializerMethodField()
    struck = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = [
            "uuid",
            *rows.PLAIN,
            "observed_at",
            "ended_at",
            "logged_at",
            "operation",
            "author_name",
            "device",
            "clock_offset_s",
            "comment",
            "extra",
            "source",
            "revision",
            "struck",
            *COLUMNS,
            "measurements",
        ]

    def get_measurements(self, event: Event) -> list[dict[str, str]]:
        return [
            {"source": m.source, "name": m.name, "value": m.value, "unit": m.unit} for m in event.measurements.all()
        ]

    def get_struck(self, event: Event) -> bool:
        return event.struck_at is not None

    def to_representation(self, instance: Event) -> dict[str, Any]:
        return rows.event_row(instance, names=bool(self.context.get("names")))


class EventInput(serializers.Serializer):
    """What a program sends. Unknown fields are refused, so that a misspelt one is not lost in silence."""

    uuid = serializers.UUIDField(required=False)
    observed_at = serializers.DateTimeField(required=False)
    instrument = serializers.CharField(max_length=120)
    action = serializers.CharField(max_length=120)
    transect = serializers.CharField(max_length=80, required=False, allow_blank=True)
    station = serializers.CharField(max_length=80, required=False, allow_blank=True)
    cast = serializers.CharField(max_length=40, required=False, allow_blank=True)
    latitude = serializers.FloatField(required=False, allow_null=True)
    longitude = serializers.FloatField(required=False, allow_null=True)
    seafloor_m = serializers.FloatField(required=False, allow_null=True)
    comment = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    revision = serializers.IntegerField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = set(self.initial_data) - set(self.fields)
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "There is no such field."))
        return attrs


def readable_log(request: Request, cruise_id: str) -> Log:
    """The log, for those who are told who wrote what: people are in names, in photos, and in what is still to do."""
    log = visible_log(request, cruise_id)
    access.require(request.user, "eventlog.read", log)
    return log


def shown(request: Request, log: Log) -> dict[str, bool]:
    """The serializer context: whether the caller is told who wrote what."""
    return {"names": access.may(request.user, "eventlog.read", log)}


def visible_log(request: Request, cruise_id: str) -> Log:
    """The log of a cruise that the caller may see. Raises NotFound (404) for any other."""
    cruise = visible_cruise(request, cruise_id)
    log = Log.objects.visible_to(request.user).filter(cruise=cruise).select_related("cruise__vessel").first()
    if log is None:
        raise exceptions.NotFound(f"There is no event log of {cruise} that you may see; it may not be open yet.")
    return log


class LogDetail(APIView):
    """`GET /api/v1/cruises/{cruise_id}/log`: state, counts and final copies."""

    permission = "public"

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        copies = log.final_copies.defer("data").values("name", "format", "size", "md5", "sha256", "events", "made_at")
        return Response(
            {
                "cruise_id": log.cruise.cruise_id,
                "state": log.state,
                "since": log.since,
                "opened_at": log.opened_at,
                "closed_at": log.closed_at,
                "events": log.events.standing().count(),
                "final_copies": list(copies),
            }
        )


class EventList(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/events`.

    A `GET` takes the filter of the answer box, an order and chosen fields, and answers 304 for a known ETag.
    A `POST` with a `uuid` that is known already answers 200 with the event as it stands, and records nothing.
    """

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Events of a cruise", answer=EventSerializer, many=True, query=QUERY),
        "POST": Told(
            "Record an event",
            takes=EventInput,
            answer=EventSerializer,
            status=201,
            statuses={200: "It was recorded before."},
        ),
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        return listing(request, visible_log(request, cruise_id), self)

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        given = EventInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        now = timezone.now()
        event, new = logbook.record(
            log=log,
            by=request.user,
            fields={"observed_at": now, **values},
            uuid=values.get("uuid"),
            source="api",
        )
        body = EventSerializer(event, context=shown(request, log)).data
        return Response(body, status=201 if new else 200, headers={"Location": f"/api/v1/events/{event.uuid}"})


class EventDetail(APIView):
    """`GET`, `PATCH` and `DELETE /api/v1/events/{uuid}`. Deleting strikes; nothing is ever removed."""

    permission = "public"
    scope = "events:write"

    def _event(self, request: Request, uuid: str) -> Event:
        events = Event.objects.visible_to(request.user).select_related("log__cruise__vessel", "operation")
        event = events.filter(uuid=uuid).first()
        if event is None:
            raise exceptions.NotFound("There is no such event, or none that you may see.")
        visible_cruise(request, event.log.cruise.cruise_id)
        return event

    def get(self, request: Request, uuid: str) -> Response:
        event = self._event(request, uuid)
        if request.headers.get("If-None-Match", "") in _tags(event):
            return _tagged(Response(status=304), event)
        return self._answer(request, event)

    def patch(self, request: Request, uuid: str) -> Response:
        event = self._event(request, uuid)
        given = EventInput(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        reason, seen = values.pop("reason", ""), values.pop("revision", None)
        wanted = if_match(request)
        try:
            event = logbook.revise(
                event=event, by=request.user, fields=values, reason=reason, seen=seen if wanted is None else wanted
            )
        except logbook.Conflict as conflict:
            return _failed_match(conflict, wanted)
        return self._answer(request, event)

    def delete(self, request: Request, uuid: str) -> Response:
        event = self._event(request, uuid)
        wanted, reason = if_match(request), request.query_params.get("reason", "")
        try:
            event = logbook.strike(event=event, by=request.user, reason=reason, seen=wanted)
        except logbook.Conflict as conflict:
            return _failed_match(conflict, wanted)
        return self._answer(request, event)

    def _answer(self, request: Request, event: Event) -> Response:
        return _tagged(Response(EventSerializer(event, context=shown(request, event.log)).data), event)


def if_match(request: Request) -> int | None:
    """The revision that `If-Match: "3"` names; None without the header, or for `*`. Raises NotLikeThis (422)."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    if found := TAG.match(text):
        return int(found[1])
    raise NotLikeThis("The request is not accepted.", [Fault("If-Match", 'is not the ETag of an event, as "3"')])


def _tags(event: Event) -> tuple[str, str]:
    return f'"{event.revision}"', f'W/"{event.revision}"'


def _tagged(response: Response, event: Event) -> Response:
    response["ETag"] = _tags(event)[0]
    return response


def _failed_match(conflict: logbook.Conflict, wanted: int | None) -> Response:
    """The conflict as 412 where the caller named a revision in If-Match, else as 409; with both versions."""
    if wanted is None:
        raise conflict
    body = problem(conflict) | {"status": 412}
    return _tagged(Response(body, status=412, content_type="application/problem+json"), conflict.event)
