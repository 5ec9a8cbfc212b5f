"""The API of words for instruments and actions: known ones, near ones, proposals, and what became of them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import vocabulary
from eventlog.api.events import visible_log
from eventlog.models import Log, Term
from eventlog.rows import term_row
from portal.authentication import Pages
from portal.openapi import Told, thing
from portal.refusals import Fault, NotFound, NotLikeThis

SHAPE = thing(
    uuid="uuid",
    kind="string",
    name="string",
    meaning="string",
    uri="string",
    aliases="[string]",
    is_proposed="boolean",
    replaced_by="uuid?",
)
NEAR = thing(name="string", score="number", why="string")


class TermInput(serializers.Serializer):
    """A word that is proposed."""

    uuid = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(vocabulary.KINDS)
    name = serializers.CharField(max_length=vocabulary.LONGEST_NAME)
    meaning = serializers.CharField(max_length=vocabulary.LONGEST_MEANING, required=False, allow_blank=True)
    uri = serializers.CharField(max_length=200, required=False, allow_blank=True)
    aliases = serializers.ListField(child=serializers.CharField(max_length=120), required=False, max_length=50)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(self.initial_data) - set(self.fields):
            raise serializers.ValidationError(dict.fromkeys(sorted(unknown), "There is no such field."))
        return attrs


class AcceptInput(serializers.Serializer):
    """Whether for all cruises, which only the office may."""

    everywhere = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class ReplaceInput(serializers.Serializer):
    """The word to be used instead; `events`: those that say the old one get the new one, with the reason."""

    into = serializers.UUIDField()
    events = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class TermList(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/terms`.

    With `near=` and `kind=`: the words that somebody may mean, the likeliest first. A `POST` proposes a word, which can
    be used at once; one that is known answers 200.
    """

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Words of a log; with `near`, those that somebody may mean",
            answer={"oneOf": [SHAPE, NEAR]},
            many=True,
            query={"kind": "instrument or action", "near": "a word as it is typed", "proposed": "yes: only proposals"},
        ),
        "POST": Told(
            "Propose a word", answer=SHAPE, takes=TermInput, status=201, statuses={200: "It was known before."}
        ),
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        asked = request.query_params
        kind = asked.get("kind", "")
        if kind and kind not in vocabulary.KINDS:
            raise NotLikeThis("The query is not accepted.", [Fault("kind", "is instrument or action")])
        if "near" in asked:
            found = vocabulary.near(log, asked["near"][: vocabulary.LONGEST_NAME], kind or "instrument")
            return Response({"count": len(found), "next": None, "previous": None, "results": found})
        terms = vocabulary.terms_of(log)
        if kind:
            terms = terms.filter(kind=kind)
        if asked.get("proposed") == "yes":
            terms = terms.filter(is_proposed=True)
        pages = Pages()
        page = pages.paginate_queryset(terms, request, view=self) or []
        return pages.get_paginated_response([term_row(term) for term in page])

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        given = TermInput(data=request.data)
        given.is_valid(raise_exception=True)
        term, new = vocabulary.propose(log=log, by=request.user, **given.validated_data)
        return Response(term_row(term), status=201 if new else 200)


class TermAccept(APIView):
    """`POST /api/v1/cruises/{cruise_id}/terms/{uuid}/accept`: a proposed word is a good one."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {"POST": Told("Accept a proposed word", answer=SHAPE, takes=AcceptInput)}

    def post(self, request: Request, cruise_id: str, uuid: str) -> Response:
        log = visible_log(request, cruise_id)
        given = AcceptInput(data=request.data)
        given.is_valid(raise_exception=True)
        term = vocabulary.accept(log=log, term=_term(log, uuid), by=request.user, **given.validated_data)
        return Response(term_row(term))


class TermReplace(APIView):
    """`POST /api/v1/cruises/{cruise_id}/terms/{uuid}/replace`: another word is used for this one."""

    permission = "public"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {"POST": Told("Map a word to another one", answer=SHAPE, takes=ReplaceInput)}

    def post(self, request: Request, cruise_id: str, uuid: str) -> Response:
        log = visible_log(request, cruise_id)
        given = ReplaceInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        other = vocabulary.terms_of(log).filter(uuid=values.pop("into")).first()
        if other is None:
            raise NotLikeThis("The word is not replaced.", [Fault("into", "is no word of this log")])
        term = vocabulary.replace(log=log, term=_term(log, uuid), with_term=other, by=request.user, **values)
        return Response(term_row(term))


def _term(log: Log, uuid: str) -> Term:
    found: Term | None = vocabulary.terms_of(log).filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such word in this log.")
    return found
