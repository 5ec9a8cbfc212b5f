"""A database that another writer holds for long: said so, with a status that clients try again after."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from portal import floor, jobs, voyage, work
from tests import make

pytestmark = pytest.mark.django_db


def locked(*_: object, **__: object) -> None:
    raise OperationalError("database is locked")


def test_a_page_says_that_nothing_was_taken_in(browse, monkeypatch):
    cruise = make.cruise()
    monkeypatch.setattr(voyage, "cancel", locked)
    page = browse("manager").post(reverse("cancel-cruise", args=[cruise.cruise_id]), {"note": "x"})
    assert (page.status_code, page["Retry-After"]) == (503, "60")
    assert b"Nothing of what you sent was taken in" in page.content


def test_the_api_says_it_as_a_problem(monkeypatch):
    monkeypatch.setattr("portal.api.CruiseList.get", locked)
    answer = Client().get("/api/v1/cruises")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "Busy"


def test_another_fault_of_the_database_is_no_refusal(browse, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(voyage, "cancel", broken)
    with pytest.raises(OperationalError, match="disk"):
        browse("manager").post(reverse("cancel-cruise", args=[make.cruise().cruise_id]), {"note": "x"})


def test_what_somebody_waits_for_goes_before_the_rest(monkeypatch):
    queued: list[str] = []

    class Queue:
        connection = None

        def enqueue(self, what: object, door: str, key: str, *, at_front: bool, **_: object) -> None:
            queued.insert(0 if at_front else len(queued), f"{door} {key}")

    def door(name: str, **more: bool) -> floor.Door:
        return floor.Door(name, name, lambda: ["1", "2"], lambda key, progress: None, long=True, **more)

    doors = {"slow": door("slow"), "asked": door("asked", awaited=True), "late": door("late")}
    monkeypatch.setattr("portal.jobs.floor.doors", lambda: doors)
    monkeypatch.setattr("portal.jobs.django_rq.get_queue", lambda name: Queue())
    monkeypatch.setattr("portal.jobs.close_old_connections", lambda: None)  # that of the test stays
    monkeypatch.setattr("portal.jobs._pending", lambda queue, job: False)
    monkeypatch.setattr("portal.jobs.django_rq.get_connection", lambda name: SimpleNamespace(set=lambda *a, **k: None))
    jobs.sweep()
    assert queued == ["asked 1", "asked 2", "slow 1", "slow 2", "late 1", "late 2"]
    for key in ("1", "2"):
        with work.Progress.claim("asked", key) as progress:
            progress.until = -math.inf if key == "1" else math.inf
            assert progress.gives_way() is (key == "1")
    queued.clear()
    jobs.sweep()
    assert queued == ["asked 2", "slow 1", "slow 2", "asked 1", "late 1", "late 2"]


def test_a_sweep_goes_on(monkeypatch):
    monkeypatch.setattr(work, "take_back", locked)
    swept: list[str] = []

    class Told:
        def set(self, *words: object, **_: object) -> None:
            swept.append("told")

    monkeypatch.setattr("portal.jobs.floor.doors", dict)
    monkeypatch.setattr("portal.jobs.django_rq.get_connection", lambda name: Told())
    jobs.sweep()
    assert swept == ["told"]
