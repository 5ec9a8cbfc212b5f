"""One press, one event: on a phone, on a tablet, by keyboard, twice, taken back, and without script."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from tests.browser.logpage import (
    LOG,
    PHONE,
    TABLET,
    cut_after_sending,
    on_server,
    open_log,
    say,
    settled,
    signed_in,
    tablet,
    tile,
    top,
    with_comment,
)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [PHONE, TABLET], ids=["phone", "tablet"])
def test_a_press_is_one_event_at_the_time_of_the_press(chromium: Browser, site: str, size: ViewportSize):
    with tablet(chromium, site, viewport=size, has_touch=True) as page:
        settled(page)
        page.wait_for_timeout(2100)  # a press of the same button on the screen before would be the same event
        before = len(on_server(page, lambda row: row["action"] == "service"))
        button = tile(page, "Multibeam", "service")
        assert (button.bounding_box() or {"height": 0})["height"] >= 64
        pressed = dt.datetime.now(dt.UTC)
        button.tap()
        expect(page.locator("#toasts")).to_contain_text("Multibeam service logged")
        button.tap()  # with gloves
        settled(page)
        found = on_server(page, lambda row: row["action"] == "service")
        assert len(found) == before + 1
        at = dt.datetime.fromisoformat(found[-1]["observed_at"])
        assert abs((at - pressed).total_seconds()) < 2
        assert found[-1]["author_name"] == "Sam Keane"


def test_undo_takes_a_press_back_and_loses_nothing(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        text = say(page, "wrong")
        page.locator("#undo").click()
        expect(page.locator("#toasts")).to_contain_text("Undone")
        settled(page)
        assert [row["struck"] for row in with_comment(page, text)] == [True]
        page.get_by_role("button", name="Put it back").click()
        expect(page.locator(".event.struck", has_text=text)).to_have_count(0)
        settled(page)
        assert [row["struck"] for row in with_comment(page, text)] == [False]


def test_details_after_the_press_and_an_answer_lost_on_the_way(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        text = say(page)
        settled(page)
        cuts = cut_after_sending(page)
        page.locator(".event", has_text=text).get_by_role("button").first.click()
        sheet = page.get_by_role("complementary", name="Details of the event")
        sheet.get_by_label("Station").fill("L6")
        sheet.get_by_label("When (UTC)").fill("00:01")
        sheet.get_by_role("button", name="Keep").click()
        expect(sheet).to_be_hidden()
        other = say(page, "cut")
        expect(page.locator("#link")).to_contain_text("2 waiting")
        for _ in range(100):
            if cuts:
                break
            page.wait_for_timeout(100)
        assert cuts
        page.unroute_all(behavior="ignoreErrors")
        settled(page)
        assert [(row["station"], row["observed_at"][11:16]) for row in with_comment(page, text)] == [("L6", "00:01")]
        assert len(with_comment(page, other)) == 1


def test_a_time_that_is_typed_is_not_to_come(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        minutes = page.evaluate(
            """async () => {
                const files = performance.getEntriesByType("resource").map(one => one.name);
                const { now, readTime } = await import(files.find(name => /deck.moments/.test(name)));
                const typed = at => new Date(at).toISOString().slice(11, 19);
                return [-700, -10, 2, 30, 600].map(ahead => {
                    const at = Math.floor(now() / 1000) * 1000 + ahead * 60000;
                    return Math.round((readTime(typed(at), now()) - now()) / 60000);
                });
            }"""
        )
        assert minutes == [-700, -10, 2, 30 - 1440, 600 - 1440]


def test_by_keyboard_alone(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        keys = page.keyboard
        keys.press("/")
        keys.type("multibeam serv: by keyboard")
        expect(page.get_by_role("option").first).to_contain_text("Multibeam")
        keys.press("Enter")
        settled(page)
        assert len(with_comment(page, "by keyboard")) == 1
        expect(page.get_by_role("combobox")).to_be_focused()
        keys.press("Escape")
        keys.press("u")
        expect(page.locator("#toasts")).to_contain_text("Undone")
        settled(page)
        assert [row["struck"] for row in with_comment(page, "by keyboard")] == [True]
        first = page.locator(".log-tiles .tile").first
        first.focus()
        keys.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.template")
        assert not first.evaluate("element => element === document.activeElement")
        keys.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_new_rows_do_not_move_what_somebody_reads(chromium: Browser, site: str):
    with (
        tablet(chromium, site, viewport={"width": 820, "height": 700}) as reader,
        tablet(chromium, site, "chief") as other,
    ):
        settled(reader)
        pane = reader.locator(".log-stream")
        pane.evaluate("pane => pane.scrollTo(0, 300)")
        row = reader.locator(".stream .event").nth(6)
        was = top(row)
        text = say(other, "meanwhile")
        expect(reader.locator("#pill")).to_contain_text("1 new", timeout=8_000)
        assert top(row) == was
        reader.locator("#pill").click()
        expect(reader.locator(".stream").get_by_text(text)).to_be_in_viewport()


def test_it_works_without_script(chromium: Browser, site: str):
    context = chromium.new_context(base_url=site, viewport=TABLET, java_script_enabled=False)
    page = signed_in(context).new_page()
    page.goto(LOG)
    page.locator(".log-line input[name=comment]").fill("no script here")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator(".notice.good")).to_contain_text("is recorded")
    expect(page.locator(".stream")).to_contain_text("no script here")
    page.get_by_text("Fill in a form instead").click()
    form = page.locator("form.wide")
    form.get_by_label("Instrument").fill("Bongo")
    form.get_by_label("Action").fill("deploy")
    form.get_by_label("Latitude").fill("41.5")
    form.get_by_label("Comment").fill("a long story")
    form.get_by_role("button", name="Record the event").click()
    expect(page.locator(".error-summary")).to_contain_text("a position needs latitude and longitude")
    expect(form.get_by_label("Comment")).to_have_value("a long story")
    expect(form.get_by_label("Instrument")).to_have_value("Bongo")
    context.close()


def test_a_near_duplicate_of_a_station_is_offered(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        text = say(page)
        page.locator(".event", has_text=text).get_by_role("button").first.click()
        sheet = page.get_by_role("complementary", name="Details of the event")
        names: list[str] = page.evaluate("[...document.querySelectorAll('#known-stations option')].map(o => o.value)")
        if not names:
            pytest.skip("the demonstration has no stations as places")
        number = next(name for name in names if name.lstrip("0") != name and name.strip("0").isdigit())
        sheet.get_by_label("Station").fill(f"Stn {number.lstrip('0')}")
        sheet.get_by_role("button", name=f"{number}?").click()
        expect(sheet.get_by_label("Station")).to_have_value(number)


def test_the_clock_of_a_wrong_tablet_is_corrected(chromium: Browser, site: str):
    context = chromium.new_context(base_url=site, viewport=TABLET)
    # The tablet is 259 s slow, as the PC of a real log was.
    context.add_init_script("{ const real = Date.now; Date.now = () => real() - 259000; }")
    page: Page = signed_in(context).new_page()
    open_log(page)
    settled(page)
    text = say(page, "on time")
    settled(page)
    (row,) = with_comment(page, text)
    late = abs((dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(row["observed_at"])).total_seconds())
    assert late < 30
    context.close()


def test_a_click_on_a_row_that_changes_meanwhile_is_heard(chromium: Browser, site: str):
    with tablet(chromium, site) as page:
        settled(page)
        held: list[Route] = []
        page.route("**/events:batch", lambda route: held.append(route), times=1)
        text = say(page, "touched")
        row = page.locator(".event.waiting", has_text=text).get_by_role("button").first
        row.scroll_into_view_if_needed()
        box = row.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        high = page.locator(".log-bar").bounding_box()
        for _ in range(100):
            if held:
                break
            page.wait_for_timeout(100)
        held[0].continue_()
        settled(page)  # the server has it: the row is another now, and drawn when the finger is lifted
        assert page.locator(".log-bar").bounding_box() == high, "the buttons moved under the finger"
        page.mouse.up()
        expect(page.get_by_role("complementary", name="Details of the event")).to_be_visible()
        expect(page.locator(".event.waiting", has_text=text)).to_have_count(0)


@pytest.mark.parametrize("width", [360, 768, 820, 1280, 1440, 1920])
def test_the_bar_keeps_its_height_whatever_it_says(chromium: Browser, site: str, width: int):
    """Readings that turn stale, and a link that is lost, must not move the buttons below."""
    with tablet(chromium, site, viewport={"width": width, "height": 900}) as page:
        settled(page)
        heights: list[int] = page.evaluate(
            """() => {
              const bar = document.querySelector(".log-bar");
              const found = new Set();
              const full = { position: "62° 14.31′ N 134° 07.88′ W", depth: "10,984", speed: "12.8" };
              for (const known of [false, true])
                for (const since of ["", "9 s", "59 min"])
                  for (const old of [false, true])
                    for (const link of ["Live", "Offline, 312 waiting, 3 to look at"]) {
                      for (const box of bar.querySelectorAll("[data-reading]")) {
                        box.querySelector(".value").textContent = known ? full[box.dataset.reading] : "–";
                        box.querySelector(".since").textContent = since;
                        box.querySelector(".old").hidden = !old;
                        box.classList.toggle("stale", old);
                      }
                      bar.querySelector(".link-words").textContent = link;
                      found.add(bar.offsetHeight);
                      if (document.documentElement.scrollWidth > innerWidth) found.add(-1);
                    }
              return [...found];
            }"""
        )
        assert len(heights) == 1
        assert heights[0] > 0
