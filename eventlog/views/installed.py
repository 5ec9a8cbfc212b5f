"""The log page as an installed app: what its script is told, its manifest, and the service worker."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from eventlog import machines
from eventlog.models import Log, Template
from portal.models import Cruise, Person
from portal.views.doors import of_cruise, public

DECK = Path(__file__).resolve().parent.parent / "static" / "eventlog" / "deck"
FRAME = (
    "portal/leadline.css",
    "portal/theme-early.js",
    "portal/frame.js",
    "portal/theme.js",
    "portal/relative.js",
    "portal/copy.js",
    "portal/img/favicon.svg",
    "vendor/icons.svg",
    "eventlog/deck/deck.css",
    "eventlog/img/log.svg",
)


def modules() -> list[str]:
    """Addresses of the modules, for the browser to fetch them all at once."""
    return [static(f"eventlog/deck/{path.name}") for path in sorted(DECK.glob("*.js"))]


@functools.cache
def _files() -> tuple[str, ...]:
    """Addresses of all that the page needs besides itself."""
    return (*(static(name) for name in FRAME), *modules())


def version() -> str:
    """Changes when any file of the page changes: the addresses hold digests of their contents."""
    return hashlib.sha256("\n".join(_files()).encode()).hexdigest()[:16]


def about(
    request: HttpRequest, log: Log, templates: Iterable[Template], may: Mapping[str, bool], now: dt.datetime
) -> str:
    """What the page's script is told, as JSON: where things are, who is there, and the machines of operations."""
    cruise = log.cruise
    person = request.user if isinstance(request.user, Person) else None
    page = reverse("log", args=[cruise.cruise_id])
    return json.dumps(
        {
            "cruise": cruise.cruise_id,
            "api": f"/api/v1/cruises/{cruise.cruise_id}",
            "state": log.state,
            "may": dict(may),
            "you": {"uuid": str(person.uuid), "name": str(person)} if person else None,
            "now": now.isoformat(),
            "icons": static("vendor/icons.svg"),
            "worker": reverse("log-worker"),
            "scope": page,
            "eventUrl": f"{page}event/",
            "machines": _machines(),
            "readings": _readings(templates),
        }
    )


@functools.cache
def _machines() -> dict[str, Any]:
    return {
        kind: {
            "name": machine.name,
            "counts": machine.counts,
            "resting": sorted(machine.resting),
            "expected": {state: age.total_seconds() for state, age in machine.expected.items()},
            "steps": [
                {
                    "action": step.action,
                    "label": step.label,
                    "sources": sorted(step.sources),
                    "target": step.target,
                    "opens": step.opens,
                    "closes": step.closes,
                }
                for step in machine.steps
            ],
        }
        for kind, machine in machines.MACHINES.items()
    }


def _readings(templates: Iterable[Template]) -> dict[str, list[str]]:
    """For each button that is a step of an operation: the kind of that operation, and the step's own name."""
    found = {}
    for template in templates:
        meant = machines.read(template.instrument, template.action, template.kind)
        if meant.step is not None:
            found[f"{template.instrument}\n{template.action}"] = [meant.kind, meant.step.action]
    return found


@of_cruise
@require_safe
def manifest(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Makes the log page of a cruise an app that can be put on a tablet's home screen."""
    page = reverse("log", args=[cruise.cruise_id])
    icon = {"src": static("eventlog/img/log.svg"), "type": "image/svg+xml", "sizes": "any"}
    body = {
        "id": page,
        "name": f"Log of {cruise.cruise_id}, {cruise.vessel.name}",
        "short_name": f"Log {cruise.cruise_id}",
        "description": "The event log of the cruise. Works without network.",
        "start_url": page,
        "scope": page,
        "display": "standalone",
        "orientation": "any",
        "background_color": "#0a2c45",
        "theme_color": "#0a2c45",
        "icons": [icon | {"purpose": "any"}, icon | {"purpose": "maskable"}],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@public
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. It lies outside /static/ because its scope is the log pages, and is never cached."""
    context = {"version": version(), "files": json.dumps(list(_files())), "static": settings.STATIC_URL}
    script = render_to_string("eventlog/worker.js", context)
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = "/cruise/"
    response["Cache-Control"] = "no-cache"
    return response
