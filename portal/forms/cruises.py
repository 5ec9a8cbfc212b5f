"""Search and filters of the cruise list."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models.functions import ExtractYear

from portal.lifecycle import CRUISE
from portal.models import Cruise, Operator, Vessel


class CruiseFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Words, vessel, operator, state, year and order."""

    q = django_filters.CharFilter(method="search", label="Words", widget=forms.TextInput(attrs={"type": "search"}))
    vessel = django_filters.ModelChoiceFilter(queryset=Vessel.objects.all(), empty_label="All vessels")
    operator = django_filters.ModelChoiceFilter(
        queryset=Operator.objects.all(),
        field_name="vessel__operator",
        label="Operator",
        empty_label="All operators",
    )
    state = django_filters.ChoiceFilter(choices=CRUISE.choices, empty_label="All states")
    year = django_filters.NumberFilter(method="in_year", label="Year", min_value=1900, max_value=2200)
    order = django_filters.OrderingFilter(
        fields=[("depart_date", "date"), ("cruise_id", "id"), ("vessel__name", "vessel")],
        field_labels={"depart_date": "Date", "cruise_id": "Cruise id", "vessel__name": "Vessel"},
        label="Order",
        empty_label="Newest first",
    )

    class Meta:
        model = Cruise
        fields: list[str] = []

    def search(self, queryset: Any, name: str, value: str) -> Any:
        """Every word somewhere in the cruise."""
        return queryset.search(value)

    def in_year(self, queryset: Any, name: str, value: Any) -> Any:
        """Cruises that were under way at some time in the year."""
        return queryset.annotate(first=ExtractYear("depart_date"), last=ExtractYear("arrive_date")).filter(
            first__lte=int(value), last__gte=int(value)
        )
