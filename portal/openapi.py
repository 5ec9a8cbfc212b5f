"""The API describes itself: OpenAPI 3.1, made from the views and from the `told` beside each.

A view says for each of its methods what it takes and answers:

    told = {"GET": Told("Events of a cruise", answer=EventSerializer, many=True, query={"station": "its name"})}

What every view shares (sign-in, scopes, problem documents, pages of results) is said here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.apps import apps
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, OpenApiResponse

from portal.authentication import Pages, scope_of

JSON, PROBLEM = "application/json", "application/problem+json"
READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Told:
    """What one method of a view takes and answers.

    `takes` and `answer` are a serializer class or a JSON schema; `many`: pages of it. `query` names parameters, each
    with a sentence or (sentence, schema). `media`: content types of the answer. `statuses`: further statuses that
    answer the same, each with a sentence.
    """

    says: str
    answer: Any = None
    many: bool = False
    takes: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    media: tuple[str, ...] = (JSON,)
    takes_media: tuple[str, ...] = (JSON,)
    status: int = 200
    statuses: Mapping[int, str] = field(default_factory=dict)


def thing(**properties: Any) -> dict[str, Any]:
    """A JSON schema of an object; each property is a schema or the name of a type, as "string", "date-time"."""
    return {"type": "object", "properties": {name: schema(value) for name, value in properties.items()}}


def schema(value: Any) -> dict[str, Any]:
    """A JSON schema: of a short name ("string", "number?", "date-time", "uuid", "[string]"), or the schema itself."""
    if not isinstance(value, str):
        found: dict[str, Any] = value
        return found
    if value.startswith("["):
        return {"type": "array", "items": schema(value[1:-1])}
    kind = value.removesuffix("?")
    made: dict[str, Any] = {"type": kind}
    if kind in ("date-time", "uuid", "uri", "date", "binary"):
        made = {"type": "string", "format": kind}
    if value.endswith("?"):
        made["type"] = [made["type"], "null"]
    return made


PROBLEM_SCHEMA = thing(
    type="uri",
    title="string",
    status="integer",
    detail="string",
    errors={
        "type": "array",
        "description": "each fault with its place",
        "items": thing(field="string", line="integer?", message="string"),
    },
)
REFUSALS = {
    401: "Sign in, or send a token that is known.",
    403: "The role or the token's scope does not allow it.",
    404: "There is no such thing, or none that you may see.",
    409: "Not possible in this state, or changed in two places.",
    412: "If-Match names another revision than the one that stands.",
    422: "Not accepted: `errors` names each fault.",
}


class Schema(AutoSchema):
    """Reads `told`; a view without it is described by its docstring alone."""

    @property
    def told(self) -> Told:
        """What the view says of the method at hand."""
        found = getattr(self.view, "told", {}).get(self.method)
        return found or Told((self.view.__doc__ or "").strip().partition("\n")[0])

    def get_summary(self) -> str:
        return self.told.says

    def get_description(self) -> str:  # type: ignore[override]  # as the library's own
        return (self.view.__doc__ or "").strip()

    def get_tags(self) -> list[str]:
        module = type(self.view).__module__
        return [module.rpartition(".")[2] if module.count(".") > 1 else module.partition(".")[0]]

    def get_operation_id(self) -> str:
        name = type(self.view).__name__
        return f"{name[0].lower()}{name[1:]}_{self.method.lower()}"

    def get_override_parameters(self) -> list[Any]:
        rows: list[Any] = []
        for name, said in self.told.query.items():
            sentence, kind = said if isinstance(said, tuple) else (said, "string")
            rows.append(OpenApiParameter(name, schema(kind), OpenApiParameter.QUERY, description=sentence))
        if self.told.many:
            rows.append(OpenApiParameter("page", int, OpenApiParameter.QUERY, description="from 1"))
            rows.append(OpenApiParameter("page_size", int, OpenApiParameter.QUERY, description="at most 1,000"))
        return rows

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def get_request_serializer(self) -> Any:
        takes = self.told.takes
        if takes is None:
            return None
        return {media: OpenApiRequest(takes) for media in self.told.takes_media}

    def get_response_serializers(self) -> Any:
        told, answer = self.told, self.told.answer
        if told.many:
            answer = self._page_of(answer)
        if answer is None and told.media != (JSON,):
            answer = {"type": "string", "format": "binary"}
        answers: dict[Any, Any] = {
            (told.status, *told.media): OpenApiResponse(answer, told.says)
            if answer
            else OpenApiResponse(None, told.says)
        }
        for status, sentence in told.statuses.items():
            answers[(status, *told.media)] = OpenApiResponse(answer, sentence)
        for status, sentence in REFUSALS.items():
            if self.method in READING and status in (409, 412, 422):
                continue
            answers[(status, PROBLEM)] = OpenApiResponse(PROBLEM_SCHEMA, sentence)
        return answers

    def _page_of(self, answer: Any) -> dict[str, Any]:
        row = answer if isinstance(answer, dict) else self.resolve_serializer(answer, "response").ref
        page: dict[str, Any] = Pages().get_paginated_response_schema({"type": "array", "items": row})
        return page

    def get_extensions(self) -> dict[str, Any]:
        return {"x-scope": scope_of(self.view, self.view.request)} if self.view.request else {}

    def get_auth(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_auth()
        if getattr(self.view, "permission", "") == "public" and self.method in READING:
            found.append({})
        return found


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Our tokens."""

    target_class = "portal.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of the page /tokens/, beginning with ll_."}


class Generator(SchemaGenerator):
    """All routes under /api/, and what floors say of routes that are no views of Django REST framework."""

    paths: ClassVar[dict[str, Any]] = {}

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = super().get_schema(request=request, public=public)  # type: ignore[no-untyped-call]
        for app in apps.get_app_configs():
            found["paths"] |= getattr(app, "api_paths", {})
        found["paths"] = dict(sorted(found["paths"].items()))
        return found


def description() -> dict[str, Any]:
    """The whole API as an OpenAPI 3.1 document."""
    return Generator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
