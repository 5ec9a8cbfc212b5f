"""A clock for the demonstration: lets its past acts happen in their past. Used nowhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def as_of(moment: dt.datetime) -> Iterator[None]:
    """Inside, it is `moment`, a second more at each look, so that acts keep their order."""
    state = {"now": moment}

    def now() -> dt.datetime:
        state["now"] += dt.timedelta(seconds=1)
        return state["now"]

    with mock.patch("django.utils.timezone.now", now):
        yield
