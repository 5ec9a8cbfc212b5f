"""The events of a log as a tabledap table: its variables, and the rows that a question asks for."""

from __future__ import annotations

import datetime as dt
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import F, Max, Min, Q
from django.db.models.functions import Coalesce

from eventlog.models import Log
from eventlog.tabledap.patterns import Pattern
from eventlog.tabledap.question import Constraint, Edge, Question, Variable

SECONDS = "seconds since 1970-01-01T00:00:00Z"
MOST_SORTED = 500_000  # rows that are held in memory for sorting and for distinct()
COLUMNS: dict[str, tuple[Variable, Any]] = {
    v.name: (v, source)
    for v, source in (
        (Variable("time", "time", SECONDS, "when it happened or began"), F("observed_at")),
        (Variable("latitude", "number", "degrees_north", "typed, else from navigation"), F("best_latitude")),
        (Variable("longitude", "number", "degrees_east", "typed, else from navigation"), F("best_longitude")),
        (Variable("instrument", "text", "", "what was used"), F("instrument")),
        (Variable("action", "text", "", "what was done with it"), F("action")),
        (Variable("station", "text", "", "name of the station"), F("station")),
        (Variable("transect", "text", "", "name of the line"), F("transect")),
        (Variable("cast", "text", "", "number of the cast"), F("cast")),
        (Variable("seafloor_depth", "number", "m", "depth of the water"), Coalesce("seafloor_m", "nav_depth_m")),
        (Variable("comment", "text", "", "as it was typed"), F("comment")),
        (Variable("end_time", "time", SECONDS, "when it ended, of an event that lasted"), F("ended_at")),
        (Variable("logged_time", "time", SECONDS, "when it was typed"), F("logged_at")),
        (Variable("event", "text", "", "number of the event"), F("number")),
        (Variable("uuid", "text", "", "id of the event"), F("uuid")),
        (Variable("operation", "text", "", "id of its operation"), F("operation__uuid")),
        (Variable("position_method", "text", "", "how navigation knew the position"), F("nav_method")),
        (Variable("position_uncertainty", "number", "m", "95 % of it"), F("nav_uncertainty_m")),
        (Variable("course", "number", "degree", "over ground, clockwise from true north"), F("nav_course_deg")),
        (Variable("speed", "number", "m s-1", "over ground"), F("nav_speed_mps")),
        (Variable("author", "text", "", "who logged it; told to the cruise alone"), F("author_name")),
    )
}
LOOKUPS = {"=": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge
}  # fmt: skip
UUIDS = ("uuid", "operation")


def variables(*, names: bool) -> dict[str, Variable]:
    """The variables that one may ask for; who wrote what is told to the cruise alone."""
    return {name: variable for name, (variable, _) in COLUMNS.items() if names or name != "author"}


def rows(log: Log, question: Question) -> Iterator[Sequence[Any]]:
    """The rows, in the order of their columns: times as seconds since 1970, missing values as None."""
    events: Any = log.events.filter(struck_at__isnull=True).with_place()
    events = events.annotate(**{f"v_{name}": source for name, (_, source) in COLUMNS.items()})
    every = events
    late: list[Constraint] = []
    for constraint in question.constraints:
        if isinstance(constraint.value, Edge):
            constraint = _settled(constraint, constraint.value, every)
        condition = _condition(constraint)
        if condition is None:
            late.append(constraint)
        else:
            events = events.filter(condition)
    names = [column.name for column in question.columns]
    wanted = list(dict.fromkeys([*names, *(each.variable.name for each in late)]))
    found = events.order_by("observed_at", "number").values_list(*(f"v_{name}" for name in wanted))
    told = (_plain(row) for row in found.iterator(chunk_size=2000))
    checks = [(wanted.index(each.variable.name), _check(each)) for each in late]
    kept = (row[: len(names)] for row in told if all(check(row[index]) for index, check in checks))
    return _arranged(kept, names, question)


def edges(log: Log, name: str) -> tuple[float | None, float | None]:
    """The least and the greatest value of a time or a number."""
    return _edges(log.events.filter(struck_at__isnull=True).with_place(), name)


def _edges(events: Any, name: str) -> tuple[float | None, float | None]:
    source = COLUMNS[name][1]
    found = events.order_by().aggregate(least=Min(source), most=Max(source))
    return _seconds(found["least"]), _seconds(found["most"])


def _settled(constraint: Constraint, edge: Edge, every: Any) -> Constraint:
    least, most = _edges(every, edge.variable)
    value = least if edge.which == "min" else most
    return Constraint(constraint.variable, constraint.operator, math.nan if value is None else value + edge.add)


def _condition(constraint: Constraint) -> Q | None:
    """The constraint for the database; None where it is to be checked row by row."""
    name, value = f"v_{constraint.variable.name}", constraint.value
    if isinstance(value, Pattern) or (constraint.variable.kind == "text" and constraint.operator not in ("=", "!=")):
        return None
    if constraint.variable.name in UUIDS:
        return None
    if isinstance(value, float) and math.isnan(value):
        # Nothing is less or greater than what is missing.
        missing = {"=": True, "!=": False}.get(constraint.operator)
        return Q(pk__in=[]) if missing is None else Q(**{f"{name}__isnull": missing})
    asked: Any = value
    if constraint.variable.kind == "time":
        try:
            asked = dt.datetime.fromtimestamp(float(str(value)), dt.UTC)
        except (ValueError, OverflowError, OSError):
            far_future = float(str(value)) > 0
            asked = dt.datetime.max.replace(tzinfo=dt.UTC) if far_future else dt.datetime.min.replace(tzinfo=dt.UTC)
    if constraint.operator == "!=":
        return ~Q(**{name: asked})
    return Q(**{f"{name}__{LOOKUPS[constraint.operator]}": asked})


def _check(constraint: Constraint) -> Callable[[Any], bool]:
    value = constraint.value
    if isinstance(value, Pattern):
        known: dict[str, bool] = {}  # instruments and stations come again and again

        def matches(text: Any) -> bool:
            text = text or ""
            if text not in known:
                if len(known) > 10_000:
                    known.clear()
                known[text] = value.matches(text)
            return known[text]

        return matches
    if constraint.operator in ("=", "!="):
        return lambda text: ((text or "") == value) is (constraint.operator == "=")
    compare = COMPARE[constraint.operator]
    return lambda text: compare(text or "", value)


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_seconds(value) if isinstance(value, dt.datetime) else _text(value) for value in row)


def _seconds(value: Any) -> Any:
    return value.timestamp() if isinstance(value, dt.datetime) else value


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | float | int) else str(value)


def _arranged(kept: Iterator[Sequence[Any]], names: list[str], question: Question) -> Iterator[Sequence[Any]]:
    if not question.distinct and question.order is None:
        return kept
    found = [row for _, row in zip(range(MOST_SORTED), kept, strict=False)]
    if question.distinct:
        found = sorted(set(found), key=_key(range(len(names))))
    if question.order is not None:
        how, by, limit = question.order
        found = _ordered(found, how, [names.index(name) for name in by], limit)
    return iter(found)


def _key(indexes: Any) -> Callable[[Sequence[Any]], Any]:
    """Sorts by these columns; what is missing comes last."""
    return lambda row: [(row[index] is None, row[index] if row[index] is not None else 0) for index in indexes]


def _ordered(found: list[Sequence[Any]], how: str, by: list[int], limit: int) -> list[Sequence[Any]]:
    if how == "orderByDescending":
        return sorted(found, key=_key(by), reverse=True)
    found = sorted(found, key=_key(by))
    if how == "orderBy":
        return found
    groups: dict[Any, list[Sequence[Any]]] = {}
    for row in found:
        groups.setdefault(tuple(row[index] for index in (by if limit else by[:-1])), []).append(row)
    if how == "orderByLimit":
        return [row for group in groups.values() for row in group[:limit]]
    if how == "orderByMin":
        return [group[0] for group in groups.values()]
    last = by[-1]
    told = ([row for row in group if row[last] is not None] or group for group in groups.values())
    return [group[-1] for group in told]
