"""A log at a glance: everything that the log page needs to start, and to work without a network."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from eventlog import rows
from eventlog.live.changes import sequence_of
from eventlog.models import Log, Term
from eventlog.operations import board
from eventlog.states import LOGGERS
from portal import access
from portal.access import Actor
from portal.lifecycle import OFFICE, Role
from portal.models import Person

LAST_EVENTS, LAST_OPERATIONS = 200, 50


def of(log: Log, actor: Actor) -> dict[str, Any]:
    """The snapshot of a log for this person. `sequence` is read first: what comes later is told by the feed."""
    sequence = sequence_of(log)
    names = access.may(actor, "eventlog.read", log)
    operations = log.operations.order_by("-started_at", "-pk")
    some = list(operations.filter(is_open=True)) + list(operations.filter(is_open=False)[:LAST_OPERATIONS])
    places = log.places.select_related("merged_into")
    terms = Term.objects.filter(Q(log=log) | Q(log__isnull=True)).select_related("replaced_by")
    events = log.events.order_by("-observed_at", "-number").select_related("operation")
    return {
        "log": rows.log_row(log),
        "templates": [rows.template_row(t) for t in log.templates.all()],
        "operations": [rows.operation_row(o) for o in some],
        "board": board(log, timezone.now()),
        "places": [rows.place_row(p) for p in places],
        "terms": [rows.term_row(t) for t in terms],
        "people": people(log) if names else [],
        "events": [rows.event_row(e, names=names) for e in events.prefetch_related("measurements")[:LAST_EVENTS]],
        "sequence": sequence,
        "now": rows.iso(timezone.now()),
        "you": you(log, actor),
    }


def people(log: Log) -> list[dict[str, Any]]:
    """Who may log, by name; `pin`: whether they can change over on a shared tablet."""
    cruise = log.cruise
    roles = [Role(role).value for role in LOGGERS & (OFFICE | {Role.OPERATOR})]
    found = Person.objects.filter(is_active=True).filter(
        Q(parties__cruise=cruise, parties__may_log=True)
        | Q(parties__cruise=cruise, parties__role__in=("scientist_chief", "scientist_co-chief"))
        | Q(appointments__role__in=roles, appointments__operator=cruise.vessel.operator_id)
    )
    distinct = found.select_related("pin").distinct().order_by("family_name", "given_name")
    return [{"uuid": str(p.uuid), "name": str(p), "pin": hasattr(p, "pin")} for p in distinct]


def you(log: Log, actor: Actor) -> dict[str, Any]:
    """The person who asks, and what they may do with this log."""
    verbs = ("read", "record", "revise", "correct", "arrange", "close")
    may = {verb: access.may(actor, f"eventlog.{verb}", log) for verb in verbs}
    if not isinstance(actor, Person):
        return {"uuid": None, "name": "", "may": may}
    return {"uuid": str(actor.uuid), "name": str(actor), "may": may}
