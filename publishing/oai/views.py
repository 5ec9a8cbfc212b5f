"""Answers OAI-PMH requests from the catalogue's rows: keyset pages, a list frozen at its first page."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import structlog
from django.conf import settings
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from lxml import etree

from portal.views.doors import public
from publishing import addresses
from publishing.models import OaiMembership, OaiRecord, OaiRendering
from publishing.oai import protocol
from publishing.oai.catalog import FORMATS
from publishing.oai.protocol import Cursor, Fault, Request

logger = structlog.stdlib.get_logger("leadline.oai")
RECORDS_PAGE, HEADERS_PAGE = 200, 1000
GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)  # q=0 refuses it
# Only what was committed a while ago is listed: a stamp that became visible later must not fall before a harvest's end.
LAG = dt.timedelta(seconds=5)


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def oai(request: HttpRequest) -> HttpResponse:
    """The base address. GET and form POST alike; browsers that ask for HTML get a page."""
    query = request.POST if request.method == "POST" else request.GET
    arguments: dict[str, Sequence[str]] = {name: [str(v) for v in values] for name, values in query.lists()}
    if request.method == "GET" and _wants_html(request):
        return _page(request, arguments)
    return _compressed(request, _answer(arguments))


def _answer(arguments: Mapping[str, Sequence[str]]) -> bytes:
    now = timezone.now().replace(microsecond=0)
    # Harvesters go on from the responseDate: it must not be later than what the lists reach, or the lag is a gap.
    said_at = now - LAG
    base = addresses.oai()
    try:
        wanted = protocol.parse(arguments, key=_key(), now=now)
        body = _BODIES[wanted.verb](wanted, now)
    except Fault as fault:
        echo = protocol.echo_allowed(fault, arguments)
        verb = arguments["verb"][0] if fault.code not in ("badVerb", "badArgument") else ""
        return protocol.envelope(base, said_at, protocol.error(fault), verb=verb, arguments=echo)
    return protocol.envelope(
        base, said_at, f"<{wanted.verb}>{body}</{wanted.verb}>", verb=wanted.verb, arguments=wanted.arguments
    )


def _key() -> bytes:
    return f"oai-token:{settings.SECRET_KEY}".encode()


def _identify(wanted: Request, now: dt.datetime) -> str:
    first = OaiRecord.objects.order_by("datestamp").values_list("datestamp", flat=True).first()
    domain = escape(addresses.domain())
    return (
        f"<repositoryName>{escape(addresses.repository_name())}</repositoryName>"
        f"<baseURL>{escape(addresses.oai())}</baseURL><protocolVersion>2.0</protocolVersion>"
        f"<adminEmail>{escape(addresses.contact())}</adminEmail>"
        f"<earliestDatestamp>{protocol.stamp(first or now)}</earliestDatestamp>"
        "<deletedRecord>persistent</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity>"
        "<compression>gzip</compression>"
        '<description><oai-identifier xmlns="http://www.openarchives.org/OAI/2.0/oai-identifier" '
        'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai-identifier '
        'http://www.openarchives.org/OAI/2.0/oai-identifier.xsd"><scheme>oai</scheme>'
        f"<repositoryIdentifier>{domain}</repositoryIdentifier><delimiter>:</delimiter>"
        f"<sampleIdentifier>oai:{domain}:cruise/AB1234</sampleIdentifier></oai-identifier></description>"
    )


def _list_formats(wanted: Request, now: dt.datetime) -> str:
    prefixes = list(FORMATS)
    if wanted.identifier:
        prefixes = list(_item(wanted.identifier).renderings.order_by("prefix").values_list("prefix", flat=True))
        if not prefixes:  # a deleted record is known in every format
            prefixes = list(FORMATS)
    return "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{FORMATS[prefix][1]}</schema>"
        f"<metadataNamespace>{FORMATS[prefix][2]}</metadataNamespace></metadataFormat>"
        for prefix in prefixes
    )


def _item(identifier: str) -> OaiRecord:
    item = OaiRecord.objects.filter(identifier=identifier).first()
    if item is None:
        raise protocol.unknown_item("There is no item with this identifier.")
    return item


def _list_sets(wanted: Request, now: dt.datetime) -> str:
    if wanted.cursor is not None:
        raise protocol.bad_token("The list of sets is given whole; it has no tokens.")
    rows = OaiMembership.objects.order_by("spec").values_list("spec", "name").distinct()
    sets = dict(rows)
    if not sets:
        # An empty list would not fit the schema: the two sets that are always there.
        sets = {"cruise": "Cruises", "dataset": "Data sets"}
    return "".join(
        f"<set><setSpec>{escape(spec)}</setSpec><setName>{escape(name)}</setName></set>" for spec, name in sets.items()
    )


def _check_prefix(prefix: str) -> None:
    if prefix not in FORMATS:
        raise protocol.unknown_format(f"There is no such format; there are: {', '.join(FORMATS)}.")


def _get_record(wanted: Request, now: dt.datetime) -> str:
    _check_prefix(wanted.prefix)
    item = _item(wanted.identifier)
    rendering = item.renderings.filter(prefix=wanted.prefix).first()
    if rendering is None and not item.deleted:
        raise protocol.unknown_format("This item is not available in this format.")
    return _record(item, rendering.xml if rendering else "")


def _specs(item: OaiRecord) -> list[str]:
    return sorted(membership.spec for membership in item.memberships.all())


def _record(item: OaiRecord, xml: str) -> str:
    head = protocol.header(item.identifier, item.datestamp, _specs(item), deleted=item.deleted)
    return f"<record>{head}</record>" if item.deleted else f"<record>{head}<metadata>{xml}</metadata></record>"


def _list(wanted: Request, now: dt.datetime) -> str:
    """ListRecords and ListIdentifiers: one page, and a token for the rest."""
    _check_prefix(wanted.prefix)
    page_size = RECORDS_PAGE if wanted.verb == "ListRecords" else HEADERS_PAGE
    until = min(wanted.until or now - LAG, now - LAG)
    rows = _rows(wanted.spec, wanted.since, until)
    cursor = wanted.cursor
    size = rows.count() if cursor is None else cursor.size
    if cursor is not None:
        last = dt.datetime.fromisoformat(cursor.stamp)
        # Written so that databases see a range of the index, not two alternatives.
        rows = rows.filter(datestamp__gte=last).filter(Q(datestamp__gt=last) | Q(pk__gt=cursor.key))
    rows = rows.order_by("datestamp", "pk").prefetch_related("memberships")
    if wanted.verb == "ListRecords":
        rows = rows.prefetch_related(
            Prefetch("renderings", OaiRendering.objects.filter(prefix=wanted.prefix), to_attr="asked")
        )
    found = list(rows[: page_size + 1])
    if not found:
        if cursor is not None:
            raise protocol.bad_token("The list has ended.")
        raise protocol.no_records()
    more, found = len(found) > page_size, found[:page_size]
    body = "".join(_entry(wanted.verb, item) for item in found)
    return body + _resumption(wanted, found, more, size, until, now)


def _rows(spec: str, since: dt.datetime | None, until: dt.datetime) -> Any:
    rows = OaiRecord.objects.filter(datestamp__lte=until)
    if since is not None:
        rows = rows.filter(datestamp__gte=since)
    if spec:
        rows = rows.filter(memberships__spec=spec)
    return rows


def _entry(verb: str, item: Any) -> str:
    if verb == "ListIdentifiers":
        return protocol.header(item.identifier, item.datestamp, _specs(item), deleted=item.deleted)
    return _record(item, item.asked[0].xml if item.asked else "")


def _resumption(
    wanted: Request, found: list[OaiRecord], more: bool, size: int, until: dt.datetime, now: dt.datetime
) -> str:
    seen = wanted.cursor.seen if wanted.cursor else 0
    if not more:
        return protocol.resumption("", cursor=seen, size=size, expires=None) if wanted.cursor else ""
    cursor = Cursor(
        verb=wanted.verb,
        prefix=wanted.prefix,
        spec=wanted.spec,
        since=wanted.since.isoformat() if wanted.since else "",
        until=until.isoformat(),
        stamp=found[-1].datestamp.isoformat(),
        key=found[-1].pk,
        seen=seen + len(found),
        size=size,
    )
    text, expires = protocol.token(cursor, key=_key(), now=now)
    return protocol.resumption(text, cursor=seen, size=size, expires=expires)


_BODIES = {
    "Identify": _identify,
    "ListMetadataFormats": _list_formats,
    "ListSets": _list_sets,
    "GetRecord": _get_record,
    "ListIdentifiers": _list,
    "ListRecords": _list,
}


def _wants_html(request: HttpRequest) -> bool:
    accepted = request.headers.get("Accept", "")
    return "text/html" in accepted and request.GET.get("as") != "xml"


def _page(request: HttpRequest, arguments: Mapping[str, Sequence[str]]) -> HttpResponse:
    """The same answer for a browser: indented XML inside a page with the verbs to try."""
    answer = _answer({k: v for k, v in arguments.items() if k != "as"} or {"verb": ["Identify"]})
    tree = etree.fromstring(answer, etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True))
    sets = OaiMembership.objects.order_by("spec").values_list("spec", "name").distinct()
    context = {
        "answer": etree.tostring(tree, pretty_print=True, encoding="unicode"),
        "base": addresses.oai(),
        "formats": FORMATS,
        "sets": sets,
        "count": OaiRecord.objects.filter(deleted=False).count(),
    }
    response = render(request, "publishing/oai.html", context)
    response["Vary"] = "Accept, Accept-Encoding"
    return response


def _compressed(request: HttpRequest, answer: bytes) -> HttpResponse:
    response = HttpResponse(content_type="text/xml; charset=utf-8")
    if GZIP.search(request.headers.get("Accept-Encoding", "")) and len(answer) > 1000:
        answer = gzip.compress(answer, compresslevel=4, mtime=0)
        response["Content-Encoding"] = "gzip"
    response.content = answer
    response["Vary"] = "Accept, Accept-Encoding"
    return response
