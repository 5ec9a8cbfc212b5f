"""The administration of the event log: everything is seen, nothing is edited past the logbook's verbs."""

from __future__ import annotations

from django.contrib import admin

from eventlog.models import (
    Attachment,
    DataFile,
    Device,
    Event,
    Feed,
    FinalCopy,
    Import,
    Log,
    Measurement,
    Operation,
    Pin,
    Place,
    Revision,
    Seal,
    Template,
    Term,
    Watch,
)
from portal.admin import History, HistoryRows, Journalled


@admin.register(Log)
class LogAdmin(History):
    list_display = ("cruise", "state", "since", "opened_at", "closed_at")
    list_filter = ("state",)
    search_fields = ("cruise__cruise_id",)


class RevisionRows(HistoryRows):
    model = Revision


class MeasurementRows(HistoryRows):
    model = Measurement


@admin.register(Event)
class EventAdmin(History):
    list_display = ("number", "log", "observed_at", "instrument", "action", "station", "author_name", "struck_at")
    list_filter = ("source", "instrument")
    search_fields = ("number", "instrument", "action", "station", "comment", "log__cruise__cruise_id")
    date_hierarchy = "observed_at"
    inlines = (RevisionRows, MeasurementRows)


@admin.register(Revision)
class RevisionAdmin(History):
    list_display = ("log", "sequence", "thing", "event", "number", "verb", "by_name", "at", "after_close", "reason")
    list_filter = ("thing", "verb", "after_close")
    search_fields = ("event__number", "by_name", "reason")


@admin.register(Measurement)
class MeasurementAdmin(History):
    list_display = ("event", "source", "name", "value", "unit")
    search_fields = ("event__number", "source", "name")


@admin.register(Template)
class TemplateAdmin(Journalled):
    list_display = ("log", "instrument", "action", "order")
    search_fields = ("instrument", "action", "log__cruise__cruise_id")


@admin.register(Import)
class ImportAdmin(History):
    list_display = ("name", "log", "format", "at", "by_name")
    search_fields = ("name", "log__cruise__cruise_id", "sha256")
    exclude = ("data",)


@admin.register(FinalCopy)
class FinalCopyAdmin(History):
    list_display = ("name", "log", "format", "size", "events", "sha256", "made_at")
    search_fields = ("name", "log__cruise__cruise_id", "sha256")
    exclude = ("data",)


@admin.register(Seal)
class SealAdmin(History):
    list_display = ("log", "at", "by_name", "sequence", "head")
    search_fields = ("log__cruise__cruise_id", "head")


@admin.register(Operation)
class OperationAdmin(History):
    list_display = ("instrument", "cast", "log", "kind", "state", "started_at", "ended_at")
    list_filter = ("kind", "state")
    search_fields = ("instrument", "cast", "log__cruise__cruise_id")


@admin.register(Place)
class PlaceAdmin(History):
    list_display = ("name", "kind", "log", "latitude", "longitude", "merged_into")
    search_fields = ("name", "log__cruise__cruise_id")


@admin.register(Term)
class TermAdmin(Journalled):
    list_display = ("name", "kind", "log", "is_proposed", "replaced_by", "uri")
    list_filter = ("kind", "is_proposed")
    search_fields = ("name", "uri")


@admin.register(Feed)
class FeedAdmin(Journalled):
    list_display = ("name", "vessel", "kind", "address", "rank", "is_enabled", "last_at")
    list_filter = ("kind", "is_enabled")
    search_fields = ("name", "vessel__name")


@admin.register(Device)
class DeviceAdmin(History):
    list_display = ("name", "log", "clock_offset_s", "waiting", "seen_at", "seen_by")
    search_fields = ("name", "log__cruise__cruise_id")


@admin.register(Pin)
class PinAdmin(History):
    list_display = ("person", "set_at", "failures", "locked_until")
    search_fields = ("person__email",)
    exclude = ("digest",)


@admin.register(Attachment)
class AttachmentAdmin(History):
    list_display = ("name", "log", "event", "media_type", "size", "sha256", "received_at")
    search_fields = ("name", "sha256", "log__cruise__cruise_id")


@admin.register(Watch)
class WatchAdmin(Journalled):
    list_display = ("path", "pattern", "instrument", "log", "is_enabled", "looked_at", "problem")
    search_fields = ("path", "instrument")


@admin.register(DataFile)
class DataFileAdmin(History):
    list_display = ("path", "log", "size", "sha256", "operation", "first_seen_at")
    search_fields = ("path", "sha256")
