"""The ground's AppConfig."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import reverse

from portal.floor import Door, Floor, Link, Stage, Waiting

if TYPE_CHECKING:
    from portal.access import Actor
    from portal.models import Cruise


class PortalConfig(Floor):
    """People, vessels, cruises, rights, journal, jobs."""

    name = "portal"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portal import checks  # noqa: F401  registers the system checks

    def doors(self) -> Iterable[Door]:
        from portal import mail

        return [Door("portal.letter", "sending a letter", mail.waiting, lambda key, progress: mail.send(key))]

    def stages(self, cruise: Cruise) -> Iterable[Stage]:
        last = cruise.orders.order_by("-number").values_list("number", "received_at").first()
        if cruise.state == "cancelled":
            return [Stage("orders", "skipped", since=cruise.since, note="cancelled")]
        if last is None:
            return [Stage("orders", "now", note="missing")]
        note = f"{last[0] - 1} amendments" if last[0] > 1 else ""
        return [
            Stage("orders", "done", reverse("orders", args=[cruise.cruise_id]), last[1], note, right="orders.amend")
        ]

    def menu(self, request: HttpRequest) -> Iterable[Link]:
        from portal import access

        yield Link("Home", reverse("home"), "compass")
        yield Link("Cruises", reverse("cruises"), "ship")
        if access.may(request.user, "work.watch"):
            yield Link("Work", reverse("work"), "activity")

    def waits_for(self, actor: Actor) -> Iterable[Waiting]:
        from portal import access, work
        from portal.models import Cruise, Work

        if access.operators_of(actor) or access.is_office(actor):
            planned = Cruise.objects.visible_to(actor).filter(state="planned")
            if not access.is_office(actor):
                planned = planned.filter(vessel__operator__in=access.operators_of(actor))
            for cruise in planned.order_by("depart_date")[:10]:
                yield Waiting(
                    f"{cruise} on {cruise.vessel}: sails {cruise.depart_date}",
                    reverse("cruise", args=[cruise.cruise_id]),
                    since=cruise.since,
                    verb="Prepare",
                )
        if access.is_office(actor):
            failed = Work.objects.filter(state="failed", started_at__gte=work.lately())
            if count := failed.count():
                first = failed.order_by("started_at").first()
                yield Waiting(
                    "Work that failed",
                    reverse("work") + "?state=failed",
                    count,
                    first.started_at if first else None,
                    "Look",
                    "bad",
                )
