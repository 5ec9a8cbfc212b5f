"""The event page: both positions, history, any past state, conflicts field by field, strike, restore, undo."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from eventlog import ledger, logbook
from eventlog.models import Event
from portal.access import CONSOLE
from portal.models import Cruise
from tests import make

pytestmark = pytest.mark.django_db


class _Form(HTMLParser):
    """Collects what a browser would send of the form with a button of the wanted words."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.words: list[str] = []
        self.area = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.forms.append({})
            self.words.append("")
        elif tag == "input" and self.forms and given.get("type") not in ("radio", "search", "checkbox"):
            if name := given.get("name"):
                self.forms[-1][name] = given.get("value") or ""
        elif tag == "textarea" and self.forms:
            self.area = given["name"]
            self.forms[-1][self.area] = ""

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.area = ""

    def handle_data(self, data):
        if self.area:
            # A browser leaves out the first line end, and sends the others as two characters.
            self.forms[-1][self.area] += data.replace("\n", "\r\n")
        elif self.forms:
            self.words[-1] += data


def form_of(body: str, button: str) -> dict[str, Any]:
    """The fields of the form with this button, as a browser would send them."""
    reader = _Form()
    reader.feed(body)
    (found,) = [form for form, words in zip(reader.forms, reader.words, strict=True) if button in words]
    if "comment" in found:
        found["comment"] = found["comment"].removeprefix("\r\n")
    return found


def address(event: Event, tail: str = "") -> str:
    return f"/cruise/{event.log.cruise.cruise_id}/log/event/{event.uuid}/{tail}"


def body(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_what_was_not_touched_is_not_changed(browse):
    """Microseconds, line ends, answers and operation survive a form that does not show them."""
    at = timezone.now().replace(microsecond=123456)
    event = make.event(observed_at=at, comment="one\ntwo", extra={"bottles": 12}, latitude=36.123456789)
    client = browse("watch")
    form = form_of(body(client, address(event)), "Change the event")
    assert client.post(address(event), form).status_code == 302
    event.refresh_from_db()
    assert (event.revision, event.observed_at, event.comment) == (1, at, "one\ntwo")
    assert client.post(address(event), form | {"station": "9"}).status_code == 302
    event.refresh_from_db()
    assert (event.station, event.observed_at, event.extra) == ("9", at, {"bottles": 12})
    assert list(event.revisions.get(number=2).changes) == ["station"]


def test_a_form_without_the_seen_revision_is_refused(browse):
    event = make.event()
    assert browse("watch").post(address(event), {"station": "9"}).status_code == 422
    event.refresh_from_db()
    assert event.station == "001"


def test_fields_that_only_one_changed_are_merged(browse):
    event, client = make.event(), browse("watch")
    form = form_of(body(client, address(event)), "Change the event")
    logbook.revise(event=event, by=make.person("chief"), fields={"comment": "swell"})
    assert client.post(address(event), form | {"station": "9"}).status_code == 302
    event.refresh_from_db()
    assert (event.station, event.comment) == ("9", "swell")


@pytest.mark.parametrize(("keep", "station"), [("theirs", "theirs"), ("mine", "mine")])
def test_a_conflict_shows_both_versions_and_takes_the_choice(browse, keep, station):
    event, client = make.event(), browse("watch")
    form = form_of(body(client, address(event)), "Change the event")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "theirs", "cast": "chosen by the chief"})
    response = client.post(address(event), form | {"station": "mine", "comment": "my comment", "reason": "why"})
    assert response.status_code == 409
    text = response.content.decode()
    words = plain(text)
    for said in ("Noor Rahman", "theirs", "mine", "001", "Station"):
        assert said in words
    event.refresh_from_db()
    assert (event.station, event.comment) == ("theirs", "calm")
    choice = form_of(text, "Keep what I chose") | {"keep.station": keep}
    assert client.post(address(event), choice).status_code == 302
    event.refresh_from_db()
    # The cast, which only the chief changed, and the comment, which only the watch changed, both stand.
    assert (event.station, event.comment, event.cast) == (station, "my comment", "chosen by the chief")
    assert event.revisions.order_by("-number").first().reason == "why"


def test_a_change_sent_twice_is_made_once(browse):
    event, client = make.event(), browse("watch")
    form = form_of(body(client, address(event)), "Change the event") | {"station": "9"}
    for _ in range(2):
        assert client.post(address(event), form).status_code == 302
    event.refresh_from_db()
    assert event.revision == 2


def test_striking_twice_does_not_restore(browse):
    event, client = make.event(), browse("watch")
    form = form_of(body(client, address(event)), "Strike the event")
    for _ in range(2):
        assert client.post(address(event, "strike/"), form | {"reason": "slip"}).status_code == 302
    event.refresh_from_db()
    assert (event.struck_at is not None, event.revision) == (True, 2)
    restore = form_of(body(client, address(event)), "Restore the event")
    assert restore["do"] == "restore"
    client.post(address(event, "strike/"), restore)
    event.refresh_from_db()
    assert event.struck_at is None


def test_undo_takes_back_the_last_change_and_keeps_both(browse):
    event, client = make.event(), browse("watch")
    assert "Undo" not in plain(body(client, address(event))).split("Change it")[1].split("Strike it")[0]
    logbook.revise(event=event, by=CONSOLE, fields={"station": "9"})
    form = form_of(body(client, address(event)), "Takes back the last change")
    for _ in range(2):
        assert client.post(address(event, "undo/"), form).status_code == 302
    event.refresh_from_db()
    assert (event.station, event.revision) == ("001", 3)
    assert browse("stranger").post(address(event, "undo/")).status_code == 404
    assert client.get(address(event, "undo/")).status_code == 405


def test_both_positions_stand_side_by_side(browse):
    event = make.event(latitude=36.5, longitude=-25.0)
    Event.objects.filter(pk=event.pk).update(
        nav_latitude=36.501, nav_longitude=-25.0, nav_method="interpolated", nav_feed="s330", nav_gap_s=42.0,
        nav_uncertainty_m=18.0, nav_depth_m=3000.0, nav_speed_mps=5.144,
    )  # fmt: skip
    words = plain(body(browse("watch"), address(event)))
    assert "36°30.000′ N 025°00.000′ W" in words
    assert "36°30.060′ N 025°00.000′ W" in words
    assert "interpolated, feed s330, 42.0 s between fixes, within 18 m (95 %)" in words
    assert "Apart 111 m" in words
    assert "10.0 kn" in words
    assert "Typed or imported this one counts" in words
    Event.objects.filter(pk=event.pk).update(latitude=None, longitude=None)
    assert "From navigation this one counts" in plain(body(browse("watch"), address(event)))


def test_neighbours(browse):
    log = make.log()
    hour = dt.timedelta(hours=1)
    now = timezone.now()
    first = make.event(log, observed_at=now - 2 * hour, instrument="Net", action="deploy")
    middle = make.event(log, observed_at=now - hour, instrument="Glider", action="deploy")
    last = make.event(log, observed_at=now, instrument="Float", action="deploy")
    text = body(browse("watch"), address(middle))
    assert f'rel="prev" href="{address(first)}"' in text
    assert f'rel="next" href="{address(last)}"' in text
    logbook.strike(event=first, by=CONSOLE)
    assert 'rel="prev"' not in body(browse("watch"), address(middle))


def test_the_events_of_its_operation(browse):
    log = make.log()
    now = timezone.now()
    down = make.event(log, observed_at=now - dt.timedelta(hours=1), action="deploy")
    up = make.event(log, observed_at=now, action="recover")
    down.refresh_from_db()
    assert down.operation is not None
    assert down.operation == up.operation
    text = body(browse("watch"), address(down))
    assert f'<a href="{address(up)}">recover</a>' in text
    assert f"operation={down.operation.uuid}" in text


def test_positions_that_were_derived_are_folded(browse):
    event = make.event()
    for latitude in (1.0, 2.0, 3.0):
        with transaction.atomic():
            log = ledger.locked(event.log)
            event.revision += 1
            event.nav_latitude = latitude
            event.save()
            changes = {"nav_latitude": [None, latitude]}
            ledger.append(log, [ledger.Entry("event", event, "position", changes)], by=CONSOLE)
    words = plain(body(browse("watch"), address(event)))
    assert "The position was derived 3 times" in words


@pytest.mark.parametrize("who", ["watch", None])
def test_as_it_was_at_any_revision(browse, who):
    event = make.event(station="first")
    log = event.log
    one = event.revisions.get(number=1).sequence
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "second"})
    logbook.strike(event=event, by=make.person("chief"))
    logbook.restore(event=event, by=make.person("chief"))
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "third"})
    if who is None:
        logbook.close_log(cruise=log.cruise, by=CONSOLE)
        Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    client = browse(who)
    told = {
        sequence: plain(body(client, address(event, f"at/{sequence}/"))).partition(" Fields ")[2]
        for sequence in event.revisions.order_by("number").values_list("sequence", flat=True)
    }
    stations = [re.search(r"Station (\w+) (the same|third)", text)[1] for text in told.values()]
    assert stations == ["first", "second", "second", "second", "third"]
    struck = [re.search(r"Struck (\w+) (nothing|no)?", text)[1] for text in told.values()]
    assert struck == ["no", "no", "yes", "no", "no"]
    assert all(("Keane" in text) is (who is not None) for text in told.values())
    assert client.get(address(event, f"at/{one - 1}/")).status_code == 404


def test_the_public_is_told_no_name_in_any_history(browse):
    event = make.event(device="Sam's tablet")
    logbook.revise(event=event, by=make.person("watch"), fields={"station": "9"}, device="Sam's tablet")
    log = logbook.close_log(cruise=event.log.cruise, by=CONSOLE)
    Cruise.objects.filter(pk=log.cruise.pk).update(public_at=timezone.now())
    start = f"/cruise/{log.cruise.cruise_id}/log/"
    for path in (address(event), address(event, "at/99/"), start + "history/", start + "history/?who=Keane"):
        text = body(browse(None), path)
        assert "Keane" not in text.replace('value="Keane"', "")
        assert "tablet" not in text
    assert "Keane" in body(browse("chief"), start + "history/")
    assert "Keane" in body(browse("chief"), address(event))


def test_the_history_of_a_log_is_filtered_and_paged(browse, monkeypatch):
    monkeypatch.setattr("eventlog.views.past.ROWS", 3)
    log = make.log()
    events = [make.event(log, instrument="Float", action="deploy", station=str(n)) for n in range(4)]
    logbook.revise(
        event=events[0], by=make.person("chief"), fields={"station": "moved"}, reason="misread", device="lab"
    )
    revised = str(events[0].revisions.get(verb="revise").sequence)
    start = f"/cruise/{log.cruise.cruise_id}/log/history/"
    client = browse("watch")
    first = body(client, start)
    assert "misread" in first
    assert "moved" in first
    last = log.revisions.order_by("-sequence").first().sequence
    seen = re.findall(r'id="s-(\d+)"', first)
    assert seen == [str(last), str(last - 1), str(last - 2)]
    older = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert re.findall(r'id="s-(\d+)"', body(client, start + older))[0] == str(last - 3)
    assert re.findall(r'id="s-(\d+)"', body(client, start + "?verb=revise")) == [revised]
    assert re.findall(r'id="s-(\d+)"', body(client, start + "?who=rahman&device=lab&thing=event")) == [revised]
    assert re.findall(r'id="s-(\d+)"', body(client, start + "?thing=place&late=yes")) == []
    assert client.get(start + "?after=soon").status_code == 422
    assert client.get(start + "?until=" + "9" * 30).status_code == 422
    assert browse("stranger").get(start).status_code == 404


def test_hostile_numbers_do_not_break_the_page(browse):
    event, client = make.event(), browse("watch")
    assert client.get(address(event, "at/99999999999999999999999/")).status_code in (200, 404)
    assert client.post(address(event), {"seen": "9" * 400, "station": "x"}).status_code in (302, 409, 422)
    for wrong in ("x", "-1", ""):
        assert client.post(address(event, "strike/"), {"seen": wrong, "change": "no uuid"}).status_code == 302
    assert client.get(f"/cruise/{event.log.cruise.cruise_id}/log/event/{uuid.uuid4()}/at/1/").status_code == 404


def test_the_guide_is_for_everybody(browse):
    text = plain(body(browse(None), "/guide/log/"))
    for word in ("UTC", "PIN", "Undo", "Without network", "photo"):
        assert word in text
