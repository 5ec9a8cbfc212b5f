"""The guide for people on a cruise: how to log well, on two printed pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.views.doors import public


@public
@require_safe
def guide_page(request: HttpRequest) -> HttpResponse:
    """The log explained to those who write it."""
    return render(request, "eventlog/guide.html")
