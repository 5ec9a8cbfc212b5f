"""Open screens: one reader for each log and process reads what is new, and passes it to every screen's own queue.

A screen that does not keep up is cut: it comes again with the number that it saw last, and misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid as uuids
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.db import close_old_connections
from django.utils import timezone

from eventlog import navigation, rows
from eventlog.live import changes, closing, presence
from eventlog.live.wakeups import wakeups
from eventlog.models import Device, Log

logger = structlog.stdlib.get_logger("leadline.live")
POLL_S, BEAT_S, RECHECK_S = 1.0, 15.0, 45.0
# Changes that come within this time are read and sent together: fifty people press at once when a cast comes up.
TOGETHER_S = 0.1
PAGE, MOST_WAITING = 500, 2000
T = TypeVar("T")
_threads = ThreadPoolExecutor(4, thread_name_prefix="live")


class Screen:
    """One open screen: what it may read, and what waits to be sent to it."""

    def __init__(self, *, names: bool, device: uuids.UUID | None) -> None:
        self.names = names
        self.device = device
        self.waiting: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(MOST_WAITING)
        self.cut = False

    def put(self, sequence: int, message: bytes) -> None:
        """Queues a message; `sequence` 0: it is no change. A screen that does not keep up is cut."""
        if self.cut:
            return
        try:
            self.waiting.put_nowait((sequence, message))
        except asyncio.QueueFull:
            self.end()

    async def next(self) -> list[tuple[int, bytes]] | None:
        """All that waits; None at the end of the stream."""
        found = [await self.waiting.get()]
        while not self.waiting.empty():
            found.append(self.waiting.get_nowait())
        return None if None in found else [one for one in found if one is not None]

    def end(self) -> None:
        """Ends the stream; what waits is not sent any more."""
        self.cut = True
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Reader:
    """Reads the changes of one log for all screens of this process that show it."""

    def __init__(self, log_id: int) -> None:
        self.log_id = log_id
        self.screens: set[Screen] = set()
        self.position = 0
        self.ready = asyncio.Event()
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._beat_at = self._there_at = self._read_at = 0.0
        self._last: dict[str, bytes] = {}
        self.news = False  # somebody came or went

    def wake(self) -> None:
        """From any thread: there may be something new."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server stops
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Reads as long as there are screens."""
        wakeups.add(self.log_id, self.wake)
        self._wake.set()
        try:
            while self.screens:
                try:
                    await self._once()
                except Exception as error:  # a reader that ended would leave its screens silent
                    logger.exception("the change feed could not read", log=self.log_id, reason=str(error))
                    await asyncio.sleep(POLL_S)
        finally:
            wakeups.remove(self.log_id, self.wake)

    async def _once(self) -> None:
        if not self.ready.is_set():
            self.position = await in_thread(_position, self.log_id)
            self.ready.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), POLL_S)
        await asyncio.sleep(max(0.0, self._read_at + TOGETHER_S - time.monotonic()))
        self._wake.clear()
        await self._read()
        self._read_at = time.monotonic()
        now = time.monotonic()
        if now - self._beat_at >= BEAT_S:
            self._beat_at = self._there_at = now
            self.news = False
            self._tell(await in_thread(_beat, self.log_id, self._devices()), every=True)
        elif self.news and now - self._there_at >= POLL_S:
            self._there_at, self.news = now, False
            self._tell({"presence": await in_thread(_presence, self.log_id)}, every=False)

    async def _read(self) -> None:
        audiences = {screen.names for screen in self.screens}
        while audiences and (found := await in_thread(_changes, self.log_id, self.position, audiences)):
            for sequence, messages in found:
                for screen in tuple(self.screens):
                    # One of another audience that came meanwhile gets the number alone, and reads for itself.
                    screen.put(sequence, messages.get(screen.names, b""))
                self.position = sequence
            if len(found) < PAGE:
                return

    def _devices(self) -> list[uuids.UUID]:
        return list({screen.device for screen in self.screens if screen.device and not screen.cut})

    def _tell(self, news: dict[str, Any], *, every: bool) -> None:
        """Passes on what is no change; not again what was told already, unless `every`."""
        for kind, data in news.items():
            message = event(kind, data)
            if every or self._last.get(kind) != message:
                for screen in tuple(self.screens):
                    if kind != "presence" or screen.names:
                        screen.put(0, message)
            self._last[kind] = message

    def last(self, screen: Screen) -> list[bytes]:
        """What a new screen is told of who is there and where the ship is."""
        return [m for kind, m in self._last.items() if kind == "ship" or (kind == "presence" and screen.names)]


_readers: dict[tuple[int, int], Reader] = {}
_tasks: set[asyncio.Task[None]] = set()
_hearing: dict[int, asyncio.Task[None]] = {}


def _reader(log_id: int, screen: Screen) -> Reader:
    """The reader of a log in this process, started with its first screen."""
    loop = asyncio.get_running_loop()
    key = (id(loop), log_id)
    reader = _readers.get(key)
    if reader is not None and reader.screens:
        reader.screens.add(screen)
        return reader
    reader = _readers[key] = Reader(log_id)
    reader.screens.add(screen)
    _start(reader.run())
    if id(loop) not in _hearing or _hearing[id(loop)].done():
        _hearing[id(loop)] = _start(wakeups.hear())
    return reader


def _start(work: Any) -> asyncio.Task[None]:
    task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


def end_all() -> None:
    """Ends every stream of this process, for the server stops; called in the loop."""
    for reader in tuple(_readers.values()):
        for screen in tuple(reader.screens):
            screen.end()
    for task in tuple(_hearing.values()):
        task.cancel()


async def follow(
    log_id: int, after: int, *, names: bool, device: uuids.UUID | None, still: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """The stream of one screen: what it missed after a number, from the database, then all that happens.

    `still` says, in a thread and each minute, whether the screen may go on.
    """
    closing.watch(end_all)
    screen = Screen(names=names, device=device)
    reader = _reader(log_id, screen)
    reader.news = True
    try:
        yield b"retry: 1000\n" + event("time", {"now": rows.iso(timezone.now())})
        await reader.ready.wait()
        for message in reader.last(screen):
            yield message
        last, checked = after, time.monotonic()
        if after > reader.position and after > (there := await in_thread(_position, log_id)):
            # The log went back, as after a restore from a backup: the screen must read everything anew.
            yield event("reset", {"sequence": there})
            last = there
        async for upto, page in _missed(log_id, last, names):
            last = upto
            yield page
        while (found := await screen.next()) is not None:
            parts: list[bytes] = []
            for sequence, message in found:
                if not sequence:
                    parts.append(message)
                elif sequence == last + 1 and message:
                    last = sequence
                    parts.append(message)
                elif sequence > last:
                    async for upto, page in _missed(log_id, last, names):
                        last = upto
                        parts.append(page)
            if parts:
                yield b"".join(parts)
            if time.monotonic() - checked > RECHECK_S:
                checked = time.monotonic()
                if not await in_thread(still):
                    return
    finally:
        reader.screens.discard(screen)
        reader.news = True


async def _missed(log_id: int, after: int, names: bool) -> AsyncIterator[tuple[int, bytes]]:
    """(number of the last change, bytes) page by page, up to what is there now."""
    while found := await in_thread(_changes, log_id, after, {names}):
        after = found[-1][0]
        yield after, b"".join(messages[names] for _, messages in found)
        if len(found) < PAGE:
            return


def event(kind: str, data: Any, number: int | None = None) -> bytes:
    """One server-sent event."""
    head = f"id: {number}\n" if number is not None else ""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {kind}\ndata: {text}\n\n".encode()


async def in_thread(work: Callable[..., T], *args: Any) -> T:
    """Does what needs the database in one of a few threads; their connections are given back after each piece."""

    def piece() -> T:
        try:
            return work(*args)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, piece)


def _position(log_id: int) -> int:
    return changes.sequence_of(Log(pk=log_id))


def _changes(log_id: int, after: int, audiences: Iterable[bool]) -> list[tuple[int, dict[bool, bytes]]]:
    """The next changes as messages, with and without names as the screens need them."""
    found = changes.after(Log(pk=log_id), after, limit=PAGE)
    if not found:
        return []
    log = Log.objects.select_related("cruise__vessel").get(pk=log_id)
    shown = {names: changes.shown(log, found, names=names) for names in audiences}
    return [
        (revision.sequence, {n: event("change", told[i], revision.sequence) for n, told in shown.items()})
        for i, revision in enumerate(found)
    ]


def _presence(log_id: int) -> list[dict[str, Any]]:
    return presence.there(Log(pk=log_id), timezone.now())


def _beat(log_id: int, devices: list[uuids.UUID]) -> dict[str, Any]:
    """What every screen is told each 15 s; the tablets that show the log are noted as there."""
    now = timezone.now()
    if devices:
        Device.objects.filter(uuid__in=devices, log=log_id).update(seen_at=now)
    vessel_id = Log.objects.values_list("cruise__vessel_id", flat=True).get(pk=log_id)
    told: dict[str, Any] = {"time": {"now": rows.iso(now)}, "presence": presence.there(Log(pk=log_id), now)}
    if (state := navigation.now(vessel_id)) is not None:
        told["ship"] = state | {"at": rows.iso(state["at"])}
    return told
