"""A tabledap query: variables, constraints and functions, as ERDDAP documents them. Pure.

The same text works here and there: `time,latitude,instrument&time>=2023-04-29T00:00:00Z&instrument="CTD"`. Source:
the page tabledap/documentation.html of any ERDDAP, and its releases up to 2.2x.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from eventlog.answers.wanted import moment
from eventlog.tabledap.patterns import Pattern, Unfit

MOST_CHARACTERS, MOST_PARTS = 8000, 60
OPERATORS = ("!=", "=~", "<=", ">=", "=", "<", ">")
ORDERS = ("orderBy", "orderByDescending", "orderByMax", "orderByMin", "orderByLimit")
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "month": 30 * 86_400, "year": 365 * 86_400}
_CONSTRAINT = re.compile(r"(\w+)(!=|=~|<=|>=|=|<|>)(.*)", re.DOTALL)
_FUNCTION = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_NOW = re.compile(r"now(?:([+-])(\d{1,6})(second|minute|hour|day|month|year)s?)?")
_FAR = re.compile(r"(min|max)\((\w+)\)(?:([+-])(\d{1,9}(?:\.\d{1,9})?)(second|minute|hour|day|month|year)?s?)?")


class Wrong(ValueError):
    """A query that is not understood; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A column. `kind` is time, number or text; `units` as UDUNITS writes them, "" for none; `words` what it is."""

    name: str
    kind: str
    units: str
    words: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A value that depends on the data: the least or the greatest of a variable, and so much added."""

    which: str
    variable: str
    add: float


@dataclass(frozen=True, slots=True)
class Constraint:
    """`value` is a text, a number (times in seconds since 1970, NaN for missing), an Edge, or a Pattern."""

    variable: Variable
    operator: str
    value: str | float | Edge | Pattern


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: columns in their order, constraints that all hold, then sorting, and whether rows are unlike."""

    columns: tuple[Variable, ...]
    constraints: tuple[Constraint, ...] = ()
    order: tuple[str, tuple[str, ...], int] | None = None
    distinct: bool = False


def read(query: str, variables: dict[str, Variable], now: dt.datetime) -> Question:
    """Reads a query string as it came over the wire, percent-encoded or not. Raises Wrong."""
    if len(query) > MOST_CHARACTERS:
        raise Wrong(f"The query has {len(query):,} characters; at most {MOST_CHARACTERS:,}.")
    parts = list(_parts(unquote_plus(query, errors="replace").replace("\0", "\ufffd")))
    if len(parts) > MOST_PARTS:
        raise Wrong(f"The query has {len(parts)} parts; at most {MOST_PARTS}.")
    columns = _columns(parts[0], variables) if parts else tuple(variables.values())
    constraints: list[Constraint] = []
    order, distinct = None, False
    for part in parts[1:]:
        if not part or part.startswith("."):
            continue  # ERDDAP's commands for drawing have no meaning here
        if match := _CONSTRAINT.fullmatch(part):
            constraints.append(_constraint(match, variables, now))
        elif match := _FUNCTION.fullmatch(part):
            if match[1] == "distinct" and not match[2]:
                distinct = True
            else:
                order = _order(match[1], match[2], columns)
        else:
            raise Wrong(f"{part[:80]!r} is neither a constraint, as time>=2023-04-29, nor a function, as distinct().")
    return Question(columns, tuple(constraints), order, distinct)


def _parts(text: str) -> Iterator[str]:
    """The parts between ampersands that stand outside of double quotes."""
    part, quoted, skip = "", False, False
    for character in text:
        if character == "&" and not quoted:
            yield part.strip()
            part = ""
            continue
        if character == '"' and not skip:
            quoted = not quoted
        skip = character == "\\" and not skip and quoted
        part += character
    if quoted:
        raise Wrong("A double quote is not closed.")
    yield part.strip()


def _columns(text: str, variables: dict[str, Variable]) -> tuple[Variable, ...]:
    if not text:
        return tuple(variables.values())
    if any(sign in text for sign in "=<>("):
        raise Wrong(f"The query begins with {text[:60]!r}; first the variables, then & before each constraint.")
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if names.count(name) > 1:
            raise Wrong(f"variable={name} is listed twice in the results variables list.")
    return tuple(_variable(name, variables) for name in names)


def _variable(name: str, variables: dict[str, Variable]) -> Variable:
    found = variables.get(name)
    if found is None:
        raise Wrong(f'Unrecognized variable="{name[:60]}". There are: {", ".join(variables)}.')
    return found


def _constraint(match: re.Match[str], variables: dict[str, Variable], now: dt.datetime) -> Constraint:
    variable, operator, text = _variable(match[1], variables), match[2], match[3].strip()
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    inside = _unquoted(text) if quoted else text
    if operator == "=~":
        if variable.kind != "text":
            raise Wrong(f"=~ is for text; {variable.name} is a {variable.kind}.")
        if not quoted:
            raise Wrong(f"The regular expression of {variable.name}=~ must be in double quotes.")
        try:
            return Constraint(variable, operator, Pattern(inside))
        except Unfit as error:
            raise Wrong(f"The regular expression {inside[:60]!r} is not taken: {error}.") from error
    if variable.kind == "text":
        if not quoted:
            raise Wrong(
                "For constraints of String variables, the right-hand-side value must be in double quotes: "
                f"{match[0][:80]}"
            )
        return Constraint(variable, operator, inside)
    if edge := _FAR.fullmatch(inside):
        _variable(edge[2], variables)
        if variables[edge[2]].kind != variable.kind:
            raise Wrong(f"{edge[2]} is no {variable.kind}, which {variable.name} is compared with.")
        return Constraint(variable, operator, _edge(edge, variable))
    return Constraint(variable, operator, _time(inside, now) if variable.kind == "time" else _number(inside, variable))


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        # A regular expression is often written with its own backslashes, which are no JSON.
        return text[1:-1].replace('\\"', '"')


def _edge(match: re.Match[str], variable: Variable) -> Edge:
    add = float(match[4] or 0) * (-1 if match[3] == "-" else 1)
    if match[5] and variable.kind != "time":
        raise Wrong(f"{match[0]}: {match[5]}s are added to times alone.")
    if variable.kind == "time":
        add *= UNITS[match[5]] if match[5] else 1
    return Edge(match[1], match[2], add)


def _time(text: str, now: dt.datetime) -> float:
    """Seconds since 1970: of an ISO 8601 time, of "now-1day", or such seconds themselves."""
    if text == "NaN" or not text:
        return math.nan
    if match := _NOW.fullmatch(text):
        way = -1 if match[1] == "-" else 1
        return now.timestamp() + (way * int(match[2]) * UNITS[match[3]] if match[2] else 0)
    try:
        return (
            float(text)
            if re.fullmatch(r"-?\d{1,12}(\.\d*)?([eE][+]?\d{1,2})?", text)
            else moment(text.replace(" ", "T")).timestamp()
        )
    except (ValueError, OverflowError) as error:
        raise Wrong(
            f"{text[:60]!r} is no time; write 2023-04-29T00:00:00Z, seconds since 1970, now-1day or max(time)-1day."
        ) from error


def _number(text: str, variable: Variable) -> float:
    if text == "NaN":
        return math.nan
    try:
        value = float(text)
    except ValueError as error:
        raise Wrong(f"{variable.name} is compared with {text[:60]!r}, which is no number.") from error
    if not math.isfinite(value):
        raise Wrong(f"{variable.name} is compared with {text[:60]!r}, which is not finite.")
    return value


def _order(name: str, inside: str, columns: tuple[Variable, ...]) -> tuple[str, tuple[str, ...], int]:
    if name not in ORDERS:
        raise Wrong(f"There is no function {name}(); there are distinct() and {', '.join(ORDERS)}.")
    inside = inside.strip()
    if len(inside) < 2 or inside[0] != '"' or inside[-1] != '"':
        raise Wrong(f'The variables of {name} must be in double quotes, as in {name}("instrument,time").')
    names = [part.strip() for part in inside[1:-1].split(",") if part.strip()]
    limit = 0
    if name == "orderByLimit":
        if not names or not names[-1].isdecimal() or not 0 < int(names[-1][:10]) <= 1_000_000:
            raise Wrong('orderByLimit ends with a number of rows, as in orderByLimit("instrument,10").')
        limit = int(names.pop())
    elif not names:
        raise Wrong(f"{name} names no variable.")
    asked = {column.name for column in columns}
    for each in names:
        if each not in asked:
            raise Wrong(f"{name} variable={each[:60]} isn't in the list of results variables.")
    return name, tuple(names), limit
