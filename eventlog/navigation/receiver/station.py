"""The station: one process for all enabled feeds. Hears lines, stores them each second, watches over the feeds.

Everything that touches the database runs in one thread beside the loop, so that a slow database never makes it deaf.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, transaction

from eventlog import nmea
from eventlog.models import Feed
from eventlog.navigation import store, watch
from eventlog.navigation.reading import Reader
from eventlog.navigation.receiver import sources
from eventlog.navigation.receiver.spool import Heard, Spool

logger = structlog.stdlib.get_logger("leadline.navigation")
FLUSH_S: Final = 1.0
LOOK_S: Final = 10.0  # how often the list of feeds is read, and the feeds are judged
MOST_HELD: Final = 200_000  # lines in memory; what is more goes to the spool at once
T = TypeVar("T")
Wanted = tuple[int, str, str]


def heard_by(reader: Reader, heard: Heard) -> None:
    """Lets a reader read a line: by the stamp of the logger that wrote it, as in a followed file, else by ours."""
    stamp, text = nmea.stamped(heard.line)
    reader.read(text, stamp or heard.at)


class Station:
    """Runs sources for the enabled feeds of the database and stores what they bring. `folder` holds the spool."""

    def __init__(
        self, folder: Path, *, flush_s: float = FLUSH_S, look_s: float = LOOK_S, thread: Executor | None = None
    ) -> None:
        self.spool = Spool(folder)
        self.flush_s, self.look_s = flush_s, look_s
        self.stored = 0
        self._place, self._list = folder / "read-to.json", folder / "feeds.json"
        self._wanted: list[Wanted] | None = None
        self._offsets: dict[int, dict[str, int]] = self._remembered()
        self._held: list[Heard] = []
        self._readers: dict[int, Reader] = {}
        self._tasks: dict[Wanted, asyncio.Task[None]] = {}
        self._trouble: dict[int, str] = {}
        self._told: dict[int, str] = {}
        self._thread = thread or ThreadPoolExecutor(1, "navigation")
        self._reached = True

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; then stores or spools what it holds."""
        looked = -self.look_s
        loop = asyncio.get_running_loop()
        try:
            while not stop.is_set():
                if loop.time() - looked >= self.look_s:
                    looked = loop.time()
                    await self._look()
                await self.flush()
                try:
                    async with asyncio.timeout(self.flush_s):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await self.flush()
            self._thread.shutdown()

    async def flush(self) -> None:
        """Stores what was heard since the last time."""
        held, self._held = self._held, []
        offsets = {feed: dict(places) for feed, places in self._offsets.items()}
        await self._beside(self._keep, held, offsets)

    def hear(self, feed_id: int, line: bytes, at: dt.datetime) -> None:
        """Takes a line in. Called by the sources, in the loop's thread."""
        self._held.append(Heard(feed_id, at, line))
        if len(self._held) >= MOST_HELD:  # the database hangs; memory is not the place to wait
            held, self._held = self._held, []
            self.spool.put(held)

    # --- in the loop ------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        wanted = await self._beside(self._judge)
        if wanted is None:
            return
        for key in [key for key in self._tasks if key not in wanted]:
            self._tasks.pop(key).cancel()
            self._trouble.pop(key[0], None)
        for key in wanted:
            if key not in self._tasks or self._tasks[key].done():
                self._tasks[key] = asyncio.create_task(self._source(*key))

    async def _source(self, feed_id: int, kind: str, address: str) -> None:
        sink = functools.partial(self._sink, feed_id)
        trouble = functools.partial(self._trouble.__setitem__, feed_id)
        if kind == "udp":
            await sources.listen_udp(address, sink, trouble)
        elif kind == "tcp":
            await sources.read_tcp(address, sink, trouble)
        else:
            await sources.follow(Path(address), sink, trouble, self._offsets.setdefault(feed_id, {}))

    def _sink(self, feed_id: int, line: bytes, at: dt.datetime) -> None:
        self.hear(feed_id, line, at)

    async def _beside(self, work: Callable[..., T], *given: Any) -> T | None:
        """Runs work on the database in its thread. A fault is logged and None comes back: the station goes on."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
        except Exception:
            logger.exception("the station stumbled", work=work.__name__)
            return None

    # --- in the thread of the database ------------------------------------------------------------------------------

    def _judge(self) -> list[Wanted] | None:
        """Reads which feeds are wanted, and lets the watch judge those that are heard."""
        close_old_connections()
        try:
            feeds = list(Feed.objects.filter(is_enabled=True).exclude(kind="api").exclude(address=""))
            self._tell_troubles()
            for vessel_id in sorted({feed.vessel_id for feed in feeds}):
                watch.look(vessel_id, dt.datetime.now(dt.UTC))
        except (OperationalError, InterfaceError) as error:
            self._lost(error)
            # Started while the database is away: listen to what was wanted last, and let it wait on disk.
            return None if self._tasks else self._wanted_last()
        wanted = [(feed.pk, feed.kind, feed.address) for feed in feeds]
        if wanted != self._wanted:
            self._list.write_text(json.dumps(wanted))
            self._wanted = wanted
        return wanted

    def _wanted_last(self) -> list[Wanted]:
        try:
            return [(int(feed), str(kind), str(address)) for feed, kind, address in json.loads(self._list.read_text())]
        except (OSError, ValueError, TypeError):
            return []

    def _tell_troubles(self) -> None:
        for feed_id, trouble in dict(self._trouble).items():
            if self._told.get(feed_id) != trouble:
                with transaction.atomic():
                    feed = Feed.objects.select_for_update().get(pk=feed_id)
                    feed.health["trouble"] = trouble
                    feed.save(update_fields=["health"])
                self._told[feed_id] = trouble

    def _keep(self, held: list[Heard], offsets: dict[int, dict[str, int]]) -> None:
        """Stores lines; where the database is not reached they go to the spool, and come out of it later."""
        close_old_connections()
        by_feed: dict[int, list[Heard]] = defaultdict(list)
        for heard in held:
            by_feed[heard.feed_id].append(heard)
        if not self._reached and not self._reachable():
            self.spool.put(held)
        else:
            for feed_id, lines in by_feed.items():
                self._keep_one(feed_id, lines)
            self._take_up()
        if held:
            self._place.write_text(json.dumps(offsets))

    def _keep_one(self, feed_id: int, lines: list[Heard]) -> None:
        reader = self._readers.setdefault(feed_id, Reader())
        for heard in lines:
            heard_by(reader, heard)
        batch = reader.take()
        try:
            if lines:
                store.keep(Feed.objects.get(pk=feed_id), batch, at=lines[-1].at)
                self.stored += len(lines)
            self._reached = True
        except (OperationalError, InterfaceError) as error:
            self._lost(error)
            self.spool.put(lines)
        except (DatabaseError, Feed.DoesNotExist):
            logger.exception("lines of a feed cannot be stored; they are kept beside the spool", feed=feed_id)
            aside = self.spool.file.with_name("refused.lines")
            with aside.open("ab") as stream:
                stream.writelines(heard.line + b"\n" for heard in lines)

    def _take_up(self) -> None:
        """Stores the oldest lines of the spool, some thousands each time."""
        if not (self._reached and self.spool):
            return
        lines, end = self.spool.head()
        by_feed: dict[int, list[Heard]] = defaultdict(list)
        for heard in lines:
            by_feed[heard.feed_id].append(heard)
        known = set(Feed.objects.filter(pk__in=by_feed).values_list("pk", flat=True))
        try:
            for feed_id, part in by_feed.items():
                if feed_id in known:
                    reader = Reader(clock_s=self._readers[feed_id].clock_s if feed_id in self._readers else None)
                    for heard in part:
                        heard_by(reader, heard)
                    store.keep(Feed.objects.get(pk=feed_id), reader.take())
        except (OperationalError, InterfaceError) as error:
            self._lost(error)
            return
        self.stored += len(lines)
        self.spool.taken(end)
        if not self.spool:
            logger.info("the spool of navigation is empty again", lines=len(lines))

    def _reachable(self) -> bool:
        try:
            Feed.objects.exists()
            self._reached = True
        except (OperationalError, InterfaceError):
            return False
        return True

    def _lost(self, error: Exception) -> None:
        if self._reached:
            logger.error("the database is not reached; navigation waits on disk", error=str(error).splitlines()[0])
        self._reached = False

    def _remembered(self) -> dict[int, dict[str, int]]:
        try:
            said = json.loads(self._place.read_text())
            return {int(feed): {str(file): int(at) for file, at in places.items()} for feed, places in said.items()}
        except (OSError, ValueError, AttributeError):
            return {}
