"""The API of the proof: verifying a log, with its seals."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import proof
from eventlog.api.events import readable_log, visible_log
from eventlog.logbook import sections
from eventlog.models import Log
from portal.jobs import soon
from portal.openapi import Told, thing

SHAPE = thing(
    cruise_id="string",
    ok="boolean?",
    sequence="integer?",
    head="string?",
    counts={"type": "object"},
    findings={"type": "array", "items": thing(what="string", where="string", field="string", says="string")},
    seals={"type": "array", "items": thing(at="date-time", by_name="string", sequence="integer", head="string")},
    by_worker={"type": ["object", "null"], "description": "of a large log: state, started_at, ended_at, message"},
)


class LogProof(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/log/verify`: whether the log stands as it was written.

    A log of up to 10,000 revisions is verified by the `GET` itself. For a larger one a `POST` has a worker do it (202),
    and the `GET` tells under `by_worker` how far that is and what it found.
    """

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Verify a log", answer=SHAPE),
        "POST": Told("Have a worker verify a log", answer=SHAPE, status=202),
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = readable_log(request, cruise_id)
        return Response(_told(log, request))

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        proof.ask(log, by=request.user)
        soon()
        return Response(_told(log, request, at_once=False), status=202)


def _told(log: Log, request: Request, *, at_once: bool = True) -> dict[str, Any]:
    told: dict[str, Any] = {
        "cruise_id": log.cruise.cruise_id,
        "ok": None,
        "sequence": None,
        "head": None,
        "counts": {},
        "findings": [],
    }
    if at_once and not proof.is_long(log):
        told = proof.now(log, by=request.user).told()
    work = proof.last(log)
    names = ("state", "started_at", "ended_at", "message")
    return told | {
        "seals": [sections.told(row) for row in log.seals.order_by("sequence")],
        "by_worker": {name: getattr(work, name) for name in names} if work else None,
    }
