"""`events:batch`: a tablet's outbox comes in here. The contract is docs/decisions/0004-event-log-at-sea.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import RawPostDataException
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import batch, changeover, items, rows
from eventlog.api.events import visible_log
from eventlog.live import changes, presence
from eventlog.models import Log
from portal import access
from portal.access import Actor
from portal.authentication import check_cruise
from portal.errors import problem
from portal.models import Person, Token
from portal.openapi import Told, thing
from portal.refusals import Fault, NotLikeThis

LONGEST_NAME, LONGEST_PAGE = 60, 20
DEVICE = thing(uuid="uuid", name="string", now="date-time", waiting="integer", page="string")
ITEM = thing(
    id="uuid",
    verb={"type": "string", "enum": list(items.VERBS)},
    uuid="uuid",
    fields="object",
    press="boolean",
    logged_at="date-time",
    seen="integer",
    mine="[uuid]",
    reason="string",
    clock=thing(offset_s="number", corrected="boolean"),
    **{"pass": "string"},
) | {"required": ["id", "verb", "uuid"]}
RESULT = thing(
    id="uuid",
    result={"type": "string", "enum": ["done", "known", "bounced", "conflict", "refused", "failed"]},
    event="object",
    sequence="integer",
    problem="object",
)


class TooLarge(exceptions.APIException):
    """More than is taken at once."""

    status_code = 413
    default_code = "too_large"
    default_detail = f"Send at most {items.MOST_BYTES:,} bytes at once, in several batches."


class Unavailable(exceptions.APIException):
    """The database cannot be reached, or is busy for too long."""

    status_code = 503
    default_code = "unavailable"
    default_detail = "The database does not answer. Nothing is lost: keep the items, and send them again."


class NotJson(exceptions.UnsupportedMediaType):
    """Something else than JSON was sent."""

    default_detail = "Send application/json."


class EventBatch(APIView):
    """`POST /api/v1/cruises/{cruise_id}/events:batch`: a tablet's outbox, with a result for each item."""

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "POST": Told(
            "The result of each item, in their order",
            takes=thing(device=DEVICE, items={"type": "array", "maxItems": items.MOST_ITEMS, "items": ITEM}),
            answer=thing(now="date-time", sequence="integer", results={"type": "array", "items": RESULT}),
        )
    }

    def post(self, request: Request, cruise_id: str) -> Response:
        received = timezone.now()
        access.remember(request.user)
        log = log_to_write(request, cruise_id)
        given = items.load(body_of(request, items.MOST_BYTES))
        said = device_of(given.get("device"), received)
        try:
            results = batch.take(log, given["items"], sender_of(request, log, said))
            if said is not None:
                presence.heard(log, said, by=request.user, now=received)
            # What was written last in this batch; where nothing was, how far the log has come.
            sequence = max((r["sequence"] for r in results if r["result"] == "done"), default=0)
            sequence = sequence or changes.sequence_of(log)
        except (OperationalError, InterfaceError) as error:
            raise Unavailable from error
        return Response({"now": rows.iso(timezone.now()), "sequence": sequence, "results": results})


def log_to_write(request: Request, cruise_id: str) -> Log:
    """The log, for somebody who may log. Raises NotFound where one may not even see it, NotYou where one may.

    Who may log may see it: so the question that costs least is asked first, for this is asked at every press.
    """
    found = Log.objects.filter(cruise__cruise_id=cruise_id).select_related("cruise__vessel").first()
    if found is not None and access.may(request.user, "eventlog.record", found):
        check_cruise(request, found.cruise)
        return found
    log = visible_log(request, cruise_id)
    access.require(request.user, "eventlog.record", log)
    return log


def body_of(request: Request, most: int) -> bytes:
    """The bytes of a JSON request, at most so many. Raises TooLarge (413) and UnsupportedMediaType (415)."""
    kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NotJson(kind)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > most:
        raise TooLarge
    try:
        data: bytes = request._request.body
    except (RequestDataTooBig, RawPostDataException, OSError) as error:
        raise TooLarge from error
    if len(data) > most:
        raise TooLarge
    return data


def device_of(value: Any, received: dt.datetime) -> presence.Heard | None:
    """What a tablet says of itself; None where it says nothing. Raises NotLikeThis with the faults."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise NotLikeThis("The batch is not accepted.", [Fault("device", "is not an object")])
    faults: list[Fault] = []
    uuid = items.read_uuid(value.get("uuid"), "device.uuid", faults)
    name, page, waiting = value.get("name", ""), value.get("page", ""), value.get("waiting", 0)
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_NAME:
        faults.append(Fault("device.name", f"is not a name of 1 to {LONGEST_NAME} characters"))
    if not isinstance(page, str) or len(page) > LONGEST_PAGE:
        faults.append(Fault("device.page", f"is not a text of at most {LONGEST_PAGE} characters"))
    if isinstance(waiting, bool) or not isinstance(waiting, int) or not 0 <= waiting < 2**31:
        faults.append(Fault("device.waiting", "is not a count"))
    if faults or uuid is None:
        raise NotLikeThis("The batch is not accepted.", faults)
    return presence.Heard(uuid, name.strip(), waiting, page, items.offset_of(value.get("now"), received))


def sender_of(request: Request, log: Log, said: presence.Heard | None) -> batch.Sender:
    """Who sends this batch."""

    known: dict[tuple[str, bool], Person] = {}

    def who(token: str, made_at: dt.datetime | None) -> Actor:
        late = log.closed_at is not None and made_at is not None and made_at <= log.closed_at
        if (token, late) not in known:  # many items carry the same pass
            device = said.uuid if said else None
            known[token, late] = changeover.person_of(token, log=log, device=device, made_at=made_at)
        return known[token, late]

    return batch.Sender(
        by=request.user,
        device=said.name if said else "",
        clock_offset_s=said.clock_offset_s if said else None,
        source="api" if isinstance(request.auth, Token) else "web",
        who=who,
        problem=problem,
    )
