"""The profile editor in the browser: the preview follows the typing, buttons work, and axe finds nothing wrong."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser
EDITOR = "/profiles/ZZFA/"


def test_the_preview_follows_the_typing(page: Page):
    sign_in(page, "manager")
    page.goto(EDITOR)
    preview = page.locator("[data-preview]")
    expect(preview).to_contain_text("No data set changes.")
    first = page.get_by_label("Directory", exact=True).first
    first.fill("re:nothing(")
    expect(preview).to_contain_text("missing )")
    expect(first).to_have_attribute("aria-invalid", "true")
    first.fill("nothing/here")
    expect(preview).to_contain_text("No rule catches")
    expect(page.locator("[data-line] [data-files]").first).to_have_text("0 files")
    expect(first).to_be_focused()
    assert violations(page) == []


def test_suggestions_and_moves_by_button(page: Page):
    sign_in(page, "manager")
    page.goto(EDITOR)
    rows = page.locator("[data-line]")
    expect(page.locator("[data-files-of-rules]")).not_to_have_attribute("data-files-of-rules", "")
    count = rows.count()
    second = page.get_by_label("Directory", exact=True).nth(1).input_value()
    page.get_by_role("button", name="Move rule 2 up").click()
    expect(page.get_by_label("Directory", exact=True).first).to_have_value(second)
    page.get_by_role("button", name="Remove rule 1", exact=True).click()
    expect(rows).to_have_count(count - 1)
    offered = page.get_by_role("button", name="Add the rule for").first
    expect(offered).to_be_visible()
    offered.click()
    expect(rows).to_have_count(count)
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_the_editor_fits_the_screen(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, "manager")
    page.goto(EDITOR)
    expect(page.locator("[data-preview]")).to_contain_text("Matched")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
