"""What every API view is made of: tokens, named permissions, pages of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.utils import timezone
from rest_framework import authentication, exceptions, negotiation, pagination, permissions

from portal import tokens
from portal.models import Cruise, Person, Token

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer ll_…`. The token stays on the request as `request.auth`."""

    def authenticate(self, request: Request) -> tuple[Person, Token] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            return None
        token = tokens.find(secret.strip(), timezone.now())
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, revoked or expired.")
        structlog.contextvars.bind_contextvars(token=token.hint)
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="leadline"'


class Named(permissions.BasePermission):
    """Every API view names who may call it: `permission = "public"` or "signed in", and the scope a token needs.

    What the person may do with the very thing is asked by the verb.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        permission = getattr(view, "permission", None)
        if permission not in ("public", "signed in"):
            raise exceptions.PermissionDenied("This route names no permission.")
        scope = scope_of(view, request)
        if permission == "public" and request.method in permissions.SAFE_METHODS:
            return True
        if isinstance(request.auth, Token) and scope not in request.auth.scopes:
            raise exceptions.PermissionDenied(f"This token lacks the scope {scope}.")
        return bool(request.user and request.user.is_authenticated)


class AlwaysJson(negotiation.BaseContentNegotiation):
    """The API speaks JSON, whatever a browser says that it likes."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return negotiation.DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def scope_of(view: APIView, request: Request) -> str:
    """The scope that a call needs: `view.scope` for one that changes something, else `view.read_scope` or "read"."""
    if request.method in permissions.SAFE_METHODS:
        return str(getattr(view, "read_scope", "read"))
    return str(getattr(view, "scope", ""))


def check_cruise(request: Request, cruise: Cruise) -> None:
    """Refuses a token that is limited to another cruise."""
    if isinstance(request.auth, Token) and request.auth.cruise_id not in (None, cruise.pk):
        raise exceptions.PermissionDenied(f"This token is for cruise {request.auth.cruise} alone.")


class Pages(pagination.PageNumberPagination):
    """`?page=2&page_size=50`; at most 1,000 a page."""

    page_size_query_param = "page_size"
    max_page_size = 1000
