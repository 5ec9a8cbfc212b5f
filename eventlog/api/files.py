"""The API of instruments' files: what came into the watched folders, and to which operation each belongs."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import rows, watching
from eventlog.api.events import readable_log
from eventlog.models import DataFile
from portal.authentication import Pages
from portal.openapi import Told, thing
from portal.refusals import NotFound

SHAPE = thing(
    uuid="uuid",
    path="string",
    size="integer",
    modified_at="date-time",
    sha256="string",
    operation="uuid?",
    revision="integer",
)


class LinkInput(serializers.Serializer):
    """To which operation a file belongs; null: to none."""

    operation = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class FileList(APIView):
    """`GET /api/v1/cruises/{cruise_id}/files`: files of the watched folders, newest first; `sha256` empty: it grows."""

    permission = "signed in"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Instruments' files",
            answer=SHAPE,
            many=True,
            query={"operation": ("of this operation alone", "uuid"), "unlinked": "yes: those without an operation"},
        )
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = readable_log(request, cruise_id)
        found = log.data_files.select_related("operation")
        if operation := request.query_params.get("operation"):
            found = found.filter(operation__uuid=serializers.UUIDField().run_validation(operation))
        if request.query_params.get("unlinked") == "yes":
            found = found.filter(operation__isnull=True).exclude(sha256="")
        pages = Pages()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response([rows.file_row(file) for file in page or ()])


class FileDetail(APIView):
    """`GET` and `PATCH /api/v1/cruises/{cruise_id}/files/{uuid}`: a file, and linking it to another operation."""

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("A file of an instrument", answer=SHAPE),
        "PATCH": Told("Link a file to another operation", answer=SHAPE, takes=LinkInput),
    }

    def get(self, request: Request, cruise_id: str, uuid: str) -> Response:
        return Response(rows.file_row(_file(request, cruise_id, uuid)))

    def patch(self, request: Request, cruise_id: str, uuid: str) -> Response:
        file = _file(request, cruise_id, uuid)
        given = LinkInput(data=request.data)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(given.validated_data)
        operation = None
        if values["operation"] is not None:
            operation = file.log.operations.filter(uuid=values["operation"]).first()
            if operation is None:
                raise serializers.ValidationError({"operation": "is not in this log"})
        file = watching.relink(file=file, by=request.user, operation=operation, reason=values.get("reason", ""))
        return Response(rows.file_row(file))


def _file(request: Request, cruise_id: str, uuid: str) -> DataFile:
    log = readable_log(request, cruise_id)
    file = log.data_files.select_related("operation", "log__cruise__vessel").filter(uuid=uuid).first()
    if file is None:
        raise NotFound("There is no such file in this log.")
    return file
