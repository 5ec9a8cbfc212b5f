"""Threads that copy or read files while the caller's thread keeps its claim alive."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
PATIENCE = 1.0
SHARE = 16


class Stopped(Exception):
    """The crew was told to stop."""


def hands(most: int = 8) -> int:
    """How many files are worked on at once: copying waits for the disk, so a few more than there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(most, cores * 2)


def each(
    items: Sequence[Item], work: Callable[[Item, Callable[[], None]], Result], beat: Callable[[], None]
) -> Iterator[Result]:
    """The results of `work(item, go_on)` in the order they are ready; `beat` is called at least each second.

    `go_on` raises Stopped once the caller has left. Raises what `work` raised.
    """
    ready: SimpleQueue[list[Result] | BaseException] = SimpleQueue()
    stop = threading.Event()

    def go_on() -> None:
        if stop.is_set():
            raise Stopped

    def do(share: Sequence[Item]) -> None:
        try:
            ready.put([work(item, go_on) for item in share])
        except BaseException as error:
            ready.put(error)

    shares = [items[start : start + SHARE] for start in range(0, len(items), SHARE)]
    with ThreadPoolExecutor(hands(), thread_name_prefix="storage") as pool:
        try:
            for share in shares:
                pool.submit(do, share)
            left = len(shares)
            while left:
                try:
                    found = ready.get(timeout=PATIENCE)
                except Empty:
                    beat()
                    continue
                left -= 1
                if isinstance(found, BaseException):
                    raise found
                yield from found
                beat()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
