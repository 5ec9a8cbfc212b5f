"""Watched folders: a file is taken once it has settled, with its checksum, and linked to the operation that ran."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from eventlog import history, logbook, verify, watching
from eventlog.models import DataFile, Log, Watch
from portal import jobs
from portal.access import CONSOLE
from portal.models import Work
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(tmp_path: Path, settings: Any) -> Path:
    """The folder that the settings allow, with one of an instrument in it."""
    settings.WATCH_ROOTS = [tmp_path / "data"]
    (tmp_path / "data/ctd").mkdir(parents=True)
    return tmp_path / "data"


def watch(log: Log, path: Path, **values: Any) -> Watch:
    given: dict[str, Any] = {"instrument": "CTD", "pattern": "*.hex", "by": make.person("chief")}
    made, _ = watching.add_watch(log=log, path=str(path), **(given | values))
    return made


def write(path: Path, data: bytes, at: dt.datetime) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def looked(found: Watch, times: int = 2, now: dt.datetime | None = None) -> int:
    """How many files were taken in so many looks."""
    return sum(watching.look(Watch.objects.get(pk=found.pk), now=now or timezone.now()) for _ in range(times))


def cast(log: Log, begin: dt.datetime, minutes: int = 60, number: str = "001") -> Any:
    """A CTD cast; its operation."""
    event = make.event(log, observed_at=begin, cast=number)
    make.event(log, observed_at=begin + dt.timedelta(minutes=minutes), action="recover", cast=number)
    assert event.operation is not None
    return event.operation


def test_a_file_is_taken_once_it_has_settled_and_belongs_to_the_running_cast(root):
    log, now = make.log(), timezone.now()
    operation = cast(log, now - dt.timedelta(hours=3))
    cast(log, now - dt.timedelta(hours=1), 30, "002")
    found = watch(log, root / "ctd")
    path = write(root / "ctd/c1.hex", b"00FF", now - dt.timedelta(hours=2, minutes=30))
    write(root / "ctd/c1.txt", b"not this", now)
    assert looked(found, 1) == 0
    assert DataFile.objects.get().sha256 == ""
    path.write_bytes(b"00FF00")  # it grows
    assert looked(found, 1) == 0
    os.utime(path, (0, (now - dt.timedelta(hours=2, minutes=30)).timestamp()))
    assert looked(found, 1) == 0
    assert looked(found, 1) == 1
    file = DataFile.objects.get()
    assert (file.sha256, file.size) == (hashlib.sha256(b"00FF00").hexdigest(), 6)
    assert file.operation == operation
    assert watching.files_of([operation]) == {operation.pk: [file]}
    (revision,) = history.revisions_of(file)
    assert (revision.thing, revision.verb) == ("file", "record")
    assert revision.changes["operation"] == [None, str(operation.uuid)]
    assert looked(found, 3) == 0
    assert verify.check(log).ok


@pytest.mark.parametrize(("minutes", "linked"), [(-5, False), (0, True), (59, True), (85, True), (95, False)])
def test_which_operation(root, minutes, linked):
    log, begin = make.log(), timezone.now() - dt.timedelta(hours=8)
    operation = cast(log, begin)
    moment = begin + dt.timedelta(minutes=minutes)
    assert watching.operation_at(log, "ctd", moment) == (operation if linked else None)
    assert watching.operation_at(log, "Net", moment) is None


def test_a_file_whose_cast_is_logged_later_is_linked_then(root):
    log, at = make.log(), timezone.now() - dt.timedelta(hours=2)
    found = watch(log, root / "ctd")
    write(root / "ctd/c1.hex", b"00FF", at)
    looked(found)
    assert DataFile.objects.get().operation is None
    operation = cast(log, at - dt.timedelta(minutes=20))
    looked(found, 1)
    file = DataFile.objects.get()
    assert (file.operation, file.revision) == (operation, 2)
    # A person's choice stands.
    file = watching.relink(file=file, by=make.person("watch"), operation=None, reason="a test of the deck unit")
    looked(found)
    assert DataFile.objects.get().operation is None
    assert [r.verb for r in history.revisions_of(file)] == ["record", "link", "relink"]
    assert verify.check(log).ok


def test_a_file_that_changes_after_it_had_settled_is_read_again(root):
    log, at = make.log(), timezone.now() - dt.timedelta(hours=2)
    found = watch(log, root / "ctd")
    path = write(root / "ctd/c1.hex", b"00FF", at)
    looked(found)
    write(path, b"0000FF", timezone.now())
    assert looked(found) == 0  # it may still be written
    assert looked(found, 1, timezone.now() + dt.timedelta(minutes=5)) == 1
    file = DataFile.objects.get()
    assert (file.sha256, file.revision) == (hashlib.sha256(b"0000FF").hexdigest(), 2)
    assert verify.check(log).ok


def test_links_and_odd_names_are_not_followed(root, tmp_path):
    outside = write(tmp_path / "secret/key.hex", b"secret", timezone.now())
    log = make.log()
    found = watch(log, root / "ctd")
    (root / "ctd/link.hex").symlink_to(outside)
    (root / "ctd/folder").symlink_to(outside.parent)
    (root / "ctd/deep/er").mkdir(parents=True)
    write(root / "ctd/deep/er/good.hex", b"00", timezone.now())
    Path(os.fsdecode(os.fsencode(root / "ctd") + b"/caf\xe9.hex")).write_bytes(b"00")
    os.mkfifo(root / "ctd/pipe.hex")
    looked(found)
    assert [Path(file.path).name for file in DataFile.objects.all()] == ["good.hex"]
    assert "not UTF-8" in Watch.objects.get().problem


@pytest.mark.parametrize(
    "path", ["ctd", "/", "/etc", "{root}/../secret", "{root}/none", "{root}/ctd/a.hex", "{root}/out"]
)
def test_only_folders_that_the_settings_allow(root, tmp_path, path):
    (tmp_path / "secret").mkdir()
    (root / "out").symlink_to(tmp_path / "secret")
    write(root / "ctd/a.hex", b"00", timezone.now())
    with pytest.raises(NotLikeThis) as caught:
        watch(make.log(), Path(path.format(root=root)))
    assert [fault.where for fault in caught.value.faults] == ["path"]


def test_a_link_within_is_refused_and_none_allowed_allows_none(root, settings):
    (root / "alias").symlink_to(root / "ctd")
    log = make.log()
    with pytest.raises(NotLikeThis, match="link"):
        watch(log, root / "alias")
    for pattern in ("../*", "a/b"):
        with pytest.raises(NotLikeThis, match="pattern"):
            watch(log, root / "ctd", pattern=pattern)
    with pytest.raises(NotLikeThis, match="instrument"):
        watch(log, root / "ctd", instrument=" ")
    settings.WATCH_ROOTS = []
    with pytest.raises(NotLikeThis, match="LEADLINE_WATCH"):
        watch(log, root / "ctd")


def test_a_folder_that_is_turned_into_a_link_later_is_not_followed(root, tmp_path):
    log = make.log()
    found = watch(log, root / "ctd")
    write(tmp_path / "secret/key.hex", b"secret", timezone.now())
    (root / "ctd").rmdir()
    (root / "ctd").symlink_to(tmp_path / "secret")
    looked(found)
    assert not DataFile.objects.exists()
    assert "does not lie below" in Watch.objects.get().problem


def test_the_door_looks_once_a_minute_while_the_log_is_open(root):
    log = make.log()
    found = watch(log, root / "ctd")
    write(root / "ctd/a.hex", b"00", timezone.now() - dt.timedelta(hours=1))
    assert watching.waiting() == [str(found.pk)]
    assert jobs.perform(watching.DOOR, str(found.pk))
    assert watching.waiting() == []
    Watch.objects.update(looked_at=timezone.now() - dt.timedelta(minutes=1))
    assert jobs.perform(watching.DOOR, str(found.pk))
    assert DataFile.objects.get().sha256
    assert set(Work.objects.values_list("state", flat=True)) == {"done"}
    Watch.objects.update(looked_at=None)
    watching.set_watch(watch=found, by=make.person("chief"), is_enabled=False)
    assert watching.waiting() == []
    watching.set_watch(watch=found, by=make.person("chief"), is_enabled=True)
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    assert watching.waiting() == []


def test_who_watches_and_links(root):
    log = make.log()
    for name in ("watch", "rival", "expert", "stranger"):
        with pytest.raises(NotYou):
            watch(log, root / "ctd", by=make.person(name))
    found = watch(log, root / "ctd")
    assert (
        watching.add_watch(log=log, by=CONSOLE, path=str(root / "ctd"), pattern="*.hex", instrument="CTD")[1] is False
    )
    write(root / "ctd/a.hex", b"00", timezone.now())
    looked(found, 1)
    file = DataFile.objects.get()
    with pytest.raises(NotNow, match="grows"):
        watching.relink(file=file, by=make.person("watch"), operation=None)
    looked(found, 1)
    with pytest.raises(NotYou):
        watching.relink(file=file, by=make.person("expert"), operation=None)
    with pytest.raises(NotLikeThis):
        watching.relink(file=file, by=make.person("watch"), operation=cast(make.log(), timezone.now()))
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    with pytest.raises(NotNow):
        watch(log, root / "ctd", pattern="*")
    with pytest.raises(NotLikeThis, match="reason"):
        watching.relink(file=DataFile.objects.get(), by=make.person("chief"), operation=None)


# --- the page and the API -------------------------------------------------------------------------------------------


def test_the_page_adds_lists_links_and_stops(root, browse):
    log = make.log()
    operation = cast(log, timezone.now() - dt.timedelta(hours=2))
    client, page = browse("chief"), f"/cruise/{log.cruise.cruise_id}/log/files/"
    assert "No folder is watched" in client.get(page).content.decode()
    given = {"path": str(root / "ctd"), "pattern": "*.hex", "instrument": "Net"}
    assert client.post(page + "watch/", given, follow=True).status_code == 200
    found = Watch.objects.get()
    write(root / "ctd/a.hex", b"00", timezone.now() - dt.timedelta(hours=1))
    looked(found)
    shown = client.get(page).content.decode()
    assert str(root / "ctd/a.hex") in shown
    file = DataFile.objects.get()
    client.post(f"{page}{file.uuid}/link/", {"operation": operation.pk})
    assert DataFile.objects.get().operation == operation
    assert f"belongs to {operation}" in client.get(page).content.decode()
    assert client.get(page + "?unlinked=yes").content.decode().count(str(root / "ctd/a.hex")) == 0
    client.post(f"{page}watch/{found.pk}/", {"enabled": "no"})
    assert not Watch.objects.get().is_enabled
    assert client.post(f"{page}{file.uuid}/link/", {"operation": "999999"}).status_code == 404


@pytest.mark.parametrize(
    ("name", "seen", "added"), [(None, 302, 302), ("stranger", 404, 404), ("expert", 404, 404), ("watch", 200, 403)]
)
def test_who_sees_the_page(root, browse, name, seen, added):
    log = make.log()
    page = f"/cruise/{log.cruise.cruise_id}/log/files/"
    assert browse(name).get(page).status_code == seen
    assert browse(name).post(page + "watch/", {}).status_code == added
    assert not Watch.objects.exists()


def test_the_api(root, browse):
    log = make.log()
    operation = cast(log, timezone.now() - dt.timedelta(hours=2))
    found = watch(log, root / "ctd")
    write(root / "ctd/a.hex", b"00", timezone.now() - dt.timedelta(hours=1, minutes=30))
    looked(found)
    address = f"/api/v1/cruises/{log.cruise.cruise_id}/files"
    client = browse("watch")
    (row,) = client.get(address).json()["results"]
    assert (row["path"], row["operation"]) == (str(root / "ctd/a.hex"), str(operation.uuid))
    assert client.get(f"{address}?operation={operation.uuid}").json()["count"] == 1
    assert client.get(f"{address}?unlinked=yes").json()["count"] == 0
    one = f"{address}/{row['uuid']}"
    told = client.patch(one, {"operation": None, "reason": "deck test"}, content_type="application/json").json()
    assert (told["operation"], told["revision"]) == (None, 2)
    assert client.get(one).json()["operation"] is None
    wrong = client.patch(one, {"operation": row["uuid"]}, content_type="application/json")
    assert wrong.json()["errors"][0]["field"] == "operation"
    assert browse("stranger").get(address).status_code in (403, 404)
    assert client.get(f"{address}/{operation.uuid}").status_code == 404
