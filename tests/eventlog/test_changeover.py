"""PIN and pass: who logs on a shared tablet, and how little a stolen tablet or a guessed PIN helps."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.utils import timezone

from eventlog import changeover, logbook
from eventlog.models import Event, Log, Pin
from portal.access import CONSOLE
from portal.models import Party
from portal.refusals import NotFound, NotLikeThis, NotNow, NotYou
from tests import make
from tests.eventlog.test_api import speaker
from tests.eventlog.test_batch import post, record, results

pytestmark = pytest.mark.django_db
TABLET = uuid.UUID("7b4a4b9e-7f0a-4c2c-9d3c-0a5f7d3f0001")
DEVICE = {"uuid": str(TABLET), "name": "deck"}


def given(log: Log, name: str = "chief", pin: str = "4711") -> str:
    person = make.person(name)
    changeover.set_pin(person=person, pin=pin, by=person)
    return changeover.give_pass(log=log, person=person, pin=pin, device=TABLET, by=make.person("watch"))


def test_what_is_logged_with_a_pass_is_of_that_person():
    log = make.log()
    token = given(log)
    answer = post(log, [record(**{"pass": token}), record(fields={"action": "empty"})], device=DEVICE)
    assert results(answer) == ["done", "done"]
    assert [e["event"]["author_name"] for e in answer["results"]] == ["Noor Rahman", "Sam Keane"]
    event = Event.objects.get(author_name="Noor Rahman")
    assert (event.author, event.device) == (make.person("chief"), "deck")
    assert event.revisions.get(number=1).by_name == "Noor Rahman"


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", "1234\n"])
def test_a_pin_has_4_to_8_digits(pin):
    person = make.person("chief")
    with pytest.raises(NotLikeThis):
        changeover.set_pin(person=person, pin=pin, by=person)


def test_nobody_sets_somebody_elses_pin():
    with pytest.raises(NotYou):
        changeover.set_pin(person=make.person("chief"), pin="1234", by=make.person("operator"))


def test_only_the_slow_hash_is_kept():
    person = make.person("chief")
    changeover.set_pin(person=person, pin="4711", by=person)
    assert "4711" not in Pin.objects.get().digest.split("$")[-1]


def test_wrong_pins_lock_for_longer_and_longer():
    log = make.log()
    given(log)
    ask = {"log": log, "person": make.person("chief"), "device": TABLET, "by": make.person("watch")}
    for _ in range(5):
        with pytest.raises(NotLikeThis):
            changeover.give_pass(pin="0000", **ask)
    with pytest.raises(NotNow, match="wait"):
        changeover.give_pass(pin="4711", **ask)
    first = Pin.objects.get().locked_until
    assert first is not None
    assert 55 <= (first - timezone.now()).total_seconds() <= 60
    Pin.objects.update(locked_until=timezone.now())
    with pytest.raises(NotLikeThis):
        changeover.give_pass(pin="0000", **ask)
    second = Pin.objects.get().locked_until
    assert second is not None
    assert (second - timezone.now()).total_seconds() > 110
    Pin.objects.update(locked_until=timezone.now())
    assert changeover.give_pass(pin="4711", **ask)
    assert Pin.objects.values_list("failures", "locked_until").get() == (0, None)


def test_a_pass_holds_for_its_tablet_and_log_alone():
    log, other = make.log(), make.log()
    token = given(log)
    assert changeover.person_of(token, log=log, device=TABLET) == make.person("chief")
    for wrong in ({"log": other, "device": TABLET}, {"log": log, "device": uuid.uuid4()}, {"log": log, "device": None}):
        with pytest.raises(NotYou):
            changeover.person_of(token, **wrong)
    for forged in (token[:-1], "x", "", token + "x", "a:b:c"):
        with pytest.raises(NotYou):
            changeover.person_of(forged, log=log, device=TABLET)


def test_a_pass_ends_with_the_pin_the_right_and_the_log():
    log = make.log()
    token = given(log)
    person = make.person("chief")
    changeover.set_pin(person=person, pin="4711", by=person)
    with pytest.raises(NotYou, match="changed"):
        changeover.person_of(token, log=log, device=TABLET)
    token = given(log, "watch")
    Party.objects.filter(email="watch@example.org").update(may_log=False)
    with pytest.raises(NotYou):
        changeover.person_of(token, log=log, device=TABLET)
    Party.objects.filter(email="watch@example.org").update(may_log=True)
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    log.refresh_from_db()
    with pytest.raises(NotYou, match="ended"):
        changeover.person_of(token, log=log, device=TABLET)
    before = timezone.now() - dt.timedelta(minutes=1)
    assert changeover.person_of(token, log=log, device=TABLET, made_at=before) == make.person("watch")


def test_an_item_whose_pass_does_not_hold_is_refused_alone():
    log = make.log()
    answer = post(log, [record(**{"pass": "x"}), record(fields={"action": "empty"})], device=DEVICE)
    assert results(answer) == ["refused", "done"]
    assert answer["results"][0]["problem"]["status"] == 403


def test_who_may_remove_a_pin():
    log = make.log()
    given(log, "watch")
    watch, chief = make.person("watch"), make.person("chief")
    changeover.set_pin(person=chief, pin="1234", by=chief)
    with pytest.raises(NotYou):
        changeover.remove_pin(person=chief, log=log, by=watch)
    with pytest.raises(NotFound):
        changeover.remove_pin(person=make.person("stranger"), log=log, by=chief)
    assert changeover.remove_pin(person=watch, log=log, by=chief) is True
    assert changeover.remove_pin(person=watch, log=log, by=chief) is False
    assert changeover.remove_pin(person=chief, log=log, by=chief) is True


def test_by_api(browse):
    log = make.log()
    address = f"/api/v1/cruises/{log.cruise.cruise_id}/log/"
    chief = make.person("chief")

    def send(client: Any, method: str, path: str, body: Any) -> Any:
        return getattr(client, method)(address + path, json.dumps(body), content_type="application/json")

    assert send(browse("chief"), "put", "pin", {"pin": "12"}).status_code == 422
    assert send(speaker("chief"), "put", "pin", {"pin": "1234"}).status_code == 403  # no program sets a PIN
    assert send(browse("chief"), "put", "pin", {"pin": "1234"}).status_code == 200
    ask = {"person": str(chief.uuid), "pin": "1234", "device": str(TABLET)}
    answer = send(browse("watch"), "post", "pass", ask)
    assert answer.json()["person"] == {"uuid": str(chief.uuid), "name": "Noor Rahman"}
    assert results(post(log, [record(**{"pass": answer.json()["pass"]})], device=DEVICE)) == ["done"]
    wrong = send(browse("watch"), "post", "pass", ask | {"pin": "9999"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "pin")
    assert send(browse("watch"), "post", "pass", ask | {"person": str(uuid.uuid4())}).status_code == 404
    assert send(browse("stranger"), "post", "pass", ask).status_code == 404
    assert browse("chief").delete(address + "pin").json() == {"removed": True}
    assert send(browse("watch"), "post", "pass", ask).status_code == 409


def test_the_page(browse):
    log = make.log()
    page = f"/cruise/{log.cruise.cruise_id}/log/pin/"
    assert browse("stranger").get(page).status_code == 404
    watch = browse("watch")
    assert b"You have no PIN yet" in watch.get(page).content
    assert b"needs 4 to 8 digits" in watch.post(page, {"pin": "12"}, follow=True).content
    assert b"Your PIN is set" in watch.post(page, {"pin": "1234"}, follow=True).content
    remove = f"{page}{make.person('watch').uuid}/remove/"
    assert b"Remove" not in watch.get(page).content
    assert b"Remove" in browse("chief").get(page).content
    assert b"is removed" in browse("chief").post(remove, follow=True).content
    assert not Pin.objects.exists()
