"""The administration of publishing: everything is seen, nothing is edited past the verbs."""

from __future__ import annotations

from django.contrib import admin

from portal.admin import History, HistoryRows
from publishing.models import Accession, Identifier, OaiMembership, OaiRecord, OaiRendering, Release, Submission


@admin.register(Release)
class ReleaseAdmin(History):
    list_display = ("cruise", "number", "released_at", "sha256")
    search_fields = ("cruise__cruise_id", "sha256")


@admin.register(Identifier)
class IdentifierAdmin(History):
    list_display = ("doi", "cruise", "dataset", "state", "since", "registrar", "registered_at")
    list_filter = ("state", "registrar")
    search_fields = ("doi", "cruise__cruise_id")


class RenderingRows(HistoryRows):
    model = OaiRendering


class MembershipRows(HistoryRows):
    model = OaiMembership


@admin.register(OaiRecord)
class OaiRecordAdmin(History):
    list_display = ("identifier", "cruise", "datestamp", "deleted")
    list_filter = ("deleted",)
    search_fields = ("identifier", "cruise__cruise_id")
    inlines = (MembershipRows, RenderingRows)


@admin.register(OaiRendering)
class OaiRenderingAdmin(History):
    list_display = ("record", "prefix")
    list_filter = ("prefix",)
    search_fields = ("record__identifier",)


@admin.register(OaiMembership)
class OaiMembershipAdmin(History):
    list_display = ("record", "spec", "name", "datestamp")
    search_fields = ("record__identifier", "spec")


class AccessionRows(HistoryRows):
    model = Accession


@admin.register(Submission)
class SubmissionAdmin(History):
    list_display = ("dataset", "state", "since", "bag", "files", "bytes")
    list_filter = ("state",)
    search_fields = ("dataset__cruise__cruise_id", "bag", "=uuid")
    inlines = (AccessionRows,)


@admin.register(Accession)
class AccessionAdmin(History):
    list_display = ("submission", "archive", "number", "version", "landing_url", "accessioned_at")
    list_filter = ("archive",)
    search_fields = ("number", "submission__dataset__cruise__cruise_id")
