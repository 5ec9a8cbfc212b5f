"""Verifies a log: that its chain holds, and that every row stands as its revisions tell. Names what was altered.

Read bit by bit, so that a log of 100,000 events fits; what is being changed meanwhile is looked at a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from eventlog import chain, filestore, history, replay, seal
from eventlog.models import FinalCopy, Log, Revision

MOST_NAMED = 1000  # findings that are named; the rest is counted
CHUNK = 2000
LINKED = {
    "event": ("operation",),
    "place": ("merged_into",),
    "term": ("replaced_by",),
    "attachment": ("event",),
    "file": ("operation",),
}
# Rows of these kinds are all told by revisions; buttons and words may have been there before the log.
TOLD = ("event", "operation", "attachment", "place")
_FOLLOWED = (*(name for name in chain.COVERED if name != "cruise_id"), "digest", "event__uuid")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was: `what` in two words, `where` it is, which `field`, and a sentence."""

    what: str
    where: str
    field: str
    says: str


@dataclass(slots=True)
class Report:
    """What verifying a log found. `ok`: nothing. `counts` are those of a seal; `head` is the digest of the chain."""

    cruise_id: str
    sequence: int = 0
    head: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    seals: int = 0
    findings: list[Finding] = field(default_factory=list)
    unnamed: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.findings

    def name(self, what: str, where: str, field: str, says: str) -> None:
        """Adds a finding; beyond MOST_NAMED it is only counted."""
        if len(self.findings) < MOST_NAMED:
            self.findings.append(Finding(what, where, field, says))
        else:
            self.unnamed += 1

    def told(self) -> dict[str, Any]:
        """The report as JSON."""
        return {**asdict(self), "ok": self.ok}


def check(log: Log, *, beat: Callable[[], None] = lambda: None) -> Report:
    """Recomputes the chain, replays every revision and compares the rows, the seals, the final copies and the files.

    `beat` is called now and then, for a job that must tell that it lives.
    """
    report = Report(log.cruise.cruise_id)
    if not protected():
        report.name("no protection", "table of revisions", "", "the database lets revisions be altered and deleted")
    seals = list(log.seals.order_by("sequence"))
    heads = _follow(log, report, {row.sequence for row in seals}, beat)
    report.counts = seal.none()
    counted = [seal.none() for _ in seals]
    for kind in history.TABLES:
        for rows in _replayed(log, kind, report, beat):
            seal.count(report.counts, kind, replay.state(rows))
            for row, counts in zip(seals, counted, strict=True):
                seal.count(counts, kind, replay.state(rows, row.sequence))
    _log_itself(log, report)
    report.counts["revisions"], report.seals = report.sequence, len(seals)
    for row, counts in zip(seals, counted, strict=True):
        counts["revisions"] = row.sequence
        for fault in seal.compare(row, heads.get(row.sequence), counts):
            report.name("altered seal", str(row), *fault)
    if log.state == "closed" and not seals:
        report.name("missing seal", str(log), "", "the log is closed and has no seal; seal it again to have one")
    _copies(log, report, {name: digest for row in seals for name, digest in row.checksums.items()})
    _files(log, report, beat)
    return report


def protected() -> bool:
    """Whether the database refuses to alter and delete revisions."""
    table = Revision._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgname = %s AND tgenabled IN ('O', 'A')",
                [f"{table}_append_only"],
            )
            return bool(cursor.fetchone()[0] == 1)
        names = [f"{table}_no_update", f"{table}_no_delete"]
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s)", names)
        return bool(cursor.fetchone()[0] == 2)


def _follow(log: Log, report: Report, wanted: set[int], beat: Callable[[], None]) -> dict[int, str]:
    """Follows the chain; the digests of the revisions that seals name."""
    follower, heads = chain.Follower(report.cruise_id), {}
    rows = log.revisions.order_by("sequence").values(*_FOLLOWED).iterator(chunk_size=CHUNK)
    for row in rows:
        for fault in follower.follow(row):
            where = f"revision {fault.sequence}"
            if fault.what == "missing":
                where = where if fault.last == fault.sequence else f"revisions {fault.sequence} to {fault.last}"
            else:
                where += f" ({row['verb']} of {row['thing']} {row['thing_uuid']}, number {row['number']})"
            report.name(f"{fault.what} revision", where, "", fault.why)
        if row["event__uuid"] != (row["thing_uuid"] if row["thing"] == "event" else None):
            report.name("altered revision", f"revision {row['sequence']}", "event", "it hangs on another event")
        if row["sequence"] in wanted:
            heads[row["sequence"]] = row["digest"]
        if row["sequence"] % CHUNK == 0:
            beat()
    report.sequence, report.head = follower.sequence, follower.head
    return heads


def _replayed(log: Log, kind: str, report: Report, beat: Callable[[], None]) -> Iterator[list[dict[str, Any]]]:
    """The revisions of each thing of a kind, compared on the way with the row as it stands.

    Both come in the order of the UUIDs, so that one of each is held at a time.
    """
    standing = _rows(log, kind).iterator(chunk_size=CHUNK)
    row = next(standing, None)
    for index, (_, uuid, revisions) in enumerate(history.histories(log, kind)):
        while row is not None and row.uuid < uuid:
            _without_history(log, kind, row, report)
            row = next(standing, None)
        if row is not None and row.uuid == uuid:
            _compare(log, kind, row, revisions, report)
            row = next(standing, None)
        else:
            _compare(log, kind, None, revisions, report)
        yield revisions
        if index % CHUNK == 0:
            beat()
    while row is not None:
        _without_history(log, kind, row, report)
        row = next(standing, None)


def _rows(log: Log, kind: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = history.TABLES[kind]._default_manager.filter(log=log).order_by("uuid")
    rows = rows.select_related(*LINKED[kind]) if kind in LINKED else rows
    return rows.prefetch_related("measurements") if kind == "event" else rows


def _without_history(log: Log, kind: str, row: Any, report: Report) -> None:
    if kind in TOLD or (kind == "file" and row.sha256):
        again = _again(log, kind, row.uuid)
        if again[0] is not None and not again[1]:
            report.name("inserted row", _where(kind, row), "", "no revision tells how it came into the log")


def _compare(log: Log, kind: str, row: Any, revisions: list[dict[str, Any]], report: Report) -> None:
    """Names every field of a row that does not stand as its revisions tell; what differs is read a second time."""
    found = list(_differences(kind, row, revisions))
    if found:
        row, revisions = _again(log, kind, revisions[0]["thing_uuid"])
        if revisions:
            found = list(_differences(kind, row, revisions))
    for what, where, name, says in found:
        report.name(what, where, name, says)


def _again(log: Log, kind: str, uuid: Any) -> tuple[Any, list[dict[str, Any]]]:
    """A row and its revisions as they are now: the row first, so that its last revision is there in any case."""
    row = _rows(log, kind).filter(uuid=uuid).first()
    revisions = list(log.revisions.filter(thing_uuid=uuid).order_by("number").values(*history.REPLAYED))
    if (counted := getattr(row, "revision", None)) and revisions and revisions[-1]["number"] > counted:
        # Changed in between: as far as the row goes.
        revisions = [r for r in revisions if r["number"] <= counted] or revisions
    return row, revisions


def _differences(kind: str, row: Any, revisions: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    told = replay.whole(kind, replay.state(revisions))
    if row is None:
        name = told.get("number") or told.get("name") or ""
        where = f"{kind} {name} ({revisions[0]['thing_uuid']})".replace("  ", " ")
        yield "missing row", where, "", "its revisions are there and the row itself is not"
        return
    where = _where(kind, row)
    last = revisions[-1]["number"]
    if [r["number"] for r in revisions] != list(range(1, last + 1)):
        yield "missing revision", where, "", f"its revisions are not numbered from 1 to {last}"
    if getattr(row, "revision", last) != last:
        yield "altered row", where, "revision", f"is {row.revision}; its last revision is number {last}"
    stands = history.content(kind, row)
    for name, value in stands.items():
        if not _same(value, told[name]):
            yield "altered row", where, name, f"is {_short(value)}; its revisions say {_short(told[name])}"
    if kind == "event":
        yield from _beside(row, where, revisions)


def _beside(row: Any, where: str, revisions: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    """What an event holds that its revisions tell in another way: when it was struck, and whose account wrote it."""
    if row.struck_at is not None:
        times = [r["at"] for r in revisions if r["changes"].get("struck", [None, None])[1] is True]
        if not any(abs((at - row.struck_at).total_seconds()) < 10 for at in times):
            yield "altered row", where, "struck_at", f"is {row.struck_at.isoformat()}; it was struck at another time"
    first = revisions[0]
    if first["verb"] == "record" and None not in (row.author_id, first["by_id"]) and row.author_id != first["by_id"]:
        yield "altered row", where, "author", "is another account than the one that recorded it"


def _same(stands: Any, told: Any) -> bool:
    if isinstance(stands, dict | list) or isinstance(stands, bool) is not isinstance(told, bool):
        return chain.canonical(stands) == chain.canonical(told)
    return bool(stands == told) or (
        isinstance(stands, float) and told is not None and chain.canonical(stands) == chain.canonical(told)
    )


def _short(value: Any) -> str:
    text = "empty" if value in (None, "") else chain.canonical(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def _where(kind: str, row: Any) -> str:
    return f"{kind} {getattr(row, 'number', None) or row} ({row.uuid})"


def _log_itself(log: Log, report: Report) -> None:
    """The state of the log and its times, where revisions tell them."""
    rows = list(log.revisions.filter(thing="log").order_by("number").values(*history.REPLAYED))
    stands: Mapping[str, Any] = seal.state_of(Log.objects.get(pk=log.pk))
    for name, value in replay.state(rows).items():
        if name in stands and not _same(stands[name], value):
            says = f"is {_short(stands[name])}; its revisions say {_short(value)}"
            report.name("altered row", str(log), name, says)


def _copies(log: Log, report: Report, sealed: Mapping[str, str]) -> None:
    """The bytes of the final copies beside their checksums, and these beside the seals."""
    copies: dict[str, FinalCopy] = {copy.name: copy for copy in log.final_copies.defer("data")}
    for name, copy in copies.items():
        found = hashlib.sha256()
        try:
            for part in seal.bytes_of(copy):
                found.update(part)
        except OSError:
            report.name("missing file", name, "", "the bytes of the final copy are not there")
            continue
        if found.hexdigest() != copy.sha256:
            report.name("altered copy", name, "data", f"its SHA-256 is {found.hexdigest()}; it was {copy.sha256}")
        if sealed and sealed.get(name) != copy.sha256:
            report.name(
                "altered copy", name, "sha256", f"is {copy.sha256}; the seal says {sealed.get(name, 'nothing')}"
            )
    for name in sealed.keys() - copies.keys():
        report.name("missing copy", name, "", "the seal names it and it is not there")


def _files(log: Log, report: Report, beat: Callable[[], None]) -> None:
    """The bytes of the attachments."""
    for row in log.attachments.order_by("pk").iterator(chunk_size=CHUNK):
        beat()
        found = filestore.digest(row.sha256) if filestore.SHA256.match(row.sha256) else ""
        if not found:
            report.name("missing file", _where("attachment", row), "", f"its bytes are not there ({row.size:,} bytes)")
        elif found != row.sha256:
            report.name("altered file", _where("attachment", row), "", f"the SHA-256 of its bytes is {found}")
