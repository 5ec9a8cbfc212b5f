"""The ground's pages: who may open them (a table of exact answers), and what they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from portal import tokens, work
from portal.models import Cruise, JournalEntry, SailingOrders, Token, Work
from portal.orders import document, intake
from tests import make

pytestmark = pytest.mark.django_db
Browse = Callable[[str | None], Client]


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Half a second of hashing for each of the people would be most of the time of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


PEOPLE = (None, "admin", "manager", "operator", "rival", "chief", "watch", "expert", "stranger")
# In the order of PEOPLE: nobody, admin, manager, operator, rival, chief, watch, expert, stranger.
PRIVATE = {
    "/": "200 200 200 200 200 200 200 200 200",
    "/cruises/": "200 200 200 200 200 200 200 200 200",
    "/cruises/?q=front&state=planned&year=2026&order=date": "200 200 200 200 200 200 200 200 200",
    "/cruises/new/": "302 200 200 200 200 403 403 403 403",
    "/cruises/upload/": "302 200 200 200 200 403 403 403 403",
    "/cruise/TS2601/": "404 200 200 200 404 200 200 404 404",
    "/cruise/TS2601/journal/": "302 200 200 200 404 200 200 404 404",
    "/cruise/TS2601/orders/": "302 200 200 200 404 200 403 404 404",
    "/cruise/TS2601/orders/1/xml.xml": "302 200 200 200 404 200 403 404 404",
    "/cruise/TS2601/orders/2/xml.xml": "302 404 404 404 404 404 403 404 404",
    "/cruise/TS2601/orders/amend/": "302 200 200 200 404 200 403 404 404",
    "/cruise/TS2601/party/": "302 200 200 200 404 200 403 404 404",
    "/cruise/TS2601/cancel/": "302 405 405 405 404 403 403 404 404",
    "/cruise/NONE/": "404 404 404 404 404 404 404 404 404",
    "/tokens/": "302 200 200 200 200 200 200 200 200",
    "/work/": "302 200 200 200 200 403 403 403 403",
    "/health/live": "200 200 200 200 200 200 200 200 200",
    "/api/v1/cruises": "200 200 200 200 200 200 200 200 200",
    "/api/v1/cruises/TS2601": "404 200 200 200 404 200 200 404 404",
    "/api/v1/cruises/NONE": "404 404 404 404 404 404 404 404 404",
    "/invitation/not-a-secret/": "404 404 404 404 404 404 404 404 404",
    "/no/such/page": "404 404 404 404 404 404 404 404 404",
    "/admin/": "302 200 302 302 302 302 302 302 302",
}
PUBLIC = {
    "/cruise/TS2601/": "200 200 200 200 200 200 200 200 200",
    "/cruise/ts2601/": "302 302 302 302 302 302 302 302 302",
    "/cruise/TS2601/journal/": "302 200 200 200 403 200 200 200 403",
    "/cruise/TS2601/orders/": "302 200 200 200 403 200 403 403 403",
    "/cruise/TS2601/orders/1/delivered.xml": "302 200 200 200 403 200 403 403 403",
    "/cruise/TS2601/orders/amend/": "302 200 200 200 403 200 403 403 403",
    "/cruise/TS2601/party/": "302 200 200 200 403 200 403 403 403",
    "/api/v1/cruises/TS2601": "200 200 200 200 200 200 200 200 200",
    "/api/v1/cruises/ts2601": "200 200 200 200 200 200 200 200 200",
}


def answers(path: str, browse: Browse) -> str:
    return " ".join(str(browse(name).get(path).status_code) for name in PEOPLE)


@pytest.mark.parametrize("path", PRIVATE)
def test_who_may_open_a_page_before_the_cruise_is_public(path: str, browse: Browse):
    make.cruise("TS2601")
    assert answers(path, browse) == PRIVATE[path]


@pytest.mark.parametrize("path", PUBLIC)
def test_who_may_open_a_page_of_a_public_cruise(path: str, browse: Browse):
    make.cruise("TS2601")
    Cruise.objects.update(public_at=timezone.now())
    assert answers(path, browse) == PUBLIC[path]


def test_somebody_not_signed_in_is_sent_to_the_sign_in_and_back(browse: Browse):
    make.cruise("TS2601")
    response = browse(None).get("/cruise/TS2601/journal/")
    assert response["Location"] == "/accounts/login/?next=/cruise/TS2601/journal/"


def test_addresses_of_the_party_stay_private(browse: Browse):
    make.cruise("TS2601")
    Cruise.objects.update(public_at=timezone.now())
    for path in ("/cruise/TS2601/", "/api/v1/cruises/TS2601", "/"):
        for name in (None, "stranger", "rival"):
            page = browse(name).get(path).content.decode()
            assert "Rahman" in page or path == "/"
            assert "chief@example.org" not in page
    assert "chief@example.org" in browse("operator").get("/cruise/TS2601/party/").content.decode()


def test_the_api_lists_what_the_caller_may_see(browse: Browse):
    make.cruise("TS2601")
    make.cruise("TS2602")
    Cruise.objects.filter(cruise_id="TS2602").update(public_at=timezone.now())
    listed = {name: browse(name).get("/api/v1/cruises").json() for name in (None, "chief")}
    assert [cruise["cruise_id"] for cruise in listed[None]["results"]] == ["TS2602"]
    assert listed["chief"]["count"] == 2
    assert listed[None]["results"][0]["chief_scientists"] == [
        {"name": "Noor Rahman", "institution": "Institute of Sounding", "orcid": "0000-0002-1825-0097"}
    ]
    assert browse(None).get("/api/v1/cruises?q=front+nowhere").json()["count"] == 0
    assert browse(None).get("/api/v1/cruises?q=front+ponta").json()["count"] == 1
    missing = browse(None).get("/api/v1/cruises/TS2601")
    assert missing["Content-Type"] == "application/problem+json"
    assert missing.json()["status"] == 404


# --- orders ---------------------------------------------------------------------------------------------------------


def filled(**changes: str) -> dict[str, str]:
    """The web form as somebody filled it in."""
    make.vessel()
    data = {
        "cruise-id": "TS2601",
        "cruise-title": "Typed by hand",
        "cruise-type": "research",
        "cruise-vessel": "ZZTS",
        "cruise-depart_date": "2026-03-02",
        "cruise-depart_port_id": "PTPDL",
        "cruise-depart_port_name": "Ponta Delgada",
        "cruise-depart_port_country": "PT",
        "cruise-arrive_date": "2026-03-11",
        "cruise-arrive_port_id": "PTFNC",
        "cruise-arrive_port_name": "Funchal",
        "cruise-summary": "Stations\nand more",
        "party-0-family_name": "Rahman",
        "party-0-given_name": "Noor",
        "party-0-role": "scientist_chief",
        "party-0-institution": "Institute of Sounding",
        "instruments-0-name": "CTD",
        "instruments-0-device_class": "ctd",
    }
    for name, count in (("party", 1), ("awards", 0), ("targets", 0), ("instruments", 1)):
        data |= {f"{name}-TOTAL_FORMS": str(count), f"{name}-INITIAL_FORMS": "0"}
    return data | changes


def test_the_web_form_makes_a_cruise(browse: Browse):
    response = browse("operator").post("/cruises/new/", filled())
    assert (response.status_code, response["Location"]) == (302, "/cruise/TS2601/")
    cruise = Cruise.objects.get()
    assert (cruise.title, cruise.summary) == ("Typed by hand", "Stations\nand more")
    assert cruise.orders.get().source == "form"
    page = browse("operator").get("/cruise/TS2601/").content.decode()
    assert "Typed by hand" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cruise-arrive_date": "2026-02-11"}, "before the departure"),
        ({"cruise-id": "TS/1"}, "letters, figures and hyphens"),
        ({"party-0-role": "scientist"}, "names 0 chief scientists"),
        ({"party-0-email": "not an address"}, "valid email"),
        ({"cruise-depart_port_country": "p"}, "country_id"),
    ],
)
def test_a_form_with_a_fault_comes_back_with_all_that_was_typed(browse: Browse, changes: dict[str, str], says: str):
    response = browse("operator").post("/cruises/new/", filled(**changes))
    page = response.content.decode()
    assert response.status_code == 422
    assert says in page
    for typed in ("Typed by hand", "Ponta Delgada", "Rahman", "Stations\nand more", *changes.values()):
        assert typed in page
    assert Cruise.objects.count() == 0


def test_one_cannot_choose_somebody_elses_vessel(browse: Browse):
    make.vessel()
    response = browse("rival").post("/cruises/new/", filled())
    assert response.status_code == 422
    assert Cruise.objects.count() == 0


def amendment(cruise: Cruise, **changes: str) -> dict[str, Any]:
    """The amendment form as it is shown, with some fields changed."""
    from portal.forms.orders import OrdersForm
    from portal.models import Vessel

    form = OrdersForm(None, vessels=Vessel.objects.all(), initial=intake.current(cruise))
    data: dict[str, Any] = {}
    parts = [form.cruise, *(part for rows in form.rows.values() for part in (rows.management_form, *rows.forms))]
    for part in parts:
        for field in part:
            value = field.value()
            data[field.html_name] = "" if value in (None, False) else value
    return data | changes


def test_the_amendment_form_amends_and_its_unchanged_form_does_not(browse: Browse):
    cruise = make.cruise("TS2601")
    chief = browse("chief")
    assert chief.post("/cruise/TS2601/orders/amend/", amendment(cruise)).status_code == 302
    assert SailingOrders.objects.count() == 1
    changed = amendment(cruise, **{"cruise-title": "Two sections", "cruise-id": "OTHER"})
    assert chief.post("/cruise/TS2601/orders/amend/", changed).status_code == 302
    assert [change["field"] for change in cruise.orders.get(number=2).changes] == ["title"]
    history = chief.get("/cruise/TS2601/orders/").content.decode()
    assert "Two sections" in history


def upload(client: Client, text: str) -> Any:
    return client.post("/cruises/upload/", {"file": SimpleUploadedFile("orders.xml", text.encode())})


def test_an_uploaded_file_makes_a_cruise_and_can_be_fetched_again(browse: Browse):
    text = "<!-- mine -->" + document.render(make.orders("TS2601"))
    operator = browse("operator")
    assert upload(operator, text)["Location"] == "/cruise/TS2601/"
    assert operator.get("/cruise/TS2601/orders/1/delivered.xml").content == text.encode()
    assert operator.get("/cruise/TS2601/orders/1/xml.xml").content == text[len("<!-- mine -->") :].encode()


def test_faults_of_an_uploaded_file_are_shown_with_their_line(browse: Browse):
    text = document.render(make.orders("TS2601")).replace("<vessel_id>ZZTS", "<vessel_id>Tester")
    line = text[: text.index("Tester")].count("\n") + 1
    response = upload(browse("operator"), text)
    assert response.status_code == 422
    assert f"Line {line}, <code>vessel_id</code>" in response.content.decode()
    assert Cruise.objects.count() == 0


def test_an_upload_without_a_file_and_one_that_is_too_big_are_refused(browse: Browse):
    operator = browse("operator")
    assert "Choose a file" in operator.post("/cruises/upload/").content.decode()
    assert upload(operator, " " * (document.SIZE_LIMIT + 1)).status_code == 422


def test_a_rival_cannot_upload_orders_for_the_vessel(browse: Browse):
    response = upload(browse("rival"), document.render(make.orders("TS2601")))
    assert response.status_code == 422
    assert "operate its vessels" in response.content.decode()
    assert Cruise.objects.count() == 0


# --- cruise, party, tokens, work ------------------------------------------------------------------------------------


def test_cancel_and_reinstate(browse: Browse):
    make.cruise("TS2601")
    operator = browse("operator")
    operator.post("/cruise/TS2601/cancel/", {"note": "engine"})
    assert Cruise.objects.get().state == "cancelled"
    assert JournalEntry.objects.get(verb="cruise.cancel").note == "engine"
    assert operator.get("/cruise/TS2601/").status_code == 200
    operator.post("/cruise/TS2601/cancel/")
    assert Cruise.objects.get().state == "planned"
    assert browse("chief").post("/cruise/TS2601/cancel/").status_code == 403
    assert Cruise.objects.get().state == "planned"


def test_a_cruise_at_sea_is_not_cancelled(browse: Browse):
    make.cruise("TS2601", state="at sea")
    response = browse("operator").post("/cruise/TS2601/cancel/", follow=True)
    assert "it must be" in response.content.decode()
    assert Cruise.objects.get().state == "at sea"


def test_designating_who_may_log(browse: Browse):
    cruise = make.cruise("TS2601")
    member = cruise.parties.get(family_name="Haugen")
    path = f"/cruise/TS2601/party/{member.pk}/"
    assert browse("watch").post(path, {"may_log": "yes"}).status_code == 403
    member.refresh_from_db()
    assert member.may_log is False
    said = []
    for name, answer in (("chief", "yes"), ("operator", "no")):
        browse(name).post(path, {"may_log": answer})
        said.append(cruise.parties.get(pk=member.pk).may_log)
    assert said == [True, False]
    other = make.cruise("TS2602").parties.get(family_name="Haugen")
    assert browse("chief").post(f"/cruise/TS2601/party/{other.pk}/", {"may_log": "yes"}).status_code == 404


def test_a_tokens_secret_is_shown_once(browse: Browse):
    make.cruise("TS2601")
    client = browse("watch")
    data = {"name": "logger", "scopes": ["events:write"], "cruise": str(Cruise.objects.get().pk), "days": "9"}
    shown = client.post("/tokens/", data).context["secret"]
    assert tokens.find(shown, timezone.now()) == Token.objects.get(person=make.person("watch"))
    assert shown not in client.get("/tokens/").content.decode()


def test_nobody_revokes_somebody_elses_token(browse: Browse):
    make.cruise("TS2601")
    token, _ = tokens.issue(
        person=make.person("watch"),
        name="logger",
        scopes=["read"],
        by=make.person("watch"),
        cruise=Cruise.objects.get(),
    )
    path = f"/tokens/{token.uuid}/revoke/"
    assert browse("chief").post(path).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
    assert browse("watch").post(path).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_work_is_shown_to_those_whose_ship_it_is_and_can_be_tried_again(browse: Browse):
    cruise = make.cruise("TS2601")
    with work.Progress.claim("inventory.verify", "1", label="verifying the delivery", cruise=cruise):
        raise OSError("the disk is gone")
    assert "the disk is gone" in browse("operator").get("/work/?state=failed").content.decode()
    assert "the disk is gone" not in browse("rival").get("/work/").content.decode()
    path = f"/work/{Work.objects.get().uuid}/again/"
    assert browse("rival").post(path).status_code == 403
    assert work.resting("inventory.verify", "1")
    assert browse("operator").post(path).status_code == 302
    assert not work.resting("inventory.verify", "1")


def test_the_journal_page_shows_who_did_what(browse: Browse):
    make.cruise("TS2601")
    browse("operator").post("/cruise/TS2601/cancel/", {"note": "engine trouble"})
    page = browse("watch").get("/cruise/TS2601/journal/?verb=cruise.cancel").content.decode()
    assert "Ingrid Solheim" in page
    assert "engine trouble" in page


# --- health, headers, errors ----------------------------------------------------------------------------------------


def test_ready_names_the_queue_that_cannot_be_reached(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(
        django_settings, "RQ_QUEUES", {name: {"URL": f"unix://{tmp_path}/none.sock"} for name in ("quick", "long")}
    )
    response = client.get("/health/ready")
    body = response.json()
    assert (response.status_code, body["status"]) == (503, "not ready")
    assert body["checks"]["queue"].startswith("not reached")
    assert body["checks"]["database"] == body["checks"]["migrations"] == "ok"
    assert client.get("/health/live").json() == {"status": "ok"}


def test_every_answer_tells_browsers_to_trust_us_alone(client: Client):
    for path in ("/", "/no/such/page", "/api/v1/cruises", "/health/live"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "geolocation=(self)" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    ("given", "kept"), [("proxy-1234.5", True), ("short", False), ("a b\tc d e f g", False), ("x" * 65, False)]
)
def test_a_request_id_is_taken_over_when_it_is_well_formed(client: Client, given: str, kept: bool):
    answered = client.get("/health/live", headers={"X-Request-ID": given})["X-Request-ID"]
    assert (answered == given) is kept
    assert len(answered) >= 8


def test_the_request_id_stands_in_the_journal(browse: Browse):
    make.cruise("TS2601")
    browse("operator").post("/cruise/TS2601/cancel/", headers={"X-Request-ID": "from-the-proxy-7"})
    assert JournalEntry.objects.get(verb="cruise.cancel").request_id == "from-the-proxy-7"


def test_the_page_for_what_is_not_there(client: Client):
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert "There is no cruise NONE" in client.get("/cruise/NONE/").content.decode()


def test_changes_need_the_token_of_the_form():
    make.cruise("TS2601")
    client = Client(enforce_csrf_checks=True)
    client.force_login(make.person("operator"), backend=django_settings.AUTHENTICATION_BACKENDS[0])
    assert client.post("/cruise/TS2601/cancel/").status_code == 403
    assert Cruise.objects.get().state == "planned"
