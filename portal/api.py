"""The ground's own API: cruises."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.authentication import Pages, check_cruise
from portal.models import Cruise
from portal.openapi import Told, thing

PEOPLE = {"type": "array", "items": thing(name="string", institution="string", orcid="string")}


class CruiseSerializer(serializers.ModelSerializer):
    """A cruise as everybody may see it."""

    vessel = serializers.CharField(source="vessel.name")
    vessel_id = serializers.CharField()
    operator = serializers.CharField(source="vessel.operator.name")
    depart_port = serializers.CharField(source="depart_port.name")
    arrive_port = serializers.CharField(source="arrive_port.name")
    chief_scientists = serializers.SerializerMethodField()

    class Meta:
        model = Cruise
        fields: ClassVar[list[str]] = [
            "uuid",
            "cruise_id",
            "title",
            "summary",
            "kind",
            "vessel",
            "vessel_id",
            "operator",
            "depart_date",
            "depart_port",
            "arrive_date",
            "arrive_port",
            "chief_scientists",
            "state",
            "since",
        ]

    @extend_schema_field(PEOPLE)
    def get_chief_scientists(self, cruise: Cruise) -> list[dict[str, str]]:
        return [{"name": p.name, "institution": p.institution, "orcid": p.orcid} for p in cruise.chief_scientists]


class CruiseList(APIView):
    """`GET /api/v1/cruises`: cruises that the caller may see; `?q=` searches."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Cruises that the caller may see",
            answer=CruiseSerializer,
            many=True,
            query={"q": "words of the id, title, vessel, port or chief scientist"},
        )
    }

    def get(self, request: Request) -> Response:
        cruises: Any = Cruise.objects.visible_to(request.user).search(request.query_params.get("q", ""))
        cruises = cruises.select_related("vessel__operator", "depart_port", "arrive_port").prefetch_related("parties")
        pages = Pages()
        page = pages.paginate_queryset(cruises, request, view=self)
        return pages.get_paginated_response(CruiseSerializer(page, many=True).data)


class CruiseDetail(APIView):
    """`GET /api/v1/cruises/{cruise_id}`."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {"GET": Told("One cruise", answer=CruiseSerializer)}

    def get(self, request: Request, cruise_id: str) -> Response:
        return Response(CruiseSerializer(visible_cruise(request, cruise_id)).data)


def visible_cruise(request: Request, cruise_id: str) -> Cruise:
    """The cruise, if the caller may see it. Raises NotFound, as for one that does not exist."""
    cruise = Cruise.objects.visible_to(request.user).filter(cruise_id__iexact=cruise_id).first()
    if cruise is None:
        raise exceptions.NotFound(f"There is no cruise {cruise_id}, or none that you may see.")
    check_cruise(request, cruise)
    return cruise
