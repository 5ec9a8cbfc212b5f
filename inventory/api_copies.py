"""The inventory's part of the API that tells of copies in deep storage and in the permanent archive."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory.models import Deposit, FixityCheck
from portal import access
from portal.api import visible_cruise
from portal.openapi import Told, thing

MOST_CHECKS = 100
CHECK = thing(began_at="date-time?", ended_at="date-time", files="integer", bytes="integer", damaged="integer")
COPY = thing(
    uuid="uuid",
    shipment="integer",
    permanent="boolean",
    state="string",
    since="date-time",
    files="integer",
    bytes="integer",
    stored_at="date-time?",
    checked_at="date-time?",
    damaged="integer",
    manifest_sha256="string",
    storage="string?",
    place="string?",
    checks={"type": "array", "items": CHECK},
)


class Copies(APIView):
    """`GET /api/v1/cruises/{cruise_id}/copies`: the copies of a cruise, for those who may ask for files back."""

    permission = "signed in"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Copies of a cruise in deep storage and in the permanent archive, with their last hundred checks",
            answer=thing(cruise="string", copies={"type": "array", "items": COPY}),
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        cruise = visible_cruise(request, cruise_id)
        access.require(request.user, "recovery.request", cruise)
        deposits = Deposit.objects.filter(distribution__cruise=cruise).select_related("distribution")
        office = access.is_office(request.user)
        rows = deposits.order_by("-distribution__number", "-permanent", "pk")
        return Response({"cruise": cruise.cruise_id, "copies": [_told(row, office=office) for row in rows]})


def _told(deposit: Deposit, *, office: bool) -> dict[str, Any]:
    """A copy; where it lies is told to the office alone."""
    return {
        "uuid": str(deposit.uuid),
        "shipment": deposit.distribution.number,
        "permanent": deposit.permanent,
        "state": deposit.state,
        "since": deposit.since,
        "files": deposit.files,
        "bytes": deposit.bytes,
        "stored_at": deposit.stored_at,
        "checked_at": deposit.checked_at,
        "damaged": deposit.damaged,
        "manifest_sha256": deposit.manifest_sha256,
        "storage": deposit.address if office else None,
        "place": deposit.prefix if office else None,
        "checks": [_check(one) for one in deposit.checks.all()[:MOST_CHECKS]],
    }


def _check(check: FixityCheck) -> dict[str, Any]:
    names = ("began_at", "ended_at", "files", "bytes", "damaged")
    return {name: getattr(check, name) for name in names}
