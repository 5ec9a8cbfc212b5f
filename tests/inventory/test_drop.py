"""The drop folder: what lies there is received once it is whole, and waits for a person wherever it is not plain."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from inventory import arrivals
from inventory.arrivals import layout, looking, watching
from inventory.models import Arrival
from portal import checks, jobs
from portal.access import CONSOLE
from portal.models import Cruise, JournalEntry, Letter, Work
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make
from tests.inventory.test_commands import run

pytestmark = pytest.mark.django_db
FEW = {"a/one.dat": b"one\n", "a/two.dat": b"two\n", "three.dat": b"three\n"}
BOTH = ["inventory.sweep", "inventory.receive"]


class Clock:
    """Our clock, which the tests turn."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def __call__(self) -> dt.datetime:
        return self.at

    def look(self, minutes: float = 1, *, everything: bool = True) -> watching.Round:
        """Some minutes later, one look."""
        self.at += dt.timedelta(minutes=minutes)
        return watching.sweep(told=lambda count: None, everything=everything, now=self)


@pytest.fixture
def clock(drop: Path) -> Clock:
    return Clock()


def only() -> Arrival:
    return Arrival.objects.select_related("cruise__vessel", "distribution", "operator").get()


def states() -> dict[str, str]:
    return dict(Arrival.objects.values_list("path", "state"))


def bare(folder: Path, files: dict[str, bytes] = FEW, manifest: str = "list.md5") -> Path:
    """A delivery whose list tells no sizes."""
    make.delivery(folder, files, manifest)
    lines = (folder / manifest).read_text().splitlines()
    (folder / manifest).write_text("".join(line.lstrip().partition("  ")[2] + "\n" for line in lines))
    return folder


def picture(folder: Path) -> dict[str, Any]:
    """Everything that a look could change."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_ino,
            path.lstat().st_mtime_ns,
            path.lstat().st_ctime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


# --- whole, and received --------------------------------------------------------------------------------------------


def test_a_delivery_with_sizes_in_its_list_is_received_once_nothing_of_it_is_missing(drop, clock):
    cruise = make.cruise(state="ended")
    root = make.delivery(drop / cruise.cruise_id, FEW)
    (root / "a/two.dat").rename(drop.parent / "later")
    clock.look()
    first = only()
    assert (first.state, first.files, first.listed_files, first.reason) == ("arriving", 2, 3, "")
    clock.look()
    assert only().state == "arriving"
    assert (first.cruise, first.operator, first.shown) == (cruise, cruise.vessel.operator, cruise.cruise_id)
    (drop.parent / "later").rename(root / "a/two.dat")
    before = picture(drop)
    clock.look()
    assert only().state == "arriving"
    assert clock.look().complete == [cruise.cruise_id]
    assert jobs.drain(["inventory.receive"]) == 1
    done = only()
    assert (done.state, done.distribution.number, done.distribution.root) == ("received", 1, str(root))
    assert set(done.distribution.files.values_list("path", flat=True)) == set(FEW)
    assert jobs.perform("inventory.verify", str(done.distribution.pk))
    assert set(done.distribution.files.values_list("state", flat=True)) == {"matched"}
    assert picture(drop) == before
    verbs = JournalEntry.objects.filter(verb__startswith="arrival.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["arrival.see", "arrival.complete", "arrival.accept"]
    clock.look()
    assert (only().state, clock.look().looked_at) == ("received", 1)


def test_without_sizes_it_is_whole_once_it_was_quiet_by_our_clock(drop, clock, settings):
    settings.DROP_QUIET = 45
    root = bare(drop / make.cruise(state="ended").cruise_id)
    os.utime(root / "three.dat", (4e9, 4e9))  # a ship's clock that is 60 years ahead
    clock.look()
    clock.look(40)
    assert only().state == "arriving"
    (root / "three.dat").write_bytes(b"more")
    clock.look(4)
    clock.look(44)
    assert only().state == "arriving"
    clock.look(1)
    assert only().state == "complete"


def test_a_marker_says_that_it_is_whole_and_is_no_part_of_it(drop, clock):
    root = bare(drop / make.cruise(state="ended").cruise_id)
    (root / "leadline-complete").touch()
    clock.look()
    assert only().state == "arriving"  # it may have been sent first by mistake
    clock.look()
    assert (only().state, only().files) == ("complete", 3)
    jobs.drain(["inventory.receive"])
    assert set(only().distribution.files.values_list("path", flat=True)) == set(FEW)
    (root / "leadline-complete").unlink()
    clock.look()
    assert only().state == "received"


@pytest.mark.parametrize(
    "name",
    ["a/.two.dat.xK3q9Z", "a/.~tmp~/two.dat", ".rsync-partial/two.dat", "two.dat.filepart", "x.PART", ".in.two.dat."],
)
def test_what_is_still_on_its_way_holds_it_up_and_is_named(drop, clock, name):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"tw")
    clock.look()
    clock.look(10)
    assert (only().state, only().reason) == ("arriving", "")
    clock.look(30)
    assert "still on their way, as" in only().reason
    assert Path(name).name in only().reason
    (root / name).unlink()
    clock.look()
    clock.look()
    assert (only().state, only().reason) == ("complete", "")


@pytest.mark.parametrize("name", ["a/.profile", "part", "data.parts", ".config.old", "a.b.c", "x.tmp"])
def test_ordinary_names_are_not_taken_for_partial_ones(name):
    assert not looking.is_partial(name)


def test_files_that_never_come_are_told_and_a_person_may_have_it_received_as_it_is(drop, clock):
    cruise = make.cruise(state="ended")
    root = make.delivery(drop / cruise.cruise_id, FEW)
    (root / "three.dat").write_bytes(b"thr")  # a part of it: rsync --partial leaves such under the final name
    clock.look()
    clock.look(31)
    waits = only()
    assert "1 of the 3 files in its list are not here, or not whole, as three.dat" in waits.reason
    assert Arrival.objects.for_people().count() == 1
    assert Letter.objects.get(to="operator@example.org", subject=f"{waits} waits").body.startswith("1 of the 3")
    clock.look(31)
    assert Letter.objects.filter(subject=f"{waits} waits").count() == 1
    arrivals.receive_now(arrival=waits, by=make.person("operator"))
    jobs.drain(["inventory.receive"])
    assert only().state == "received"


def test_a_marker_beside_a_list_with_more_files_is_believed_after_the_quiet(drop, clock):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    (root / "three.dat").unlink()
    (root / "leadline-complete").touch()
    clock.look()
    clock.look(29)
    assert (only().state, only().reason) == ("arriving", "")
    clock.look()
    jobs.drain(["inventory.receive"])
    assert only().state == "received"
    assert dict(only().distribution.files.values_list("path", "state"))["three.dat"] == "missing"


def test_a_refused_list_waits_with_its_lines_until_it_is_mended(drop, clock):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    good = (root / "delivery.md5").read_text()
    (root / "delivery.md5").write_text(good + "     4  " + "0" * 32 + "  ../../etc/passwd\n")
    clock.look()
    clock.look(31)
    jobs.drain(["inventory.receive"])
    assert only().state == "refused"
    assert "line 4" in only().faults[0]
    clock.look()
    assert only().state == "refused"
    (root / "delivery.md5").write_text(good)
    clock.look()
    assert (only().state, only().faults) == ("arriving", [])
    clock.look()
    clock.look()
    jobs.drain(["inventory.receive"])
    assert only().state == "received"


def test_without_a_list_it_is_refused_and_no_letter_tells_our_paths(drop, clock):
    cruise = make.cruise(state="ended")
    (drop / cruise.cruise_id).mkdir()
    (drop / cruise.cruise_id / "one.dat").write_bytes(b"1")
    clock.look()
    clock.look(31)
    jobs.drain(["inventory.receive"])
    refused = only()
    assert refused.state == "refused"
    assert f"There is no manifest in {cruise.cruise_id}. Go there" in refused.reason
    assert not Letter.objects.filter(body__contains=str(drop)).exists()
    assert Letter.objects.filter(body__contains="There is no manifest in").exists()


def test_archives_and_bags_are_received_too(drop, clock):
    one, two = make.cruise(state="ended"), make.cruise(state="ended")
    with tarfile.open(drop / f"{one.cruise_id}.tar.gz", "w:gz") as tape:
        tape.add(make.delivery(drop.parent / "packed", FEW), arcname=one.cruise_id)
    bag = make.delivery(drop / two.cruise_id / "the bag" / "data", FEW, "../manifest-md5.txt").parent
    bare_lines = [
        line.lstrip().partition("  ")[2].replace("./", "data/") + "\n"
        for line in (bag / "manifest-md5.txt").read_text().splitlines()
    ]
    (bag / "manifest-md5.txt").write_text("".join(bare_lines))
    (bag / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    clock.look()
    clock.look(31)
    assert states() == {f"{one.cruise_id}.tar.gz": "complete", f"{two.cruise_id}/the bag": "complete"}
    assert set(Arrival.objects.values_list("shape", flat=True)) == {"archive", "bag"}
    jobs.drain(["inventory.receive"])
    assert set(states().values()) == {"received"}
    assert {f"data/{path}" for path in FEW} <= set(two.distributions.get().files.values_list("path", flat=True))


def test_any_path_size_or_time_changes_the_mark_and_nothing_else_does(tmp_path):
    root = make.delivery(tmp_path / "d", FEW)

    def mark() -> str:
        return looking.look(root, "directory", lambda count: None).mark

    marks = [mark()]
    (root / "a/one.dat").rename(root / "a/eins.dat")
    marks.append(mark())
    os.utime(root / "three.dat", ns=(1, 1_000_000_001))
    marks.append(mark())
    os.utime(root / "three.dat", ns=(1, 1_000_000_002))
    marks.append(mark())
    (root / "three.dat").write_bytes(b"longer than it was")
    os.utime(root / "three.dat", ns=(1, 1_000_000_002))
    marks.append(mark())
    assert len(set(marks)) == len(marks)
    (root / "empty").mkdir()
    (root / "leadline-complete").touch()
    (root / "three.dat").chmod(0o600)
    assert mark() == marks[-1]


# --- whose it is ----------------------------------------------------------------------------------------------------


def test_the_name_tells_the_cruise():
    made = [make.cruise(name) for name in ("TS2601", "TS2601-A")]
    for name, expected in (
        ("TS2601", made[0]),
        ("TS2601.tar.gz", made[0]),
        ("TS2601-B second try", made[0]),
        ("TS2601-A_2", made[1]),
        ("ts2601", None),
        ("TS26012", None),
        ("disk", None),
        ("…", None),
    ):
        assert layout.cruise_of(name) == expected, name
    assert "upper case counts" in layout.unknown("ts2601")


def test_an_unknown_cruise_waits_until_it_is_known(drop, clock):
    make.delivery(drop / "TS9901", FEW)
    clock.look()
    clock.look(31)
    waits = only()
    assert (waits.state, waits.cruise, waits.operator) == ("arriving", None, None)
    assert "no cruise of the name TS9901" in waits.reason
    assert not Arrival.objects.visible_to(make.person("operator")).exists()
    with pytest.raises(NotLikeThis, match="is not known"):
        arrivals.receive_now(arrival=waits, by=CONSOLE)
    make.cruise("TS9901", state="ended")
    clock.look()
    clock.look()
    assert (only().state, only().reason, only().operator) == ("complete", "", make.operator())


@pytest.mark.parametrize(("state", "said"), [("planned", "is planned"), ("at sea", "is at sea"), ("cancelled", "canc")])
def test_a_cruise_that_is_not_back_receives_nothing_by_itself(drop, clock, state, said):
    cruise = make.cruise(state=state)
    make.delivery(drop / cruise.cruise_id, FEW)
    clock.look()
    clock.look()
    assert only().state == "arriving"
    assert said in only().reason
    if state != "cancelled":
        arrivals.receive_now(arrival=only(), by=make.person("operator"))
        jobs.drain(["inventory.receive"])
        assert only().state == "received"


def test_an_approved_record_is_not_overturned(home, drop, clock):
    made = make.round_of_review(home, "approved")
    make.delivery(drop / made.cruise.cruise_id, FEW)
    clock.look()
    clock.look()
    assert "is approved" in only().reason


def test_in_an_operators_own_folder_only_cruises_of_that_operator_are_received(drop, clock):
    own, rival = make.cruise(state="ended"), make.person("rival")
    make.delivery(drop / "org.example.rival" / own.cruise_id, FEW)
    make.delivery(drop / "org.example.ships" / own.cruise_id, FEW)
    clock.look()
    clock.look()
    refused = Arrival.objects.get(path__startswith="org.example.rival")
    assert (refused.state, refused.operator_id) == ("refused", "org.example.rival")
    assert "is no cruise of Rival Ships" in refused.reason
    assert Letter.objects.filter(to=rival.email, subject__contains="was not received").exists()
    with pytest.raises(NotYou):
        arrivals.receive_now(arrival=refused, by=rival)
    assert Arrival.objects.get(path__startswith="org.example.ships").state == "complete"


# --- a second one, a changed one, one that goes ---------------------------------------------------------------------


def received(drop: Path, clock: Clock) -> tuple[Cruise, Path]:
    cruise = make.cruise(state="ended")
    root = make.delivery(drop / cruise.cruise_id, FEW)
    clock.look()
    clock.look()
    jobs.drain(["inventory.receive"])
    return cruise, root


def test_a_second_delivery_waits_for_a_persons_yes(drop, clock):
    cruise, _ = received(drop, clock)
    make.delivery(drop / f"{cruise.cruise_id}-2", FEW | {"four.dat": b"4"})
    clock.look()
    clock.look()
    second = Arrival.objects.get(path=f"{cruise.cruise_id}-2")
    assert (second.state, cruise.distributions.count()) == ("offered", 1)
    assert "shipment" in second.reason
    assert Letter.objects.filter(subject=f"{second} waits for your word").exists()
    assert jobs.drain(["inventory.receive"]) == 0
    arrivals.receive_now(arrival=second, by=make.person("operator"))
    assert jobs.drain(["inventory.receive"]) == 1
    second.refresh_from_db()
    assert (second.state, second.distribution.number) == ("received", 2)


def test_what_changes_after_it_was_received_is_told_and_received_again_only_by_a_person(drop, clock):
    cruise, root = received(drop, clock)
    make.delivery(root, FEW | {"three.dat": b"mended"})
    clock.look()
    changed = only()
    assert (changed.state, cruise.distributions.count()) == ("changed", 1)
    assert Letter.objects.filter(subject__contains="changed after it was received").count() == 1
    clock.look(60)
    assert jobs.drain(["inventory.receive"]) == 0
    arrivals.receive_now(arrival=changed, by=make.person("manager"))
    jobs.drain(["inventory.receive"])
    assert (only().state, only().distribution.number) == ("received", 2)
    clock.look()
    assert only().state == "received"


def test_gone_and_back_again(drop, clock):
    cruise, root = received(drop, clock)
    (drop / "TS0000").mkdir()
    clock.look()
    root.rename(drop.parent / "away")
    shutil.rmtree(drop / "TS0000")
    assert "is its disk mounted" in clock.look().remarks[0]  # an empty folder is most likely none
    assert states()[cruise.cruise_id] == "received"
    (drop / "TS0001").mkdir()
    clock.look()
    assert states() == {cruise.cruise_id: "gone", "TS0000": "gone", "TS0001": "arriving"}
    (drop.parent / "away").rename(root)
    (drop / "TS0000").mkdir()
    clock.look()
    assert states() == {cruise.cruise_id: "received", "TS0000": "arriving", "TS0001": "arriving"}


def test_what_changed_and_went_is_changed_still_when_it_is_back(drop, clock):
    _, root = received(drop, clock)
    (drop / "TS0000").mkdir()
    (root / "three.dat").write_bytes(b"other")
    clock.look()
    root.rename(drop.parent / "away")
    clock.look()
    (drop.parent / "away").rename(root)
    clock.look()
    assert states()[root.name] == "changed"


def test_a_disk_that_fails_is_no_change_and_a_link_in_its_place_is(drop, clock, monkeypatch):
    _, root = received(drop, clock)
    scandir = os.scandir

    def fails(place: Any = ".") -> Any:
        if place in (os.fsencode(root / "a"), str(root / "a")):
            raise OSError(5, "Input/output error", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", fails)
    clock.look()
    assert (only().state, only().files) == ("received", 2)
    monkeypatch.undo()
    monkeypatch.setattr("django.conf.settings.DROP_FOLDER", drop)
    clock.look()
    assert (only().state, only().files) == ("received", 4)
    root.rename(drop.parent / "away")
    root.symlink_to(drop.parent / "away")
    clock.look()
    assert only().state == "changed"


def test_nobody_can_flood_the_waiting_lists(drop, clock, monkeypatch):
    monkeypatch.setattr(watching, "MOST_UNKNOWN", 3)
    monkeypatch.setattr(watching, "MOST_OF_ONE", 2)
    cruise = make.cruise(state="ended")
    for number in range(5):
        (drop / f"{cruise.cruise_id}-{number}").mkdir()
        (drop / f"disk{number}").mkdir()
    said = clock.look().remarks
    assert (len(said), Arrival.objects.filter(cruise=cruise).count(), Arrival.objects.count()) == (5, 2, 5)
    assert f"{cruise.cruise_id}-2 is one too many" in "; ".join(said)


def test_looking_again_begins_anew(drop, clock):
    make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    clock.look()
    arrivals.leave_out(arrival=only(), by=make.person("operator"), note="not this one")
    assert clock.look(60).looked_at == 0
    arrivals.look_again(arrival=only(), by=make.person("operator"))
    assert watching.waiting() == ["drop"]
    clock.look(everything=False)
    assert (only().state, only().changed_at) == ("arriving", clock.at)
    clock.look()
    assert only().state == "complete"


# --- the layout -----------------------------------------------------------------------------------------------------


def test_several_deliveries_in_the_folder_of_a_cruise(drop, clock):
    cruise = make.cruise(state="ended")
    folder = drop / cruise.cruise_id
    (folder / "disk1").mkdir(parents=True)
    (folder / "disk1/three.dat").write_bytes(FEW["three.dat"])
    clock.look()
    assert states() == {cruise.cruise_id: "arriving"}
    bare(folder / "disk1")
    clock.look()
    assert states() == {cruise.cruise_id: "gone", f"{cruise.cruise_id}/disk1": "arriving"}
    clock.look()
    assert states()[f"{cruise.cruise_id}/disk1"] == "arriving"  # here only time or a marker tells that it is whole
    (folder / "leadline-complete").touch()
    clock.look()
    clock.look()
    jobs.drain(["inventory.receive"])
    (folder / "disk2/deep").mkdir(parents=True)
    (folder / "disk2/deep/x").write_bytes(b"x")
    clock.look()
    assert states() == {
        cruise.cruise_id: "gone",
        f"{cruise.cruise_id}/disk1": "received",
        f"{cruise.cruise_id}/disk2": "arriving",
    }


def test_links_devices_and_what_cannot_be_read_are_refused_one_by_one(drop, clock, tmp_path, monkeypatch):
    cruises = [make.cruise(state="ended") for _ in range(4)]
    away = make.delivery(tmp_path / "away", FEW)
    (drop / cruises[0].cruise_id).symlink_to(away)
    os.mkfifo(drop / cruises[1].cruise_id)
    root = make.delivery(drop / cruises[2].cruise_id, FEW)
    (root / "out").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    (drop / ".hidden").mkdir()
    (drop / "README").write_text("hello")
    locked = make.delivery(drop / cruises[3].cruise_id, FEW)
    scandir = os.scandir

    def refuse(place: Any = ".") -> Any:
        if os.fspath(place) in (str(locked), os.fsencode(locked)):
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    clock.look()
    clock.look()
    rows = {row.path: row for row in Arrival.objects.all()}
    assert {path: row.state for path, row in rows.items()} == {
        cruises[0].cruise_id: "refused",
        cruises[1].cruise_id: "refused",
        cruises[2].cruise_id: "complete",
        cruises[3].cruise_id: "arriving",
    }
    assert "It is a link" in rows[cruises[0].cruise_id].reason
    assert "neither a directory nor a file" in rows[cruises[1].cruise_id].reason
    assert "cannot be read: Permission denied" in rows[cruises[3].cruise_id].reason
    assert rows[cruises[2].cruise_id].remarks == [
        "out is a symbolic link and is not taken in",
        "pipe is not a regular file and is not taken in",
    ]
    monkeypatch.undo()


def test_a_link_put_in_the_place_of_a_delivery_is_not_followed(drop, clock, tmp_path):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    clock.look()
    clock.look()
    root.rename(tmp_path / "away")
    root.symlink_to(tmp_path / "away")
    jobs.drain(["inventory.receive"])
    assert only().state == "refused"
    assert "through a link" in only().reason
    clock.look()
    assert only().state == "refused"


def test_names_keep_their_bytes(drop, clock):
    name = os.fsdecode(b"TS\xff2601\n")
    make.delivery(drop / name, FEW)
    clock.look()
    clock.look()
    assert only().shown == r"TS\xff2601\n"
    assert only().place == drop / name
    assert only().files == 4


def test_a_time_that_no_calendar_has_stops_nothing(drop, clock):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    try:
        os.utime(root / "three.dat", (1e13, 1e13))
    except OSError:
        pytest.skip("this disk has no such times")
    clock.look()
    clock.look()
    jobs.drain(["inventory.receive"])
    assert only().state == "received"


def test_what_is_received_is_looked_at_more_seldom(drop, clock):
    received(drop, clock)
    for minutes, looks in ((1, 1), (1, 1), (60, 1), (5, 0), (2, 1), (60 * 24 * 30, 1), (60 * 23, 0), (61, 1)):
        assert clock.look(minutes, everything=False).looked_at == looks, minutes


# --- the pages ------------------------------------------------------------------------------------------------------


def test_the_pages_say_where_it_lies_how_much_of_it_and_what_it_waits_for(drop, clock, browse):
    cruise = make.cruise(state="ended")
    make.delivery(drop / cruise.cruise_id, FEW)
    make.delivery(drop / "disk", FEW)
    clock.look()
    ours = Arrival.objects.get(cruise=cruise)
    assert ours.whole_at == clock.at + dt.timedelta(minutes=30)
    for page in (f"/arrivals/{ours.uuid}/", "/arrivals/"):
        text = browse("operator").get(page).content.decode()
        assert f"Whole at {ours.whole_at:%H:%M} UTC if nothing changes till then" in text
        assert str(drop) not in text
        assert "Quiet since" in text
    text = browse("operator").get(f"/cruise/{cruise.cruise_id}/receive/").content.decode()
    assert "in the drop folder, 3 files" in text
    assert ", into the drop folder, where it is received by itself" in text
    (drop / cruise.cruise_id / "three.dat").unlink()
    clock.look()
    text = browse("operator").get("/arrivals/").content.decode()
    assert ("Waits for 1 more files of its list" in text, "Whole at" in text) == (True, False)
    clock.look(31)
    text = browse("manager").get("/arrivals/").content.decode()
    assert "There is no cruise of the name disk" in text
    assert "Delivery disk: arriving. There is no cruise of the name disk" in browse("manager").get("/").content.decode()
    assert "no cruise of the name" not in browse("operator").get("/arrivals/").content.decode()
    stranger = Arrival.objects.get(cruise=None)
    assert "Look again" in browse("manager").get(f"/arrivals/{stranger.uuid}/").content.decode()
    assert browse("operator").get(f"/arrivals/{stranger.uuid}/").status_code == 404
    for page in ("/", f"/cruise/{cruise.cruise_id}/"):
        assert "drop" not in browse(None).get(page).content.decode()


# --- the door and the command ---------------------------------------------------------------------------------------


def test_the_door_looks_once_a_minute_and_leaves_one_row(drop, clock):
    make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    assert watching.waiting() == ["drop"]
    assert jobs.perform("inventory.sweep", "drop")
    assert watching.waiting() == []
    assert jobs.drain(BOTH) == 0
    for _ in range(2):
        Work.objects.update(ended_at=timezone.now() - dt.timedelta(minutes=1))
        Arrival.objects.update(due_at=None)
        assert watching.waiting() == ["drop"]
        jobs.drain(BOTH)
    assert only().state == "received"
    assert Work.objects.filter(door="inventory.sweep").count() == 1


def test_who_asks_for_a_look_gets_one_at_once_and_only_one(drop, clock):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    assert jobs.drain(["inventory.sweep"]) == 1
    shutil.rmtree(root)
    arrivals.look_again(arrival=only(), by=make.person("operator"))
    assert watching.waiting() == ["drop"]
    assert jobs.drain(["inventory.sweep"]) == 1
    assert only().looked_at is None  # the folder is empty: its disk is not there
    assert watching.waiting() == []


def test_by_the_real_clock_too_one_look_is_not_enough(drop):
    root = make.delivery(drop / make.cruise(state="ended").cruise_id, FEW)
    (root / "leadline-complete").touch()
    watching.sweep(told=lambda count: None)
    assert only().state == "arriving"
    watching.sweep(told=lambda count: None)
    assert only().state == "arriving"  # not due yet
    watching.sweep(told=lambda count: None, everything=True)
    assert only().state == "complete"


def test_off_or_unreadable(drop, clock, settings):
    shutil.rmtree(drop)
    with pytest.raises(NotNow, match="cannot be listed"):
        clock.look()
    assert [found.id for found in checks.drop_folder(None)] == []  # ours is made
    assert drop.is_dir()
    settings.DROP_FOLDER = drop / "no such"
    assert [found.id for found in checks.drop_folder(None)] == ["leadline.E008"]
    settings.DROP_FOLDER = settings.HOME.parent
    assert [found.id for found in checks.drop_folder(None)] == ["leadline.E009"]
    settings.DROP_FOLDER = None
    assert checks.drop_folder(None) == []
    assert watching.waiting() == []
    with pytest.raises(NotNow, match="LEADLINE_DROP is off"):
        clock.look()


def test_the_command_looks_receives_and_tells(drop, capsys):
    known = make.cruise("TS2601", state="ended")
    make.delivery(drop / "TS2601", FEW)
    make.delivery(drop / "disk", FEW)
    first, second = run("watch", "--once"), run("watch", "--once")
    assert (first["there"], first["looked at"], first["received"]) == (2, 2, [])
    assert second["received"] == [f"TS2601: received as {known.distributions.get()}"]
    assert [(row["path"], row["state"], row["cruise"]) for row in second["arrivals"]] == [("disk", "arriving", None)]
    assert str(drop) not in str(second)
    call_command("watch", "--once")
    said = capsys.readouterr().out
    assert "2 deliveries in the drop folder, 2 looked at" in said
    assert "arriving   disk (no cruise): 4 files" in said


def test_the_command_refuses_what_it_cannot_do(drop, settings):
    with pytest.raises(CommandError, match="takes the role"):
        call_command("watch", "--once", "--by", make.person("stranger").email)
    shutil.rmtree(drop)
    with pytest.raises(CommandError, match="cannot be listed"):
        call_command("watch", "--once")
    settings.DROP_FOLDER = None
    with pytest.raises(CommandError, match="LEADLINE_DROP is off"):
        call_command("watch")
