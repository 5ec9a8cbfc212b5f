"""The work of one worker at a distribution: claim chunks, have them read, write down what was found, close."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError, transaction
from django.utils import timezone

from inventory import scan, totals
from inventory.models import Chunk, Distribution
from inventory.states import DISTRIBUTION
from inventory.verification import chunks, outcomes
from inventory.verification.reading import Looked, Readers, cores
from inventory.verification.standing import DOOR
from portal import access, journal, memory, work
from portal.access import Actor
from portal.refusals import NotNow
from portal.work import Progress

BATCH = 2000  # files after which, or
SECONDS = 1.0  # the time after which what was found is written down
MOST_SEATS = 64
AHEAD = 2 * BATCH  # files at most in the readers' hands beyond their next tasks, while others are written down


def seats(distribution_id: int | str) -> Iterator[str]:
    """Keys of the door under which workers can join in the reading of one distribution; the first is its own key."""
    yield str(distribution_id)
    yield from (f"{distribution_id}:{number}" for number in range(2, MOST_SEATS + 1))


def waiting() -> list[str]:
    """The verifier's work list: distributions whose files are not all read, then a seat more for each that is begun.

    So a second worker joins after the first has begun, a third after the second, for as long as there is a chunk free.
    """
    keys = [str(pk) for pk in Distribution.objects.filter(state="received").values_list("pk", flat=True)]
    more = []
    for key in keys:
        if work.running(DOOR, key) and chunks.free(int(key)).exists():
            more += [next((seat for seat in seats(key) if not work.running(DOOR, seat)), key)]
    return keys + more


def run(
    key: str,
    progress: Progress,
    *,
    threads: int = 0,
    stay: bool = False,
    told: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Reads what is not read yet, beside others at the same distribution; may be stopped and called again.

    `threads`: how many files are read at once, 0 for one on each core. With `stay` it waits for what others still
    read, and takes it over should they die. `told` hears about once a second that it goes on. Where its turn is over it
    ends what it has in hand, and the rest waits.
    Raises NotNow when the directory is gone: what was read stays, the rest waits until it is there again.
    """
    pk, _, seat = key.partition(":")
    distribution = _begin(int(pk))
    if distribution is None:
        return
    left = sum(distribution.chunks.values_list("files", flat=True))
    progress.describe(f"Reading {distribution}", distribution.cruise, total=None if seat else left)
    with memory.settled(), Readers(Path(distribution.root), threads or cores()) as readers:
        turn = _Turn(distribution, progress, readers, threads or cores(), told)
        while turn.read() and stay:
            progress.beat()
            told(progress)
            time.sleep(work.BEAT_SECONDS)


@transaction.atomic
def _begin(pk: int) -> Distribution | None:
    """The distribution, cut into chunks; None when there is nothing left to read, which closes it."""
    distribution = _locked(pk)
    if distribution.state != "received":
        return None
    if not chunks.plan(distribution):
        outcomes.finish(distribution)
        return None
    return distribution


def _locked(pk: int) -> Distribution:
    return Distribution.objects.select_for_update(of=("self",)).select_related("cruise__vessel").get(pk=pk)


@dataclass(slots=True)
class _Share:
    """A chunk that is being read: tasks, files and bytes to go, and what was found and is not written down yet."""

    chunk: Chunk
    tasks: int = 0
    files: int = 0
    bytes: int = 0
    looked: list[Looked] = field(default_factory=list)


class _Turn:
    """One worker's chunks in hand, from the claim to the last line written."""

    def __init__(
        self,
        distribution: Distribution,
        progress: Progress,
        readers: Readers,
        threads: int,
        told: Callable[[Progress], None],
    ) -> None:
        self.distribution, self.progress, self.readers, self.threads = distribution, progress, readers, threads
        self.told = told
        self.shares: dict[int, _Share] = {}
        self.counted = self.ahead = 0
        self.written_at = time.monotonic()

    def read(self) -> bool:
        """Reads chunks while one is free and its turn lasts; says whether there are more. Gives back what it holds."""
        try:
            self._loop()
        except work.Lost:
            self.shares.clear()
            raise
        except BaseException as error:
            self._keep_what_was_read()
            if isinstance(error, scan.RootGone):
                raise NotNow(
                    f"The directory {self.distribution.root} is not there any more, or is empty. "
                    "Mount the disk again; reading goes on where it stopped."
                ) from error
            raise
        return Chunk.objects.filter(distribution=self.distribution, distribution__state="received").exists()

    def _keep_what_was_read(self) -> None:
        """Writes down what the threads had at the end, and gives the chunks back at once."""
        self.readers.stop()
        with suppress(DatabaseError, work.Lost, scan.RootGone):
            self._collect(0.0)
        with suppress(DatabaseError, work.Lost):
            self._write(closing=False)
            chunks.release(self.progress.row)

    def _loop(self) -> None:
        dry = False
        while True:
            while not dry and (self.readers.waiting < 2 * self.threads or self._in_hand() < self.ahead):
                dry = not self._take() or self.progress.gives_way()
            if not self.shares:
                return
            self._collect(SECONDS if self.readers.waiting else 0.0)
            held = sum(len(share.looked) for share in self.shares.values())
            idle = not self.readers.waiting
            if idle or held >= BATCH or time.monotonic() - self.written_at >= SECONDS:
                self._write()
                self.told(self.progress)

    def _in_hand(self) -> int:
        return sum(share.files - len(share.looked) for share in self.shares.values())

    def _take(self) -> bool:
        """Claims one chunk and has its files read; says whether there was one."""
        chunk = chunks.claim(self.distribution.pk, self.progress.row)
        if chunk is None:
            return False
        files = chunks.contents(chunk)
        share = _Share(chunk, files=len(files), bytes=sum(listed.size or 0 for listed in files))
        share.tasks = self.readers.read(chunk.pk, files)
        self.shares[chunk.pk] = share
        return True

    def _collect(self, patience: float) -> None:
        for ended in self.readers.finished(patience):
            share = self.shares[ended.share]
            share.tasks -= 1
            share.looked += ended.looked

    def _write(self, *, closing: bool = True) -> None:
        """Writes down what was found; a chunk that is all read is closed, and with the last one the distribution."""
        done = [share for share in self.shares.values() if closing and not share.tasks]
        struck = [one for share in self.shares.values() for one in share.looked if outcomes.gone(one)]
        with transaction.atomic():
            distribution = _locked(self.distribution.pk) if done or struck else self.distribution
            for share in self.shares.values():
                left = share.bytes - self.readers.bytes_read(share.chunk.pk)
                chunks.keep(share.chunk, files=share.files - len(share.looked), bytes_left=left)
                outcomes.write(share.looked)
            if struck:
                outcomes.strike(distribution, struck)
            last = [chunks.close(share.chunk) for share in done]
            if any(last) and distribution.state == "received":
                outcomes.finish(distribution)
        self._count(done)

    def _count(self, done: list[_Share]) -> None:
        """After the commit: what is written down is counted, and closed chunks are let go."""
        files = 0
        for share in self.shares.values():
            files += len(share.looked)
            share.files -= len(share.looked)
            share.looked = []
        for share in done:
            self.readers.forget(share.chunk.pk)
            del self.shares[share.chunk.pk]
        size, self.counted = self.readers.bytes - self.counted, self.readers.bytes
        took, self.written_at = time.monotonic() - self.written_at, time.monotonic()
        self.ahead = min(AHEAD, int(files / max(took, 0.001)))  # what is read in a second; on a slow disk it is little
        self.progress.advance(files, size)


@transaction.atomic
def reread(*, distribution: Distribution, by: Actor, note: str = "") -> Distribution:
    """Has every file read again, for a disk that was mended. Raises NotNow while it is being read."""
    distribution = _locked(distribution.pk)
    access.require(by, "distribution.reread", distribution)
    distribution.state = DISTRIBUTION.step(distribution.state, "distribution.reread")
    distribution.since = timezone.now()
    distribution.save(update_fields=["state", "since"])
    distribution.files.filter(in_manifest=True).update(state="listed", verified_at=None, note="")
    distribution.files.filter(in_manifest=False).update(state="found", verified_at=None, note="")
    totals.recount(distribution)
    journal.record(by, "distribution.reread", distribution, note=note)
    return distribution
