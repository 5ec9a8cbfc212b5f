"""Listings of an inventory: folders with their sums, searches, and manifests written back out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from inventory import manifests, paths
from inventory.manifests import Entry
from inventory.models import Distribution
from inventory.states import FILE_STATES

ATTENTION = ("changed", "missing", "unreadable", "moved", "new")


def folders(distribution: Distribution, directory: str) -> list[dict[str, Any]]:
    """The folders inside a directory, each with files, bytes, and how many need a look, everything below counted."""
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


def search(files: Any, *, words: str, state: str, dataset: str) -> Any:
    """Files of a state, of a data set ("none": of no data set), and whose path holds every word or fits a pattern.

    A word with * or ? is a pattern for the whole path, as in data/*/raw/*.hex.
    """
    if state in FILE_STATES:
        files = files.filter(state=state)
    if dataset == "none":
        files = files.filter(dataset__isnull=True, excluded=False)
    elif dataset == "excluded":
        files = files.filter(excluded=True)
    elif dataset:
        files = files.filter(dataset__uuid=_uuid(dataset))
    for word in words.split()[:8]:
        if re.search(r"[*?]", word):
            files = files.filter(path__regex=r"\A" + _sql_pattern(word[:200]) + r"\Z")
        else:
            files = files.filter(path__icontains=word)
    return files


def _sql_pattern(glob: str) -> str:
    """A glob as a regular expression that both databases understand."""
    glob = re.sub(r"\*+", "*", glob)
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def cell(value: Any) -> str:
    """A value for a CSV: times in UTC, nothing for the unknown."""
    if value is None:
        return ""
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else str(value)


def _entries(distribution: Distribution) -> Iterator[Entry]:
    """Every file that is here, with the hashes that we found."""
    names = ("path", "size", "changed_at", "md5", "sha256")
    here = distribution.files.exclude(md5="").exclude(state="missing").order_by("path")
    for path, size, changed_at, md5, sha256 in here.values_list(*names).iterator(chunk_size=5000):
        yield Entry(path, size, changed_at, {"md5": md5, "sha256": sha256}, 0)


def md5deep(distribution: Distribution) -> Iterator[bytes | str]:
    """The inventory as `md5deep -r -l -z` writes it."""
    return iter(manifests.write_md5deep(_entries(distribution)))


def hashdeep(distribution: Distribution) -> Iterator[bytes | str]:
    """The inventory as HASHDEEP-1.0, against which `hashdeep -r -l -a -k` audits a disk."""
    return iter(manifests.write_hashdeep(_entries(distribution), ("md5", "sha256")))
