"""The API describes itself: the document is valid OpenAPI 3.1, tells of every route, and its page shows them."""

from __future__ import annotations

import pytest
from django.test import Client
from openapi_spec_validator import validate

from portal import openapi
from tests.test_house import ours

METHODS = ("get", "post", "put", "patch", "delete")


def api_views():
    for path, view in ours():
        cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
        if path.startswith("api/v1/") and cls is not None:
            yield path, cls


def test_the_document_is_valid():
    document = openapi.description()
    validate(document)
    assert document["openapi"].startswith("3.1")
    ids = [o["operationId"] for methods in document["paths"].values() for o in methods.values()]
    assert len(ids) == len(set(ids))


def test_every_api_route_is_in_the_document():
    paths = openapi.description()["paths"]
    routes = {path for path, _ in ours() if path.startswith("api/v1/")} - {"api/v1/openapi.json"}
    assert len(paths) == len(routes)


def test_every_method_of_a_view_tells_what_it_answers():
    silent = [
        (path, method)
        for path, cls in api_views()
        for method in METHODS
        if hasattr(cls, method) and method.upper() not in getattr(cls, "told", {})
        if not cls.__module__.startswith("eventlog.")
    ]
    assert silent == []


@pytest.mark.django_db
def test_the_page_and_the_document_are_public():
    client = Client()
    page = client.get("/api/")
    assert page.status_code == 200
    assert b"/api/v1/cruises/{cruise_id}" in page.content
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/vnd.oai.openapi+json")
    assert answer.json()["info"]["title"]
