"""The page of the feeds of navigation: where the ship is, which feeds say so, and which of them to trust."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from eventlog import navigation
from eventlog.models import Feed
from eventlog.navigation import feeds, track, voting
from portal import access
from portal.models import Cruise
from portal.refusals import Refusal
from portal.views.doors import attempt, blame, needs

LEVELS = {
    voting.GOOD: ("good", "good"),
    voting.WARN: ("look at it", "warn"),
    voting.BAD: ("not trusted", "bad"),
    voting.SILENT: ("silent", "warn"),
    voting.NEW: ("nothing yet", "waiting"),
    "disabled": ("disabled", "neutral"),
}


class FeedForm(forms.Form):
    """A feed to add, or to change by its name."""

    name = forms.CharField(max_length=60, help_text="short, as it is called on board; shown with every position")
    kind = forms.ChoiceField(choices=Feed.KINDS)
    address = forms.CharField(
        max_length=300,
        required=False,
        help_text="UDP: :10110 to listen on that port. TCP: host:port of the server. Files: the full path to follow.",
    )
    rank = forms.IntegerField(min_value=1, max_value=999, initial=100, help_text="1 is preferred")


class RowForm(forms.Form):
    """What is changed in a row of the table; what is not sent stays."""

    name = forms.CharField(max_length=60)
    rank = forms.IntegerField(required=False)
    enabled = forms.ChoiceField(choices=[("", ""), ("yes", "yes"), ("no", "no")], required=False)


@needs("eventlog.read")
@require_safe
def feeds_page(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Every feed with its rank, last fix, clock and health; and where the ship is by them."""
    return _page(request, cruise, FeedForm())


@needs("feed.set")
@require_POST
def add_feed(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Adds a feed, or changes the one of this name; a form that is not accepted comes back as it was typed."""
    form = FeedForm(request.POST)
    if form.is_valid():
        try:
            feed = feeds.set_feed(cruise=cruise, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            blame(form, refusal)
        else:
            messages.success(request, f"Feed {feed.name} is set. The receiver takes it up within ten seconds.")
            return redirect("feeds", cruise.cruise_id)
    return _page(request, cruise, form, status=422)


@needs("feed.set")
@require_POST
def set_feed(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """Ranks, enables or disables a feed of the table."""
    form = RowForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The rank is a number from 1, preferred, to 999.")
        return redirect("feeds", cruise.cruise_id)
    said = form.cleaned_data
    feed = feeds.feed_of(cruise.vessel_id, said["name"])
    enabled = {"yes": True, "no": False}.get(said["enabled"])

    def change() -> object:
        return feeds.set_feed(
            cruise=cruise, by=request.user, name=feed.name, rank=said["rank"] or None, is_enabled=enabled
        )

    what = "changed" if enabled is None else "enabled" if enabled else "disabled"
    return attempt(request, change, f"Feed {feed.name} is {what}.", "feeds", cruise.cruise_id)


def _page(request: HttpRequest, cruise: Cruise, form: FeedForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    rows: list[dict[str, Any]] = []
    for row in track.feeds(cruise.vessel_id, now):
        word, tone = LEVELS.get(row["level"], (row["level"], "neutral"))
        offset = row["clock_offset_s"]
        rows.append(
            row
            | {
                "word": word,
                "tone": tone,
                "age": voting.duration(row["last_fix"]["age_s"]) if row["last_fix"] else "",
                "clock": "" if offset is None else f"{offset:+,.1f}",
                "refused_count": sum(row["refused"].values()),
            }
        )
    ship = navigation.now(cruise.vessel_id)
    context = {
        "cruise": cruise,
        "rows": rows,
        "form": form,
        "ship": ship,
        "ship_age": voting.duration(ship["age_s"]) if ship else "",
        "ship_knots": ship["speed_mps"] * 3600 / 1852 if ship and ship["speed_mps"] is not None else None,
        "may_set": access.may(request.user, "feed.set", cruise),
        "now": now,
    }
    return render(request, "eventlog/feeds.html", context, status=status)
