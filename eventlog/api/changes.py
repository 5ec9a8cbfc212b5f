"""The change feed and the snapshot of a log: what open screens live on."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog.api.events import visible_log
from eventlog.live import changes, snapshot
from portal import access
from portal.openapi import Told, thing
from portal.refusals import Fault, NotLikeThis

DEFAULT = 500
CHANGE = thing(
    sequence="integer",
    uuid="uuid",
    thing="string",
    thing_uuid="uuid",
    number="integer",
    verb="string",
    at="date-time",
    by="string",
    device="string",
    reason="string",
    changes="object",
    after_close="boolean",
    row={"type": ["object", "null"]},
)


class ChangeList(APIView):
    """`GET /api/v1/cruises/{cruise_id}/changes?after=N&limit=500`: what changed in a log after a number, in order."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Changes after a number; go on after `sequence` while there is `more`",
            answer=thing(changes={"type": "array", "items": CHANGE}, sequence="integer", more="boolean"),
            query={
                "after": ("number of the last change that is known; 0: from the beginning", "integer"),
                "limit": (f"at most {changes.MOST:,}", "integer"),
            },
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        after, limit = number_of(request, "after", 0), number_of(request, "limit", DEFAULT)
        limit = max(1, min(limit, changes.MOST))
        found = changes.after(log, after, limit=limit)
        names = access.may(request.user, "eventlog.read", log)
        last = found[-1].sequence if found else after
        more = len(found) == limit and changes.sequence_of(log) > last
        return Response({"changes": changes.shown(log, found, names=names), "sequence": last, "more": more})


class Snapshot(APIView):
    """`GET /api/v1/cruises/{cruise_id}/log/snapshot`: all that the log page needs to start, or to work offline."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "The log at a glance; the change feed goes on after its `sequence`",
            answer=thing(
                log="object",
                templates="[object]",
                operations="[object]",
                board="object",
                places="[object]",
                terms="[object]",
                people="[object]",
                events="[object]",
                sequence="integer",
                now="date-time",
                you="object",
            ),
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        response = Response(snapshot.of(log, request.user))
        response["Cache-Control"] = "no-store"
        return response


def number_of(request: Request, name: str, default: int) -> int:
    """A whole number of the query, 0 or more. Raises NotLikeThis naming the parameter."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise NotLikeThis("The query is not accepted.", [Fault(name, "is not a whole number, 0 or more")])
    return int(text)
