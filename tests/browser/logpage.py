"""What the tests of the log page share: a tablet that is signed in, presses, and looks at what the server has."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, ViewportSize, expect

YEAR = dt.datetime.now(dt.UTC).year % 100
CRUISE = f"FA{YEAR:02d}02"  # the demonstration's cruise that is at sea
LOG = f"/cruise/{CRUISE}/log/"
API = f"/api/v1/cruises/{CRUISE}"
TABLET: ViewportSize = {"width": 820, "height": 1180}
PHONE: ViewportSize = {"width": 360, "height": 740}
Row = dict[str, Any]


def signed_in(context: BrowserContext, name: str = "watch") -> BrowserContext:
    """Signs a tablet in over plain requests: quicker than the form, which has its own test."""
    context.clear_cookies()
    page = context.request.get("/accounts/login/")
    assert page.ok
    token = next(c["value"] for c in context.cookies() if c["name"] == "csrftoken")
    answer = context.request.post(
        "/accounts/login/",
        form={"login": f"{name}@leadline.example", "password": "leadline-demo", "csrfmiddlewaretoken": token},
        headers={"Referer": page.url},
    )
    assert answer.ok
    assert "sessionid" in {c["name"] for c in context.cookies()}
    return context


@contextmanager
def tablet(chromium: Browser, site: str, name: str = "watch", **options: Any) -> Iterator[Page]:
    """The log page on a tablet of its own, live."""
    context = chromium.new_context(base_url=site, **({"viewport": TABLET} | options))
    try:
        page = signed_in(context, name).new_page()
        open_log(page)
        yield page
    finally:
        context.close()


def open_log(page: Page, query: str = "") -> Page:
    """Opens the log page, and waits until its script has taken over."""
    page.goto(LOG + query)
    expect(page.locator("html.log-ready")).to_be_attached(timeout=15_000)
    return page


def settled(page: Page) -> None:
    """Waits until the page is linked, and everything was sent."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("#link")).to_have_text(re.compile(r"^\s*(Live|Every 5 s)\s*$"), timeout=20_000)


def link(page: Page, words: str) -> None:
    """Waits until the link's state says these words."""
    expect(page.locator("#link")).to_contain_text(words, timeout=15_000)


def tile(page: Page, instrument: str, action: str) -> Locator:
    """The tile of an instrument and an action (as the tile words it)."""
    group = page.locator(".log-tiles .group", has=page.get_by_role("heading", name=instrument, exact=True))
    return group.locator("button.tile", has_text=action).first


def top(found: Locator) -> float:
    """Where an element begins on the screen, pixels."""
    box = found.bounding_box()
    assert box is not None
    return box["y"]


def say(page: Page, text: str = "") -> str:
    """Types a comment into the line; it is unlike any other."""
    text = f"{text or 'said'} {uuid.uuid4().hex[:8]}"
    field = page.get_by_role("combobox")
    field.fill(text)
    field.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("comment logged")
    expect(field).to_have_value("")
    return text


def on_server(page: Page, keep: Callable[[Row], bool]) -> list[Row]:
    """Events that the server has, also struck ones, for which `keep` holds. Goes around the page and its network."""
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}
    base = page.evaluate("location.origin")
    rows: list[Row] = []
    address = f"{base}{API}/events?struck=yes&page_size=1000"
    while address:
        body = requests.get(address, cookies=cookies, timeout=20).json()
        assert "results" in body, body
        rows += body["results"]
        address = body.get("next")
    return [row for row in rows if keep(row)]


def with_comment(page: Page, text: str) -> list[Row]:
    """Events on the server with this comment."""
    return on_server(page, lambda row: row["comment"] == text)


def cut_after_sending(page: Page) -> list[str]:
    """From now on what is sent arrives, and the answer is lost. Gives the list in which the cuts are noted."""
    cuts: list[str] = []

    def cut(route: Route) -> None:
        route.fetch()
        cuts.append(route.request.url)
        route.abort("connectionreset")

    page.route("**/events:batch", cut)
    return cuts
