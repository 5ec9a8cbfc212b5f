"""Compares two inventories in the words of md5deep's audit: matched, changed, moved, missing, new.
The first is what was promised (the delivered list), the second what is there (the received files)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

MATCHED: Final = "matched"
CHANGED: Final = "changed"
MOVED: Final = "moved"
MISSING: Final = "missing"
NEW: Final = "new"

BY_HASH: Final = "hash"
BY_SIZE: Final = "size"
BY_NAME: Final = "name"

File = tuple[str, int | None, Mapping[str, str]]  # path, size in bytes, hashes


class Item(NamedTuple):
    """What became of one file.

    `verdict`: matched, changed, moved, missing, new. `basis`: "hash", or "size" when the two sides share no
    hash, or "name" when not even both sizes are known (then matched says only that the file is there).
    `was` is the old path of a moved file, else None.
    """

    verdict: str
    path: str
    basis: str
    was: str | None
    size_before: int | None
    size_now: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The items (in the order of the second inventory, then the missing ones) and how many there are of each.

    `counts` has all five verdicts. `unproven` counts the matched items that no hash confirms.
    matched + changed + moved + new is the number of files now; a file moved away from a path that now
    holds something else counts as moved, and the old path as changed.
    """

    counts: dict[str, int]
    unproven: int
    items: list[Item]

    @property
    def same(self) -> bool:
        """Whether every file is where it was with the content it had, and none came; proven or not."""
        return not any(number for verdict, number in self.counts.items() if verdict != MATCHED)


def compare(before: Iterable[File], now: Iterable[File], *, keep_matched: bool = True) -> Comparison:
    """Compare two inventories given as (path, size, hashes); a path may come once on each side.

    Moved: the same hash at a new path, and no longer at the old one; each old file is used once, one of the
    same file name first. Files compare by all hashes that both sides have; without a common one by size.
    Without `keep_matched` the matched items are only counted. Holds one side in memory.
    Raises ValueError when a path comes twice (pass manifests through `unique`).
    """
    counts = Counter({MATCHED: 0, CHANGED: 0, MOVED: 0, MISSING: 0, NEW: 0})
    unproven = 0
    items: list[Item] = []
    for item in _items(before, now):
        counts[item.verdict] += 1
        if item.verdict == MATCHED:
            unproven += item.basis != BY_HASH
            if not keep_matched:
                continue
        items.append(item)
    return Comparison(dict(counts), unproven, items)


def _items(before: Iterable[File], now: Iterable[File]) -> Iterator[Item]:
    known: dict[str, tuple[int | None, Mapping[str, str]]] = {}
    for path, size, hashes in before:
        if path in known:
            raise ValueError(f"{path!r} is twice in the first inventory")
        known[path] = size, hashes
    gone = dict(known)
    arrived: dict[str, tuple[int | None, Mapping[str, str]]] = {}
    replaced: dict[str, tuple[int | None, Mapping[str, str]]] = {}
    for path, size, hashes in now:
        if path in known and path in gone:
            old_size, old_hashes = gone.pop(path)
            verdict, basis = _verdict(old_size, old_hashes, size, hashes)
            if verdict == CHANGED and basis == BY_HASH:
                replaced[path] = old_size, old_hashes
            yield Item(verdict, path, basis, None, old_size, size)
        elif path in known or path in arrived:
            raise ValueError(f"{path!r} is twice in the second inventory")
        else:
            arrived[path] = size, hashes
    origins = _origins(arrived, gone, replaced)
    for path, (size, hashes) in arrived.items():
        was = origins.get(path)
        if was is None:
            yield Item(NEW, path, BY_HASH if hashes else BY_NAME, None, None, size)
        else:
            old_size, _ = gone.pop(was) if was in gone else replaced[was]
            yield Item(MOVED, path, BY_HASH, was, old_size, size)
    for path, (old_size, _) in gone.items():
        yield Item(MISSING, path, BY_NAME, None, old_size, None)


def _verdict(old_size: int | None, old: Mapping[str, str], size: int | None, new: Mapping[str, str]) -> tuple[str, str]:
    shared = old.keys() & new.keys()
    if shared:
        return (MATCHED if all(old[name] == new[name] for name in shared) else CHANGED), BY_HASH
    if old_size is not None and size is not None:
        return (MATCHED if old_size == size else CHANGED), BY_SIZE
    return MATCHED, BY_NAME


def _origins(
    arrived: Mapping[str, tuple[int | None, Mapping[str, str]]],
    gone: Mapping[str, tuple[int | None, Mapping[str, str]]],
    replaced: Mapping[str, tuple[int | None, Mapping[str, str]]],
) -> dict[str, str]:
    """New path -> old path of every file that moved; same file name first, then the inventories' order."""
    places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path, (_, hashes) in [*gone.items(), *replaced.items()]:
        for key in hashes.items():
            places[key].append(path)
    old = {**replaced, **gone}
    used: set[str] = set()
    origins: dict[str, str] = {}
    for same_name in (True, False):
        for path, (_, hashes) in arrived.items():
            if path in origins:
                continue
            for was in (place for key in hashes.items() for place in places.get(key, ())):
                if was in used or (same_name and _name(was) != _name(path)):
                    continue
                shared = old[was][1].keys() & hashes.keys()
                if all(old[was][1][name] == hashes[name] for name in shared):
                    origins[path] = was
                    used.add(was)
                    break
    return origins


def _name(path: str) -> str:
    return path.rpartition("/")[2]
