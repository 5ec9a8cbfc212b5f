"""Which events of a log are exported: all, or those that a filter wants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from eventlog.answers import Filter
from eventlog.exports.forms import Form
from eventlog.models import Event, Log
from portal.refusals import Fault, NotLikeThis, NotYou


def chosen(
    log: Log, params: Mapping[str, Any], form: Form, *, names: bool, now: dt.datetime | None = None
) -> QuerySet[Event] | None:
    """The events that the parameters of a link ask for; None: the whole log.

    Raises NotLikeThis for a filter that is not understood or not allowed, and for struck events in a form that
    leaves them out, and NotYou for a form that is for those of the cruise alone.
    """
    if form.is_costly and not names:
        raise NotYou(f"The {form.title} takes the server long to make; it is for those of the cruise. Print the HTML.")
    wanted = Filter.parse(params)
    if wanted.is_empty:
        return None
    if form.struck:
        wanted = replace(wanted, struck=wanted.struck if params.get("struck") else "yes")
    elif wanted.struck != "no":
        fault = Fault("struck", "struck events stand in the printable log alone: html or pdf")
        raise NotLikeThis(f"The {form.title} leaves struck events out.", [fault])
    if wanted.is_empty:
        return None
    found: QuerySet[Event] = wanted.apply(log.events.all(), log=log, names=names, now=now)
    return found
