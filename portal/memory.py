"""Rubbish in memory, for processes in which much stays: Python need not look through that again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settle() -> None:
    """What is there now stays for good: it is tidied once more and then never looked at."""
    gc.collect()
    gc.freeze()


@contextmanager
def settled() -> Iterator[None]:
    """What was there before is not looked at while the caller makes and drops many small things."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
