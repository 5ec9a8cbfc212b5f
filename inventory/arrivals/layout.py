"""What lies in the drop folder: which of its entries are deliveries, and by their names of which cruise.

`CRUISE/` is a delivery, and so is `CRUISE.tar.gz` or `CRUISE-2/` beside it; `CRUISE/NAME/` where nothing but deliveries
lies in `CRUISE/`. The same in `OPERATOR/`, the folder of an operator's account. Names with a dot in front are skipped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from inventory import manifests, paths, unpacking
from portal.models import Cruise

MARKER: Final = "leadline-complete"  # an empty file that the sender writes last
MOST_ENTRIES: Final = 20_000  # of one folder
MOST_NAMES: Final = 10_000  # of a directory's root, looked at for a manifest
_SEPARATOR: Final = re.compile(r"[._ -]")
_OPEN: Final = frozenset({"arriving", "gone"})  # states in which it is not settled yet what a folder is


@dataclass(frozen=True, slots=True)
class Item:
    """A delivery in the drop folder.

    `path` is below the drop folder, in the text form of inventory.paths; `name` tells the cruise; `operator` is the id
    of whose folder it lies in, if any; `nested` in a folder of its cruise; `told` by a marker there that it is whole.
    `fault` says why it is none, as a sentence.
    """

    path: str
    name: str
    operator: str = ""
    nested: bool = False
    told: bool = False
    fault: str = ""


def found(drop: Path, operators: Collection[str], known: Mapping[str, str]) -> Iterator[Item]:
    """Every delivery in the drop folder. `known` maps paths that were seen before to their states.

    What was once taken for a delivery, or for a folder of several, stays so. Raises OSError when it cannot be listed.
    """
    parents = {path.rpartition("/")[0] for path in known}
    for entry in _entries(drop):
        name = _text(entry)
        if name in operators and entry.is_dir(follow_symlinks=False):
            try:
                inner = _entries(entry.path)
            except OSError as error:
                yield Item(name, name, operator=name, fault=f"The folder cannot be read: {error.strerror}.")
                continue
            for one in inner:
                yield from _items(one, f"{name}/{_text(one)}", name, known, parents)
        else:
            yield from _items(entry, name, "", known, parents)


def _items(
    entry: os.DirEntry[str], path: str, operator: str, known: Mapping[str, str], parents: Collection[str]
) -> Iterator[Item]:
    name = _text(entry)
    if entry.is_file(follow_symlinks=False):
        if unpacking.is_archive(Path(entry.name)):
            yield Item(path, name, operator)
        return
    if not entry.is_dir(follow_symlinks=False):
        kind = "a link" if entry.is_symlink() else "neither a directory nor a file"
        yield Item(path, name, operator=operator, fault=f"It is {kind}, which is not followed. Copy the files instead.")
        return
    if known.get(path, "gone") in _OPEN:
        try:
            inner = _entries(entry.path)
        except OSError:
            inner = []  # the look at it tells why
        if path in parents or _holds_deliveries(inner):
            yield from _several(inner, path, name, operator)
            return
    yield Item(path, name, operator)


def _several(entries: list[os.DirEntry[str]], folder: str, name: str, operator: str) -> Iterator[Item]:
    inner = [entry for entry in entries if entry.is_dir(follow_symlinks=False) or _is_archive(entry)]
    told = len(inner) == 1 and any(entry.name == MARKER for entry in entries)
    for entry in inner:
        yield Item(f"{folder}/{_text(entry)}", name, operator, nested=True, told=told)


def _holds_deliveries(entries: list[os.DirEntry[str]]) -> bool:
    """Whether all in it are deliveries: archives, their checksums, directories with their own manifest or marker."""
    archives = {entry.name for entry in entries if _is_archive(entry)}
    some = bool(archives)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not _is_delivery(entry):
                return False
            some = True
        elif not (entry.name in archives or entry.name == MARKER or entry.name.rpartition(".")[0] in archives):
            return False
    return some


def _is_archive(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False) and unpacking.is_archive(Path(entry.name))


def _is_delivery(entry: os.DirEntry[str]) -> bool:
    try:
        with os.scandir(entry.path) as listing:
            names = {one.name for one in islice(listing, MOST_NAMES) if one.is_file(follow_symlinks=False)}
    except OSError:
        return False
    return "bagit.txt" in names or MARKER in names or manifests.find(names) is not None


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as listing:
        entries = [e for e in islice(listing, MOST_ENTRIES) if not e.name.startswith(".") and e.name != "lost+found"]
    return sorted(entries, key=lambda entry: os.fsencode(entry.name))


def _text(entry: os.DirEntry[str]) -> str:
    return paths.of_system(entry.name)


def cruise_of(name: str) -> Cruise | None:
    """The cruise that a name tells: its id as registered, alone or before a dot, dash, underscore or blank."""
    ends = [found.start() for found in _SEPARATOR.finditer(name)] + [len(name)]
    rows = Cruise.objects.select_related("vessel__operator").filter(cruise_id__in=[name[:end] for end in ends])
    return max(rows, key=lambda cruise: len(cruise.cruise_id), default=None)


def unknown(name: str) -> str:
    """Says that no cruise is known by this name, and what to do."""
    start = _SEPARATOR.split(name)[0]
    near = Cruise.objects.filter(cruise_id__iexact=start).first()
    if near is not None:
        return f"There is no cruise {paths.display(start)}; if {near} is meant, rename the folder: upper case counts."
    return (
        f"There is no cruise of the name {paths.display(name)}. Name the folder as the cruise id, "
        "or ingest the cruise's sailing orders."
    )


def reached(drop: Path, place: Path) -> bool:
    """Whether a place is what its path says: in the drop folder, and no part of the path a link."""
    return place.is_relative_to(drop) and place.resolve() == drop.resolve() / place.relative_to(drop)
