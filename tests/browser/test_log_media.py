"""Photos, voice notes and who else is there: from the tablet, without a network, to the server."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.logpage import API, link, say, settled, tablet


def picture(shade: int) -> bytes:
    """A PNG of 8 by 8 grey pixels (W3C Portable Network Graphics, chunks IHDR, IDAT, IEND)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([shade]) * 8 for _ in range(8))
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def files_of(page: Page, name: str) -> list[dict[str, Any]]:
    """Attachments of this name that the server has."""
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}
    address = f"{page.evaluate('location.origin')}{API}/attachments"
    body = requests.get(address, cookies=cookies, timeout=20).json()
    rows = body["results"] if isinstance(body, dict) else body
    return [row for row in rows if row["name"] == name]


def sheet_of(page: Page, text: str) -> Locator:
    """The sheet of the event with this comment, opened."""
    page.locator(".event", has_text=text).get_by_role("button").first.click()
    sheet = page.get_by_role("complementary", name="Details of the event")
    expect(sheet).to_be_visible()
    return sheet


def test_a_photo_taken_without_a_network_arrives_with_its_event(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        page.context.set_offline(True)
        text = say(page, "photo")
        name = f"{text.replace(' ', '-')}.png"
        sheet = sheet_of(page, text)
        data = picture(len(name))
        sheet.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": data})
        expect(sheet.get_by_text(re.compile(f"{name}.*waiting"))).to_be_visible()
        link(page, "2 waiting")
        page.context.set_offline(False)
        settled(page)
        (row,) = files_of(page, name)
        assert row["size"] == len(data)
        fetched = page.context.request.get(row["url"])
        assert fetched.body() == data


def test_who_else_is_there_is_shown(chromium: Browser, site: str):
    with tablet(chromium, site) as one:
        settled(one)
        with tablet(chromium, site, name="chief") as other:
            settled(other)
            expect(one.locator("#present")).to_have_text(re.compile(r"^([2-9]|[1-9]\d+) screens open"), timeout=20_000)
            expect(one.locator("#present")).to_have_attribute("title", re.compile("Sam Keane"))
