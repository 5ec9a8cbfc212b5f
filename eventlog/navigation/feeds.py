"""Verbs about the feeds of a vessel: add, rank, enable and disable. A feed is never deleted: its fixes name it."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction

from eventlog.models import Feed
from portal import access, journal
from portal.access import Actor
from portal.models import Cruise, Vessel
from portal.refusals import Fault, NotFound, NotLikeThis

MOST_FEEDS = 40
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]*")
_HINTS = {
    "udp": "write :port to listen on, as in :10110, or an address of this machine and a port",
    "tcp": "write host:port of the server to read from, as in gps.ship:2947",
    "file": "write the full path of the file or folder to follow; empty for a feed that is imported by hand",
}


@transaction.atomic
def set_feed(
    *,
    cruise: Cruise,
    by: Actor,
    name: str,
    kind: str | None = None,
    address: str | None = None,
    rank: int | None = None,
    is_enabled: bool | None = None,
) -> Feed:
    """Adds a feed to the cruise's vessel, or changes what is given of the feed of this name.

    Raises NotYou; NotLikeThis for a name, address or rank that cannot be.
    """
    access.require(by, "feed.set", cruise)
    name = name.strip()
    known = Feed.objects.select_for_update().filter(vessel=cruise.vessel_id, name=name).first()
    feed = known or Feed(vessel=cruise.vessel, name=name, kind=kind or "udp")
    before = _told(feed) if known else {}
    for field, value in (("kind", kind), ("address", address), ("rank", rank), ("is_enabled", is_enabled)):
        if value is not None:
            setattr(feed, field, value.strip() if isinstance(value, str) else value)
    if known is None or kind is not None or address is not None or rank is not None:
        _check(feed, new=known is None)
    feed.save()
    after = _told(feed)
    changes = {field: [before.get(field), value] for field, value in after.items() if before.get(field) != value}
    if changes:
        journal.record(by, "feed.set", cruise, note=f"feed {feed.name}", changes=changes)
    return feed


def for_files(vessel: Vessel, name: str) -> Feed:
    """The feed of a vessel into which files of this name are read; made if there is none."""
    name = " ".join(name.split())[:60]
    feed, _ = Feed.objects.get_or_create(vessel=vessel, name=name, defaults={"kind": "file"})
    return feed


def feed_of(vessel_id: str, name: str) -> Feed:
    """The feed of a vessel. Raises NotFound, naming those that there are."""
    feed = Feed.objects.filter(vessel=vessel_id, name=name).first()
    if feed is None:
        known = ", ".join(Feed.objects.filter(vessel=vessel_id).values_list("name", flat=True)[:20]) or "none yet"
        raise NotFound(f"The vessel has no feed {name!r}. Feeds: {known}.")
    return feed


def _told(feed: Feed) -> dict[str, Any]:
    return {"kind": feed.kind, "address": feed.address, "rank": feed.rank, "is_enabled": feed.is_enabled}


def _check(feed: Feed, *, new: bool) -> None:
    faults = []
    if not feed.name or len(feed.name) > 60 or not feed.name.isprintable():
        faults.append(Fault("name", "has 1 to 60 printable characters"))
    if feed.kind not in dict(Feed.KINDS):
        faults.append(Fault("kind", f"is one of {', '.join(dict(Feed.KINDS))}"))
    elif not _address_fits(feed.kind, feed.address):
        faults.append(Fault("address", f"{feed.address!r} does not fit: {_HINTS[feed.kind]}"))
    if not 1 <= feed.rank <= 999:
        faults.append(Fault("rank", "is a number from 1, preferred, to 999"))
    if new and Feed.objects.filter(vessel=feed.vessel_id).count() >= MOST_FEEDS:
        faults.append(Fault("name", f"the vessel has {MOST_FEEDS} feeds already; change one that is not used"))
    if faults:
        raise NotLikeThis("The feed is not accepted.", faults)


def _address_fits(kind: str, address: str) -> bool:
    if kind == "api":
        return True
    if kind == "file":
        return not address or (address.startswith("/") and "\0" not in address and len(address) <= 300)
    host, colon, port = address.rpartition(":")
    fits = bool(colon) and port.isdigit() and 1 <= int(port) <= 65535 and bool(_HOST.fullmatch(host))
    return fits and (kind == "udp" or bool(host))
