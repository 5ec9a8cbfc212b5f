"""The API of imports: take a log file in, or try it; what came of every row; and taking an import back."""

from __future__ import annotations

from typing import IO, Any, ClassVar

from django.http import HttpResponse
from rest_framework import parsers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import intake
from eventlog.api.attachments import TooLarge
from eventlog.api.events import visible_log
from eventlog.exchange import detect
from eventlog.exchange.record import MOST_BYTES
from eventlog.models import Import, Log
from portal import access
from portal.openapi import Told, thing
from portal.refusals import NotFound

AROUND = 64 * 1024  # bytes around the file in a multipart request
DIFFERENCE = thing(field="string", log={"description": "what stands"}, file={"description": "what the file says"})
ROW = thing(
    line="integer",
    number="string",
    result={"type": "string", "enum": list(intake.RESULTS)},
    column="string",
    message="string",
    differs={"type": "array", "items": DIFFERENCE},
)
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
REPORT = thing(
    **{"format": "string", "import": "integer?", "notes": "[string]", "counts": COUNTS},
    rows={"type": "array", "items": ROW},
)
SHORT = thing(
    number="integer",
    name="string",
    format="string",
    sha256="string",
    counts=COUNTS,
    notes="[string]",
    options={"type": "object"},
    at="date-time",
    by="string",
    finished={"type": "boolean", "description": "no: it was interrupted; send the file again, or take it back"},
    undone_at={"type": ["string", "null"], "format": "date-time"},
)
QUERY = {
    "dry_run": "1: report, and take nothing in",
    "format": ("instead of by the content", {"type": "string", "enum": list(detect.FORMATS)}),
    "differing": ("what becomes of rows that differ", {"type": "string", "enum": list(intake.DIFFERING)}),
    "mapping": "JSON that says what the columns of a plain table hold",
    "name": "of the file, where the body is the file itself",
    "reason": "why; needed once the log is closed",
}
TAKES = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "aux": {"type": "string", "format": "binary", "description": "Sealog's auxiliary data"},
        "mapping": {"type": "string", "description": "as in the address"},
    },
}


class Raw(parsers.BaseParser):
    """The body as it is, whatever it says it is, up to the most that is read."""

    media_type = "*/*"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, bytes]:
        return {"file": stream.read(MOST_BYTES + 1)}


class ImportOptions(serializers.Serializer):
    """What stands in the address, or beside the file."""

    dry_run = serializers.BooleanField(default=False)
    format = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    differing = serializers.ChoiceField(choices=intake.DIFFERING, default="keep")
    mapping = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


OPTIONS = ("dry_run", "format", "differing", "mapping", "name", "reason")


class ImportList(APIView):
    """`GET` and `POST /api/v1/cruises/{cruise_id}/imports`.

    A `POST` is the file itself, or multipart with `file`, and `aux` or `mapping` beside it. With `dry_run=1` it answers
    200 with the same report and writes nothing.
    """

    permission = "signed in"
    scope = "events:write"
    parser_classes = (parsers.MultiPartParser, Raw)
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Imports of a log", answer={"type": "array", "items": SHORT}),
        "POST": Told(
            "Import a log file, or try it",
            answer=REPORT,
            takes=TAKES,
            takes_media=("multipart/form-data", "application/octet-stream"),
            query=QUERY,
            status=201,
            statuses={200: "A dry run: nothing was written."},
        ),
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if request.method == "POST" and (not length.isdigit() or int(length) > MOST_BYTES + AROUND):
            raise TooLarge(f"The file has more than {MOST_BYTES:,} bytes, which is the most that is read.")
        super().initial(request, *args, **kwargs)

    def get(self, request: Request, cruise_id: str) -> Response:
        return Response([short(row) for row in _imports(_log(request, cruise_id))])

    def post(self, request: Request, cruise_id: str) -> Response:
        log = _log(request, cruise_id)
        beside = {name: request.data[name] for name in OPTIONS if name in request.data}
        given = ImportOptions(data={**request.query_params.dict(), **beside})
        given.is_valid(raise_exception=True)
        options = given.validated_data
        file = request.data.get("file") or b""
        data = file if isinstance(file, bytes) else file.read() if hasattr(file, "read") else b""
        if not data:
            raise serializers.ValidationError({"file": "is needed"})
        aux = request.FILES.get("aux")
        report = intake.import_events(
            log=log,
            name=options["name"] or getattr(file, "name", "") or "upload",
            data=data,
            aux=aux.read() if aux else None,
            by=request.user,
            form=options["format"],
            columns=intake.mapping_of(options["mapping"]) if options["mapping"] else None,
            differing=options["differing"],
            reason=options["reason"],
            dry_run=options["dry_run"],
        )
        return Response(report.as_json(), status=200 if options["dry_run"] else 201)


class ImportDetail(APIView):
    """`GET` and `DELETE /api/v1/cruises/{cruise_id}/imports/{number}`.

    The report of an import, row by row; `?as=csv` as a table. Deleting takes the import back: its events are struck.
    """

    permission = "signed in"
    scope = "events:write"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("The report of an import", answer=REPORT, query={"as": "csv: a table"}),
        "DELETE": Told("Take an import back", answer=COUNTS, query={"reason": "why; needed"}),
    }

    def get(self, request: Request, cruise_id: str, number: int) -> Response | HttpResponse:
        report = intake.report_of(_import(_log(request, cruise_id), number))
        if request.query_params.get("as") == "csv":
            return HttpResponse(report.as_csv(), content_type="text/csv; charset=utf-8")
        return Response(report.as_json())

    def delete(self, request: Request, cruise_id: str, number: int) -> Response:
        imported = _import(_log(request, cruise_id), number)
        reason = request.query_params.get("reason", "")[:1000]
        return Response(intake.undo_import(imported=imported, by=request.user, reason=reason))


def short(row: Import) -> dict[str, Any]:
    """An import without its rows."""
    return {
        "number": row.number,
        "name": row.name,
        "format": row.format,
        "sha256": row.sha256,
        "counts": row.counts,
        "notes": row.notes,
        "options": row.options,
        "at": row.at,
        "by": row.by_name,
        "finished": row.finished_at is not None,
        "undone_at": row.undone_at,
    }


def _log(request: Request, cruise_id: str) -> Log:
    log = visible_log(request, cruise_id)
    access.require(request.user, "eventlog.import", log)
    return log


def _imports(log: Log) -> Any:
    return log.imports.defer("data", "report", "problems").select_related("log__cruise__vessel")


def _import(log: Log, number: int) -> Import:
    found: Import | None = log.imports.defer("data").filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no import {number} into this log.")
    found.log = log
    return found
