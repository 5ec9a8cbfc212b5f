"""The list of events in the API: the filter of the answer box, an order, chosen fields, pages, and an ETag."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog import rows
from eventlog.answers import Filter
from eventlog.live import changes
from eventlog.models import Log, Measurement
from eventlog.navigation.positions import COLUMNS
from portal import access
from portal.authentication import Pages
from portal.refusals import Fault, NotLikeThis

ORDERS = ("observed_at", "logged_at", "number", "instrument", "station")
FIELDS = (
    *("uuid", *rows.PLAIN, "observed_at", "ended_at", "logged_at", "operation", "author_name", "device"),
    *("clock_offset_s", "comment", "extra", "source", "revision", "struck", *COLUMNS, "measurements"),
)
FILTERS = tuple("q" if each.name == "text" else each.name for each in fields(Filter))
TAKEN = (*FILTERS, "ordering", "fields", "page", "page_size")
QUERY = {
    "q": "words that the text of an event holds, all of them",
    "instrument": "its name; may be said several times, as may action, station, transect and cast",
    "action": "what was done",
    "station": "its name, or another name of the same place",
    "transect": "name of the line",
    "cast": "number of the cast",
    "person": "part of the name of who logged it; for those of the cruise",
    "operation": ("id of an operation", "uuid"),
    "after": "time in UTC, as 2026-03-04T03:14:07Z or 2026-03-04",
    "before": "time in UTC, not included; a day alone is meant whole",
    "last": "instead of a period: 90min, 4h, 2d, 1w",
    "box": "west,south,east,north in degrees; west greater than east crosses 180 degrees",
    "near": "a station, or latitude,longitude",
    "within": ("km around `near`; 10 unless told", "number"),
    "depth_min": ("depth of the water in metres", "number"),
    "depth_max": ("depth of the water in metres", "number"),
    "position": "any, typed, derived, exact, interpolated, extrapolated or none",
    "struck": "no, yes (as well) or only",
    "ordering": f"one of {', '.join(ORDERS)}; with - before it, backwards",
    "fields": "names of fields, separated by commas; all unless told",
}


def listing(request: Request, log: Log, view: APIView) -> Response:
    """The events that a request asks for, with a weak ETag that changes with every change of the log.

    304 for whoever has this answer already. Raises NotLikeThis with the fault of each parameter.
    """
    names = access.may(request.user, "eventlog.read", log)
    wanted, order, chosen = _asked(request)
    # The answer to "the last four hours" changes by itself.
    tag = "" if wanted.last else _tag(request, log, names=names)
    if tag and tag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        return Response(status=304, headers=_headers(tag))
    events: Any = wanted.apply(log.events.all(), log=log, names=names, now=timezone.now())
    events = events.order_by(*order).select_related("operation").defer("original", "revised_at")
    measured = Measurement.objects.all() if "measurements" in chosen else Measurement.objects.none()
    events = events.prefetch_related(Prefetch("measurements", measured))
    pages = Pages()
    page = pages.paginate_queryset(events, request, view=view)
    told = [_row(event, chosen, names=names) for event in page or []]
    response = pages.get_paginated_response(told)
    for name, value in _headers(tag).items():
        response[name] = value
    return response


def _asked(request: Request) -> tuple[Filter, list[str], tuple[str, ...]]:
    """The filter, the order and the fields. Raises NotLikeThis with everything that is wrong."""
    params = request.query_params
    faults = [
        Fault(name, f"there is no such parameter; there are {', '.join(TAKEN)}") for name in params if name not in TAKEN
    ]
    wanted = Filter()
    try:
        wanted = Filter.parse(params)
    except NotLikeThis as refusal:
        faults += refusal.faults
    ordering = params.get("ordering", "observed_at")
    if ordering.removeprefix("-") not in ORDERS:
        faults.append(Fault("ordering", f"{ordering[:40]!r} is none of {', '.join(ORDERS)}"))
    chosen = tuple(name.strip() for name in params.get("fields", "").split(",") if name.strip()) or FIELDS
    if unknown := [name[:40] for name in chosen if name not in FIELDS]:
        faults.append(Fault("fields", f"there is no {', '.join(unknown)}; there are {', '.join(FIELDS)}"))
    if faults:
        raise NotLikeThis("The question is not understood.", faults)
    way = "-" if ordering.startswith("-") else ""
    return wanted, list(dict.fromkeys([ordering, f"{way}observed_at", f"{way}number"])), chosen


def _row(event: Any, chosen: tuple[str, ...], *, names: bool) -> dict[str, Any]:
    row = rows.event_row(event, names=names)
    return row if chosen == FIELDS else {name: row[name] for name in chosen}


def _tag(request: Request, log: Log, *, names: bool) -> str:
    asked = f"{request.get_full_path()} {names}"
    return f'W/"{changes.sequence_of(log)}-{log.pk}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"'


def _headers(tag: str) -> dict[str, str]:
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    return headers | ({"ETag": tag} if tag else {})
