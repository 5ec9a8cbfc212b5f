"""What becomes of a file that was looked at, written hundreds at a time, and of a distribution that is all read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from inventory import hashes, paths, scan, totals
from inventory.models import Distribution, File
from inventory.states import DISTRIBUTION
from inventory.verification.reading import Listed, Looked
from portal import access, journal

Row = tuple[int, "int | None", str, str, "dt.datetime | None", str, str]
COLUMNS = {
    "size": "bigint",
    "md5": "text",
    "sha256": "text",
    "verified_at": "timestamptz",
    "state": "text",
    "note": "text",
}


def verdict(listed: Listed, read: scan.Read) -> tuple[str, str]:
    """The word for a file that was read, and a remark. By hash where the manifest has one, else by size."""
    if not listed.in_manifest:
        return "new", ""
    other = hashes.to_read(listed.delivered_md5, listed.delivered_sha256, listed.delivered_hashes)
    told = hashes.unpack(listed.delivered_hashes)[other] if other else ""
    pairs = ((read.md5, listed.delivered_md5), (read.sha256, listed.delivered_sha256), (read.other, told))
    if any(theirs and ours != theirs for ours, theirs in pairs):
        return "changed", "its content is not what the manifest says"
    if listed.delivered_size is not None and read.size != listed.delivered_size:
        return "changed", f"has {read.size:,} bytes; the manifest says {listed.delivered_size:,}"
    if any(theirs for _, theirs in pairs):
        return "matched", ""
    unread = " and ".join(hashes.unpack(listed.delivered_hashes))
    return "matched", f"only its size: we cannot compute {unread}" if unread else "the manifest has no hash for it"


def gone(looked: Looked) -> bool:
    """Whether a file that no manifest names has vanished since the directory was listed."""
    return isinstance(looked.found, FileNotFoundError) and not looked.listed.in_manifest


def write(looked: Sequence[Looked]) -> None:
    """Writes down what came of these files, in the caller's transaction. One that is `gone` is left to `strike`."""
    now = timezone.now()
    rows = [_row(one, now) for one in looked if not gone(one)]
    if not rows:
        return
    table = File._meta.db_table
    # The names in the texts are ours.
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            values = ", ".join(f"%s::{kind}[]" for kind in ("bigint", *COLUMNS.values()))
            names = ", ".join(f"{name} = v.{name}" for name in COLUMNS)
            cursor.execute(
                f"UPDATE {table} AS f SET {names} "  # noqa: S608
                f"FROM unnest({values}) AS v(id, {', '.join(COLUMNS)}) WHERE f.id = v.id",
                [list(column) for column in zip(*rows, strict=True)],
            )
        else:
            names = ", ".join(f"{name} = %s" for name in COLUMNS)
            at_all = connection.ops.adapt_datetimefield_value(now)
            told = [(size, md5, sha, at and at_all, state, note, pk) for pk, size, md5, sha, at, state, note in rows]
            cursor.executemany(f"UPDATE {table} SET {names} WHERE id = %s", told)  # noqa: S608


def _row(looked: Looked, now: dt.datetime) -> Row:
    listed, found = looked
    if isinstance(found, scan.Read):
        return (listed.pk, found.size, found.md5, found.sha256, now, *verdict(listed, found))
    if isinstance(found, FileNotFoundError):
        note = "was there when the directory was listed, and is not any more"
        return (listed.pk, listed.size, "", "", None, "missing", note)
    return (listed.pk, listed.size, "", "", None, "unreadable", str(found.strerror or found))


def strike(distribution: Distribution, looked: Sequence[Looked]) -> None:
    """Takes files that no manifest names and that have vanished off the list, with a remark. The lock is held."""
    File.objects.filter(pk__in=[one.listed.pk for one in looked]).delete()
    why = "was there when the directory was listed and vanished before it was read; no manifest names it"
    remarks = [{"path": paths.display(one.listed.path), "why": why} for one in looked]
    distribution.problems = [*distribution.problems, *remarks][: scan.MOST_PROBLEMS]
    distribution.save(update_fields=["problems"])


# Pairs a missing file with a new one of the same content, the first with the first and each only once.
PAIRS = """
    SELECT gone.id AS gone_id, gone.path AS gone_path, here.id AS here_id, here.path AS here_path
    FROM (SELECT id, path, delivered_{hash} AS content,
                 row_number() OVER (PARTITION BY delivered_{hash} ORDER BY id) AS turn
          FROM {table}
          WHERE distribution_id = %s AND state = 'missing' AND delivered_{hash} <> '' AND {alone}) AS gone
    JOIN (SELECT id, path, {hash} AS content, row_number() OVER (PARTITION BY {hash} ORDER BY id) AS turn
          FROM {table} WHERE distribution_id = %s AND state = 'new' AND {hash} <> '') AS here
    ON here.content = gone.content AND here.turn = gone.turn
"""


def pair(distribution: Distribution) -> None:
    """Names what moved: two statements for each kind of hash, and no row comes out of the database."""
    table = File._meta.db_table
    with connection.cursor() as cursor:
        for kind, alone in (("md5", "1 = 1"), ("sha256", "delivered_md5 = ''")):
            pairs = PAIRS.format(hash=kind, table=table, alone=alone)
            for change in (
                f"UPDATE {table} SET note = 'moved to ' || p.here_path FROM ({pairs}) AS p "  # noqa: S608
                f"WHERE {table}.id = p.gone_id",
                # What was missing is still so: the same pairs again.
                f"UPDATE {table} SET state = 'moved', note = 'from ' || p.gone_path FROM ({pairs}) AS p "  # noqa: S608
                f"WHERE {table}.id = p.here_id",
            ):
                cursor.execute(change, [distribution.pk, distribution.pk])


def finish(distribution: Distribution) -> None:
    """Closes the verification of a distribution whose files are all read. The caller holds the lock."""
    pair(distribution)
    now = timezone.now()
    # Kept among the results: a disk with bad blocks must not hold up the rest for ever.
    distribution.files.filter(state="unreadable").update(verified_at=now)
    distribution.state = DISTRIBUTION.step(distribution.state, "distribution.verify")
    distribution.since = distribution.verified_at = now
    distribution.save(update_fields=["state", "since", "verified_at"])
    totals.recount(distribution)
    counts = {state: [None, row["files"]] for state, row in distribution.counts().items()}
    journal.record(access.WORKER, "distribution.verify", distribution, changes=counts)
