"""The attachments and the imported files of a log in one ZIP file, always the same bytes: it need not be kept twice."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from eventlog import filestore
from eventlog.models import Attachment, Import, Log

# ZIP has no time before this, and a time of packing would make other bytes of the same files.
THEN = (1980, 1, 1, 0, 0, 0)


def write(log: Log, sequence: int) -> Iterator[bytes]:
    """The ZIP of what had been attached up to revision `sequence`, struck ones too, and of every imported file.

    Stored and not compressed: photos and sound are compressed already. What is not on the disk is left out.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # it only writes
        for attachment in attached(log, sequence):
            try:
                file = filestore.opened(attachment.sha256)
            except OSError:
                continue
            with file, archive.open(_entry(path_of(attachment)), "w", force_zip64=True) as member:
                for block in filestore.blocks(file):
                    member.write(block)
                    yield from sink.taken()
        for imported in log.imports.order_by("number").iterator(chunk_size=1):
            with archive.open(_entry(path_of_import(imported)), "w", force_zip64=True) as member:
                member.write(bytes(imported.data))
            yield from sink.taken()
    yield from sink.taken()


def attached(log: Log, sequence: int) -> list[Attachment]:
    """What had been attached up to a revision, by UUID."""
    first = log.revisions.filter(thing="attachment", number=1, sequence__lte=sequence)
    return list(log.attachments.filter(uuid__in=first.values("thing_uuid")).order_by("uuid"))


def path_of(attachment: Attachment) -> str:
    """Where an attachment lies in the ZIP."""
    return f"attachments/{attachment.uuid}/{attachment.name}"


def path_of_import(imported: Import) -> str:
    """Where an imported file lies in the ZIP."""
    return f"imports/{imported.number}/{imported.name}"


def _entry(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, THEN)
    info.external_attr = 0o644 << 16
    return info


class _Sink:
    """Takes what ZipFile writes and hands it on: a stream that cannot go back."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> Iterator[bytes]:
        parts, self.parts = self.parts, []
        yield from parts
