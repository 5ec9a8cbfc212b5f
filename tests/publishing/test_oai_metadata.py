"""Every catalogue record, against the official schemas of its format."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from lxml import etree

from inventory.models import Dataset
from portal import jobs
from portal.models import Cruise
from publishing import crosswalks, record
from publishing.archives import submission
from publishing.models import OaiRecord, OaiRendering, Submission
from tests import make
from tests.publishing.schemas import Beside

pytestmark = pytest.mark.django_db
GML32, GML = b"http://www.opengis.net/gml/3.2", b"http://www.opengis.net/gml"
DC = {"dc": "http://purl.org/dc/elements/1.1/", "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/"}


def oai_dc_schema(folder: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Beside(folder / "oai"))
    return etree.XMLSchema(etree.parse(folder / "oai" / "oai_dc.xsd", parser))


@pytest.fixture(scope="module")
def dublin_core(schemas: Path) -> etree.XMLSchema:
    return oai_dc_schema(schemas)


@pytest.fixture(scope="module")
def iso(schemas: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(schemas / "csr" / "iso19139" / "gmi" / "gmi.xsd"))


def _as_2007(xml: str) -> etree._Element:
    """The published set of schemas is of 2007, whose GML namespace has no version."""
    return etree.fromstring(xml.encode().replace(GML32, GML))


def _check(iso: etree.XMLSchema, dublin_core: etree.XMLSchema) -> int:
    rows = OaiRendering.objects.all()
    for row in rows:
        if row.prefix == "oai_dc":
            dublin_core.assertValid(etree.fromstring(row.xml))
        else:
            iso.assertValid(_as_2007(row.xml))
    return len(rows)


@pytest.mark.usefixtures("registrar")
def test_published_records_are_valid(home: Path, iso: etree.XMLSchema, dublin_core: etree.XMLSchema) -> None:
    make.round_of_review(home / "in", "approved")
    jobs.drain()
    assert _check(iso, dublin_core) == 10
    assert OaiRendering.objects.filter(xml__contains="gml:posList").count() == 5

    for bag in Submission.objects.all():
        submission.told(
            submission=bag,
            archive="Centre & Sons",
            number="0123456",
            version="1.1",
            landing_url="https://archive.example/a?b=1&c=2",
            by=make.person("manager"),
        )
    assert _check(iso, dublin_core) == 10
    assert OaiRendering.objects.filter(xml__contains="accession 0123456 version 1.1").count() == 4


@pytest.mark.usefixtures("registrar")
def test_published_records_without_a_track_are_valid(
    home: Path, iso: etree.XMLSchema, dublin_core: etree.XMLSchema
) -> None:
    files = {name: data for name, data in make.FILES.items() if "gnss" not in name}
    made = make.distribution(home / "in", "classified", files=files)
    from inventory import review
    from portal.access import CONSOLE
    from portal.lifecycle import Role

    found = review.open_review(cruise=made.cruise, by=CONSOLE)
    review.approve(review=found, role=Role.OPERATOR, by=make.person("operator"))
    review.approve(review=found, role=Role.CHIEF_SCIENTIST, by=make.person("chief"))
    jobs.drain()

    assert _check(iso, dublin_core) == 8
    assert not OaiRendering.objects.filter(xml__contains="gml:posList").exists()


def test_a_bare_cruise_is_valid(iso: etree.XMLSchema, dublin_core: etree.XMLSchema) -> None:
    cruise = make.cruise(summary="", awards=(), targets=(), scheduler_id="")
    root = record.build(Cruise.objects.get(pk=cruise.pk), today=timezone.now().date())

    made = crosswalks.transform("iso19115-2", root, fileset="", datestamp=timezone.now())
    iso.assertValid(_as_2007(etree.tostring(made, encoding="unicode")))
    dublin_core.assertValid(crosswalks.transform("oai_dc", root, fileset=""))


def test_dublin_core_names_its_own_schema_and_language(home: Path) -> None:
    from publishing.oai import catalog

    cruise = make.dataset(home / "in").cruise
    assert catalog.publish(cruise, *Dataset.objects.filter(cruise=cruise)) == 5
    for row in OaiRendering.objects.filter(prefix="oai_dc"):
        root = etree.fromstring(row.xml)
        place = root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation")
        assert place == f"{DC['oai_dc']} http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
        title = root.find("dc:title", DC)
        assert title is not None
        assert title.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
        kind = "Event" if row.record.dataset is None else "Dataset"
        assert root.findtext("dc:type", namespaces=DC) == kind
        assert "@example.org" not in row.xml


def test_nothing_changes_when_nothing_changed(home: Path) -> None:
    from publishing.oai import catalog

    cruise = make.dataset(home / "in").cruise
    sets = list(Dataset.objects.filter(cruise=cruise))
    catalog.publish(cruise, *sets)
    stamps = list(OaiRecord.objects.values_list("pk", "datestamp"))

    assert catalog.publish(cruise, *sets) == 0
    assert list(OaiRecord.objects.values_list("pk", "datestamp")) == stamps
    Cruise.objects.filter(pk=cruise.pk).update(title="Another title")
    assert catalog.publish(Cruise.objects.get(pk=cruise.pk), *sets) == 5
