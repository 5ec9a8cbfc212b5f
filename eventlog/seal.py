"""Seals a log: counts, checksums of the final copies, and the head of the chain, fixed in a row that is never altered.

A seal stays when corrections come later; sealing again makes new final copies beside the old ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from eventlog import chain, ledger
from eventlog.logbook import copies
from eventlog.models import Log, Measurement, Seal
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

COUNTED = ("revisions", "events", "struck", "measurements", "operations", "places", "attachments", "files")


def none() -> dict[str, int]:
    """The counts of an empty log."""
    return dict.fromkeys(COUNTED, 0)


def count(counts: dict[str, int], kind: str, told: Mapping[str, Any]) -> None:
    """Counts a thing that stood like this; one that did not exist yet is `{}` and counts nothing."""
    if not told:
        return
    if kind == "event":
        counts["struck" if told.get("struck") else "events"] += 1
        counts["measurements"] += len(told.get("measurements") or ())
    elif f"{kind}s" in counts:
        counts[f"{kind}s"] += 1


def counts_of(log: Log, sequence: int) -> dict[str, int]:
    """The counts of a log as it stands, its last revision being `sequence`."""
    return {
        "revisions": sequence,
        "events": log.events.standing().count(),
        "struck": log.events.filter(struck_at__isnull=False).count(),
        "measurements": Measurement.objects.filter(event__log=log).count(),
        "operations": log.operations.count(),
        "places": log.places.count(),
        "attachments": log.attachments.count(),
        "files": log.data_files.exclude(sha256="").count(),
    }


def compare(row: Seal, head: str | None, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """(field, sentence) of everything in a seal that is not what the log says; `head`: digest of its last revision."""
    if head is None:
        yield "sequence", f"names revision {row.sequence}, which is not there"
    elif row.head != head:
        yield "head", f"is {row.head}; revision {row.sequence} has {head}"
    for name, number in row.counts.items():
        if counts.get(name) != number:
            yield f"counts.{name}", f"is {number}; the revisions up to it tell of {counts.get(name)}"


def state_of(log: Log) -> dict[str, Any]:
    """The fields of the log itself that its revisions tell."""
    plain: dict[str, Any] = chain.plain({name: getattr(log, name) for name in ("state", "opened_at", "closed_at")})
    return plain | {"seals": log.seals.count()}


def bytes_of(copy: Any) -> Iterator[bytes]:
    """The bytes of a final copy, block by block. Raises FileNotFoundError where they are gone."""
    return copies.bytes_of(copy)


def seal(log: Log, *, by: Actor) -> Seal:
    """Makes the final copies and the seal of a closed log. Called inside the verb that is the reason."""
    last = log.revisions.order_by("-sequence").values_list("sequence", "digest").first()
    sequence, head = last or (0, "")
    row = Seal(
        log=log, at=timezone.now(), by_name=str(by), sequence=sequence, head=head, counts=counts_of(log, sequence)
    )
    made = copies.final_copies(log, row)
    row.checksums = {copy.name: copy.sha256 for copy in made}
    row.save()
    return row


@transaction.atomic
def seal_again(*, log: Log, by: Actor, reason: str) -> Seal:
    """Seals a closed log once more after late corrections; the seals before stay, and so do their final copies.

    Raises NotYou, NotNow for a log that is not closed or has not changed since, NotLikeThis without a reason.
    """
    log = ledger.locked(log)
    access.require(by, "eventlog.correct", log)
    if log.state != "closed":
        raise NotNow(f"The {log} is {log.state}. A log is sealed when it is closed.")
    if not reason.strip():
        raise NotLikeThis("The log is sealed already.", [Fault("reason", "say why it is sealed again")])
    last = log.seals.order_by("-sequence").first()
    if last is not None and not log.revisions.filter(sequence__gt=last.sequence).exists():
        raise NotNow("Nothing was changed since the last seal.")
    number = log.seals.count() + 1
    ledger.append(log, [ledger.about(log, "seal", {"seals": [number - 1, number]}, reason)], by=by)
    row = seal(log, by=by)
    changes = {name: [None, digest] for name, digest in row.checksums.items()}
    journal.record(by, "eventlog.seal_again", log, note=reason, changes=changes)
    return row
