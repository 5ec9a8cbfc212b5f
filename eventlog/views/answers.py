"""The answer box: a filter, and what it finds as a table, on a map, and on a time line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from eventlog.answers import Filter, Understood, understand
from eventlog.answers.lanes import Lane, lanes
from eventlog.answers.offered import summary, vocabulary
from eventlog.answers.points import points
from eventlog.exports.forms import FORMS
from eventlog.models import Event, Log
from eventlog.views.visible import visible_log
from portal import access
from portal.models import Cruise
from portal.refusals import NotLikeThis
from portal.views.doors import of_cruise

ROWS, MOST_PAGES = 100, 200
VIEWS = {"table": "Table", "map": "Map", "timeline": "Time line"}
# Columns that can be chosen: heading, and whether they are shown unless others are.
COLUMNS = {
    "ended_at": ("Ended (UTC)", False),
    "station": ("Station", True),
    "cast": ("Cast", True),
    "transect": ("Transect", False),
    "position": ("Position", True),
    "depth": ("Water, m", True),
    "method": ("Position by", False),
    "comment": ("Comment", True),
    "author": ("By", True),
    "number": ("Number", False),
    "logged_at": ("Typed (UTC)", False),
    "device": ("Device", False),
}
EXPORTS = ("r2r-csv", "csv", "geojson", "gpkg", "netcdf")
SORTS = ("observed_at", "instrument", "station", "number", "logged_at")
DROPPED = ("original", "extra", "revised_at")  # large, and in no column


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the filter's form: what stands in it, further values of the same name, and what is wrong with it."""

    name: str
    label: str
    value: str
    others: list[str]
    error: str
    type: str = "text"
    list: str = ""
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()


AT_HAND = ("q", "instrument", "action", "station", "after", "before")
BOXES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("q", "Words", {"type": "search"}),
    ("instrument", "Instrument", {"list": "filter-instruments"}),
    ("action", "Action", {"list": "filter-actions"}),
    ("station", "Station", {"list": "filter-stations"}),
    ("after", "From (UTC)", {"hint": "2026-03-04 03:14"}),
    ("before", "To (UTC)", {"hint": "2026-03-05"}),
    ("last", "Or the last", {"hint": "4h, 2d"}),
    ("near", "Near a station or position", {"list": "filter-stations", "hint": "L6 or 35.5,-25.1"}),
    ("within", "Within, km", {"type": "decimal", "hint": "10"}),
    ("box", "Box: west,south,east,north", {"hint": "-30,35,-20,40"}),
    ("depth_min", "Water from, m", {"type": "decimal"}),
    ("depth_max", "to, m", {"type": "decimal"}),
    ("person", "Person", {"list": "filter-people"}),
    ("transect", "Transect", {}),
    ("cast", "Cast", {}),
    ("operation", "Operation (its id)", {}),
    (
        "position",
        "Position",
        {
            "choices": (
                ("", "All"),
                ("any", "known"),
                ("none", "not known"),
                ("typed", "typed"),
                ("derived", "from navigation"),
                ("exact", "exact"),
                ("interpolated", "interpolated"),
                ("extrapolated", "extrapolated"),
            )
        },
    ),
    ("struck", "Struck events", {"choices": (("no", "left out"), ("yes", "as well"), ("only", "alone"))}),
)


@dataclass(slots=True)
class Asked:
    """What was asked of a log, and what was found; `faults` by parameter where it was not understood."""

    log: Log
    names: bool
    wanted: Filter
    found: Any
    faults: dict[str, str] = field(default_factory=dict)
    understood: Understood | None = None

    @property
    def query(self) -> str:
        return self.wanted.as_query()


def asked(request: HttpRequest, cruise: Cruise) -> Asked:
    """Reads the filter of a request, in parameters or in plain words (`ask`), and asks the log."""
    log = visible_log(request, cruise)
    names = access.may(request.user, "eventlog.read", log)
    params: Any = request.GET
    understood = None
    if question := request.GET.get("ask", "").strip():
        understood = understand(question, vocabulary(log, names=names))
        params = understood.params
    wanted, found, faults = Filter(), Event.objects.none(), {}
    try:
        wanted = Filter.parse(params)
        found = wanted.apply(Event.objects.all(), log=log, names=names, now=timezone.now())
    except NotLikeThis as refusal:
        faults = {fault.where: fault.what for fault in refusal.faults}
    return Asked(log, names, wanted, found, faults, understood)


@of_cruise
@require_safe
def answers_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The filter and its answer. Works without script; the map and the time line are drawn by one."""
    ask = asked(request, cruise)
    view = request.GET.get("view", "table")
    view = view if view in VIEWS else "table"
    told = summary(ask.found) if not ask.faults else None
    near, more = _boxes(request, ask)
    extra = [(name, value) for name in ("column", "sort") for value in request.GET.getlist(name)]
    context = {
        "cruise": cruise,
        "log": ask.log,
        "ask": ask,
        "names": ask.names,
        "wanted": ask.wanted,
        "boxes": near,
        "more_boxes": more,
        "more_open": any(box.value or box.error for box in more),
        "told": told,
        "sentence": ask.wanted.says(),
        "tags": list(_tags(ask.wanted, view)),
        "view": view,
        "tabs": [(key, word, _link(ask, [*extra, ("view", key)])) for key, word in VIEWS.items()],
        "link": request.build_absolute_uri(reverse("answers", args=[cruise.cruise_id])) + _link(ask, [("view", view)]),
        "words": vocabulary(ask.log, names=ask.names),
        "query": ask.query,
        "exports": [(name, FORMS[name].title) for name in EXPORTS if name in FORMS],
        "extra": extra,
    }
    if told and view == "table":
        context |= _table(request, ask, told.count)
    if told and view == "map":
        context["track_url"] = _track(cruise)
    if told and view == "timeline":
        context["lanes"] = lanes(ask.found, ask.log)
    return render(request, "eventlog/answers.html", context, status=422 if ask.faults else 200)


def _link(ask: Asked, more: list[tuple[str, str]]) -> str:
    return "?" + urlencode([*ask.wanted.params(), *(pair for pair in more if pair != ("view", "table"))])


def _tags(wanted: Filter, view: str) -> Iterator[tuple[str, str]]:
    """Each thing that the filter says, and the link without it."""
    pairs = wanted.params()
    for index, (name, value) in enumerate(pairs):
        if name == "within":
            continue
        rest = [pair for at, pair in enumerate(pairs) if at != index and not (name == "near" and pair[0] == "within")]
        alone = Filter.parse({key: each for key, each in pairs if key == name or (name, key) == ("near", "within")})
        said = value if name in ("instrument", "action") else alone.says().removeprefix("Events ")
        yield said, "?" + urlencode([*rest, ("view", view)])


def _boxes(request: HttpRequest, ask: Asked) -> tuple[list[Box], list[Box]]:
    """The boxes of the form, those at hand and the others, with what was understood, or typed where it was not."""
    pairs = ask.wanted.params()
    if ask.faults and ask.understood is None:
        pairs = [(name, value) for name, each in request.GET.lists() for value in each]
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        # Times stand in their boxes as everywhere: a blank between, and no zone, which is always UTC.
        shown = value.removesuffix("Z").replace("T", " ") if name in ("after", "before") else value
        values.setdefault(name, []).append(shown)
    near: list[Box] = []
    more: list[Box] = []
    for name, label, marks in BOXES:
        if name == "person" and not ask.names:
            continue
        first, *others = values.get(name, [""])
        box = Box(name, label, first, others, ask.faults.get(name, ""), **marks)
        (near if name in AT_HAND else more).append(box)
    return near, more


class _Counted(Paginator):
    """Pages of rows that have been counted already; no further than the 200th, which a filter reaches sooner."""

    def __init__(self, rows: Any, count: int) -> None:
        super().__init__(rows, ROWS)
        self.__dict__["count"] = count
        self.__dict__["num_pages"] = min(max(1, -(-count // ROWS)), MOST_PAGES)


def _table(request: HttpRequest, ask: Asked, count: int) -> dict[str, Any]:
    chosen = [name for name in request.GET.getlist("column") if name in COLUMNS]
    chosen = chosen or [name for name, (_, shown) in COLUMNS.items() if shown]
    columns = [name for name in COLUMNS if name in chosen and (name != "author" or ask.names)]
    sort = request.GET.get("sort", "-observed_at")
    if sort.removeprefix("-") not in SORTS:
        sort = "-observed_at"
    way = "-" if sort.startswith("-") else ""
    order = dict.fromkeys([sort, f"{way}observed_at", f"{way}number"])
    rows = ask.found.order_by(*order).defer(*DROPPED)
    pages = _Counted(rows, count)
    return {
        "page": pages.get_page(request.GET.get("page")),
        "columns": columns,
        "headings": [(name, word, name in columns) for name, (word, _) in COLUMNS.items()],
        "sort": sort,
        "sorts": {name: _sorting(ask, columns, chosen, sort, name) for name in SORTS},
        "cut": count > MOST_PAGES * ROWS,
    }


def _sorting(ask: Asked, columns: list[str], chosen: list[str], sort: str, name: str) -> dict[str, str]:
    """The heading of a column: the link that sorts by it, and how it is sorted now."""
    there = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    link = _link(ask, [*(("column", each) for each in chosen), ("sort", f"-{name}" if there == "ascending" else name)])
    return {"link": link, "now": there}


def _track(cruise: Cruise) -> str:
    """Where the ship's track is told; empty where this installation has none."""
    try:
        return reverse("api-track", args=[cruise.cruise_id])
    except NoReverseMatch:
        return ""


@of_cruise
@require_safe
def answer_points(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """What the filter finds as GeoJSON for the map: events, or where they are many, cells of them with their count."""
    ask = asked(request, cruise)
    _refuse(ask)
    rows, cells = points(ask.found)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row["best_longitude"], row["best_latitude"]]},
            "properties": {
                "label": f"{row['instrument']} {row['action']} {row['station']}".strip(),
                "time": f"{row['observed_at']:%Y-%m-%dT%H:%M:%SZ}",
                "note": row["comment"][:200],
                "url": reverse("event", args=[cruise.cruise_id, row["uuid"]]),
            },
        }
        for row in rows
    ]
    here = reverse("answers", args=[cruise.cruise_id])
    for cell in cells:
        west, south, east, north = cell.box
        # Widened, so that what lies on its edge is inside after the numbers were written down.
        box = (max(-180.0, west - 1e-6), max(-90.0, south - 1e-6), min(180.0, east + 1e-6), min(90.0, north + 1e-6))
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [round(cell.longitude, 6), round(cell.latitude, 6)]},
                "properties": {
                    "label": f"{cell.count:,} events",
                    "count": cell.count,
                    "note": f"{cell.first:%Y-%m-%d %H:%M} to {cell.last:%Y-%m-%d %H:%M} UTC",
                    "url": f"{here}?{replace(ask.wanted, box=box).as_query()}",
                },
            }
        )
    collection = {"type": "FeatureCollection", "features": features}
    return JsonResponse(collection, content_type="application/geo+json")


@of_cruise
@require_safe
def answer_lanes(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """What the filter finds as lanes for the time line."""
    ask = asked(request, cruise)
    _refuse(ask)
    told = lanes(ask.found, ask.log)
    here = reverse("answers", args=[cruise.cruise_id])

    def binned(lane: Lane) -> Iterator[dict[str, Any]]:
        for at, count in lane.bins:
            assert told.bin is not None
            part = replace(ask.wanted, instrument=(lane.name,), last="", after=at, before=at + told.bin)
            yield {"at": _iso(at), "count": count, "url": f"{here}?{part.as_query()}"}

    def ticked(lane: Lane) -> Iterator[dict[str, Any]]:
        for row in lane.ticks:
            words = (row["action"], row["station"] and f"at {row['station']}", row["cast"] and f"cast {row['cast']}")
            yield {
                "at": _iso(row["observed_at"]),
                "end": _iso(row["ended_at"]),
                "label": " ".join(word for word in words if word) or row["number"],
                "struck": row["struck_at"] is not None,
                "url": reverse("event", args=[cruise.cruise_id, row["uuid"]]),
            }

    body = {
        "from": _iso(told.first),
        "to": _iso(told.last),
        "now": _iso(timezone.now()),
        "bin_s": told.bin.total_seconds() if told.bin else None,
        "lanes": [
            {
                "name": lane.name,
                "count": lane.count,
                "bins": list(binned(lane)),
                "ticks": list(ticked(lane)),
                "bars": [
                    {
                        "from": _iso(bar.started_at),
                        "to": _iso(bar.ended_at),
                        "open": bar.is_open,
                        "label": " ".join(w for w in (bar.cast and f"cast {bar.cast}", bar.station, bar.state) if w),
                        "url": f"{here}?{urlencode({'operation': str(bar.uuid)})}",
                    }
                    for bar in lane.bars
                ],
            }
            for lane in told.lanes
        ],
    }
    return JsonResponse(body)


def _refuse(ask: Asked) -> None:
    if ask.faults:
        raise NotLikeThis("The filter is not understood: " + "; ".join(f"{k}: {v}" for k, v in ask.faults.items()))


def _iso(at: Any) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
