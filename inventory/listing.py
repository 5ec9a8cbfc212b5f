"""Listings of an inventory: folders with their sums, searches, and its files as entries of a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db.models import Count, Q, Sum

from inventory import hashes, paths, scan
from inventory.finding import Lot
from inventory.manifests import Entry
from inventory.models import Directory, Distribution
from inventory.staging import path_key

MOST_FOLDERS = 500
ATTENTION = ("changed", "missing", "unreadable", "moved", "new")


def folders(distribution: Distribution, directory: str) -> list[dict[str, Any]]:
    """The folders inside a directory, each with files, bytes, and how many need a look, everything below counted.

    At most MOST_FOLDERS of them and one more.
    """
    if not distribution.counted:
        return _counted_here(distribution, directory)[: MOST_FOLDERS + 1]
    rows = distribution.directories.filter(parent=path_key(directory)).order_by("pk")[: MOST_FOLDERS + 1]
    found = []
    for path, files, size, states in rows.values_list("path", "files", "bytes", "states"):
        name = path.rpartition("/")[2]
        attention = sum(states.get(state, 0) for state in ATTENTION)
        entry = {"name": name, "path": path, "files": files, "bytes": size, "attention": attention}
        found.append(entry | {"shown": paths.display(name)})
    return found


def inside(distribution: Distribution, directory: str) -> Lot:
    """The files directly in a directory."""
    files = distribution.files.filter(directory=directory)
    if not distribution.counted:
        return Lot(files, files.count())
    known = Directory.objects.filter(distribution=distribution, key=path_key(directory))
    number, first, last = known.values_list("own_files", "first", "last").first() or (0, 0, 0)
    return Lot(files, number, among=(first, last))


def _counted_here(distribution: Distribution, directory: str) -> list[dict[str, Any]]:
    """The same from the files themselves, for a distribution that was not counted yet."""
    rows = distribution.files.order_by()
    if directory:
        rows = rows.filter(directory__startswith=f"{directory}/")
    grouped = rows.values("directory").annotate(
        files=Count("pk"), bytes=Sum("size"), attention=Count("pk", filter=Q(state__in=ATTENTION))
    )
    start = len(directory) + 1 if directory else 0
    found: dict[str, dict[str, Any]] = {}
    for row in grouped:
        name = row["directory"][start:].partition("/")[0]
        if not name:
            continue
        path = f"{directory}/{name}" if directory else name
        entry = found.setdefault(name, {"name": name, "path": path, "files": 0, "bytes": 0, "attention": 0})
        for key in ("files", "bytes", "attention"):
            entry[key] += row[key] or 0
    return [found[name] | {"shown": paths.display(name)} for name in sorted(found)]


def trail(directory: str) -> list[dict[str, str]]:
    """The directories above and including this one, for the bread crumbs."""
    parts = directory.split("/") if directory else []
    return [{"name": paths.display(part), "path": "/".join(parts[: n + 1])} for n, part in enumerate(parts)]


FOUND, DELIVERED, STANDING, DISK = "found", "delivered", "standing", "disk"
PROMISED = ("delivered_size", "delivered_md5", "delivered_sha256", "delivered_hashes")


def entries(distribution: Distribution, said: str = FOUND) -> Iterator[Entry]:
    """The files of a shipment in the order of their paths.

    "found": every file that was read, with our size and hashes; "delivered": every file of the manifest as the ship
    told it, whatever it told; "standing": every file that is here, the unread ones with the hashes of the manifest;
    "disk": what was found, and after it the manifest itself, which is no part of the inventory but lies on the disk.
    """
    rows: Any = distribution.files.order_by("path")
    if said == DELIVERED:
        listed: Any = rows.filter(in_manifest=True).values_list("path", *PROMISED)
        for path, size, *told in listed.iterator(chunk_size=5000):
            yield Entry(path, size, None, hashes.told(*told), 0)
        return
    rows = rows.exclude(state="missing")
    if said in (FOUND, DISK):
        rows = rows.exclude(md5="")
    names = ("path", "size", "changed_at", "md5", "sha256", "state")
    for path, size, at, md5, sha256, state, length, *told in rows.values_list(*names, *PROMISED).iterator(
        chunk_size=5000
    ):
        unread = not md5 and state in ("listed", "expected")
        found = (md5, sha256, hashes.proven(*told) if state == "matched" else None)
        known = hashes.told(*(told if unread else found))
        yield Entry(path, length if size is None else size, at, known, 0)
    if said == DISK and (manifest := manifest_there(distribution)):
        yield manifest


def manifest_there(distribution: Distribution) -> Entry | None:
    """The manifest in the root of a shipment as an entry, where it is still the one that was received."""
    try:
        read = scan.read(Path(distribution.root), distribution.manifest_name)
    except (OSError, paths.PathRefused):
        return None
    same = read.sha256 == distribution.manifest_sha256
    told = {"md5": read.md5, "sha256": read.sha256}
    return Entry(distribution.manifest_name, read.size, None, told, 0) if same else None


def algorithms(distribution: Distribution) -> tuple[str, ...]:
    """The hashes that a manifest tells: those of a hundred files stand for all, as each tool writes them."""
    rows = distribution.files.filter(in_manifest=True).order_by()  # in no order: a million would be sorted for it
    found = {*hashes.KEPT}
    for others in rows.values_list("delivered_hashes", flat=True)[:100]:
        found |= hashes.unpack(others).keys()
    return *hashes.KEPT, *sorted(found - {*hashes.KEPT})
