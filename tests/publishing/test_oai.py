"""The OAI-PMH repository as harvesters meet it: every answer against the official schema."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from inventory.models import Dataset
from portal.models import Cruise
from publishing.models import OaiRecord
from publishing.oai import catalog, views
from tests import make
from tests.publishing.schemas import Beside

pytestmark = pytest.mark.django_db
NS = {"o": "http://www.openarchives.org/OAI/2.0/"}
NOWHERE = "oai:leadline.example:cruise/NONE"
WRAPPER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="http://www.openarchives.org/OAI/2.0/" schemaLocation="oai/OAI-PMH.xsd"/>
  <xs:import namespace="http://www.openarchives.org/OAI/2.0/oai_dc/" schemaLocation="oai/oai_dc.xsd"/>
  <xs:import namespace="http://www.openarchives.org/OAI/2.0/oai-identifier" schemaLocation="oai/oai-identifier.xsd"/>
</xs:schema>"""


@pytest.fixture(scope="module")
def oai_schema(schemas: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Beside(schemas / "oai"))
    return etree.XMLSchema(etree.fromstring(WRAPPER.encode(), parser, base_url=f"{schemas}/all.xsd"))


class Clock:
    """The time of a test, which moves when told."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timezone, "now", made)
    return made


class Harvester:
    """Asks, and checks every answer against the schema."""

    def __init__(self, schema: etree.XMLSchema) -> None:
        self.schema, self.client = schema, Client()

    def check(self, content: bytes) -> etree._Element:
        root = etree.fromstring(content)
        for inner in root.iter("{http://www.isotc211.org/2005/gmi}MI_Metadata"):
            parent = inner.getparent()  # ISO has a test and a schema of its own: test_oai_metadata
            assert parent is not None
            parent.replace(inner, etree.Element("{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"))
        self.schema.assertValid(root)
        return root

    def ask(self, *pairs: tuple[str, str], **arguments: str) -> etree._Element:
        answer = self.client.get("/oai?" + urlencode([*pairs, *arguments.items()]))
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/xml")
        return self.check(answer.content)

    def error(self, *pairs: tuple[str, str], **arguments: str) -> str:
        found = self.ask(*pairs, **arguments).xpath("string(o:error/@code)", namespaces=NS)
        assert isinstance(found, str)
        return found

    def walk(self, **arguments: str) -> list[etree._Element]:
        pages = [self.ask(**arguments)]
        while token := pages[-1].findtext(".//o:resumptionToken", namespaces=NS):
            pages.append(self.ask(verb=arguments["verb"], resumptionToken=token))
            assert len(pages) < 100
        return pages


def identifiers(*pages: etree._Element) -> list[str]:
    return [str(i.text) for page in pages for i in page.iterfind(".//o:header/o:identifier", NS)]


@pytest.fixture
def harvest(oai_schema: etree.XMLSchema) -> Harvester:
    return Harvester(oai_schema)


def _publish(count: int, clock: Clock, apart: float = 1) -> list[Cruise]:
    made = []
    for _ in range(count):
        cruise = make.cruise()
        catalog.publish(cruise)
        made.append(cruise)
        clock.go(apart)
    clock.go(10)
    return made


# --- the six verbs ---------------------------------------------------------------------------------------------------


def test_all_verbs(harvest: Harvester, clock: Clock, home: Path) -> None:
    dataset = make.dataset(home / "in")
    catalog.publish(dataset.cruise, *Dataset.objects.filter(cruise=dataset.cruise))
    clock.go(10)
    cruise_id = catalog.identifier_of(dataset.cruise)
    dataset_id = catalog.identifier_of(dataset.cruise, dataset)

    told = harvest.ask(verb="Identify")
    assert told.findtext("o:Identify/o:baseURL", namespaces=NS) == "http://testserver/oai"
    assert told.findtext("o:Identify/o:deletedRecord", namespaces=NS) == "persistent"
    assert told.findtext("o:Identify/o:granularity", namespaces=NS) == "YYYY-MM-DDThh:mm:ssZ"
    assert told.findtext("o:Identify/o:earliestDatestamp", namespaces=NS) == "2026-06-01T12:00:00Z"
    assert told.findtext("o:Identify/o:compression", namespaces=NS) == "gzip"

    for more in ({}, {"identifier": cruise_id}):
        formats = harvest.ask(verb="ListMetadataFormats", **more)
        assert [f.text for f in formats.iterfind(".//o:metadataPrefix", NS)] in (
            ["oai_dc", "iso19115-2"],
            ["iso19115-2", "oai_dc"],
        )
    sets = [s.text for s in harvest.ask(verb="ListSets").iterfind(".//o:setSpec", NS)]
    assert {"cruise", "dataset", "vessel", "vessel:ZZTS", "operator:org.example.ships", "device:ctd"} <= set(sets)
    assert len(sets) == len(set(sets))

    for prefix in catalog.FORMATS:
        for identifier in (cruise_id, dataset_id):
            one = harvest.ask(verb="GetRecord", identifier=identifier, metadataPrefix=prefix)
            assert identifiers(one) == [identifier]
        many = harvest.ask(verb="ListRecords", metadataPrefix=prefix)
        assert len(many.findall(".//o:metadata", NS)) == 5
        assert many.find(".//o:resumptionToken", NS) is None, "a list of one page has no token"
        heads = harvest.ask(verb="ListIdentifiers", metadataPrefix=prefix)
        assert identifiers(heads) == identifiers(many)
        assert sorted(s.text or "" for s in heads.iterfind(".//o:header[1]/o:setSpec", NS)) == sorted(
            s.text or "" for s in many.iterfind(".//o:record[1]/o:header/o:setSpec", NS)
        )


def test_sets_and_times_choose(harvest: Harvester, clock: Clock, home: Path) -> None:
    dataset = make.dataset(home / "in")
    catalog.publish(dataset.cruise, dataset)
    clock.go(3600)
    later = _publish(1, clock)[0]
    cruise, ctd = catalog.identifier_of(dataset.cruise), catalog.identifier_of(dataset.cruise, dataset)
    new = catalog.identifier_of(later)

    def listed(**arguments: str) -> list[str]:
        return identifiers(harvest.ask(("verb", "ListIdentifiers"), ("metadataPrefix", "oai_dc"), *arguments.items()))

    assert listed() == [cruise, ctd, new]
    assert listed(set="cruise") == [cruise, new]
    assert listed(set="device") == listed(set="device:ctd") == [ctd]
    assert listed(set="vessel") == listed(set="vessel:ZZTS") == listed(set="year:2026") == [cruise, ctd, new]
    assert listed(**{"from": "2026-06-01T12:00:01Z"}) == [new]
    assert listed(**{"from": "2026-06-01T13:00:00Z", "until": "2026-06-01T13:00:00Z"}) == [new]
    assert listed(until="2026-06-01T12:00:00Z") == [cruise, ctd]
    assert listed(**{"from": "2026-06-01", "until": "2026-06-01"}) == [cruise, ctd, new]
    assert listed(set="cruise", until="2026-06-01T12:30:00Z") == [cruise]


def test_an_empty_repository_answers(harvest: Harvester) -> None:
    harvest.ask(verb="Identify")
    harvest.ask(verb="ListSets")
    harvest.ask(verb="ListMetadataFormats")
    assert harvest.error(verb="ListRecords", metadataPrefix="oai_dc") == "noRecordsMatch"


# --- errors ----------------------------------------------------------------------------------------------------------

LIST = (("verb", "ListRecords"), ("metadataPrefix", "oai_dc"))


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ((), "badVerb"),
        ((("verb", "GetMetadata"), ("identifier", "x"), ("metadataPrefix", "oai_dc")), "badVerb"),
        ((("verb", "Identify"), ("verb", "Identify")), "badVerb"),
        ((("verb", "Iden\x00tify"),), "badVerb"),
        ((("verb", "Identify"), ("\x0b", "1")), "badArgument"),
        ((*LIST, ("metadataPrefix", "oai_dc")), "badArgument"),
        ((*LIST, ("from_", "2020-01-01")), "badArgument"),
        ((*LIST, ("foo", "<bar>")), "badArgument"),
        ((*LIST, ("from", "٢٠٢٠-٠١-٠٢")), "badArgument"),
        ((*LIST, ("from", "2020-01-02T03:04:05.5Z")), "badArgument"),
        ((*LIST, ("from", "2020-01-02"), ("until", "2020-01-01")), "badArgument"),
        ((*LIST, ("from", "2020-01-02"), ("until", "2020-01-03T00:00:00Z")), "badArgument"),
        ((*LIST, ("set", "")), "badArgument"),
        ((*LIST, ("until", "1999-01-01")), "noRecordsMatch"),
        ((*LIST, ("until", "0001-01-01")), "noRecordsMatch"),
        ((*LIST, ("from", "9999-12-31")), "noRecordsMatch"),
        ((*LIST, ("set", "nothing:here")), "noRecordsMatch"),
        ((("verb", "ListRecords"), ("metadataPrefix", "marc"), ("until", "1999-01-01")), "cannotDisseminateFormat"),
        ((("verb", "ListIdentifiers"), ("metadataPrefix", "marc")), "cannotDisseminateFormat"),
        ((("verb", "GetRecord"), ("identifier", NOWHERE), ("metadataPrefix", "marc")), "cannotDisseminateFormat"),
        ((("verb", "GetRecord"), ("identifier", NOWHERE), ("metadataPrefix", "oai_dc")), "idDoesNotExist"),
        ((("verb", "GetRecord"), ("identifier", "a <b>&\"'"), ("metadataPrefix", "oai_dc")), "idDoesNotExist"),
        ((("verb", "GetRecord"), ("identifier", "%zz"), ("metadataPrefix", "oai_dc")), "idDoesNotExist"),
        ((("verb", "GetRecord"), ("identifier", "a\x00"), ("metadataPrefix", "oai_dc")), "badArgument"),
        ((("verb", "ListMetadataFormats"), ("identifier", NOWHERE)), "idDoesNotExist"),
        ((("verb", "ListRecords"), ("resumptionToken", "forged <&>")), "badResumptionToken"),
        ((("verb", "ListSets"), ("resumptionToken", "forged")), "badResumptionToken"),
        ((*LIST, ("resumptionToken", "forged")), "badArgument"),
    ],
)
def test_errors(harvest: Harvester, clock: Clock, pairs: tuple[tuple[str, str], ...], code: str) -> None:
    _publish(1, clock)
    assert harvest.error(*pairs) == code
    posted = harvest.client.post("/oai", urlencode(pairs), content_type="application/x-www-form-urlencoded")
    assert harvest.check(posted.content).xpath("string(o:error/@code)", namespaces=NS) == code


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text(max_size=30) | st.from_regex(r"[a-z:/%\[\]#@?&=._-]{1,20}", fullmatch=True),
    st.sampled_from(["identifier", "set", "metadataPrefix", "resumptionToken", "from", "verb"]),
)
def test_whatever_is_asked_the_answer_is_valid(harvest: Harvester, text: str, name: str) -> None:
    verb = {"resumptionToken": "ListIdentifiers", "set": "ListRecords", "from": "ListRecords"}.get(name, "GetRecord")
    asked = {"verb": verb, "metadataPrefix": "oai_dc", "identifier": "x"}
    if verb != "GetRecord":
        del asked["identifier"]
    if name == "resumptionToken":
        del asked["metadataPrefix"]
    try:
        pairs: list[tuple[str, str]] = [*(asked | {name: text}).items()]
        harvest.error(*pairs)
    except UnicodeEncodeError:
        assert any("\ud800" <= c <= "\udfff" for c in text), "half a pair cannot be sent at all"


def test_a_good_request_is_echoed_as_it_was_sent(harvest: Harvester, clock: Clock) -> None:
    _publish(1, clock)
    answer = harvest.ask(*LIST, ("until", "2030-01-02"), ("set", "cruise"))
    asked = answer.find("o:request", NS)
    assert asked is not None
    assert {str(name): value for name, value in asked.attrib.items()} == {
        "verb": "ListRecords",
        "metadataPrefix": "oai_dc",
        "until": "2030-01-02",
        "set": "cruise",
    }


# --- paging ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "pages"), [(3, 1), (4, 2), (6, 2), (7, 3)])
@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
def test_a_list_gives_every_record_once(
    harvest: Harvester, clock: Clock, monkeypatch: pytest.MonkeyPatch, verb: str, count: int, pages: int
) -> None:
    monkeypatch.setattr(views, "RECORDS_PAGE", 3)
    monkeypatch.setattr(views, "HEADERS_PAGE", 3)
    made = [catalog.identifier_of(cruise) for cruise in _publish(count, clock, apart=0)]  # all in one second

    walked = harvest.walk(verb=verb, metadataPrefix="oai_dc")

    assert len(walked) == pages
    assert identifiers(*walked) == made
    if pages > 1:
        tokens = [page.find(".//o:resumptionToken", NS) for page in walked]
        assert [t is not None and t.get("completeListSize") for t in tokens] == [str(count)] * pages
        assert [t is not None and t.get("cursor") for t in tokens] == [str(3 * n) for n in range(pages)]
        assert tokens[-1] is not None
        assert not tokens[-1].text, "the closing page has an empty token"
        assert tokens[0] is not None
        assert tokens[0].get("expirationDate")


def test_a_token_asked_twice_gives_the_same_page(
    harvest: Harvester, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "RECORDS_PAGE", 2)
    _publish(5, clock)
    token = harvest.ask(*LIST).findtext(".//o:resumptionToken", namespaces=NS) or ""
    first = identifiers(harvest.ask(verb="ListRecords", resumptionToken=token))
    clock.go(60)
    _publish(2, clock)

    assert identifiers(harvest.ask(verb="ListRecords", resumptionToken=token)) == first
    assert harvest.error(verb="ListIdentifiers", resumptionToken=token) == "badResumptionToken"
    assert harvest.error(verb="ListRecords", resumptionToken=token[:-2] + "AA") == "badResumptionToken"
    clock.go(3 * 86400)
    assert harvest.error(verb="ListRecords", resumptionToken=token) == "badResumptionToken"


def test_past_the_end_is_an_error(harvest: Harvester, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "RECORDS_PAGE", 2)
    made = _publish(3, clock)
    token = harvest.ask(*LIST).findtext(".//o:resumptionToken", namespaces=NS) or ""
    Cruise.objects.filter(pk=made[2].pk).update(title="Changed")
    catalog.publish(Cruise.objects.get(pk=made[2].pk))  # the only one that was left moves to the next harvest

    assert harvest.error(verb="ListRecords", resumptionToken=token) == "badResumptionToken"


def test_what_changes_during_a_walk_is_not_lost(
    harvest: Harvester, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "RECORDS_PAGE", 2)
    made = _publish(6, clock)
    names = [catalog.identifier_of(cruise) for cruise in made]
    first = harvest.ask(*LIST)
    began = first.findtext("o:responseDate", namespaces=NS) or ""
    Cruise.objects.filter(pk__in=[made[0].pk, made[4].pk]).update(title="Changed")
    for number in (0, 4):
        catalog.publish(Cruise.objects.get(pk=made[number].pk))
    rest = [first]
    while token := rest[-1].findtext(".//o:resumptionToken", namespaces=NS):
        rest.append(harvest.ask(verb="ListRecords", resumptionToken=token))
    assert identifiers(*rest) == [names[n] for n in (0, 1, 2, 3, 5)]
    clock.go(60)

    again = harvest.ask(*LIST, ("from", began))
    assert identifiers(again) == [names[0], names[4]]


def test_what_is_too_young_to_be_listed_comes_with_the_next_harvest(harvest: Harvester, clock: Clock) -> None:
    old = catalog.identifier_of(_publish(1, clock)[0])
    cruise = make.cruise()
    catalog.publish(cruise)
    clock.go(3)
    first = harvest.ask(*LIST)
    assert identifiers(first) == [old], "a stamp of three seconds ago may not be committed everywhere"
    clock.go(3600)

    began = first.findtext("o:responseDate", namespaces=NS) or ""
    assert identifiers(harvest.ask(*LIST, ("from", began))) == [catalog.identifier_of(cruise)]


# --- deleted records -------------------------------------------------------------------------------------------------


def test_withdrawn_records_stay_as_deleted_and_come_back(harvest: Harvester, clock: Clock) -> None:
    cruise, other = _publish(2, clock)
    name = catalog.identifier_of(cruise)
    sets = sorted(OaiRecord.objects.get(identifier=name).memberships.values_list("spec", flat=True))
    before = OaiRecord.objects.get(identifier=name).datestamp
    clock.go(100)
    assert catalog.withdraw(cruise) == 1
    clock.go(100)
    assert catalog.withdraw(cruise) == 0, "a repeat changes nothing"

    one = harvest.ask(verb="GetRecord", identifier=name, metadataPrefix="oai_dc")
    header = one.find(".//o:header", NS)
    assert header is not None
    assert header.get("status") == "deleted"
    assert sorted(s.text or "" for s in header.iterfind("o:setSpec", NS)) == sets
    assert one.find(".//o:metadata", NS) is None
    for verb in ("ListRecords", "ListIdentifiers"):
        listed = harvest.ask(verb=verb, metadataPrefix="iso19115-2", set="cruise")
        assert identifiers(listed) == [catalog.identifier_of(other), name]
        assert [h.get("status") for h in listed.iterfind(".//o:header", NS)] == [None, "deleted"]
    assert harvest.error(verb="GetRecord", identifier=name, metadataPrefix="marc") == "cannotDisseminateFormat"
    assert harvest.ask(verb="ListMetadataFormats", identifier=name).find(".//o:metadataFormat", NS) is not None
    first = harvest.ask(verb="Identify").findtext(".//o:earliestDatestamp", namespaces=NS)
    assert first == "2026-06-01T12:00:01Z"

    catalog.publish(cruise)
    clock.go(10)
    back = harvest.ask(verb="GetRecord", identifier=name, metadataPrefix="oai_dc")
    assert back.find(".//o:metadata", NS) is not None
    assert back.find(".//o:header[@status]", NS) is None
    assert OaiRecord.objects.get(identifier=name).datestamp > before


# --- HTTP ------------------------------------------------------------------------------------------------------------


def test_post_head_and_other_methods(harvest: Harvester, clock: Clock) -> None:
    _publish(1, clock)
    strict = Client(enforce_csrf_checks=True)
    asked = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}

    posted = strict.post("/oai", asked)
    assert posted.content == strict.get("/oai", asked).content
    mixed = strict.post("/oai?verb=Identify", asked)
    assert mixed.content == posted.content, "a POST is read from its form alone"
    head = strict.head("/oai", asked)
    assert head.status_code == 200
    assert head.content == b""
    assert strict.put("/oai").status_code == strict.delete("/oai").status_code == 405


def test_gzip(harvest: Harvester, clock: Clock) -> None:
    _publish(1, clock)
    asked = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
    plain = harvest.client.get("/oai", asked)
    packed = harvest.client.get("/oai", asked, headers={"Accept-Encoding": "gzip, deflate"})

    assert not plain.has_header("Content-Encoding")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    for answer in (plain, packed):
        assert {"accept", "accept-encoding"} <= {word.strip().lower() for word in answer["Vary"].split(",")}
    refused = harvest.client.get("/oai", asked, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert not refused.has_header("Content-Encoding")


def test_browsers_get_a_page(harvest: Harvester, clock: Clock) -> None:
    _publish(1, clock)
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for asked in ({}, {"verb": "ListRecords", "metadataPrefix": "oai_dc"}, {"verb": "<script>alert(1)</script>"}):
        page = harvest.client.get("/oai", asked, headers=accept)
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")
        assert "xml-stylesheet" not in page.text
        assert "<script>alert" not in page.text
    assert harvest.client.get("/oai", {"verb": "Identify"}, headers={"Accept": "*/*"})["Content-Type"].startswith(
        "text/xml"
    )


# --- with the program of others --------------------------------------------------------------------------------------


def test_the_oaipmh_packages_client_harvests_everything(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    from oaipmh import client as oaipmh_client
    from oaipmh import error
    from oaipmh.metadata import MetadataRegistry, oai_dc_reader

    monkeypatch.setattr(views, "RECORDS_PAGE", 2)
    monkeypatch.setattr(views, "HEADERS_PAGE", 2)
    made = _publish(5, clock)
    catalog.withdraw(made[1])
    clock.go(10)

    class Here(oaipmh_client.BaseClient):  # type: ignore[misc]
        def makeRequest(self, **arguments: str) -> bytes:  # noqa: N802  the package's name
            return Client().post("/oai", arguments).content

    registry = MetadataRegistry()
    registry.registerReader("oai_dc", oai_dc_reader)
    theirs: Any = Here(registry)

    assert theirs.identify().deletedRecord() == "persistent"
    assert [prefix for prefix, _, _ in theirs.listMetadataFormats()] == list(catalog.FORMATS)
    assert "vessel:ZZTS" in [spec for spec, _, _ in theirs.listSets()]
    records: dict[str, Any] = {}
    for header, metadata, _ in theirs.listRecords(metadataPrefix="oai_dc"):
        assert header.identifier() not in records
        records[header.identifier()] = (header, metadata)
    assert set(records) == {catalog.identifier_of(cruise) for cruise in made}
    for cruise in made:
        header, metadata = records[catalog.identifier_of(cruise)]
        assert header.isDeleted() == (cruise == made[1])
        if cruise != made[1]:
            assert cruise.cruise_id in metadata.getField("identifier")
    assert len(list(theirs.listIdentifiers(metadataPrefix="oai_dc"))) == 5
    with pytest.raises(error.IdDoesNotExistError):
        theirs.getRecord(identifier=NOWHERE, metadataPrefix="oai_dc")
