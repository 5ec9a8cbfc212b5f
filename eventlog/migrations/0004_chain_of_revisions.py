"""Numbers and chains the revisions there are, log by log in the order of their writing; gives templates their ids."""

import uuid

from django.db import migrations
from django.db.models import F

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


BATCH = 500


def forward(apps, editor):
    Log = apps.get_model("eventlog", "Log")
    Template = apps.get_model("eventlog", "Template")
    for template in Template.objects.filter(uuid__isnull=True).iterator():
        template.uuid = uuid.uuid4()
        template.save(update_fields=["uuid"])
    for log in Log.objects.select_related("cruise").order_by("pk"):
        sequence, previous, at = _chain(apps, log)
        _adopt(apps, log, sequence, previous, at)


def _chain(apps, log):
    """Numbers and chains the revisions of a log; the last one's number, digest and time."""
    Revision = apps.get_model("eventlog", "Revision")
    rows = Revision.objects.filter(event__log=log)
    keys = list(rows.order_by("at", "pk").values_list("pk", flat=True))
    sequence, previous, at = 0, "", log.since
    for start in range(0, len(keys), BATCH):
        wanted = keys[start : start + BATCH]
        found = rows.select_related("event").in_bulk(wanted)
        for row in (found[key] for key in wanted):
            sequence += 1
            row.uuid, row.log, row.sequence = uuid.uuid4(), log, sequence
            row.thing, row.thing_uuid, row.previous = "event", row.event.uuid, previous
            row.digest = previous = _digest(row, log)
            at = row.at
        Revision.objects.bulk_update(
            found.values(),
            ["uuid", "log", "sequence", "thing", "thing_uuid", "previous", "digest"],
            batch_size=100,
        )
    return sequence, previous, at


def _adopt(apps, log, sequence, previous, at):
    """The chain begins with the events as they stand: imports told nothing of their fields before."""
    Event = apps.get_model("eventlog", "Event")
    Measurement = apps.get_model("eventlog", "Measurement")
    Revision = apps.get_model("eventlog", "Revision")
    events = Event.objects.filter(log=log)
    keys = list(events.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        wanted = keys[start : start + BATCH]
        found = events.in_bulk(wanted)
        measured = {}
        for m in Measurement.objects.filter(event__in=wanted).order_by("pk"):
            measured.setdefault(m.event_id, []).append([m.source, m.name, m.value, m.unit])
        made = []
        for event in (found[key] for key in wanted):
            sequence += 1
            told = {name: getattr(event, name) for name in FIELDS} | {"struck": event.struck_at is not None}
            if event.pk in measured:
                told["measurements"] = measured[event.pk]
            row = Revision(
                uuid=uuid.uuid4(),
                log=log,
                sequence=sequence,
                thing="event",
                thing_uuid=event.uuid,
                event=event,
                number=event.revision + 1,
                at=at,
                by_name="Leadline",
                verb="adopt",
                reason="the chain of revisions begins here",
                changes=chain.plain({name: [None, value] for name, value in told.items()}),
                after_close=log.state == "closed",
                previous=previous,
            )
            row.digest = previous = _digest(row, log)
            made.append(row)
        Revision.objects.bulk_create(made)
    events.update(revision=F("revision") + 1)


def _digest(row, log):
    words = {name: log.cruise.cruise_id if name == "cruise_id" else getattr(row, name) for name in chain.COVERED}
    return chain.digest(words)


class Migration(migrations.Migration):
    dependencies = [("eventlog", "0003_at_sea")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
