"""Photos, voice notes and other files of a log: added once however often they are sent, struck, restored.

Their bytes are never changed, and with them never what a camera wrote into them, as where a photo was taken; so they
are shown to those of the cruise alone and leave the ship only in the final copy.
"""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from eventlog import filestore, history, ledger, mediatypes
from eventlog.models import Attachment, Event, Log
from eventlog.states import LOG
from portal import access
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

LONGEST_CAPTION = 500


def add(
    *,
    log: Log,
    by: Actor,
    uuid: uuids.UUID,
    parts: Iterable[bytes],
    name: str,
    event: uuids.UUID | None = None,
    caption: str = "",
    taken_at: dt.datetime | None = None,
    declared: str = "",
    device: str = "",
    reason: str = "",
) -> tuple[Attachment, bool]:
    """Stores a file and hangs it on an event of the log, or on the log as a whole; says whether it is new.

    The same `uuid` with the same bytes is one attachment. `parts` are its bytes; `taken_at` is aware. Raises NotYou,
    NotNow (log not open, event not here yet, disk full), NotLikeThis for a kind of file that is not taken.
    """
    require_add(log, by, reason)
    # The bytes are written before the log is locked: nobody waits at a button for somebody's photo.
    kept = filestore.keep(parts, most=settings.ATTACHMENT_BYTES, head=mediatypes.HEAD)
    media_type = mediatypes.sniff(kept.head, declared)
    faults = []
    if not media_type:
        faults.append(Fault("file", f"is of a kind that is not taken; taken are {mediatypes.ACCEPTED}"))
    if len(caption) > LONGEST_CAPTION or "\0" in caption:
        faults.append(Fault("caption", f"has more than {LONGEST_CAPTION} characters, or a NUL character"))
    if taken_at is not None and taken_at.tzinfo is None:
        faults.append(Fault("taken_at", "is no time with a zone"))
    if faults:
        raise NotLikeThis("The attachment is not accepted.", faults)
    return _write(
        log,
        by,
        device,
        reason,
        event,
        {
            "uuid": uuid,
            "name": _plain_name(name, media_type),
            "media_type": media_type,
            "size": kept.size,
            "sha256": kept.sha256,
            "caption": caption.strip(),
            "taken_at": taken_at,
        },
    )


def require_add(log: Log, by: Actor, reason: str = "") -> None:
    """Raises NotYou or NotNow unless `by` may attach files to this log now."""
    if log.state == "closed":
        access.require(by, "eventlog.correct", log)
        if not reason.strip():
            raise NotLikeThis("The log is closed.", [Fault("reason", "say why this is added late")])
        return
    access.require(by, "eventlog.record", log)
    if log.state != "open":
        raise NotNow(f"The {log} is {log.state}: {LOG.states[log.state]}. Nothing can be attached.")


@transaction.atomic
def _write(
    log: Log, by: Actor, device: str, reason: str, event: uuids.UUID | None, values: dict[str, Any]
) -> tuple[Attachment, bool]:
    log = ledger.locked(log)
    require_add(log, by, reason)
    known = Attachment.objects.filter(uuid=values["uuid"]).select_related("event", "log").first()
    if known is not None:
        if known.log_id != log.pk or known.sha256 != values["sha256"]:
            raise NotLikeThis("This attachment id is in use for another file.", [Fault("uuid", "make a new one")])
        return known, False
    found = None
    if event is not None:
        found = Event.objects.filter(uuid=event, log=log).first()
        if found is None:
            raise NotNow("The event of this attachment is not in this log yet. Send the event first, then this again.")
    made = Attachment.objects.create(log=log, event=found, received_at=timezone.now(), by_name=str(by), **values)
    changes = {
        name: [None, value] for name, value in history.content("attachment", made).items() if value not in ("", None)
    }
    ledger.append(log, [ledger.Entry("attachment", made, "record", changes, reason)], by=by, device=device)
    return made, True


def strike(
    *, attachment: Attachment, by: Actor, reason: str = "", change: uuids.UUID | None = None, device: str = ""
) -> Attachment:
    """Strikes an attachment: it stays, and is no longer shown with its event. Nothing is ever deleted."""
    return _struck(attachment, by, "strike", reason, change, device)


def restore(
    *, attachment: Attachment, by: Actor, reason: str = "", change: uuids.UUID | None = None, device: str = ""
) -> Attachment:
    """Takes back a strike."""
    return _struck(attachment, by, "restore", reason, change, device)


@transaction.atomic
def _struck(
    attachment: Attachment, by: Actor, verb: str, reason: str, change: uuids.UUID | None, device: str
) -> Attachment:
    log = ledger.locked(attachment.log)
    attachment = Attachment.objects.select_for_update(of=("self",)).select_related("event").get(pk=attachment.pk)
    attachment.log = log
    require_add(log, by, reason)
    was = attachment.struck_at is not None
    if ledger.known(change) or was == (verb == "strike"):
        return attachment
    attachment.struck_at = None if was else timezone.now()
    attachment.revision += 1
    attachment.save()
    entry = ledger.Entry("attachment", attachment, verb, {"struck": [was, not was]}, reason, change)
    ledger.append(log, [entry], by=by, device=device)
    return attachment


def _plain_name(name: str, media_type: str) -> str:
    """The last part of a file's name, printable and no longer than is kept."""
    plain = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip(". ")
    return plain[-200:] or media_type.replace("/", ".")
