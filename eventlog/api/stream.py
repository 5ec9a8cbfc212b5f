"""The change feed as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import uuid as uuids
from typing import Any, ClassVar

from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from eventlog.api.batch import LONGEST_NAME, LONGEST_PAGE
from eventlog.api.changes import number_of
from eventlog.api.events import visible_log
from eventlog.live import presence, screens
from eventlog.models import Log
from portal import access
from portal.access import Actor
from portal.models import Token
from portal.openapi import Told
from portal.refusals import Fault, NotLikeThis, NotNow


class ChangeStream(APIView):
    """`GET /api/v1/cruises/{cruise_id}/changes/stream?after=N` (or `Last-Event-ID`): the change feed, live.

    Events: `change` (its id is the sequence number), `presence`, `ship`, `time`, and `reset` where the log has fewer
    changes than the screen has seen. A screen that does not keep up is cut, and comes again.
    """

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Server-sent events without an end",
            media=("text/event-stream",),
            query={
                "after": ("number of the last change that is known", "integer"),
                "device": ("id of the tablet, so that others see who is there", "uuid"),
                "name": "name of the tablet",
                "page": "what it shows",
            },
        )
    }

    def get(self, request: Request, cruise_id: str) -> HttpResponseBase:
        if not isinstance(request._request, ASGIRequest):
            raise NotNow("This server cannot stream; ask for /changes again and again, or run it with uvicorn.")
        log = visible_log(request, cruise_id)
        after = number_of(request, "after", 0)
        given = request.headers.get("Last-Event-ID", "")
        if given.isascii() and given.isdigit() and len(given) <= 18:
            after = int(given)
        names = access.may(request.user, "eventlog.read", log)
        device = _device(request, log) if names else None
        body = screens.follow(log.pk, after, names=names, device=device, still=_Still(request, log.pk, names))
        response = StreamingHttpResponse(body, content_type="text/event-stream")
        response["Cache-Control"] = "no-store"
        response["X-Accel-Buffering"] = "no"  # nginx would hold the events back
        connections.close_all()  # the answer takes hours; its thread gives the connection back now
        return response


def _device(request: Request, log: Log) -> uuids.UUID | None:
    """Notes that a tablet shows the log; None where the request names none."""
    said = {name: request.query_params.get(name, "").strip() for name in ("device", "name", "page")}
    if not said["device"]:
        return None
    try:
        uuid = uuids.UUID(said["device"])
    except ValueError:
        raise NotLikeThis("The query is not accepted.", [Fault("device", "is not a UUID")]) from None
    name = said["name"].replace("\0", "")[:LONGEST_NAME] or "browser"
    page = said["page"].replace("\0", "")[:LONGEST_PAGE]
    presence.heard(log, presence.Heard(uuid, name, page=page), by=request.user, now=timezone.now())
    return uuid


class _Still:
    """Whether the caller may go on reading: signed in as at the start, with the same rights. Asked in a thread."""

    def __init__(self, request: Request, log_id: int, names: bool) -> None:
        self.token = request.auth.pk if isinstance(request.auth, Token) else None
        self.session: Any = getattr(request._request, "session", None)
        self.person = request.user.pk
        self.log_id = log_id
        self.names = names

    def __call__(self) -> bool:
        actor = self._actor()
        if actor is None:
            return False
        log = Log.objects.visible_to(actor).filter(pk=self.log_id).select_related("cruise__vessel").first()
        return log is not None and access.may(actor, "eventlog.read", log) is self.names

    def _actor(self) -> Actor | None:
        if self.token is not None:
            token = Token.objects.select_related("person").filter(pk=self.token).first()
            alive = token is not None and token.is_live(timezone.now()) and token.person.is_active
            return token.person if token and alive else None
        request = HttpRequest()
        request.session = type(self.session)(self.session.session_key)
        actor: Actor = get_user(request)
        return actor if getattr(actor, "pk", None) == self.person else None
