"""The web form of sailing orders: one form for the cruise, one set of rows each for people, awards and so on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from portal.models import Port, Vessel
from portal.models.cruise import CRUISE_ID, CRUISE_TYPES, PARTY_ROLES
from portal.models.fleet import LATITUDE, LONGITUDE
from portal.orders.document import Device, Grant, Member, Orders, PortCall, SurveyTarget
from portal.refusals import Fault

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CruiseForm(forms.Form):
    """The cruise itself: id, title, vessel, ports and dates."""

    id = forms.CharField(label="Cruise id", max_length=32, validators=[CRUISE_ID], help_text="as RR2402 or AT26-13")
    title = forms.CharField(label="Project title", max_length=300)
    type = forms.ChoiceField(label="Type of cruise", choices=[(t, t) for t in CRUISE_TYPES], initial="research")
    vessel = forms.ModelChoiceField(queryset=Vessel.objects.none())
    scheduler_id = forms.CharField(label="Scheduler's id", required=False, max_length=60)
    depart_date = forms.DateField(label="Day", widget=DAY)
    depart_port_id = forms.CharField(label="Port id", max_length=20, help_text="of your port list, as 100055")
    depart_port_name = forms.CharField(label="Port", max_length=120)
    depart_port_country = forms.CharField(label="Country code", max_length=3, required=False, help_text="as US")
    arrive_date = forms.DateField(label="Day", widget=DAY)
    arrive_port_id = forms.CharField(label="Port id", max_length=20)
    arrive_port_name = forms.CharField(label="Port", max_length=120)
    arrive_port_country = forms.CharField(label="Country code", max_length=3, required=False)
    summary = forms.CharField(
        label="Mission summary", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 6})
    )

    def __init__(self, *args: Any, vessels: Any, fixed_id: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["vessel"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = vessels
        if fixed_id:
            self.fields["id"].disabled = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        start, end = data.get("depart_date"), data.get("arrive_date")
        if isinstance(start, dt.date) and isinstance(end, dt.date) and end < start:
            self.add_error("arrive_date", f"The arrival is before the departure on {start}.")
        return data


class MemberForm(forms.Form):
    """A member of the science party."""

    given_name = forms.CharField(label="Given name", max_length=80, required=False)
    family_name = forms.CharField(label="Family name", max_length=80)
    role = forms.ChoiceField(choices=list(PARTY_ROLES.items()), initial="scientist")
    institution = forms.CharField(max_length=200, required=False)
    email = forms.EmailField(label="E-mail", required=False)
    orcid = forms.RegexField(
        r"\A\d{4}-\d{4}-\d{4}-\d{3}[\dX]\Z",
        label="ORCID iD",
        required=False,
        error_messages={"invalid": "Write it as 0000-0002-1825-0097."},
    )


class GrantForm(forms.Form):
    """An award."""

    number = forms.CharField(max_length=60)
    funder = forms.CharField(max_length=200)
    funder_id = forms.CharField(label="Funder id", max_length=120, required=False)
    title = forms.CharField(max_length=300, required=False)


class TargetForm(forms.Form):
    """A survey target. Degrees."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=500, required=False)
    latitude = forms.FloatField(required=False, validators=LATITUDE, help_text="degrees north")
    longitude = forms.FloatField(required=False, validators=LONGITUDE, help_text="degrees east")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if (data.get("latitude") is None) != (data.get("longitude") is None):
            self.add_error("longitude", "Give latitude and longitude, or neither.")
        return data


class DeviceForm(forms.Form):
    """An instrument."""

    name = forms.CharField(max_length=80, help_text="as people will call it in the log")
    device_class = forms.CharField(label="Class", max_length=40, help_text="as ctd, multibeam, adcp")
    make = forms.CharField(max_length=80, required=False)
    model = forms.CharField(max_length=80, required=False)


ROWS: list[tuple[str, str, type[forms.Form], int, type[Any]]] = [
    ("party", "Science party", MemberForm, 500, Member),
    ("awards", "Awards", GrantForm, 100, Grant),
    ("targets", "Survey targets", TargetForm, 500, SurveyTarget),
    ("instruments", "Instruments", DeviceForm, 200, Device),
]


class OrdersForm:
    """The whole form; `orders()` gives the document once `is_valid()`."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, vessels: Iterable[Vessel], initial: Orders | None = None
    ) -> None:
        cruise_initial, row_initial = _initial(initial)
        self.cruise = CruiseForm(
            data,
            vessels=vessels,
            initial=cruise_initial,
            prefix="cruise",
            fixed_id=initial.id if initial else "",
        )
        self.rows: dict[str, BaseFormSet[Any]] = {}
        self.titles: dict[str, str] = {}
        for name, title, form, most, _ in ROWS:
            extra = 0 if row_initial[name] else 1
            factory = formset_factory(
                form, extra=extra, max_num=most, validate_max=True, absolute_max=most + 10, can_delete=True
            )
            self.rows[name] = factory(data, initial=row_initial[name], prefix=name)
            self.titles[name] = title
        self.faults: list[Fault] = []

    def is_valid(self) -> bool:
        """Whether every field of every row is well."""
        return all([self.cruise.is_valid(), *(rows.is_valid() for rows in self.rows.values())])

    def sections(self) -> list[tuple[str, str, BaseFormSet[Any]]]:
        """(name, title, rows) for the template."""
        return [(name, self.titles[name], rows) for name, rows in self.rows.items()]

    def orders(self) -> Orders:
        """The document that the form describes."""
        data = self.cruise.cleaned_data
        vessel: Vessel = data["vessel"]

        def call(end: str) -> PortCall:
            port = Port.objects.filter(pk=data[f"{end}_port_id"]).first() or Port()
            return PortCall(
                data[f"{end}_port_id"],
                data[f"{end}_port_name"],
                data[f"{end}_port_country"].upper(),
                port.state,
                port.longitude,
                port.latitude,
            )

        return Orders(
            id=data["id"],
            title=data["title"],
            type=data["type"],
            vessel_id=vessel.pk,
            operator_id=vessel.operator_id,
            scheduler_id=data["scheduler_id"],
            depart_date=data["depart_date"],
            depart_port=call("depart"),
            arrive_date=data["arrive_date"],
            arrive_port=call("arrive"),
            summary="\n".join(line.strip() for line in data["summary"].strip().splitlines()),
            **{name: tuple(self._records(name, kind)) for name, _, _, _, kind in ROWS},
        )

    def _records(self, name: str, kind: type[Any]) -> Iterable[Any]:
        for form in self.rows[name]:
            values = dict(form.cleaned_data)
            if values and not values.pop("DELETE", False):
                yield kind(**values)


def _initial(orders: Orders | None) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    if orders is None:
        return {}, {
            "party": [{"role": "scientist_chief"}],
            **{name: [] for name in ("awards", "targets", "instruments")},
        }
    cruise = {
        "id": orders.id,
        "title": orders.title,
        "type": orders.type,
        "vessel": orders.vessel_id,
        "scheduler_id": orders.scheduler_id,
        "depart_date": orders.depart_date,
        "arrive_date": orders.arrive_date,
        "summary": orders.summary,
    }
    for end, call in (("depart", orders.depart_port), ("arrive", orders.arrive_port)):
        cruise |= {
            f"{end}_port_id": call.port_id,
            f"{end}_port_name": call.port_name,
            f"{end}_port_country": call.country_id,
        }
    return cruise, {name: [asdict(record) for record in getattr(orders, name)] for name, *_ in ROWS}
