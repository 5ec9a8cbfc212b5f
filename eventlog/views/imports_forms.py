"""Forms of the import pages: the file, what the columns of a plain table hold, and the confirmation."""

from __future__ import annotations

from typing import Any

from django import forms

from eventlog import intake
from eventlog.exchange import mapped, position
from eventlog.exchange.detect import FORMATS
from eventlog.intake.held import MOST_BYTES

DATES = [
    ("", "choose"),
    ("iso", "ISO 8601: 2026-03-27T09:07Z"),
    ("ymd", "year, month, day: 2026/3/27"),
    ("dmy", "day, month, year: 27.3.2026"),
    ("mdy", "month, day, year: 3/27/2026"),
    ("epoch", "seconds since 1970"),
]
LABELS = {
    "number": "Id",
    "observed_at": "Happened",
    "ended_at": "Ended",
    "logged_at": "Typed",
    "seafloor_m": "Seafloor",
}
STYLES = {
    "auto": "told by each value",
    "degrees": "degrees",
    "minutes": "as in NMEA: DDMM.mmm",
}
NEEDED = ("instrument", "observed_at", "date", "time")


class ImportForm(forms.Form):
    """A log file of another program."""

    file = forms.FileField(
        help_text="R2R/ELOG CSV, ELOG .log, Sealog JSON, SCS .elg, Leadline JSON, or any CSV or TSV of events"
    )
    aux = forms.FileField(label="Auxiliary data", required=False, help_text="for Sealog: the auxiliary-data export")
    format = forms.ChoiceField(
        choices=[("", "told by the content"), *FORMATS.items()], required=False, help_text="only if it is told wrongly"
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("file", "aux"):
            if (file := data.get(name)) and file.size > MOST_BYTES:
                self.add_error(
                    name, f"The file has {file.size:,} bytes; use the import command for more than {MOST_BYTES:,}."
                )
        return data


class MappingForm(forms.Form):
    """What the columns of a plain table hold; filled with the proposal until somebody has said otherwise."""

    def __init__(self, data: Any = None, *, proposal: mapped.Proposal) -> None:
        told = proposal.mapping
        super().__init__(data, initial=dict(told) | {f"all_{name}": "" for name in ("instrument", "action")})
        columns = [("", "–"), *((name, name) for name in proposal.columns)]
        for name, says in mapped.FIELDS.items():
            label = LABELS.get(name, name.capitalize())
            said = says if says != label.lower() else ""
            self.fields[name] = forms.ChoiceField(choices=columns, required=False, label=label, help_text=said)
        for name in ("instrument", "action"):
            self.fields[f"all_{name}"] = forms.CharField(
                max_length=120,
                required=False,
                label=f"{name.capitalize()} of all rows",
                help_text="where no column tells",
            )
        self.fields["date_format"] = forms.ChoiceField(choices=DATES, label="Dates are written as")
        self.fields["time_zone"] = forms.CharField(
            max_length=60, label="Time zone", help_text="UTC, +02:00, Europe/Oslo"
        )
        self.fields["position_style"] = forms.ChoiceField(
            choices=[(name, STYLES[name]) for name in position.STYLES], label="Positions are written as"
        )

    def columns(self) -> mapped.Columns:
        """The mapping. Raises NotLikeThis where it lacks something."""
        said = self.cleaned_data
        told: dict[str, Any] = {name: said[name] for name in mapped.FIELDS if said[name]}
        told |= {name: said[name] for name in ("date_format", "time_zone", "position_style")}
        told["values"] = {name: said[f"all_{name}"] for name in ("instrument", "action") if said[f"all_{name}"]}
        return intake.mapping_of(told)


class ConfirmForm(forms.Form):
    """Import it; the file is held on the server and is not sent again."""

    format = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    mapping = forms.CharField(max_length=20_000, required=False, widget=forms.HiddenInput)
    differing = forms.ChoiceField(
        label="Rows that are in the log with other words",
        choices=[("keep", "leave the log as it is"), ("revise", "revise the log: a new revision for each")],
        widget=forms.RadioSelect,
        initial="keep",
    )
    reason = forms.CharField(max_length=1000, required=False, help_text="stands with every revision")

    def __init__(self, data: Any = None, *, closed: bool, **more: Any) -> None:
        super().__init__(data, **more)
        self.fields["reason"].required = closed
        if closed:
            self.fields["reason"].help_text = "the log is closed: say why these events are added so late"
