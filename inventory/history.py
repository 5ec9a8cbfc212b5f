"""The history of a path over the shipments of a cruise: when it came, changed, vanished, came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef

from inventory import hashes, paths
from inventory.finding import Found, Lot, find
from inventory.models import Distribution, File
from inventory.staging import path_key
from portal.leaves import Asked
from portal.models import Cruise
from portal.refusals import NotFound

CAME, SAME, CHANGED, VANISHED, ABSENT, BACK = "came", "same", "changed", "vanished", "absent", "came back"
UNPROVEN = "there"  # no hash and no size to compare with


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a path in one shipment: `word` is one of the above; `file` is None where it is not listed.

    "changed" and "same" are said against the last shipment that had the file, by hash where both have one, else by
    size, and "there" where neither can be compared. A file that its manifest lists and the disk has not is absent.
    """

    distribution: Distribution
    word: str
    file: File | None

    @property
    def size(self) -> int | None:
        """Bytes found, or else delivered; None when it is not there or unknown."""
        return _size(self.file) if self.file is not None else None

    @property
    def hashes(self) -> dict[str, str]:
        """The hashes that we found, or else those delivered."""
        return _hashes(self.file) if self.file is not None else {}


def of_path(cruise: Cruise, path: str) -> list[Step]:
    """One step for each shipment since the path first came, oldest first. Raises NotFound for a path never listed."""
    shipments = list(cruise.distributions.order_by("number"))
    files = {
        file.distribution_id: file
        for file in File.objects.filter(distribution__in=shipments, path_key=path_key(path), path=path)
    }
    if not files:
        raise NotFound(f"No shipment of {cruise} has a file {paths.display(path)}.")
    steps: list[Step] = []
    last: File | None = None
    for shipment in shipments:
        file = files.get(shipment.pk)
        if file is None and not steps:
            continue
        steps.append(Step(shipment, _word(steps[-1] if steps else None, last, file), file))
        if file is not None and file.state != "missing":
            last = file
    return steps


def _word(before: Step | None, last: File | None, file: File | None) -> str:
    if file is None or file.state == "missing":
        return VANISHED if before is not None and before.word not in (VANISHED, ABSENT) else ABSENT
    if last is None:
        return CAME
    if before is not None and before.word in (VANISHED, ABSENT):
        return BACK
    old, new = _hashes(last), _hashes(file)
    shared = old.keys() & new.keys()
    if shared:
        return SAME if all(old[name] == new[name] for name in shared) else CHANGED
    if _size(last) is None or _size(file) is None:
        return UNPROVEN
    return SAME if _size(last) == _size(file) else CHANGED


def _size(file: File) -> int | None:
    return file.delivered_size if file.size is None else file.size


def _hashes(file: File) -> dict[str, str]:
    listed = (file.delivered_md5, file.delivered_sha256, file.delivered_hashes)
    if not file.md5:
        return hashes.told(*listed)
    return hashes.told(file.md5, file.sha256, hashes.proven(*listed) if file.state == "matched" else None)


def search(cruise: Cruise, words: str, which: Asked, size: int) -> tuple[Found, list[dict[str, Any]]]:
    """A leaf of the paths of all shipments that hold every word (at most 8) or fit a pattern, as they came first.

    Besides, of each: path, in how many shipments, the first, the last.
    """
    shipments = list(cruise.distributions.select_related("total").order_by("number"))
    every = File.objects.filter(distribution__in=shipments)
    rows = every.filter(~Exists(every.filter(path_key=OuterRef("path_key"), pk__lt=OuterRef("pk"))))
    found = find(shipments, Lot(rows, sum(s.total.files for s in shipments if s.counted)), words, which, size)
    told = every.filter(path_key__in=[file.path_key for file in found.leaf]).order_by().values("path")
    sums = told.annotate(shipments=Count("pk"), first=Min("distribution__number"), last=Max("distribution__number"))
    by_path = {row["path"]: row for row in sums}
    return found, [by_path[file.path] for file in found.leaf]


def as_json(steps: list[Step]) -> list[dict[str, Any]]:
    """The steps as plain values."""
    return [
        {
            "shipment": step.distribution.number,
            "received_at": step.distribution.received_at,
            "word": step.word,
            "size": step.size,
            "hashes": step.hashes,
            "state": step.file.state if step.file else None,
            "note": step.file.note if step.file else "",
        }
        for step in steps
    ]
