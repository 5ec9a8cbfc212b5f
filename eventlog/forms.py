"""Forms of the log page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms

from portal.models.fleet import LATITUDE, LONGITUDE

TIME_FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
SHOWN = "%Y-%m-%d %H:%M:%S"


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


class Lines(forms.CharField):
    """A text of several lines. Browsers send their ends as two characters, which is no change by anybody."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class RevisionForm(EventForm):
    """An event and why it is changed; `seen` is the revision that was on the screen.

    A box that was not sent, or that was sent as it was seen, was not changed by this person.
    """

    # Written out, since a browser's own boxes for times show them its way, with the month first or with AM and PM.
    observed_at = forms.DateTimeField(
        label="When it happened (UTC)", input_formats=TIME_FORMATS, widget=forms.DateTimeInput(format=SHOWN)
    )
    ended_at = forms.DateTimeField(
        label="When it ended (UTC)",
        input_formats=TIME_FORMATS,
        widget=forms.DateTimeInput(format=SHOWN),
        required=False,
        help_text="of an event that lasted",
    )
    comment = Lines(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    reason = forms.CharField(max_length=1000, required=False, help_text="needed once the log is closed")
    seen = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ("observed_at", "ended_at")

    @classmethod
    def of(cls, seen: int, stood: Mapping[str, Any], data: Any = None) -> RevisionForm:
        """The form filled with an event as it `stood` at revision `seen`, as its revisions tell its fields."""
        initial = {name: _moment(name, stood.get(name)) for name in cls.base_fields}
        form = cls(data, initial=initial | {"seen": seen})
        form.fields.pop("uuid")
        for name, field in form.fields.items():
            field.required = field.required and (data is None or name in data or name == "seen")
        return form

    def changed(self) -> dict[str, Any]:
        """The fields that this person changed, for the logbook."""
        names = [n for n in self.changed_data if n in self.data and n not in ("reason", "seen")]
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


def _moment(name: str, value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if name.endswith("_at") and isinstance(value, str) else value
