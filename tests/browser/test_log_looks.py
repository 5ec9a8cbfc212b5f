"""What the log page weighs, what axe says of it in every theme, and that it fits every screen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.logpage import LOG, TABLET, settled, signed_in, tablet
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser
BUDGET = 150_000  # bytes over the wire on the first load


def test_the_first_load_is_light_and_all_from_the_ship(chromium: Browser, site: str):
    context = chromium.new_context(base_url=site, viewport=TABLET, service_workers="block")
    page = signed_in(context).new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: dict[str, float] = {}
    addresses: dict[str, str] = {}
    wire.on("Network.requestWillBeSent", lambda sent: addresses.update({sent["requestId"]: sent["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda done: sizes.update({done["requestId"]: done["encodedDataLength"]}))
    page.goto(LOG)
    settled(page)
    heaviest = sorted(((size, addresses.get(key, "")) for key, size in sizes.items()), reverse=True)[:8]
    assert sum(sizes.values()) < BUDGET, heaviest
    assert [url for url in addresses.values() if not url.startswith((site, "data:", "blob:"))] == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark", "night"])
def test_axe_finds_nothing_in_any_theme(chromium: Browser, site: str, theme: str):
    with tablet(chromium, site) as page:
        settled(page)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.locator(".stream .event").first.get_by_role("button").first.click()
        expect(page.locator("#sheet")).to_be_visible()
        page.wait_for_timeout(300)
        assert violations(page) == []
        page.locator("#person").click()
        assert violations(page) == []
        if theme == "night":
            assert lit(page) == []


def lit(page: Page) -> list[Any]:
    """Elements that show something else than red on the bridge at night."""
    found: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => e.offsetParent).flatMap(e => {
          const s = getComputedStyle(e);
          return ['color', 'backgroundColor', 'borderTopColor'].filter(name => {
            const [r, g, b, a = 1] = (s[name].match(/[\\d.]+/g) ?? []).map(Number);
            return a > 0 && (g > 0 || b > 0); }).map(name => e.outerHTML.slice(0, 80) + name); }).slice(0, 5)"""
    )
    return found


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_it_fits_the_screen_and_the_bar_stays(chromium: Browser, site: str, width: int):
    with tablet(chromium, site, viewport={"width": width, "height": 800}) as page:
        settled(page)
        for view in ("tiles", "board", "stream"):
            if width == 360:
                page.locator(f".log-tabs a[data-view={view}]").click()
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, view
            assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0, view
            page.mouse.move(width / 2, 500)
            page.mouse.wheel(0, 400)
            expect(page.locator("#clock")).to_be_in_viewport()
        page.goto(LOG + "?wall=1")
        expect(page.locator(".log-board")).to_be_visible()
        expect(page.locator("#say")).to_have_count(0)
