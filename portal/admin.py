"""The administration of the ground. What is history is read-only here as everywhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from portal import journal
from portal.models import (
    Appointment,
    Award,
    Cruise,
    Instrument,
    Invitation,
    JournalEntry,
    Letter,
    Operator,
    Party,
    Person,
    Port,
    SailingOrders,
    Target,
    Token,
    Vessel,
    Work,
)


class History(admin.ModelAdmin):
    """Rows that are looked at and never edited here: they come about by verbs, which write the journal."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class HistoryRows(admin.TabularInline):
    """The same for rows inside another page."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Journalled(admin.ModelAdmin):
    """Rows that may be edited; each edit is an act in the journal, written in the transaction of the change."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            secret = {"password", "password1", "password2"}
            changes = {
                name: [str(form.initial.get(name)), str(form.cleaned_data.get(name))]
                for name in form.changed_data
                if name not in secret
            }
            journal.record(
                request.user, "administration.change" if change else "administration.add", obj, changes=changes
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            journal.record(request.user, "administration.delete", obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


class Kept(Journalled):
    """Rows that may be edited and are never deleted, because records refer to them."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AppointmentRows(admin.TabularInline):
    model = Appointment
    extra = 0


@admin.register(Person)
class PersonAdmin(Journalled, UserAdmin):
    """People, their appointments and whether they may sign in."""

    ordering = ("family_name", "given_name")
    list_display = ("email", "given_name", "family_name", "institution", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "is_staff", "appointments__role")
    search_fields = ("email", "given_name", "family_name", "institution", "orcid")
    readonly_fields = ("uuid", "joined_at", "last_login")
    filter_horizontal = ()
    inlines = (AppointmentRows,)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("given_name", "family_name", "institution", "orcid", "uuid")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "given_name", "family_name", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Operator)
class OperatorAdmin(Kept):
    list_display = ("id", "name", "orders_email")
    search_fields = ("id", "name")


@admin.register(Vessel)
class VesselAdmin(Kept):
    list_display = ("id", "name", "operator", "cruise_prefix", "is_active")
    list_filter = ("is_active", "operator")
    search_fields = ("id", "name")


@admin.register(Port)
class PortAdmin(Kept):
    list_display = ("id", "name", "country", "latitude", "longitude")
    list_filter = ("country",)
    search_fields = ("id", "name")


class PartyRows(HistoryRows):
    model = Party
    fields = ("family_name", "given_name", "role", "institution", "may_log")


class AwardRows(HistoryRows):
    model = Award


class TargetRows(HistoryRows):
    model = Target


class InstrumentRows(HistoryRows):
    model = Instrument


@admin.register(Cruise)
class CruiseAdmin(History):
    """Cruises change by sailing orders and verbs alone."""

    list_display = ("cruise_id", "title", "vessel", "depart_date", "arrive_date", "state", "public_at", "approved_at")
    list_filter = ("state", "kind", "vessel")
    search_fields = ("cruise_id", "title", "summary")
    date_hierarchy = "depart_date"
    inlines = (PartyRows, AwardRows, TargetRows, InstrumentRows)


@admin.register(SailingOrders)
class SailingOrdersAdmin(History):
    list_display = ("cruise", "number", "source", "received_at", "received_from")
    list_filter = ("source",)
    search_fields = ("cruise__cruise_id", "received_from", "sha256")
    exclude = ("delivered",)


@admin.register(Party)
class PartyAdmin(History):
    list_display = ("name", "cruise", "role", "institution", "person", "may_log")
    list_filter = ("role", "may_log")
    search_fields = ("family_name", "given_name", "institution", "cruise__cruise_id")


@admin.register(Award, Target, Instrument)
class ListAdmin(History):
    list_display = ("__str__", "cruise")
    search_fields = ("cruise__cruise_id",)


@admin.register(Appointment)
class AppointmentAdmin(Journalled):
    list_display = ("person", "role", "operator", "since")
    list_filter = ("role", "operator")
    search_fields = ("person__email", "person__family_name")
    autocomplete_fields = ("person", "operator")


@admin.register(Token)
class TokenAdmin(History):
    """Tokens are issued and revoked on their own page; here they are only seen."""

    list_display = ("name", "person", "hint", "cruise", "created_at", "expires_at", "revoked_at", "last_used_at")
    search_fields = ("name", "person__email", "hint")
    exclude = ("digest",)


@admin.register(Invitation)
class InvitationAdmin(History):
    list_display = ("email", "cruise", "created_at", "expires_at", "accepted_at")
    search_fields = ("email", "cruise__cruise_id")
    exclude = ("digest",)


@admin.register(JournalEntry)
class JournalAdmin(History):
    list_display = ("at", "by_name", "verb", "label", "cruise", "note")
    list_filter = ("verb", "kind")
    search_fields = ("by_name", "label", "note", "cruise__cruise_id", "request_id")
    date_hierarchy = "at"


@admin.register(Work)
class WorkAdmin(History):
    list_display = ("label", "door", "state", "done", "total", "attempt", "started_at", "ended_at")
    list_filter = ("state", "door")
    search_fields = ("label", "message", "cruise__cruise_id")


@admin.register(Letter)
class LetterAdmin(History):
    list_display = ("subject", "to", "cruise", "written_at", "sent_at", "attempts", "error")
    list_filter = ("sent_at",)
    search_fields = ("to", "subject", "cruise__cruise_id")
