"""The log and the event of an address, for those who may see them."""

from __future__ import annotations

from django.http import HttpRequest

from eventlog import logbook
from eventlog.models import Event, Log
from portal import access
from portal.models import Cruise
from portal.refusals import NotFound


def visible_log(request: HttpRequest, cruise: Cruise) -> Log:
    """The log of a cruise. Raises NotFound for one that the person may not see."""
    log = Log.objects.visible_to(request.user).filter(cruise=cruise).select_related("cruise__vessel").first()
    if log is None and not access.may(request.user, "eventlog.read", cruise):
        raise NotFound(f"There is no event log of {cruise} that you may see.")
    return log or logbook.log_of(cruise)


def visible_event(request: HttpRequest, cruise: Cruise, event_uuid: str) -> Event:
    """An event of a cruise's log. Raises NotFound for one that the person may not see."""
    events = Event.objects.visible_to(request.user).select_related("log__cruise__vessel", "operation")
    event = events.filter(log__cruise=cruise, uuid=event_uuid).first()
    if event is None:
        raise NotFound("There is no such event, or none that you may see.")
    return event
