"""PINs and passes: how people change over on a shared tablet."""

from __future__ import annotations

import uuid as uuids
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import changeover
from eventlog.api.events import visible_log
from portal import access
from portal.models import Person
from portal.openapi import Told, thing
from portal.refusals import NotFound, NotYou

PERSON = thing(uuid="uuid", name="string")


class PassInput(serializers.Serializer):
    """Who takes over which tablet."""

    person = serializers.UUIDField()
    pin = serializers.CharField(max_length=20)
    device = serializers.UUIDField()


class PinInput(serializers.Serializer):
    """A new PIN."""

    pin = serializers.CharField(max_length=20)


class LogPass(APIView):
    """`POST /api/v1/cruises/{cruise_id}/log/pass`: a tablet gets a pass for the person who typed a PIN."""

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "POST": Told(
            "The pass; items of a batch that carry it are recorded as by that person",
            takes=PassInput,
            answer=thing(**{"pass": "string", "person": PERSON}),
        )
    }

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        access.require(request.user, "eventlog.record", log)
        given = PassInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        person = _person(values["person"])
        token = changeover.give_pass(
            log=log, person=person, pin=values["pin"], device=values["device"], by=request.user
        )
        return Response({"pass": token, "person": {"uuid": str(person.uuid), "name": str(person)}})


class LogPin(APIView):
    """`PUT /api/v1/cruises/{cruise_id}/log/pin` sets one's own PIN; `DELETE …?person=` removes a forgotten one."""

    permission = "signed in"
    scope = "sign-in"  # no token has it: a PIN stands for a person, not for a program
    told: ClassVar[dict[str, Told]] = {
        "PUT": Told("One's own PIN is set", takes=PinInput, answer=thing(set_at="date-time")),
        "DELETE": Told("Whether there was a PIN", answer=thing(removed="boolean"), query={"person": ("whose", "uuid")}),
    }

    def put(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        access.require(request.user, "eventlog.record", log)
        given = PinInput(data=request.data)
        given.is_valid(raise_exception=True)
        pin = changeover.set_pin(person=_self(request), pin=given.validated_data["pin"], by=request.user)
        return Response({"set_at": pin.set_at})

    def delete(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        wanted = request.query_params.get("person", "")
        person = _person(wanted) if wanted else _self(request)
        return Response({"removed": changeover.remove_pin(person=person, log=log, by=request.user)})


def _self(request: Request) -> Person:
    if not isinstance(request.user, Person):
        raise NotYou("Sign in first.")
    return request.user


def _person(uuid: Any) -> Person:
    try:
        found = Person.objects.filter(uuid=uuids.UUID(str(uuid)), is_active=True).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no such person.")
    return found
