"""The event log's AppConfig."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import reverse

from portal.floor import Door, Floor, Panel, Plan, Stage, Waiting

if TYPE_CHECKING:
    from portal.access import Actor
    from portal.models import Cruise

STAGE = {"not opened": "waiting", "open": "now", "closed": "done"}


class EventlogConfig(Floor):
    """The logbook; runs alone on a ship."""

    name = "eventlog"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from eventlog.states import LOG, RIGHTS
        from portal import access

        access.grant_table(LOG)
        for verb, who in RIGHTS.items():
            access.grant(verb, who)

    def doors(self) -> Iterable[Door]:
        from eventlog import proof, watching
        from eventlog.navigation import recompute

        yield Door(proof.DOOR, "Verifying an event log", proof.waiting, proof.run, long=True)
        yield Door(watching.DOOR, "Looking for instruments' files", watching.waiting, watching.run, long=True)
        yield Door(
            "eventlog.positions",
            "Deriving positions from navigation that came late",
            recompute.waiting,
            lambda vessel_id, progress: progress.advance(recompute.catch_up(vessel_id)),
        )

    def stages(self, cruise: Cruise) -> Iterable[Stage]:
        from eventlog.models import Log

        log = Log.objects.filter(cruise=cruise).first()
        url = reverse("log", args=[cruise.cruise_id])
        if log is None or log.state == "not opened":
            # A ship that kept its log elsewhere, and is back, has passed this step.
            passed = cruise.state == "ended"
            return [
                Stage(
                    "at sea",
                    "done" if passed else "waiting",
                    url,
                    cruise.depart_date,
                    "no log" if passed else "",
                )
            ]
        count = f"{log.events.standing().count()} events"
        act = "Log events" if log.state == "open" else ""
        return [Stage("at sea", STAGE[log.state], url, log.since, count, act, "eventlog.record")]

    def panels(self, request: HttpRequest, cruise: Cruise) -> Iterable[Panel]:
        from eventlog.models import Log
        from portal import access

        log = Log.objects.visible_to(request.user).filter(cruise=cruise).first()
        may_open = access.may(request.user, "eventlog.open", cruise)
        if log is None and not may_open:
            return []
        context = {
            "cruise": cruise,
            "log": log,
            "latest": log.events.standing()[:6] if log else [],
            "count": log.events.standing().count() if log else 0,
            "final_copies": log.final_copies.defer("data") if log else [],
            "may_record": log is not None
            and log.state == "open"
            and access.may(request.user, "eventlog.record", cruise),
            "names": access.may(request.user, "eventlog.read", cruise),
        }
        # A floor above that knows the track puts its own map in the place of this one.
        return [
            Panel("map", "eventlog/_map.html", context, order=10),
            Panel("log", "eventlog/_panel.html", context, 40),
        ]

    def waits_for(self, actor: Actor) -> Iterable[Waiting]:
        from eventlog.models import Log
        from portal import access
        from portal.models import Person

        if not isinstance(actor, Person):
            return
        for log in Log.objects.visible_to(actor).filter(state="open").select_related("cruise__vessel")[:20]:
            if access.may(actor, "eventlog.record", log):
                yield Waiting(
                    f"The event log of {log.cruise} on {log.cruise.vessel} is open",
                    reverse("log", args=[log.cruise.cruise_id]),
                    since=log.since,
                    verb="Log",
                    tone="active",
                )

    def demonstrate(self, plan: Plan) -> None:
        from eventlog import demo

        demo.fill(plan)
