"""The log as a tabledap data set: `…/tabledap/events.csv?time,latitude&time>=…`, and what its variables are.

With the address of a cruise (`/api/v1/cruises/EN720`) as its server, a client of ERDDAP works as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from eventlog.api.events import visible_log
from eventlog.models import Log
from eventlog.tabledap import question, shapes, table
from portal import access
from portal.openapi import Told

INFO = ("Row Type", "Variable Name", "Attribute Name", "Data Type", "Value")
STANDARD_NAMES = {
    "time": "time",
    "latitude": "latitude",
    "longitude": "longitude",
    "seafloor_depth": "sea_floor_depth_below_sea_surface",
    "course": "platform_course",
    "speed": "platform_speed_wrt_ground",
}
TEXT = "text/plain; charset=utf-8"


class Events(APIView):
    """`GET /api/v1/cruises/{cruise_id}/tabledap/events.{form}?query`: csv, csvp, csv0, tsv, tsvp, tsv0, json, geoJson.

    The query is that of ERDDAP: variables, then constraints with = != < <= > >= =~, then functions such as
    distinct() and orderBy("time"). Struck events are left out. Errors are told as ERDDAP tells them.
    """

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Standing events, asked as ERDDAP's tabledap is asked; the query string is `variables&constraints`",
            answer={"type": "string"},
            media=tuple(dict.fromkeys(shapes.MEDIA.values())),
        )
    }

    def get(self, request: Request, cruise_id: str, form: str) -> HttpResponse:
        log = visible_log(request, cruise_id)
        if form not in shapes.MEDIA:
            return _wrong(
                400, "Bad Request", f'fileType=".{form}" is not offered; there are .{", .".join(shapes.MEDIA)}.'
            )
        names = access.may(request.user, "eventlog.read", log)
        try:
            asked = question.read(request.META.get("QUERY_STRING", ""), table.variables(names=names), timezone.now())
            found = iter(table.rows(log, asked))
            first = next(found, None)
            if first is None:
                return _wrong(404, "Not Found", "Your query produced no matching results. (nRows = 0)")
            text = "".join(shapes.write(form, asked.columns, chain([first], found)))
        except question.Wrong as error:
            return _wrong(400, "Bad Request", f"Query error: {error}")
        response = HttpResponse(text, content_type=f"{shapes.MEDIA[form]}; charset=utf-8")
        response["Content-Disposition"] = f'inline; filename="{log.cruise.cruise_id}_events.{form.rstrip("p0")}"'
        return response


class Info(APIView):
    """`GET /api/v1/cruises/{cruise_id}/info/events/index.{form}`: the variables with their types and units."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Variables of the tabledap table, with types and units",
            answer={"type": "string"},
            media=("text/csv", "application/json"),
        )
    }

    def get(self, request: Request, cruise_id: str, form: str) -> HttpResponse:
        log = visible_log(request, cruise_id)
        if form not in ("csv", "json", "tsv"):
            return _wrong(400, "Bad Request", f'fileType=".{form}" is not offered; there are .csv, .tsv, .json.')
        columns = [question.Variable(name, "text", "", "") for name in INFO]
        text = "".join(shapes.write(form, columns, _info(log, names=access.may(request.user, "eventlog.read", log))))
        if form != "json":
            # Unlike a table of data, this one has no line of units.
            first, _, rest = text.partition("\n")
            text = f"{first}\n{rest.partition(chr(10))[2]}"
        return HttpResponse(text, content_type=f"{shapes.MEDIA[form]}; charset=utf-8")


def _wrong(code: int, words: str, detail: str) -> HttpResponse:
    return HttpResponse(shapes.error(code, words, detail), status=code, content_type=TEXT)


def _info(log: Log, *, names: bool) -> Iterator[tuple[str, str, str, str, str]]:
    """Rows of ERDDAP's info table: first what is true of the whole, then each variable with its attributes."""
    cruise = log.cruise
    told = {
        "cdm_data_type": "Point",
        "Conventions": "CF-1.10, ACDD-1.3",
        "featureType": "Point",
        "id": f"{cruise.cruise_id}_events",
        "title": f"Event log of cruise {cruise.cruise_id}: {cruise.title}",
        "platform": str(cruise.vessel),
        "subsetVariables": "instrument, action, station",
    }
    for name, value in sorted(told.items(), key=lambda pair: pair[0].casefold()):
        yield "attribute", "NC_GLOBAL", name, "String", value
    for variable in table.variables(names=names).values():
        yield "variable", variable.name, "", "String" if variable.kind == "text" else "double", ""
        for name, kind, text in _attributes(log, variable):
            yield "attribute", variable.name, name, kind, text


def _attributes(log: Log, variable: question.Variable) -> Iterator[tuple[str, str, str]]:
    if variable.name in ("time", "latitude", "longitude"):
        least, most = table.edges(log, variable.name)
        if least is not None:
            yield "actual_range", "double", f"{_number(least)}, {_number(most)}"
    yield "long_name", "String", variable.words
    if variable.name in STANDARD_NAMES:
        yield "standard_name", "String", STANDARD_NAMES[variable.name]
    if variable.units:
        yield "units", "String", variable.units


def _number(value: Any) -> str:
    return json.dumps(value)
