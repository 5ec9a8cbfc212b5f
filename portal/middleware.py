"""Around every request: an id in all log lines, and headers that tell browsers to trust only us."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = structlog.stdlib.get_logger("leadline.request")
GIVEN_ID = re.compile(r"\A[A-Za-z0-9._-]{8,64}\Z")
QUIET = ("/health/", "/static/")
Next = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: Next) -> Next:
    """Binds a request id to the log, takes over a proxy's, and hands it back in X-Request-ID."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if GIVEN_ID.match(given) else secrets.token_hex(8)  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        started = time.perf_counter()
        response = get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        if not request.path.startswith(QUIET):
            logger.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                person=getattr(getattr(request, "user", None), "pk", None),
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response

    return middleware


def content_security(get_response: Next) -> Next:
    """Scripts, styles and images come from this site alone; no other site may frame us."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self), payment=()")
        return response

    return middleware
