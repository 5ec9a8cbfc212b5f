"""The log page as an installed app: what the worker keeps, the manifest, and who gets the page that is kept."""

from __future__ import annotations

import json
import re

import pytest

from eventlog import logbook
from eventlog.views import installed
from portal.access import CONSOLE
from tests import make
from tests.conftest import ROOT

DECK = ROOT / "eventlog" / "static" / "eventlog" / "deck"


def test_the_worker_keeps_every_module_and_every_file_of_the_page(client):
    response = client.get("/log-worker.js")
    assert response["Service-Worker-Allowed"] == "/cruise/"
    assert response["Content-Type"].startswith("text/javascript")
    found = re.search(r"const FILES = (\[.*\]);", response.content.decode())
    assert found
    files = json.loads(found[1])
    for path in DECK.glob("*.js"):
        assert any(f"/{path.stem}." in name for name in files), path.name
    assert installed.version() in response.content.decode()


def test_modules_import_only_each_other_and_never_in_a_circle():
    imports = {
        path.stem: set(re.findall(r'^(?:import|export)[^"]*"\./([a-z]+)\.js"', path.read_text(), re.MULTILINE))
        for path in DECK.glob("*.js")
    }
    left = dict(imports)
    while ready := [name for name, needs in left.items() if not needs & set(left)]:
        for name in ready:
            del left[name]
    # Names by contents need an order: a file is named after those that it imports.
    assert left == {}
    assert set().union(*imports.values()) <= set(imports)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kept"), [("chief", True), ("watch", True), ("operator", True)])
def test_the_page_at_sea_may_be_kept(browse, name, kept):
    cruise = make.cruise(state="at sea")
    response = browse(name).get(f"/cruise/{cruise.cruise_id}/log/")
    assert (response.get("X-Log-Shell") == installed.version()) is kept
    told = re.search(r'data-data="([^"]*)"', response.content.decode())
    assert told
    about = json.loads(told[1].replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&"))
    assert about["cruise"] == cruise.cruise_id
    assert about["machines"]["ctd"]["counts"] is True
    assert about["readings"]["CTD\nmaxDepth"] == ["ctd", "maxDepth"]


@pytest.mark.django_db
def test_a_closed_log_is_told_so_that_the_kept_page_gives_way(browse):
    cruise = make.cruise(state="at sea")
    logbook.close_log(cruise=cruise, by=CONSOLE)
    response = browse("watch").get(f"/cruise/{cruise.cruise_id}/log/")
    assert response["X-Log-Closed"] == "yes"
    assert "X-Log-Shell" not in response


@pytest.mark.django_db
def test_a_form_that_was_refused_is_never_kept(browse):
    cruise = make.cruise(state="at sea")
    response = browse("watch").post(f"/cruise/{cruise.cruise_id}/log/record/", {"instrument": "CTD"})
    assert response.status_code == 422
    assert "X-Log-Shell" not in response


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "status"), [("watch", 200), ("stranger", 404), (None, 404)])
def test_the_manifest_is_for_those_who_see_the_cruise(browse, name, status):
    cruise = make.cruise(state="at sea")
    response = browse(name).get(f"/cruise/{cruise.cruise_id}/log/app.webmanifest")
    assert response.status_code == status
    if status == 200:
        body = response.json()
        assert body["start_url"] == body["scope"] == f"/cruise/{cruise.cruise_id}/log/"
        assert body["display"] == "standalone"


@pytest.mark.django_db
def test_the_wall_screen_has_no_buttons(browse):
    cruise = make.cruise(state="at sea")
    text = browse("watch").get(f"/cruise/{cruise.cruise_id}/log/?wall=1").content.decode()
    assert 'data-screen="wall"' in text
    assert 'class="log-line"' not in text
