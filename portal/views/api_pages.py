"""The API for people who write programs: its OpenAPI document, and the same as a page."""

from __future__ import annotations

import json
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal import openapi, tokens
from portal.views.doors import public


@cache
def _document() -> dict[str, object]:
    """Made once in a process: the routes do not change while it runs."""
    return openapi.description()


@public
@require_safe
def openapi_document(request: HttpRequest) -> HttpResponse:
    """`/api/v1/openapi.json`, OpenAPI 3.1."""
    body = json.dumps(_document(), ensure_ascii=False, indent=1)
    return HttpResponse(body, content_type="application/vnd.oai.openapi+json;version=3.1")


@public
@require_safe
def api_page(request: HttpRequest) -> HttpResponse:
    """Every operation with what it takes, and how to begin with curl, Python and MATLAB."""
    groups: dict[str, list[dict[str, object]]] = {}
    paths = _document()["paths"]
    assert isinstance(paths, dict)
    for path, methods in paths.items():
        for method, operation in methods.items():
            scope = operation.get("x-scope", "")
            groups.setdefault(operation["tags"][0], []).append(
                {
                    "path": path,
                    "method": method.upper(),
                    "says": operation.get("summary", ""),
                    "parameters": [p for p in operation.get("parameters", ()) if p["in"] == "query"],
                    "scope": "" if {} in operation.get("security", [{}]) else scope,
                    "id": operation["operationId"],
                }
            )
    context = {"groups": sorted(groups.items()), "scopes": tokens.SCOPES, "site": settings.SITE_URL}
    return render(request, "portal/api.html", context)
