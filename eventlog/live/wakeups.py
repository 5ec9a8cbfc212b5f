"""Wakes those who follow a log: in this process at once, in others through the queue's publish and subscribe.

Only ever a hint: whoever follows a log looks for himself each second, so a lost wake-up costs no row.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from redis import Redis
from redis import asyncio as redis_asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = structlog.stdlib.get_logger("leadline.live")
CHANNEL = "leadline:log"
PATIENCE_S, REST_S = 0.25, 5.0
Wake = Callable[[], None]


class Wakeups:
    """Who wants to be woken, by the log; and the line to other processes, left alone for a while after it failed."""

    def __init__(self) -> None:
        self._wakes: dict[int, set[Wake]] = {}
        self._lock = threading.Lock()
        self._line: Any = None
        self._rests_until = 0.0
        self._process = os.getpid()

    def add(self, log_id: int, wake: Wake) -> None:
        """Calls `wake`, from any thread, whenever the log changed."""
        with self._lock:
            self._wakes.setdefault(log_id, set()).add(wake)

    def remove(self, log_id: int, wake: Wake) -> None:
        """Calls it no more."""
        with self._lock:
            wakes = self._wakes.get(log_id, set())
            wakes.discard(wake)
            if not wakes:
                self._wakes.pop(log_id, None)

    def here(self, log_id: int) -> None:
        """Wakes those of this process."""
        with self._lock:
            wakes = tuple(self._wakes.get(log_id, ()))
        for wake in wakes:
            wake()

    def everywhere(self, log_id: int) -> None:
        """Wakes those of this process and of others. Never raises: the change is committed."""
        self.here(log_id)
        if time.monotonic() < self._rests_until:
            return
        if self._line is None or self._process != os.getpid():  # a forked worker has a line of its own
            self._line, self._process = _line(), os.getpid()
        try:
            self._line.publish(CHANNEL, f"{log_id} {self._process}")
        except (RedisError, OSError) as error:
            self._rests_until = time.monotonic() + REST_S
            logger.debug("nobody else is woken", reason=str(error))

    async def hear(self) -> None:
        """Passes on what other processes tell, until cancelled; without a queue it tries again now and then."""
        while True:
            line = redis_asyncio.Redis.from_url(settings.REDIS_URL, retry=AsyncRetry(NoBackoff(), 0))
            try:
                async with line.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    async for message in channel.listen():
                        log_id, _, process = message["data"].decode().partition(" ")
                        if log_id.isdigit() and process != str(os.getpid()):
                            self.here(int(log_id))
            except (RedisError, OSError) as error:
                logger.debug("the queue wakes nobody", reason=str(error))
            finally:
                await line.aclose()
            await asyncio.sleep(REST_S)


def _line() -> Any:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
        retry=Retry(NoBackoff(), 0),
    )


wakeups = Wakeups()
