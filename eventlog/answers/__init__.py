"""The answer box: one filter for table, map, time line, exports and API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from eventlog.answers import search, sentence
from eventlog.answers.phrase import Understood, Vocabulary, understand
from eventlog.answers.wanted import Wanted
from eventlog.models import Event, Log

__all__ = ["Filter", "Understood", "Vocabulary", "understand"]


class Filter(Wanted):
    """Which events: read from a link with `parse`, written as one with `as_query`; see Wanted for the names."""

    __slots__ = ()

    def apply(self, events: QuerySet[Event], *, log: Log, names: bool = False, now: dt.datetime | None = None) -> Any:
        """Those of `events` in `log` that are wanted.

        `names`: whether the person may read who wrote what. Raises NotLikeThis for a station that is not known, and
        for a person asked for without that right.
        """
        return search.narrowed(events, self, log=log, names=names, now=now)

    def says(self) -> str:
        """The filter as a sentence: "CTD deploy events deeper than 1000 m within 20 km of L6"."""
        return sentence.says(self)
