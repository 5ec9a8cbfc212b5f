"""Ship and shore: the pack goes on board with the same ids, and the final copy comes ashore row for row, and once."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from eventlog import attachments, buttons, chain, history, intake, logbook, places, seal, shore, verify, vocabulary
from eventlog.exchange import finalcopy
from eventlog.logbook import sections
from eventlog.models import Attachment, Event, FinalCopy, Import, Log, Measurement, Revision, Seal
from portal.access import CONSOLE
from portal.lifecycle import Role
from portal.models import Cruise, Letter, Party, Person
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make
from tests.eventlog.test_verify import AUX, SEALOG

pytestmark = pytest.mark.django_db
PHOTO = b"\xff\xd8\xff photo" * 50


class Ashore(Exception):
    """Ends what happened on board: the ship's rows are gone, the shore's are as they were."""


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "shore"


def live(log: Log) -> None:
    """A cruise on board: everything that a log can hold."""
    watch, chief = make.person("watch"), make.person("chief")
    event = make.event(log, extra={"bottle": 7, "leaked": True, "depth": 1e23}, comment="船 “ñ”\nand more")
    make.event(log, action="recover", observed_at=event.observed_at + dt.timedelta(minutes=1))
    logbook.revise(event=event, by=chief, fields={"station": "002"}, reason="miscounted")
    struck = make.event(log, instrument="Net", station="L1", observed_at=event.observed_at - dt.timedelta(days=1))
    logbook.strike(event=struck, by=watch, reason="a slip")
    intake.import_events(
        log=log, name="s.json", data=json.dumps(SEALOG).encode(), aux=json.dumps(AUX).encode(), by=CONSOLE
    )
    attachments.add(
        log=log, by=watch, uuid=uuid.uuid4(), parts=[PHOTO], name="a/b.jpg", event=event.uuid, caption="deck"
    )
    one, _ = places.add(log=log, by=watch, fields={"name": "LTER1", "latitude": 36.5, "longitude": -25})
    other, _ = places.add(log=log, by=watch, fields={"name": "LTER One"})
    places.merge(place=other, into=one, by=watch, reason="the same")
    term, _ = vocabulary.propose(log=log, kind="instrument", name="Wether balloon", by=watch)
    better, _ = vocabulary.propose(log=log, kind="instrument", name="Weather balloon", by=watch)
    vocabulary.replace(log=log, term=term, with_term=better, by=chief, reason="spelling")


def rows(log: Log) -> dict[str, Any]:
    """Every row of a log, without the numbers of rows."""
    found: dict[str, Any] = {}
    for section, given in sections.sections_of(log, Seal(log=log)).items():
        found[section] = [row for row in given if section != "seals" or row["sequence"] is not None]
    found["log"] = sections.header_of(log)
    found["seals"] = [sections.told(row) for row in log.seals.order_by("sequence")]
    kept = ("name", "format", "size", "md5", "sha256", "events", "made_at")
    found["copies"] = [
        {n: str(getattr(c, n)) for n in kept} | {"bytes": b"".join(logbook.bytes_of(c))}
        for c in log.final_copies.order_by("name")
    ]
    found["links"] = {
        str(r.uuid): (str(r.event.uuid) if r.event else None) for r in log.revisions.select_related("event")
    }
    return found


def said(rows: Any) -> Any:
    """The rows as canonical text: a database may give 1e23 back as a whole number."""
    return rows if isinstance(rows, list) and rows and "bytes" in rows[0] else chain.canonical(chain.plain(rows))


def on_board(cruise: Cruise, tmp_path: Path, settings: Any, more: Any = None) -> tuple[dict[str, Any], Path]:
    """What the ship does with a cruise; its rows, and the folder with the final copies that comes ashore."""
    folder = tmp_path / "delivered"
    folder.mkdir(exist_ok=True)
    found: dict[str, Any] = {}
    ashore, settings.MEDIA_ROOT = settings.MEDIA_ROOT, tmp_path / "ship"
    try:
        with transaction.atomic():
            log = logbook.open_log(cruise=cruise, by=make.person("operator"))
            live(log)
            log = logbook.close_log(cruise=cruise, by=CONSOLE)
            if more:
                more(log, folder)
            assert verify.check(log).findings == []
            found |= rows(Log.objects.select_related("cruise").get(pk=log.pk))
            for copy in log.final_copies.all():
                (folder / copy.name).write_bytes(b"".join(logbook.bytes_of(copy)))
            raise Ashore
    except Ashore:
        settings.MEDIA_ROOT = ashore
    assert not Revision.objects.filter(log__cruise=cruise).exists()
    return found, folder


def take(cruise: Cruise, folder: Path, name: str = "", **values: Any) -> shore.Taken:
    path = folder / (name or f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json")
    with path.open("rb") as file:
        return shore.take_final_copy(cruise=cruise, file=file, **({"by": CONSOLE, "beside": folder} | values))


def test_the_log_comes_ashore_row_for_row_and_once(tmp_path, settings):
    cruise = make.cruise()
    board, folder = on_board(cruise, tmp_path, settings)
    assert len(board["copies"]) == 3
    taken = take(cruise, folder, by=make.person("operator"))
    assert (taken.outcome, taken.remarks) == ("taken", ())
    log = Log.objects.select_related("cruise").get(cruise=cruise)
    ashore = rows(log)
    for section, wanted in board.items():
        assert said(ashore[section]) == said(wanted), section
    assert {len(ashore["events"]), len(ashore["attachments"]), len(ashore["imports"])} == {4, 1}
    event = log.events.get(station="002")
    assert (event.author, event.operation is not None) == (make.person("watch"), True)
    assert verify.check(log).findings == []
    cruise.refresh_from_db()
    assert (cruise.state, log.state) == ("ended", "closed")
    again = take(cruise, folder)
    assert (again.outcome, again.remarks) == ("known", ())
    assert rows(log) == ashore
    # Corrections go on ashore, in the same chain.
    logbook.revise(event=event, by=make.person("chief"), fields={"cast": "9"}, reason="late")
    assert take(cruise, folder).outcome == "known"
    assert verify.check(log).ok


def test_what_was_sealed_again_on_board_is_continued(tmp_path, settings):
    cruise = make.cruise()

    def correct(log: Log, folder: Path) -> None:
        for copy in log.final_copies.all():
            (folder / copy.name).write_bytes(b"".join(logbook.bytes_of(copy)))
        chief = make.person("chief")
        logbook.revise(event=log.events.get(station="002"), by=chief, fields={"cast": "9"}, reason="late")
        seal.seal_again(log=log, by=chief, reason="the paper log")

    board, folder = on_board(cruise, tmp_path, settings, correct)
    assert take(cruise, folder).outcome == "taken"
    assert not Event.objects.filter(cast="9").exists()
    assert take(cruise, folder, f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG_2.json").outcome == "continued"
    ashore = rows(Log.objects.select_related("cruise").get(cruise=cruise))
    assert len(ashore["seals"]) == 2
    for section, wanted in board.items():
        assert said(ashore[section]) == said(wanted), section
    assert take(cruise, folder).outcome == "known"


def test_without_the_files_beside_it_the_rows_come_and_the_rest_later(tmp_path, settings):
    cruise = make.cruise()
    _, folder = on_board(cruise, tmp_path, settings)
    taken = take(cruise, folder, beside=None)
    assert taken.outcome == "taken"
    assert any("ATTACHMENTS.zip was not delivered" in remark for remark in taken.remarks)
    assert Attachment.objects.count() == 1
    assert Import.objects.count() == 0
    taken = take(cruise, folder)
    assert (taken.outcome, taken.remarks) == ("known", ())
    assert verify.check(taken.log).findings == []
    assert (Import.objects.count(), FinalCopy.objects.count()) == (1, 3)


def test_an_altered_photo_stays_where_it_is(tmp_path, settings):
    cruise = make.cruise()
    _, folder = on_board(cruise, tmp_path, settings)
    path = folder / f"LEADLINE_{cruise.cruise_id}_FINAL_ATTACHMENTS.zip"
    path.write_bytes(path.read_bytes().replace(b"photo", b"phony", 1))
    taken = take(cruise, folder)
    assert any("is not the file that was sealed" in remark for remark in taken.remarks)
    assert {f.what for f in verify.check(taken.log).findings} == {"missing file", "missing copy"}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (b'"station":"002"', b'"station":"003"', "event"),
        (b'"reason":"miscounted"', b'"reason":"mistyped"', "altered"),
        (b'"value":"x"', b'"value":"x"', ""),
        (b'"3120.5"', b'"3120.6"', "event"),
        (b'"head":"', b'"head":"0', "seal"),
        (b'"cruise_id":"TS', b'"cruise_id":"ZZ', "altered"),
    ],
)
def test_an_altered_copy_is_refused_with_reasons(tmp_path, settings, before, after, says):
    cruise = make.cruise()
    _, folder = on_board(cruise, tmp_path, settings)
    path = folder / f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    changed = path.read_bytes().replace(before, after)
    if before == after:
        changed = changed[: len(changed) // 2]
    path.write_bytes(changed)
    with pytest.raises(NotLikeThis) as caught:
        take(cruise, folder)
    assert says in str(caught.value)
    assert not Event.objects.exists()
    assert Log.objects.filter(cruise=cruise, state="closed").count() == 0


def rewritten(folder: Path, cruise: Cruise, change: Any) -> None:
    """The copy with rows changed and everything that follows made to fit: what only the last check can find."""
    path = folder / f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    with path.open("rb") as file:
        found = list(finalcopy.rows(file))
    header = found[0][1]
    given: dict[str, list[Any]] = {name: [row for s, row in found if s == name] for name in finalcopy.SECTIONS}
    change(given)
    path.write_text("".join(finalcopy.write(header, given)))


def test_a_copy_that_the_tables_do_not_take_is_refused_whole(tmp_path, settings):
    cruise = make.cruise()
    _, folder = on_board(cruise, tmp_path, settings)
    kept = (folder / f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json").read_bytes()
    changes = [
        lambda given: given["events"][0].update(struck_at="soon"),
        lambda given: given["events"][0].update(author="no id"),
        lambda given: given["attachments"][0].update(received_at=None),
        lambda given: given["seals"][0]["counts"].update(other=1),
        lambda given: given["seals"][0].update(at="never"),
        lambda given: given["seals"][0]["counts"].update(events=99),
        lambda given: given["events"][0].pop("struck_at"),
        lambda given: given["people"].append({"uuid": "x"}),
    ]
    for change in changes:
        rewritten(folder, cruise, change)
        with pytest.raises(NotLikeThis):
            take(cruise, folder)
        assert not Event.objects.exists()
        (folder / f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json").write_bytes(kept)
    assert take(cruise, folder).outcome == "taken"


def test_the_log_of_another_cruise_or_one_that_parted_is_refused(tmp_path, settings):
    cruise, other = make.cruise(), make.cruise()
    _, folder = on_board(cruise, tmp_path, settings)
    name = f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    with pytest.raises(NotLikeThis, match="another cruise"):
        take(other, folder, name)
    logbook.open_log(cruise=cruise, by=CONSOLE)
    with pytest.raises(NotNow, match="another way"):
        take(cruise, folder)


@pytest.mark.parametrize("name", ["rival", "chief", "watch", "expert", "stranger"])
def test_others_take_nothing_and_pack_nothing(name):
    cruise = make.cruise()
    with pytest.raises(NotYou):
        shore.take_final_copy(cruise=cruise, file=io.BufferedReader(io.BytesIO(b"")), by=make.person(name))
    with pytest.raises(NotYou):
        shore.export_cruise(cruise=cruise, by=make.person(name))
    with pytest.raises(NotYou):
        shore.import_cruise(data=b"{}", by=make.person(name))


# --- the pack -------------------------------------------------------------------------------------------------------


def test_a_ship_knows_the_cruise_its_people_and_its_buttons_by_the_same_ids():
    cruise, chief = make.cruise(), make.person("chief")
    log = logbook.log_of(cruise)
    buttons.add(log=log, by=chief, fields={"instrument": "Balloon", "action": "release", "key": "b"})
    packed = shore.export_cruise(cruise=cruise, by=make.person("operator"))
    assert shore.export_cruise(cruise=cruise, by=CONSOLE) == packed
    words = json.loads(packed.text)
    people = {row["email"]: row["uuid"] for row in words["people"]}
    assert set(people) == {"chief@example.org", "watch@example.org", "operator@example.org"}
    prepared = list(log.revisions.order_by("sequence").values_list("digest", flat=True))
    assert prepared
    # On board nothing of it is known: here, another cruise id stands for a ship's empty tables.
    with contextlib.suppress(Ashore), transaction.atomic():
        wiped(cruise)
        taken = shore.import_cruise(data=packed.text.encode(), by=CONSOLE)
        assert (taken.outcome, len(taken.people), taken.remarks) == ("created", 3, ())
        aboard = Cruise.objects.get(cruise_id=cruise.cruise_id)
        assert str(aboard.uuid) == str(cruise.uuid)
        assert {p.email: str(p.uuid) for p in Person.objects.filter(email__in=people)} == people
        assert not Person.objects.get(email="watch@example.org").has_usable_password()
        assert Party.objects.get(cruise=aboard, email="watch@example.org").may_log
        assert Person.objects.get(email="operator@example.org").appointments.get().role == Role.OPERATOR.value
        assert {letter.to for letter in Letter.objects.filter(cruise=aboard)} == {
            "chief@example.org",
            "watch@example.org",
        }
        ship = Log.objects.get(cruise=aboard)
        assert list(ship.revisions.order_by("sequence").values_list("digest", flat=True)) == prepared
        assert ship.templates.get(instrument="Balloon").key == "b"
        assert verify.check(ship).findings == []
        again = shore.import_cruise(data=packed.text.encode(), by=CONSOLE)
        assert (again.outcome, again.people) == ("unchanged", ())
        logbook.open_log(cruise=aboard, by=CONSOLE)
        assert shore.import_cruise(data=packed.text.encode(), by=CONSOLE).outcome == "unchanged"
        raise Ashore


def wiped(cruise: Cruise) -> None:
    """A ship has never heard of this cruise and its people; here both are put aside under other names and ids."""
    for person in Person.objects.all():
        Person.objects.filter(pk=person.pk).update(email=f"aside-{person.email}", uuid=uuid.uuid4())
    from allauth.account.models import EmailAddress

    EmailAddress.objects.all().delete()
    Letter.objects.all().delete()
    Cruise.objects.filter(pk=cruise.pk).update(cruise_id="ASIDE-1", uuid=uuid.uuid4())
    from eventlog.models import Template
    from tests.eventlog.test_verify import unprotect

    unprotect("eventlog_revision")
    Revision.objects.all().delete()
    Template.objects.all().delete()
    from portal.appendonly import append_only

    with_triggers = append_only("eventlog_revision")
    from django.db import connection

    class Editor:
        def __init__(self) -> None:
            self.connection = connection

        def execute(self, sql: str, params: Any = ()) -> None:
            with connection.cursor() as cursor:
                cursor.execute(sql, params)

    with_triggers.code(None, Editor())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: text.replace("watch@", "eve@"),
        lambda text: text.replace('"version": 1', '"version": 9'),
        lambda text: text.replace("leadline-cruise-pack", "other"),
    ],
)
def test_an_altered_pack_is_refused(change):
    text = shore.export_cruise(cruise=make.cruise(), by=CONSOLE).text
    assert change(text) != text
    with pytest.raises(NotLikeThis):
        shore.import_cruise(data=change(text).encode(), by=CONSOLE)


def test_a_log_that_was_begun_is_not_packed_and_not_overwritten():
    cruise = make.cruise()
    packed = shore.export_cruise(cruise=cruise, by=CONSOLE)
    logbook.open_log(cruise=cruise, by=CONSOLE)
    with pytest.raises(NotNow):
        shore.export_cruise(cruise=cruise, by=CONSOLE)
    other = json.loads(packed.text)
    other["cruise"]["uuid"] = str(uuid.uuid4())
    other["sha256"] = shore.pack._sum(other)
    with pytest.raises(NotNow, match="without this pack"):
        shore.import_cruise(data=json.dumps(other).encode(), by=CONSOLE)


# --- the commands ---------------------------------------------------------------------------------------------------


def test_the_commands(tmp_path, settings, capsys):
    cruise = make.cruise()
    file = tmp_path / "pack.json"
    call_command("export_cruise", cruise=cruise.cruise_id, output=str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    call_command("import_cruise", str(file))
    _, folder = on_board(cruise, tmp_path, settings)
    path = folder / f"LEADLINE_{cruise.cruise_id}_FINAL_EVENTLOG.json"
    call_command("take_final_copy", str(path), cruise=cruise.cruise_id, json=True)
    said = capsys.readouterr().out
    assert json.loads(said[said.rindex("{\n") :])["outcome"] == "taken"
    for words in (["take_final_copy", "none", "--cruise", cruise.cruise_id], ["import_cruise", "none"]):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command(*words)
    with pytest.raises(CommandError):
        call_command("import_cruise", str(path))
    assert Measurement.objects.count() == 1
    assert history.sequence_at(Log.objects.get(cruise=cruise), dt.datetime.now(dt.UTC)) > 5
