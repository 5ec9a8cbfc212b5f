"""The inventory's AppConfig."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.urls import reverse

from portal.floor import Door, Floor, Link, Panel, Plan, Stage, Waiting

if TYPE_CHECKING:
    from portal.access import Actor
    from portal.models import Cruise


class InventoryConfig(Floor):
    """Distributions, files, data sets, navigation, holds, review."""

    name = "inventory"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from inventory.states import ARRIVAL, DATASET, DEPOSIT, DISTRIBUTION, RECOVERY, REVIEW, RIGHTS
        from portal import access

        for table in (ARRIVAL, DISTRIBUTION, DATASET, REVIEW, DEPOSIT, RECOVERY):
            access.grant_table(table)
        for verb, who in RIGHTS.items():
            access.grant(verb, who)

    def doors(self) -> Iterable[Door]:
        from inventory import arrivals, classify, comparisons, covering, shiplog, storage, totals, track, verification
        from inventory.arrivals import watching
        from inventory.storage import depositing, fixity, migrating, recovering, repairing

        return [
            Door(watching.DOOR, "looking into the drop folder", watching.waiting, watching.run),
            Door(arrivals.DOOR, "receiving a delivery", arrivals.waiting, arrivals.run, long=True, awaited=True),
            Door(verification.DOOR, "reading files", verification.waiting, verification.run, long=True),
            Door(shiplog.DOOR, "taking event logs ashore", shiplog.waiting_to_take, shiplog.take, long=True),
            Door(totals.DOOR, "counting files", totals.waiting, totals.run),
            Door("inventory.classify", "classifying files", classify.waiting_to_classify, classify.run, long=True),
            Door("inventory.navigate", "making the track", track.waiting_to_navigate, track.run, long=True),
            Door(
                covering.DOOR, "reading when and where files were measured", covering.waiting, covering.run, long=True
            ),
            Door(comparisons.DOOR, "comparing shipments", comparisons.waiting, comparisons.run),
            Door(storage.STORE_DOOR, "storing files", depositing.waiting, depositing.run, long=True),
            Door(storage.REPAIR_DOOR, "repairing stored files", repairing.waiting, repairing.run, long=True),
            Door(storage.FIXITY_DOOR, "checking stored files", fixity.waiting, fixity.run, long=True),
            Door(storage.MIGRATE_DOOR, "moving files to the archive", migrating.waiting, migrating.run, long=True),
            Door(
                storage.RECOVER_DOOR,
                "recovering files",
                recovering.waiting,
                recovering.run,
                long=True,
                awaited=True,
            ),
        ]

    def stages(self, cruise: Cruise) -> Iterable[Stage]:
        from inventory import overview

        return overview.stages(cruise)

    def panels(self, request: HttpRequest, cruise: Cruise) -> Iterable[Panel]:
        from inventory import overview

        return overview.panels(request, cruise)

    def menu(self, request: HttpRequest) -> Iterable[Link]:
        from portal import access

        yield Link("Files", reverse("files"), "search")
        if access.may(request.user, "profile.edit"):
            yield Link("Profiles", reverse("profiles"), "filter")
        if access.may(request.user, "distribution.receive"):
            yield Link("Arrivals", reverse("arrivals"), "inbox")

    def waits_for(self, actor: Actor) -> Iterable[Waiting]:
        from inventory import overview

        return overview.waits_for(actor)

    def demonstrate(self, plan: Plan) -> None:
        from inventory import demo

        demo.deliver(plan)

    def fill(self, cruises: int, files_per_cruise: int, say: Callable[[str], None]) -> None:
        from inventory import demo

        demo.fill(cruises, files_per_cruise, say)
