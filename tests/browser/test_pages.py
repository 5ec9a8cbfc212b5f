"""The pages that people live in: what they do there works, by mouse and by keyboard, and axe finds nothing wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.conftest import ROOT

pytestmark = pytest.mark.browser
AXE = ROOT / "build" / "assets" / "test" / "axe.min.js"
WIDTHS = (360, 820, 1440)
YEAR = dt.datetime.now(dt.UTC).year % 100
FINISHED, RUNNING = f"FA{YEAR:02d}01", f"FA{YEAR:02d}02"


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA on the page as it is."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']})"
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]


PUBLIC = (
    "/",
    "/cruises/",
    f"/cruise/{FINISHED}/",
    f"/cruise/{FINISHED}/inventory/",
    f"/cruise/{FINISHED}/log/",
    "/oai",
    "/accounts/login/",
    f"/cruise/{FINISHED}/log/events/",
    f"/cruise/{FINISHED}/log/events/?view=timeline",
    f"/cruise/{FINISHED}/log/history/",
    "/guide/log/",
)
OFFICE = (
    "/",
    "/work/",
    "/profiles/ZZFA/",
    "/submissions/",
    f"/cruise/{FINISHED}/review/",
    f"/cruise/{RUNNING}/log/",
    "/cruises/new/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_public_pages(page: Page, scheme: Any):
    page.emulate_media(color_scheme=scheme)
    found = {}
    for path in PUBLIC:
        page.goto(path)
        if wrong := violations(page):
            found[path] = wrong
    assert found == {}


def test_axe_finds_nothing_on_the_offices_pages(page: Page):
    sign_in(page, "manager")
    found = {}
    for path in OFFICE:
        page.goto(path)
        if wrong := violations(page):
            found[path] = wrong
    assert found == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, "manager")
    wide = {}
    for path in (*PUBLIC[:6], *OFFICE, f"/cruise/{FINISHED}/journal/"):
        page.goto(path)
        if (over := page.evaluate("document.documentElement.scrollWidth - window.innerWidth")) > 0:
            wide[path] = over
    assert wide == {}


def test_the_cruise_page_draws_its_track(page: Page):
    page.goto(f"/cruise/{FINISHED}/")
    expect(page.locator(".map canvas").first).to_be_visible()
    page.wait_for_timeout(500)
    colours = page.evaluate(
        """() => { const c = document.querySelector('.map canvas'); const d = c.getContext('2d')
        .getImageData(0, 0, c.width, c.height).data; const s = new Set();
        for (let i = 0; i < d.length; i += 40) s.add(d[i] + ',' + d[i+1] + ',' + d[i+2]); return s.size }"""
    )
    assert colours > 5
    assert page.locator(".steps li").count() == 8


def test_an_event_is_struck_on_its_own_page(page: Page):
    sign_in(page, "watch")
    page.goto(f"/cruise/{RUNNING}/log/")
    page.get_by_role("combobox").fill("wrong button")
    page.get_by_role("button", name="Log it").click()
    row = page.locator(".event", has_text="wrong button")
    expect(row).to_be_visible()
    page.wait_for_timeout(1500)  # its page is there once the server has it
    row.get_by_role("button").first.click()
    page.locator("#sheet").get_by_role("link", name="History", exact=True).click()
    page.get_by_label("Why?").fill("wrong button")
    page.get_by_role("button", name="Strike the event").click()
    expect(page.locator(".page-title .chip")).to_contain_text("Struck")


def test_an_operator_submits_orders_with_the_keyboard(page: Page):
    sign_in(page, "operator")
    page.goto("/cruises/new/")
    fields = {
        "cruise-id": "FAKEYS",
        "cruise-title": "By keyboard",
        "cruise-depart_date": "2027-02-01",
        "cruise-depart_port_name": "Funchal",
        "cruise-depart_port_id": "PTFNC",
        "cruise-arrive_date": "2027-02-09",
        "cruise-arrive_port_name": "Funchal",
        "cruise-arrive_port_id": "PTFNC",
        "party-0-family_name": "Rahman",
        "party-0-institution": "Institute of Sounding",
    }
    for name, value in fields.items():
        page.locator(f"[name='{name}']").fill(value)
    page.locator("[name='cruise-vessel']").select_option(label="Fathom")
    page.locator("[data-rows='instruments'] [data-add-row]").click()
    page.keyboard.type("CTD")
    page.keyboard.press("Tab")
    page.keyboard.type("ctd")
    page.locator("[name='instruments-0-name']").fill("Multibeam")
    page.locator("[name='instruments-0-device_class']").fill("multibeam")
    submit = page.get_by_role("button", name="Submit the sailing orders")
    submit.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("Cruise FAKEYS was created")


def test_the_night_theme_is_red_on_black(page: Page, tmp_path: Path):
    page.goto(f"/cruise/{FINISHED}/")
    page.evaluate("document.documentElement.dataset.theme = 'night'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"
    red, green, blue = page.evaluate("getComputedStyle(document.querySelector('h1')).color.match(/\\d+/g).map(Number)")
    assert red > 100
    assert green == blue == 0


def test_nothing_is_fetched_from_outside(page: Page, site: str):
    foreign = []
    page.on(
        "request",
        lambda request: foreign.append(request.url) if not request.url.startswith((site, "data:", "blob:")) else None,
    )
    for path in PUBLIC:
        page.goto(path)
    assert foreign == []
