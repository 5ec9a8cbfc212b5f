"""The page on which one sets the PIN with which one takes over a shared tablet."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from eventlog import changeover, logbook
from eventlog.live import snapshot
from eventlog.models import Pin
from portal import access
from portal.models import Cruise, Person
from portal.refusals import NotFound
from portal.views.doors import attempt, needs, person_of


@needs("eventlog.record")
@require_http_methods(["GET", "POST"])
def pin_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Sets one's own PIN; those who say who may log see who has one, and can remove it."""
    person = person_of(request)
    if request.method == "POST":
        pin = request.POST.get("pin", "")
        verb = partial(changeover.set_pin, person=person, pin=pin, by=person)
        return attempt(request, verb, "Your PIN is set.", "log-pin", cruise.cruise_id)
    log = logbook.log_of(cruise)
    context = {
        "cruise": cruise,
        "log": log,
        "pin": Pin.objects.filter(person=person).first(),
        "people": snapshot.people(log),
        "may_remove": access.may(person, "party.designate", cruise),
    }
    return render(request, "eventlog/pin.html", context)


@needs("eventlog.record")
@require_POST
def remove_pin(request: HttpRequest, cruise: Cruise, person: str) -> HttpResponse:
    """Removes a PIN that was forgotten, so that its owner can set a new one."""
    found = Person.objects.filter(uuid=person).first()
    if found is None:
        raise NotFound("There is no such person.")
    verb = partial(changeover.remove_pin, person=found, log=logbook.log_of(cruise), by=person_of(request))
    return attempt(request, verb, f"The PIN of {found} is removed.", "log-pin", cruise.cruise_id)
