"""The API of stations and transects: list, near-duplicates while one types, add, amend, merge."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import places
from eventlog.api.events import visible_log
from eventlog.models import Log, Place
from eventlog.rows import place_row
from portal.authentication import Pages
from portal.openapi import Told, thing
from portal.refusals import Fault, NotFound, NotLikeThis

SHAPE = thing(
    uuid="uuid",
    kind="string",
    name="string",
    aliases="[string]",
    latitude="number?",
    longitude="number?",
    end_latitude="number?",
    end_longitude="number?",
    depth_m="number?",
    is_planned="boolean",
    comment="string",
    merged_into="uuid?",
    revision="integer",
)
NEAR = thing(place=SHAPE, name="string", score="number", why="string", distance_m="integer?")


class PlaceFields(serializers.Serializer):
    """What is said of a station, or of a transect with its end. Degrees north and east, metres."""

    name = serializers.CharField(max_length=places.LONGEST_NAME)
    aliases = serializers.ListField(child=serializers.CharField(max_length=80), required=False, max_length=50)
    latitude = serializers.FloatField(required=False, allow_null=True)
    longitude = serializers.FloatField(required=False, allow_null=True)
    end_latitude = serializers.FloatField(required=False, allow_null=True)
    end_longitude = serializers.FloatField(required=False, allow_null=True)
    depth_m = serializers.FloatField(required=False, allow_null=True)
    comment = serializers.CharField(max_length=places.LONGEST_COMMENT, required=False, allow_blank=True)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(self.initial_data) - set(self.fields):
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "There is no such field."))
        return attrs


class PlaceInput(PlaceFields):
    """A new place; its `uuid` is made where it is added."""

    uuid = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(places.KINDS, default="station")


class PlaceChange(PlaceFields):
    """Fields to change; `revision` is the one that was looked at."""

    revision = serializers.IntegerField(required=False)


class MergeInput(serializers.Serializer):
    """Into which place, and why."""

    into = serializers.UUIDField()
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class PlaceList(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/places`.

    With `near=` (and, where it is known, `latitude` and `longitude`): the known places that this name may mean, the
    likeliest first, each with the reason. A `POST` with a `uuid` that is known answers 200 and adds nothing.
    """

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Stations and transects of a log; with `near`, those that a name may mean",
            answer={"oneOf": [SHAPE, NEAR]},
            many=True,
            query={
                "kind": "station or transect",
                "near": "a name as somebody types it",
                "latitude": ("of the event, degrees north", "number"),
                "longitude": ("of the event, degrees east", "number"),
                "merged": "yes: also those that were merged into others",
            },
        ),
        "POST": Told(
            "Add a station or a transect",
            answer=SHAPE,
            takes=PlaceInput,
            status=201,
            statuses={200: "It was added before."},
        ),
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        asked = request.query_params
        if "near" in asked:
            kind = asked.get("kind", "station")
            rows = places.near(log, asked["near"][: places.LONGEST_NAME], _position(asked), kind)
            found = [row | {"place": place_row(row["place"])} for row in rows]
            return Response({"count": len(found), "next": None, "previous": None, "results": found})
        rows_of_log: Any = log.places.select_related("merged_into")
        if "kind" in asked:
            rows_of_log = rows_of_log.filter(kind=asked["kind"])
        if asked.get("merged") != "yes":
            rows_of_log = rows_of_log.filter(merged_into__isnull=True)
        pages = Pages()
        page = pages.paginate_queryset(rows_of_log, request, view=self) or []
        return pages.get_paginated_response([place_row(row) for row in page])

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        given = PlaceInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        uuid, kind, reason = values.pop("uuid", None), values.pop("kind"), values.pop("reason", "")
        place, new = places.add(log=log, by=request.user, fields=values, kind=kind, uuid=uuid, reason=reason)
        return Response(place_row(place), status=201 if new else 200)


class PlaceDetail(APIView):
    """`GET` and `PATCH /api/v1/cruises/{cruise_id}/places/{uuid}`. A new name is given to the events of the old one."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("One station or transect", answer=SHAPE),
        "PATCH": Told("Change a station or transect", answer=SHAPE, takes=PlaceChange),
    }

    def get(self, request: Request, cruise_id: str, uuid: str) -> Response:
        return Response(place_row(_place(visible_log(request, cruise_id), uuid)))

    def patch(self, request: Request, cruise_id: str, uuid: str) -> Response:
        place = _place(visible_log(request, cruise_id), uuid)
        given = PlaceChange(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        reason, seen = values.pop("reason", ""), values.pop("revision", None)
        made = places.amend(place=place, by=request.user, fields=values, reason=reason, seen=seen)
        return Response(place_row(made))


class PlaceMerge(APIView):
    """`POST /api/v1/cruises/{cruise_id}/places/{uuid}/merge`: this place is another one; its events get that name."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "POST": Told("Merge a place into another; answers the other", answer=SHAPE, takes=MergeInput)
    }

    def post(self, request: Request, cruise_id: str, uuid: str) -> Response:
        log = visible_log(request, cruise_id)
        given = MergeInput(data=request.data)
        given.is_valid(raise_exception=True)
        into = log.places.filter(uuid=given.validated_data["into"]).first()
        if into is None:
            raise NotLikeThis("These places are not merged.", [Fault("into", "is no place of this log")])
        reason = given.validated_data.get("reason", "")
        return Response(place_row(places.merge(place=_place(log, uuid), into=into, by=request.user, reason=reason)))


def _place(log: Log, uuid: str) -> Place:
    found = log.places.select_related("merged_into", "log__cruise__vessel").filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such place in this log.")
    return found


def _position(asked: Any) -> tuple[float, float] | None:
    if not asked.get("latitude") or not asked.get("longitude"):
        return None
    field = serializers.FloatField
    values = {"latitude": (90, asked["latitude"]), "longitude": (180, asked["longitude"])}
    found = [field(min_value=-most, max_value=most).run_validation(text) for most, text in values.values()]
    return found[0], found[1]
