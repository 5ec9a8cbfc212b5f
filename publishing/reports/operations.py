"""Makes the Operations Report of a cruise: XSLT over the canonical record, an SVG map, and the same as PDF."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from lxml import etree, html

from portal.models import Cruise
from publishing import crosswalks, record
from publishing.reports import overview_map

STYLE = "publishing/report.css"


def as_html(cruise: Cruise, *, now: dt.datetime, private: bool = False) -> bytes:
    """The report as an HTML document. With `private` the whole science party is in it."""
    tree = _tree(cruise, now, private)
    tree.set("data-theme", "light")
    return b"<!DOCTYPE html>\n" + bytes(html.tostring(tree, encoding="utf-8"))


def as_pdf(cruise: Cruise, *, now: dt.datetime, private: bool = False) -> bytes:
    """The report as PDF. Nothing is fetched from anywhere: the style is read from our own files."""
    from weasyprint import CSS, HTML  # takes half a second, which only those who print need to wait

    tree = _tree(cruise, now, private)
    etree.strip_elements(tree, "link", with_tail=False)
    document = html.tostring(tree, encoding="unicode")
    style = finders.find(STYLE)
    rules = Path(style).read_text(encoding="utf-8") if isinstance(style, str) else ""
    made: Any = HTML(string=document, url_fetcher=_fetch_nothing).write_pdf(
        stylesheets=[CSS(string=rules)], pdf_identifier=f"{cruise.cruise_id}".encode()
    )
    return bytes(made)


def _fetch_nothing(url: str, *args: object, **kwargs: object) -> Any:
    """WeasyPrint's way to the outside, closed: every address is an empty file."""
    from weasyprint.urls import URLFetcherResponse

    kind = "text/css" if url.endswith(".css") else "application/octet-stream"
    return URLFetcherResponse(url, b"", {"Content-Type": kind})


def _tree(cruise: Cruise, now: dt.datetime, private: bool) -> etree._Element:
    root = record.build(cruise, today=now.date(), private=private)
    tree = crosswalks.transform("report", root, stylesheet=static(STYLE), printed=f"{now:%Y-%m-%d}")
    place = tree.find(".//div[@id='map']")
    lines = [line.text or "" for line in root.iterfind(f".//{{{record.NAMESPACE}}}track/{{{record.NAMESPACE}}}line")]
    if place is not None and lines:
        place.append(etree.fromstring(overview_map.draw(lines, settings.BUILD / "assets" / "vendor")))
    return tree
