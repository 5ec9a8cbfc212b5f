"""What every page knows: the name of the site, its menu, and where it runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from portal import floor


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor for all templates."""
    return {
        "site_name": settings.REPOSITORY_NAME,
        "site_contact": settings.REPOSITORY_CONTACT,
        "demonstration": settings.MODE == "demonstration",
        "on_ship": settings.SITE == "ship",
        "menu": [link for app in floor.floors() for link in app.menu(request)] if hasattr(request, "user") else [],
    }
