"""What the answer box offers: the words that a log uses, and what an answer amounts to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Min, Q

from eventlog.answers.phrase import Vocabulary
from eventlog.models import Log

REMEMBERED_S = 60  # a new word is offered a minute late, which costs nothing: every box takes any text
MOST_NAMES = 400


@dataclass(frozen=True, slots=True)
class Summary:
    """How much was found, and when it happened. Operations are those of which at least one event was found."""

    count: int
    first: dt.datetime | None
    last: dt.datetime | None
    struck: int
    operations: int


def vocabulary(log: Log, *, names: bool) -> Vocabulary:
    """Instruments, actions, stations, and with `names` people, as the log writes them; remembered for a minute."""
    key = f"eventlog-words-{log.cruise.uuid}"
    words = cache.get(key)
    if words is None:
        words = {kind: _distinct(log, kind) for kind in ("instrument", "action", "station", "author_name")}
        places = log.places.filter(kind="station", merged_into__isnull=True).values_list("name", flat=True)
        words["station"] = sorted({*words["station"], *places[:MOST_NAMES]}, key=str.casefold)
        cache.set(key, words, REMEMBERED_S)
    people = words["author_name"] if names else []
    return Vocabulary(words["instrument"], words["action"], words["station"], people)


def _distinct(log: Log, kind: str) -> list[str]:
    values = log.events.exclude(**{kind: ""}).order_by().values_list(kind, flat=True).distinct()
    return sorted(values[:MOST_NAMES], key=str.casefold)


def summary(found: Any) -> Summary:
    """Counts of what was found, in one walk through it."""
    told = found.order_by().aggregate(
        count=Count("pk"),
        first=Min("observed_at"),
        last=Max("observed_at"),
        struck=Count("pk", filter=Q(struck_at__isnull=False)),
        operations=Count("operation", distinct=True),
    )
    return Summary(**told)
