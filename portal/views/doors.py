"""Every page names who may open it; a house test checks that none is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from portal import access
from portal.models import Cruise, Person
from portal.refusals import NotFound, NotLikeThis, NotYou, Refusal

View = Callable[..., HttpResponseBase]


def public(view: View) -> View:
    """Anybody may open this page; what it shows is chosen by `visible_to`."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Somebody who has signed in."""
    guarded: View = login_required(view)
    guarded.permission = "signed in"  # type: ignore[attr-defined]
    return guarded


def needs(verb: str) -> Callable[[View], View]:
    """Somebody who may say `verb` about the cruise of the address (or at all, where there is none)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            cruise = cruise_of(request, kwargs.pop("cruise_id")) if "cruise_id" in kwargs else None
            access.require(request.user, verb, cruise)
            return view(request, *([cruise] if cruise else []), *args, **kwargs)

        signed: View = login_required(guarded)
        signed.permission = verb  # type: ignore[attr-defined]
        return signed

    return decorate


def of_cruise(view: View) -> View:
    """A public page of a cruise: those who may see the cruise get it, for others there is none."""

    @wraps(view)
    def guarded(request: HttpRequest, cruise_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, cruise_of(request, cruise_id), *args, **kwargs)

    guarded.permission = "public"  # type: ignore[attr-defined]
    return guarded


def cruise_of(request: HttpRequest, cruise_id: str) -> Cruise:
    """The cruise of an address. Raises NotFound for one that the person may not see."""
    cruises = Cruise.objects.visible_to(request.user).select_related("vessel__operator", "depart_port", "arrive_port")
    cruise = cruises.filter(cruise_id__iexact=cruise_id).first()
    if cruise is None:
        raise NotFound(f"There is no cruise {cruise_id}, or none that you may see. Signing in may help.")
    return cruise


def person_of(request: HttpRequest) -> Person:
    """The person behind a request to a page that asks for signing in. Raises NotYou for anybody else."""
    if not isinstance(request.user, Person):
        raise NotYou("Sign in first.")
    return request.user


def blame(form: forms.BaseForm, refusal: Refusal) -> None:
    """Puts what a verb refused beside the fields of a form: each fault at its own, what has no field on top."""
    faults = refusal.faults if isinstance(refusal, NotLikeThis) else ()
    for fault in faults:
        form.add_error(fault.where if fault.where in form.fields else None, fault.what)
    if not faults:
        form.add_error(None, refusal.reason)


def attempt(
    request: HttpRequest, verb: Callable[[], object], done: str, then: str, *args: object, anchor: str = ""
) -> HttpResponse:
    """Says a verb for a person: `done` as a message when it worked, the refusal's reason when not; goes to `then`."""
    try:
        verb()
    except NotLikeThis as refusal:
        messages.error(request, " ".join([refusal.reason, *(f"{fault}." for fault in refusal.faults[:5])]))
    except Refusal as refusal:
        messages.error(request, refusal.reason)
    else:
        messages.success(request, done)
    response = redirect(then, *args)
    if anchor:
        response["Location"] += f"#{anchor}"
    return response
