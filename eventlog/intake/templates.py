"""Buttons out of an import: what a cruise did is what the next one will do."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Max

from eventlog import buttons, ledger
from eventlog.intake.undoing import revisions_of
from eventlog.models import Import, Template
from portal import access
from portal.access import Actor

MOST = 200


@transaction.atomic
def templates_from_import(*, imported: Import, by: Actor) -> list[Template]:
    """Makes a button of every instrument and action that an import brought and that has none, the most used first.

    At most 200. Returns those that were made; said again, none. Raises NotYou.
    """
    log = ledger.locked(imported.log)
    access.require(by, "eventlog.import", log)
    events = log.events.standing().filter(revisions__in=revisions_of(imported).values("pk"), revisions__verb="import")
    used = events.exclude(instrument="").exclude(action="").values_list("instrument", "action")
    known = set(log.templates.values_list("instrument", "action"))
    order = log.templates.aggregate(last=Max("order"))["last"] or 0
    wanted = [
        (instrument, action)
        for instrument, action, _ in used.annotate(n=Count("pk")).order_by("-n", "instrument", "action")
        if (instrument, action) not in known and len(instrument) <= 80 and len(action) <= 80
    ]
    made = [
        Template(log=log, instrument=instrument, action=action, order=order + place)
        for place, (instrument, action) in enumerate(wanted[:MOST], start=1)
    ]
    return buttons.put(log, made, "import", by)
