"""The metadata of a Darwin Core Archive: EML 2.2.0 in GBIF's profile, https://rs.gbif.org/schema/eml-gbif-profile/."""

from __future__ import annotations

from lxml import etree

from .checking import Report
from .geojson import box
from .shape import Facts
from .wording import exact, for_xml, moment

EML = "https://eml.ecoinformatics.org/eml-2.2.0"


def document(facts: Facts, places: list[tuple[float, float]]) -> bytes:
    """The EML document of a log; `places` are (latitude, longitude) of its events."""
    said = {"packageId": facts.uuid, "system": "Leadline", "scope": "system"}
    said["{http://www.w3.org/XML/1998/namespace}lang"] = "en"
    root = etree.Element(f"{{{EML}}}eml", said, nsmap={"eml": EML})
    dataset = etree.SubElement(root, "dataset")
    _say(dataset, "alternateIdentifier", facts.cruise_id)
    _say(dataset, "title", f"Event log of cruise {facts.cruise_id}: {facts.title}")
    for chief in facts.chiefs:
        given, _, family = chief.name.rpartition(" ")
        creator = etree.SubElement(dataset, "creator")
        person = etree.SubElement(creator, "individualName")
        if given:
            _say(person, "givenName", given)
        _say(person, "surName", family)
        if chief.institution:
            _say(creator, "organizationName", chief.institution)
        if chief.orcid:
            user = _say(creator, "userId", chief.orcid)
            user.set("directory", "https://orcid.org/")
    if not facts.chiefs:
        _say(etree.SubElement(dataset, "creator"), "organizationName", facts.operator)
    provider = etree.SubElement(dataset, "metadataProvider")
    _say(provider, "organizationName", facts.repository)
    _say(dataset, "pubDate", f"{facts.as_of:%Y-%m-%d}")
    _say(dataset, "language", "eng")
    abstract = etree.SubElement(dataset, "abstract")
    _say(
        abstract,
        "para",
        facts.summary or f"What was done on cruise {facts.cruise_id} of {facts.vessel}, event by event.",
    )
    _say(abstract, "para", f"This archive holds {facts.selection} ({moment(facts.as_of)}).")
    coverage = etree.SubElement(dataset, "coverage")
    if extent := box(places):
        where = etree.SubElement(coverage, "geographicCoverage")
        _say(
            where, "geographicDescription", f"Track of {facts.vessel}, from {facts.depart_port} to {facts.arrive_port}"
        )
        bounds = etree.SubElement(where, "boundingCoordinates")
        west, south, east, north = extent
        for name, value in zip(("west", "east", "north", "south"), (west, east, north, south), strict=True):
            _say(bounds, f"{name}BoundingCoordinate", exact(value))
    dates = etree.SubElement(etree.SubElement(coverage, "temporalCoverage"), "rangeOfDates")
    _say(etree.SubElement(dates, "beginDate"), "calendarDate", facts.depart_date.isoformat())
    _say(etree.SubElement(dates, "endDate"), "calendarDate", facts.arrive_date.isoformat())
    contact = etree.SubElement(dataset, "contact")
    _say(contact, "organizationName", facts.repository)
    _say(contact, "electronicMailAddress", facts.contact)
    return bytes(etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8"))


def _say(parent: etree._Element, name: str, text: str) -> etree._Element:
    node = etree.SubElement(parent, name)
    node.text = for_xml(text)
    return node


def check(report: Report, data: bytes) -> None:
    """What GBIF's profile requires of the document."""
    root = etree.fromstring(data)
    report.rule("eml.xml is EML 2.2.0", root.tag == f"{{{EML}}}eml" and bool(root.get("packageId")))
    order = [str(node.tag) for node in root.iterfind("dataset/*")]
    wanted = ("title", "creator", "metadataProvider", "pubDate", "language", "abstract", "contact")
    lacks = [name for name in wanted if name not in order]
    report.rule("eml.xml has what GBIF's profile requires, in its order", not lacks, ", ".join(lacks))
