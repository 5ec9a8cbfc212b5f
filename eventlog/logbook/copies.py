"""The log as a text, and its final copies."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from itertools import chain

from django.db.models import Prefetch, QuerySet

from eventlog import filestore
from eventlog.exchange import document, finalcopy, r2r
from eventlog.exports import gather
from eventlog.logbook import bundle, sections
from eventlog.models import Event, FinalCopy, Log, Revision, Seal
from eventlog.models.event import EDITS
from portal.refusals import NotFound


def export(log: Log, form: str, *, names: bool = True, events: QuerySet[Event] | None = None) -> str:
    """The standing events of a log, or those among `events`, as "r2r-csv" or "json"; the same text at every call.

    Without `names` for those who are not told who wrote what. Raises NotFound for another format. More forms, and
    with a check of what was written, are in `eventlog.exports.making`.
    """
    if form not in ("r2r-csv", "json"):
        raise NotFound(f"The log is not exported as {form!r}; write r2r-csv or json.")
    cruise = log.cruise
    if form == "r2r-csv":
        return r2r.write(gather.source(log, events, names=names).plain(), cruise.cruise_id)
    revisions = Prefetch("revisions", Revision.objects.filter(number__gt=1, verb__in=EDITS).order_by("number"))
    chosen = log.events.all() if events is None else log.events.filter(pk__in=events.order_by().values("pk"))
    ordered = chosen.standing().in_order().prefetch_related("measurements", revisions)
    logged = (event.logged(names=names) for event in ordered.iterator(chunk_size=2000))
    header = {
        "cruise_id": cruise.cruise_id,
        "vessel_id": cruise.vessel_id,
        "opened_at": _iso(log.opened_at),
        "closed_at": _iso(log.closed_at),
    }
    return document.write(header, logged)


# Up to this size a final copy lies in the database; a larger one, in the store of files.
IN_DATABASE = 8_000_000


def final_copies(log: Log, seal: Seal) -> list[FinalCopy]:
    """Makes the final copies of a log that is being sealed; those of earlier seals stay beside them."""
    cruise_id = log.cruise.cruise_id
    before = log.final_copies.filter(format="json").count()
    again = f"_{before + 1}" if before else ""
    made = [_final_copy(log, f"R2R_ELOG_{cruise_id}_FINAL_EVENTLOG{again}.csv", "r2r-csv", seal, _csv(log))]
    if log.attachments.exists() or log.imports.exists():
        name = f"LEADLINE_{cruise_id}_FINAL_ATTACHMENTS{again}.zip"
        made.append(_final_copy(log, name, "zip", seal, bundle.write(log, seal.sequence)))
    seal.checksums = {copy.name: copy.sha256 for copy in made}
    whole = finalcopy.write(sections.header_of(log), sections.sections_of(log, seal))
    name = f"LEADLINE_{cruise_id}_FINAL_EVENTLOG{again}.json"
    return [*made, _final_copy(log, name, "json", seal, (part.encode() for part in whole))]


def bytes_of(copy: FinalCopy) -> Iterator[bytes]:
    """The bytes of a final copy, block by block. Raises FileNotFoundError where they are gone."""
    if copy.data or not copy.size:
        yield bytes(copy.data)
    elif copy.format == "zip" and not filestore.place(copy.sha256).exists():
        # Not kept twice: the attachments lie in the store of files, and packing them gives the same bytes again.
        seal = next((row for row in copy.log.seals.all() if copy.name in row.checksums), None)
        if seal is None:
            raise FileNotFoundError(f"no seal tells what {copy.name} was made of")
        yield from bundle.write(copy.log, seal.sequence)
    else:
        with filestore.opened(copy.sha256) as file:
            yield from filestore.blocks(file)


def _csv(log: Log) -> Iterator[bytes]:
    yield export(log, "r2r-csv").encode()


def _iso(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).isoformat() if at else None


def _final_copy(log: Log, name: str, form: str, seal: Seal, parts: Iterator[bytes]) -> FinalCopy:
    data, size, md5, sha256 = b"", 0, hashlib.md5(usedforsecurity=False), hashlib.sha256()
    if form == "zip":
        for part in parts:
            size += len(part)
            md5.update(part)
            sha256.update(part)
        digests = md5.hexdigest(), sha256.hexdigest()
    else:
        first = []
        for part in parts:
            first.append(part)
            size += len(part)
            if size > IN_DATABASE:
                kept = filestore.keep(chain((b"".join(first),), parts))
                size, digests = kept.size, (kept.md5, kept.sha256)
                break
        else:
            data = b"".join(first)
            digests = hashlib.md5(data, usedforsecurity=False).hexdigest(), hashlib.sha256(data).hexdigest()
    return FinalCopy.objects.create(
        log=log,
        name=name,
        format=form,
        data=data,
        size=size,
        md5=digests[0],
        sha256=digests[1],
        events=seal.counts["events"],
        made_at=seal.at,
    )
