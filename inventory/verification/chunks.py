"""Who reads what: a distribution's unread files cut into chunks that workers on several machines claim.

A claim is the worker's own work row, put into the chunk by a guarded update: it succeeds only while the chunk still
shows the holder that was seen a moment before. The same statement does so on PostgreSQL and on SQLite, and no lock is
held while files are read. A chunk is free when it has no holder, or when its holder's row has ended or has not beaten
for `work.STALE`. So a killed worker's chunks come back by themselves, and of them only what was not written down is
read again. A worker that was only thought dead writes nothing: each writing asks for its chunks first.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from inventory.models import Chunk, Distribution, File
from inventory.verification.reading import Listed
from portal import work
from portal.models import Work

FILES = 1000
BYTES = 512 * 1024**2
UNREAD = ("listed", "found", "unreadable")
COLUMNS = (
    *("pk", "path", "directory", "size", "in_manifest"),
    *("delivered_size", "delivered_md5", "delivered_sha256", "delivered_hashes"),
)


def unread(distribution: Distribution) -> QuerySet[File]:
    """Files on the disk that are not read yet."""
    return distribution.files.filter(verified_at__isnull=True, state__in=UNREAD)


def plan(distribution: Distribution) -> bool:
    """Cuts what is unread into chunks unless that was done; says whether there are any. The caller holds the lock."""
    Chunk.objects.exclude(distribution__state="received").delete()
    if distribution.chunks.exists():
        return True
    made: list[Chunk] = []
    for pk, size in unread(distribution).order_by("pk").values_list("pk", "size").iterator(chunk_size=5000):
        if not made or made[-1].files >= FILES or made[-1].bytes >= BYTES:
            made.append(Chunk(distribution=distribution, first=pk, files=0, bytes=0))
        made[-1].last = pk
        made[-1].files += 1
        made[-1].bytes += size or 0
    Chunk.objects.bulk_create(made, batch_size=500)
    return bool(made)


def free(distribution_id: int) -> QuerySet[Chunk]:
    """Chunks that no living worker holds."""
    silent = timezone.now() - work.STALE
    held_by_nobody = Q(work__isnull=True) | ~Q(work__state="running") | Q(work__beat_at__lt=silent)
    return Chunk.objects.filter(held_by_nobody, distribution_id=distribution_id, distribution__state="received")


def claim(distribution_id: int, holder: Work) -> Chunk | None:
    """The next free chunk, now held by this work row, or None when none is free."""
    while seen := free(distribution_id).order_by("pk").values_list("pk", "work_id").first():
        pk, before = seen
        unchanged = Chunk.objects.filter(pk=pk, work_id=before) if before else Chunk.objects.filter(pk=pk, work=None)
        if unchanged.update(work=holder):
            return Chunk.objects.select_related("work").get(pk=pk)
    return None


def contents(chunk: Chunk) -> list[Listed]:
    """The files of a chunk that are not read yet, those of one directory together."""
    rows = File.objects.filter(
        distribution_id=chunk.distribution_id,
        pk__range=(chunk.first, chunk.last),
        verified_at__isnull=True,
        state__in=UNREAD,
    )
    return [Listed(*row) for row in rows.order_by("directory", "pk").values_list(*COLUMNS)]


def keep(chunk: Chunk, *, files: int, bytes_left: int) -> None:
    """Notes what is left of a held chunk; the row stays locked to the end of the transaction. Raises Lost."""
    mine = Chunk.objects.filter(pk=chunk.pk, work=chunk.work)
    if not mine.update(files=max(files, 0), bytes=max(bytes_left, 0)):
        raise work.Lost(str(chunk.pk))


def close(chunk: Chunk) -> bool:
    """Takes a chunk that is all read off the list; says whether it was the last. The caller holds the lock.

    Raises Lost when it is held by somebody else now.
    """
    done, _ = Chunk.objects.filter(pk=chunk.pk, work=chunk.work).delete()
    if not done:
        raise work.Lost(str(chunk.pk))
    return not Chunk.objects.filter(distribution_id=chunk.distribution_id).exists()


def release(holder: Work) -> None:
    """Gives back what this work row holds."""
    Chunk.objects.filter(work=holder).update(work=None)
