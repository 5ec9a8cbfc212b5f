"""RSS and Atom feeds of new inventories and answered flags: of a vessel, of an operator, and of all."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.views.decorators.http import condition, require_safe

from inventory.feeds import News, Subject, news, subject
from portal.refusals import NotFound
from portal.views.doors import public

KINDS = {"atom": Atom1Feed, "rss": Rss201rev2Feed}


class _Inventories(Feed):
    """One feed, made from a subject and its news."""

    def __init__(self, about: Subject, found: list[News], kind: str, address: str) -> None:
        self.feed_type = KINDS[kind]
        self.title = f"{settings.REPOSITORY_NAME}: inventories of {about.name}"
        self.description = self.subtitle = "Inventories that were posted, and flags that were answered."
        self.link = reverse("cruises")
        self.feed_url = address
        self._found = found

    def items(self) -> list[News]:
        """The entries."""
        return self._found

    def item_title(self, item: Any) -> str:
        return str(item.title)

    def item_description(self, item: Any) -> str:
        return str(item.text)

    def item_link(self, item: Any) -> str:
        return str(item.link)

    def item_guid(self, item: Any) -> str:
        return f"urn:uuid:{item.key}"

    item_guid_is_permalink = False

    def item_pubdate(self, item: Any) -> dt.datetime:
        at: dt.datetime = item.at
        return at

    item_updateddate = item_pubdate


@public
@require_safe
def feed(request: HttpRequest, kind: str, vessel: str = "", operator: str = "") -> HttpResponse:
    """The feed of a vessel, of an operator or of all, as `atom` or `rss`; answers 304 to one who has it already."""
    if kind not in KINDS:
        raise NotFound(f"There is no feed of the kind {kind}; there are {', '.join(KINDS)}.")
    about = subject(vessel, operator)
    found = news(about)
    text = repr(
        (kind, about.name, settings.REPOSITORY_NAME, request.get_host(), [(item.key, item.at) for item in found])
    )
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    last = found[0].at.replace(microsecond=0) if found else None

    def answer(request: HttpRequest) -> HttpResponse:
        made: HttpResponse = _Inventories(about, found, kind, request.path)(request)
        return made

    response: HttpResponse = condition(lambda _: tag, lambda _: last)(answer)(request)
    return response
