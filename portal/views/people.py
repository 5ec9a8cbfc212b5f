"""Pages about people: the party of a cruise, invitations, and one's own tokens."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import access, accounts, tokens
from portal.models import Cruise, Party, Token
from portal.refusals import NotFound, Refusal
from portal.views.doors import attempt, needs, person_of, public, signed_in


@needs("party.see_private")
@require_safe
def party_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The science party with addresses, accounts, and who may log."""
    context = {
        "cruise": cruise,
        "parties": cruise.parties.select_related("person"),
        "may_designate": access.may(request.user, "party.designate", cruise),
    }
    return render(request, "portal/party.html", context)


@needs("party.designate")
@require_POST
def designate(request: HttpRequest, cruise: Cruise, party: int) -> HttpResponse:
    """Says whether a member of the party may log events."""
    return designating(request, cruise, party, then="party")


def designating(request: HttpRequest, cruise: Cruise, party: int, *, then: str) -> HttpResponse:
    """Does so, and goes back to the page called `then`."""
    member = Party.objects.filter(cruise=cruise, pk=party).first()
    if member is None:
        raise NotFound("There is nobody of this number on the party. The orders may have been amended meanwhile.")
    may_log = request.POST.get("may_log") == "yes"
    said = f"{member} may {'now' if may_log else 'no longer'} log events."
    return attempt(
        request,
        lambda: accounts.designate(party=member, may_log=may_log, by=request.user),
        said,
        then,
        cruise.cruise_id,
    )


class AcceptForm(forms.Form):
    """Name and password of somebody who takes up an invitation."""

    given_name = forms.CharField(label="Given name", max_length=80)
    family_name = forms.CharField(label="Family name", max_length=80)
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html(),
    )


@public
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Makes the account that an invitation offers, and signs in."""
    found = accounts.invitation(secret)
    party = found.party
    initial = {"given_name": party.given_name, "family_name": party.family_name} if party else {}
    form = AcceptForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            person = accounts.accept(secret=secret, **form.cleaned_data)
        except Refusal as refusal:
            faults = getattr(refusal, "faults", ())
            for fault in faults:
                form.add_error("password", fault.what)
            if not faults:
                form.add_error(None, refusal.reason)
        else:
            login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
            return redirect("cruise", found.cruise.cruise_id)
    return render(request, "portal/invitation.html", {"form": form, "invitation": found})


class TokenForm(forms.Form):
    """What a new token is for."""

    name = forms.CharField(max_length=80, help_text="what will use it, as in: underway logger of the wet lab")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {says}") for scope, says in tokens.SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    cruise = forms.ModelChoiceField(queryset=Cruise.objects.none(), required=False, empty_label="every cruise of mine")
    days = forms.IntegerField(label="Days it works", min_value=1, max_value=730, initial=90)


@signed_in
@require_http_methods(["GET", "POST"])
def token_page(request: HttpRequest) -> HttpResponse:
    """One's own tokens; a new one's secret is shown once."""
    me = person_of(request)
    form = TokenForm(request.POST or None)
    field: Any = form.fields["cruise"]
    field.queryset = Cruise.objects.visible_to(request.user)
    secret = ""
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        expires = timezone.now() + dt.timedelta(days=wanted["days"])
        try:
            _, secret = tokens.issue(
                person=me,
                name=wanted["name"],
                scopes=wanted["scopes"],
                cruise=wanted["cruise"],
                expires_at=expires,
                by=me,
            )
            form = TokenForm()
            form.fields["cruise"] = field
        except Refusal as refusal:
            form.add_error(None, refusal.reason)
    context = {
        "form": form,
        "secret": secret,
        "tokens": me.tokens.select_related("cruise"),
        "now": timezone.now(),
    }
    return render(request, "portal/tokens.html", context)


@signed_in
@require_POST
def revoke_token(request: HttpRequest, uuid: str) -> HttpResponse:
    """Revokes one of one's own tokens."""
    token = Token.objects.filter(uuid=uuid, person=person_of(request)).first()
    if token is None:
        raise NotFound("You have no such token.")
    return attempt(request, lambda: tokens.revoke(token=token, by=request.user), f"{token} is revoked.", "tokens")
