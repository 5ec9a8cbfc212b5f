"""The API of attachments: photos, voice notes and other files of a log. Shown to those of the cruise alone."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse
from rest_framework import exceptions, parsers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import attachments, changeover, filestore, mediatypes
from eventlog.api.events import readable_log, visible_log
from eventlog.models import Attachment
from portal import access
from portal.openapi import Told, thing
from portal.refusals import NotFound
from portal.streaming import send

# Bytes around the file in a multipart request.
AROUND = 64 * 1024
RANGE = re.compile(r"\Abytes=(\d*)-(\d*)\Z")
# The file is shown as it is and runs nothing, even where a browser takes it for something else.
SANDBOX = "default-src 'none'; img-src 'self'; media-src 'self'; sandbox"
SHAPE = thing(
    uuid="uuid",
    event="uuid?",
    name="string",
    media_type="string",
    size="integer",
    sha256="string",
    caption="string",
    taken_at={"type": ["string", "null"], "format": "date-time"},
    received_at="date-time",
    by="string",
    struck="boolean",
    revision="integer",
    url="string",
)
TAKES = {
    "type": "object",
    "required": ["uuid", "file"],
    "properties": {
        "uuid": {"type": "string", "format": "uuid", "description": "made where the file was taken"},
        "event": {"type": "string", "format": "uuid", "description": "event to which it belongs; none: the log"},
        "caption": {"type": "string", "maxLength": attachments.LONGEST_CAPTION},
        "taken_at": {"type": "string", "format": "date-time"},
        "device": {"type": "string", "maxLength": 60},
        "pass": {"type": "string", "description": "of the person who changed over on the tablet"},
        "device_uuid": {"type": "string", "format": "uuid", "description": "of the tablet, with a pass"},
        "reason": {"type": "string", "description": "needed once the log is closed"},
        "file": {"type": "string", "format": "binary", "description": mediatypes.ACCEPTED},
    },
}


def shown(attachment: Attachment) -> dict[str, Any]:
    """An attachment as the API tells it, and as the `row` of its changes in the feed."""
    cruise_id = attachment.log.cruise.cruise_id
    return {
        "uuid": str(attachment.uuid),
        "event": str(attachment.event.uuid) if attachment.event else None,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "caption": attachment.caption,
        "taken_at": attachment.taken_at,
        "received_at": attachment.received_at,
        "by": attachment.by_name,
        "struck": attachment.struck_at is not None,
        "revision": attachment.revision,
        "url": reverse("api-attachment", args=[cruise_id, attachment.uuid]),
    }


class TooLarge(exceptions.APIException):
    """The request holds more than is taken; it is refused before it is read."""

    status_code = 413
    default_code = "TooLarge"
    default_detail = "The file is larger than is taken."


class AttachmentInput(serializers.Serializer):
    """What is sent beside the file."""

    uuid = serializers.UUIDField()
    event = serializers.UUIDField(required=False)
    caption = serializers.CharField(max_length=attachments.LONGEST_CAPTION, required=False, allow_blank=True)
    taken_at = serializers.DateTimeField(required=False)
    device = serializers.CharField(max_length=60, required=False, allow_blank=True)
    device_uuid = serializers.UUIDField(required=False)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class AttachmentList(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/attachments`.

    A `POST` is multipart, with the bytes in `file`; one with a `uuid` that is known answers 200 and stores nothing.
    409: the event is not here yet, send it first. 413: too large. 422: a kind of file that is not taken.
    """

    permission = "signed in"
    scope = "events:write"
    parser_classes = (parsers.MultiPartParser,)
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Attachments of a log",
            answer={"type": "array", "items": SHAPE},
            query={"event": ("of this event alone", "uuid"), "struck": "yes: also those that are struck"},
        ),
        "POST": Told(
            "Attach a file to an event",
            answer=SHAPE,
            takes=TAKES,
            takes_media=("multipart/form-data",),
            status=201,
            statuses={200: "It was stored before."},
        ),
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anything reads the body: the check against forged requests would.
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.ATTACHMENT_BYTES
        if request.method == "POST" and (not length.isdigit() or int(length) > most + AROUND):
            raise TooLarge(f"The file has more than {most:,} bytes, which is the most that is taken.")
        super().initial(request, *args, **kwargs)

    def get(self, request: Request, cruise_id: str) -> Response:
        log = readable_log(request, cruise_id)
        rows = log.attachments.select_related("event", "log__cruise")
        if event := request.query_params.get("event"):
            rows = rows.filter(event__uuid=serializers.UUIDField().run_validation(event))
        if request.query_params.get("struck") != "yes":
            rows = rows.filter(struck_at__isnull=True)
        return Response([shown(row) for row in rows])

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        given = AttachmentInput(data={k: v for k, v in request.data.items() if k not in ("file", "pass")})
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        file = request.FILES.get("file")
        tablet, by = values.pop("device_uuid", None), request.user
        if token := request.data.get("pass"):
            access.require(by, "eventlog.record", log)
            by = changeover.person_of(str(token), log=log, device=tablet, made_at=values.get("taken_at"))
        attachments.require_add(log, by, values.get("reason", ""))
        if file is None:
            raise serializers.ValidationError({"file": "is needed"})
        made, new = attachments.add(
            log=log,
            by=by,
            parts=file.chunks(),
            name=file.name or "",
            declared=file.content_type or "",
            **values,
        )
        made.log = log
        return Response(shown(made), status=201 if new else 200)


class AttachmentDetail(APIView):
    """`GET` and `DELETE /api/v1/cruises/{cruise_id}/attachments/{uuid}`: the file itself. Deleting strikes."""

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("The bytes of an attachment", media=("application/octet-stream",)),
        "DELETE": Told("Strike an attachment", answer=SHAPE, query={"reason": "why"}),
    }

    def get(self, request: Request, cruise_id: str, uuid: str) -> HttpResponseBase:
        return _sent(request, _attachment(request, cruise_id, uuid))

    def delete(self, request: Request, cruise_id: str, uuid: str) -> Response:
        attachment = _attachment(request, cruise_id, uuid)
        reason = request.query_params.get("reason", "")[:1000]
        return Response(shown(attachments.strike(attachment=attachment, by=request.user, reason=reason)))


class AttachmentRestore(APIView):
    """`POST /api/v1/cruises/{cruise_id}/attachments/{uuid}/restore`: takes back a strike."""

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {"POST": Told("Restore an attachment", answer=SHAPE, query={"reason": "why"})}

    def post(self, request: Request, cruise_id: str, uuid: str) -> Response:
        attachment = _attachment(request, cruise_id, uuid)
        reason = request.query_params.get("reason", "")[:1000]
        return Response(shown(attachments.restore(attachment=attachment, by=request.user, reason=reason)))


def _attachment(request: Request, cruise_id: str, uuid: str) -> Attachment:
    log = readable_log(request, cruise_id)
    found = log.attachments.select_related("event", "log__cruise__vessel").filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such attachment in this log.")
    return found


def _sent(request: Request, attachment: Attachment) -> HttpResponseBase:
    """The bytes, or the part of them that a player asks for (RFC 9110, one range)."""
    try:
        file = filestore.opened(attachment.sha256)
    except OSError as error:
        raise NotFound(
            f"The bytes of {attachment.name} are not on this server; the log knows them by SHA-256 {attachment.sha256}."
        ) from error
    first, last = 0, attachment.size - 1
    wanted = RANGE.match(request.headers.get("Range", ""))
    partly = bool(wanted and (wanted[1] or wanted[2]))
    if wanted and partly:
        first = int(wanted[1]) if wanted[1] else max(0, attachment.size - int(wanted[2]))
        last = min(last, int(wanted[2])) if wanted[1] and wanted[2] else last
        partly = first <= last
        first, last = (first, last) if partly else (0, attachment.size - 1)
    file.seek(first)
    response = send(
        request._request,
        filestore.blocks(file, last - first + 1),
        content_type=attachment.media_type,
        name=attachment.name,
    )
    response._resource_closers.append(file.close)  # type: ignore[attr-defined]  # as Django's FileResponse does
    response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    if partly:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{attachment.size}"
    if mediatypes.is_shown(attachment.media_type):
        response["Content-Disposition"] = response["Content-Disposition"].replace("attachment", "inline", 1)
    response["Content-Security-Policy"] = SANDBOX
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    # The bytes of an id never change.
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["ETag"] = f'"{attachment.sha256}"'
    return response
