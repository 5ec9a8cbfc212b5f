"""ETags of an event, and If-Match: nobody overwrites what they have not seen, and both versions are shown."""

from __future__ import annotations

from typing import Any

import pytest

from eventlog import logbook
from tests import make
from tests.eventlog.test_api import speaker

pytestmark = pytest.mark.django_db


def send(method: str, address: str, body: Any, tag: str) -> Any:
    return getattr(speaker(), method)(address, body, content_type="application/json", headers={"if-match": tag})


def test_an_event_has_its_revision_as_tag():
    event = make.event()
    answer = speaker().get(f"/api/v1/events/{event.uuid}")
    assert answer["ETag"] == f'"{event.revision}"'
    again = speaker().get(f"/api/v1/events/{event.uuid}", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = speaker().get(f"/api/v1/events/{event.uuid}", headers={"if-none-match": '"99"'})
    assert other.status_code == 200


def test_if_match_merges_other_fields_and_refuses_the_same_with_both_versions():
    event = make.event(station="L1", comment="")
    tag, address = f'"{event.revision}"', f"/api/v1/events/{event.uuid}"
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"})
    same = send("patch", address, {"station": "L3"}, tag)
    assert same.status_code == 412
    assert same["Content-Type"].startswith("application/problem+json")
    assert same.json()["versions"]["station"]["theirs"] == "L2"
    assert same.json()["event"]["station"] == "L2"
    merged = send("patch", address, {"comment": "calm"}, tag)
    assert (merged.status_code, merged.json()["station"], merged.json()["comment"]) == (200, "L2", "calm")
    assert merged["ETag"] == f'"{merged.json()["revision"]}"'
    assert send("patch", address, {"station": "L3"}, merged["ETag"]).status_code == 200
    assert send("patch", address, {"station": "L4"}, "*").status_code == 200


def test_without_if_match_the_revision_in_the_body_counts_and_answers_409():
    event = make.event(station="L1")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"})
    answer = speaker().patch(
        f"/api/v1/events/{event.uuid}", {"station": "L3", "revision": event.revision}, content_type="application/json"
    )
    assert answer.status_code == 409
    assert answer.json()["versions"]["station"]["mine"] == "L3"


def test_an_event_that_others_changed_is_not_struck_unseen():
    event = make.event(station="L1")
    logbook.revise(event=event, by=make.person("chief"), fields={"station": "L2"})
    address = f"/api/v1/events/{event.uuid}"
    refused = send("delete", address, None, f'"{event.revision}"')
    assert refused.status_code == 412
    assert send("delete", address, None, refused["ETag"]).json()["struck"] is True


@pytest.mark.parametrize("tag", ['"x"', "3", '"0"', '"1", "2"', '"99999999999999"'])
def test_a_senseless_if_match_is_refused(tag):
    event = make.event()
    answer = send("patch", f"/api/v1/events/{event.uuid}", {"station": "L3"}, tag)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "If-Match"
