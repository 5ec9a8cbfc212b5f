"""The catalogue's rows: records rendered when they change, with datestamp and sets; withdrawn ones stay as deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils import timezone
from lxml import etree

from inventory.models import Dataset
from portal import access, journal
from portal.models import Cruise
from publishing import addresses, crosswalks, record
from publishing.models import OaiMembership, OaiRecord, OaiRendering

# prefix -> (crosswalk, schema, namespace)
FORMATS = {
    "oai_dc": (
        "oai_dc",
        "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
        "http://www.openarchives.org/OAI/2.0/oai_dc/",
    ),
    "iso19115-2": (
        "iso19115-2",
        "https://www.ngdc.noaa.gov/metadata/published/xsd/schema.xsd",
        "http://www.isotc211.org/2005/gmi",
    ),
}


def identifier_of(cruise: Cruise, dataset: Dataset | None = None) -> str:
    """The OAI identifier of a cruise or a data set."""
    tail = f"cruise/{cruise.cruise_id}" if dataset is None else f"dataset/{dataset.uuid}"
    return f"oai:{addresses.domain()}:{tail}"


def publish(cruise: Cruise, *changed: Dataset) -> int:
    """Brings the records of a cruise and of these data sets up to date; returns how many changed.

    Called at the end of the transaction that changed them, so that a datestamp is not much older than its commit.
    """
    root = record.build(cruise, today=timezone.now().date())
    return sum(_publish(root, cruise, dataset) for dataset in [None, *changed])


def withdraw(cruise: Cruise) -> int:
    """Marks the records of a cruise as deleted: tombstones that stay for good. Returns how many."""
    now = _now()
    records = OaiRecord.objects.filter(cruise=cruise, deleted=False)
    count = 0
    for item in records:
        item.deleted, item.datestamp = True, now
        item.save(update_fields=["deleted", "datestamp"])
        item.renderings.all().delete()
        item.memberships.update(datestamp=now)
        journal.record(access.WORKER, "record.withdraw", item)
        count += 1
    return count


def _now() -> dt.datetime:
    return timezone.now().replace(microsecond=0)


def _publish(root: etree._Element, cruise: Cruise, dataset: Dataset | None) -> bool:
    """One record. Its datestamp moves only when a rendering, a set or its being deleted changes."""
    name = identifier_of(cruise, dataset)
    item = OaiRecord.objects.filter(identifier=name).first()
    before = {r.prefix: r.xml for r in item.renderings.all()} if item else {}
    old_stamp = item.datestamp if item else None
    known_sets = {m.spec for m in item.memberships.all()} if item else set()
    sets = dict(_sets(cruise, dataset))
    # The ISO record carries its own datestamp: compare with the old one, write with the new one.
    same = item is not None and not item.deleted and known_sets == set(sets)
    if same and before == _render(root, dataset, old_stamp or _now()):
        return False
    now = _now()
    if item is None:
        item = OaiRecord.objects.create(identifier=name, cruise=cruise, dataset=dataset, datestamp=now)
    else:
        item.datestamp, item.deleted = now, False
        item.save(update_fields=["datestamp", "deleted"])
    for prefix, xml in _render(root, dataset, now).items():
        OaiRendering.objects.update_or_create(record=item, prefix=prefix, defaults={"xml": xml})
    item.memberships.exclude(spec__in=sets).delete()
    for spec, title in sets.items():
        OaiMembership.objects.update_or_create(record=item, spec=spec, defaults={"name": title, "datestamp": now})
    return True


def _render(root: etree._Element, dataset: Dataset | None, stamp: dt.datetime) -> dict[str, str]:
    fileset = str(dataset.uuid) if dataset else ""
    found = {}
    for prefix, (crosswalk, _, _) in FORMATS.items():
        parameters: dict[str, str | dt.datetime] = {"fileset": fileset}
        if prefix != "oai_dc":
            parameters["datestamp"] = stamp
        found[prefix] = etree.tostring(crosswalks.transform(crosswalk, root, **parameters), encoding="unicode")
    return found


def _sets(cruise: Cruise, dataset: Dataset | None) -> Iterator[tuple[str, str]]:
    """Sets and their names; every level of a hierarchy is there by itself."""
    kind = "dataset" if dataset else "cruise"
    yield kind, "Data sets" if dataset else "Cruises"
    vessel = cruise.vessel
    yield "vessel", "By vessel"
    yield f"vessel:{vessel.pk}", f"Vessel {vessel.name}"
    yield "operator", "By operator"
    yield f"operator:{vessel.operator_id}", f"Operator {vessel.operator.name}"
    yield "year", "By year of departure"
    yield f"year:{cruise.depart_date.year}", f"Cruises that began in {cruise.depart_date.year}"
    if dataset:
        yield "device", "By class of device"
        yield f"device:{dataset.device_class}", f"Device class {dataset.get_device_class_display()}"
