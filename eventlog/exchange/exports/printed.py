"""The log on paper: one HTML document that needs nothing beside it, and the same as PDF; a page begins every day.

Struck events stand in it, struck through and named so; every later revision is printed under its event.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, TextIO

from .checking import Faults, Report
from .shape import Change, Facts, Row, Source
from .wording import for_xml, moment, open_text

STYLE = Path(__file__).with_name("printed.css")
_LONGEST_OBJECTS = 50_000_000
LONGEST_VALUE = 200  # characters of a value in a line of changes; the whole is in the log
# Fields that a change of the derived position touches; they are no news on paper.
_DERIVED = "nav_"
STRUCK = ' class="struck"'


def write(path: Path, source: Source) -> None:
    """The HTML document."""
    with open_text(path) as file:
        file.write(_head(source.facts))
        _body(file, source)
        file.write("</main>\n</body>\n</html>\n")


def write_pdf(path: Path, source: Source) -> None:
    """The same as PDF/A-like document of A4 pages, by WeasyPrint. Nothing is fetched from anywhere."""
    from tempfile import TemporaryDirectory

    from weasyprint import HTML  # takes half a second, which only those who print need to wait

    with TemporaryDirectory() as folder:
        page = Path(folder) / "log.html"
        write(page, source)
        text = page.read_text(encoding="utf-8")
    name = f"{source.facts.cruise_id} {source.facts.sequence} {source.facts.head}"
    HTML(string=text, url_fetcher=_fetch_nothing).write_pdf(path, pdf_identifier=name.encode())


def _fetch_nothing(url: str, *args: object, **kwargs: object) -> Any:
    from weasyprint.urls import URLFetcherResponse

    return URLFetcherResponse(url, b"", {"Content-Type": "application/octet-stream"})


def _text(value: object) -> str:
    return escape(for_xml(str(value)))


def _quoted(text: str) -> str:
    """The text as a CSS string: what could end the string or the style element is written as an escape."""
    return '"' + "".join(c if c.isalnum() or c in " .,:-/" else f"\\{ord(c):x} " for c in for_xml(text)) + '"'


def _head(facts: Facts) -> str:
    seal = facts.seals[-1] if facts.seals else None
    # What binds the paper to the log: the last link of its chain of revisions, and the seal if it is sealed.
    state = (
        f"sealed {moment(seal.at)}, chain {seal.head[:16]}"
        if seal
        else f"{facts.state}, chain {facts.head[:16] or 'empty'}"
    )
    foot = f"{facts.cruise_id} event log, revision {facts.sequence}, {state}"
    style = STYLE.read_text(encoding="utf-8")
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Event log of {_text(facts.cruise_id)}</title>",
        f'<meta name="generator" content="Leadline">\n<meta name="dcterms.modified" content="{moment(facts.as_of)}">',
        f"<style>\n{style}@page {{ @bottom-left {{ content: {_quoted(foot)}; }} }}\n</style>",
        "</head>\n<body>\n<main>",
        f'<header>\n<h1>Event log <span>{_text(facts.cruise_id)}</span></h1>\n<p dir="auto">{_text(facts.title)}</p>',
        '<table class="facts">',
    ]
    told = {
        "Vessel": f"{facts.vessel} ({facts.vessel_id}), {facts.operator}",
        "Departure": f"{facts.depart_date}, {facts.depart_port}",
        "Return": f"{facts.arrive_date}, {facts.arrive_port}",
        "Chief scientist": ", ".join(chief.name for chief in facts.chiefs),
        "Log opened": moment(facts.opened_at),
        "Log closed": moment(facts.closed_at),
        "This print": f"{facts.selection}, and struck events; last change {moment(facts.as_of)}",
        "Chain of revisions": f"SHA-256 {facts.head}" if facts.head else "no revision yet",
    }
    told |= {
        f"Seal {at}": f"{moment(one.at)}, revisions 1 to {one.sequence}, {one.head}"
        for at, one in enumerate(facts.seals, 1)
    }
    parts += [f'<tr><th scope="row">{name}</th><td>{_text(value)}</td></tr>' for name, value in told.items() if value]
    return "\n".join([*parts, "</table>\n</header>\n"])


def _body(file: TextIO, source: Source) -> None:
    changes = source.changes()
    day: date | None = None
    for row in source.rows():
        if row.observed_at.date() != day:
            if day is not None:
                file.write("</tbody></table>\n</section>\n")
            day = row.observed_at.date()
            file.write(_day(day))
        file.write(_event(row, changes.get(row.key, ())))
    file.write("</tbody></table>\n</section>\n" if day is not None else "<p>No event is in the log.</p>\n")


def _day(day: date) -> str:
    heads = ("Time UTC", "Event", "Where", "Remark", "By")
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f'<section class="day" data-day="{day}">\n<h2>{day}</h2>\n<table><caption>Events of {day}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>\n"
    )


def _event(row: Row, changes: Sequence[Change]) -> str:
    struck = row.struck_at is not None
    time = f"{row.observed_at:%H:%M:%S}" + (f"<br>to {_until(row)}" if row.ended_at else "")
    labels = " · ".join(
        f"{name} {_text(value)}"
        for name, value in (
            ("station", row.station),
            ("cast", row.cast or row.operation_cast),
            ("transect", row.transect),
        )
        if value
    )
    what = f"<b>{_text(row.what)}</b><br>{labels}" if labels else f"<b>{_text(row.what)}</b>"
    extra = "; ".join(f"{name}: {value}" for name, value in sorted(row.extra.items()))
    marks = ["<strong>struck</strong>"] if struck else []
    marks += [f"edited {len(row.revised_at)}×"] if row.revised_at else []
    remark = f'<div class="said" dir="auto">{_text(row.comment)}</div>' if row.comment else ""
    remark += f'<div class="said" dir="auto">{_text(extra)}</div>' if extra else ""
    remark += f'<div class="mark">{", ".join(marks)}</div>' if marks else ""
    remark += "".join(_change(change) for change in changes)
    return (
        f'<tr data-event="{_text(row.uuid)}"{STRUCK if struck else ""}><td class="time">{time}</td>'
        f'<td>{what}<br><span class="number">{_text(row.number)}</span></td><td class="where">{_where(row)}</td>'
        f"<td>{remark}</td><td>{_text(row.author)}</td></tr>\n"
    )


def _until(row: Row) -> str:
    assert row.ended_at is not None
    same = row.ended_at.date() == row.observed_at.date()
    return f"{row.ended_at:%H:%M:%S}" if same else f"{row.ended_at:%Y-%m-%d %H:%M:%S}"


def _where(row: Row) -> str:
    if row.place is None:
        return "position not known"
    lines = [degrees(row.place[0], "N", "S", 2), degrees(row.place[1], "E", "W", 3)]
    if row.seafloor_m is not None:
        lines.append(f"{row.seafloor_m:g} m")
    if row.position_source == "derived":
        wide = f", ± {row.nav_uncertainty_m:.0f} m" if row.nav_uncertainty_m is not None else ""
        lines.append(f"<small>{_text(row.nav_method)}{wide}</small>")
    return "<br>".join(lines)


def degrees(value: float, positive: str, negative: str, figures: int) -> str:
    """Degrees and decimal minutes with the hemisphere, as a bridge writes it: 41°19.012′ N."""
    whole, rest = divmod(round(abs(value) * 60_000), 60_000)
    return f"{whole:0{figures}d}°{rest / 1000:06.3f}′ {positive if value >= 0 else negative}"


def _change(change: Change) -> str:
    parts = [
        f"{_text(name)}: <del>{_short(pair[0])}</del> <ins>{_short(pair[1])}</ins>"
        for name, pair in change.changes.items()
        if not name.startswith(_DERIVED) and isinstance(pair, list | tuple) and len(pair) == 2
    ]
    by = f" by {_text(change.by)}" if change.by else ""
    late = ", after the log was closed" if change.after_close else ""
    why = f" ({_text(change.reason)})" if change.reason else ""
    body = f": {'; '.join(parts)}" if parts else ""
    return (
        f'<div class="change" dir="auto">{change.at:%Y-%m-%d %H:%M:%S} {_text(change.verb)}{by}{late}{why}{body}</div>'
    )


def _short(value: object) -> str:
    text = "nothing" if value in (None, "", {}, []) else str(value)
    return _text(text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…")


def check(path: Path, source: Source) -> Report:
    """Reads the document again: every event once, on its day, and struck ones marked."""
    from lxml import html

    report = Report("html")
    document = html.document_fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True))
    found = [str(node.get("data-event")) for node in document.iterfind(".//tr[@data-event]")]
    days = [str(node.get("data-day")) for node in document.iterfind(".//section[@data-day]")]
    rows = [(row.uuid, row.struck_at is not None, row.observed_at.date().isoformat()) for row in source.rows()]
    report.count("events", len(found), source.count)
    report.rule("they stand in the order of the log", found == [uuid for uuid, _, _ in rows])
    struck = [str(node.get("data-event")) for node in document.iterfind(".//tr[@class='struck']")]
    report.rule(
        "every struck event is marked, and no other", struck == [uuid for uuid, is_struck, _ in rows if is_struck]
    )
    report.rule("every day has its own section", days == sorted({day for _, _, day in rows}), f"{len(days)} days")
    faults = Faults()
    for node in document.iter("script", "link", "img", "iframe"):
        faults.add(node.tag, "wants something from outside")
    report.faults("it needs nothing from outside", faults)
    return report


def check_pdf(path: Path, source: Source) -> Report:
    """Looks at the file's frame and counts its pages: one at least for every day."""
    report = Report("pdf")
    data = path.read_bytes()
    report.rule("it begins and ends as a PDF", data.startswith(b"%PDF-1.") and data.rstrip().endswith(b"%%EOF"))
    days = len({row.observed_at.date() for row in source.rows()})
    pages = _pages(data)
    report.rule("every day begins a page", pages >= max(days, 1), f"{pages} pages for {days} days")
    report.rule("it runs no script and opens no address", b"/JavaScript" not in data and b"/URI" not in data)
    return report


def _pages(data: bytes) -> int:
    """How many pages the root of the page tree counts, in the open or within compressed objects; 0 if there is none."""
    texts = [data]
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        with suppress(zlib.error):
            texts.append(zlib.decompressobj().decompress(packed, _LONGEST_OBJECTS))
    trees = [tree for text in texts for tree in re.findall(rb"<<[^<>]*/Type\s*/Pages\b[^<>]*>>", text)]
    counts = [int(count) for tree in trees for count in re.findall(rb"/Count\s+(\d+)", tree)]
    return max(counts, default=0)
