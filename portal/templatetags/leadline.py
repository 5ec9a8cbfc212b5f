"""Template tags used on every page: times, sizes, positions, state chips and icons."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# Every state word of every table and the tone it is shown in; a house test checks that none is missing.
TONES = {
    # cruise
    "planned": "waiting",
    "at sea": "active",
    "ended": "neutral",
    "cancelled": "bad",
    # work
    "running": "active",
    "done": "good",
    "failed": "bad",
    "interrupted": "warn",
    # event log
    "not opened": "waiting",
    "open": "active",
    "closed": "good",
    # distribution
    "announced": "waiting",
    "received": "active",
    "verified": "active",
    "classified": "good",
    "superseded": "neutral",
    # arrival
    "arriving": "active",
    "complete": "active",
    "offered": "warn",
    "changed": "warn",
    "refused": "bad",
    "left out": "neutral",
    "gone": "neutral",
    # data set
    "draft": "waiting",
    "approved": "good",
    "released": "good",
    "retired": "neutral",
    "held": "held",
    # review
    "returned": "warn",
    # deposit
    "storing": "active",
    "stored": "good",
    "damaged": "bad",
    # recovery
    "requested": "waiting",
    "granted": "active",
    "ready": "good",
    "expired": "neutral",
    # identifier
    "reserved": "waiting",
    "registered": "good",
    "stale": "active",
    # submission
    "waiting": "waiting",
    "staged": "active",
    "accessioned": "good",
}


@register.filter
def utc(value: Any) -> SafeString | str:
    """A time as `<time>`: 2026-11-21 03:14:07 UTC; a script adds how long ago it was. Nothing for None."""
    if not value:
        return ""
    if isinstance(value, dt.datetime):
        value = value.astimezone(dt.UTC)
        return format_html(
            '<time datetime="{}">{}</time>', f"{value:%Y-%m-%dT%H:%M:%SZ}", f"{value:%Y-%m-%d %H:%M:%S} UTC"
        )
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), value.isoformat())


@register.filter
def size(value: Any) -> str:
    """Bytes for people: 1.4 MB (decimal units); a dash for the unknown."""
    if value is None or value == "":
        return "–"
    number = float(value)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1000
    return ""


@register.filter
def grouped(value: Any) -> str:
    """A whole number with its thousands apart; a dash for the unknown."""
    return "–" if value is None or value == "" else f"{int(value):,}".replace(",", "\u202f")


@register.filter
def latitude(value: float | None) -> str:
    """Degrees and decimal minutes with the hemisphere, as a bridge writes it: 41°19.012' N."""
    return "" if value is None else _degrees(value, "N", "S", 2)


@register.filter
def longitude(value: float | None) -> str:
    """Degrees and decimal minutes with the hemisphere: 070°53.004' W."""
    return "" if value is None else _degrees(value, "E", "W", 3)


def _degrees(value: float, positive: str, negative: str, figures: int) -> str:
    thousandths = round(abs(value) * 60_000)
    whole, rest = divmod(thousandths, 60_000)
    return f"{whole:0{figures}d}°{rest / 1000:06.3f}′ {positive if value >= 0 else negative}"


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the set, from the sprite; always beside a word, hence hidden from readers of the page aloud."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#icon-{}"/></svg>', static("vendor/icons.svg"), name
    )


@register.filter
def initials(name: str) -> str:
    """The first letters of the first and the last word of a name."""
    parts = str(name).split()
    return "".join(part[0] for part in ([parts[0], parts[-1]] if len(parts) > 1 else parts)).upper()


@register.filter
def initial(name: str) -> str:
    """A sentence's first letter in capitals, the rest as it is; a word that is written like pCO2 stays."""
    return name if name[1:2].isupper() else name[:1].upper() + name[1:]


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """A value of a mapping by a key that is itself a variable."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.simple_tag
def delay(happened: dt.datetime, typed: dt.datetime) -> str:
    """How long after it happened a thing was typed, in words: "3 min later"; nothing under a minute."""
    seconds = (typed - happened).total_seconds()
    if abs(seconds) < 60:
        return ""
    size = abs(seconds)
    unit, word = next(((u, w) for u, w in ((86_400, "d"), (3600, "h"), (60, "min")) if size >= u), (1, "s"))
    return f"{size / unit:.0f} {word} {'later' if seconds > 0 else 'before it happened'}"


@register.inclusion_tag("parts/_chip.html")
def chip(state: str, since: Any = None, href: str = "", tone: str = "", until: Any = None) -> dict[str, Any]:
    """The chip of a state: word, shape and colour, and since when; `tone` where the word is no state of a table."""
    tone = tone or TONES.get(state, "neutral")
    return {"state": tone, "word": state[:1].upper() + state[1:], "since": since, "until": until, "href": href}


@register.filter
def words(value: str) -> str:
    """A verb's name as a person would say it: "eventlog.open" becomes "open"."""
    return str(value).rpartition(".")[2].replace("_", " ")


@register.filter
def share(part: Any, whole: Any) -> int:
    """Percent, whole; 0 where there is no whole."""
    return round(100 * float(part or 0) / float(whole)) if whole else 0


@register.simple_tag(takes_context=True)
def with_query(context: dict[str, Any], **changes: Any) -> str:
    """The present query string with some values changed; empty values are taken out."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value not in ("", None):
            query[key] = str(value)
    return f"?{query.urlencode()}"
