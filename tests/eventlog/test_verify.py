"""Verifying: a log as it was written holds; one value flipped past the program is named, with its row and field."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from eventlog import attachments, chain, filestore, history, intake, ledger, logbook, seal, verify, vocabulary
from eventlog.exchange import document, finalcopy
from eventlog.exchange.record import Unreadable
from eventlog.models import (
    Attachment,
    DataFile,
    Event,
    FinalCopy,
    Log,
    Measurement,
    Operation,
    Place,
    Revision,
    Seal,
    Template,
    Term,
)
from portal.access import CONSOLE
from tests import make

pytestmark = pytest.mark.django_db

SEALOG = [
    {
        "id": "5f0000000000000000000001",
        "event_author": "mt",
        "ts": "2026-03-03T05:06:07.089Z",
        "event_value": "CTD",
        "event_options": [{"event_option_name": "status", "event_option_value": "deployed"}],
        "event_free_text": "",
    }
]
AUX = [
    {
        "id": "6f0000000000000000000001",
        "event_id": "5f0000000000000000000001",
        "data_source": "vesselRealtimeNav",
        "data_array": [{"data_name": "depth", "data_value": "3120.5", "data_uom": "m"}],
    }
]


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def log() -> Log:
    """A log with one of everything: events recorded, revised, struck and imported, an operation, a place, a photo."""
    log, watch, chief = make.log(), make.person("watch"), make.person("chief")
    event = make.event(log, extra={"bottle": 7, "leaked": True})
    logbook.revise(event=event, by=chief, fields={"station": "002"}, reason="miscounted")
    struck = make.event(log, instrument="Net", observed_at=dt.datetime(2026, 3, 4, 5, tzinfo=dt.UTC))
    logbook.strike(event=struck, by=watch, reason="a slip")
    intake.import_events(
        log=log, name="s.json", data=json.dumps(SEALOG).encode(), aux=json.dumps(AUX).encode(), by=CONSOLE
    )
    attachments.add(
        log=log,
        by=watch,
        uuid=uuid.uuid4(),
        parts=[b"\xff\xd8\xff photo"],
        name="a.jpg",
        event=event.uuid,
        caption="deck",
    )
    place = Place.objects.create(log=log, name="L1", latitude=36.5, longitude=-25.0)
    told = {"name": [None, "L1"], "latitude": [None, 36.5], "longitude": [None, -25.0]}
    vocabulary.propose(log=log, kind="instrument", name="Weather balloon", by=watch)
    file = DataFile.objects.create(
        log=log,
        path="/data/a.hex",
        size=3,
        modified_at=dt.datetime(2026, 3, 4, tzinfo=dt.UTC),
        first_seen_at=dt.datetime(2026, 3, 4, tzinfo=dt.UTC),
        sha256="ab" * 32,
    )
    seen = {name: [None, value] for name, value in history.content("file", file).items()}
    ledger.append(
        log, [ledger.Entry("place", place, "record", told), ledger.Entry("file", file, "record", seen)], by=watch
    )
    return Log.objects.select_related("cruise").get(pk=log.pk)


def found(log: Log) -> list[tuple[str, str]]:
    """(what, field) of every finding."""
    return [(f.what, f.field) for f in verify.check(log).findings]


def unprotect(*tables: str) -> None:
    """What somebody with the database's password can do."""
    with connection.cursor() as cursor:
        for table in tables or ("eventlog_revision", "eventlog_seal"):
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")


def sql(statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1


# --- as it was written ----------------------------------------------------------------------------------------------


def test_a_log_as_it_was_written_holds_open_and_closed(log):
    report = verify.check(log)
    assert report.findings == []
    assert report.counts == seal.counts_of(log, report.sequence)
    assert (report.counts["events"], report.counts["struck"], report.counts["measurements"]) == (2, 1, 1)
    closed = logbook.close_log(cruise=log.cruise, by=CONSOLE)
    report = verify.check(closed)
    assert (report.findings, report.seals) == ([], 1)
    assert report.head == closed.revisions.get(sequence=report.sequence).digest == closed.seals.get().head
    chief = make.person("chief")
    logbook.revise(event=log.events.get(instrument="CTD", station="002"), by=chief, fields={"cast": "9"}, reason="late")
    seal.seal_again(log=closed, by=chief, reason="the paper log was found")
    report = verify.check(closed)
    assert (report.findings, report.seals) == ([], 2)


# --- one value flipped ----------------------------------------------------------------------------------------------

EXCEPT = {
    "id",
    "uuid",
    "log",
    "event",
    "operation",
    "watch",
    "merged_into",
    "replaced_by",
    "received_at",
    "by_name",
    "first_seen_at",
}
# A photo's time of arrival and the account's name beside it are told by the revision itself.


def other(field: models.Field, value: Any) -> Any:
    """Another value for a column."""
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.IntegerField):
        return value + 1
    if isinstance(field, models.FloatField):
        return 1.25 if value is None else value + 1e-9
    if isinstance(field, models.DateTimeField):
        return dt.datetime(2031, 1, 1, tzinfo=dt.UTC) if value is None else value + dt.timedelta(seconds=11)
    if isinstance(field, models.JSONField):
        return {"x": 1} if not value else type(value)()
    if isinstance(field, models.ForeignKey):
        return make.person("rival").pk
    return f"x{value[1:]}" if value else "x"


def columns(table: type[models.Model]) -> list[models.Field]:
    return [f for f in table._meta.concrete_fields if f.name not in EXCEPT]


@pytest.mark.parametrize(
    "table", [Event, Operation, Place, Attachment, DataFile, Template, Term], ids=lambda t: t.__name__
)
def test_any_column_flipped_in_the_database_is_named(log, table):
    row = table.objects.filter(log=log).first()
    assert row is not None
    for field in columns(table):
        value = getattr(row, field.attname)
        changes = {field.attname: other(field, value)}
        if field.name in ("latitude", "longitude") and value is None:
            changes = {"latitude": 1.0, "longitude": 1.0}
        table.objects.filter(pk=row.pk).update(**changes)
        named = verify.check(log).findings
        wanted = {"struck_at": {"struck", "struck_at"}}.get(field.name, {field.name})
        assert wanted & {f.field for f in named}, field.name
        assert any(str(row.uuid) in f.where for f in named), field.name
        table.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in changes})
    assert verify.check(log).ok


def test_an_answer_flipped_within_json_is_named(log):
    event = log.events.get(station="002")
    for changed in ({"bottle": 8, "leaked": True}, {"bottle": 7, "leaked": 1}, {"bottle": 7}):
        Event.objects.filter(pk=event.pk).update(extra=changed)
        assert found(log) == [("altered row", "extra")]


def test_a_measurement_flipped_or_gone_is_named(log):
    Measurement.objects.update(value="3120.6")
    assert found(log) == [("altered row", "measurements")]
    Measurement.objects.all().delete()
    assert found(log) == [("altered row", "measurements")]


def test_links_turned_round_are_named(log):
    first, second = log.events.get(station="002"), log.events.get(instrument="Net")
    assert first.operation is not None
    Event.objects.filter(pk=first.pk).update(operation=None)
    assert found(log) == [("altered row", "operation")]
    Event.objects.filter(pk=first.pk).update(operation=first.operation)
    Attachment.objects.update(event=second)
    assert found(log) == [("altered row", "event")]


def test_rows_that_came_or_went_past_the_program_are_named(log):
    fake = Event.objects.create(
        log=log, number="fake", observed_at=dt.datetime(2026, 3, 4, tzinfo=dt.UTC), instrument="CTD", author_name="x"
    )
    assert found(log) == [("inserted row", "")]
    fake.delete()
    DataFile.objects.all().delete()
    assert found(log) == [("missing row", "")]


def test_the_state_of_the_log_is_told_too(log):
    Log.objects.filter(pk=log.pk).update(opened_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert found(log) == [("altered row", "opened_at")]


# --- the chain ------------------------------------------------------------------------------------------------------


def test_revisions_altered_removed_or_put_in_are_named(log):
    unprotect()
    assert ("no protection", "") in found(log)
    rows = list(log.revisions.order_by("sequence"))
    target = rows[4]

    def named() -> set[str]:
        return {f"{f.what} {f.where}" for f in verify.check(log).findings if f.what != "no protection"}

    for name, value in (("by_name", "Somebody Else"), ("reason", "x"), ("at", target.at + dt.timedelta(seconds=1))):
        Revision.objects.filter(pk=target.pk).update(**{name: value})
        assert any(n.startswith(f"altered revision revision {target.sequence} ") for n in named()), name
        Revision.objects.filter(pk=target.pk).update(**{name: getattr(target, name)})
    assert named() == set()
    # Made anew with a digest of its own: the next one does not follow from it.
    words = ledger.words(target, log.cruise.cruise_id) | {"by_name": "Somebody Else"}
    Revision.objects.filter(pk=target.pk).update(by_name="Somebody Else", digest=chain.digest(words))
    assert any(n.startswith(f"altered revision revision {target.sequence + 1} ") for n in named())
    Revision.objects.filter(pk=target.pk).update(by_name=target.by_name, digest=target.digest)
    # Taken out.
    Revision.objects.filter(pk=target.pk).delete()
    assert f"missing revision revision {target.sequence}" in named()


def test_the_end_cut_off_is_seen_by_the_rows_and_the_seal(log):
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    unprotect("eventlog_revision")
    last = log.revisions.order_by("-sequence").first()
    event = log.revisions.filter(thing="file").get()
    log.revisions.filter(sequence__gte=event.sequence).delete()
    names = {(f.what, f.field) for f in verify.check(log).findings}
    assert ("inserted row", "") in names
    assert ("altered seal", "sequence") in names
    assert last.sequence > event.sequence


def test_a_revision_hung_on_another_event_is_named(log):
    unprotect("eventlog_revision")
    row = log.revisions.filter(thing="event").first()
    other_event = log.events.exclude(uuid=row.thing_uuid).first()
    log.revisions.filter(pk=row.pk).update(event=other_event)
    assert ("altered revision", "event") in found(log)


def test_without_its_triggers_the_table_is_not_protected(log):
    assert verify.protected()
    unprotect("eventlog_revision")
    assert not verify.protected()


# --- seals, final copies, files -------------------------------------------------------------------------------------


def test_a_seal_or_a_final_copy_altered_is_named(log):
    log = logbook.close_log(cruise=log.cruise, by=CONSOLE)
    unprotect("eventlog_seal")
    row = log.seals.get()
    Seal.objects.update(counts=row.counts | {"events": 99})
    assert ("altered seal", "counts.events") in found(log)
    Seal.objects.update(counts=row.counts, head="0" * 64)
    assert ("altered seal", "head") in found(log)
    Seal.objects.update(head=row.head)
    copy = log.final_copies.get(format="r2r-csv")
    data = bytes(copy.data)
    FinalCopy.objects.filter(pk=copy.pk).update(data=data.replace(b"Keane", b"Kaene"))
    assert ("altered copy", "data") in found(log)
    FinalCopy.objects.filter(pk=copy.pk).update(data=data, sha256="0" * 64)
    assert {("altered copy", "data"), ("altered copy", "sha256")} <= set(found(log))
    FinalCopy.objects.filter(pk=copy.pk).delete()
    assert ("missing copy", "") in found(log)


def test_bytes_of_a_photo_altered_or_gone_are_named(log):
    place = filestore.place(log.attachments.get().sha256)
    place.chmod(0o600)
    place.write_bytes(b"another photo")
    assert found(log) == [("altered file", "")]
    place.unlink()
    assert found(log) == [("missing file", "")]


def test_a_log_that_was_closed_before_there_were_seals_is_said_to_have_none(log):
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    unprotect("eventlog_seal")
    Seal.objects.all().delete()
    assert ("missing seal", "") in found(Log.objects.get(pk=log.pk))


# --- the final copy, without a database -----------------------------------------------------------------------------


def final(log: Log) -> bytes:
    closed = logbook.close_log(cruise=log.cruise, by=CONSOLE)
    return b"".join(logbook.bytes_of(closed.final_copies.get(format="json")))


def test_the_final_copy_verifies_by_itself_and_reads_as_a_log(log):
    data = final(log)
    checked = finalcopy.check(data.splitlines(keepends=True))
    assert checked.faults == []
    assert checked.head == log.seals.get().head
    assert (checked.rows["events"], checked.rows["attachments"], checked.rows["seals"]) == (3, 1, 1)
    assert b"@example.org" not in data
    json.loads(data)
    reading = document.read(data)
    assert reading.problems == ()
    exported = document.read(logbook.export(log, "json").encode())
    assert [e.number for e in reading.events] == [e.number for e in exported.events]
    for ours, theirs in zip(reading.events, exported.events, strict=True):
        assert ours == theirs


def test_one_byte_of_any_row_flipped_is_found(log):
    lines = final(log).splitlines(keepends=True)
    for number, line in enumerate(lines):
        for place in {len(line) // 3, len(line) // 2, len(line) - 4} - {-3, -2, -1, 0}:
            flipped = line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
            changed = [*lines[:number], flipped, *lines[number + 1 :]]
            try:
                checked = finalcopy.check(changed)
            except Unreadable:
                continue
            unchained = (b'"uuid"', b'"name"', b'"header"', b'"sha256"', b'"received_at"', b'"counts"', b'"checksums"')
            assert checked.faults or any(mark in line for mark in unchained), (number, place, line)


def test_rows_taken_out_or_put_in_are_found(log):
    lines = final(log).splitlines(keepends=True)
    starts = {n: i for n in finalcopy.SECTIONS for i, line in enumerate(lines) if line.startswith(f'"{n}": ['.encode())}
    for section in ("revisions", "events", "attachments", "places", "files", "operations"):
        first = starts[section] + 1
        without = [*lines[:first], *lines[first + 1 :]]
        try:
            assert finalcopy.check(without).faults, section
        except Unreadable:
            continue
        twice = [*lines[: first + 1], *lines[first:]]
        assert finalcopy.check(twice).faults, section


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-40],
        lambda t: t + "more\n",
        lambda t: t.replace('"version": 2', '"version": 3'),
        lambda t: t.replace('"people": [', '"folk": ['),
        lambda t: t.replace('"header": {', '"header": {"a":1,"a":1,', 1),
        lambda t: t.replace('{"at":', '{ "at":', 1),
        lambda t: json.dumps(json.loads(t)),
    ],
)
def test_a_document_in_another_form_is_not_read(log, change):
    text = final(log).decode()
    assert change(text) != text
    with pytest.raises(Unreadable):
        finalcopy.check(change(text).encode().splitlines(keepends=True))


# --- the command ----------------------------------------------------------------------------------------------------


def command(*words: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("verify_log", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_the_command_names_the_row_and_ends_with_a_fault(log, tmp_path):
    cruise_id = log.cruise.cruise_id
    text, code = command("--cruise", cruise_id)
    assert (code, "Everything is as it was written." in text) == (0, True)
    event = log.events.get(station="002")
    Event.objects.filter(pk=event.pk).update(seafloor_m=3121.0)
    text, code = command("--cruise", cruise_id)
    assert code == 1
    assert f"altered row: event {event.number} ({event.uuid}), seafloor_m: is 3121; its revisions say 3120" in text
    told, code = command("--cruise", cruise_id, "--json")
    assert (json.loads(told)["ok"], code) == (False, 1)
    Event.objects.filter(pk=event.pk).update(seafloor_m=3120.0)
    file = tmp_path / "final.json"
    file.write_bytes(final(log))
    assert command("--file", str(file))[1] == 0
    file.write_bytes(file.read_bytes().replace(b'"comment":"calm"', b'"comment":"rough"', 1))
    text, code = command("--file", str(file))
    assert code == 1
    assert "NOT" in text
    for words in (["--file", str(tmp_path / "none")], ["--cruise", "nothing"], []):
        with pytest.raises(CommandError):
            call_command("verify_log", *words)
