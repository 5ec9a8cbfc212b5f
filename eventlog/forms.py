"""Forms of the log page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from eventlog.models import Event
from portal.models.fleet import LATITUDE, LONGITUDE

MOST_BYTES = 20_000_000
TIME_FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]


class EventForm(forms.Form):
    """One event. Times are UTC; what is left out of the position stays unknown."""

    uuid = forms.UUIDField(widget=forms.HiddenInput, required=False)
    observed_at = forms.DateTimeField(
        label="When it happened (UTC)",
        input_formats=TIME_FORMATS,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        required=False,
        help_text="empty: now",
    )
    instrument = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"list": "instruments"}))
    action = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"list": "actions"}))
    station = forms.CharField(max_length=80, required=False)
    cast = forms.CharField(max_length=40, required=False)
    transect = forms.CharField(max_length=80, required=False)
    latitude = forms.FloatField(required=False, validators=LATITUDE, help_text="degrees north")
    longitude = forms.FloatField(required=False, validators=LONGITUDE, help_text="degrees east")
    seafloor_m = forms.FloatField(label="Seafloor depth", required=False, min_value=0, help_text="metres")
    comment = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def fields_at(self, now: dt.datetime) -> dict[str, Any]:
        """The fields for the logbook; an event without a time happened now."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("uuid", "reason", "seen")}
        values["observed_at"] = values["observed_at"] or now
        return values


class RevisionForm(EventForm):
    """An event and why it is changed; `seen` is the revision that was on the screen."""

    reason = forms.CharField(max_length=1000, required=False, help_text="needed once the log is closed")
    seen = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def of(cls, event: Event, data: Any = None) -> RevisionForm:
        """The form filled with an event as it stands."""
        initial = {name: getattr(event, name, None) for name in cls.base_fields}
        return cls(data, initial=initial | {"seen": event.revision})


class ImportForm(forms.Form):
    """A log file of another program."""

    file = forms.FileField(help_text="R2R/ELOG CSV, Sealog JSON, or Leadline JSON")
    aux = forms.FileField(label="Auxiliary data", required=False, help_text="for Sealog: the auxiliary-data export")
    dry_run = forms.BooleanField(label="Only try it: show what would come of each row", required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("file", "aux"):
            if (file := data.get(name)) and file.size > MOST_BYTES:
                self.add_error(
                    name,
                    f"The file has {file.size:,} bytes; use the import command for more than {MOST_BYTES:,}.",
                )
        return data
