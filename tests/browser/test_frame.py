"""The frame of every page: its bar holds the longest menu at every width, with the menu open and with wide letters."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in

pytestmark = pytest.mark.browser
FOLDED = (320, 360, 390, 600, 768, 820, 900, 959)
SPREAD = (960, 1000, 1024, 1100, 1151, 1152, 1200, 1280, 1440, 1760)
# WCAG 1.4.12: nothing may be lost when a reader spaces letters and words so.
SPACED = "* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }"
OVER = "document.documentElement.scrollWidth - window.innerWidth"
# Entries of the bar that are cut by the window or by another entry.
LOST = """() => {
  const boxes = [...document.querySelectorAll(".frame-head :is(.brand, .nav a, .find input, .menu > summary)")]
    .map((element) => [element.textContent.trim() || element.className || element.id, element.getBoundingClientRect()])
    .filter(([, box]) => box.width);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.filter(([, box], index) => box.left < 0 || box.right > innerWidth
    || boxes.some(([, other], at) => at !== index && meet(box, other))).map(([name]) => name);
}"""


def measured(page: Page, widths: tuple[int, ...]) -> dict[int, object]:
    """What is wrong with the bar, by width."""
    wrong: dict[int, object] = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        over, lost = page.evaluate(OVER), page.evaluate(LOST)
        if over > 0 or lost:
            wrong[width] = (over, lost)
    return wrong


def test_the_fullest_menu_fits_every_width(page: Page):
    sign_in(page, "manager")
    page.goto("/cruises/")
    assert page.locator(".nav li").count() >= 7
    assert measured(page, SPREAD) == {}
    for width in SPREAD:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator(".frame-head").evaluate("head => head.offsetHeight") <= 60, f"two lines at {width}"
    assert measured(page, FOLDED) == {}
    page.locator(".nav-fold > summary").click()
    expect(page.get_by_role("link", name="Archive", exact=True)).to_be_visible()
    assert measured(page, FOLDED) == {}


def test_wide_letters_and_a_long_name_lose_nothing(page: Page):
    sign_in(page, "manager")
    page.goto("/cruises/")
    page.evaluate("rule => document.styleSheets[0].insertRule(rule, document.styleSheets[0].cssRules.length)", SPACED)
    page.locator(".menu-name").evaluate("name => { name.textContent = 'Maximiliane-Friederike-Charlotte' }")
    assert measured(page, SPREAD) == {}
    page.locator(".frame-tools .menu > summary").click()
    assert measured(page, (960, 1280)) == {}


@pytest.mark.parametrize("who", [None, "operator", "chief"])
def test_shorter_menus_fit_too(page: Page, who: str | None):
    if who:
        sign_in(page, who)
    page.goto("/cruises/")
    wrong = {}
    for width in (*FOLDED, *SPREAD):
        page.set_viewport_size({"width": width, "height": 800})
        if (over := page.evaluate(OVER)) > 0:
            wrong[width] = over
    assert wrong == {}
