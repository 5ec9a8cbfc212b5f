"""The canonical cruise record: one XML document from which every catalogue record and report is made.

Element names are those of the R2R QA certificate's cruise and fileset blocks where it has them. By default no personal
data beyond the chief scientists' names; `private=True` adds the party for the people of the cruise.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import Count, Sum
from lxml import etree

from eventlog.models import Log
from inventory.models import Dataset, Distribution, File, Review, Track
from portal.models import Cruise, Port
from publishing import addresses
from publishing.models import Identifier, Release

NAMESPACE = "urn:leadline:cruise-record:1"
_Q = f"{{{NAMESPACE}}}"


@cache
def schema() -> etree.XMLSchema:
    """The XSD of the canonical record, compiled."""
    return etree.XMLSchema(etree.parse(Path(__file__).with_name("cruise-record-1.xsd")))


def build(cruise: Cruise, *, today: dt.date, private: bool = False) -> etree._Element:
    """The record of a cruise as it stands; `today` decides which holds are in force."""
    root = etree.Element(f"{_Q}cruiserecord", {"version": "1.0"}, nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    _provenance(root, cruise)
    _cruise(_node(root, "cruise"), cruise, private)
    _track(root, cruise)
    _log(root, cruise)
    distribution = cruise.distributions.current().first()
    if distribution is not None:
        _distribution(root, distribution)
    _filesets(root, cruise, today)
    _review(root, cruise)
    return root


def text(root: etree._Element) -> str:
    """The record as text, always the same for the same record."""
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def _node(parent: etree._Element, name: str, value: object = None, **attributes: str) -> etree._Element:
    node = etree.SubElement(parent, f"{_Q}{name}", attributes)
    if value is not None:
        node.text = plain(str(value))
    return node


def _say(parent: etree._Element, **values: object) -> None:
    """Children for those values that say something, also without what XML cannot carry."""
    for name, value in values.items():
        text = None if value is None else plain(_stamp(value) if isinstance(value, dt.datetime) else str(value))
        if text:
            _node(parent, name, text)


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value: str) -> str:
    """Without the characters that XML 1.0 cannot carry: one bad character must not spoil a record."""
    return "".join(
        c for c in value if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )


def _provenance(root: etree._Element, cruise: Cruise) -> None:
    node = _node(root, "provenance")
    _say(
        node,
        repository=addresses.repository_name(),
        contact_email=addresses.contact(),
        landing_page=addresses.cruise_page(cruise),
    )


def _cruise(node: etree._Element, cruise: Cruise, private: bool) -> None:
    release = Release.objects.filter(cruise=cruise).order_by("number").first()
    doi = Identifier.objects.filter(cruise=cruise, dataset__isnull=True).first()
    vessel = cruise.vessel
    _say(
        node,
        id=cruise.cruise_id,
        cname=cruise.title,
        doi=doi.doi if doi else None,
        date_issued=release.released_at if release else None,
        type=cruise.kind,
        operator_id=vessel.operator_id,
        operator_name=vessel.operator.name,
        vessel_id=vessel.pk,
        vessel_name=vessel.name,
        scheduler_id=cruise.scheduler_id,
        depart_date=cruise.depart_date,
    )
    _port(node, "depart_port", cruise.depart_port)
    _say(node, arrive_date=cruise.arrive_date)
    _port(node, "arrive_port", cruise.arrive_port)
    track = _made(cruise)
    if track is not None and track.west is not None:
        _say(
            _node(node, "extent"),
            westernmost=track.west,
            easternmost=track.east,
            southernmost=track.south,
            northernmost=track.north,
        )
    _say(node, summary=cruise.summary)
    people = cruise.parties.all() if private else cruise.chief_scientists
    party = _node(node, "party")
    for person in people:
        entry = _node(party, "person")
        _say(
            entry,
            family_name=person.family_name,
            given_name=person.given_name,
            role=person.role,
            role_name=person.role_name,
            institution=person.institution,
            orcid=person.orcid,
        )
    _list(node, "awards", "award", cruise.awards.all(), ("number", "funder", "funder_id", "title"))
    _list(node, "targets", "target", cruise.targets.all(), ("name", "description", "longitude", "latitude"))


def _list(node: etree._Element, group: str, name: str, rows: Any, names: tuple[str, ...]) -> None:
    rows = list(rows)
    if rows:
        parent = _node(node, group)
        for row in rows:
            _say(_node(parent, name), **{key: getattr(row, key) for key in names})


def _port(node: etree._Element, name: str, port: Port) -> None:
    _say(
        _node(node, name),
        port_id=port.pk,
        port_name=port.name,
        country_id=port.country,
        state_id=port.state,
        longitude=port.longitude,
        latitude=port.latitude,
    )


def _made(cruise: Cruise) -> Track | None:
    """The track of the shipment in force, if it has a line."""
    tracks = cruise.tracks.exclude(distribution__state="superseded").exclude(geometry__isnull=True)
    return tracks.select_related("dataset").first()


def _track(root: etree._Element, cruise: Cruise) -> None:
    track = _made(cruise)
    if track is None or track.geometry is None:
        return
    node = _node(root, "track", srs="EPSG:4326", order="longitude latitude")
    _say(
        node,
        nav_source=track.dataset.name if track.dataset else None,
        first_fix=track.first_fix_at,
        last_fix=track.last_fix_at,
        fixes=track.fixes,
        good_fixes=track.good_fixes,
        control_points=track.control_points,
        tolerance_deg=track.tolerance_deg,
    )
    for line in track.geometry.coords:
        _node(node, "line", " ".join(f"{x:.6f} {y:.6f}" for x, y in line))


def _log(root: etree._Element, cruise: Cruise) -> None:
    log = Log.objects.filter(cruise=cruise, state="closed").first()
    if log is None:
        return
    node = _node(root, "eventlog")
    _say(node, opened=log.opened_at, closed=log.closed_at, events=log.events.standing().count())
    for copy in log.final_copies.defer("data"):
        _node(node, "final_copy", copy.name, size=str(copy.size), md5=copy.md5, sha256=copy.sha256)


def _distribution(root: etree._Element, distribution: Distribution) -> None:
    node = _node(root, "distribution")
    counts = distribution.counts()
    _say(
        node,
        shipment=distribution.number,
        received=distribution.received_at,
        verified=distribution.verified_at,
        files=counts["all"]["files"],
        bytes=counts["all"]["bytes"],
        manifest=distribution.manifest_name,
        manifest_sha256=distribution.manifest_sha256,
    )
    for state, row in counts.items():
        if state != "all":
            _node(node, "count", row["files"], state=state)


def _filesets(root: etree._Element, cruise: Cruise, today: dt.date) -> None:
    rows = Dataset.objects.filter(cruise=cruise).standing().prefetch_related("holds")
    rows = rows.select_related("identifier", "submission").prefetch_related("submission__accessions")
    files = File.objects.filter(distribution__in=cruise.distributions.current(), dataset__isnull=False)
    counted = files.order_by().values("dataset").annotate(n=Count("pk"), size=Sum("size"))
    sizes: dict[int, Any] = {row["dataset"]: row for row in counted}
    filesets = _node(root, "filesets")
    for dataset in rows:
        _fileset(filesets, dataset, sizes.get(dataset.pk, {}), today)


def _fileset(parent: etree._Element, dataset: Dataset, sizes: dict[str, Any], today: dt.date) -> None:
    node = _node(parent, "fileset")
    doi = getattr(dataset, "identifier", None)
    _say(node, id=dataset.uuid, doi=doi.doi if doi else None, name=dataset.name)
    _say(
        _node(node, "device"),
        devicetype_id=dataset.device_class,
        devicetype_name=dataset.get_device_class_display(),
        make=dataset.make,
        model=dataset.model,
        location_name=dataset.label,
    )
    hold = dataset.hold_in_force(today)
    _say(
        node,
        fileformat=dataset.file_format,
        proclevel=dataset.processing_level,
        files=sizes.get("n") or 0,
        bytes=sizes.get("size") or 0,
        licence=dataset.licence,
        status="held" if hold else dataset.state,
        hold_until=hold.until if hold else None,
        landing_page=addresses.dataset_page(dataset),
    )
    submission = getattr(dataset, "submission", None)
    if submission is not None and (accession := submission.accession) is not None:
        _say(
            _node(node, "archive"),
            name=accession.archive,
            accession=accession.number,
            version=accession.version,
            landing_url=accession.landing_url,
            direct_url=accession.direct_url,
            accessioned=accession.accessioned_at,
        )


def _review(root: etree._Element, cruise: Cruise) -> None:
    review = Review.objects.filter(cruise=cruise, state="approved").first()
    if review is None:
        return
    node = _node(root, "review")
    _say(node, round=review.round, approved=review.since)
    for signature in review.signatures.filter(decision="approved"):
        _node(node, "signature", signature.role, at=_stamp(signature.at))
