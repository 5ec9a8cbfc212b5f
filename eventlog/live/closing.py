"""Ends the open streams when the server is told to stop: it waits for every answer that is still being sent."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_watched: set[int] = set()


def watch(end: Callable[[], None]) -> None:
    """Calls `end` in the running loop on SIGINT and SIGTERM, before the handler that the server itself set.

    Does nothing outside the main thread, where no signal can be watched; the server's grace time ends streams then.
    """
    loop = asyncio.get_running_loop()
    if id(loop) in _watched or threading.current_thread() is not threading.main_thread():
        return
    _watched.add(id(loop))
    for number in (signal.SIGINT, signal.SIGTERM):
        _before(number, lambda: loop.call_soon_threadsafe(end))


def _before(number: signal.Signals, first: Callable[[], Any]) -> None:
    then = signal.getsignal(number)

    def handler(received: int, frame: FrameType | None) -> None:
        first()
        if callable(then):
            then(received, frame)
        elif then == signal.SIG_DFL:
            signal.signal(received, signal.SIG_DFL)
            signal.raise_signal(received)

    signal.signal(number, handler)
