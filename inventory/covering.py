"""Reads when and where the files of a distribution were measured: period and track of each, and of its data sets."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.contrib.gis.geos import LineString, MultiLineString, Point
from django.db import transaction
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery
from django.utils import timezone

from inventory import finding, footprints, scan
from inventory.coverage.along import Course
from inventory.coverage.readers import CURRENT, EDITION, reader_of
from inventory.coverage.reading import Source, Unreadable
from inventory.coverage.shape import Shape, shape
from inventory.models import Classification, Coverage, Covered, Dataset, Distribution, File, Track
from inventory.states import UNTIMED
from inventory.track import course
from portal import access, journal, leaves
from portal.access import Actor
from portal.models import Cruise, Work
from portal.refusals import NotNow
from portal.work import Progress

DOOR: Final = "inventory.cover"
BATCH: Final = 200  # files read between two writings: what a kill costs
MOST_TRIES: Final = 5  # refusals after which it waits until somebody wakes it: a disk does not mount itself
THERE: Final = ("matched", "changed", "moved", "new")
MARGIN: Final = dt.timedelta(days=30)  # around the cruise; a time outside is a fault of a clock
HARBOUR: Final = dt.timedelta(days=2)  # around the cruise; the period of a data set is of files that lie within
KEPT: Final = [field.name for field in Coverage._meta.concrete_fields if field.name not in ("id", "file")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file of a class that is read: its row, what it holds, and its coverage as far as it is known."""

    pk: int
    path: str
    path_key: UUID
    size: int
    content: UUID | None
    read: tuple[str, int, UUID | None] | None

    @property
    def is_done(self) -> bool:
        """Whether a present reader has read just this content."""
        return self.read is not None and self.read[:2] in CURRENT and self.read[2] == self.content


def waiting() -> list[str]:
    """Classified distributions in force whose files are not read since their last classification, or by old readers.

    They wait for their track, which places what has no position of its own. One that was refused often waits until
    somebody wakes it.
    """
    numbers = Classification.objects.filter(distribution=OuterRef("pk")).order_by("-number").values("number")
    found = Distribution.objects.filter(state="classified").annotate(latest=Subquery(numbers[:1]))
    found = found.filter(tracks__classification=F("latest"))
    done = Covered.objects.filter(
        distribution=OuterRef("pk"),
        classification=OuterRef("latest"),
        edition=EDITION,
        track_made_at=OuterRef("tracks__made_at"),
    )
    failed = Work.objects.filter(door=DOOR, state="failed").order_by().values("key").annotate(n=Count("pk"))
    tired = set(failed.filter(n__gte=MOST_TRIES).values_list("key", flat=True))
    left = found.alias(done=Subquery(done.values("pk")[:1])).filter(done__isnull=True)
    keys = [str(pk) for pk in left.order_by("pk").values_list("pk", flat=True)]
    return [key for key in keys if key not in tired]


def run(key: str, progress: Progress) -> None:
    """Job: reads the files of one distribution. May be said twice; goes on where it was stopped."""
    distribution = Distribution.objects.select_related("cruise__vessel").get(pk=key)
    if distribution.state == "classified" and key in waiting():
        cover(distribution=distribution, by=access.WORKER, progress=progress)


def cover(*, distribution: Distribution, by: Actor, progress: Progress) -> Covered | None:
    """Reads what is not read yet by the present readers, and places by the cruise's track what tells only its times.

    Written down every BATCH files; ends there with None once its turn is over, and goes on from there when said again.
    A file that cannot be read gets a row that tells why. Raises NotYou, NotNow (not classified, directory gone).
    """
    access.require(by, "coverage.make", distribution)
    if distribution.state != "classified":
        raise NotNow(f"{distribution} is {distribution.state}; classify its files first.")
    number = distribution.classifications.aggregate(Max("number"))["number__max"] or 0
    made = Track.objects.filter(distribution=distribution).first()
    along = course(made) if made else Course()
    before = Covered.objects.filter(distribution=distribution).first()
    wanted = _files(distribution).count()
    progress.describe(f"Reading periods of {distribution}", distribution.cruise, total=wanted, unit="files")
    _forget(distribution)
    if not _read_all(distribution, along, progress):
        return None
    if made and (before is None or before.track_made_at != made.made_at):
        _place_anew(distribution, along, progress)
    footprints.make(distribution, _window(distribution.cruise, HARBOUR), progress.beat)
    return _close(distribution, number, made, by)


def _files(distribution: Distribution) -> Any:
    """Files of the classes that are read, and that are there."""
    classes = Dataset.objects.filter(cruise=distribution.cruise_id).exclude(device_class__in=UNTIMED)
    return distribution.files.filter(dataset__in=classes, excluded=False, state__in=THERE)


def _forget(distribution: Distribution) -> None:
    """Drops what is known of files that are not of these classes any more: excluded ones above all."""
    rows = Coverage.objects.filter(distribution=distribution)
    rows.exclude(file__in=_files(distribution)).delete()


def _read_all(distribution: Distribution, along: Course, progress: Progress) -> bool:
    """Reads what is not read yet; says whether it came to the end."""
    root, among, after = Path(distribution.root), finding.narrowed(distribution).among, 0
    while batch := _batch(distribution, after, among):
        after = batch[-1].pk
        new = [one for one in batch if not one.is_done]
        if new and not scan.there(root):
            raise NotNow(
                f"The directory {root} is not there any more. Mount the disk again; reading goes on from there."
            )
        rows = _carried(distribution, new)
        with scan.Opener(root) as opener:
            for one in new:
                if one.pk not in rows:
                    rows[one.pk] = _read(distribution, one, opener)
                    progress.beat()
        for row in rows.values():
            _place(row, along)
        if new and not scan.there(root):
            raise NotNow(f"The directory {root} vanished while it was read. Mount the disk again.")
        Coverage.objects.bulk_create(
            rows.values(), batch_size=BATCH, update_conflicts=True, unique_fields=["file"], update_fields=KEPT
        )
        progress.advance(len(batch), sum(one.size for one in new))
        if new and progress.gives_way():
            return False
    return True


def _batch(distribution: Distribution, after: int, among: tuple[int, int] | None) -> list[_Wanted]:
    """The next files, in the order of their keys, with what is known of them."""
    names = ("pk", "path", "path_key", "size", "sha256")
    known = ("coverage__reader", "coverage__reader_version", "coverage__content")
    rows = leaves.forth(_files(distribution).values_list(*names, *known), after, BATCH, among)
    return [
        _Wanted(pk, path, key, size or 0, _content(sha256), None if version is None else (reader, version, content))
        for pk, path, key, size, sha256, reader, version, content in rows
    ]


def _content(sha256: str) -> UUID | None:
    return UUID(sha256[:32]) if sha256 else None


def _carried(distribution: Distribution, files: Sequence[_Wanted]) -> dict[int, Coverage]:
    """What an earlier shipment tells of the same content under the same path: no need to read that again."""
    wanted = {(one.path_key, one.content): one.pk for one in files if one.content}
    earlier = Coverage.objects.filter(
        distribution__cruise=distribution.cruise_id,
        distribution__state="superseded",
        file__path_key__in=[key for key, _ in wanted],
    ).select_related("file")
    rows = {}
    for row in earlier.order_by("distribution__number"):
        pk = wanted.get((row.file.path_key, row.content)) if row.content else None
        if pk is not None and (row.reader, row.reader_version) in CURRENT:
            row.pk, row.file_id, row.distribution = None, pk, distribution
            if row.derived:
                row.geometry, row.derived, row.points = None, False, 0
            row._state.adding = True
            rows[pk] = row
    return rows


def _read(distribution: Distribution, file: _Wanted, opener: scan.Opener) -> Coverage:
    """One file's coverage. What goes wrong stands in its remark, and the file is tried again with the next reading."""
    row = Coverage(
        file_id=file.pk,
        distribution=distribution,
        reader_version=EDITION,
        content=file.content,
        read_at=timezone.now(),
    )
    folder = file.path.rpartition("/")[0]

    def beside(name: str) -> int | None:
        try:
            return opener.open(f"{folder}/{name}" if folder else name)[0]
        except OSError:
            return None

    try:
        handle, _ = opener.open(file.path)
    except OSError as error:
        row.content, row.remark = None, f"it cannot be opened: {error.strerror or error}"
        return row
    try:
        source = Source(handle, file.path.rpartition("/")[2], beside=beside)
        reader = reader_of(source)
        if reader is None:
            row.remark = "no reader knows its format"
            return row
        row.reader, row.reader_version = reader.name, reader.version
        reading = reader.read(source)
        row.format, row.instrument = reading.format, reading.instrument
        _draw(row, shape(reading, _window(distribution.cruise, MARGIN)))
    except Unreadable as error:
        row.remark = str(error)
    except OSError as error:
        row.content, row.remark = None, f"the disk does not give it: {error.strerror or error}"
    finally:
        os.close(handle)
    return row


def _window(cruise: Cruise, margin: dt.timedelta) -> tuple[int, int]:
    """First and last ms since 1970 of the cruise's days, widened by the margin."""
    begin = dt.datetime.combine(cruise.depart_date, dt.time(), dt.UTC) - margin
    end = dt.datetime.combine(cruise.arrive_date, dt.time(), dt.UTC) + dt.timedelta(days=1) + margin
    return int(begin.timestamp() * 1000), int(end.timestamp() * 1000)


def _moment(ms: int | None) -> dt.datetime | None:
    """The moment, or None for a time of which no calendar of ours knows."""
    try:
        return None if ms is None else dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _draw(row: Coverage, made: Shape) -> None:
    row.first_at, row.last_at = _moment(made.first), _moment(made.last)
    if row.first_at is None or row.last_at is None:
        row.first_at = row.last_at = None
    if made.lines:
        row.geometry = MultiLineString([LineString(line) for line in made.lines], srid=4326)
    elif made.point:
        row.geometry = Point(made.point, srid=4326)
    row.points, row.tolerance_deg = made.points, made.tolerance
    row.remark = "; ".join(made.remarks)[:2000]


def _place(row: Coverage, along: Course) -> None:
    """Puts a file that tells only its period where the ship was then."""
    if row.geometry is not None or row.first_at is None or row.last_at is None:
        return
    made = along.between(int(row.first_at.timestamp() * 1000), int(row.last_at.timestamp() * 1000))
    if made is not None:
        first, last, remark = row.first_at, row.last_at, row.remark
        _draw(row, made)
        row.first_at, row.last_at, row.remark, row.derived = first, last, remark, True


def _place_anew(distribution: Distribution, along: Course, progress: Progress) -> None:
    """The track is another one: what it placed before is placed along it."""
    rows = Coverage.objects.filter(distribution=distribution, first_at__isnull=False)
    rows = rows.filter(Q(derived=True) | Q(geometry__isnull=True)).order_by("pk")
    for some in _batches(rows):
        for row in some:
            row.geometry, row.derived, row.points, row.tolerance_deg = None, False, 0, 0.0
            _place(row, along)
        Coverage.objects.bulk_update(some, ["geometry", "derived", "points", "tolerance_deg"], batch_size=BATCH)
        progress.beat()


def _batches(rows: Any) -> Iterator[list[Coverage]]:
    after = 0
    while some := list(rows.filter(pk__gt=after)[:BATCH]):
        after = some[-1].pk
        yield some


@transaction.atomic
def _close(distribution: Distribution, number: int, made: Track | None, by: Actor) -> Covered:
    """Notes that all is read, and the periods of the data sets."""
    rows = Coverage.objects.filter(distribution=distribution)
    counts = rows.aggregate(files=Count("pk"), timed=Count("first_at"), placed=Count("geometry"))
    _periods(distribution)
    covered, _ = Covered.objects.update_or_create(
        distribution=distribution,
        defaults={
            "classification": number,
            "edition": EDITION,
            "track_made_at": made.made_at if made else None,
            "at": timezone.now(),
            **counts,
        },
    )
    journal.record(by, "coverage.make", distribution, changes={name: [None, n] for name, n in counts.items()})
    return covered


def _periods(distribution: Distribution) -> None:
    """First and last measurement of each data set, of its files that lie within the cruise.

    What stands in an approved record is not changed; what is not known yet is filled in.
    """
    begin, end = (_moment(ms) for ms in _window(distribution.cruise, HARBOUR))
    rows = Coverage.objects.filter(distribution=distribution, last_at__gte=begin, first_at__lte=end)
    found = rows.order_by().values("file__dataset").annotate(first=Min("first_at"), last=Max("last_at"))
    for row in found:
        datasets = Dataset.objects.filter(pk=row["file__dataset"])
        if distribution.cruise.approved_at:
            datasets = datasets.filter(first_at__isnull=True)
        datasets.update(first_at=row["first"], last_at=row["last"])


def remarks(distribution: Distribution, most: int) -> list[tuple[File, str]]:
    """Files of which neither period nor position is known, each with the reason; the first `most` by path."""
    rows = Coverage.objects.filter(distribution=distribution, first_at__isnull=True, geometry__isnull=True)
    return [(row.file, row.remark) for row in rows.select_related("file").order_by("file__path")[:most]]
