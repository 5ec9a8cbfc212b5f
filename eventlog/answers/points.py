"""The answer on the map: each event, or counts in cells when there are many."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, ExpressionWrapper, F, FloatField, Max, Min
from django.db.models.functions import Floor

MOST_POINTS = 1500
CELLS = 48  # along the longer side of what was found


@dataclass(frozen=True, slots=True)
class Cell:
    """Events close together: how many, the middle of their positions, their box, and when they happened."""

    count: int
    latitude: float
    longitude: float
    box: tuple[float, float, float, float]
    first: dt.datetime
    last: dt.datetime


def points(found: Any) -> tuple[list[dict[str, Any]], list[Cell]]:
    """The events that have a position, by time; where there are more than 1,500, cells of them instead."""
    placed = found.with_place().filter(best_latitude__isnull=False, best_longitude__isnull=False)
    names = ("uuid", "observed_at", "instrument", "action", "station", "comment", "best_latitude", "best_longitude")
    rows = list(placed.order_by("observed_at", "number").values(*names)[: MOST_POINTS + 1])
    if len(rows) <= MOST_POINTS:
        return rows, []
    return [], _cells(placed.order_by())


def _cells(placed: Any) -> list[Cell]:
    told = placed.aggregate(
        south=Min("best_latitude"), north=Max("best_latitude"), west=Min("best_longitude"), east=Max("best_longitude")
    )
    longest = max(told["north"] - told["south"], told["east"] - told["west"], 0.001)
    step = _round(longest / CELLS)
    rows = (
        placed.annotate(row=_cell("best_latitude", step), column=_cell("best_longitude", step))
        .values("row", "column")
        .annotate(
            n=Count("pk"),
            up=Avg("best_latitude"),
            right=Avg("best_longitude"),
            south=Min("best_latitude"),
            north=Max("best_latitude"),
            west=Min("best_longitude"),
            east=Max("best_longitude"),
            first=Min("observed_at"),
            last=Max("observed_at"),
        )
        .order_by("first", "row", "column")
    )
    return [
        Cell(r["n"], r["up"], r["right"], (r["west"], r["south"], r["east"], r["north"]), r["first"], r["last"])
        for r in rows
    ]


def _cell(name: str, step: float) -> Any:
    return Floor(ExpressionWrapper(F(name) / step, output_field=FloatField()))


def _round(degrees: float) -> float:
    """The next of 1, 2, 5 times a power of ten: cells keep their places while the answer grows."""
    power = 10.0 ** math.floor(math.log10(degrees))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= degrees * 0.999)
