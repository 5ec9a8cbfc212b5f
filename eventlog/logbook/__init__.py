"""The verbs of the logbook: open, record, revise, strike, restore, undo, close; and the log as a text."""

from eventlog.logbook.copies import bytes_of, export
from eventlog.logbook.events import record, restore, revise, strike, undo
from eventlog.logbook.fields import FIELDS, LONGEST, Conflict
from eventlog.logbook.opening import close_log, log_of, open_log

__all__ = [
    "FIELDS",
    "LONGEST",
    "Conflict",
    "bytes_of",
    "close_log",
    "export",
    "log_of",
    "open_log",
    "record",
    "restore",
    "revise",
    "strike",
    "undo",
]
