"""The one place where a refusal becomes a page or a problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from portal.refusals import Busy, NotFound, NotLikeThis, NotNow, NotYou, Refusal

logger = structlog.stdlib.get_logger("leadline.refusals")
STATUS: dict[type[Refusal], int] = {NotYou: 403, NotFound: 404, NotNow: 409, NotLikeThis: 422, Busy: 503}
BUSY_SECONDS = 60
Answer = TypeVar("Answer", bound=HttpResponseBase)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return next((status for kind, status in STATUS.items() if isinstance(refusal, kind)), 400)


class RefusalMiddleware:
    """Shows a refusal that a view let pass as a page; somebody not signed in is asked to sign in first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        error = meant(error)
        if not isinstance(error, Refusal):
            return None
        logger.info("refused", kind=type(error).__name__, reason=error.reason)
        if isinstance(error, NotYou) and not request.user.is_authenticated and request.method == "GET":
            return redirect(f"/accounts/login/?next={request.get_full_path()}")
        return page(request, error)


def page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal as a page."""
    response = render(request, "portal/refused.html", {"refusal": refusal}, status=status_of(refusal))
    return _later(response) if isinstance(refusal, Busy) else response


def meant(error: Exception) -> Exception:
    """What an exception says to who asked: a database that another writer holds is busy, and no fault of ours."""
    return Busy() if isinstance(error, OperationalError) and "database is locked" in str(error) else error


def _later(response: Answer) -> Answer:
    response["Retry-After"] = str(BUSY_SECONDS)
    return response


def problem(refusal: Refusal) -> dict[str, Any]:
    """A refusal as a problem document; `errors` names each fault with its place."""
    body: dict[str, Any] = {
        "type": f"urn:leadline:problem:{type(refusal).__name__}",
        "title": refusal.title,
        "status": status_of(refusal),
        "detail": refusal.reason,
    }
    if isinstance(refusal, NotLikeThis) and refusal.faults:
        body["errors"] = [{"field": f.where, "line": f.line, "message": f.what} for f in refusal.faults]
    return body | refusal.members()


def api_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler: every refusal and every fault of the request as a problem."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, ValidationError):
        error = NotLikeThis("The data are not accepted.", [])
    error = meant(error)
    if isinstance(error, Refusal):
        set_rollback()
        body = problem(error)
        response = Response(body, status=body["status"], content_type="application/problem+json")
        return _later(response) if isinstance(error, Busy) else response
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    body = {
        "type": f"urn:leadline:problem:{error.default_code}",
        "title": str(error.default_detail),
        "status": error.status_code,
    }
    if isinstance(error, exceptions.ValidationError):
        body |= {"title": "Not accepted", "status": 422, "errors": list(_flat(error.detail))}
        body["detail"] = "; ".join(
            f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in body["errors"]
        )
    else:
        body["detail"] = str(error.detail)
    return Response(body, status=body["status"], headers=headers, content_type="application/problem+json")


def _flat(detail: Any, path: str = "") -> list[dict[str, Any]]:
    """Serializer errors as a flat list with the path of each field."""
    if isinstance(detail, dict):
        return [e for key, value in detail.items() for e in _flat(value, f"{path}.{key}" if path else str(key))]
    if isinstance(detail, list):
        flat = []
        for index, value in enumerate(detail):
            flat += _flat(value, f"{path}[{index}]" if isinstance(value, dict | list) else path)
        return flat
    field = path.removesuffix(".non_field_errors").removeprefix("non_field_errors")
    return [{"field": field, "line": None, "message": str(detail)}]
