"""Never lose a word: no network, a killed browser, an expired login, a full disk, and two people on one event."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from tests.browser.conftest import FLAGS
from tests.browser.logpage import (
    LOG,
    link,
    on_server,
    open_log,
    say,
    settled,
    signed_in,
    tablet,
    tile,
    with_comment,
)

pytestmark = pytest.mark.browser
KEPT = """async () => (await navigator.serviceWorker.ready).active.state === 'activated'
    && Boolean(await caches.match(location.pathname))"""


def answered(dialog: Dialog, asked: list[str], *, accept: bool) -> None:
    """Notes what the browser asks, and answers."""
    asked.append(f"{dialog.type}: {dialog.message}")
    dialog.accept() if accept else dialog.dismiss()


def installed(page: Page) -> None:
    """Waits until the service worker keeps the page."""
    page.wait_for_function(KEPT, timeout=20_000)


def test_logging_editing_and_looking_back_without_network(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        installed(page)
        rows = page.locator(".stream .event").count()
        assert rows > 20
        page.context.set_offline(True)
        texts = [say(page, "far out") for _ in range(3)]
        link(page, "Offline, 3 waiting")
        page.locator(".event", has_text=texts[0]).get_by_role("button").first.click()
        sheet = page.get_by_role("complementary", name="Details of the event")
        sheet.get_by_label("Station").fill("Far 1")
        sheet.get_by_role("button", name="Keep").click()
        link(page, "Offline, 4 waiting")
        page.reload()
        expect(page.locator("html.log-ready")).to_be_attached()
        link(page, "Offline, 4 waiting")
        for text in texts:
            expect(page.locator(".event.waiting", has_text=text)).to_be_attached()
        expect(page.locator(".event", has_text="Far 1")).to_be_attached()
        assert page.locator(".stream .event").count() >= rows
        # Edited once more, before the first edit was ever sent: no conflict with oneself.
        page.locator(".event", has_text=texts[0]).get_by_role("button").first.click()
        sheet.get_by_label("Station").fill("Far 2")
        sheet.get_by_role("button", name="Keep").click()
        page.context.set_offline(False)
        settled(page)
        assert [row["station"] for row in with_comment(page, texts[0])] == ["Far 2"]
        assert [len(with_comment(page, text)) for text in texts] == [1, 1, 1]


def test_an_operation_begun_and_ended_without_network(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        page.context.set_offline(True)
        tile(page, "Multinet", "Deploy").click()
        board = page.locator(".board .operation", has_text="Multinet")
        expect(board).to_contain_text("in water")
        board.get_by_role("button", name="Recover").click()
        expect(board).to_have_count(0)
        page.context.set_offline(False)
        settled(page)
        found = on_server(page, lambda row: row["instrument"] == "Multinet")[-2:]
        assert [row["action"] for row in found] == ["deploy", "recover"]
        assert found[0]["operation"] == found[1]["operation"] is not None
        assert found[0]["cast"] == found[1]["cast"] != ""


def test_a_killed_browser_has_all_its_items_again(chromium: Browser, site: str, tmp_path: Path):
    profile = tmp_path / "profile"

    def start() -> BrowserContext:
        return chromium.browser_type.launch_persistent_context(
            str(profile),
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium",
            args=FLAGS,
            base_url=site,
            viewport={"width": 820, "height": 1180},
        )

    context = start()
    page = signed_in(context).new_page()
    settled(open_log(page))
    installed(page)
    cookies = context.cookies()
    page.reload()  # now by way of the worker, as any later day
    settled(page)
    context.set_offline(True)
    texts = [say(page, "before the fall") for _ in range(5)]
    page.locator(".event", has_text=texts[0]).get_by_role("button").first.click()
    half = texts[0] + ", half a sent"
    page.locator("#sheet-comment").fill(half)
    page.wait_for_timeout(400)
    _kill(profile)
    context = start()
    context.add_cookies(cookies)
    context.route("**/api/**", lambda route: route.abort())
    page = context.new_page()
    open_log(page)
    link(page, "Offline, 5 waiting")
    expect(page.locator("#sheet-comment")).to_have_value(half)
    page.get_by_role("button", name="Keep", exact=True).click()
    context.unroute_all(behavior="ignoreErrors")
    settled(page)
    assert [len(with_comment(page, text)) for text in texts[1:]] == [1, 1, 1, 1]
    assert len(with_comment(page, half)) == 1
    context.close()


def _kill(profile: Path) -> None:
    """Ends the browser of this profile, with all processes that it started, as a flat battery does."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,pgid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    groups = {row[1] for row in rows if len(row) == 3 and f"--user-data-dir={profile} " in f"{row[2]} "}
    assert groups
    assert str(os.getpgrp()) not in groups
    for pid, group, _ in (row for row in rows if len(row) == 3):
        if group in groups:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
    time.sleep(0.5)
    for lock in profile.glob("Singleton*"):
        lock.unlink()


def test_an_expired_login_keeps_everything_and_goes_on(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        page.context.clear_cookies(name="sessionid")
        text = say(page, "unsigned")
        link(page, "Sign in again, 1 waiting")
        page.locator("#sign-in").click()
        page.get_by_label("Email").fill("watch@leadline.example")
        page.get_by_label("Password").fill("leadline-demo")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{LOG}")
        settled(page)
        assert [row["author_name"] for row in with_comment(page, text)] == ["Sam Keane"]


def test_what_one_person_logged_is_not_sent_as_another(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        page.context.set_offline(True)
        text = say(page, "mine")
        page.context.clear_cookies()
        page.context.set_offline(False)
        signed_in(page.context, "chief")
        page.reload()
        link(page, "For Sam Keane, 1 waiting")
        assert with_comment(page, text) == []
        signed_in(page.context, "watch")
        page.reload()
        settled(page)
        assert [row["author_name"] for row in with_comment(page, text)] == ["Sam Keane"]


def test_a_full_disk_is_told_loudly_and_nothing_is_lost(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        page.evaluate(
            """() => { const put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function () {
              if (this.name !== 'items') return put.apply(this, arguments);
              this.transaction.abort();
              throw new DOMException('full', 'QuotaExceededError'); } }"""
        )
        page.context.set_offline(True)
        text = say(page, "no room")
        expect(page.get_by_role("alert")).to_contain_text("in memory only")
        link(page, "1 waiting")
        asked: list[str] = []
        page.on("dialog", lambda dialog: answered(dialog, asked, accept=False))
        page.mouse.click(5, 400)
        page.close(run_before_unload=True)
        page.wait_for_timeout(500)
        assert [words.partition(":")[0] for words in asked] == ["beforeunload"]
        page.context.set_offline(False)
        settled(page)
        assert len(with_comment(page, text)) == 1


def test_two_tablets_on_one_event_see_both_versions(chromium: Browser, site: str):
    with tablet(chromium, site) as one, tablet(chromium, site, "chief") as other:
        settled(one)
        settled(other)
        text = say(one, "shared")
        settled(one)
        expect(other.locator(".event", has_text=text)).to_be_attached(timeout=8_000)
        one.context.set_offline(True)
        for page, station in ((other, "A1"), (one, "B2")):
            page.locator(".event", has_text=text).get_by_role("button").first.click()
            sheet = page.get_by_role("complementary", name="Details of the event")
            sheet.get_by_label("Station").fill(station)
            if page is one:
                sheet.get_by_label("Cast").fill("7")
            sheet.get_by_role("button", name="Keep").click()
        settled(other)
        one.context.set_offline(False)
        link(one, "1 to look at")
        assert [row["station"] for row in with_comment(one, text)] == ["A1"]
        one.get_by_role("button", name="Two versions").click()
        dialog = one.get_by_role("dialog", name="Changed in two places")
        expect(dialog).to_contain_text("A1")
        expect(dialog).to_contain_text("B2")
        dialog.get_by_label("B2").check()
        dialog.get_by_role("button", name="Keep these").click()
        settled(one)
        assert [(row["station"], row["cast"]) for row in with_comment(one, text)] == [("B2", "7")]


def test_two_tabs_share_one_queue(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        second = open_log(page.context.new_page())
        settled(page)
        page.context.set_offline(True)
        text = say(page, "first tab")
        expect(second.locator(".event.waiting", has_text=text)).to_be_attached()
        page.context.set_offline(False)
        settled(page)
        settled(second)
        assert len(with_comment(page, text)) == 1


def test_signing_out_asks_and_keeps_the_outbox(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        installed(page)
        page.route("**/events:batch", lambda route: route.abort())
        text = say(page, "still here")
        link(page, "1 waiting")
        asked: list[str] = []
        page.on("dialog", lambda dialog: answered(dialog, asked, accept=True))
        page.locator(".log-bar .menu > summary").click()
        page.get_by_role("button", name="Sign this tablet out").click()
        page.wait_for_url(lambda url: "/log/" not in url)
        assert "1 item of the event log waits" in asked[0]
        page.wait_for_function("async () => (await caches.keys()).length === 0")
        page.unroute("**/events:batch")
        signed_in(page.context)
        settled(open_log(page))
        assert len(with_comment(page, text)) == 1
