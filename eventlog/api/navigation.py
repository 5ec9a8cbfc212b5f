"""The API of navigation: where the ship was, its track, its feeds, and taking in what programs send."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from eventlog.api.events import visible_log
from eventlog.models import Log
from eventlog.navigation import positions, taking, track
from portal import access
from portal.openapi import Told, thing
from portal.refusals import Fault, NotLikeThis

MOST_TIMES: Final = 10_000
MOST_BYTES: Final = 8 << 20
SAID = {
    "latitude": "number?",
    "longitude": "number?",
    "depth_m": "number?",
    "course_deg": "number?",
    "speed_mps": "number?",
    "method": "string",
    "feed": "string",
    "gap_s": "number?",
    "uncertainty_m": "number?",
}
POSITIONS = thing(positions={"type": "array", "items": thing(time="date-time", **SAID)})
FEED = thing(
    name="string",
    kind="string",
    address="string",
    rank="integer",
    is_enabled="boolean",
    level="string",
    words="[string]",
    heard_at={"type": ["string", "null"], "format": "date-time"},
    clock_offset_s="number?",
    last_fix={"type": ["object", "null"]},
    lines="integer",
    refused="object",
)


class Position(APIView):
    """`GET /api/v1/cruises/{cruise_id}/position?time=…` (repeatable), `POST` for up to 10,000 times.

    `method` is exact (a fix within 2 s), interpolated, extrapolated, or none; `gap_s` seconds to the fix or, when
    interpolated, between the fixes; `uncertainty_m` metres, 95 %. Times outside of the cruise have no position.
    """

    permission = "public"
    scope = "read"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "Where the ship was at one or more times",
            answer=POSITIONS,
            query={"time": ("ISO 8601 with its zone; may be repeated; none: now", {"type": "string"})},
        ),
        "POST": Told("Where the ship was at many times", answer=POSITIONS, takes=thing(times="[date-time]")),
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        texts = request.query_params.getlist("time")
        return self._answer(log, texts or [timezone.now().isoformat()], "time")

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        times = request.data.get("times") if isinstance(request.data, Mapping) else None
        if not isinstance(times, list):
            raise NotLikeThis("The times are not accepted.", [Fault("times", "is needed, as a list of times")])
        return self._answer(log, times, "times")

    def _answer(self, log: Log, texts: Sequence[Any], field: str) -> Response:
        if len(texts) > MOST_TIMES:
            raise NotLikeThis("Too many times at once.", [Fault(field, f"send at most {MOST_TIMES:,}")])
        moments, faults = [], []
        for number, text in enumerate(texts):
            try:
                moments.append(moment_of(text))
            except ValueError as error:
                faults.append(Fault(f"{field}[{number}]", str(error)))
        if faults:
            raise NotLikeThis("Some times are not accepted.", faults[:100])
        first, last = track.window(log, timezone.now())
        inside = [moment for moment in moments if first <= moment <= last]
        said = iter(positions.many(log.cruise.vessel_id, inside))
        rows = [{"time": moment, **(shown(next(said)) if first <= moment <= last else OUTSIDE)} for moment in moments]
        return Response({"positions": rows})


class Track(APIView):
    """`GET /api/v1/cruises/{cruise_id}/track?after=…&before=…&every=60`: GeoJSON lines, or `format=csv` points.

    Without a period: that of the cruise so far. At most 10,000 points; without `every` about 2,000.
    """

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told(
            "The track of the ship",
            media=("application/geo+json", "text/csv"),
            query={
                "after": ("first moment, ISO 8601 with its zone", {"type": "string"}),
                "before": ("last moment", {"type": "string"}),
                "every": ("seconds between points", "number"),
                "format": ("geojson or csv", {"type": "string", "enum": ["geojson", "csv"]}),
            },
        )
    }

    def get(self, request: Request, cruise_id: str) -> HttpResponse:
        log = visible_log(request, cruise_id)
        now = timezone.now()
        first, last = track.window(log, now)
        after = max(first, self._moment(request, "after") or first)
        before = min(last, now, self._moment(request, "before") or last)
        form = request.query_params.get("format", "geojson")
        if form not in ("geojson", "csv"):
            raise NotLikeThis("There is no such format.", [Fault("format", "write geojson or csv")])
        every = self._every(request)
        found = track.points(log.cruise.vessel_id, after, max(after, before), every)
        if form == "csv":
            return _csv(found)
        step = every or max(1.0, (before - after).total_seconds() / track.USUAL_POINTS)
        body = {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"cruise_id": log.cruise.cruise_id},
                    "geometry": {"type": "LineString", "coordinates": line},
                }
                for line in track.lines(found, step)
            ],
        }
        return Response(body, content_type="application/geo+json")

    def _moment(self, request: Request, name: str) -> dt.datetime | None:
        if not (text := request.query_params.get(name)):
            return None
        try:
            return moment_of(text)
        except ValueError as error:
            raise NotLikeThis("The period is not accepted.", [Fault(name, str(error))]) from error

    def _every(self, request: Request) -> float | None:
        text = request.query_params.get("every")
        if not text:
            return None
        try:
            every = float(text)
        except ValueError:
            every = -1.0
        if not 1 <= every <= 86_400:
            raise NotLikeThis("The step is not accepted.", [Fault("every", "write seconds, from 1 to 86400")])
        return every


class Lines(parsers.BaseParser):
    """Lines of plain text."""

    media_type = "text/plain"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        text: bytes = stream.read(MOST_BYTES)
        return {"lines": text.decode("latin-1").splitlines()}


class Fixes(APIView):
    """`POST /api/v1/cruises/{cruise_id}/fixes`: NMEA lines, stamped or not, or fixes, of a feed of the vessel.

    As JSON `{"feed": "gps", "lines": ["$GPGGA,…"]}` or `{"feed": "gps", "fixes": [{"at": …, "latitude": …,
    "longitude": …, "quality": 1, "speed_mps": …, "course_deg": …}]}`, or as text/plain lines with `?feed=gps`. At most
    50,000 at once; sent again they are stored once. Lines that are not believed are counted with the reason.
    """

    permission = "signed in"
    scope = "navigation:write"
    parser_classes = (parsers.JSONParser, Lines)
    told: ClassVar[dict[str, Told]] = {
        "POST": Told(
            "Send navigation",
            takes=thing(feed="string", lines="[string]", fixes="[object]"),
            answer=thing(
                feed="string",
                lines="integer",
                fixes="integer",
                repeated="integer",
                samples="integer",
                without_fix="integer",
                not_read="integer",
                refused="object",
                last_refused={"type": ["object", "null"]},
            ),
            query={"feed": "name of the feed, where lines are sent as text"},
        )
    }

    def post(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise NotLikeThis("Too much at once.", [Fault("lines", f"send at most {MOST_BYTES:,} bytes")])
        data = request.data
        if isinstance(data, Mapping) and "feed" not in data:
            data = {**data, "feed": request.query_params.get("feed", "")}
        faults = _faults(data)
        if faults:
            raise NotLikeThis("The navigation is not accepted.", faults)
        fixes = [_timed(fix) for fix in data.get("fixes", [])]
        answer = taking.send(
            cruise=log.cruise,
            by=request.user,
            feed=data["feed"],
            lines=data.get("lines", []),
            fixes=fixes,
            at=timezone.now(),
        )
        return Response(answer)


class FeedList(APIView):
    """`GET /api/v1/cruises/{cruise_id}/feeds`: the feeds of the vessel, their last fix, and what the watch found."""

    permission = "public"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Feeds of navigation", answer=thing(feeds={"type": "array", "items": FEED}, now="date-time"))
    }

    def get(self, request: Request, cruise_id: str) -> Response:
        log = visible_log(request, cruise_id)
        now = timezone.now()
        rows = track.feeds(log.cruise.vessel_id, now)
        if not access.may(request.user, "eventlog.read", log):
            # What a ship's network looks like, and where she is after the cruise, is not for everybody.
            first, last = track.window(log, now)
            for row in rows:
                row["address"], row["last_refused"] = "", None
                if row["last_fix"] and not first <= row["last_fix"]["at"] <= last:
                    row["last_fix"] = None
        return Response({"feeds": rows, "now": now})


def shown(said: Mapping[str, Any]) -> dict[str, Any]:
    """A derived position as the API names it, without the prefix of the columns."""
    found = {name.removeprefix("nav_"): value for name, value in said.items()}
    return found | {"method": found["method"] or positions.NONE}


OUTSIDE: Final = shown(dict.fromkeys(positions.COLUMNS) | {"nav_method": positions.NONE, "nav_feed": ""})


def moment_of(text: Any) -> dt.datetime:
    """The moment of an ISO 8601 text. Raises ValueError with a sentence, also for one without a zone."""
    if not isinstance(text, str) or len(text) > 40:
        raise ValueError("is not a time as 2026-03-04T03:14:07Z")
    try:
        # In an address a plus sign comes as a blank.
        found = dt.datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a time as 2026-03-04T03:14:07Z") from None
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write Z for UTC")
    if not 1980 <= found.year <= 2200:
        raise ValueError(f"{text!r} is not a time of satellite navigation")
    return found


def _faults(data: Any) -> list[Fault]:
    if not isinstance(data, Mapping):
        return [Fault("", "send an object with `feed` and `lines` or `fixes`")]
    faults = [Fault(name, "There is no such field.") for name in sorted(set(data) - {"feed", "lines", "fixes"})]
    if not isinstance(data.get("feed"), str) or not data["feed"].strip():
        faults.append(Fault("feed", "is needed, the name of the feed"))
    lines, fixes = data.get("lines", []), data.get("fixes", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        faults.append(Fault("lines", "is a list of texts"))
    if not isinstance(fixes, list) or not all(isinstance(fix, Mapping) for fix in fixes):
        faults.append(Fault("fixes", "is a list of objects"))
        return faults
    for number, fix in enumerate(fixes):
        for name in ("latitude", "longitude", "quality", "speed_mps", "course_deg"):
            value = fix.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                faults.append(Fault(f"fixes[{number}].{name}", "is a number"))
        if len(faults) >= 100:
            break
    return faults


def _timed(fix: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {**fix, "at": moment_of(fix.get("at"))}
    except ValueError:
        return {**fix, "at": None}


def _csv(found: Sequence[Mapping[str, Any]]) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["time", *(name.removeprefix("nav_") for name in positions.COLUMNS)])
    for point in found:
        writer.writerow([f"{point['time']:%Y-%m-%dT%H:%M:%S.%fZ}", *(point[name] for name in positions.COLUMNS)])
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
