"""Periods and tracks of files: read once, gone on with after a stop, and dropped for what is excluded."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.geos import MultiLineString, Point
from django.core.management import CommandError, call_command

from inventory import classify, covering, intake, profiles, track
from inventory.coverage.reading import Source
from inventory.models import Coverage, Covered, Dataset, Distribution
from inventory.profiles import RuleText
from portal import jobs, work
from portal.access import CONSOLE
from portal.models import JournalEntry, Work
from portal.refusals import NotNow, NotYou
from portal.work import Progress
from tests import make

pytestmark = pytest.mark.django_db
HEADER = (
    b"* Sea-Bird SBE 9 Data File:\r\n* Number of Bytes Per Scan = 40\r\n"
    b"* NMEA Latitude = 36 30.00 N\r\n* NMEA Longitude = 025 30.00 W\r\n"
    b"* NMEA UTC (Time) = Mar 03 2026 08:00:00\r\n*END*\r\n"
)
MET = b"".join(b"2026-03-02T10:%02d:00.5Z MET,1,2\n" % minute for minute in range(60))
FILES = make.FILES | {"data/ctd/raw/cast001.hdr": HEADER, "data/adcp/raw/wind.txt": MET}


def delivered(home: Path, files: dict[str, bytes] | None = None) -> Distribution:
    return make.distribution(home / "deliveries", "classified", files=FILES if files is None else files)


def cover(made: Distribution) -> Covered:
    assert jobs.perform(covering.DOOR, str(made.pk))
    return Covered.objects.get(distribution=made)


def rows(made: Distribution) -> dict[str, Coverage]:
    return {row.file.path: row for row in Coverage.objects.filter(distribution=made).select_related("file")}


def test_periods_and_places_of_every_kind(home: Path):
    made = delivered(home)
    assert covering.waiting() == [str(made.pk)]
    covered = cover(made)
    found = rows(made)
    nav = found["data/gnss/raw/day1"]
    assert isinstance(nav.geometry, MultiLineString)
    assert (nav.first_at, nav.derived) == (dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC), False)
    cast = found["data/ctd/raw/cast001.hdr"]
    assert isinstance(cast.geometry, Point)
    assert cast.geometry.coords == (-25.5, 36.5)
    wind = found["data/adcp/raw/wind.txt"]
    assert (wind.derived, wind.geometry.geom_type) == (True, "MultiLineString")
    assert wind.geometry.extent == pytest.approx(nav.geometry.extent, abs=0.001)
    assert found["data/adcp/raw/a.raw"].remark == "no reader knows its format"
    assert "docs/report.txt" not in found
    assert "science/notes.txt" not in found
    assert (covered.files, covered.timed, covered.placed) == (5, 4, 4)
    assert covering.waiting() == []
    assert JournalEntry.objects.filter(verb="coverage.make").count() == 1
    ctd = Dataset.objects.get(cruise=made.cruise, device_class="ctd")
    assert ctd.first_at == dt.datetime(2026, 3, 3, 8, tzinfo=dt.UTC)


def test_the_job_twice_reads_nothing_again(home: Path, monkeypatch: pytest.MonkeyPatch):
    made = delivered(home)
    cover(made)
    before = {path: row.read_at for path, row in rows(made).items()}
    jobs.perform(covering.DOOR, str(made.pk))
    with Progress.claim(covering.DOOR, str(made.pk)) as progress:
        covering.cover(distribution=made, by=CONSOLE, progress=progress)
    assert {path: row.read_at for path, row in rows(made).items()} == before


def test_a_long_reading_lets_other_work_pass(home: Path, monkeypatch: pytest.MonkeyPatch):
    made = delivered(home)
    monkeypatch.setattr(covering, "BATCH", 1)
    for turn in (1, 2):
        assert jobs.perform(covering.DOOR, str(made.pk), turn=-1.0)
        assert Coverage.objects.count() == turn
        assert not Covered.objects.exists()
        assert covering.waiting() == [str(made.pk)]
    kept = {row.pk: row.read_at for row in Coverage.objects.all()}
    cover(made)
    assert Coverage.objects.count() > 2
    assert {row.pk: row.read_at for row in Coverage.objects.filter(pk__in=kept)} == kept
    assert covering.waiting() == []


def test_it_goes_on_where_it_was_stopped(home: Path, monkeypatch: pytest.MonkeyPatch):
    made = delivered(home)
    monkeypatch.setattr(covering, "BATCH", 2)
    read = covering._read
    opened: list[object] = []

    def killed(*words: Any) -> Coverage:
        if len(opened) == 3:
            raise KeyboardInterrupt
        opened.append(words)
        return read(*words)

    monkeypatch.setattr(covering, "_read", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.perform(covering.DOOR, str(made.pk))
    kept = {path: row.read_at for path, row in rows(made).items()}
    assert 0 < len(kept) < 5
    assert covering.waiting() == [str(made.pk)]
    monkeypatch.setattr(covering, "_read", read)
    cover(made)
    after = rows(made)
    assert len(after) == 5
    assert {path: after[path].read_at for path in kept} == kept


def test_a_worker_that_was_only_thought_dead_writes_no_more(home: Path, monkeypatch: pytest.MonkeyPatch):
    made = delivered(home)
    monkeypatch.setattr(work, "BEAT_SECONDS", 0.0)
    with Progress.claim(covering.DOOR, str(made.pk)) as progress:
        Work.objects.filter(pk=progress.row.pk).update(state="interrupted")
        covering.cover(distribution=made, by=CONSOLE, progress=progress)
    assert not Covered.objects.exists()


def test_a_new_reader_reads_again_what_is_its_own_and_what_nobody_took(home: Path, monkeypatch: pytest.MonkeyPatch):
    made = delivered(home)
    cover(made)
    Coverage.objects.filter(reader="log").update(reader_version=0)
    Coverage.objects.filter(reader="").update(reader_version=0)
    Covered.objects.update(edition=0)
    before = {path: row.read_at for path, row in rows(made).items()}
    assert covering.waiting() == [str(made.pk)]
    cover(made)
    again = {path for path, row in rows(made).items() if row.read_at != before[path]}
    assert again == {"data/gnss/raw/day1", "data/adcp/raw/wind.txt", "data/adcp/raw/a.raw"}


def test_what_a_new_classification_excludes_is_forgotten(home: Path):
    made = delivered(home)
    cover(made)
    rules = [RuleText("data/ctd/**", exclude=True, reason="personal"), *make.RULES]
    profiles.save(vessel=made.cruise.vessel, rules=rules, by=CONSOLE)
    classify.classify(distribution=made, by=CONSOLE)
    hidden = Coverage.objects.visible_to(make.person("admin"))
    assert not hidden.filter(file__path__contains="ctd").exists()
    assert covering.waiting() == []  # the track comes first
    track.make(distribution=made, by=CONSOLE)
    cover(made)
    assert not [path for path in rows(made) if "ctd" in path]
    assert len(rows(made)) == 3


def test_a_redelivery_reads_only_what_is_new(home: Path, monkeypatch: pytest.MonkeyPatch):
    made = delivered(home)
    cover(made)
    second = home / "deliveries" / "again"
    make.delivery(second, FILES | {"data/adcp/raw/wind.txt": MET.replace(b"10:", b"11:", 30)})
    again = intake.receive(cruise=made.cruise, root=second, by=CONSOLE).distribution
    jobs.drain(["inventory.verify", "inventory.classify", "inventory.navigate"])
    opened: list[str] = []
    plain = Source.__init__

    def counted(self: Source, file: int, name: str, **more: object) -> None:
        opened.append(name)
        plain(self, file, name, **more)

    monkeypatch.setattr(Source, "__init__", counted)
    cover(again)
    assert opened == ["wind.txt"]
    assert len(rows(again)) == len(rows(made)) == 5
    seen = Coverage.objects.visible_to(make.person("manager"))
    assert set(seen.values_list("distribution", flat=True)) == {again.pk}


def test_another_track_places_anew_what_it_placed(home: Path):
    made = delivered(home)
    cover(made)
    Coverage.objects.filter(derived=True).update(geometry=Point(0, 0, srid=4326))
    track.make(distribution=made, by=CONSOLE)
    assert covering.waiting() == [str(made.pk)]
    cover(made)
    wind, cast = rows(made)["data/adcp/raw/wind.txt"], rows(made)["data/ctd/raw/cast001.hdr"]
    assert wind.geometry.geom_type == "MultiLineString"
    assert cast.geometry.coords == (-25.5, 36.5)


def test_a_root_that_is_gone_is_told_and_rests_after_a_while(home: Path):
    made = delivered(home)
    shutil.rmtree(made.root)
    for _ in range(covering.MOST_TRIES):
        assert not jobs.perform(covering.DOOR, str(made.pk))
    last = Work.objects.filter(door=covering.DOOR).order_by("-pk").first()
    assert "Mount the disk again" in last.message
    assert covering.waiting() == []
    work.wake(covering.DOOR, str(made.pk))
    assert covering.waiting() == [str(made.pk)]


def test_a_file_that_vanished_is_told_and_tried_again(home: Path):
    made = delivered(home)
    victim = Path(made.root) / "data/ctd/raw/cast001.hdr"
    kept = victim.read_bytes()
    victim.unlink()
    cover(made)
    assert "cannot be opened" in rows(made)["data/ctd/raw/cast001.hdr"].remark
    victim.write_bytes(kept)
    with Progress.claim(covering.DOOR, str(made.pk)) as progress:
        covering.cover(distribution=made, by=CONSOLE, progress=progress)
    assert rows(made)["data/ctd/raw/cast001.hdr"].remark == ""


def test_who_may_and_when(home: Path):
    made = delivered(home)
    with Progress.claim(covering.DOOR, "x") as progress:
        for name in ("operator", "chief", "stranger"):
            with pytest.raises(NotYou):
                covering.cover(distribution=made, by=make.person(name), progress=progress)
        Distribution.objects.update(state="verified")
        made.refresh_from_db()
        with pytest.raises(NotNow, match="classify"):
            covering.cover(distribution=made, by=make.person("manager"), progress=progress)


def test_a_wrong_clock_does_not_stretch_the_data_set_and_an_approved_record_stays(home: Path):
    old = b"1994-01-01T00:00:00Z MET,1\n" * 5
    made = delivered(home, FILES | {"data/adcp/raw/old.txt": old})
    cover(made)
    adcp = Dataset.objects.get(cruise=made.cruise, device_class="adcp")
    assert adcp.first_at == dt.datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=dt.UTC)
    assert "outside the days" in rows(made)["data/adcp/raw/old.txt"].remark
    made.cruise.approved_at = adcp.first_at
    made.cruise.save()
    then = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    Dataset.objects.filter(pk=adcp.pk).update(first_at=then, last_at=then)
    covering._periods(Distribution.objects.select_related("cruise").get(pk=made.pk))
    adcp.refresh_from_db()
    assert adcp.first_at == then


def test_by_command(home: Path):
    made = delivered(home)
    said = StringIO()
    call_command("cover", "--cruise", made.cruise.cruise_id, "--json", stdout=said)
    answer = json.loads(said.getvalue())
    assert (answer["files"], answer["with a period"], answer["with a position"]) == (5, 4, 4)
    assert answer["not read"] == ["data/adcp/raw/a.raw: no reader knows its format"]
    with Progress.claim(covering.DOOR, str(made.pk)), pytest.raises(CommandError, match="A worker"):
        call_command("cover", "--cruise", made.cruise.cruise_id)
    other = make.cruise(depart_date=dt.date(2026, 5, 1), arrive_date=dt.date(2026, 5, 9))
    with pytest.raises(CommandError, match="No distribution"):
        call_command("cover", "--cruise", other.cruise_id)
