"""The buttons of a log, and who may log: people designated, and tokens of science software."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from eventlog import buttons, logbook
from eventlog.live import snapshot
from eventlog.models import Log, Template
from portal import access, tokens
from portal.models import Cruise, Token
from portal.refusals import NotFound, NotLikeThis, Refusal
from portal.views.doors import attempt, needs, person_of
from portal.views.people import designating

MOST_JSON = 20_000


class ButtonForm(forms.Form):
    """A button. What it asks for afterwards is a list of fields in JSON, as the guide shows."""

    instrument = forms.CharField(max_length=80)
    action = forms.CharField(max_length=80)
    kind = forms.CharField(
        label="Device class", max_length=20, required=False, help_text="as ctd, net, mooring; empty: by the name"
    )
    label = forms.CharField(label="On the button", max_length=60, required=False, help_text="empty: the action")
    key = forms.CharField(max_length=1, required=False, help_text="one figure or letter")
    fields_asked = forms.CharField(
        label="Asked after the press",
        required=False,
        max_length=MOST_JSON,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text='as [{"name": "wire_out", "label": "Wire out", "type": "number", "unit": "m"}]',
    )
    is_hidden = forms.BooleanField(label="Hidden", required=False)

    def clean_fields_asked(self) -> list[Any]:
        """The fields, read from JSON."""
        text = self.cleaned_data["fields_asked"].strip()
        try:
            found: list[Any] = json.loads(text) if text else []
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is no JSON: {error}"[:200]) from error
        return found

    def values(self) -> dict[str, Any]:
        """The fields of the button, as its verb takes them."""
        found = dict(self.cleaned_data)
        found["fields"] = found.pop("fields_asked")
        return found

    def blame(self, refusal: Refusal) -> None:
        """Puts what a verb refused beside the fields."""
        for fault in refusal.faults if isinstance(refusal, NotLikeThis) else ():
            name = "fields_asked" if fault.where.startswith("fields") else fault.where
            self.add_error(name if name in self.fields else None, f"{fault.where} {fault.what}".strip())
        if not self.errors:
            self.add_error(None, refusal.reason)


@needs("eventlog.arrange")
@require_http_methods(["GET", "POST"])
def buttons_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The buttons in their order, what is unwise about them, and a form for a new one."""
    log = logbook.log_of(cruise)
    form = ButtonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            buttons.add(log=log, by=request.user, fields=form.values())
            return redirect("log-buttons", cruise.cruise_id)
        except Refusal as refusal:
            form.blame(refusal)
    before = buttons.last_log(log, request.user)
    context = {
        "cruise": cruise,
        "log": log,
        "form": form,
        "templates": log.templates.all(),
        "lint": buttons.lint(log),
        "before": before,
        "others": before.templates.count() if before else 0,
    }
    return render(request, "eventlog/buttons.html", context, status=422 if form.errors else 200)


@needs("eventlog.arrange")
@require_http_methods(["GET", "POST"])
def button_page(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """One button: its words, its key, what it asks for, and whether it is hidden."""
    log = logbook.log_of(cruise)
    template = _template(log, uuid)
    names = ("instrument", "action", "kind", "label", "key", "is_hidden")
    initial: dict[str, Any] = {name: getattr(template, name) for name in names}
    initial["fields_asked"] = json.dumps(template.fields, ensure_ascii=False, indent=1) if template.fields else ""
    form = ButtonForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            buttons.amend(template=template, by=request.user, fields=form.values())
            return redirect("log-buttons", cruise.cruise_id)
        except Refusal as refusal:
            form.blame(refusal)
    context = {"cruise": cruise, "log": log, "form": form, "template": template}
    return render(request, "eventlog/button.html", context, status=422 if form.errors else 200)


@needs("eventlog.arrange")
@require_POST
def button_step(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """Moves a button up or down by one, hides it, or shows it again."""
    log = logbook.log_of(cruise)
    template = _template(log, uuid)
    step = request.POST.get("step", "")

    def change() -> None:
        if step in ("hide", "show"):
            buttons.amend(template=template, by=request.user, fields={"is_hidden": step == "hide"})
            return
        order = [row.uuid for row in log.templates.all()]
        place = order.index(template.uuid)
        order.insert(max(0, place + (1 if step == "down" else -1)), order.pop(place))
        buttons.arrange(log=log, by=request.user, order=order)

    return attempt(request, change, f"The button {template} is changed.", "log-buttons", cruise.cruise_id)


@needs("eventlog.arrange")
@require_POST
def copy_buttons(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Takes over the buttons of the last cruise of the vessel."""
    log = logbook.log_of(cruise)
    before = buttons.last_log(log, request.user)
    if before is None:
        raise NotFound("There is no cruise before this one whose buttons you may take over.")
    return attempt(
        request,
        lambda: buttons.copy_from(log=log, other=before, by=request.user),
        f"The buttons of {before.cruise} are here.",
        "log-buttons",
        cruise.cruise_id,
    )


def _template(log: Log, uuid: str) -> Template:
    found = log.templates.select_related("log__cruise__vessel").filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such button in this log.")
    return found


class SoftwareForm(forms.Form):
    """A program that records events: its token acts in the name of the person who issues it, for this cruise alone."""

    name = forms.CharField(label="What will use it", max_length=80, help_text="as in: winch logger of the wet lab")
    days = forms.IntegerField(label="Days it works", min_value=1, max_value=400, initial=60)


@needs("party.designate")
@require_http_methods(["GET", "POST"])
def people_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Who may log, and the tokens of this cruise; a new token's secret is shown once."""
    log = logbook.log_of(cruise)
    form, secret = SoftwareForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        me = person_of(request)
        expires = timezone.now() + dt.timedelta(days=form.cleaned_data["days"])
        scopes = ["read", "events:write"]
        try:
            _, secret = tokens.issue(
                person=me, name=form.cleaned_data["name"], scopes=scopes, cruise=cruise, expires_at=expires, by=me
            )
            form = SoftwareForm()
        except Refusal as refusal:
            form.add_error(None, refusal.reason)
    context = {
        "cruise": cruise,
        "log": log,
        "parties": cruise.parties.select_related("person"),
        "people": snapshot.people(log),
        "tokens": Token.objects.filter(cruise=cruise).select_related("person"),
        "form": form,
        "secret": secret,
        "now": timezone.now(),
        "may_issue": access.may(request.user, "token.issue", cruise),
    }
    return render(request, "eventlog/people.html", context, status=422 if form.errors else 200)


@needs("party.designate")
@require_POST
def designate(request: HttpRequest, cruise: Cruise, party: int) -> HttpResponse:
    """Says whether a member of the party may log events."""
    return designating(request, cruise, party, then="log-people")


@needs("party.designate")
@require_POST
def revoke_token(request: HttpRequest, cruise: Cruise, uuid: str) -> HttpResponse:
    """Closes a token of this cruise for good."""
    token = Token.objects.filter(cruise=cruise, uuid=uuid).first()
    if token is None:
        raise NotFound("There is no such token of this cruise.")
    verb = lambda: tokens.revoke(token=token, by=request.user)  # noqa: E731
    return attempt(request, verb, f"{token} is revoked.", "log-people", cruise.cruise_id)
