"""DOIs: reserved by us, described from the canonical record, registered with a DataCite registrar."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from lxml import etree

from inventory.models import Dataset
from portal import access, journal
from portal.models import Cruise
from portal.work import Progress
from publishing import addresses, record
from publishing.models import Identifier
from publishing.registrar.client import Registrar
from publishing.states import IDENTIFIER

_NS = {"r": record.NAMESPACE}


def doi_of(cruise: Cruise, dataset: Dataset | None = None) -> str:
    """The DOI that a cruise or a data set of it gets: the same at every reckoning, so that no repeat makes a second."""
    name = cruise.cruise_id.lower()
    if dataset is None:
        return f"{settings.DOI_PREFIX}/{name}"
    device = "\0".join([name, dataset.device_class, dataset.make, dataset.model, dataset.label])
    tail = base64.b32encode(hashlib.sha256(device.encode()).digest()).decode().lower()[:8]
    return f"{settings.DOI_PREFIX}/{name}.{tail}"


def reserve(cruise: Cruise, dataset: Dataset | None = None) -> Identifier:
    """Reserves the DOI of a cruise or a data set; one that is reserved already is returned.

    Called inside the transaction of the verb that is the reason.
    """
    identifier, created = Identifier.objects.get_or_create(
        cruise=cruise, dataset=dataset, defaults={"doi": doi_of(cruise, dataset), "since": timezone.now()}
    )
    if created:
        journal.record(access.WORKER, "identifier.reserve", identifier)
    return identifier


def outdate(*changed: Dataset, cruise: Cruise | None = None) -> int:
    """Marks the registered identifiers of these data sets and of their cruise as stale: what they tell has changed."""
    cruises = {dataset.cruise_id for dataset in changed} | ({cruise.pk} if cruise else set())
    told = Q(dataset__in=changed) | Q(cruise__in=cruises, dataset__isnull=True)
    return Identifier.objects.filter(told, state="registered").update(state="stale", since=timezone.now())


def waiting() -> list[str]:
    """Identifiers that the registrar does not know, or knows with old metadata."""
    return [
        str(pk) for pk in Identifier.objects.exclude(state="registered").order_by("pk").values_list("pk", flat=True)
    ]


def register(key: str, progress: Progress) -> None:
    """Job: registers one identifier, or updates its metadata. A repeat is a PUT of the same thing."""
    identifier = Identifier.objects.select_related("cruise__vessel__operator", "dataset").get(pk=key)
    progress.describe(f"Registering {identifier.doi}", identifier.cruise)
    told = identifier.since
    attributes = metadata(identifier)
    digest = hashlib.sha256(json.dumps(attributes, sort_keys=True).encode()).hexdigest()
    if identifier.metadata_sha256 != digest or identifier.registrar != settings.REGISTRAR_URL:
        Registrar.from_settings().put(identifier.doi, attributes)
    with transaction.atomic():
        found = Identifier.objects.select_for_update().get(pk=identifier.pk)
        if found.since != told:
            return  # changed again while we talked to the registrar: the next sweep tells the rest
        before, found.state = found.state, IDENTIFIER.step(found.state, "identifier.register")
        found.registrar, found.metadata_sha256 = settings.REGISTRAR_URL, digest
        found.since = timezone.now()
        found.registered_at = found.registered_at or found.since
        found.save()
        if before == "reserved":
            journal.record(access.WORKER, "identifier.register", found, note=settings.REGISTRAR_URL)


def metadata(identifier: Identifier) -> dict[str, Any]:
    """What the registrar is told: attributes of the DataCite metadata schema 4."""
    root = record.build(identifier.cruise, today=timezone.now().date())
    common = _common(root, identifier)
    if identifier.dataset is None:
        return common | _cruise(root)
    filesets = root.xpath(".//r:fileset[r:id=$id]", id=str(identifier.dataset.uuid), namespaces=_NS)
    assert isinstance(filesets, list)
    assert isinstance(filesets[0], etree._Element)
    return common | _dataset(root, filesets[0])


def _text(node: Any, path: str) -> str:
    found = node.find(path, _NS)
    return (found.text or "") if found is not None else ""


def _common(root: etree._Element, identifier: Identifier) -> dict[str, Any]:
    cruise = root.find("r:cruise", _NS)
    assert cruise is not None
    issued = _text(cruise, "r:date_issued")
    year = int(issued[:4]) if issued else identifier.cruise.arrive_date.year
    attributes: dict[str, Any] = {
        "doi": identifier.doi,
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "language": "en",
        "creators": [{"name": _text(cruise, "r:operator_name"), "nameType": "Organizational"}],
        "contributors": [_leader(person) for person in cruise.findall("r:party/r:person", _NS)],
        "publisher": {"name": addresses.repository_name()},
        "publicationYear": year,
        "dates": [
            {
                "date": f"{_text(cruise, 'r:depart_date')}/{_text(cruise, 'r:arrive_date')}",
                "dateType": "Collected",
            }
        ],
        "fundingReferences": [_funding(award) for award in cruise.findall("r:awards/r:award", _NS)],
        "subjects": [{"subject": "oceans"}],
    }
    extent = cruise.find("r:extent", _NS)
    if extent is not None:
        box = {
            "westBoundLongitude": float(_text(extent, "r:westernmost")),
            "eastBoundLongitude": float(_text(extent, "r:easternmost")),
            "southBoundLatitude": float(_text(extent, "r:southernmost")),
            "northBoundLatitude": float(_text(extent, "r:northernmost")),
        }
        attributes["geoLocations"] = [{"geoLocationBox": box}]
    return attributes


def _cruise(root: etree._Element) -> dict[str, Any]:
    cruise = root.find("r:cruise", _NS)
    assert cruise is not None
    dois = [node.text for node in root.findall("r:filesets/r:fileset/r:doi", _NS)]
    return {
        "url": _text(root, "r:provenance/r:landing_page"),
        "titles": [
            {"title": f"Cruise {_text(cruise, 'r:id')} on {_text(cruise, 'r:vessel_name')}: {_text(cruise, 'r:cname')}"}
        ],
        "types": {"resourceTypeGeneral": "Event", "resourceType": "Research cruise"},
        "descriptions": _described(_text(cruise, "r:summary") or _text(cruise, "r:cname")),
        "relatedIdentifiers": [_related(doi, "HasPart", "Dataset") for doi in dois if doi],
        "alternateIdentifiers": [
            {"alternateIdentifier": _text(cruise, "r:id"), "alternateIdentifierType": "cruise id"}
        ],
    }


def _dataset(root: etree._Element, fileset: etree._Element) -> dict[str, Any]:
    cruise = _text(root, "r:cruise/r:id")
    parent = _text(root, "r:cruise/r:doi")
    attributes: dict[str, Any] = {
        "url": _text(fileset, "r:landing_page"),
        "titles": [
            {"title": f"{_text(fileset, 'r:name')}, cruise {cruise} on {_text(root, 'r:cruise/r:vessel_name')}"}
        ],
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": f"{_text(fileset, 'r:proclevel')} data"},
        "descriptions": _described(
            f"{_text(fileset, 'r:proclevel').capitalize()} data of cruise {cruise}: {_text(root, 'r:cruise/r:cname')}"
        ),
        "sizes": [f"{_text(fileset, 'r:files')} files", f"{_text(fileset, 'r:bytes')} bytes"],
        "formats": [_text(fileset, "r:fileformat")] if _text(fileset, "r:fileformat") else [],
        "rightsList": [{"rightsIdentifier": _text(fileset, "r:licence").lower(), "rightsIdentifierScheme": "SPDX"}],
        "relatedIdentifiers": [_related(parent, "IsPartOf", "Event")] if parent else [],
    }
    if direct := _text(fileset, "r:archive/r:direct_url"):
        attributes["contentUrl"] = [direct]
    if number := _text(fileset, "r:archive/r:accession"):
        attributes["alternateIdentifiers"] = [
            {
                "alternateIdentifier": number,
                "alternateIdentifierType": f"{_text(fileset, 'r:archive/r:name')} accession",
            }
        ]
    return attributes


def _described(text: str) -> list[dict[str, str]]:
    return [{"description": text, "descriptionType": "Abstract"}]


def _related(doi: str, relation: str, kind: str) -> dict[str, str]:
    return {
        "relatedIdentifier": doi,
        "relatedIdentifierType": "DOI",
        "relationType": relation,
        "resourceTypeGeneral": kind,
    }


def _leader(person: Any) -> dict[str, Any]:
    family, given = _text(person, "r:family_name"), _text(person, "r:given_name")
    found: dict[str, Any] = {
        "name": f"{family}, {given}" if given else family,
        "nameType": "Personal",
        "familyName": family,
        "givenName": given,
        "contributorType": "ProjectLeader",
        "affiliation": [{"name": _text(person, "r:institution")}] if _text(person, "r:institution") else [],
    }
    if orcid := _text(person, "r:orcid"):
        found["nameIdentifiers"] = [
            {
                "nameIdentifier": f"https://orcid.org/{orcid}",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    return found


def _funding(award: Any) -> dict[str, str]:
    found = {"funderName": _text(award, "r:funder"), "awardNumber": _text(award, "r:number")}
    if title := _text(award, "r:title"):
        found["awardTitle"] = title
    if identifier := _text(award, "r:funder_id"):
        found |= {
            "funderIdentifier": identifier,
            "funderIdentifierType": "Crossref Funder ID" if identifier.startswith("10.") else "ROR",
        }
    return found
