"""The logbook's tables: logs, events and their revisions, operations and places, navigation, tablets and files."""

from eventlog.models.deck import Attachment, DataFile, Device, Pin, Watch
from eventlog.models.event import Event, EventQuerySet, Measurement, Revision
from eventlog.models.log import FinalCopy, Import, Log, LogQuerySet, Seal, Template
from eventlog.models.navigation import Feed, Fix, Sample
from eventlog.models.operation import Operation, Place, Term

__all__ = [
    "Attachment",
    "DataFile",
    "Device",
    "Event",
    "EventQuerySet",
    "Feed",
    "FinalCopy",
    "Fix",
    "Import",
    "Log",
    "LogQuerySet",
    "Measurement",
    "Operation",
    "Pin",
    "Place",
    "Revision",
    "Sample",
    "Seal",
    "Template",
    "Term",
    "Watch",
]
