"""The administration of the inventory: everything is seen, nothing is edited past the verbs."""

from __future__ import annotations

from django.contrib import admin

from inventory.models import (
    Area,
    Arrival,
    Chunk,
    Classification,
    Coverage,
    Covered,
    Dataset,
    Deposit,
    Directory,
    Distribution,
    File,
    FixityCheck,
    Flag,
    Footprint,
    Hold,
    Part,
    Profile,
    Recovery,
    Remark,
    Review,
    Rule,
    Signature,
    Stretch,
    Total,
    Track,
    TrackProduct,
)
from portal.admin import History, HistoryRows


@admin.register(Arrival)
class ArrivalAdmin(History):
    list_display = ("__str__", "cruise", "operator", "source", "state", "since", "reason")
    list_filter = ("state", "source")
    search_fields = ("cruise__cruise_id", "path")
    list_select_related = ("cruise", "operator")


@admin.register(Distribution)
class DistributionAdmin(History):
    list_display = ("cruise", "number", "state", "since", "received_at", "received_by", "manifest_name")
    list_filter = ("state",)
    search_fields = ("cruise__cruise_id", "root", "manifest_sha256")


@admin.register(File)
class FileAdmin(History):
    """Two hundred million rows are searched by hash or cruise, not counted for every page."""

    list_display = ("path", "distribution", "size", "state", "dataset", "md5")
    list_filter = ("state",)
    search_fields = ("=md5", "=delivered_md5", "=distribution__cruise__cruise_id")
    show_full_result_count = False
    list_select_related = ("distribution__cruise", "dataset__cruise")


@admin.register(Chunk)
class ChunkAdmin(History):
    list_display = ("distribution", "files", "bytes", "work")
    list_select_related = ("distribution__cruise", "work")


@admin.register(Total)
class TotalAdmin(History):
    list_display = ("distribution", "counted_at", "seconds", "files", "bytes")
    list_select_related = ("distribution__cruise",)


@admin.register(Part)
class PartAdmin(History):
    list_display = ("distribution", "state", "dataset", "excluded", "files", "bytes")
    list_select_related = ("distribution__cruise", "dataset__cruise")


@admin.register(Directory)
class DirectoryAdmin(History):
    list_display = ("distribution", "path", "files", "bytes")
    list_select_related = ("distribution__cruise",)
    show_full_result_count = False


@admin.register(Stretch)
class StretchAdmin(History):
    list_display = ("distribution", "first", "last", "files")
    list_select_related = ("distribution__cruise",)
    show_full_result_count = False


class RuleRows(HistoryRows):
    model = Rule


@admin.register(Profile)
class ProfileAdmin(History):
    list_display = ("vessel", "version", "active", "made_at", "made_by", "note")
    list_filter = ("active", "vessel")
    search_fields = ("vessel__name", "note")
    inlines = (RuleRows,)


@admin.register(Rule)
class RuleAdmin(History):
    list_display = ("profile", "order", "directory", "name", "device_class", "make", "model", "exclude")
    list_filter = ("device_class", "exclude")
    search_fields = ("directory", "name", "make", "model", "label")


@admin.register(Classification)
class ClassificationAdmin(History):
    list_display = ("distribution", "profile", "number", "at", "matched", "excluded", "unmatched")
    search_fields = ("distribution__cruise__cruise_id",)


class HoldRows(HistoryRows):
    model = Hold


@admin.register(Dataset)
class DatasetAdmin(History):
    list_display = ("cruise", "device_class", "make", "model", "label", "state", "since", "licence")
    list_filter = ("state", "device_class")
    search_fields = ("cruise__cruise_id", "make", "model", "label", "=uuid")
    inlines = (HoldRows,)


@admin.register(Hold)
class HoldAdmin(History):
    list_display = ("dataset", "until", "asserted_by", "asserted_at", "lifted_at", "reason")
    search_fields = ("dataset__cruise__cruise_id", "reason")


@admin.register(Track)
class TrackAdmin(History):
    list_display = ("cruise", "dataset", "control_points", "good_fixes", "fixes", "first_fix_at", "last_fix_at")
    search_fields = ("cruise__cruise_id",)


@admin.register(TrackProduct)
class TrackProductAdmin(History):
    list_display = ("__str__", "kind", "rows", "size", "sha256")
    list_filter = ("kind",)
    search_fields = ("track__cruise__cruise_id", "sha256")


class SignatureRows(HistoryRows):
    model = Signature


class RemarkRows(HistoryRows):
    model = Remark


@admin.register(Review)
class ReviewAdmin(History):
    list_display = ("cruise", "round", "state", "since", "opened_by")
    list_filter = ("state",)
    search_fields = ("cruise__cruise_id",)
    inlines = (SignatureRows, RemarkRows)


@admin.register(Signature)
class SignatureAdmin(History):
    list_display = ("review", "role", "name", "decision", "at", "basis")
    list_filter = ("role", "decision")
    search_fields = ("review__cruise__cruise_id", "name")


@admin.register(Remark)
class RemarkAdmin(History):
    list_display = ("review", "section", "verdict", "by_name", "at")
    list_filter = ("section", "verdict")
    search_fields = ("review__cruise__cruise_id", "text")


@admin.register(Flag)
class FlagAdmin(History):
    list_display = ("distribution", "kind", "path", "by_name", "at", "answered_at")
    list_filter = ("kind",)
    search_fields = ("distribution__cruise__cruise_id", "path", "comment")


@admin.register(Coverage)
class CoverageAdmin(History):
    """Twenty million rows are searched by cruise, not counted for every page."""

    list_display = ("file", "reader", "format", "first_at", "last_at", "derived", "points", "remark")
    list_filter = ("reader", "derived")
    search_fields = ("=distribution__cruise__cruise_id",)
    show_full_result_count = False
    list_select_related = ("file",)


@admin.register(Covered)
class CoveredAdmin(History):
    list_display = ("distribution", "files", "timed", "placed", "classification", "edition", "at")
    list_select_related = ("distribution__cruise",)


@admin.register(Footprint)
class FootprintAdmin(History):
    list_display = ("dataset", "files", "derived", "tolerance_deg", "made_at")
    search_fields = ("=dataset__cruise__cruise_id",)
    list_select_related = ("dataset__cruise",)


@admin.register(Area)
class AreaAdmin(History):
    list_display = ("name", "kind", "points", "tolerance_deg", "source", "licence", "added_at", "added_by")
    list_filter = ("kind",)
    search_fields = ("name",)


@admin.register(Deposit)
class DepositAdmin(History):
    list_display = ("distribution", "address", "state", "since", "files", "bytes", "checked_at", "damaged")
    list_filter = ("state",)
    search_fields = ("distribution__cruise__cruise_id",)


@admin.register(FixityCheck)
class FixityCheckAdmin(History):
    list_display = ("deposit", "began_at", "ended_at", "files", "bytes", "damaged", "checked_by")
    list_select_related = ("deposit__distribution__cruise",)


@admin.register(Recovery)
class RecoveryAdmin(History):
    list_display = ("deposit", "what", "state", "since", "requested_by_name", "decided_by", "files", "bytes")
    list_filter = ("state",)
    search_fields = ("deposit__distribution__cruise__cruise_id", "reason")
