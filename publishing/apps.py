"""The AppConfig of publishing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse

from portal.floor import Door, Floor, Link, Panel, Plan, Stage, Waiting

if TYPE_CHECKING:
    from portal.access import Actor
    from portal.models import Cruise


class PublishingConfig(Floor):
    """Releases, identifiers, OAI-PMH, reports, submissions to archives."""

    name = "publishing"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portal import access
        from publishing.states import IDENTIFIER, RIGHTS, SUBMISSION

        for table in (IDENTIFIER, SUBMISSION):
            access.grant_table(table)
        for verb, who in RIGHTS.items():
            access.grant(verb, who)

    def doors(self) -> Iterable[Door]:
        from publishing import identifiers, release
        from publishing.archives import submission

        return [
            Door("publishing.release", "publishing a record", release.waiting_to_release, release.release),
            Door("publishing.clear", "clearing a data set", release.waiting_to_clear, release.clear),
            Door("publishing.register", "registering an identifier", identifiers.waiting, identifiers.register),
            Door("publishing.submit", "beginning a submission", submission.waiting_to_submit, submission.submit),
            Door("publishing.pack", "packing a bag", submission.waiting_to_pack, submission.pack, long=True),
        ]

    def stages(self, cruise: Cruise) -> Iterable[Stage]:
        from publishing import overview

        return overview.stages(cruise)

    def panels(self, request: HttpRequest, cruise: Cruise) -> Iterable[Panel]:
        from publishing import overview

        return overview.panels(request, cruise)

    def dataset_panels(self, request: HttpRequest, dataset: Any) -> Iterable[Panel]:
        from publishing import overview

        return overview.dataset_panels(request, dataset)

    def menu(self, request: HttpRequest) -> Iterable[Link]:
        from portal import access

        if access.may(request.user, "submission.see"):
            yield Link("Archive", reverse("submissions"), "archive")

    def waits_for(self, actor: Actor) -> Iterable[Waiting]:
        from publishing import overview

        return overview.waits_for(actor)

    def demonstrate(self, plan: Plan) -> None:
        from publishing import demo

        demo.publish(plan)
