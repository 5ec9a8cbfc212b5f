"""Pages of the inventory in the browser: axe in all themes, every width, and areas handled by keyboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_pages import FINISHED, RUNNING, WIDTHS, violations

pytestmark = pytest.mark.browser
PAGES = (
    "/areas/",
    "/files/",
    "/files/?bbox=-40,20,0,50&unplaced=on",
    "/files/?bbox=wrong",
    "/arrivals/",
    "/profiles/",
    "/submissions/",
    f"/cruise/{FINISHED}/inventory/?in=ctd/raw",
    f"/cruise/{FINISHED}/inventory/?q=raw",
    f"/cruise/{FINISHED}/copies/",
    f"/cruise/{FINISHED}/classification/",
    f"/cruise/{FINISHED}/inventory/compare/",
    f"/cruise/{FINISHED}/inventory/compare/?word=missing",
    f"/cruise/{FINISHED}/inventory/history/?q=ctd",
    f"/cruise/{RUNNING}/receive/",
)
THEMES = ("light", "dark", "night")
# Whether what stands at the head of a page lies over each other, and whether a phone must scroll a table of files.
COVERED = """() => {
    const boxes = [...document.querySelectorAll(".page-head > *")].map(one => one.getBoundingClientRect());
    return boxes.some((a, n) => boxes.slice(n + 1).some(b =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1));
}"""
SQUEEZED = "[...document.querySelectorAll('.page-head > *')].some(one => one.scrollWidth > one.clientWidth + 1)"
ASIDE = "[...document.querySelectorAll('.scroll')].some(one => one.scrollWidth > one.clientWidth + 1)"
OVER = "document.documentElement.scrollWidth - window.innerWidth"


def in_theme(page: Page, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)


def test_axe_finds_nothing_in_any_theme_nor_is_any_wider_than_the_screen(page: Page):
    sign_in(page, "manager")
    page.goto(f"/cruise/{FINISHED}/")
    dataset = page.locator("a[href*='/dataset/']").first.get_attribute("href")
    assert dataset
    wrong: dict[str, object] = {}
    for path in (*PAGES, dataset):
        page.goto(path)
        for theme in THEMES:
            in_theme(page, theme)
            if found := violations(page):
                wrong[f"{path} {theme}"] = found
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if (over := page.evaluate(OVER)) > 0:
                wrong[f"{path} {width}"] = over
            if page.evaluate(COVERED) or page.evaluate(SQUEEZED):
                wrong[f"{path} {width} head"] = "covered or squeezed"
            if width == WIDTHS[0] and page.evaluate(ASIDE):
                wrong[f"{path} {width} table"] = "scrolls sideways"
    assert wrong == {}


@pytest.fixture
def outline(tmp_path: Path) -> Path:
    """An area with a long name whose box lies around the tracks of the demonstration."""
    corners = [[-30, 30], [-10, 30], [-10, 40], [-30, 40], [-30, 30]]
    name = "Waters around the islands, under the long name that their keeper gave them"
    feature = {
        "type": "Feature",
        "properties": {"name": name},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }
    file = tmp_path / "waters.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def reach(page: Page, name: str) -> None:
    """Tabs on until the thing of this name has the focus, which is seen on it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus: list[str] = page.evaluate(
            """() => { const e = document.activeElement; const s = getComputedStyle(e);
            return [e.innerText.trim() || e.labels?.[0]?.innerText || e.value || "", s.outlineStyle] }"""
        )
        if focus[0].startswith(name):
            assert focus[1] != "none", f"nobody sees that {name} has the focus"
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def test_areas_are_loaded_looked_at_and_taken_away_by_keyboard(page: Page, outline: Path):
    sign_in(page, "manager")
    page.goto("/areas/")
    reach(page, "GeoJSON file")
    page.locator("input[type=file]").set_input_files(outline)
    reach(page, "Source")
    page.keyboard.type("Keeper of the waters, https://example.org/a/very/long/address/of/where/it/all/comes/from/v12")
    reach(page, "Licence")
    page.keyboard.type("CC-BY-4.0")
    reach(page, "Load the areas")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_be_visible()
    assert violations(page) == []
    squeezed = page.get_by_role("rowheader").first.evaluate("cell => cell.offsetWidth")
    assert squeezed >= 180
    reach(page, "Waters around")
    page.keyboard.press("Enter")
    expect(page.locator(".map canvas").first).to_be_visible()
    for theme in THEMES:
        in_theme(page, theme)
        assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OVER) <= 0, width
    reach(page, "Files measured here")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/files/?area=" in url)
    expect(page.get_by_label("Or a named area")).to_have_value(page.url.rpartition("=")[2])
    assert violations(page) == []
    page.go_back()
    reach(page, "Why?")
    page.keyboard.type("only a test")
    reach(page, "Take the area away")
    page.keyboard.press("Enter")
    page.wait_for_url("**/areas/")
    expect(page.get_by_role("link", name="Waters around")).to_have_count(0)


def test_what_is_compared_is_what_is_chosen_and_readable_on_a_phone(page: Page):
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"/cruise/{FINISHED}/inventory/compare/")
    before = page.get_by_label("Before")
    expect(before).to_have_value("1")
    room = before.evaluate(
        """select => {
        const style = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return room - pen.measureText(select.selectedOptions[0].text).width;
        }"""
    )
    assert room >= 0, "the number of the shipment is cut"
