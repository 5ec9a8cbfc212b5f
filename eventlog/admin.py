"""The administration of the event log: everything is seen, nothing is edited past the logbook's verbs."""

from __future__ import annotations

from django.contrib import admin

from eventlog.models import Event, FinalCopy, Import, Log, Measurement, Revision, Template
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
    list_display = ("event", "number", "verb", "by_name", "at", "after_close", "reason")
    list_filter = ("verb", "after_close")
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
