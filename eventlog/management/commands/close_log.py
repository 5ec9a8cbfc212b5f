"""Closes the event log of a cruise and makes its final copies with checksums."""

from __future__ import annotations

from eventlog import logbook
from eventlog.management.commands import open_log


class Command(open_log.Command):
    help = __doc__ or ""
    verb = staticmethod(logbook.close_log)
