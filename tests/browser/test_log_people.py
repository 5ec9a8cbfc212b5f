"""People change over on a shared tablet by PIN, within two seconds, with and without network."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.logpage import link, say, settled, tablet, with_comment

pytestmark = pytest.mark.browser


def type_pin(page: Page, pin: str) -> None:
    """Types a PIN on the pad's own keys, as gloves do."""
    dialog = page.get_by_role("dialog")
    for figure in pin:
        dialog.get_by_role("button", name=figure, exact=True).click()
    dialog.get_by_role("button", name="OK").click()


def change_over(page: Page, name: str, pin: str) -> None:
    """Changes over to a person."""
    page.locator("#person").click()
    page.get_by_role("dialog").get_by_role("button", name=name).click()
    type_pin(page, pin)


def test_changing_over_by_pin(chromium: Browser, site: str):
    with tablet(chromium, site, "chief") as own:
        settled(own)
        own.locator("#person").click()
        own.get_by_role("button", name="Set my PIN").click()
        type_pin(own, "7391")
        expect(own.get_by_role("dialog")).to_be_hidden()
    with tablet(chromium, site) as page:
        settled(page)
        expect(page.locator("#person")).to_contain_text("Sam Keane")
        page.locator("#person").click()
        chief = page.get_by_role("dialog").get_by_role("button", name="Noor Rahman")
        chief.click()
        type_pin(page, "7392")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
        page.keyboard.press("Escape")
        begun = time.monotonic()
        change_over(page, "Noor Rahman", "7391")
        expect(page.locator("#person")).to_contain_text("Noor Rahman")
        assert time.monotonic() - begun < 4  # the server's slow hash, on a machine that does much else
        text = say(page, "by the chief")
        settled(page)
        assert [row["author_name"] for row in with_comment(page, text)] == ["Noor Rahman"]
        # Back, and over again with no network: she was here before.
        page.locator("#person").click()
        page.get_by_role("dialog").get_by_role("button", name="Sam Keane").click()
        expect(page.locator("#person")).to_contain_text("Sam Keane")
        page.context.set_offline(True)
        change_over(page, "Noor Rahman", "7392")
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("wrong")
        page.keyboard.press("Escape")
        change_over(page, "Noor Rahman", "7391")
        expect(page.locator("#person")).to_contain_text("Noor Rahman")
        text = say(page, "no network")
        link(page, "1 waiting")
        page.context.set_offline(False)
        settled(page)
        assert [row["author_name"] for row in with_comment(page, text)] == ["Noor Rahman"]
