"""The API of exports: a log in any of its forms, whole or filtered, and the report of its check."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog.api.events import visible_log
from eventlog.exports import forms, making, selecting
from eventlog.views.exports import answer
from portal import access
from portal.openapi import Told, thing

CHECKED = thing(
    file="string",
    format="string",
    events="integer",
    bytes="integer",
    sha256="string",
    validation=thing(
        format="string",
        passed="boolean",
        checks={"type": "array", "items": thing(rule="string", passed="boolean", found="string")},
        notes="[string]",
    ),
)
FORM = {"type": "string", "enum": list(forms.FORMS)}


class ExportList(APIView):
    """`GET /api/v1/cruises/{cruise_id}/events/export`: the forms that there are."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "The forms of export",
            answer={
                "type": "array",
                "items": thing(format="string", title="string", purpose="string", media_type="string", url="string"),
            },
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        root = f"/api/v1/cruises/{log.cruise.cruise_id}/events/export"
        return Response(
            [
                {
                    "format": form.name,
                    "title": form.title,
                    "purpose": form.purpose,
                    "media_type": form.media_type,
                    "url": f"{root}/{form.name}",
                }
                for form in forms.FORMS.values()
            ]
        )


class Export(APIView):
    """`GET /api/v1/cruises/{cruise_id}/events/export/{form}`: the log in this form, as a download.

    Takes the filter of the answer box. `ETag` is the SHA-256 of the bytes, which are the same for the same log.
    """

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "A log as a file",
            media=tuple(sorted({form.media_type.partition(";")[0] for form in forms.FORMS.values()})),
            statuses={304: "The caller has these bytes already (If-None-Match)."},
        )
    }

    def get(self, request: Request, cruise_id: str, form: str) -> HttpResponseBase:
        return answer(request._request, _made(request, cruise_id, form))


class ExportReport(APIView):
    """`GET /api/v1/cruises/{cruise_id}/events/export/{form}/report`: size, checksum, and what the check found."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {"GET": Told("What the check of an export found", answer=CHECKED)}

    def get(self, request: Request, cruise_id: str, form: str) -> Response:
        made = _made(request, cruise_id, form)
        made.file.close()
        return Response(made.told())


def _made(request: Request, cruise_id: str, form: str) -> making.Made:
    log = visible_log(request, cruise_id)
    names = access.may(request.user, "eventlog.read", log)
    events = selecting.chosen(log, request.query_params, forms.form(form), names=names)
    return making.make(log, form, names=names, events=events)
