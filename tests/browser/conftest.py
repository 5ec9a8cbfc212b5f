"""The pages in headless Chromium, against a real server on a copy of the demonstration, loaded once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.flows.conftest import ROOT, _environment, static_files

__all__ = ["static_files"]  # a fixture here too

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=15_000)  # ms: how fast the machine is at the moment is no property of a page


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, static_files: None) -> Iterator[str]:
    """The address of a running demonstration, with queue, workers and registrar.

    LEADLINE_BROWSER_SITE names one that runs already, for trying things by hand.
    """
    if running := os.environ.get("LEADLINE_BROWSER_SITE"):
        yield running
        return
    home = tmp_path_factory.mktemp("browser")
    environment = _environment(home) | {"LEADLINE_MODE": "demonstration"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--migrate"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    base = f"http://127.0.0.1:{environment['PORT']}"
    for _ in range(240):
        try:
            if requests.get(f"{base}/health/ready", timeout=5).status_code == 200:
                break
        except requests.RequestException:
            pass
        time.sleep(0.5)
    else:
        raise AssertionError("the site did not become ready")
    yield base
    process.send_signal(signal.SIGINT)
    process.wait(40)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium of the machine; CHROMIUM names it."""
    path = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.skip(f"Chromium not found at {path}; set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """A page of a new visitor; what the console complains of fails the test."""
    context = chromium.new_context(base_url=site, viewport={"width": 1440, "height": 900})
    made = context.new_page()
    complaints: list[str] = []
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []


def sign_in(page: Page, name: str) -> None:
    """Signs in with one of the demonstration's accounts."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(f"{name}@leadline.example")
    page.get_by_label("Password").fill("leadline-demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)
