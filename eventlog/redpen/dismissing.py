"""Findings that somebody has looked at and found right as they are, with the reason; kept in the log's chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from eventlog import ledger
from eventlog.models import Log
from eventlog.redpen.finding import Finding
from portal import access
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis


def dismissed(log: Log) -> dict[str, str]:
    """Keys of the findings that are dismissed, with the reasons."""
    found: dict[str, str] = {}
    rows = log.revisions.filter(thing="log", verb__in=("dismiss", "recall")).order_by("sequence")
    for verb, reason, changes in rows.values_list("verb", "reason", "changes"):
        if verb == "dismiss":
            found[changes["finding"][1]] = reason
        else:
            found.pop(changes["finding"][0], None)
    return found


@transaction.atomic
def dismiss(*, log: Log, finding: Finding, by: Actor, reason: str, device: str = "") -> None:
    """Says that a finding is right as it stands; said twice it is done once. Raises NotYou, NotLikeThis."""
    log = ledger.locked(log)
    access.require(by, "eventlog.revise", log)
    if not reason.strip() or len(reason) > 1000:
        raise NotLikeThis("The finding stays.", [Fault("reason", "say in a few words why it is right as it is")])
    if finding.key in dismissed(log):
        return
    changes = {"finding": [None, finding.key], "code": [None, finding.code], "sentence": [None, finding.sentence]}
    _append(log, "dismiss", changes, reason.strip(), by, device)


@transaction.atomic
def recall(*, log: Log, key: str, by: Actor, device: str = "") -> None:
    """Takes a dismissal back. Raises NotYou."""
    log = ledger.locked(log)
    access.require(by, "eventlog.revise", log)
    if key in dismissed(log):
        _append(log, "recall", {"finding": [key, None]}, "", by, device)


def _append(log: Log, verb: str, changes: Mapping[str, Any], reason: str, by: Actor, device: str) -> None:
    # The log has no id of its own that leaves the house; that of its cruise stands for it.
    entry = ledger.Entry("log", ledger.numbered(log.cruise.uuid), verb, changes, reason)
    ledger.append(log, [entry], by=by, device=device)
