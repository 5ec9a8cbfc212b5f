"""Numbers and chains the revisions there are, log by log in the order of their writing; gives templates their ids."""

import uuid

from django.db import migrations

from eventlog import chain

FIELDS = (
    "observed_at",
    "instrument",
    "action",
    "transect",
    "station",
    "cast",
    "latitude",
    "longitude",
    "seafloor_m",
    "comment",
    "number",
    "logged_at",
    "author_name",
    "source",
    "original",
    "revised_at",
)


def forward(apps, editor):
    Log = apps.get_model("eventlog", "Log")
    Event = apps.get_model("eventlog", "Event")
    Revision = apps.get_model("eventlog", "Revision")
    Template = apps.get_model("eventlog", "Template")
    for template in Template.objects.filter(uuid__isnull=True).iterator():
        template.uuid = uuid.uuid4()
        template.save(update_fields=["uuid"])
    for log in Log.objects.select_related("cruise").order_by("pk"):
        sequence, previous, last = 0, "", None
        for row in Revision.objects.filter(event__log=log).select_related("event").order_by("at", "pk"):
            sequence += 1
            row.uuid, row.log, row.sequence = uuid.uuid4(), log, sequence
            row.thing, row.thing_uuid, row.previous = "event", row.event.uuid, previous
            row.digest = previous = _digest(row, log)
            row.save()
            last = row
        if last is None:
            continue
        # The chain begins with the events as they stand: imports told nothing of their fields before.
        for event in Event.objects.filter(log=log).order_by("pk").iterator():
            sequence += 1
            event.revision += 1
            event.save(update_fields=["revision"])
            told = {name: getattr(event, name) for name in FIELDS} | {"struck": event.struck_at is not None}
            row = Revision(
                uuid=uuid.uuid4(),
                log=log,
                sequence=sequence,
                thing="event",
                thing_uuid=event.uuid,
                event=event,
                number=event.revision,
                at=last.at,
                by_name="Leadline",
                verb="adopt",
                reason="the chain of revisions begins here",
                changes=chain.plain({name: [None, value] for name, value in told.items()}),
                after_close=log.state == "closed",
                previous=previous,
            )
            row.digest = previous = _digest(row, log)
            row.save()


def _digest(row, log):
    words = {name: log.cruise.cruise_id if name == "cruise_id" else getattr(row, name) for name in chain.COVERED}
    return chain.digest(words)


class Migration(migrations.Migration):
    dependencies = [("eventlog", "0003_at_sea")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
