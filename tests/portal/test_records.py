"""Journal, letters, work and jobs: what is written down, by whom, and how often it is tried."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.utils import timezone
from structlog.testing import capture_logs

from portal import floor, jobs, journal, mail, work
from portal.access import CONSOLE
from portal.models import JournalEntry, Letter, Work
from portal.refusals import NotNow
from tests import make

pytestmark = pytest.mark.django_db


# --- journal --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_alter_the_journal(act: str):
    vessel = make.vessel()
    entry = journal.of(vessel).get()
    rows = JournalEntry.objects.filter(pk=entry.pk)
    alter = {"update": lambda: rows.update(note="nothing happened"), "delete": rows.delete}[act]
    with pytest.raises(DatabaseError, match="never altered"), transaction.atomic():
        alter()
    assert journal.of(vessel).get().note == ""


def test_an_act_outside_a_transaction_is_not_journalled(monkeypatch: pytest.MonkeyPatch):
    vessel = make.vessel()
    before = JournalEntry.objects.count()
    outside = SimpleNamespace(in_atomic_block=False)
    monkeypatch.setattr(transaction, "get_connection", lambda: outside)
    with pytest.raises(ImproperlyConfigured, match="outside the transaction"):
        journal.record(CONSOLE, "vessel.register", vessel)
    monkeypatch.undo()
    assert JournalEntry.objects.count() == before


def test_the_journal_keeps_name_request_and_cruise():
    cruise = make.cruise("TS2601")
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        entry = journal.record(make.person("chief"), "orders.amend", cruise, note="n", changes={"title": ["a", "b"]})
    assert (entry.by, entry.by_name, entry.cruise, entry.label) == (
        make.person("chief"),
        "Noor Rahman",
        cruise,
        "TS2601",
    )
    assert (entry.request_id, entry.kind, entry.key) == ("r-1", "portal.cruise", str(cruise.pk))
    assert journal.of(cruise).first() == entry
    assert journal.record(CONSOLE, "orders.amend", cruise).by_name == "command line"


# --- letters --------------------------------------------------------------------------------------------------------


def write(key: str = "k") -> Letter:
    return mail.write(to="a@example.org", subject="Two\nlines", body="Hello", key=key)


def test_a_letter_is_written_and_sent_once(mailoutbox: list[Any]):
    letter = write()
    assert write() == letter
    assert mail.waiting() == [str(letter.pk)]
    assert jobs.drain(["portal.letter"]) == 1
    mail.send(str(letter.pk))
    assert [message.subject for message in mailoutbox] == ["Two lines"]
    assert mailoutbox[0].extra_headers["Message-ID"].startswith(f"<letter-{letter.pk}@")
    assert mail.waiting() == []
    assert mail.written("k")
    assert not mail.written("other")


def test_a_server_that_refuses_is_noted_and_asked_again_after_growing_pauses(monkeypatch: pytest.MonkeyPatch):
    def refuse(message: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    letter = write()
    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    start = letter.written_at
    for attempt in range(1, mail.ATTEMPTS + 1):
        mail.send(str(letter.pk))
        letter.refresh_from_db()
        assert (letter.attempts, letter.sent_at) == (attempt, None)
        assert "nobody listens" in letter.error
        pause = dt.timedelta(minutes=2**attempt - 1)
        monkeypatch.setattr(timezone, "now", lambda at=start + pause - dt.timedelta(seconds=5): at)
        assert mail.waiting() == []
        monkeypatch.setattr(timezone, "now", lambda at=start + pause: at)
        assert mail.waiting() == ([str(letter.pk)] if attempt < mail.ATTEMPTS else [])


# --- work -----------------------------------------------------------------------------------------------------------


def age(row: Work, seconds: float) -> None:
    Work.objects.filter(pk=row.pk).update(beat_at=timezone.now() - dt.timedelta(seconds=seconds))


def test_a_claim_is_exclusive_until_it_ends():
    first = work.Progress.claim("d", "1")
    with pytest.raises(work.Taken):
        work.Progress.claim("d", "1")
    work.Progress.claim("d", "2")
    assert work.running("d", "1")
    with first:
        pass
    assert work.Progress.claim("d", "1").row.attempt == 2


def test_a_stale_claim_is_taken_over_and_its_worker_learns_it():
    first = work.Progress.claim("d", "1")
    age(first.row, 91)
    second = work.Progress.claim("d", "1")
    first.row.refresh_from_db()
    assert first.row.state == "interrupted"
    first._told -= 2
    with pytest.raises(work.Lost):
        first.advance()
    with first:
        raise work.Lost("d")
    second.row.refresh_from_db()
    assert second.row.state == "running"


def test_what_no_worker_is_at_is_taken_back():
    progress = work.Progress.claim("d", "1")
    assert work.take_back() == 0
    age(progress.row, 91)
    assert work.take_back() == 1
    progress._told -= 2
    with pytest.raises(work.Lost):
        progress.beat()
    assert not work.resting("d", "1")


def test_progress_is_counted_and_kept():
    with work.Progress.claim("d", "1") as progress:
        progress.describe("counting", total=5, unit="sheep")
        progress.advance(3)
        progress._told -= 2
        progress.advance(2)
        assert Work.objects.get().done == 5
    row = Work.objects.get()
    assert (row.state, row.done, row.total, row.unit, row.label) == ("done", 5, 5, "sheep", "counting")


@pytest.mark.parametrize(
    ("seconds", "done", "total", "size", "rate", "left"),
    [
        (2, 1, 10, 10**6, "", ""),
        (10, 0, 10, 0, "", ""),
        (10, 100, None, 0, "10 files/s", ""),
        (10, 100, 50, 0, "10 files/s", ""),
        (10, 10, 20, 20_000_000, "2.0 MB/s", "about a minute left"),
        (60, 10, 110, 0, "0 files/s", "about 10 min left"),
        (3600, 10, 60, 0, "0 files/s", "about 5 h left"),
    ],
)
def test_pace_and_time_left_are_told_once_they_say_something(
    seconds: int, done: int, total: int | None, size: int, rate: str, left: str
):
    began = timezone.now()
    row = Work(started_at=began, beat_at=began + dt.timedelta(seconds=seconds), done=done, total=total, bytes=size)
    assert (row.rate, row.left) == (rate, left)


def test_what_was_done_in_earlier_turns_is_no_part_of_the_pace():
    began = timezone.now()
    row = Work(started_at=began, beat_at=began + dt.timedelta(seconds=10), before=1000, done=1100, total=2200)
    assert (row.rate, row.left) == ("10 files/s", "about 2 min left")


@pytest.mark.parametrize(
    ("error", "message"),
    [(NotNow("The ship is away."), "The ship is away."), (ValueError("odd"), "Unexpected fault: ValueError: odd")],
)
def test_a_failure_is_written_down_rests_and_is_woken(error: Exception, message: str):
    with work.Progress.claim("d", "1"):
        raise error
    row = Work.objects.get()
    assert (row.state, row.message) == ("failed", message)
    assert work.resting("d", "1")
    Work.objects.update(ended_at=timezone.now() - dt.timedelta(seconds=61))
    assert not work.resting("d", "1")
    with work.Progress.claim("d", "1"):
        raise error
    Work.objects.filter(attempt=2).update(ended_at=timezone.now() - dt.timedelta(seconds=61))
    assert work.resting("d", "1")  # the second failure doubles the pause
    work.wake("d", "1")
    assert not work.resting("d", "1")


def test_what_failed_lately_stands_behind_what_did_not():
    for key in ("1", "2"):
        with work.Progress.claim("d", key):
            raise NotNow("The ship is away.")
    keys = ["1", "2", "3", "4"]
    assert work.fresh_first("d", iter(keys), 2) == ["3", "4"]
    assert work.fresh_first("d", keys, 3) == ["3", "4", "1"]
    assert work.fresh_first("other", keys, 2) == ["1", "2"]
    work.wake("d", "2")
    Work.objects.filter(key="1").update(ended_at=timezone.now() - work.REST_LIMIT)
    assert work.fresh_first("d", keys, 4) == keys


def test_a_worker_that_is_stopped_leaves_its_work_to_be_taken_up():
    with pytest.raises(KeyboardInterrupt), work.Progress.claim("d", "1"):
        raise KeyboardInterrupt
    assert Work.objects.get().state == "interrupted"
    assert not work.resting("d", "1")


# --- jobs -----------------------------------------------------------------------------------------------------------


def test_a_job_is_done_once_and_not_while_another_worker_is_at_it(monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    door = floor.Door("test.door", "testing", lambda: ["1"], lambda key, progress: done.append(key))
    monkeypatch.setattr(floor, "doors", lambda: {"test.door": door})
    other = work.Progress.claim("test.door", "1")
    assert not jobs.perform("test.door", "1")
    with other:
        pass
    assert jobs.perform("test.door", "1")
    assert done == ["1"]


def test_a_job_that_fails_is_not_done_and_rests(monkeypatch: pytest.MonkeyPatch):
    def fail(key: str, progress: work.Progress) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(floor, "doors", lambda: {"test.door": floor.Door("test.door", "t", lambda: ["1"], fail)})
    assert not jobs.perform("test.door", "1")
    assert jobs.drain() == 0
    assert Work.objects.count() == 1


def test_a_queue_that_cannot_be_reached_does_not_undo_the_change(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings.RQ_QUEUES = {name: {"URL": f"unix://{tmp_path}/none.sock"} for name in ("quick", "long")}
    monkeypatch.setattr(transaction, "on_commit", lambda act, **how: act())  # as after the commit
    with capture_logs() as said:
        jobs.soon()
    assert [line["event"] for line in said] == ["queue not reached"]
    assert str(jobs.health()["queue"]).startswith("not reached")
