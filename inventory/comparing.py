"""Which inventories can be compared: shipments, manifests of any dialect, directories; each as a stream of files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from inventory import hashes, listing, manifests, paths, scan
from inventory.manifests import Comparison, ManifestRefused
from inventory.manifests.compare import File
from inventory.models import Distribution
from portal.access import Actor
from portal.models import Cruise
from portal.refusals import Fault, NotFound, NotLikeThis

Remark = Callable[[str], None]
MOST_KEPT = 40
_SHIPMENT = re.compile(r"([A-Za-z0-9-]{3,32})(?::(\d{1,6}))?(:delivered)?")


@dataclass(frozen=True, slots=True)
class Side:
    """One of two inventories. `name` is for people; `algorithms` are the hashes that it may have.

    `files` takes the hashes that the other side has, whom to tell what was left out, and whether to look for paths
    that come twice; it can be called again.
    `manifest` is the name of the manifest in the root that lists these files and is none of them, or ""; `mark`
    changes with the files.
    """

    name: str
    algorithms: tuple[str, ...]
    files: Callable[[Sequence[str], Remark, bool], Iterator[File]]
    manifest: str = ""
    mark: str = ""


def find(text: str, *, by: Actor, root: str | None = None) -> Side:
    """The inventory that somebody at a console means.

    `text` is a cruise id (its shipment in force), CRUISE:N (its shipment N), either with ":delivered" (what its
    manifest says, not what was found), a directory, or a manifest; `root` is the folder before each path of the
    manifest. A cruise goes before a file of the same name. Raises NotFound, NotLikeThis.
    """
    if shape := _SHIPMENT.fullmatch(text):
        cruise = Cruise.objects.visible_to(by).filter(cruise_id__iexact=shape[1]).first()
        if cruise is not None:
            return shipment(numbered(cruise, int(shape[2]) if shape[2] else None), delivered=bool(shape[3]))
    path = Path(text)
    if path.is_dir():
        return directory(path)
    if path.is_file():
        return manifest(path, path.name, root=root)
    raise NotFound(f"{text} is neither a cruise here (CRUISE or CRUISE:N for shipment N) nor a file nor a directory.")


def numbered(cruise: Cruise, number: int | None) -> Distribution:
    """The shipment of this number, or the one in force. Raises NotFound."""
    if number is None:
        found = cruise.distributions.current().select_related("cruise").first()
    else:
        found = cruise.distributions.select_related("cruise").filter(number=number).first()
    if found is None:
        raise NotFound(
            f"No distribution of {cruise} was received yet."
            if number is None
            else f"There is no shipment {number} of {cruise}."
        )
    return found


def shipment(distribution: Distribution, *, delivered: bool = False) -> Side:
    """A shipment as it was found, or as its manifest says."""

    def files(_: Sequence[str], __: Remark, ___: bool) -> Iterator[File]:
        entries = listing.entries(distribution, listing.DELIVERED if delivered else listing.STANDING)
        return ((entry.path, entry.size, entry.hashes) for entry in entries)

    name = f"{distribution}, as delivered" if delivered else str(distribution)
    left = distribution.chunks.aggregate(Sum("files"))["files__sum"] if distribution.state == "received" else -1
    mark = f"{distribution.uuid} {delivered} {distribution.since.isoformat()} {distribution.verified_at} {left}"
    told = listing.algorithms(distribution) if delivered or distribution.verified_at is None else hashes.KEPT
    return Side(name, told, files, distribution.manifest_name, mark)


def manifest(file: Path, name: str, *, root: str | None = None, sha256: str = "") -> Side:
    """A manifest of any dialect; `sha256` in hex digits, where it is known.

    Raises NotLikeThis for one that cannot be read, with line and reason.
    """

    @contextmanager
    def refusing() -> Iterator[None]:
        try:
            yield
        except ManifestRefused as error:
            raise NotLikeThis(f"{name} is refused.", [Fault(name, error.reason, error.line)]) from error
        except OSError as error:
            raise NotLikeThis(f"{name} cannot be read: {error.strerror}.") from error

    def files(_: Sequence[str], __: Remark, once: bool) -> Iterator[File]:
        with refusing(), file.open("rb") as stream:
            entries = manifests.read(stream, root=root).entries
            for entry in manifests.unique(entries) if once else entries:
                if entry.path != name:
                    yield entry.path, entry.size, entry.hashes

    with refusing(), file.open("rb") as stream:
        algorithms = manifests.read(stream, root=root).algorithms
        mark = manifest_mark(name, sha256 or digest(file), root)
    return Side(f"manifest {name}", algorithms, files, name, mark)


def digest(file: Path) -> str:
    """The SHA-256 of a file, in hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest_mark(name: str, sha256: str, root: str | None = None) -> str:
    """The mark of a manifest of this name and content; `sha256` as hex digits."""
    return f"{name} {sha256} {root}"


def directory(root: Path) -> Side:
    """A directory whose files are read while it is walked; links are not followed."""

    def files(algorithms: Sequence[str], remark: Remark, _: bool) -> Iterator[File]:
        known = [name for name in algorithms if name in hashlib.algorithms_available] or list(hashes.KEPT)
        try:
            for found in scan.walk(root, lambda path, why: remark(f"{paths.display(path)} {why}")):
                digests: dict[str, str] = {}
                try:
                    digests = _hashes(root, found.path, known)
                except OSError as error:
                    remark(f"{paths.display(found.path)} could not be read: {error.strerror or error}")
                yield found.path, found.size, digests
        except scan.RootGone as error:
            raise NotLikeThis(f"{error}.") from error

    return Side(f"directory {root}", (), files)


def _hashes(root: Path, path: str, algorithms: Sequence[str]) -> dict[str, str]:
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with os.fdopen(scan.open_inside(root, path), "rb", buffering=0) as file:
        while block := file.read(scan.BLOCK):
            for digest in digests.values():
                digest.update(block)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def compare(before: Side, now: Side, file: Path, *, remark: Remark, keep_matched: bool = False) -> Comparison:
    """Compares two inventories into a new file; see manifests.compare for memory and words.

    The manifest of the one side is left out of the other, where a directory holds it beside what it lists.
    Raises NotLikeThis with the line of a manifest that cannot be trusted.
    """

    def sides(once: bool) -> tuple[Iterator[File], Iterator[File]]:
        return (
            _without(before.files(now.algorithms, remark, once), now.manifest if not before.algorithms else ""),
            _without(now.files(before.algorithms, remark, once), before.manifest if not now.algorithms else ""),
        )

    try:
        return manifests.compare(*sides(False), file, keep_matched=keep_matched)
    except ValueError:  # a manifest that repeats itself, which is rare: only now is each path remembered
        return manifests.compare(*sides(True), file, keep_matched=keep_matched)


def _without(files: Iterable[File], name: str) -> Iterator[File]:
    return (file for file in files if file[0] != name) if name else iter(files)


def known(before: str, now: str) -> Comparison | None:
    """The comparison of two sides of these marks, if it was made and is kept."""
    file = _kept_as(before, now)
    with contextlib.suppress(FileNotFoundError):
        os.utime(file)
        return Comparison(file)
    return None


def kept(before: Side, now: Side) -> Comparison:
    """A comparison for a page, made once and looked at page by page, for as long as neither side changes.

    The last MOST_KEPT comparisons stay in the home; an older one is made again when somebody asks.
    """
    if (found := known(before.mark, now.mark)) is not None:
        return found
    file, place = _kept_as(before.mark, now.mark), home()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        made = Path(folder) / "result"
        compare(before, now, made, remark=lambda _: None)
        made.replace(file)
    by_age = sorted(place.glob("*.kept"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[MOST_KEPT:]:
        old.unlink(missing_ok=True)
    return Comparison(file)


def _kept_as(before: str, now: str) -> Path:
    key = hashlib.sha256(repr((before, now)).encode()).hexdigest()
    return home() / f"{key}.kept"


def home() -> Path:
    """The folder of comparisons: those that are kept, those being made, those asked for."""
    place: Path = settings.HOME / "comparisons"
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def compared(before: Side, now: Side, *, remark: Remark, keep_matched: bool = False) -> Iterator[Comparison]:
    """A comparison that lies in a temporary folder of the home for as long as it is looked at."""
    with tempfile.TemporaryDirectory(dir=home()) as folder:
        yield compare(before, now, Path(folder) / "result", remark=remark, keep_matched=keep_matched)
